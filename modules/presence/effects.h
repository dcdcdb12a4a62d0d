// modules/presence/effects.h - what a resource wants done outside of its strand: NOTIFYs sent, rows written
#pragma once

#include "modules/presence/store.h"
#include "modules/presence/subscription.h"

#include <cstdint>
#include <string>
#include <vector>

namespace sipyard::presence {

// A NOTIFY ready to leave. The subscription's texts are immutable, so they are not copied.
struct Notification {
    SubscriptionPtr to;
    std::uint32_t cseq = 0, version = 0;
    Way way;
    std::string headers; // from Event on, whole lines
    BodyPtr body;        // null: none
};

struct Effects {
    std::vector<Notification> notifications;
    std::vector<StoreChange> changes; // in this order
    std::vector<SubscriptionPtr> gone;
    std::vector<WatcherChanged> told;
    bool more = false; // the fan-out goes on: call Resource::turn() again when others have had their turn
};

} // namespace sipyard::presence
