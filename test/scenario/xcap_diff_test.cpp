// test/scenario/xcap_diff_test.cpp - etc/xcap_diff.cfg: a phone follows its user's documents while another
// client changes them
#include "core/module/digest_answer.h"
#include "core/xml/document.h"
#include "test/support/catch.h"
#include "test/support/running_server.h"
#include "test/support/sip_peer.h"

using namespace sipyard;
using namespace sipyard::test;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

const std::string index_path = "/xcap-root/resource-lists/users/sip:alice@127.0.0.1/index";
const std::string index_sel = "resource-lists/users/sip:alice@127.0.0.1/index";
const std::string lists =
    "<resource-lists xmlns=\"urn:ietf:params:xml:ns:resource-lists\"><list name=\"a\"><entry "
    "uri=\"sip:x@example.com\"/></list></resource-lists>";

struct Followed {
    TempDir folder;
    std::string database = folder.file("xcap.db");
    RunningServer server{"etc/xcap_diff.cfg", options()};
    SipPeer phone{server.port(), "alice"};
    DigestSession digest{{{"*", "alice", "secret", false}}};
    int cseq = 0;
    std::string to_tag;

    Followed() { server.rpc("subscriber.add", R"(["alice@127.0.0.1","secret"])"); }
    RunningServer::Options options()
    {
        RunningServer::Options options;
        options.defines = {{"DBURL", "\"sqlite://" + database + "\""}, {"NOTIFY_INTERVAL", "50"}};
        return options;
    }
    // With the password when it is asked for; the final reply.
    SipText subscribe(const std::string& headers, const std::string& body = {},
                      const std::string& expires = "600")
    {
        const std::string ruri = "sip:alice@127.0.0.1:" + std::to_string(server.port());
        digest.new_request();
        for (int tries = 0; tries < 2; ++tries) {
            (void)phone.request({.method = "SUBSCRIBE",
                                 .ruri = ruri,
                                 .call_id = "follow",
                                 .to_tag = to_tag,
                                 .from_tag = "phone",
                                 .headers = headers + "Expires: " + expires + "\r\n" +
                                            digest.lines({"SUBSCRIBE", ruri, body}),
                                 .body = body,
                                 .content_type = body.empty() ? "" : "application/resource-lists+xml",
                                 .cseq = ++cseq});
            const SipText reply = phone.receive();
            if (reply.status() != 401) {
                const auto to = reply.header("To");
                if (const auto tag = to.find(";tag="); reply.status() == 200 && tag != std::string::npos)
                    to_tag = to.substr(tag + 5);
                return reply;
            }
            Arena arena;
            const auto message = sip::Message::parse(reply.text, arena);
            REQUIRE(message);
            REQUIRE(digest.challenged(**message));
        }
        return {};
    }
    // The document of the next NOTIFY, which is answered.
    std::string told()
    {
        const SipText notify = phone.expect("NOTIFY");
        REQUIRE(notify);
        CHECK(notify.header("Event") == "xcap-diff"); // of the parameters only `id` comes back
        phone.reply(notify, 200);
        if (notify.body().empty())
            return notify.header("Subscription-State");
        CHECK(notify.header("Content-Type") == "application/xcap-diff+xml");
        REQUIRE(xml::Document::parse(notify.body()));
        return notify.body();
    }
    int http(const std::string& method, const std::string& target, const std::string& type = {},
             const std::string& body = {})
    {
        std::vector<std::string> command = {"curl", "-sS", "-g", "--digest",         "-u", "alice:secret",
                                            "-m",   "20",  "-o", folder.file("got"), "-w", "%{http_code}",
                                            "-X",   method};
        if (!type.empty())
            command.insert(command.end(), {"-H", "Content-Type: " + type, "--data-binary", body});
        command.push_back("http://127.0.0.1:" + std::to_string(server.port()) + target);
        return std::atoi(run_program(command).output.c_str());
    }
};

} // namespace

SCENARIO("a phone hears what another client changed", "[xcap_diff]")
{
    Followed user;
    const SipText accepted = user.subscribe("Event: xcap-diff;diff-processing=aggregate\r\n");
    INFO(user.phone.log());
    INFO(user.server.log());
    REQUIRE(accepted.status() == 200);
    const std::string nothing = user.told();
    CHECK_THAT(nothing, Contains("xcap-root=\"http://127.0.0.1:" + std::to_string(user.server.port()) +
                                 "/xcap-root/\""));
    CHECK(nothing.find("<xcap-diff:document") == std::string::npos);

    WHEN("a document comes, an entry is added and all goes again")
    {
        REQUIRE(user.http("PUT", index_path, "application/resource-lists+xml", lists) == 201);
        const std::string created = user.told();
        CHECK_THAT(created, Contains("<xcap-diff:document sel=\"" + index_sel + "\" new-etag=\""));
        CHECK(created.find("previous-etag") == std::string::npos);

        REQUIRE(user.http("PUT", index_path + "/~~/*/list/entry%5b@uri=%22sip:y@example.com%22%5d",
                          "application/xcap-el+xml", "<entry uri=\"sip:y@example.com\"/>") == 201);
        const std::string added = user.told();
        CHECK_THAT(added, Contains("previous-etag"));
        CHECK_THAT(added, Contains("<xcap-diff:add sel=\"*/*[1]/*[1]\" pos=\"after\" "
                                   "xmlns=\"urn:ietf:params:xml:ns:resource-lists\"><entry "
                                   "uri=\"sip:y@example.com\"/></xcap-diff:add>"));

        REQUIRE(user.http("DELETE", index_path) == 200);
        const std::string gone = user.told();
        CHECK_THAT(gone, Contains("previous-etag"));
        CHECK(gone.find("new-etag") == std::string::npos);
        CHECK(user.phone.hears_nothing());
    }
}

SCENARIO("a phone follows one element only", "[xcap_diff]")
{
    Followed user;
    REQUIRE(user.http("PUT", index_path, "application/resource-lists+xml", lists) == 201);
    const std::string part = index_sel + "/~~/*/list%5b@name='a'%5d/entry";
    const SipText accepted =
        user.subscribe("Event: xcap-diff\r\n",
                       "<resource-lists xmlns=\"urn:ietf:params:xml:ns:resource-lists\"><list><entry uri=\"" +
                           part + "\"/></list></resource-lists>");
    INFO(user.phone.log());
    INFO(user.server.log());
    REQUIRE(accepted.status() == 200);
    CHECK_THAT(user.told(), Contains("<entry uri=\"sip:x@example.com\"/></xcap-diff:element>"));

    WHEN("something else changes")
    {
        REQUIRE(user.http("PUT", index_path + "/~~/*/list%5b@name=%22b%22%5d", "application/xcap-el+xml",
                          "<list name=\"b\"/>") == 201);
        THEN("it hears nothing") { CHECK(user.phone.hears_nothing(400)); }
    }
    WHEN("its list goes")
    {
        REQUIRE(user.http("DELETE", index_path + "/~~/*/list%5b1%5d") == 200);
        THEN("the element is said to exist no more")
        {
            CHECK_THAT(user.told(), Contains("exists=\"false\""));
        }
    }
}

SCENARIO("what a subscriber may not have is refused in SIP's words", "[xcap_diff]")
{
    Followed user;
    const SipText no_list =
        user.subscribe("Event: xcap-diff\r\n", "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\"/>");
    CHECK(no_list.status() == 400);
    const SipText published = [&] {
        (void)user.phone.request({.method = "SUBSCRIBE",
                                  .ruri = "sip:bob@127.0.0.1:" + std::to_string(user.server.port()),
                                  .headers = "Event: xcap-diff\r\n"});
        return user.phone.receive();
    }();
    CHECK(published.status() == 401);
    CHECK(user.subscribe("Event: xcap-diff\r\n").status() == 200); // and all goes on
    CHECK_THAT(user.told(), StartsWith("<?xml"));
}
