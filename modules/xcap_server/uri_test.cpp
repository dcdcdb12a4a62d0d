// modules/xcap_server/uri_test.cpp - which targets name which documents
#include "modules/xcap_server/uri.h"

#include "test/support/catch.h"

using namespace sipyard;
using namespace sipyard::xcap_server;

namespace {

const std::string alice_index = "/xcap-root/resource-lists/users/sip:alice@example.com/index";

} // namespace

TEST_CASE("a target names one document", "[xcap_server]")
{
    const struct {
        const char* story;
        std::string target, doc_uri, file, node;
    } rows[] = {
        {"as the RFC writes it", alice_index, alice_index, "index", ""},
        {"the XUI without a scheme", "/xcap-root/resource-lists/users/alice@example.com/index", alice_index,
         "index", ""},
        {"the XUI encoded", "/xcap-root/resource-lists/users/sip%3Aalice%40example.com/index", alice_index,
         "index", ""},
        {"a letter encoded", "/xcap-root/resource-lists/users/sip:%61lice@example.com/index", alice_index,
         "index", ""},
        {"the host in capitals", "/xcap-root/resource-lists/users/SIP:alice@EXAMPLE.com/index", alice_index,
         "index", ""},
        {"a trailing slash", alice_index + "/", alice_index, "index", ""},
        {"a query without node", alice_index + "?foo=bar", alice_index, "index", ""},
        {"a directory", "/xcap-root/resource-lists/users/sip:alice@example.com/a/b%20c/index",
         "/xcap-root/resource-lists/users/sip:alice@example.com/a/b c/index", "a/b c/index", ""},
        {"the user part keeps its letters", "/xcap-root/pres-rules/users/Alice@example.com/index",
         "/xcap-root/pres-rules/users/sip:Alice@example.com/index", "index", ""},
        {"URI parameters stay", "/xcap-root/pres-rules/users/sip:a@H;user=Phone/index",
         "/xcap-root/pres-rules/users/sip:a@h;user=Phone/index", "index", ""},
        {"sips and tel stay as they are", "/xcap-root/pres-rules/users/tel:+49-30-1/index",
         "/xcap-root/pres-rules/users/tel:+49-30-1/index", "index", ""},
        {"a name alone gets the default domain", "/xcap-root/pres-rules/users/alice/index",
         "/xcap-root/pres-rules/users/sip:alice@home.example/index", "index", ""},
        {"the global tree", "/xcap-root/xcap-caps/global/index", "/xcap-root/xcap-caps/global/index", "index",
         ""},
        {"quotes in a document's name", "/xcap-root/pres-rules/users/sip:a@b/xs-a';",
         "/xcap-root/pres-rules/users/sip:a@b/xs-a';", "xs-a';", ""},
        {"with a node", alice_index + "/~~/resource-lists/list[1]", alice_index, "index",
         "resource-lists/list[1]"},
        {"without the slash behind the tildes", alice_index + "/~~resource-lists/list", alice_index, "index",
         "resource-lists/list"},
        {"an encoded separator is a name", alice_index + "/%7E%7E", alice_index + "/~~", "index/~~", ""},
        {"tildes later belong to the node", alice_index + "/~~/list[@name='~~']/~~", alice_index, "index",
         "list[@name='~~']/~~"},
        {"an empty node", alice_index + "/~~", alice_index, "index", ""},
    };
    for (const auto& row : rows) {
        INFO(row.story << ": " << row.target);
        Arena arena;
        XcapUri uri;
        const auto refusal = read(row.target, {"/xcap-root/", true, "home.example"}, arena, uri);
        INFO(refusal.reason);
        REQUIRE(refusal.code == 0);
        CHECK(uri.doc_uri == row.doc_uri);
        CHECK(uri.file == row.file);
        CHECK(uri.node == row.node);
    }
}

TEST_CASE("a target that names nothing is refused", "[xcap_server]")
{
    const std::string users = "/xcap-root/resource-lists/users/";
    const struct {
        const char* story;
        std::string target;
        int code;
    } rows[] = {
        {"outside the root", "/other/resource-lists/users/a@b/index", 404},
        {"nothing", "", 404},
        {"the root", "/xcap-root/", 404},
        {"the root without its slash", "/xcap-root", 404},
        {"another tree", "/xcap-root/resource-lists/user/x/index", 404},
        {"no document", users + "x", 404},
        {"no document but a slash", users + "x/", 404},
        {"no document but a node", users + "a@b/~~/x", 404},
        {"an empty segment", users + "a@b//index", 404},
        {"two trailing slashes", users + "a@b/index//", 404},
        {"an empty segment before the node", users + "a@b/index//~~/x", 404},
        {"parent directory", users + "a@b/../index", 400},
        {"parent directory, encoded", users + "a@b/%2e%2E/index", 400},
        {"this directory", users + "a@b/./index", 400},
        {"no hex digits", users + "a@b/%zz", 400},
        {"half an escape", users + "a@b/%4", 400},
        {"an escape at the end", users + "a@b/x%", 400},
        {"a zero byte", users + "a@b/%00", 400},
        {"a line end in a name", users + "a@b/x%0d%0aSet-Cookie:y", 400},
        {"a raw control character", users + "a@b/x\ty", 400},
        {"not UTF-8", users + "a@b/%ff", 400},
        {"an encoded slash in the XUI", users + "a%2Fb@c/index", 400},
        {"an encoded slash in a name", users + "a@b/x%2fy", 400},
        {"a fragment", users + "a@b/index#x", 400},
        {"too long", users + "a@b/" + std::string(9000, 'x'), 414},
    };
    for (const auto& row : rows) {
        INFO(row.story << ": " << row.target.substr(0, 200));
        Arena arena;
        XcapUri uri;
        CHECK(read(row.target, {}, arena, uri).code == row.code);
    }
}

TEST_CASE("the key of a table filled by another server", "[xcap_server]")
{
    Arena arena;
    XcapUri uri;
    REQUIRE(read("/xcap-root/pres-rules/users/alice@example.com/index", {}, arena, uri).code == 0);
    CHECK(uri.doc_uri == "/xcap-root/pres-rules/users/sip:alice@example.com/index");
    CHECK(uri.literal_uri == "/xcap-root/pres-rules/users/alice@example.com/index");
    REQUIRE(
        read("/xcap-root/pres-rules/users/alice@example.com/index", {"/xcap-root/", false, ""}, arena, uri)
            .code == 0);
    CHECK(uri.doc_uri == "/xcap-root/pres-rules/users/alice@example.com/index");
}

TEST_CASE("the root is compared with one slash at its end", "[xcap_server]")
{
    CHECK(root_of("/xcap-root") == "/xcap-root/");
    CHECK(root_of("/xcap-root//") == "/xcap-root/");
    CHECK(root_of("xcap") == "/xcap/");
    CHECK(root_of("/") == "/");
    CHECK(root_of("") == "/");
}
