// modules/xcap_diff/xcap_diff_test.cpp - what subscribers of xcap-diff are told, from documents in memory
#include "modules/xcap_diff/library.h"
#include "modules/xcap_diff/report.h"
#include "modules/xcap_diff/wanted.h"

#include "core/base/format.h"
#include "core/xml/check.h"
#include "modules/xcap_server/documents.h"
#include "modules/xcap_server/memory_store.h"
#include "test/support/catch.h"

namespace sipyard::xcap_diff {
namespace {

using xcap_server::DocumentChanged;

const std::string alice = "sip:alice@example.com";
const std::string index_uri = "/xcap-root/resource-lists/users/sip:alice@example.com/index";
const std::string index_sel = "resource-lists/users/sip:alice@example.com/index";
const std::string head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                         "<xcap-diff:xcap-diff xmlns:xcap-diff=\"urn:ietf:params:xml:ns:xcap-diff\" "
                         "xcap-root=\"http://xcap.example.com/xcap-root/\">\n";
const std::string tail = "</xcap-diff:xcap-diff>\n";

std::string list_of(std::string_view entries)
{
    return format(
        "<resource-lists xmlns=\"urn:ietf:params:xml:ns:resource-lists\"><list>{}</list></resource-lists>",
        entries);
}

// Documents, who changes them, and who follows.
struct World {
    xcap_server::MemoryStore store;
    xcap_server::Usages usages = *xcap_server::Usages::make({}, {});
    xcap_server::StoredDocuments documents{store, usages, {}};
    Library library{documents};
    int tags = 0;

    void put(const std::string& uri, std::string text, std::string user = "alice",
             std::string domain = "example.com")
    {
        DocumentChanged change;
        change.user = user;
        change.domain = domain;
        change.auid = uri.substr(11, uri.find('/', 11) - 11);
        change.doc_uri = uri;
        const auto old = *store.load(uri);
        auto next = std::make_shared<xcap_server::Document>();
        next->doc_uri = uri;
        next->user = user;
        next->domain = domain;
        next->etag = format("e{}", ++tags);
        next->text = text;
        if (old) {
            change.old_etag = old->etag;
            change.old_text = std::make_shared<const std::string>(old->text);
            REQUIRE(*store.replace(next, old->etag, {}) == xcap_server::Written::done);
        } else {
            REQUIRE(*store.create({next, xcap_server::Tree::users, uri.substr(0, uri.rfind('/') + 1), {}}) ==
                    xcap_server::Created::done);
        }
        change.new_etag = next->etag;
        change.new_text = std::make_shared<const std::string>(std::move(text));
        (void)library.changed(change);
    }
    void remove(const std::string& uri)
    {
        const auto old = *store.load(uri);
        REQUIRE(old);
        REQUIRE(*store.remove(uri, old->user, old->domain, old->etag) == xcap_server::Written::done);
        DocumentChanged change;
        change.user = old->user;
        change.domain = old->domain;
        change.doc_uri = uri;
        change.method = DocumentChanged::Method::del;
        change.old_etag = old->etag;
        (void)library.changed(change);
    }
    SnapshotPtr now()
    {
        REQUIRE(library.load(alice));
        return follow();
    }
    SnapshotPtr follow() // without reading anew
    {
        auto out = library.find(alice);
        REQUIRE(out);
        return out;
    }
    Reporter reporter() const
    {
        return {documents, "http://xcap.example.com/xcap-root/", "alice", "example.com"};
    }
    std::string everything(const SnapshotPtr& snapshot, Wish wish) const
    {
        const auto text = reporter().everything(*snapshot, wish);
        INFO(text);
        REQUIRE(xml::check(text));
        REQUIRE(text.starts_with(head));
        REQUIRE(text.ends_with(tail));
        return text.substr(head.size(), text.size() - head.size() - tail.size());
    }
    std::string changes(const SnapshotPtr& before, const SnapshotPtr& after, Wish wish) const
    {
        const auto text = reporter().changes(*before, *after, wish);
        if (!text)
            return "nothing";
        INFO(*text);
        REQUIRE(xml::check(*text));
        return text->substr(head.size(), text->size() - head.size() - tail.size());
    }
};

Wish wish(Processing processing, std::vector<std::string> uris)
{
    return {processing, true, std::move(uris)};
}

const std::string lists = "<resource-lists xmlns=\"urn:ietf:params:xml:ns:resource-lists\">\n"
                          " <list name=\"a\"><entry uri=\"sip:x@y\"/></list>\n</resource-lists>";
const std::string longer = "<resource-lists xmlns=\"urn:ietf:params:xml:ns:resource-lists\">\n"
                           " <list name=\"a\"><entry uri=\"sip:x@y\"/><entry uri=\"sip:z@y\"/></list>\n"
                           "</resource-lists>";
const std::string renamed = "<resource-lists xmlns=\"urn:ietf:params:xml:ns:resource-lists\">\n"
                            " <list name=\"b\"><entry uri=\"sip:x@y\"/><entry uri=\"sip:z@y\"/></list>\n"
                            "</resource-lists>";

} // namespace

TEST_CASE("the Event parameter says how much may be told", "[xcap_diff]")
{
    const struct {
        const char* params;
        Processing expected;
    } rows[] = {
        {"", Processing::no_patching},
        {"diff-processing=aggregate", Processing::aggregate},
        {" ; id=7 ; Diff-Processing = XCAP-Patching", Processing::xcap_patching},
        {"diff-processing=no-patching", Processing::no_patching},
        {"diff-processing=cleverer", Processing::no_patching},
    };
    for (const auto& row : rows) {
        INFO(row.params);
        CHECK(processing_of(row.params) == row.expected);
    }
}

TEST_CASE("the body is a flat list of URIs", "[xcap_diff]")
{
    CHECK(read_list("")->empty());
    CHECK(*read_list(list_of(
              "<entry uri=\"a/b\"/><x xmlns=\"o\"/><entry uri=\"c/\" y=\"1\"/><entry uri=\"a/b\"/>")) ==
          std::vector<std::string>{"a/b", "c/"});
    const struct {
        const char* story;
        std::string body;
    } refused[] = {
        {"not XML", "<resource-lists"},
        {"another document", "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\"/>"},
        {"a list within", list_of("<list><entry uri=\"a\"/></list>")},
        {"a reference", list_of("<entry-ref ref=\"a\"/>")},
        {"no URI", list_of("<entry/>")},
        {"a line end in a URI", list_of("<entry uri=\"a&#10;b\"/>")},
        {"a document type", "<!DOCTYPE resource-lists><resource-lists/>"},
    };
    for (const auto& row : refused) {
        INFO(row.story);
        CHECK(!read_list(row.body));
    }
    std::string many;
    for (std::size_t i = 0; i <= most_entries; ++i)
        many += format("<entry uri=\"d{}\"/>", i);
    CHECK(!read_list(list_of(many)));
}

TEST_CASE("a wish survives its packing", "[xcap_diff]")
{
    const Wish given{Processing::aggregate, false, {"a/b", "c/"}};
    const Wish back = unpack(pack(given));
    CHECK(back.processing == given.processing);
    CHECK(back.is_owner == given.is_owner);
    CHECK(back.uris == given.uris);
}

TEST_CASE("the first document tells what there is", "[xcap_diff]")
{
    World world;
    world.put(index_uri, lists);
    world.put("/xcap-root/pres-rules/users/sip:alice@example.com/index", "<r/>");
    const auto now = world.now();
    CHECK(
        world.everything(now, wish(Processing::no_patching, {})) ==
        " <xcap-diff:document sel=\"pres-rules/users/sip:alice@example.com/index\" new-etag=\"e2\"/>\n"
        " <xcap-diff:document sel=\"resource-lists/users/sip:alice@example.com/index\" new-etag=\"e1\"/>\n");
    CHECK(world.everything(
              now, wish(Processing::no_patching, {"resource-lists/users/sip%3Aalice@example.com/index"})) ==
          " <xcap-diff:document sel=\"resource-lists/users/sip%3Aalice@example.com/index\" "
          "new-etag=\"e1\"/>\n");
    CHECK(world.everything(now, wish(Processing::no_patching, {"pres-rules/"})) ==
          " <xcap-diff:document sel=\"pres-rules/users/sip:alice@example.com/index\" new-etag=\"e2\"/>\n");
    CHECK(world.everything(now, wish(Processing::no_patching, {index_sel + "/~~/*/list%5b1%5d"})) ==
          " <xcap-diff:element sel=\"" + index_sel +
              "/~~/*/list%5b1%5d\" xmlns=\"urn:ietf:params:xml:ns:resource-lists\"><list name=\"a\"><entry "
              "uri=\"sip:x@y\"/></list></xcap-diff:element>\n");
    CHECK(world.everything(now, wish(Processing::no_patching, {index_sel + "/~~/*/list/@name"})) ==
          " <xcap-diff:attribute sel=\"" + index_sel + "/~~/*/list/@name\">a</xcap-diff:attribute>\n");
    CHECK(world.everything(now, wish(Processing::no_patching, {"nosuch/users/x/y", index_sel + "/~~/*/none"}))
              .empty());
}

TEST_CASE("what somebody may not read is not mentioned", "[xcap_diff]")
{
    World world;
    world.put(index_uri, lists);
    const auto now = world.now();
    CHECK(world
              .everything(now,
                          wish(Processing::no_patching, {"resource-lists/users/sip:bob@example.com/index"}))
              .empty());
    Wish others = wish(Processing::no_patching, {});
    others.is_owner = false; // bob looks at alice's
    CHECK(world.everything(now, others).empty());
    world.put("/xcap-root/resource-lists/users/sip:alice@example.com/global/x", lists); // a folder's name
    CHECK(world.everything(world.follow(), others).empty());
    world.put("/xcap-root/resource-lists/global/x", lists, "admin", "example.com");
    CHECK(world.everything(world.follow(), others) ==
          " <xcap-diff:document sel=\"resource-lists/global/x\" new-etag=\"e3\"/>\n");
}

TEST_CASE("later documents tell what changed, as much as was asked for", "[xcap_diff]")
{
    World world;
    world.put(index_uri, lists);
    const auto first = world.now();
    world.put(index_uri, longer);
    const auto second = world.follow();
    world.put(index_uri, renamed);
    const auto third = world.follow();
    const std::string start = " <xcap-diff:document sel=\"" + index_sel + "\"";
    const std::string scope = " xmlns=\"urn:ietf:params:xml:ns:resource-lists\"";
    const std::string addition = "<xcap-diff:add sel=\"*/*[1]/*[1]\" pos=\"after\"" + scope +
                                 "><entry uri=\"sip:z@y\"/></xcap-diff:add>";
    const std::string naming = "<xcap-diff:replace sel=\"*/*[1]/@name\"" + scope + ">b</xcap-diff:replace>";
    CHECK(world.changes(first, third, wish(Processing::no_patching, {})) ==
          start + " new-etag=\"e3\" previous-etag=\"e1\"/>\n");
    CHECK(world.changes(first, third, wish(Processing::xcap_patching, {})) ==
          start + " new-etag=\"e2\" previous-etag=\"e1\">" + addition + "</xcap-diff:document>\n" + start +
              " new-etag=\"e3\" previous-etag=\"e2\">" + naming + "</xcap-diff:document>\n");
    CHECK(world.changes(first, third, wish(Processing::aggregate, {})) ==
          start + " new-etag=\"e3\" previous-etag=\"e1\">" + addition + naming + "</xcap-diff:document>\n");
    CHECK(world.changes(second, third, wish(Processing::aggregate, {})) ==
          start + " new-etag=\"e3\" previous-etag=\"e2\">" + naming + "</xcap-diff:document>\n");
    CHECK(world.changes(third, third, wish(Processing::aggregate, {})) == "nothing");
    CHECK(world.changes(first, third, wish(Processing::aggregate, {"pres-rules/"})) == "nothing");
}

TEST_CASE("documents come, stay as they are and go", "[xcap_diff]")
{
    World world;
    const auto nothing = world.now();
    world.put(index_uri, lists);
    const auto there = world.follow();
    world.put(index_uri, lists);
    const auto again = world.follow();
    world.remove(index_uri);
    const auto gone = world.follow();
    const std::string start = " <xcap-diff:document sel=\"" + index_sel + "\"";
    CHECK(world.changes(nothing, there, wish(Processing::aggregate, {})) == start + " new-etag=\"e1\"/>\n");
    CHECK(world.changes(there, again, wish(Processing::aggregate, {})) ==
          start +
              " new-etag=\"e2\" previous-etag=\"e1\"><xcap-diff:body-not-changed/></xcap-diff:document>\n");
    CHECK(world.changes(again, gone, wish(Processing::aggregate, {})) == start + " previous-etag=\"e2\"/>\n");
    CHECK(world.changes(nothing, gone, wish(Processing::aggregate, {})) == "nothing");
}

TEST_CASE("a part is told when it comes, changes and goes, and not otherwise", "[xcap_diff]")
{
    World world;
    const std::string uri = index_sel + "/~~/*/list[@name='b']/@name";
    const Wish asked = wish(Processing::no_patching, {uri});
    const auto before = world.now();
    world.put(index_uri, longer); // no list of that name yet
    const auto other = world.follow();
    world.put(index_uri, renamed);
    const auto there = world.follow();
    world.remove(index_uri);
    const auto gone = world.follow();
    CHECK(world.changes(before, other, asked) == "nothing");
    CHECK(world.changes(other, there, asked) ==
          " <xcap-diff:attribute sel=\"" + uri + "\">b</xcap-diff:attribute>\n");
    CHECK(world.changes(there, gone, asked) ==
          " <xcap-diff:attribute sel=\"" + uri + "\" exists=\"false\"/>\n");
}

TEST_CASE("a change that does not follow on what is known is read from the store", "[xcap_diff]")
{
    World world;
    world.put(index_uri, lists);
    const auto first = world.now();
    { // another server wrote in between, and nobody heard of it
        const auto old = *world.store.load(index_uri);
        auto next = std::make_shared<xcap_server::Document>(*old);
        next->etag = "elsewhere";
        REQUIRE(*world.store.replace(next, old->etag, {}) == xcap_server::Written::done);
    }
    world.put(index_uri, longer);
    const auto now = world.follow();
    CHECK(now->documents.at(index_uri).document.etag == "e2");
    CHECK(world.changes(first, now, wish(Processing::xcap_patching, {})) ==
          " <xcap-diff:document sel=\"" + index_sel + "\" new-etag=\"e2\" previous-etag=\"e1\"/>\n");
}

TEST_CASE("users nobody follows are dropped, their changes cost nothing", "[xcap_diff]")
{
    World world;
    (void)world.now();
    REQUIRE(world.library.size() == 1);
    world.library.sweep([](const std::string&) { return false; });
    CHECK(world.library.size() == 0);
    world.put(index_uri, lists);
    CHECK(!world.library.find(alice));
}

TEST_CASE("content in scope of our own prefix is left to be fetched", "[xcap_diff]")
{
    World world;
    world.put(index_uri, "<r xmlns:xcap-diff=\"urn:other\"><a/></r>");
    const auto first = world.now();
    world.put(index_uri, "<r xmlns:xcap-diff=\"urn:other\"><a/><b/></r>");
    const auto second = world.follow();
    CHECK(world.changes(first, second, wish(Processing::aggregate, {})) ==
          " <xcap-diff:document sel=\"" + index_sel + "\" new-etag=\"e2\" previous-etag=\"e1\"/>\n");
    CHECK(world.everything(second, wish(Processing::aggregate, {index_sel + "/~~/*/*[1]"})) ==
          " <xcap-diff:element sel=\"" + index_sel + "/~~/*/*[1]\"/>\n");
}

} // namespace sipyard::xcap_diff
