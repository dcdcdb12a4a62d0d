// modules/tm/ua_real_test.cpp - dialogs over the real transactions and sockets, against a party that speaks
// by hand
#include "modules/tm/tm.h"
#include "modules/tm/ua_test_support.h"
#include "test/support/running_server.h"

#include <functional>

namespace sipyard::tm {
namespace {

// A host that reads its sockets and asks the hooks, as the server does; what nobody takes goes to `script`.
struct Loopback final : test::FakeHost, net::MessageHandler {
    Loopback() : FakeHost{Options{1, log::Level::info, true}}
    {
        net::Listener listener;
        listener.bound = *net::Address::parse("127.0.0.1", 0);
        socket = &network().add_listener(listener);
    }
    ~Loopback() override = default;
    void add_message_hook(MessageHook& h) override { hook = &h; }
    void on_message(task::Worker& worker, const net::Received& from, std::string_view bytes) override
    {
        (void)worker.spawn([this, from, text = std::string{bytes}] {
            Arena arena;
            const auto message = sip::Message::parse(text, arena);
            if (!message)
                return;
            Request request{*this, arena, **message, from,
                            (*message)->is_reply() ? Route::core_reply : Route::request};
            if ((*message)->is_reply())
                (void)hook->take_reply(request);
            else if (!hook->take_request(request) && script)
                script(request);
        });
    }
    void on_send_failed(const net::Destination& to, std::string_view bytes, const Error& why) override
    {
        hook->send_failed(to, bytes, why);
    }

    const net::Listener* socket;
    MessageHook* hook = nullptr;
    std::function<void(Request&)> script;
};

struct Owner final : DialogOwner {
    std::function<void(const DialogReply&)> reply;
    void on_reply(const DialogReply& r) override
    {
        if (reply)
            reply(r);
    }
    void on_ack(DialogId, std::uint32_t, const sip::Message& message) override
    {
        ack_body = message.body();
        acknowledged.signal();
    }
    void on_ended(const DialogEnded& e) override
    {
        if ((e.dialog.fork == 0) != only_set)
            return;
        why = e.why;
        ended.signal();
    }
    std::string ack_body;
    Ended why = Ended::dropped;
    bool only_set = false;
    task::Event acknowledged, ended;
};

struct Line { // the server and the party
    Loopback host;
    Tm tm{Settings{}, host};
    std::unique_ptr<UserAgent> ua = std::make_unique<UserAgent>(tm, host);
    std::shared_ptr<Owner> owner = std::make_shared<Owner>();
    std::unique_ptr<test::UdpClient> party;

    Line()
    {
        tm.takers().add(*ua);
        host.start_workers();
        const auto started = host.network().start(host);
        INFO(why(started));
        REQUIRE(started);
        party = std::make_unique<test::UdpClient>(host.socket->bound.port);
    }
    ~Line()
    {
        host.network().stop();
        host.runtime().stop(1s);
        ua.reset();
    }
    // The next message that begins so; others are passed over.
    std::string wait_for(std::string_view start)
    {
        for (int i = 0; i < 20; ++i) {
            auto text = party->receive();
            if (text.empty() || text.starts_with(start))
                return text;
        }
        return {};
    }
    static std::string_view field(const std::string& text, std::string_view name)
    {
        return line_value(text, name);
    }
    void answer(const std::string& to, int code, std::string_view more = {}, std::string_view body = {})
    {
        const auto to_value = field(to, "To");
        party->send(format("SIP/2.0 {} Reason\r\nVia: {}\r\nFrom: {}\r\nTo: {}{}\r\nCall-ID: {}\r\nCSeq: "
                           "{}\r\nContact: <sip:bob@127.0.0.1:{}>\r\n{}"
                           "Content-Length: {}\r\n\r\n{}",
                           code, field(to, "Via"), field(to, "From"), to_value,
                           to_value.find(";tag=") == std::string_view::npos ? ";tag=B" : "",
                           field(to, "Call-ID"), field(to, "CSeq"), party->port(), more, body.size(), body));
    }
    // In the dialog of an INVITE of ours; a From and a To of theirs.
    std::string ask(std::string_view method, int cseq, std::string_view from, std::string_view to,
                    std::string_view call_id, std::string_view body = {})
    {
        party->send(format(
            "{} sip:al@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP "
            "127.0.0.1:{};branch=z9hG4bK{}{}\r\nMax-Forwards: 70\r\nFrom: {}\r\nTo: {}\r\n"
            "Call-ID: {}\r\nCSeq: {} {}\r\nContact: <sip:bob@127.0.0.1:{}>\r\nContent-Length: {}\r\n\r\n{}",
            method, party->port(), method, cseq, from, to, call_id, cseq, method == "ACK" ? "ACK" : method,
            party->port(), body.size(), body));
        return method == "ACK" ? std::string{} : wait_for("SIP/2.0");
    }
    DialogId start()
    {
        DialogSetup setup;
        setup.owner = owner;
        const std::string uri = format("sip:bob@127.0.0.1:{}", party->port());
        const std::string to = "<" + uri + ">";
        setup.request_uri = uri;
        setup.from = "<sip:al@a.example>";
        setup.to = to;
        setup.contact_user = "al";
        setup.content_type = "application/sdp";
        setup.body = "v=0 offer";
        DialogId id;
        host.on_fiber([&] {
            const auto started = ua->start(setup);
            INFO(why(started));
            REQUIRE(started);
            id = *started;
        });
        return id;
    }
};

} // namespace

TEST_CASE("a call out, over the wire", "[tm][ua]")
{
    Line line;
    line.owner->reply = [&](const DialogReply& r) {
        if (r.code == 200 && r.needs_ack)
            line.ua->ack(r.dialog, "application/sdp", "v=0 ack", {});
    };
    const auto set = line.start();
    const std::string invite = line.wait_for("INVITE");
    REQUIRE(!invite.empty());
    CHECK(Line::field(invite, "Contact") == format("<sip:al@127.0.0.1:{}>", line.host.socket->bound.port));
    CHECK(invite.ends_with("v=0 offer"));
    line.answer(invite, 180);
    line.answer(invite, 200, "Allow: INVITE, UPDATE\r\n", "v=0 answer");
    const std::string ack = line.wait_for("ACK");
    CHECK(ack.ends_with("v=0 ack"));
    CHECK(Line::field(ack, "To").ends_with(";tag=B"));
    line.answer(invite, 200); // as if the ACK was lost
    CHECK(line.wait_for("ACK").ends_with("v=0 ack"));

    const std::string theirs{Line::field(ack, "To")}, ours{Line::field(ack, "From")},
        call{Line::field(ack, "Call-ID")};
    CHECK(line.ask("INFO", 1, theirs, ours, call).starts_with("SIP/2.0 200"));
    CHECK(line.ask("MESSAGE", 2, theirs, ours, call).starts_with("SIP/2.0 405"));
    CHECK(line.ask("INFO", 77, theirs, ours, call + "x").starts_with("SIP/2.0 481"));
    std::string refused = line.ask("INVITE", 3, theirs, ours, call, "v=0 hold");
    for (int i = 0; i < 3 && refused.starts_with("SIP/2.0 1"); ++i)
        refused = line.wait_for("SIP/2.0");
    CHECK(refused.starts_with("SIP/2.0 488"));
    // The branch of the INVITE, as the ACK to a refusal has it.
    line.party->send(format("ACK sip:al@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP "
                            "127.0.0.1:{};branch=z9hG4bKINVITE3\r\nMax-Forwards: 70\r\nFrom: {}\r\nTo: {}\r\n"
                            "Call-ID: {}\r\nCSeq: 3 ACK\r\nContent-Length: 0\r\n\r\n",
                            line.party->port(), theirs, ours, call));
    line.host.on_fiber([&] { line.ua->bye({set.set, 1}, {}, 0); });
    const std::string bye = line.wait_for("BYE");
    REQUIRE(!bye.empty());
    line.answer(bye, 200);
    CHECK(line.owner->ended.wait(line.host.clock().now() + 5s));
    CHECK(line.owner->why == Ended::local_bye);
}

TEST_CASE("a call out, cancelled", "[tm][ua]")
{
    Line line;
    line.owner->only_set = true;
    line.owner->reply = [&](const DialogReply& r) {
        if (r.code == 180)
            line.ua->cancel(r.dialog.whole(), "Reason: SIP;cause=487\r\n");
    };
    line.start();
    const std::string invite = line.wait_for("INVITE");
    REQUIRE(!invite.empty());
    line.answer(invite, 180);
    const std::string cancel = line.wait_for("CANCEL");
    REQUIRE(!cancel.empty());
    CHECK(Line::field(cancel, "Reason") == "SIP;cause=487");
    line.answer(cancel, 200);
    line.answer(invite, 487);
    CHECK(!line.wait_for("ACK").empty());
    CHECK(line.owner->ended.wait(line.host.clock().now() + 5s));
    CHECK(line.owner->why == Ended::cancelled);
}

TEST_CASE("a call in, over the wire", "[tm][ua]")
{
    Line line;
    Dialogs::Accepted call;
    task::Event taken;
    line.host.script = [&](Request& request) {
        CalleeSetup setup;
        setup.owner = line.owner;
        setup.contact_user = "al";
        const auto accepted = line.ua->accept(request, setup);
        if (accepted) {
            call = *accepted;
            taken.signal();
        }
    };
    line.party->send(format("INVITE sip:al@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP "
                            "127.0.0.1:{};branch=z9hG4bKin\r\nMax-Forwards: 70\r\nFrom: <sip:bob@b>;tag=B\r\n"
                            "To: <sip:al@a>\r\nCall-ID: in\r\nCSeq: 9 INVITE\r\nContact: "
                            "<sip:bob@127.0.0.1:{}>\r\nContent-Length: 0\r\n\r\n",
                            line.party->port(), line.party->port()));
    REQUIRE(taken.wait(line.host.clock().now() + 5s));
    SECTION("answered, hung up by them")
    {
        line.host.on_fiber([&] {
            line.ua->reply(call.dialog, call.id, {180, "Ringing", {}, {}, {}}, false);
            line.ua->reply(call.dialog, call.id, {200, "OK", {}, "application/sdp", "v=0 us"}, false);
        });
        const std::string ringing = line.wait_for("SIP/2.0 180"), ok = line.wait_for("SIP/2.0 200"),
                          again = line.wait_for("SIP/2.0 200");
        CHECK(Line::field(ringing, "To") == Line::field(ok, "To"));
        CHECK(ok.ends_with("v=0 us"));
        CHECK(again == ok); // after T1, to the byte
        line.ask("ACK", 9, "<sip:bob@b>;tag=B", Line::field(ok, "To"), "in", "v=0 them");
        CHECK(line.owner->acknowledged.wait(line.host.clock().now() + 5s));
        CHECK(line.owner->ack_body == "v=0 them");
        CHECK(line.ask("BYE", 10, "<sip:bob@b>;tag=B", Line::field(ok, "To"), "in").find("10 BYE") !=
              std::string::npos);
        CHECK(line.owner->ended.wait(line.host.clock().now() + 5s));
        CHECK(line.owner->why == Ended::remote_bye);
    }
    SECTION("cancelled by them")
    {
        line.party->send(
            format("CANCEL sip:al@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP "
                   "127.0.0.1:{};branch=z9hG4bKin\r\nMax-Forwards: 70\r\nFrom: <sip:bob@b>;tag=B\r\n"
                   "To: <sip:al@a>\r\nCall-ID: in\r\nCSeq: 9 CANCEL\r\nContent-Length: 0\r\n\r\n",
                   line.party->port()));
        CHECK(!line.wait_for("SIP/2.0 487").empty());
        CHECK(line.owner->ended.wait(line.host.clock().now() + 5s));
        CHECK(line.owner->why == Ended::remote_cancel);
    }
}

} // namespace sipyard::tm
