// test/support/fake_tm.h - transactions without a network: what a module asks of tm is kept, what happens is
// told by the test
#pragma once

#include "modules/tm/api.h"

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sipyard::test {

// Answers are what a healthy tm would say, unless the test sets `refusal`. Off a fiber everything runs in the
// caller.
class FakeTm final : public tm::Api {
public:
    // --- what a test sets and looks at ---
    std::vector<tm::Watcher*> watchers;
    std::vector<tm::TransactionId> suspended;
    std::vector<std::pair<tm::TransactionId, std::string>> resumed; // with the route
    std::vector<std::pair<tm::TransactionId, int>> replies;
    std::vector<std::string> sent; // "METHOD ruri" of requests of our own
    struct Own {                   // the same, whole; on_reply answers it
        std::string method, request_uri, next_hop, from, to, call_id, headers, content_type, body;
        std::uint32_t cseq = 0;
        tm::OnReply on_reply;
    };
    std::vector<Own> own;
    std::string refusal;        // not empty: calls fail with it
    Request* request = nullptr; // what with_request() lends

    struct Told {
        int code = 0;
        std::string_view reason;
        Request* reply = nullptr;
        std::string_view to_tag;
        int branch = -1;
    };
    // The request's transaction begins; what the watchers want of it adds up over calls.
    tm::Moments begin_watching(Request& of)
    {
        tm::Moments all = 0;
        for (tm::Watcher* const watcher : watchers) {
            auto& [moments, note] = wants_[watcher];
            moments = static_cast<tm::Moments>(moments | watcher->wants(of, note));
            all = static_cast<tm::Moments>(all | moments);
        }
        return all;
    }
    // Tells the watchers that want it; says how many did.
    int happen(tm::Moment what, Request& of, const Told& told)
    {
        int heard = 0;
        for (tm::Watcher* const watcher : watchers) {
            const auto& [moments, note] = wants_[watcher];
            if ((moments & static_cast<tm::Moments>(what)) == 0)
                continue;
            Event event{of};
            event.what = what;
            event.id = {1, 1};
            event.note = note;
            event.code = told.code;
            event.reason = told.reason;
            event.branch = told.branch;
            event.reply = told.reply;
            event.to_tag = told.to_tag;
            watcher->on(event);
            ++heard;
        }
        return heard;
    }

    // --- tm::Api ---
    Result<tm::Begun> begin(Request&) override { return answer(tm::Begun::created); }
    tm::TransactionId of(Request&) override { return {1, 1}; }
    Verdict relay(Request&) override { return Verdict::of(refusal.empty()); }
    bool is_merged(Request&) override { return false; }
    std::string_view local_tag(Request&) override { return "fake-tag"; }
    Result<void> reply(tm::TransactionId id, const Reply& reply) override
    {
        replies.emplace_back(id, reply.code);
        return done();
    }
    Result<void> with_request(tm::TransactionId, Function<void(Request&)> f) override
    {
        if (!request)
            return Error{ErrorKind::not_found, "no such transaction"};
        f(*request);
        return done();
    }
    Result<tm::TransactionId> suspend(Request&) override
    {
        if (!refusal.empty())
            return Error{ErrorKind::other, refusal};
        suspended.push_back({static_cast<std::uint32_t>(suspended.size()), 1});
        return suspended.back();
    }
    Result<void> resume(tm::TransactionId id, std::string_view route) override
    {
        resumed.emplace_back(id, route);
        return done();
    }
    void add_watcher(tm::Watcher& watcher) override { watchers.push_back(&watcher); }
    Result<tm::TransactionId> send(const tm::Outgoing& out, tm::OnReply on_reply) override
    {
        sent.push_back(std::string{out.method} + " " + std::string{out.request_uri});
        own.push_back({std::string{out.method}, std::string{out.request_uri}, std::string{out.next_hop},
                       std::string{out.from}, std::string{out.to}, std::string{out.call_id},
                       std::string{out.headers}, std::string{out.content_type}, std::string{out.body},
                       out.cseq, std::move(on_reply)});
        return answer(tm::TransactionId{1, 1});
    }
    Result<tm::Answer> ask(const tm::Outgoing& out, Arena&) override
    {
        sent.push_back(std::string{out.method} + " " + std::string{out.request_uri});
        return answer(tm::Answer{200, "OK", {}, {}});
    }
    Result<void> send_once(const tm::Outgoing& out) override
    {
        sent.push_back(std::string{out.method} + " " + std::string{out.request_uri});
        return done();
    }
    Result<void> cancel(tm::TransactionId, std::string_view) override { return done(); }

private:
    struct Event final : tm::Happening {
        explicit Event(Request& r) : of{r} {}
        Request* request() const override { return &of; }
        Request& of;
    };
    template <class T>
    Result<T> answer(T value) const
    {
        if (!refusal.empty())
            return Error{ErrorKind::other, refusal};
        return value;
    }
    Result<void> done() const
    {
        if (!refusal.empty())
            return Error{ErrorKind::other, refusal};
        return {};
    }
    std::map<tm::Watcher*, std::pair<tm::Moments, std::uint64_t>> wants_;
};

} // namespace sipyard::test
