// modules/dialog/test_support.h - a call without a network: tm and rr as the tests play them, messages of
// both sides
#pragma once

#include "core/module/module.h"
#include "core/sip/message.h"
#include "modules/dialog/api.h"
#include "modules/rr/api.h"
#include "modules/tm/api.h"
#include "test/support/catch.h"
#include "test/support/run_script.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

extern "C" const sipyard::ModuleEntry* sipyard_module();

namespace sipyard::dialog {

class PlayedRr final : public rr::Api {
public:
    std::string params; // what was added to Record-Route
    std::vector<rr::Listener*> listeners;
    Result<void> add_param(Request&, std::string_view text) override
    {
        return params += text, Result<void>{};
    }
    std::optional<std::string_view> route_param(Request&, std::string_view) override { return {}; }
    rr::Direction direction(Request&) override { return rr::Direction::downstream; }
    void add_listener(rr::Listener& listener) override { listeners.push_back(&listener); }
    void set_flow_tokens(rr::FlowTokens&) override {}
};

class PlayedTm final : public tm::Api {
public:
    struct Sent {
        std::string method, uri, from, to, headers;
        std::uint32_t cseq;
        tm::OnReply on_reply;
    };
    tm::Watcher* watcher = nullptr;
    std::vector<std::unique_ptr<Sent>> sent;
    tm::Moments moments = 0;
    std::uint64_t note = 0;

    void begin_watching(Request& of)
    {
        moments = static_cast<tm::Moments>(moments | watcher->wants(of, note));
    }
    void happen(tm::Moment what, Request* of, int code = 0, Request* reply = nullptr)
    {
        if ((moments & static_cast<tm::Moments>(what)) == 0)
            return;
        Event event{of};
        event.what = what;
        event.note = note;
        event.code = code;
        event.reply = reply;
        event.to_tag = reply ? reply->message().to_tag() : std::string_view{};
        watcher->on(event);
    }
    void answer(std::size_t n, int code)
    {
        tm::Incoming in;
        in.code = code;
        in.last = true;
        sent[n]->on_reply(in);
    }
    Result<tm::Begun> begin(Request&) override { return tm::Begun::created; }
    tm::TransactionId of(Request&) override { return {}; }
    Verdict relay(Request&) override { return Verdict::yes(); }
    bool is_merged(Request&) override { return false; }
    std::string_view local_tag(Request&) override { return "t"; }
    Result<void> reply(tm::TransactionId, const Reply&) override { return {}; }
    Result<void> with_request(tm::TransactionId, Function<void(Request&)>) override { return {}; }
    Result<tm::TransactionId> suspend(Request&) override { return tm::TransactionId{}; }
    Result<void> resume(tm::TransactionId, std::string_view) override { return {}; }
    void add_watcher(tm::Watcher& w) override { watcher = &w; }
    Result<tm::TransactionId> send(const tm::Outgoing& out, tm::OnReply on_reply) override
    {
        sent.push_back(std::make_unique<Sent>(Sent{std::string{out.method}, std::string{out.request_uri},
                                                   std::string{out.from}, std::string{out.to},
                                                   std::string{out.headers}, out.cseq, std::move(on_reply)}));
        return tm::TransactionId{1, 1};
    }
    Result<tm::Answer> ask(const tm::Outgoing&, Arena&) override { return tm::Answer{}; }
    Result<void> send_once(const tm::Outgoing&) override { return {}; }
    Result<void> cancel(tm::TransactionId, std::string_view) override { return {}; }

private:
    struct Event final : tm::Happening {
        explicit Event(Request* r) : of{r} {}
        Request* request() const override { return of; }
        Request* of;
    };
};

// A server with the module and a script, and one call: alice (tag A, contact a) rings bob (tag B, contact b).
struct Played {
    explicit Played(std::string_view params = "", std::string_view body = "dlg_manage();",
                    std::string_view more = "")
    {
        host.offer<tm::Api>(tm);
        host.offer<rr::Api>(rr);
        script = std::make_unique<test::ScriptFixture>(
            host, std::vector<AnyManifest>{sipyard_module()->manifest()});
        const bool loaded = script->load(
            format("loadmodule \"dialog.so\"\n{}\nrequest_route {{\n{}\n}}\n{}\n", params, body, more));
        INFO(script->errors());
        REQUIRE(loaded);
        api = static_cast<Api*>(sipyard_module()->manifest().offers.at(0).cast(script->module("dialog")));
    }
    std::string request(std::string_view method, int number, std::string_view from_tag,
                        std::string_view to_tag, std::string_view contact = "sip:a@192.0.2.7:5070",
                        std::string_view call_id = "c1")
    {
        return format(
            "{} sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7:5070;branch=z9hG4bK{}{}\r\n"
            "Record-Route: <sip:p1.example.org;lr>\r\nFrom: {};tag={}\r\nTo: {}{}{}\r\nCall-ID: {}\r\nCSeq: "
            "{} {}\r\n"
            "Contact: <{}>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
            method, method, number, from_tag == "B" ? "<sip:bob@example.com>" : "<sip:alice@example.org>",
            from_tag, from_tag == "B" ? "<sip:alice@example.org>" : "<sip:bob@example.com>",
            to_tag.empty() ? "" : ";tag=", to_tag, call_id, number, method, contact);
    }
    std::string reply(int code, std::string_view to_tag, std::string_view contact = "sip:b@192.0.2.9:5080")
    {
        return format(
            "SIP/2.0 {} X\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKours\r\nRecord-Route: "
            "<sip:p2.example.com;lr>, "
            "<sip:127.0.0.1;lr;did={}>, <sip:p1.example.org;lr>\r\nFrom: <sip:alice@example.org>;tag=A\r\n"
            "To: <sip:bob@example.com>;tag={}\r\nCall-ID: c1\r\nCSeq: 1 INVITE\r\nContact: "
            "<{}>\r\nContent-Length: 0\r\n\r\n",
            code, cookie(), to_tag, contact);
    }
    std::string cookie() const
    {
        return rr.params.substr(rr.params.find("did=") == std::string::npos ? 0
                                                                            : rr.params.rfind("did=") + 4);
    }

    Verdict invite(std::string_view call_id = "c1")
    {
        rr.params.clear();
        begun = std::make_unique<test::Messenger>(
            host, request("INVITE", 1, "A", "", "sip:a@192.0.2.7:5070", call_id));
        const Verdict verdict = script->engine().run_request(**begun);
        tm.moments = 0, tm.note = 0;
        tm.begin_watching(**begun);
        return verdict;
    }
    void replied(int code, std::string_view tag = "B")
    {
        test::Messenger message{host, reply(code, tag), Route::tm_reply};
        tm.happen(tm::Moment::reply_next, &**begun, code, &*message);
        tm.happen(tm::Moment::reply_out, &**begun, code, &*message);
    }
    // A request of either side that loose_route() finds our Route in.
    void within(std::string_view method, int number, std::string_view from_tag, std::string_view to_tag,
                std::string_view params)
    {
        test::Messenger message{host, request(method, number, from_tag, to_tag)};
        for (rr::Listener* const listener : rr.listeners)
            listener->on_loose_route(*message, sip::ParamsView{params});
    }
    void within(std::string_view method, int number, std::string_view from_tag = "A",
                std::string_view to_tag = "B")
    {
        within(method, number, from_tag, to_tag, ";lr;did=" + cookie());
    }
    void answered() { invite(), replied(180), replied(200), within("ACK", 1); }
    std::optional<Dialog> dialog(std::string_view from = "A", std::string_view to = "B")
    {
        return api->find("c1", from, to);
    }
    int state()
    {
        const auto d = dialog();
        return d ? static_cast<int>(d->state) : 0;
    }

    test::FakeHost host;
    PlayedTm tm;
    PlayedRr rr;
    std::unique_ptr<test::ScriptFixture> script;
    std::unique_ptr<test::Messenger> begun;
    Api* api = nullptr;
};

} // namespace sipyard::dialog
