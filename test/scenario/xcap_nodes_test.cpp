// test/scenario/xcap_nodes_test.cpp - etc/xcap.cfg: elements and attributes of documents over HTTP and HTTPS,
// with digest
#include "core/base/text.h"
#include "test/support/catch.h"
#include "test/support/running_server.h"

#include <fstream>
#include <iterator>

using namespace sipyard;
using namespace sipyard::test;

namespace {

const std::string ben = "<entry uri=\"sip:ben@example.com\"/>";
const std::string dd = "<entry uri=\"sip:dd@example.com\"/>";
const std::string front = "<resource-lists xmlns=\"urn:ietf:params:xml:ns:resource-lists\">\n"
                          " <list name=\"family\">\n"
                          "  <entry uri=\"sip:ann@example.com\"><display-name>Ann</display-name></entry>\n  ";
const std::string back =
    "\n  <!-- keep -->\n  <list name=\"inner\"/>\n </list>\n"
    " <list name=\"office\"><entry uri=\"sip:cc@example.com\"/></list>\n</resource-lists>";
const std::string document = front + ben + back;

struct XcapServer {
    TempDir folder;
    std::uint16_t tls_port = free_port();
    RunningServer server;

    XcapServer() : server{"etc/xcap.cfg", options()}
    {
        server.rpc("subscriber.add", R"(["alice@127.0.0.1","secret"])");
        server.rpc("subscriber.add", R"(["bob@127.0.0.1","builder"])");
    }
    RunningServer::Options options()
    {
        make_certificate(folder);
        RunningServer::Options options;
        options.defines = {{"DBURL", "\"sqlite://" + folder.file("xcap.db") + "\""},
                           {"TLS_PORT", std::to_string(tls_port)},
                           {"CERTIFICATE", "\"" + folder.file("cert.pem") + "\""},
                           {"PRIVATE_KEY", "\"" + folder.file("key.pem") + "\""}};
        return options;
    }
    std::string url(const std::string& scheme) const
    {
        return scheme + "://127.0.0.1:" + std::to_string(scheme == "https" ? tls_port : server.port());
    }

    struct Seen {
        int status = 0;
        std::string body;
        HttpAnswer answer; // head of the last reply
    };
    struct Asked {
        std::string scheme, method, target, body = {}, type = {}, condition = {}, user = "alice:secret";
    };
    Seen ask(const Asked& asked)
    {
        folder.write("sent", asked.body);
        folder.write("got", "");
        std::vector<std::string> command = {"curl",
                                            "-sS",
                                            "-g",
                                            "--digest",
                                            "-u",
                                            asked.user,
                                            "--cacert",
                                            folder.file("cert.pem"),
                                            "-m",
                                            "20",
                                            "-o",
                                            folder.file("got"),
                                            "-D",
                                            folder.file("head"),
                                            "-w",
                                            "%{http_code}",
                                            asked.method == "HEAD" ? "-I" : "-X"};
        if (asked.method != "HEAD")
            command.push_back(asked.method);
        if (!asked.type.empty())
            command.insert(command.end(),
                           {"-H", "Content-Type: " + asked.type, "--data-binary", "@" + folder.file("sent")});
        if (!asked.condition.empty())
            command.insert(command.end(), {"-H", asked.condition});
        command.push_back(url(asked.scheme) + asked.target);
        const Ran ran = run_program(command);
        INFO(ran.output);
        CHECK(ran.status == 0);
        Seen seen;
        seen.status = std::atoi(ran.output.c_str());
        seen.body = read("got");
        seen.answer.head = read("head");
        // Of the exchange with the challenge only the last reply counts.
        seen.answer.head.erase(0, seen.answer.head.rfind("HTTP/1.1 "));
        return seen;
    }
    std::string read(const char* name)
    {
        std::ifstream in{folder.file(name), std::ios::binary};
        return {std::istreambuf_iterator<char>{in}, {}};
    }
};

const std::string index_path = "/xcap-root/resource-lists/users/sip:alice@127.0.0.1/index";
const std::string family = index_path + "/~~/resource-lists/list%5B@name=%22family%22%5D";
const std::string lists = "application/resource-lists+xml", element = "application/xcap-el+xml",
                  attribute = "application/xcap-att+xml";

} // namespace

SCENARIO("nodes of a document over HTTP and HTTPS", "[xcap_nodes]")
{
    XcapServer xcap;
    INFO(xcap.server.log());
    for (const std::string& scheme : std::vector<std::string>{"http", "https"}) {
        INFO(scheme);
        const auto stored = [&] { return xcap.ask({scheme, "GET", index_path}); };
        xcap.ask({scheme, "PUT", index_path, document, lists});
        REQUIRE(stored().body == document);

        const std::string entry = family + "/entry%5B@uri=%22sip:dd@example.com%22%5D";
        const struct {
            const char* story; // with its number in the matrix
            const char* method;
            std::string target, body, type;
            int expected;
            std::string in_body, type_of_reply;
        } rows[] = {
            {"30: an element", "GET", family + "/entry%5B2%5D", "", "", 200, ben, element},
            {"30: an attribute", "GET", family + "/*%5B3%5D/@name", "", "", 200, "inner", attribute},
            {"31: two", "GET", family + "/entry", "", "", 404, "", "text/plain"},
            {"36: a bound prefix", "GET",
             index_path +
                 "/~~/x:resource-lists/x:list%5B2%5D/x:entry?xmlns(x=urn:ietf:params:xml:ns:resource-lists)",
             "", "", 200, "<entry uri=\"sip:cc@example.com\"/>", element},
            {"35: an unbound one", "GET", index_path + "/~~/x:resource-lists", "", "", 400, "", "text/plain"},
            {"42: bindings", "GET", family + "/namespace::*", "", "", 200,
             "<list xmlns=\"urn:ietf:params:xml:ns:resource-lists\"/>", "application/xcap-ns+xml"},
            {"83: raw quotes and brackets", "GET",
             index_path + "/~~/resource-lists/list[@name=\"office\"]/@name", "", "", 200, "office",
             attribute},
            {"43: bindings cannot be written", "PUT", family + "/namespace::*", "<a/>", element, 405, "",
             "text/plain"},
            {"47: no such place", "PUT", family + "/entry%5B7%5D", dd, element, 409, "cannot-insert",
             "application/xcap-error+xml"},
            {"50: no parent", "PUT", index_path + "/~~/resource-lists/list%5B9%5D/entry", dd, element, 409,
             "<ancestor>" + xcap.url(scheme) + index_path + "/~~/resource-lists</ancestor>",
             "application/xcap-error+xml"},
            {"53: another type", "PUT", entry, dd, lists, 415, "", "text/plain"},
            {"54: two elements", "PUT", entry, dd + dd, element, 409, "not-xml-frag",
             "application/xcap-error+xml"},
            {"56: not of the schema", "PUT", family + "/entry%5B2%5D",
             "<entry uri=\"sip:b@c\"><bogus/></entry>", element, 409, "schema-validation-error",
             "application/xcap-error+xml"},
            {"55: twice the same uri", "PUT", family + "/entry%5B2%5D",
             "<entry uri=\"sip:ann@example.com\"/>", element, 409, "uniqueness-failure",
             "application/xcap-error+xml"},
            {"60: the next one would be meant", "DELETE", family + "/entry%5B1%5D", "", "", 409,
             "cannot-delete", "application/xcap-error+xml"},
            {"63: the root", "DELETE", index_path + "/~~/resource-lists", "", "", 409, "cannot-delete",
             "application/xcap-error+xml"},
            {"66: no value", "PUT", family + "/@name", "a<b", attribute, 409, "not-xml-att-value",
             "application/xcap-error+xml"},
            {"84: a bad escape", "GET", family + "/%zz", "", "", 400, "", "text/plain"},
        };
        for (const auto& row : rows) {
            INFO(row.story);
            const auto seen = xcap.ask({scheme, row.method, row.target, row.body, row.type});
            INFO(seen.body);
            CHECK(seen.status == row.expected);
            CHECK(seen.body.find(row.in_body) != std::string::npos);
            CHECK(seen.answer.header("Content-Type") == row.type_of_reply);
            if (row.expected == 200)
                CHECK(seen.body == row.in_body);
            if (row.expected == 405)
                CHECK(seen.answer.header("Allow") == "GET, HEAD");
        }
        const auto before = stored();
        CHECK(before.body == document); // all that was refused changed nothing

        // 44, 45, 75: put, put again, with conditions.
        const std::string tag = before.answer.header("ETag");
        CHECK(xcap.ask({scheme, "PUT", entry, dd, element, "If-Match: \"stale\""}).status == 412);
        CHECK(xcap.ask({scheme, "PUT", entry, dd, element, "If-None-Match: *"}).status == 412);
        const auto created = xcap.ask({scheme, "PUT", entry, dd, element, "If-Match: " + tag});
        CHECK(created.status == 201);
        CHECK(created.answer.header("ETag") != tag);
        CHECK(stored().body == front + ben + dd + back);
        CHECK(xcap.ask({scheme, "PUT", entry, dd, element}).status == 200);
        CHECK(stored().body == front + ben + dd + back);
        // 4, 71: HEAD and 304 of a node.
        const auto head = xcap.ask({scheme, "HEAD", entry});
        CHECK(head.status == 200);
        CHECK(head.answer.header("Content-Length") == std::to_string(dd.size()));
        CHECK(head.answer.header("ETag") == stored().answer.header("ETag"));
        CHECK(xcap.ask({scheme, "GET", entry, "", "", "If-None-Match: " + stored().answer.header("ETag")})
                  .status == 304);
        // 59, 65: away again, and an attribute there and back.
        CHECK(xcap.ask({scheme, "DELETE", entry}).status == 200);
        CHECK(xcap.ask({scheme, "GET", entry}).status == 404);
        const std::string office = index_path + "/~~/resource-lists/list%5B2%5D/@name";
        CHECK(xcap.ask({scheme, "PUT", office, "a&amp;b", attribute}).status == 200);
        CHECK(xcap.ask({scheme, "GET", office}).body == "a&amp;b");
        CHECK(xcap.ask({scheme, "PUT", office, "office", attribute}).status == 200);
        CHECK(stored().body == document);
        // 82: a node is as private as its document.
        CHECK(xcap.ask({scheme, "GET", entry, "", "", "", "bob:builder"}).status == 403);
        CHECK(xcap.ask({scheme, "DELETE", family, "", "", "", "bob:builder"}).status == 403);
        CHECK(xcap.ask({scheme, "GET", family, "", "", "", "alice:wrong"}).status == 401);
        CHECK(stored().body == document);
    }
    // What is in the database is the text, byte by byte.
    CHECK(sqlite(xcap.folder.file("xcap.db"), "select cast(doc as text) from xcap") == document + "\n");
}
