// test/scenario/quickstart_test.cpp - etc/quickstart.cfg as a newcomer uses it: curl over HTTP and HTTPS,
// with digest
#include "test/support/catch.h"
#include "test/support/running_server.h"

#include <fstream>
#include <iterator>

using namespace sipyard;
using namespace sipyard::test;

namespace {

std::string example_list()
{
    std::ifstream in{"etc/example_list.xml", std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

// The server of `make run`, with two users.
struct Quickstart {
    TempDir folder;
    std::uint16_t tls_port = free_port();
    RunningServer server;

    Quickstart() : server{"etc/quickstart.cfg", options()}
    {
        server.rpc("subscriber.add", R"(["alice@127.0.0.1","wonderland"])");
        server.rpc("subscriber.add", R"(["bob@127.0.0.1","builder"])");
    }
    RunningServer::Options options()
    {
        make_certificate(folder);
        RunningServer::Options options;
        options.defines = {{"DBURL", "\"sqlite://" + folder.file("quickstart.db") + "\""},
                           {"TLS_PORT", std::to_string(tls_port)},
                           {"CERTIFICATE", "\"" + folder.file("cert.pem") + "\""},
                           {"PRIVATE_KEY", "\"" + folder.file("key.pem") + "\""}};
        return options;
    }

    struct Seen {
        int status = 0;
        std::string etag, body;
    };
    // What curl gets; the path is behind the users' tree.
    Seen curl(const std::string& user, const std::string& scheme, const std::string& path,
              std::vector<std::string> more = {})
    {
        const std::uint16_t port = scheme == "https" ? tls_port : server.port();
        std::vector<std::string> command = {"curl",
                                            "-sS",
                                            "--digest",
                                            "-u",
                                            user,
                                            "--cacert",
                                            folder.file("cert.pem"),
                                            "-m",
                                            "20",
                                            "-o",
                                            folder.file("body"),
                                            "-D",
                                            folder.file("head"),
                                            "-w",
                                            "%{http_code}"};
        command.insert(command.end(), more.begin(), more.end());
        command.push_back(scheme + "://127.0.0.1:" + std::to_string(port) +
                          "/xcap-root/resource-lists/users/" + path);
        folder.write("body", "");
        const Ran ran = run_program(command);
        INFO(ran.output);
        CHECK(ran.status == 0);
        Seen seen;
        seen.status = std::atoi(ran.output.c_str());
        HttpAnswer answer;
        answer.head = read("head");
        for (auto at = answer.head.find("HTTP/1.1 401");
             at != std::string::npos && answer.head.find("HTTP/1.1", at + 1) != std::string::npos;
             at = answer.head.find("HTTP/1.1 401"))
            answer.head.erase(
                0, answer.head.find("HTTP/1.1", at + 1)); // only the last reply of the exchange counts
        seen.etag = answer.header("ETag");
        seen.body = read("body");
        return seen;
    }
    std::string read(const char* name)
    {
        std::ifstream in{folder.file(name), std::ios::binary};
        return {std::istreambuf_iterator<char>{in}, {}};
    }
    Seen put(const std::string& user, const std::string& scheme, const std::string& path)
    {
        return curl(user, scheme, path,
                    {"-X", "PUT", "-H", "Content-Type: application/resource-lists+xml", "--data-binary",
                     "@etc/example_list.xml"});
    }
};

const std::string alices = "sip:alice@127.0.0.1/index";

} // namespace

SCENARIO("the quickstart keeps a user's contact list", "[quickstart]")
{
    for (const std::string& scheme : std::vector<std::string>{"http", "https"}) {
        Quickstart quick;
        INFO(scheme << "\n" << quick.server.log());
        const std::string right = "alice:wonderland";

        const auto created = quick.put(right, scheme, alices);
        REQUIRE(created.status == 201);
        CHECK(created.etag.size() > 2);

        const auto got = quick.curl(right, scheme, alices);
        CHECK(got.status == 200);
        CHECK(got.body == example_list());
        CHECK(got.etag == created.etag);

        const auto known = quick.curl(right, scheme, alices, {"-H", "If-None-Match: " + created.etag});
        CHECK(known.status == 304);
        CHECK(known.body.empty());

        CHECK(quick.curl("alice:looking-glass", scheme, alices).status == 401);
        CHECK(quick.curl("nobody:wonderland", scheme, alices).status == 401);
        CHECK(quick.curl("bob:builder", scheme, alices).status == 403);
        CHECK(quick.put("bob:builder", scheme, alices).status == 403);
        CHECK(quick.curl("bob:builder", scheme, alices, {"-X", "DELETE"}).status == 403);
        CHECK(quick.curl(right, scheme, alices).body == example_list()); // none of that has touched it

        const Ran list = run_program({build_folder() + "/sipyardctl", "-s", quick.server.rpc_path(), "xcap",
                                      "list", "alice@127.0.0.1"});
        CHECK(list.status == 0);
        INFO(list.output);
        CHECK(list.output.find("index") != std::string::npos);
        CHECK(list.output.find("resource-lists") != std::string::npos);

        CHECK(quick.curl(right, scheme, alices, {"-X", "DELETE"}).status == 200);
        CHECK(quick.curl(right, scheme, alices).status == 404);
        CHECK(quick.curl(right, scheme, alices, {"-X", "DELETE"}).status == 404);
        CHECK(quick.server.stop());
    }
}

SCENARIO("the quickstart answers SIP and browsers on the same port", "[quickstart]")
{
    Quickstart quick;
    const std::string uri = "sip:127.0.0.1:" + std::to_string(quick.server.port());
    UdpClient udp{quick.server.port()};
    const struct {
        const char* story;
        std::string method, headers, expected;
    } rows[] = {
        {"somebody asks whether it lives", "OPTIONS", "", "SIP/2.0 200 Keepalive"},
        {"it routes no calls", "INVITE", "", "SIP/2.0 405 Method Not Allowed"},
        {"a message that went in circles", "OPTIONS", "Max-Forwards: 0\r\n", "SIP/2.0 483 Too Many Hops"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        std::string request =
            sip_request(row.method, uri, "quick-" + row.method + row.headers.substr(0, 3), udp.port());
        if (!row.headers.empty())
            request.replace(request.find("Max-Forwards: 70\r\n"), 18, row.headers);
        CHECK_THAT(udp.ask(request), Catch::Matchers::StartsWith(row.expected));
    }

    const HttpAnswer page = http(quick.server.port(), "GET", "/");
    CHECK(page.status == 200);
    CHECK(page.header("Content-Type") == "text/html");
    CHECK(page.body.find("sipyard. Your address: 127.0.0.1:") != std::string::npos);

    const HttpAnswer challenged =
        http(quick.server.port(), "GET", "/xcap-root/resource-lists/users/" + alices);
    CHECK(challenged.status == 401);
    CHECK_THAT(challenged.header("WWW-Authenticate"),
               Catch::Matchers::StartsWith("Digest realm=\"127.0.0.1\""));
    // It does not tell a stranger which documents exist.
    const HttpAnswer absent =
        http(quick.server.port(), "GET", "/xcap-root/resource-lists/users/sip:nobody@127.0.0.1/index");
    CHECK(absent.status == 401);
    CHECK(absent.body == challenged.body);
}
