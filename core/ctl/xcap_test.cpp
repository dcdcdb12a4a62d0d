// core/ctl/xcap_test.cpp - sipyardctl xcap against a server of a few lines
#include "core/base/format.h"
#include "core/ctl/document_path.h"
#include "core/ctl/files.h"
#include "core/ctl/xcap_command.h"
#include "test/support/catch.h"
#include "test/support/running_server.h"

#include <filesystem>
#include <map>

using namespace sipyard;
using namespace sipyard::ctl;

namespace {

// Keeps documents as the server's commands do, in the order of their keys.
struct Fake {
    std::map<std::string, std::string> documents;
    std::vector<std::string> calls; // "method params"
    std::string out, err;
    bool terminal = false;

    Ask ask()
    {
        return [this](std::string_view method, json::Value params) { return answer(method, params); };
    }
    Result<json::Value> answer(std::string_view method, const json::Value& params)
    {
        const std::string doc_uri{params["doc_uri"].text()};
        calls.push_back(std::string{method} + " " + params.dump());
        if (method == "xcap.list")
            return page(params);
        if (method == "xcap.put") {
            if (doc_uri.find("refused") != std::string::npos)
                return Error{ErrorKind::other, "not-well-formed: no element"};
            documents[doc_uri] = params["doc"].text();
            return json::Value::object().set("etag", "t1");
        }
        if (method == "xcap.validate")
            return params["doc"].text() == "good"
                       ? Result<json::Value>{json::Value::object().set("valid", true)}
                       : Result<json::Value>{json::Value::object().set("valid", false).set("problem", "bad")};
        const auto found = documents.find(doc_uri);
        if (found == documents.end())
            return Error{ErrorKind::other, format("there is no document '{}'", doc_uri)};
        if (method == "xcap.delete") {
            documents.erase(found);
            return json::Value{"deleted"};
        }
        return json::Value::object().set("doc_uri", doc_uri).set("doc", found->second);
    }
    json::Value page(const json::Value& params) const
    {
        json::Value rows = json::Value::array();
        for (auto at = documents.upper_bound(std::string{params["after"].text()});
             at != documents.end() && rows.size() < static_cast<std::size_t>(params["limit"].integer()); ++at)
            if (at->first.find(params["user"].text()) != std::string::npos)
                rows.add(json::Value::object().set("doc_uri", at->first).set("size", at->second.size()));
        return rows;
    }
    int run(std::vector<std::string> words, bool as_json = false)
    {
        out.clear();
        err.clear();
        words.insert(words.begin(), "xcap");
        const auto status = run_xcap(words, as_json, ask(), {[this](std::string_view t) { out += t; }},
                                     {[this](std::string_view t) { err += t; }, terminal, 60});
        return status ? *status : -1;
    }
};

const std::string index_uri = "/xcap-root/resource-lists/users/sip:alice@example.com/index";

} // namespace

TEST_CASE("a document's key is a path, and back", "[ctl][xcap]")
{
    const struct {
        const char* story;
        std::string doc_uri, path; // path "": none
    } rows[] = {
        {"the usual", index_uri, "resource-lists/users/sip:alice@example.com/index"},
        {"the global tree", "/xcap-root/rls-services/global/index", "rls-services/global/index"},
        {"a folder of the user's", "/xcap-root/a/users/sip:b@c/d/e", "a/users/sip:b@c/d/e"},
        {"blanks and percent signs", "/xcap-root/a/users/b/100% of it", "a/users/b/100%25%20of%20it"},
        {"not ASCII", "/xcap-root/a/users/b/\u00e4", "a/users/b/%C3%A4"},
        {"dots in front hide nothing", "/xcap-root/a/users/b/.bashrc", "a/users/b/%2Ebashrc"},
        {"dots lead nowhere", "/xcap-root/../../etc/passwd", "%2E./%2E./etc/passwd"},
        {"markup and shells", "/xcap-root/a/users/b/<x>|&\\*\"", "a/users/b/%3Cx%3E%7C%26%5C%2A%22"},
        {"not below the root", "/other/a/users/b/index", ""},
        {"an empty name", "/xcap-root/a//b", ""},
        {"a name longer than a file's", "/xcap-root/a/users/b/" + std::string(256, 'x'), ""},
        {"one that grows", "/xcap-root/a/users/b/" + std::string(100, ' '), ""},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const auto path = path_of_document(row.doc_uri, "/xcap-root/");
        CHECK(path.has_value() == !row.path.empty());
        if (!path)
            continue;
        CHECK(*path == row.path);
        CHECK(document_of_path(*path, "/xcap-root/").value() == row.doc_uri);
    }
    for (const char* const path : {"a/.hidden", "a//b", "a/%zz", "a/b%2Fc", "", "../a", "a/"}) {
        INFO(path);
        CHECK(!document_of_path(path, "/xcap-root/"));
    }
}

TEST_CASE("documents are listed, shown, stored and deleted", "[ctl][xcap]")
{
    const test::TempDir folder;
    Fake fake;
    fake.documents[index_uri] = "<a>\n\x01\u00e4</a>";
    CHECK(fake.run({"list"}) == 0);
    CHECK(fake.out.find(index_uri) != std::string::npos);
    CHECK(fake.run({"list", "bob@example.com"}) == 0);
    CHECK(fake.out == "(none)\n");
    CHECK(fake.run({"show", index_uri}) == 0);
    CHECK(fake.out == "<a>\n\x01\u00e4</a>"); // the very bytes
    CHECK(fake.run({"show", index_uri}, true) == 0);
    CHECK(json::parse(fake.out).value()["doc"].text() == "<a>\n\x01\u00e4</a>");
    CHECK(fake.run({"show", "/nothing"}) == 1);
    CHECK(fake.err == "sipyardctl: there is no document '/nothing'\n");

    const auto file = folder.write("file", "<new/>");
    CHECK(fake.run({"put", index_uri, file}) == 0);
    CHECK(fake.documents[index_uri] == "<new/>");
    CHECK(fake.calls.back().find("if_match") == std::string::npos);
    CHECK(fake.run({"put", index_uri, file, "--if-match", "t0"}) == 0);
    CHECK(fake.calls.back().find("\"if_match\":\"t0\"") != std::string::npos);
    CHECK(fake.run({"put", "--if-match", "t0", index_uri, file}) == 0);
    CHECK(fake.run({"put", index_uri, folder.file("missing")}) == 1);

    CHECK(fake.run({"validate", folder.write("good", "good")}) == 0);
    CHECK(fake.calls.back().find("auid") == std::string::npos);
    CHECK(fake.run({"validate", "pres-rules", folder.write("bad", "bad")}) == 1);
    CHECK(fake.calls.back().find("\"auid\":\"pres-rules\"") != std::string::npos);
    CHECK(fake.out.find("bad") != std::string::npos);

    const auto known = fake.documents;
    CHECK(fake.run({"put", index_uri, folder.write("latin", "<a>\xe4</a>")}) == 1);
    CHECK(fake.run({"validate", folder.file("latin")}) == 1);
    CHECK(fake.err.find("not UTF-8") != std::string::npos);
    CHECK(fake.documents == known);

    CHECK(fake.run({"delete", index_uri}) == 0);
    CHECK(fake.documents.empty());
    CHECK(fake.run({"delete", index_uri}) == 1);
}

TEST_CASE("wrong words are answered with the right ones", "[ctl][xcap]")
{
    Fake fake;
    CHECK(fake.run({"put", "a"}) == 1);
    CHECK(fake.err == "sipyardctl: usage: sipyardctl xcap put DOC_URI FILE [--if-match TAG]\n");
    CHECK(fake.run({"put", "a", "b", "--if-match"}) == 1);
    CHECK(fake.run({"list", "a", "b"}) == 1);
    CHECK(fake.run({"export"}) == 1);
    CHECK(fake.run({"stats"}) == -1); // a plain command
    CHECK(fake.run({}) == -1);
    CHECK(fake.calls.empty());
}

TEST_CASE("what is exported is imported byte for byte", "[ctl][xcap]")
{
    const test::TempDir folder;
    const std::string tree = folder.file("tree/of documents");
    Fake fake;
    for (int i = 0; i < 1203; ++i) // more than two pages
        fake.documents[format("/xcap-root/resource-lists/users/sip:user{}@example.com/index", i)] =
            format("<list n=\"{}\">\r\n\t\u00e4\u20ac</list>\n", i);
    fake.documents["/xcap-root/pres-rules/users/sip:a@b/.odd name%"] = std::string(3 * 1024 * 1024, 'x');
    fake.documents["/xcap-root/pres-rules/users/sip:a@b/empty"] = "";
    const auto before = fake.documents;
    CHECK(fake.run({"export", tree}) == 0);
    CHECK(fake.err.find("exported 1205\n") != std::string::npos);
    CHECK(read_file(tree + "/resource-lists/users/sip:user7@example.com/index").value() ==
          before.at("/xcap-root/resource-lists/users/sip:user7@example.com/index"));
    namespace fs = std::filesystem;
    CHECK(fs::status(tree).permissions() == fs::perms::owner_all); // what users keep is not for all eyes
    CHECK(fake.run({"export", tree}) == 0);                        // once more, over the old ones

    fake.documents.clear();
    CHECK(fake.run({"import", tree}) == 0);
    CHECK(fake.err.find("imported 1205\n") != std::string::npos);
    CHECK(fake.documents == before);

    fake.documents.clear();
    CHECK(fake.run({"import", tree, "--root", "services"}) == 0);
    CHECK(fake.documents.begin()->first.starts_with("/services/pres-rules/users/"));
}

TEST_CASE("an import goes on after an error and says so at its end", "[ctl][xcap]")
{
    const test::TempDir folder;
    for (const char* const name : {"a", "refused", "z"})
        REQUIRE(write_file(folder.file(format("tree/resource-lists/users/sip:a@b/{}", name)), "<x/>"));
    REQUIRE(write_file(folder.file("tree/resource-lists/users/sip:a@b/%zz"), "<x/>"));
    REQUIRE(write_file(folder.file("tree/.git/config"), "no document"));
    std::filesystem::create_symlink("/etc/passwd", folder.file("tree/link"));
    Fake fake;
    CHECK(fake.run({"import", folder.file("tree")}) == 1);
    CHECK(fake.documents.size() == 2);
    CHECK(fake.err.find("failed: resource-lists/users/sip:a@b/refused: not-well-formed: no element\n") !=
          std::string::npos);
    CHECK(fake.err.find("imported resource-lists/users/sip:a@b/z\n") != std::string::npos);
    CHECK(fake.err.find("imported 2 of 4, 2 failed\n") != std::string::npos);
    CHECK(fake.run({"import", folder.file("no such tree")}) == 1);

    fake.documents["/elsewhere/x"] = "<x/>";
    fake.documents["/xcap-root/resource-lists/users/sip:a@b/\x1b[2J"] = "<x/>";
    CHECK(fake.run({"export", folder.file("out")}) == 1);
    CHECK(fake.err.find("failed: /elsewhere/x") != std::string::npos);
    CHECK(fake.err.find('\x1b') == std::string::npos); // no name plays with the terminal
    CHECK(std::filesystem::exists(folder.file("out/resource-lists/users/sip:a@b/%1B%5B2J")));
}

TEST_CASE("a terminal gets a bar that fits", "[ctl][xcap]")
{
    std::string seen;
    const Screen screen{[&](std::string_view text) { seen += text; }, true, 40};
    Progress progress{screen, "imported", 4};
    progress.done("one");
    CHECK(seen == "\r\x1b[K[#####...............] 1/4 one");
    seen.clear();
    progress.done("a name that is far too long \u00e4\u00e4\u00e4");
    CHECK(seen.size() <= 4 + 39);
    CHECK(is_utf8(seen));
    seen.clear();
    progress.failed("two", "no\n");
    CHECK(seen == "\r\x1b[Kfailed: two: no.\n\r\x1b[K[###############.....] 3/4 ");
    progress.done("four");
    seen.clear();
    CHECK(progress.finish() == 1);
    CHECK(seen == "\r\x1b[Kimported 3 of 4, 1 failed\n");
}
