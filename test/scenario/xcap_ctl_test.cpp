// test/scenario/xcap_ctl_test.cpp - sipyardctl xcap against a whole server: documents move to files and back
#include "test/support/catch.h"
#include "test/support/running_server.h"

#include <fstream>
#include <iterator>

using namespace sipyard;
using namespace sipyard::test;

namespace {

std::string bytes_of(const std::string& path)
{
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

const std::string index_uri = "/xcap-root/resource-lists/users/sip:alice@127.0.0.1/index";
const std::string list =
    "<?xml version='1.0'?>\r\n<resource-lists xmlns=\"urn:ietf:params:xml:ns:resource-lists\">\n"
    "\t<list name='friends'><!-- keep --><entry uri=\"sip:bob@example.com\"><display-name>B\u00f6b"
    "</display-name></entry></list>\n</resource-lists>\n";

struct Yard {
    TempDir folder;
    RunningServer server;
    Yard() : server{"etc/quickstart.cfg", options()} {}
    RunningServer::Options options() const
    {
        RunningServer::Options options;
        options.defines = {{"DBURL", "\"sqlite://" + folder.file("xcap.db") + "\""}};
        return options;
    }
    Ran ctl(std::vector<std::string> words) const
    {
        std::vector<std::string> command = {build_folder() + "/sipyardctl", "-s", server.rpc_path(), "xcap"};
        command.insert(command.end(), words.begin(), words.end());
        return run_program(command);
    }
};

} // namespace

SCENARIO("an administrator keeps documents from the command line", "[xcap_ctl]")
{
    Yard yard;
    const std::string file = yard.folder.write("list.xml", list);
    Ran ran = yard.ctl({"put", index_uri, file});
    INFO(ran.output);
    REQUIRE(ran.status == 0);
    CHECK(yard.ctl({"show", index_uri}).output == list);
    CHECK(yard.ctl({"list", "alice@127.0.0.1"}).output.find(index_uri) != std::string::npos);
    CHECK(yard.ctl({"list"}).output.find(index_uri) != std::string::npos);
    CHECK(yard.ctl({"list", "bob@127.0.0.1"}).output == "(none)\n");

    CHECK(yard.ctl({"put", index_uri, file, "--if-match", "stale"}).status == 1);
    CHECK(yard.ctl({"put", index_uri, file, "--if-match", "*"}).status == 0);
    const std::string broken = yard.folder.write("broken.xml", "<resource-lists>");
    ran = yard.ctl({"put", index_uri, broken});
    CHECK(ran.status == 1);
    CHECK(ran.output.find("not-well-formed") != std::string::npos);
    CHECK(yard.ctl({"show", index_uri}).output == list); // untouched

    CHECK(yard.ctl({"validate", file}).status == 0);
    CHECK(yard.ctl({"validate", "resource-lists", file}).status == 0);
    CHECK(yard.ctl({"validate", "pres-rules", file}).status == 1);
    CHECK(yard.ctl({"validate", broken}).status == 1);

    CHECK(yard.ctl({"delete", index_uri}).status == 0);
    ran = yard.ctl({"show", index_uri});
    CHECK(ran.status == 1);
    CHECK(ran.output.find("there is no document") != std::string::npos);
    CHECK(yard.server.stop());
}

SCENARIO("documents move to files and back without losing a byte", "[xcap_ctl]")
{
    Yard yard;
    const std::string tree = yard.folder.file("tree");
    const int users = scaled(40, 10);
    const std::string large = [] { // escaped in JSON it is larger than the largest document
        std::string text = list;
        text.insert(text.find("<!--") + 4, std::string(900'000, '"'));
        return text;
    }();
    const std::string large_uri = "/xcap-root/resource-lists/users/sip:large@127.0.0.1/<odd name> 100%";
    REQUIRE(yard.ctl({"put", large_uri, yard.folder.write("large.xml", large)}).status == 0);
    for (int i = 0; i < users; ++i) {
        const auto body =
            "[\"/xcap-root/resource-lists/users/sip:user" + std::to_string(i) +
            "@127.0.0.1/index\",\"<resource-lists xmlns='urn:ietf:params:xml:ns:resource-lists'/>\"]";
        REQUIRE(yard.server.rpc("xcap.put", body).find("etag") != std::string::npos);
    }
    Ran ran = yard.ctl({"export", tree});
    INFO(ran.output);
    REQUIRE(ran.status == 0);
    CHECK(ran.output.find("exported " + std::to_string(users + 1) + "\n") != std::string::npos);
    CHECK(bytes_of(tree + "/resource-lists/users/sip:large@127.0.0.1/%3Codd%20name%3E%20100%25") == large);

    Yard other; // a second server gets them all, and one file it refuses
    std::ofstream{tree + "/resource-lists/users/sip:user1@127.0.0.1/bad"} << "<no";
    ran = other.ctl({"import", tree});
    CHECK(ran.status == 1);
    CHECK(ran.output.find("failed: resource-lists/users/sip:user1@127.0.0.1/bad") != std::string::npos);
    CHECK(ran.output.find("imported " + std::to_string(users + 1) + " of " + std::to_string(users + 2) +
                          ", 1 failed\n") != std::string::npos);
    CHECK(other.ctl({"show", large_uri}).output == large);
    const std::string back = other.folder.file("back");
    CHECK(other.ctl({"export", back}).status == 0);
    CHECK(run_program({"rm", tree + "/resource-lists/users/sip:user1@127.0.0.1/bad"}).status == 0);
    CHECK(run_program({"diff", "-r", tree, back}).output.empty());
    CHECK(yard.server.stop());
    CHECK(other.server.stop());
}
