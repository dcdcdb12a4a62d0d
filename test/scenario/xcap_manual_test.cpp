// test/scenario/xcap_manual_test.cpp - etc/xcap_server.cfg, the sample of the XCAP manual: what a client sees
// of it
#include "test/support/catch.h"
#include "test/support/running_server.h"

#include <thread>

using namespace sipyard;
using namespace sipyard::test;
using Catch::Matchers::StartsWith;

namespace {

const std::string list_document =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<resource-lists xmlns=\"urn:ietf:params:xml:ns:resource-lists\">\n"
    " <list name=\"family\">\n"
    "  <entry uri=\"sip:ann@example.com\"><display-name>Ann</display-name></entry>\n"
    "  <!-- keep -->\n"
    " </list>\n"
    "</resource-lists>\n";
const std::string type = "Content-Type: application/resource-lists+xml\r\n";
const std::string root = "/xcap-root/resource-lists/users/";
const std::string index_path = root + "sip:101@127.0.0.1/index";

struct ManualServer {
    TempDir folder;
    std::string database = folder.file("xcap.db");
    RunningServer server;
    explicit ManualServer(std::map<std::string, std::string> more = {})
        : server{"etc/xcap_server.cfg", options(std::move(more))}
    {
    }
    RunningServer::Options options(std::map<std::string, std::string> defines)
    {
        defines.emplace("DBURL", "\"sqlite://" + database + "\"");
        RunningServer::Options options;
        options.defines = std::move(defines);
        return options;
    }
    std::uint16_t port() const { return server.port(); }
};

} // namespace

SCENARIO("the sample of the manual works as the manual says", "[xcap_server]")
{
    ManualServer manual;
    INFO(manual.server.log());

    const HttpAnswer created = http(manual.port(), "PUT", index_path, type, list_document);
    CHECK(created.status == 201);
    CHECK(created.header("ETag").size() > 2);
    CHECK(sqlite(manual.database, "select username, domain, doc_type, source, port from xcap") ==
          "101|127.0.0.1|4|0|0\n");

    const HttpAnswer got = http(manual.port(), "GET", index_path);
    CHECK(got.status == 200);
    CHECK(got.body == list_document);
    CHECK(got.header("Content-Type") == "application/resource-lists+xml");
    CHECK(got.header("ETag") == created.header("ETag"));

    CHECK(http(manual.port(), "DELETE", index_path).status == 200);
    CHECK(http(manual.port(), "GET", index_path).status == 404);
    CHECK(sqlite(manual.database, "select count(*) from xcap") == "0\n");

    // The script decides what becomes of everything else.
    TcpClient browser{manual.port()};
    const HttpAnswer page = http(browser, "GET", "/");
    CHECK(page.status == 200);
    CHECK(page.header("Content-Type") == "text/html");
    CHECK_THAT(page.body, StartsWith("<html><body>OK: 127.0.0.1:"));
    CHECK(page.head.find("Via") == std::string::npos); // nothing of SIP is to be seen
    CHECK(page.head.find("Sia") == std::string::npos);
    CHECK(page.head.find("CSeq") == std::string::npos);
    const HttpAnswer posted = http(browser, "POST", index_path, type, list_document);
    CHECK(posted.status == 200);
    CHECK(posted.header("Content-Type") == "text/html");
}

SCENARIO("with WITH_XHTTPAUTH the sample asks who is there", "[xcap_server]")
{
    ManualServer manual{{{"WITH_XHTTPAUTH", ""}}};
    manual.server.rpc("subscriber.add", R"(["101@xcap","secret"])");
    const std::string url = "http://127.0.0.1:" + std::to_string(manual.port());
    const std::string path = manual.folder.write("list.xml", list_document);
    const auto curl = [&](std::vector<std::string> more, const std::string& target) {
        std::vector<std::string> command = {
            "curl", "-sS", "-m", "20", "-o", manual.folder.file("body"), "-w", "%{http_code}"};
        command.insert(command.end(), more.begin(), more.end());
        command.push_back(url + target);
        return run_program(command).output;
    };
    const std::vector<std::string> put = {
        "-X", "PUT", "-H", "Content-Type: application/resource-lists+xml", "--data-binary", "@" + path};
    const auto as = [](const char* who, std::vector<std::string> more = {}) {
        more.insert(more.begin(), {"--digest", "-u", who});
        return more;
    };
    CHECK(curl({}, "/") == "401"); // here even the page is behind the lock
    CHECK(curl(put, index_path) == "401");
    CHECK(curl(as("101:wrong"), index_path) == "401");
    CHECK(curl(as("101:secret", put), index_path) == "201");
    CHECK(curl(as("101:secret"), index_path) == "200");
    CHECK(curl(as("101:secret", {"-X", "DELETE"}), index_path) == "200");
    CHECK(curl(as("101:secret"), index_path) == "404");
    CHECK(curl(as("101:secret"), "/") == "200");

    // The body of an unauthenticated PUT is read and dropped: the connection stays good.
    TcpClient client{manual.port()};
    CHECK(http(client, "PUT", index_path, type, list_document).status == 401);
    const HttpAnswer again = http(client, "GET", index_path);
    CHECK(again.status == 401);
    CHECK_THAT(again.header("WWW-Authenticate"), StartsWith("Digest realm=\"xcap\""));
}

SCENARIO("documents over real HTTP, as the test matrix has them", "[xcap_server]")
{
    ManualServer manual;
    TcpClient client{manual.port()};
    const auto put = [&](std::string_view headers, std::string_view body) {
        return http(client, "PUT", index_path, headers, body);
    };
    const auto stored = [&] { return http(client, "GET", index_path); };
    REQUIRE(put(type, list_document).status == 201);

    GIVEN("a stored document")
    {
        const HttpAnswer before = stored();
        THEN("a second PUT replaces it and gives it another tag")
        {
            const HttpAnswer again = put(type, list_document);
            CHECK(again.status == 200);
            CHECK(again.header("ETag") != before.header("ETag"));
        }
        THEN("what cannot be stored is refused and changes nothing")
        {
            const struct {
                const char* story;
                std::string headers, body;
                int expected;
                std::string in_body;
            } rows[] = {
                {"the type of a text", "Content-Type: text/plain\r\n", list_document, 415, ""},
                {"no type at all", "", list_document, 415, ""},
                {"tags that cross", type, "<a><b></a>", 409, "not-well-formed"},
                {"nothing", type, "", 409, "not-well-formed"},
                {"another encoding", type, "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><resource-lists/>",
                 409, "not-utf-8"},
                {"another root", type, "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"sip:x@y\"/>",
                 409, "schema-validation-error"},
                {"a DOCTYPE", type,
                 "<!DOCTYPE a SYSTEM \"http://127.0.0.1:1/x\"><resource-lists "
                 "xmlns=\"urn:ietf:params:xml:ns:resource-lists\"/>",
                 409, "not-well-formed"},
            };
            for (const auto& row : rows) {
                INFO(row.story);
                const HttpAnswer answer = put(row.headers, row.body);
                CHECK(answer.status == row.expected);
                INFO(answer.body);
                CHECK(answer.body.find(row.in_body) != std::string::npos);
                CHECK(stored().header("ETag") == before.header("ETag"));
            }
        }
        THEN("a type with parameters and in capitals is the same type")
        {
            CHECK(put("Content-Type: Application/Resource-Lists+XML;charset=\"utf-8\"\r\n", list_document)
                      .status == 200);
        }
        THEN("a body beyond the limit gets 413 and the reply can be read")
        {
            std::string large = list_document;
            large.insert(large.find("<!-- keep -->"), "<!--" + std::string(2 * 1024 * 1024, 'x') + "-->");
            TcpClient sender{manual.port()};
            std::thread writer{[&] {
                sender.send("PUT " + index_path + " HTTP/1.1\r\nHost: x\r\n" + type +
                            "Content-Length: " + std::to_string(large.size()) + "\r\n\r\n" + large);
            }};
            CHECK(read_answer(sender).status == 413);
            sender.shutdown_writing();
            writer.join();
            CHECK(stored().header("ETag") == before.header("ETag"));
        }
        THEN("a body in chunks is a body")
        {
            TcpClient chunks{manual.port()};
            chunks.send("PUT " + index_path + " HTTP/1.1\r\nHost: x\r\n" + type +
                        "Transfer-Encoding: chunked\r\n\r\n");
            const std::size_t third = list_document.size() / 3;
            for (int i = 0; i < 3; ++i) {
                const std::string piece = list_document.substr(third * static_cast<std::size_t>(i),
                                                               i == 2 ? std::string::npos : third);
                char size[32];
                std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
                chunks.send(size + piece + "\r\n");
            }
            chunks.send("0\r\n\r\n");
            CHECK(read_answer(chunks).status == 200);
            CHECK(stored().body == list_document);
        }
        THEN("a careful client gets 100 Continue before it sends its body")
        {
            TcpClient careful{manual.port()};
            careful.send("PUT " + index_path + " HTTP/1.1\r\nHost: x\r\n" + type +
                         "Expect: 100-continue\r\nContent-Length: " + std::to_string(list_document.size()) +
                         "\r\n\r\n");
            CHECK_THAT(careful.read_message(), StartsWith("HTTP/1.1 100 Continue"));
            careful.send(list_document);
            CHECK(read_answer(careful).status == 200);
        }
        THEN("names nobody serves do not exist")
        {
            for (const std::string& target :
                 std::vector<std::string>{"/xcap-root/nosuch/users/sip:101@127.0.0.1/index",
                                          "/xcap-root/resource-lists/user/x/index",
                                          "/xcap-root/resource-lists/users/x", "/xcap-root/"}) {
                INFO(target);
                CHECK(http(client, "GET", target).status == 404);
            }
        }
        THEN("absent documents are not found")
        {
            CHECK(http(client, "GET", root + "sip:101@127.0.0.1/other").status == 404);
            CHECK(http(client, "DELETE", root + "sip:101@127.0.0.1/other").status == 404);
        }
        THEN("conditions are kept")
        {
            const std::string tag = stored().header("ETag");
            const std::string other = root + "sip:101@127.0.0.1/fresh";
            const struct {
                const char* story;
                const char* method;
                std::string target, condition;
                int expected;
            } rows[] = {
                {"the reader has it", "GET", index_path, "If-None-Match: " + tag, 304},
                {"it is one of those the reader has", "GET", index_path, "If-None-Match: \"a\", " + tag, 304},
                {"the reader compares weakly", "GET", index_path, "If-None-Match: W/" + tag, 304},
                {"the reader has something", "GET", index_path, "If-None-Match: *", 304},
                {"the reader has something else", "GET", index_path, "If-None-Match: \"else\"", 200},
                {"read this one only", "GET", index_path, "If-Match: " + tag, 200},
                {"read any", "GET", index_path, "If-Match: *", 200},
                {"read another one only", "GET", index_path, "If-Match: \"else\"", 412},
                {"a stale writer", "PUT", index_path, "If-Match: \"stale\"", 412},
                {"weak tags match no writer", "PUT", index_path, "If-Match: W/" + tag, 412},
                {"replace what is not there", "PUT", other, "If-Match: *", 412},
                {"create what is there", "PUT", index_path, "If-None-Match: *", 412},
                {"create", "PUT", other, "If-None-Match: *", 201},
                {"delete a stale one", "DELETE", index_path, "If-Match: \"stale\"", 412},
                {"the right writer", "PUT", index_path, "If-Match: " + tag, 200},
                {"the same writer again", "PUT", index_path, "If-Match: " + tag, 412},
            };
            for (const auto& row : rows) {
                INFO(row.story);
                const bool writes = std::string_view{row.method} == "PUT";
                const HttpAnswer answer =
                    http(client, row.method, row.target, row.condition + "\r\n" + (writes ? type : ""),
                         writes ? list_document : std::string{});
                CHECK(answer.status == row.expected);
                if (answer.status == 304)
                    CHECK(answer.header("ETag") == tag);
            }
        }
    }
}

SCENARIO("HTTP and SIP share a port", "[xhttp]")
{
    ManualServer manual;
    const std::string uri = "sip:127.0.0.1";
    REQUIRE(http(manual.port(), "PUT", index_path, type, list_document).status == 201);

    WHEN("clients of both kinds talk in turn")
    {
        TcpClient web{manual.port()}, phone{manual.port()};
        for (int i = 0; i < scaled(200, 50); ++i) {
            phone.send(sip_request("OPTIONS", uri, "turn-" + std::to_string(i), 1, {}, "TCP"));
            const HttpAnswer answer = http(web, "GET", index_path);
            REQUIRE(answer.status == 200);
            REQUIRE(answer.body == list_document);
            REQUIRE_THAT(phone.read_message(), StartsWith("SIP/2.0 405 Method Not Allowed"));
        }
        THEN("both have their counters")
        {
            CHECK(manual.server.counted("core.rcv_requests") == scaled(200, 50));
            CHECK(manual.server.counted("xhttp.requests") == scaled(200, 50) + 1);
        }
    }
    WHEN("requests come pipelined, and in pieces of one byte")
    {
        TcpClient web{manual.port()};
        const std::string get = "GET " + index_path + " HTTP/1.1\r\nHost: x\r\n\r\n";
        web.send(get + get + get);
        for (int i = 0; i < 3; ++i)
            CHECK(read_answer(web).body == list_document);
        for (const char c : get)
            web.send({&c, 1});
        CHECK(read_answer(web).body == list_document);
    }
    WHEN("many clients keep their connections")
    {
        std::vector<std::unique_ptr<TcpClient>> clients;
        for (int i = 0; i < scaled(500, 60); ++i)
            clients.push_back(std::make_unique<TcpClient>(manual.port()));
        for (int round = 0; round < 3; ++round) {
            for (const auto& client : clients)
                client->send("GET " + index_path + " HTTP/1.1\r\nHost: x\r\n\r\n");
            for (const auto& client : clients)
                REQUIRE(read_answer(*client).status == 200);
        }
        THEN("they are all there, and gone when they hang up")
        {
            CHECK(manual.server.counted("net.tcp_open") == scaled(500, 60));
            clients.clear();
            CHECK(wait_until([&] { return manual.server.counted("net.tcp_open") == 0; }));
        }
    }
    WHEN("the client is of another age")
    {
        TcpClient old{manual.port()};
        old.send("GET / HTTP/1.0\r\n\r\n");
        CHECK(read_answer(old).status == 200);
        CHECK(old.closed_by_peer());
        TcpClient last{manual.port()};
        last.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        CHECK(read_answer(last).status == 200);
        CHECK(last.closed_by_peer());
        // HEAD is for the script, and this one has no case for it: the page's head without the page
        const HttpAnswer head = http(manual.port(), "HEAD", index_path);
        CHECK(head.status == 200);
        CHECK(head.body.empty());
    }
}

SCENARIO("xcaps_handle does everything by itself", "[xcap_server]")
{
    TempDir folder;
    const std::string config = folder.write(
        "minimal.cfg", "listen=tcp:127.0.0.1:PORT\ntcp_accept_no_cl=yes\nauto_aliases=no\n"
                       "loadmodule \"db_sqlite.so\"\nloadmodule \"sl.so\"\nloadmodule \"xhttp.so\"\n"
                       "loadmodule \"xcap_server.so\"\n"
                       "modparam(\"xcap_server\", \"db_url\", \"sqlite://" +
                           folder.file("x.db") +
                           "\")\n"
                           "request_route { sl_send_reply(\"405\", \"Method Not Allowed\"); }\n"
                           "event_route[xhttp:request] { xcaps_handle(); }\n");
    RunningServer server{config};
    TcpClient client{server.port()};
    REQUIRE(http(client, "PUT", index_path, type, list_document).status == 201);
    const HttpAnswer got = http(client, "GET", index_path), head = http(client, "HEAD", index_path);
    CHECK(head.status == 200);
    CHECK(head.header("Content-Length") == std::to_string(list_document.size()));
    CHECK(head.header("ETag") == got.header("ETag"));
    CHECK(head.body.empty());
    const HttpAnswer posted = http(client, "POST", index_path, type, list_document);
    CHECK(posted.status == 405);
    CHECK(posted.header("Allow") == "GET, HEAD, PUT, DELETE");
    CHECK(http(client, "GET", "/xcap-root/xcap-caps/global/index").status == 200);
    CHECK(http(client, "GET", "/xcap-root/xcap-caps/global/index").body.find("resource-lists") !=
          std::string::npos);
    CHECK(http(client, "GET", root + std::string(9000, 'x') + "/index").status == 414);
}
