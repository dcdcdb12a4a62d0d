// modules/tm/ua_test_support.h - a tm that sends nothing and a party at the other end, for tests of dialogs
#pragma once

#include "core/base/text.h"
#include "core/sip/message.h"
#include "modules/tm/ua_dialogs.h"
#include "test/support/catch.h"
#include "test/support/fake_host.h"

#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace sipyard::tm {

struct Left { // a request of ours as tm got it
    std::string method, request_uri, next_hop, from, to, call_id, headers, content_type, body;
    std::uint32_t cseq = 0;
    TransactionId id;
};
struct Given { // a reply of ours
    TransactionId id;
    int code = 0;
    std::string headers, body;
};

class FakeTm final : public Api {
public:
    explicit FakeTm(test::FakeHost& host) : host_{host} {}
    ~FakeTm() override = default;

    Result<Begun> begin(Request& request) override
    {
        if (request.message().method() == sip::Method::ack) {
            ++acks_passed;
            return Begun::absorbed;
        }
        current_ = {1, ++generations_};
        std::uint64_t note = 0;
        if (watcher_ && watcher_->wants(request, note))
            notes_[current_.generation] = note;
        return Begun::created;
    }
    TransactionId of(Request& request) override
    {
        return request.message().method() == sip::Method::cancel ? TransactionId{}
                                                                 : std::exchange(current_, {});
    }
    Verdict relay(Request&) override { return {}; }
    bool is_merged(Request&) override { return false; }
    std::string_view local_tag(Request&) override { return "callee-tag"; }
    Result<void> reply(TransactionId id, const Reply& reply) override
    {
        if (finals_[id.generation])
            return Error{ErrorKind::not_found, "it has had its final reply"};
        finals_[id.generation] = reply.code >= 200;
        given.push_back({id, reply.code, std::string{reply.headers}, std::string{reply.body}});
        return {};
    }
    Result<void> with_request(TransactionId, Function<void(Request&)>) override { return {}; }
    Result<TransactionId> suspend(Request&) override { return TransactionId{}; }
    Result<void> resume(TransactionId, std::string_view) override { return {}; }
    void add_watcher(Watcher& watcher) override { watcher_ = &watcher; }
    Result<TransactionId> send(const Outgoing& out, OnReply on_reply) override
    {
        if (refuse_sends)
            return Error{ErrorKind::io, "no way there"};
        const TransactionId id{2, ++generations_};
        left.push_back(copy(out, id));
        waiting_.emplace(id.generation, std::move(on_reply));
        return id;
    }
    Result<Answer> ask(const Outgoing&, Arena&) override { return Error{ErrorKind::unsupported, "not here"}; }
    Result<void> send_once(const Outgoing& out) override
    {
        left.push_back(copy(out, {}));
        return {};
    }
    Result<void> cancel(TransactionId id, std::string_view) override
    {
        cancelled.push_back(id);
        return {};
    }

    // --- the other end ---
    // Answers that request of ours; `more` are header lines.
    void answer(const Left& to, int code, std::string_view tag, std::string_view more = {},
                std::string_view body = {}, bool last = false)
    {
        std::string text = format("SIP/2.0 {} Reason\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: "
                                  "{}\r\nTo: {}{}{}\r\nCall-ID: {}\r\nCSeq: {} {}\r\n",
                                  code, to.from, to.to,
                                  tag.empty() || to.to.find(";tag=") != std::string::npos ? "" : ";tag=",
                                  to.to.find(";tag=") != std::string::npos ? std::string_view{} : tag,
                                  to.call_id, to.cseq, to.method);
        if (more.find("Contact:") == std::string_view::npos)
            text += "Contact: <sip:bob@192.0.2.2>\r\n";
        text += more;
        text += format("Content-Length: {}\r\n\r\n", body.size());
        text += body;
        host_.on_fiber([&] {
            Arena arena;
            auto& message = **sip::Message::parse(arena.copy(text), arena);
            Request reply{host_, arena, message, {}, Route::core_reply};
            waiting_.at(to.id.generation)({to.id, code, "Reason", &reply, last || code >= 300, false});
        });
        settle();
    }
    void no_answer(const Left& to, int code)
    {
        host_.on_fiber([&] {
            waiting_.at(to.id.generation)({to.id, code, "Made here", nullptr, true, false});
        });
        settle();
    }
    void cancel_in(TransactionId id)
    {
        struct Told final : Happening {
            Request* request() const override { return nullptr; }
        } told;
        told.what = Moment::cancel_in;
        told.id = id;
        told.note = notes_[id.generation];
        host_.on_fiber([&] { watcher_->on(told); });
        settle();
    }
    void settle() { host_.advance(0ns); }
    std::vector<Left> take_left() { return std::exchange(left, {}); }
    std::vector<Given> take_given() { return std::exchange(given, {}); }
    int final_code(TransactionId id) const
    {
        for (auto at = given.rbegin(); at != given.rend(); ++at)
            if (at->id == id)
                return at->code;
        return 0;
    }

    std::vector<Left> left;
    std::vector<Given> given;
    std::vector<TransactionId> cancelled;
    int acks_passed = 0;
    bool refuse_sends = false;

private:
    static Left copy(const Outgoing& o, TransactionId id)
    {
        return {std::string{o.method},
                std::string{o.request_uri},
                std::string{o.next_hop},
                std::string{o.from},
                std::string{o.to},
                std::string{o.call_id},
                std::string{o.headers},
                std::string{o.content_type},
                std::string{o.body},
                o.cseq,
                id};
    }
    test::FakeHost& host_;
    Watcher* watcher_ = nullptr;
    TransactionId current_;
    std::uint32_t generations_ = 0;
    std::map<std::uint32_t, OnReply> waiting_;
    std::map<std::uint32_t, bool> finals_;
    std::map<std::uint32_t, std::uint64_t> notes_;
};

// Writes down what it is told: "180/1+" a reply in fork 1 that made it, "INFO/1", "end/1 local_bye".
class Notebook : public DialogOwner {
public:
    void on_reply(const DialogReply& r) override
    {
        last_reply = r;
        last_reply.message = nullptr;
        lines.push_back(format("{}{}/{}{}{}{}", r.method == "INVITE" ? "" : std::string{r.method} + " ",
                               r.code, r.dialog.fork, r.created ? "+" : "", r.late ? " late" : "",
                               r.rseq ? " rseq" : ""));
    }
    bool on_request(const DialogRequest& r) override
    {
        last_request = r.id;
        lines.push_back(format("{}/{}", r.request.message().method_text(), r.dialog.fork));
        return answers;
    }
    void on_ack(DialogId d, std::uint32_t, const sip::Message& ack) override
    {
        lines.push_back(format("ACK/{} {}", d.fork, ack.body()));
    }
    void on_prack(DialogId d, std::uint32_t) override { lines.push_back(format("pracked/{}", d.fork)); }
    void on_ended(const DialogEnded& e) override
    {
        lines.push_back(
            format("end/{} {}{}", e.dialog.fork, to_text(e.why), e.subscriptions ? " but subscribed" : ""));
    }
    std::string take()
    {
        std::string all;
        for (const auto& line : std::exchange(lines, {}))
            all += (all.empty() ? "" : ", ") + line;
        return all;
    }
    std::vector<std::string> lines;
    DialogReply last_reply;
    TransactionId last_request;
    bool answers = true;
};

struct UaBench {
    test::FakeHost host;
    FakeTm tm{host};
    std::unique_ptr<UserAgent> ua = std::make_unique<UserAgent>(tm, host);
    std::shared_ptr<Notebook> owner = std::make_shared<Notebook>();

    UaBench() { host.start_workers(); }
    ~UaBench() { ua.reset(); }

    DialogSetup setup(std::string_view method = "INVITE") const
    {
        DialogSetup s;
        s.owner = owner;
        s.method = method;
        s.request_uri = "sip:bob@b.example";
        s.from = "<sip:al@a.example>";
        s.to = "<sip:bob@b.example>";
        s.contact = "<sip:al@192.0.2.1>";
        s.content_type = "application/sdp";
        s.body = "v=0";
        return s;
    }
    DialogId start(const DialogSetup& s)
    {
        DialogId id;
        host.on_fiber([&] {
            const auto started = ua->start(s);
            REQUIRE(started);
            id = *started;
        });
        tm.settle();
        return id;
    }
    template <class F>
    void act(F&& f) // an operation, and what follows from it
    {
        host.on_fiber([&] { f(*ua); });
        tm.settle();
    }
    // A request of the other end in the dialog of that INVITE of ours; `cseq` with its method.
    bool incoming(const Left& invite, std::string_view tag, std::string_view cseq, std::string_view more = {},
                  std::string_view body = {})
    {
        const auto method = cseq.substr(cseq.find(' ') + 1);
        return raw(format("{} sip:al@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP "
                          "192.0.2.2;branch=z9hG4bK{}\r\nFrom: <sip:bob@b.example>;tag={}\r\n"
                          "To: {}\r\nCall-ID: {}\r\nCSeq: {}\r\n",
                          method, ++branches, tag, invite.from, invite.call_id, cseq),
                   more, body);
    }
    bool raw(std::string text, std::string_view more = {}, std::string_view body = {})
    {
        text += more;
        text += format("Content-Length: {}\r\n\r\n", body.size());
        text += body;
        bool taken = false;
        host.responder.clear();
        host.on_fiber([&] {
            Arena arena;
            const auto parsed = sip::Message::parse(arena.copy(text), arena);
            REQUIRE(parsed);
            net::Received from;
            from.source = *net::Address::parse("127.0.0.1", 5099);
            Request request{host, arena, **parsed, from, Route::request};
            taken = ua->take(request);
        });
        tm.settle();
        return taken;
    }
    int stateless() const { return host.responder.last_code(); }
    int branches = 0;
};

} // namespace sipyard::tm
