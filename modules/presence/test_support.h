// modules/presence/test_support.h - a tiny event package and one resource driven by hand, for this module's
// tests
#pragma once

#include "core/base/text.h"
#include "core/sip/message.h"
#include "modules/presence/resource.h"
#include "test/support/catch.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::presence {

// Documents are texts; the composite is all of them with '|' between; blanks do not count.
struct TestDocument final : Document {
    explicit TestDocument(std::string t) : text{std::move(t)} {}
    std::string text;
};
struct TestComposite final : Composite {
    std::string text;
};

class TestPackage final : public EventPackage {
public:
    TestPackage()
    {
        traits_.name = "test";
        traits_.publish_types = traits_.notify_types = {"application/test+xml"};
        traits_.subscribe_types = {"application/filter"};
    }
    Traits& change() { return traits_; }
    const Traits& traits() const override { return traits_; }
    std::variant<DocumentPtr, Refusal> parse(const PublishView& publish) override
    {
        if (publish.body.find("broken") != std::string_view::npos)
            return Refusal{400, "Malformed body", {}};
        return DocumentPtr{std::make_shared<TestDocument>(replace_all(publish.body, " ", ""))};
    }
    CompositePtr merge(std::string_view, std::span<const Publication> publications,
                       const CompositePtr&) override
    {
        ++merges;
        auto composite = std::make_shared<TestComposite>();
        for (const Publication& one : publications)
            composite->text +=
                (composite->text.empty() ? "" : "|") + static_cast<const TestDocument&>(*one.document).text;
        composite->hash = {std::hash<std::string>{}(composite->text), composite->text.size()};
        return composite;
    }
    Variant variant(const SubscribeView& view) override
    {
        const auto only = sip::ParamsView{view.event_params}.find("only");
        return {0, only ? std::string{*only} : std::string{}};
    }
    BodyPtr render(std::string_view, const Composite& composite, const Variant& variant) override
    {
        ++renders;
        std::string text = static_cast<const TestComposite&>(composite).text;
        if (!variant.filter.empty()) {
            std::string some;
            for (const auto part : split(text, '|'))
                if (part.find(variant.filter) != std::string_view::npos)
                    some.append(some.empty() ? "" : "|").append(part);
            text = some;
        }
        return body_of(text);
    }
    Decision authorize(const SubscribeView& view) override { return decide ? decide(view) : Decision{}; }
    BodyPtr render_blocked(std::string_view, const Variant&) override { return body_of("offline"); }
    bool is_over(const Composite& composite, const Variant& variant) override
    {
        return variant.filter == "once" && static_cast<const TestComposite&>(composite).text.empty();
    }
    static BodyPtr body_of(const std::string& text)
    {
        auto body = std::make_shared<Body>();
        body->content_type = "application/test+xml";
        body->before = "<";
        body->after = ">" + text;
        body->has_version = true;
        body->hash = body->essence = {std::hash<std::string>{}(text), 1};
        return body;
    }

    std::function<Decision(const SubscribeView&)> decide;
    int merges = 0, renders = 0;

private:
    Traits traits_;
};

// A NOTIFY that left.
struct Seen {
    SubscriptionPtr to;
    std::uint32_t cseq = 0, version = 0;
    std::string headers, body; // body without its version: "" none, ">" + text
    bool has_body = false;
    std::string text() const { return has_body ? body.substr(1) : std::string{"(none)"}; }
    bool says(std::string_view part) const { return headers.find(part) != std::string::npos; }
};

struct Bench {
    Bench() { remake(); }
    ~Bench()
    {
        if (resource)
            resource->forget();
    }
    void remake()
    {
        if (resource)
            resource->forget();
        resource = std::make_shared<Resource>(common, package, "test", "sip:bob@example.com");
    }
    void pass(Duration d)
    {
        now.at = now.at + d;
        now.unix = 1'767'225'600 + now.at.ns / 1'000'000'000;
        Effects effects;
        resource->tick(now, effects);
        take(effects);
    }
    // Jumps from deadline to deadline.
    void live(Duration d)
    {
        const Instant end = now.at + d;
        while (resource->next_wake() <= end)
            pass(std::max(resource->next_wake() - now.at, Duration{0}));
        pass(end - now.at);
    }
    void take(Effects& effects)
    {
        for (int guard = 0; guard < 10'000; ++guard) {
            for (Notification& n : effects.notifications) {
                Seen seen{n.to, n.cseq, n.version, n.headers, {}, n.body != nullptr};
                if (n.body)
                    seen.body = n.body->after;
                ways.push_back(n.way);
                sent.push_back(std::move(seen));
            }
            for (auto& change : effects.changes)
                changes.push_back(std::move(change));
            gone += effects.gone.size();
            for (auto& told : effects.told)
                events.push_back(told.event);
            if (!effects.more)
                return;
            effects = {};
            resource->turn(now, effects);
        }
        FAIL("the fan-out has no end");
    }
    std::string message(std::string_view method, const std::string& headers, const std::string& body,
                        const std::string& call = "call", std::uint32_t cseq = 1,
                        const std::string& to_tag = {}) const
    {
        return format("{} sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\r\n"
                      "From: \"Desk\" <sip:desk@example.com>;tag=from\r\nTo: <sip:bob@example.com>{}\r\n"
                      "Call-ID: {}\r\nCSeq: {} {}\r\n{}Content-Length: {}\r\n\r\n{}",
                      method, to_tag.empty() ? "" : ";tag=" + to_tag, call, cseq, method, headers,
                      body.size(), body);
    }

    // --- the publisher ---
    struct Published {
        int code = 0;
        std::string etag, headers;
        std::uint32_t expires = 0;
    };
    Published publish(const std::string& body, const std::string& headers = "Expires: 600\r\n",
                      std::string_view sender = {}, std::optional<int> priority = {})
    {
        Arena arena;
        const std::string text = message("PUBLISH", "Event: test\r\n" + headers, body);
        const auto* const parsed = *sip::Message::parse(text, arena);
        auto read = read_publish(*parsed, package.traits(), publish_rules);
        if (const auto* const refusal = std::get_if<Refusal>(&read))
            return {refusal->code, {}, refusal->headers};
        Effects effects;
        auto outcome = resource->publish(std::get<PublishOrder>(read), sender, priority, now, effects);
        take(effects);
        if (const auto* const refusal = std::get_if<Refusal>(&outcome))
            return {refusal->code, {}, refusal->headers};
        const auto& granted = std::get<Granted>(outcome);
        return {200, granted.etag, {}, granted.expires};
    }
    Published again(const std::string& etag, const std::string& body = {}, int expires = 600)
    {
        return publish(body, format("SIP-If-Match: {}\r\nExpires: {}\r\n", etag, expires));
    }

    // --- watchers ---
    struct Watching {
        int code = 0;
        SubscriptionPtr s;
        std::string headers;
        std::uint32_t expires = 0;
    };
    Watching subscribe(const std::string& headers = "Expires: 600\r\n", const std::string& call = "call",
                       std::uint32_t cseq = 1, const std::string& event = "Event: test\r\n",
                       const std::string& contact = "Contact: <sip:desk@192.0.2.7>\r\n", bool reply = true)
    {
        return ask(nullptr, event + contact + headers, call, cseq, reply);
    }
    Watching refresh(const SubscriptionPtr& s, std::uint32_t cseq,
                     const std::string& headers = "Expires: 600\r\n",
                     const std::string& event = "Event: test\r\n",
                     const std::string& contact = "Contact: <sip:desk@192.0.2.7>\r\n")
    {
        return ask(s, event + contact + headers, std::string{s->call_id()}, cseq, true);
    }
    Watching ask(const SubscriptionPtr& s, const std::string& headers, const std::string& call,
                 std::uint32_t cseq, bool reply)
    {
        Arena arena;
        const std::string tag = s ? std::string{s->to_tag()} : std::string{};
        const std::string text = message("SUBSCRIBE", headers, filter_body, call, cseq, tag);
        const auto* const parsed = *sip::Message::parse(text, arena);
        std::string storage, routes;
        auto read = read_subscribe(*parsed, package.traits(), subscribe_rules, storage);
        if (const auto* const refusal = std::get_if<Refusal>(&read))
            return {refusal->code, {}, refusal->headers};
        const std::string own_tag = "us" + std::to_string(++tags);
        Arrival arrival;
        arrival.routes = joined(*parsed, sip::HeaderName::record_route, routes);
        arrival.local_contact = "sip:us@192.0.2.1";
        arrival.local = "<sip:bob@example.com>";
        arrival.remote = "\"Desk\" <sip:desk@example.com>";
        arrival.local_tag = own_tag;
        arrival.watcher = "sip:desk@example.com";
        Effects effects;
        auto outcome = s ? resource->resubscribe(*s, std::get<SubscribeOrder>(read), arrival, now, effects)
                         : resource->subscribe(std::get<SubscribeOrder>(read), arrival, now, effects);
        take(effects);
        if (const auto* const refusal = std::get_if<Refusal>(&outcome))
            return {refusal->code, {}, refusal->headers};
        const Accepted& accepted = std::get<Accepted>(outcome);
        if (reply)
            replied(accepted.subscription);
        return {accepted.code, accepted.subscription, {}, accepted.expires};
    }
    void replied(const SubscriptionPtr& s)
    {
        Effects effects;
        resource->replied(*s, now, effects);
        take(effects);
    }
    void answer(const Seen& seen, const Outcome& outcome)
    {
        Effects effects;
        resource->answered(*seen.to, seen.cseq, outcome, now, effects);
        take(effects);
    }
    void answer(const Seen& seen, int code = 200, std::uint32_t retry_after = 0)
    {
        answer(seen, Outcome{code, retry_after, Outcome::Lost::no});
    }
    void lost(const Seen& seen) { answer(seen, Outcome{0, 0, Outcome::Lost::timeout}); }
    // Everything sent until now, answered with 200; what that leads to too.
    std::vector<Seen> settle()
    {
        std::vector<Seen> all;
        while (!sent.empty()) {
            const Seen one = std::move(sent.front());
            sent.erase(sent.begin());
            answer(one);
            all.push_back(one);
        }
        return all;
    }
    Seen one() // exactly one NOTIFY, answered
    {
        REQUIRE(sent.size() == 1);
        return settle().at(0);
    }

    std::deque<Counter> counters;
    std::shared_ptr<Common> common = std::make_shared<Common>(
        1, 1'767'225'600, [this](std::string_view name, std::string_view about) -> Counter& {
            return counters.emplace_back("presence", std::string{name}, std::string{about});
        });
    TestPackage package;
    PublishRules publish_rules;
    SubscribeRules subscribe_rules;
    std::string filter_body;
    Now now{Instant{0}, 1'767'225'600};
    ResourcePtr resource;
    std::vector<Seen> sent; // not answered yet
    std::vector<Way> ways;
    std::vector<StoreChange> changes;
    std::vector<std::string> events;
    std::size_t gone = 0;
    int tags = 0;
};

} // namespace sipyard::presence
