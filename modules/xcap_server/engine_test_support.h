// modules/xcap_server/engine_test_support.h - an engine over a store in memory, asked as a client asks
#pragma once

#include "core/xml/document.h"
#include "modules/xcap_server/engine.h"
#include "modules/xcap_server/memory_store.h"

#include <deque>
#include <string>
#include <vector>

namespace sipyard::xcap_server {

inline const std::string root = "/xcap-root";
inline const std::string index_uri = root + "/resource-lists/users/sip:alice@example.com/index";
inline const std::string lists_type = "application/resource-lists+xml";
class StillClock final : public Clock {
public:
    Instant now() const override { return at; }
    std::int64_t unix_ns() const override { return at.ns; }
    Instant at{1'000'000'000};
};

// What an answer said, with texts of its own.
struct Seen {
    int code = 0;
    std::string etag, type, body, allow;
    bool retry_after = false;
};

struct Given {
    std::optional<std::string> type = lists_type;
    std::optional<std::string> if_match = {}, if_none_match = {};
    Caller::Trust trust = Caller::Trust::script;
    std::string uri = "sip:alice@example.com";
};

struct Server {
    explicit Server(Engine::Settings settings = {}, std::vector<AppUsage> more = {})
        : engine{std::move(settings),
                 must(Usages::make(more, {})),
                 42,
                 {store, clock, statistics, [this](Duration) { ++pauses; },
                  [this](const DocumentChanged& change) { changes.push_back(change); }}}
    {
    }
    Seen ask(Verb verb, const std::string& target, const std::string& body = {}, const Given& given = {})
    {
        Arena arena;
        Ask request{verb, target, {given.trust, given.uri}, {}, {}, body};
        request.authority = "xcap.example.com";
        if (verb == Verb::put && given.type)
            request.content_type = *given.type;
        if (given.if_match)
            request.conditions.if_match = *given.if_match;
        if (given.if_none_match)
            request.conditions.if_none_match = *given.if_none_match;
        const Answer answer = engine.handle(request, arena);
        return {answer.code,
                std::string{answer.etag},
                std::string{answer.content_type},
                std::string{answer.body},
                std::string{answer.allow},
                answer.retry_after};
    }
    std::int64_t counted(std::string_view name) const
    {
        for (const Counter& counter : counters)
            if (counter.name() == name)
                return counter.value();
        return -1;
    }

    MemoryStore store;
    StillClock clock;
    std::deque<Counter> counters;
    Statistics statistics{[this](std::string_view name, std::string_view about) -> Counter& {
        return counters.emplace_back("xcap_server", std::string{name}, std::string{about});
    }};
    int pauses = 0;
    std::vector<DocumentChanged> changes;
    Engine engine;
};

// The name of the error document's child.
inline std::string conflict_in(const Seen& seen)
{
    const auto document = xml::Document::parse(seen.body);
    return document && seen.type == "application/xcap-error+xml"
               ? std::string{document->root().first().name()}
               : "";
}

} // namespace sipyard::xcap_server
