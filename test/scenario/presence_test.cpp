// test/scenario/presence_test.cpp - etc/blf.cfg with phones on real sockets: lamps, restarts, connections,
// commands
#include "test/support/catch.h"
#include "test/support/running_server.h"
#include "test/support/sip_peer.h"

#include <csignal>

using namespace sipyard;
using namespace sipyard::test;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

const std::string dialog_type = "application/dialog-info+xml";

std::string call_of(const std::string& state, const std::string& id = "d1")
{
    return "<?xml version=\"1.0\"?><dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"0\" "
           "state=\"full\" entity=\"sip:bob@127.0.0.1\"><dialog id=\"" +
           id + "\" call-id=\"c-" + id + "\" direction=\"recipient\"><state>" + state +
           "</state></dialog></dialog-info>";
}

struct Lamps {
    TempDir folder;
    std::string database = folder.file("blf.db");
    std::map<std::string, std::string> defines() const
    {
        return {{"DBURL", "\"sqlite://" + database + "\""}};
    }
    RunningServer::Options options() const
    {
        RunningServer::Options options;
        options.defines = defines();
        return options;
    }
};

struct Phone : SipPeer {
    using SipPeer::SipPeer;
    SipText publish(std::uint16_t server, const std::string& body,
                    const std::string& headers = "Expires: 600\r\n", int cseq = 1)
    {
        return request({.method = "PUBLISH",
                        .ruri = "sip:bob@127.0.0.1:" + std::to_string(server),
                        .headers = "Event: dialog\r\n" + headers,
                        .body = body,
                        .content_type = body.empty() ? "" : dialog_type,
                        .cseq = cseq});
    }
    SipText subscribe(std::uint16_t server, const std::string& headers = "Expires: 600\r\n", int cseq = 1,
                      const std::string& call_id = {}, const std::string& to_tag = {})
    {
        return request({.method = "SUBSCRIBE",
                        .ruri = "sip:bob@127.0.0.1:" + std::to_string(server),
                        .call_id = call_id,
                        .to_tag = to_tag,
                        .headers = "Event: dialog\r\n" + headers,
                        .cseq = cseq});
    }
    SipText notified() // and answered
    {
        SipText notify = expect("NOTIFY");
        if (notify)
            (void)reply(notify, 200);
        return notify;
    }
};

std::string tag_of(const SipText& message)
{
    const std::string to = message.header("To");
    return to.substr(to.find("tag=") + 4);
}
int cseq_of(const SipText& message) { return std::atoi(message.header("CSeq").c_str()); }

} // namespace

SCENARIO("a lamp follows its line", "[presence]")
{
    Lamps lamps;
    RunningServer server{"etc/blf.cfg", lamps.options()};
    Phone bob{server.port(), "bob"}, desk{server.port(), "desk"};
    INFO(server.log());

    const SipText asked = desk.subscribe(server.port());
    const SipText accepted = desk.expect(200);
    CHECK(accepted.header("Expires") == "600");
    CHECK_THAT(accepted.header("Contact"), StartsWith("<sip:127.0.0.1:"));
    SipText notify = desk.notified();
    CHECK(notify.header("Subscription-State") == "active;expires=600");
    CHECK(notify.header("Event") == "dialog");
    CHECK(notify.header("Max-Forwards") == "70");
    CHECK_THAT(notify.body(),
               Contains("version=\"0\"") && Contains("state=\"full\"") && !Contains("<dialog "));
    CHECK(notify.ruri() == desk.uri());

    // P01, P17: a copy of the PUBLISH gets the same answer and is no second publication.
    const SipText ringing = bob.publish(server.port(), call_of("early"));
    const SipText first = bob.expect(200);
    CHECK(!first.header("SIP-ETag").empty());
    bob.send(ringing.text);
    CHECK(bob.expect(200).header("SIP-ETag") == first.header("SIP-ETag"));
    notify = desk.notified();
    CHECK_THAT(notify.body(), Contains("version=\"1\"") && Contains("<state>early</state>"));
    CHECK(sqlite(lamps.database, "select username, domain, event, etag from presentity") ==
          "bob|127.0.0.1|dialog|" + first.header("SIP-ETag") + "\n");
    CHECK(sqlite(lamps.database,
                 "select presentity_uri, watcher_username, event, status from active_watchers") ==
          "sip:bob@127.0.0.1|desk|dialog|1\n");

    // P02: a refresh; P05: the call is answered; P06, P07: it is over.
    (void)bob.publish(server.port(), {}, "Expires: 600\r\nSIP-If-Match: " + first.header("SIP-ETag") + "\r\n",
                      2);
    const SipText second = bob.expect(200);
    (void)bob.publish(server.port(), call_of("confirmed"),
                      "Expires: 600\r\nSIP-If-Match: " + second.header("SIP-ETag") + "\r\n", 3);
    const SipText third = bob.expect(200);
    const int before = cseq_of(notify);
    notify = desk.notified();
    CHECK(cseq_of(notify) == before + 1); // none for the refresh
    CHECK_THAT(notify.body(), Contains("version=\"2\"") && Contains("<state>confirmed</state>"));
    (void)bob.publish(server.port(), {}, "Expires: 0\r\nSIP-If-Match: " + third.header("SIP-ETag") + "\r\n",
                      4);
    CHECK(bob.expect(200).header("Expires") == "0");
    notify = desk.notified();
    CHECK_THAT(notify.body(), Contains("version=\"3\"") && !Contains("confirmed"));

    // S05
    (void)desk.subscribe(server.port(), "Expires: 0\r\n", 2, asked.header("Call-ID"), tag_of(accepted));
    CHECK(desk.expect(200).header("Expires") == "0");
    CHECK(desk.notified().header("Subscription-State") == "terminated;reason=timeout");
    CHECK(
        wait_until([&] { return sqlite(lamps.database, "select count(*) from active_watchers") == "0\n"; }));
    (void)desk.subscribe(server.port(), "Expires: 600\r\n", 3, asked.header("Call-ID"), tag_of(accepted));
    CHECK(desk.expect(481));
    CHECK(desk.hears_nothing());
    CHECK(server.stop());
}

SCENARIO("what is wrong with a request is said in its answer", "[presence]")
{
    Lamps lamps;
    RunningServer server{"etc/blf.cfg", lamps.options()};
    Phone bob{server.port(), "bob"};
    const std::string uri = "sip:bob@127.0.0.1:" + std::to_string(server.port());
    const struct {
        const char* story;
        std::string method, headers, body;
        int code;
        std::string header, value;
    } rows[] = {
        {"P11 no Event", "PUBLISH", "", "x", 489, "Allow-Events", "dialog"},
        {"P11 an unknown one", "PUBLISH", "Event: weather\r\n", "x", 489, "Allow-Events", "dialog"},
        {"S an unknown one", "SUBSCRIBE", "Event: weather\r\n", "", 489, "Allow-Events", "dialog"},
        {"P12", "PUBLISH", "Event: dialog\r\nExpires: 1\r\n", "x", 423, "Min-Expires", "20"},
        {"P14 another type", "PUBLISH", "Event: dialog\r\nContent-Type: text/plain\r\n", "x", 415, "Accept",
         dialog_type},
        {"P14 not well formed", "PUBLISH", "Event: dialog\r\nContent-Type: application/dialog-info+xml\r\n",
         "<dialog-info", 400, "Expires", ""},
        {"P15 a bomb", "PUBLISH", "Event: dialog\r\nContent-Type: application/dialog-info+xml\r\n",
         "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>", 400, "Expires", ""},
        {"S09", "SUBSCRIBE", "Event: dialog\r\nAccept: application/pidf+xml\r\n", "", 406, "Accept",
         dialog_type},
        {"S20", "SUBSCRIBE", "Event: dialog\r\nRequire: foo\r\n", "", 420, "Unsupported", "foo"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        (void)bob.request({.method = row.method, .ruri = uri, .headers = row.headers, .body = row.body});
        const SipText reply = bob.expect(row.code);
        CHECK(reply);
        CHECK(reply.header(row.header) == row.value);
    }
    CHECK(bob.hears_nothing(50));
}

SCENARIO("a watcher on a connection gets its answer first and all on that connection", "[presence]")
{
    Lamps lamps;
    RunningServer server{"etc/blf.cfg", lamps.options()};
    Phone bob{server.port(), "bob"}, desk{server.port(), "desk", SipPeer::Over::tcp};
    for (int i = 0; i < 5; ++i) {
        (void)desk.subscribe(server.port(), "Expires: 600\r\n", 1, "call" + std::to_string(i));
        const SipText first = desk.receive();
        CHECK(first.status() == 200);
        const SipText second = desk.receive();
        CHECK(second.is_request("NOTIFY"));
        (void)desk.reply(second, 200);
    }
    (void)bob.publish(server.port(), call_of("early"));
    CHECK(bob.expect(200));
    for (int i = 0; i < 5; ++i)
        CHECK_THAT(desk.notified().body(), Contains("early"));
}

SCENARIO("a killed server knows its publications and watchers again", "[presence]")
{
    Lamps lamps;
    ServerProcess server{"etc/blf.cfg", lamps.defines()};
    Phone bob{server.port(), "bob"}, desk{server.port(), "desk"};
    const SipText asked = desk.subscribe(server.port());
    const SipText accepted = desk.expect(200);
    REQUIRE(accepted);
    (void)desk.notified();
    (void)bob.publish(server.port(), call_of("early"));
    const std::string tag = bob.expect(200).header("SIP-ETag");
    const SipText before = desk.notified();
    CHECK_THAT(before.body(), Contains("early"));

    server.kill(SIGKILL);
    (void)server.wait();
    server.start();
    SipText notify = desk.notified(); // R8: told once, as nobody knows what it knows
    INFO(server.output());
    REQUIRE(notify);
    CHECK_THAT(notify.body(), Contains("early"));
    CHECK(cseq_of(notify) > cseq_of(before));
    // The tag works, and so does the dialog.
    (void)bob.publish(server.port(), call_of("terminated"), "Expires: 600\r\nSIP-If-Match: " + tag + "\r\n",
                      2);
    CHECK(bob.expect(200));
    CHECK_THAT(desk.notified().body(), Contains("terminated"));
    (void)desk.subscribe(server.port(), "Expires: 600\r\n", 2, asked.header("Call-ID"), tag_of(accepted));
    CHECK(desk.expect(200));
    CHECK_THAT(desk.notified().header("Subscription-State"), StartsWith("active"));
    server.kill(SIGTERM);
    CHECK(server.wait() == 0);
}

SCENARIO("operators see who watches whom, and may send all away", "[presence]")
{
    Lamps lamps;
    RunningServer server{"etc/blf.cfg", lamps.options()};
    Phone bob{server.port(), "bob"}, desk{server.port(), "desk"};
    (void)desk.subscribe(server.port());
    CHECK(desk.expect(200));
    CHECK(desk.expect("NOTIFY")); // not answered
    CHECK_THAT(server.rpc("presence.why", "[\"desk\"]"), Contains("a NOTIFY waits for its answer"));
    (void)bob.publish(server.port(), call_of("early"));
    CHECK(bob.expect(200));
    CHECK_THAT(server.rpc("presence.why", "[\"desk@127.0.0.1\"]"), Contains("newer state follows"));
    CHECK_THAT(server.rpc("presence.show", "[\"sip:bob@127.0.0.1\"]"),
               Contains("early") && Contains("sip:desk@127.0.0.1"));
    CHECK_THAT(server.rpc("presence.publications"), Contains("sip:bob@127.0.0.1"));
    CHECK_THAT(server.rpc("presence.presentity_list", "[\"full\"]"), Contains("dialog-info"));
    CHECK_THAT(server.rpc("presence.subscriptions"), Contains("\"in_flight\":true"));
    CHECK_THAT(server.rpc("presence.watcher_list", "[\"sip:bob@127.0.0.1\",\"dialog\"]"), Contains("desk"));
    CHECK_THAT(server.rpc("presence.subscription_show", "[1]"), Contains("\"call_id\""));
    CHECK_THAT(server.rpc("presence.stats"),
               Contains("\"subscriptions\":1") && Contains("\"publications\":1"));
    CHECK_THAT(server.rpc("presence.cleanup"), Contains("\"written\":true"));
    CHECK_THAT(server.rpc("presence.refreshWatchers", "[\"sip:bob@127.0.0.1\",\"dialog\",0]"),
               Contains("ok"));
    CHECK_THAT(server.rpc("presence.updateWatchers", "[\"sip:bob@127.0.0.1\",\"weather\"]"),
               Contains("error"));
    CHECK_THAT(server.rpc("presence.drain"), Contains("\"ended\":1"));
    SipText notify;
    for (int i = 0; i < 10 && notify.header("Subscription-State").rfind("terminated", 0) != 0; ++i)
        notify = desk.notified();
    CHECK(notify.header("Subscription-State") == "terminated;reason=deactivated");
    (void)desk.subscribe(server.port());
    CHECK(desk.expect(503).header("Retry-After") == "30");
    CHECK_THAT(server.rpc("presence.drain", "[\"off\"]"), Contains("\"draining\":false"));
    (void)desk.subscribe(server.port());
    CHECK(desk.expect(200));
}

SCENARIO("scripts look at subscriptions and at what watchers answer", "[presence]")
{
    TempDir folder;
    const std::string config = folder.write(
        "script.cfg",
        "auto_aliases=no\nlisten=udp:127.0.0.1:PORT\n"
        "loadmodule \"sl.so\"\nloadmodule \"pv.so\"\nloadmodule \"tm.so\"\nloadmodule \"xlog.so\"\n"
        "loadmodule \"siputils.so\"\nloadmodule \"textops.so\"\nloadmodule \"presence.so\"\nloadmodule "
        "\"presence_dialoginfo.so\"\n"
        "modparam(\"presence\", \"xavp_cfg\", \"pres\")\n"
        "request_route {\n"
        "  if (is_method(\"SUBSCRIBE\")) {\n"
        "    if (handle_subscribe(\"sip:anna@example.org\")) xlog(\"L_ERR\", "
        "\"took $subs(uri) of $subs(watcher_username) at $subs(watcher_domain) st $subs(status)\\n\");\n"
        "    exit;\n  }\n"
        "  if (pres_has_subscribers(\"sip:bob@127.0.0.1\", \"dialog\")) sl_send_reply(\"200\", "
        "\"watched\");\n"
        "  else sl_send_reply(\"404\", \"unwatched\");\n}\n"
        "event_route[presence:notify-reply] {\n"
        "  xlog(\"L_ERR\", \"answer $notify_reply($rs) from $subs(watcher_username)\\n\");\n"
        "  if ($rs == 403) $xavp(pres=>delete_subscription) = 1;\n}\n");
    RunningServer server{config};
    Phone desk{server.port(), "desk"};
    const auto watched = [&] {
        (void)desk.request({.method = "INFO", .ruri = "sip:x@127.0.0.1"});
        return desk.receive().status() == 200;
    };
    CHECK(!watched());
    (void)desk.subscribe(server.port());
    CHECK(desk.expect(200));
    const SipText notify = desk.expect("NOTIFY");
    CHECK(watched());
    (void)desk.reply(notify, 403, "No");
    CHECK(wait_until([&] { return !watched(); }));
    CHECK_THAT(server.log(), Contains("took sip:bob@127.0.0.1 of anna at example.org st 1"));
    CHECK_THAT(server.log(), Contains("answer 403 from anna"));
}
