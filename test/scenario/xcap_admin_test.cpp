// test/scenario/xcap_admin_test.cpp - etc/xcap_admin.cfg in a real browser
#include "test/support/catch.h"
#include "test/support/running_server.h"

#include <cstdlib>
#include <fstream>
#include <iterator>

using namespace sipyard;
using namespace sipyard::test;

namespace {

RunningServer::Options options(const TempDir& folder)
{
    RunningServer::Options options;
    options.defines = {{"DBURL", "\"sqlite://" + folder.file("xcap.db") + "\""}};
    return options;
}

} // namespace

SCENARIO("a person edits lists and rules in a browser", "[xcap_admin]")
{
    const TempDir folder;
    RunningServer server{"etc/xcap_admin.cfg", options(folder)};
    server.rpc("subscriber.add", R"(["alice@127.0.0.1","wonderland"])");
    server.rpc("subscriber.add", R"(["bob@127.0.0.1","builder"])");

    // PICTURES takes the pictures of doc/xcap_admin.md anew.
    std::vector<std::string> command = {"python3", "test/browser/xcap_admin.py",
                                        std::to_string(server.port())};
    if (const char* const pictures = std::getenv("PICTURES"))
        command.emplace_back(pictures);
    const std::string said = folder.file("said");
    Program browser{command, said};
    const int status = browser.wait(130'000);
    std::ifstream in{said};
    INFO(std::string(std::istreambuf_iterator<char>{in}, {}));
    INFO(server.log());
    CHECK(status == 0);

    // What the browser has left in the table, seen without it.
    const std::string stored =
        server.rpc("xcap.get", R"(["/xcap-root/resource-lists/users/sip:alice@127.0.0.1/index"])");
    CHECK(stored.find("Carl the second") != std::string::npos);
    CHECK(stored.find("sip:dora@example.com") != std::string::npos);
    CHECK(server.stop());
}

SCENARIO("the page is for everybody, documents are for their owner", "[xcap_admin]")
{
    const TempDir folder;
    RunningServer server{"etc/xcap_admin.cfg", options(folder)};
    const struct {
        const char* story;
        const char* target;
        int status;
        const char* has; // in head or body
    } rows[] = {
        {"the page", "/xcap-admin/", 200, "Content-Security-Policy: default-src 'self'"},
        {"its program", "/xcap-admin/app.js", 200, "text/javascript"},
        {"its picture", "/xcap-admin/icon.svg", 200, "image/svg+xml"},
        {"the way to it", "/", 302, "Location: /xcap-admin/"},
        {"without its slash", "/xcap-admin", 302, "Location: /xcap-admin/"},
        {"who one is", "/xcap-admin/whoami", 401, "WWW-Authenticate: Digest"},
        {"documents", "/xcap-root/resource-lists/users/sip:alice@127.0.0.1/index", 401,
         "WWW-Authenticate: Digest"},
        {"signing out, first without a name", "/xcap-admin/sign-out", 401, "WWW-Authenticate: Digest"},
        {"the lesson beside the page", "/xcap-admin/../xcap_admin.cfg", 404, ""},
        {"the same, escaped", "/xcap-admin/%2e%2e/xcap_admin.cfg", 404, ""},
        {"anything else", "/favicon.ico", 404, ""},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const auto answer = http(server.port(), "GET", row.target);
        CHECK(answer.status == row.status);
        CHECK((answer.head + answer.body).find(row.has) != std::string::npos);
    }
    const auto page = http(server.port(), "GET", "/xcap-admin/");
    const auto again =
        http(server.port(), "GET", "/xcap-admin/", "If-None-Match: " + page.header("ETag") + "\r\n");
    CHECK(again.status == 304);
    // Nothing in the page comes from elsewhere, and no script stands in it.
    CHECK(page.body.find("http") == std::string::npos);
    CHECK(page.body.find("<script type=\"module\" src=\"app.js\"></script>") != std::string::npos);
    CHECK(page.body.find("onclick") == std::string::npos);
    CHECK(server.stop());
}
