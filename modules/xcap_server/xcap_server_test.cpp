// modules/xcap_server/xcap_server_test.cpp - the module as the script sees it: one reply a call, codes,
// headers, $xcapuri
#include "core/json/value.h"
#include "core/module/module.h"
#include "core/sip/message.h"
#include "modules/db_unixodbc/driver.h"
#include "modules/xcap_server/api.h"
#include "modules/xcap_server/change_route.h"
#include "test/support/catch.h"
#include "test/support/fake_host.h"

#include <filesystem>
#include <stdlib.h>

using namespace sipyard;

extern "C" const ModuleEntry* sipyard_module(); // of the module under test

namespace {

const std::string type_line = "Content-Type: application/resource-lists+xml\r\n";
const std::string document = "<resource-lists xmlns=\"urn:ietf:params:xml:ns:resource-lists\"/>";
const std::string index_uri = "/xcap-root/resource-lists/users/sip:101@127.0.0.1/index";

struct Script {
    Script()
    {
        std::string pattern = (std::filesystem::temp_directory_path() / "sipyard-xcap-XXXXXX").string();
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        folder = pattern;
        const std::string url = "sqlite:///" + folder + "/x.db";
        host.set_database("", *must(driver.open(must(db::Url::parse(url)))));
        host.start_workers();
        const auto settings = manifest.make_settings();
        module = manifest.construct(settings.get(), host);
    }
    ~Script()
    {
        module.reset();
        host.runtime().stop(std::chrono::seconds{5}); // before the driver goes
        std::error_code ignored;
        std::filesystem::remove_all(folder, ignored);
    }
    // Calls a function for an HTTP request, as a script does; the answer is in host.responder.
    int call(const std::string& name, const std::string& method, const std::string& target,
             const std::string& headers, const std::string& body, std::vector<std::string> args)
    {
        int code = 0;
        host.on_fiber([&] {
            Arena arena;
            const std::string text = method + " " + target + " HTTP/1.1\r\nHost: h\r\n" + headers +
                                     "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
            Request request{host, arena, *must(sip::Message::parse(text, arena)), {}, Route::event};
            request.set_http();
            std::vector<Arg> list;
            for (const auto& arg : args)
                list.push_back({Value{std::string_view{arg}}, nullptr, nullptr, true});
            for (const auto& function : manifest.functions) {
                if (function.name == name) {
                    list.resize(std::max(list.size(), function.args.size()));
                    code = function.call(module.get(), request, list).code;
                }
            }
        });
        return code;
    }
    const test::RecordingResponder::Given& last() { return host.responder.replies.back(); }

    test::FakeHost host{{.system_clock = true}};
    db_unixodbc::OdbcDriver driver{host.runtime(), host.journal()};
    const AnyManifest manifest = sipyard_module()->manifest();
    std::string folder;
    std::shared_ptr<void> module;
};

} // namespace

TEST_CASE("every call of the script's functions sends one reply", "[xcap_server][db]")
{
    const std::string owner = "sip:101@127.0.0.1";
    const struct {
        const char* story;
        std::string function, method, target, headers;
        std::vector<std::string> args;
        int returned, status;
    } rows[] = {
        {"created", "xcaps_put", "PUT", index_uri, type_line, {owner, index_uri, document}, 1, 201},
        {"replaced", "xcaps_put", "PUT", index_uri, type_line, {owner, index_uri, document}, 1, 200},
        {"create only",
         "xcaps_put",
         "PUT",
         index_uri,
         type_line + "If-None-Match: *\r\n",
         {owner, index_uri, document},
         -2,
         412},
        {"two condition fields",
         "xcaps_put",
         "PUT",
         index_uri,
         type_line + "If-None-Match: \"x\"\r\nIf-None-Match: *\r\n",
         {owner, index_uri, document},
         -2,
         412},
        {"broken", "xcaps_put", "PUT", index_uri, type_line, {owner, index_uri, "<a>"}, -1, 409},
        {"no path", "xcaps_put", "PUT", index_uri, type_line, {owner, "", document}, -1, 404},
        {"no owner", "xcaps_put", "PUT", index_uri, type_line, {"", index_uri, document}, -1, 404},
        {"read-only",
         "xcaps_put",
         "PUT",
         index_uri,
         type_line,
         {owner, "/xcap-root/xcap-caps/global/index", document},
         1,
         405},
        {"read", "xcaps_get", "GET", index_uri, "", {owner, index_uri}, 1, 200},
        {"head", "xcaps_get", "HEAD", index_uri, "", {owner, index_uri}, 1, 200},
        {"not modified", "xcaps_get", "GET", index_uri, "If-None-Match: *\r\n", {owner, index_uri}, -2, 304},
        {"not there", "xcaps_get", "GET", index_uri, "", {owner, index_uri + "2"}, 1, 404},
        {"no arguments worth it", "xcaps_get", "GET", index_uri, "", {"", ""}, -1 + 2, 404},
        {"a node", "xcaps_get", "GET", index_uri, "", {owner, index_uri + "/~~/resource-lists"}, 1, 200},
        {"by its method", "xcaps_handle", "GET", index_uri, "", {}, 1, 200},
        {"by its method, absolute target", "xcaps_handle", "GET", "http://h" + index_uri, "", {}, 1, 200},
        {"another user", "xcaps_handle", "GET", index_uri, "", {"sip:102@127.0.0.1"}, -3, 403},
        {"post", "xcaps_handle", "POST", index_uri, "", {owner}, -1, 405},
        {"stale", "xcaps_del", "DELETE", index_uri, "If-Match: \"x\"\r\n", {owner, index_uri}, -2, 412},
        {"deleted", "xcaps_del", "DELETE", index_uri, "", {owner, index_uri}, 1, 200},
        {"deleted already", "xcaps_del", "DELETE", index_uri, "", {owner, index_uri}, -1, 404},
    };
    Script script;
    for (const auto& row : rows) {
        INFO(row.story);
        script.host.responder.clear();
        CHECK(script.call(row.function, row.method, row.target, row.headers, "", row.args) == row.returned);
        REQUIRE(script.host.responder.replies.size() == 1);
        CHECK(script.last().code == row.status);
        const std::string& headers = script.last().headers;
        INFO(headers);
        const bool tagged =
            row.status == 201 || row.status == 304 || (row.status == 200 && row.function != "xcaps_del");
        CHECK((headers.find("ETag: \"") != std::string::npos) == tagged);
        CHECK((headers.find("Allow: GET, HEAD") != std::string::npos) == (row.status == 405));
        CHECK((headers.empty() || headers.ends_with("\r\n")));
    }
    CHECK(script.host.announced<xcap_server::DocumentChanged>().size() == 3);
    CHECK(script.host.counted("xcap_server", "replies_201") == 1);
}

TEST_CASE("the administrator looks at documents", "[xcap_server][db]")
{
    Script script;
    REQUIRE(script.call("xcaps_put", "PUT", index_uri, type_line, "",
                        {"sip:101@127.0.0.1", index_uri, document}) == 1);
    const auto run = [&](std::string_view name, json::Value params) {
        std::optional<Result<json::Value>> answer;
        script.host.on_fiber([&] {
            for (const auto& command : script.manifest.commands)
                if (command.name == name)
                    answer = command.run(script.module.get(), params);
        });
        return *answer;
    };
    const auto key = json::Value::array({json::Value{index_uri}});
    CHECK((*run("xcap.list", json::Value::array({"101@127.0.0.1"})))[0]["doc_uri"].text() == index_uri);
    CHECK((*run("xcap.get", key))["doc"].text() == document);
    CHECK((*run("xcap.stats", {}))["puts"].integer() == 1);
    CHECK((*run("xcap.flush_cache", {}))["documents"].integer() == 1);
    const auto named = [](std::string_view doc_uri, std::string_view text, std::string_view tag) {
        return json::Value::object().set("doc_uri", doc_uri).set("doc", text).set("if_match", tag);
    };
    const auto refusal = [&](std::string_view name, const json::Value& params) {
        const auto refused = run(name, params);
        REQUIRE_FALSE(refused);
        return refused.error();
    };
    const std::string etag{(*run("xcap.get", key))["etag"].text()};
    const std::string twice =
        "<resource-lists xmlns=\"urn:ietf:params:xml:ns:resource-lists\"><list name='a'/>"
        "<list name='a'/></resource-lists>";
    CHECK(refusal("xcap.put", named(index_uri, document, "stale")).kind == ErrorKind::constraint);
    const auto stored = run("xcap.put", named(index_uri, document, etag));
    INFO(why(stored));
    REQUIRE(stored);
    CHECK((*stored)["code"].integer() == 200);
    CHECK((*stored)["etag"].text() != etag);
    const auto conflict = refusal("xcap.put", named(index_uri, twice, "")).text;
    CHECK(conflict ==
          "uniqueness-failure: the name of list is there already (resource-lists/list%5b2%5d/@name)");
    CHECK((*run("xcap.put", named("/xcap-root/resource-lists/global/x y", document, "")))["code"].integer() ==
          201);
    CHECK(refusal("xcap.put", named("/elsewhere", document, "")).kind == ErrorKind::invalid);
    CHECK(refusal("xcap.put", named("/xcap-root/none/global/x", document, "")).kind == ErrorKind::not_found);
    CHECK(refusal("xcap.put", named("/xcap-root/xcap-caps/global/index", document, ""))
              .text.starts_with("405"));
    // pages
    CHECK(run("xcap.list", {})->size() == 2);
    const auto page = run("xcap.list", json::Value::object().set("limit", 1));
    REQUIRE(page->size() == 1);
    CHECK((*page)[0]["doc_uri"].text() == "/xcap-root/resource-lists/global/x y");
    CHECK(run("xcap.list", json::Value::object().set("limit", 1).set("after", (*page)[0]["doc_uri"].text()))
              ->size() == 1);
    CHECK(run("xcap.list", json::Value::object().set("after", index_uri))->size() == 0);
    CHECK(run("xcap.list", json::Value::object().set("user", "101@127.0.0.1").set("after", index_uri))
              ->size() == 0);
    // what would be refused
    const auto valid = run("xcap.validate", json::Value::array({document}));
    REQUIRE(valid);
    CHECK((*valid)["valid"].boolean());
    CHECK((*valid)["auid"].text() == "resource-lists");
    const auto not_valid =
        run("xcap.validate", json::Value::object().set("doc", twice).set("auid", "resource-lists"));
    REQUIRE(not_valid);
    CHECK_FALSE((*not_valid)["valid"].boolean(true));
    CHECK((*not_valid)["kind"].text() == "uniqueness-failure");
    CHECK((*not_valid)["exists"][0]["field"].text() == "resource-lists/list%5b2%5d/@name");
    CHECK((*run("xcap.validate", json::Value::array({document, "pres-rules"})))["kind"].text() ==
          "schema-validation-error");
    CHECK(refusal("xcap.validate", json::Value::array({document, "none"})).kind == ErrorKind::not_found);
    CHECK_FALSE(run("xcap.validate", json::Value::array({"<a/>"})));
    CHECK((*run("xcap.reindex", {}))["services"].integer() == 0);
    CHECK(run("xcap.delete", json::Value::array({"/xcap-root/resource-lists/global/x y"})));

    CHECK(run("xcap.delete", key));
    CHECK_FALSE(run("xcap.delete", key));
    CHECK_FALSE(run("xcap.get", key));
    CHECK(run("xcap.list", {})->size() == 0);
    CHECK_FALSE(run("xcap.list", json::Value::array({"nobody at all"})));
}

TEST_CASE("the script hears of changes when the client has its answer", "[xcap_server][db]")
{
    Script script;
    std::vector<std::string> heard;
    script.host.on_event_route("xcap_server:changed", [&](Request& request) {
        std::string line;
        for (const auto& variable : script.manifest.variables) {
            if (variable.name != "xcapchg")
                continue;
            for (const char* const key :
                 {"owner", "auid", "doc_uri", "uri_adoc", "file", "node", "method", "old_etag", "new_etag"}) {
                const auto parsed = FromText<xcap_server::ChangeKey>::parse(key);
                REQUIRE(parsed);
                const Value value = variable.get(script.module.get(), request, {key, &*parsed, {}});
                line += value.is_null() ? "- " : std::string{value.text()} + " ";
            }
        }
        heard.push_back(line);
        return Verdict{1};
    });
    const std::string owner = "sip:101@127.0.0.1";
    const auto etag = [&] {
        const std::string& headers = script.last().headers;
        const auto at = headers.find("ETag: \"") + 7;
        return headers.substr(at, headers.find('"', at) - at);
    };
    REQUIRE(script.call("xcaps_put", "PUT", index_uri, type_line, "", {owner, index_uri, document}) == 1);
    const auto first = etag();
    const std::string node = index_uri + "/~~/resource-lists/list%5b1%5d";
    REQUIRE(script.call("xcaps_put", "PUT", node, "Content-Type: application/xcap-el+xml\r\n", "",
                        {owner, node, "<list/>"}) == 1);
    const auto second = etag();
    CHECK(script.call("xcaps_put", "PUT", index_uri, type_line, "", {owner, index_uri, "<a>"}) ==
          -1); // no change
    REQUIRE(script.call("xcaps_del", "DELETE", index_uri, "", "", {owner, index_uri}) == 1);
    const auto told = script.host.announced<xcap_server::ScriptChange>();
    REQUIRE(told.size() == 3);
    for (const auto& change : told)
        CHECK(change->answered.signalled());
    script.host.on_fiber([&] {
        for (const auto& change : told)
            for (const auto& listener : script.manifest.listeners)
                listener.run(script.module.get(), change.get());
    });
    const std::string place = "sip:101@127.0.0.1 resource-lists " + index_uri + " " + index_uri + " index ";
    REQUIRE(heard.size() == 3);
    CHECK(heard[0] == place + "- PUT - " + first + " ");
    CHECK(heard[1] == place + "resource-lists/list%5b1%5d PUT " + first + " " + second + " ");
    CHECK(heard[2] == place + "- DELETE " + second + " - ");
    CHECK_FALSE(FromText<xcap_server::ChangeKey>::parse("nothing"));
}
