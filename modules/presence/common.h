// modules/presence/common.h - what all resources of a server share: rules, entity tags, texts, counters
#pragma once

#include "core/base/clock.h"
#include "core/module/counter.h"
#include "modules/presence/entity_tag.h"
#include "modules/presence/failure.h"
#include "modules/presence/interned.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace sipyard::presence {

// Both clocks, read once for one event.
struct Now {
    Instant at;
    std::int64_t unix = 0;
    static Now of(const Clock& clock) { return {clock.now(), clock.unix_seconds()}; }
};

struct Counts {
    using Make = std::function<Counter&(std::string_view name, std::string_view about)>;
    explicit Counts(const Make& make)
        : publish_ok{make("publish_accepted", "PUBLISH requests answered with 200")},
          publish_refused{make("publish_refused", "PUBLISH requests refused")},
          conditional_failed{make("publish_412", "PUBLISH requests with an unknown entity tag")},
          subscribe_ok{make("subscribe_accepted", "SUBSCRIBE requests answered with 2xx")},
          subscribe_refused{make("subscribe_refused", "SUBSCRIBE requests refused")},
          unknown_dialog{make("subscribe_481", "SUBSCRIBE requests of an unknown dialog")},
          sent{make("notify_sent", "NOTIFY requests sent")},
          coalesced{make("notify_coalesced", "Changes not told because a newer or equal state was")},
          suppressed{make("notify_suppressed", "NOTIFYs saved by a condition (RFC 5839)")},
          failed{make("notify_failed", "NOTIFYs that were not answered with 2xx")},
          timeouts{make("notify_timeouts", "NOTIFYs that were not answered at all")},
          flow_lost{make("notify_flow_lost", "Subscriptions ended because their connection is gone")},
          oversize{make("notify_oversize", "NOTIFYs over UDP with more than 1300 bytes")},
          in_flight{make("notify_in_flight", "NOTIFYs that wait for their answer")},
          merges{make("merges", "Composites made")}, renders{make("renders", "Bodies rendered")},
          publications{make("publications", "Publications alive")},
          subscriptions{make("subscriptions", "Subscriptions alive")},
          expired_publications{make("publications_expired", "Publications that expired")},
          expired_subscriptions{make("subscriptions_expired", "Subscriptions that expired")},
          removed{make("subscriptions_removed", "Subscriptions removed because a NOTIFY failed")},
          commit_late{make("commit_late", "Requests answered before the database had them")}
    {
    }
    Counter &publish_ok, &publish_refused, &conditional_failed, &subscribe_ok, &subscribe_refused,
        &unknown_dialog, &sent, &coalesced, &suppressed, &failed, &timeouts, &flow_lost, &oversize,
        &in_flight, &merges, &renders, &publications, &subscriptions, &expired_publications,
        &expired_subscriptions, &removed, &commit_late;
};

enum class Order : unsigned char { received, priority }; // retrieve_order

// Of the server; constant while it runs but for the counters.
struct Common {
    Common(int node, std::int64_t unix_seconds, const Counts::Make& make)
        : tags{node, unix_seconds}, counts{make}
    {
    }
    EntityTags tags;
    Interner texts;
    Counts counts;
    std::atomic<std::uint64_t> next_subscription{1};

    FailureRules failures;
    Order order = Order::received;
    std::size_t max_publications = 64, max_subscriptions = 50'000;                            // of a resource
    std::uint32_t expires_offset = 0, cseq_offset = 0, grace = 5, pending_lifetime = 259'200; // seconds
    bool expire_body = false, replace_same_callid = true, hide_block = false, conditional = true,
         version_every = false;
    bool store_publications = false, store_subscriptions = false; // is there anywhere to write to
    int ok_code = 200; // of a SUBSCRIBE; 202 with subs_respond_200=0
    std::uint32_t version_start = 0;
    std::string notify_headers; // whole lines
};

} // namespace sipyard::presence
