// modules/registrar/plan.h - what a REGISTER changes, decided before anything is touched (RFC 3261 10.3 steps
// 6 to 8)
#pragma once

#include "modules/registrar/refusal.h"
#include "modules/registrar/wish.h"
#include "modules/usrloc/api.h"

#include <span>
#include <vector>

namespace sipyard::registrar {

// A wish with everything decided: expires is a moment of the wall clock, 0 of the seconds asked for a
// removal.
struct Decided {
    usrloc::ContactView view;
    bool removes = false;
};

struct Order {
    bool star = false;
    std::span<const Decided> wishes;
    std::string_view call_id;
    std::uint32_t cseq = 0;
    std::int64_t now = 0;
    std::int64_t cseq_delay = 0;  // seconds
    std::size_t max_contacts = 0; // 0: any number
    bool only_one = false;        // flag 0x04: others go
};

// What save() returns: Kamailio's numbers.
enum class Outcome : int { inserted = 1, updated = 2, removed = 3, fetched = 4 };

using Match = const usrloc::ContactView* (*)(void* with, std::span<const usrloc::ContactView> there,
                                             const usrloc::ContactView& wanted);

// All the changes, or why there are none.
Refusal plan(const Order& order, std::span<const usrloc::ContactView> there, Match match, void* with,
             std::vector<usrloc::Change>& changes, Outcome& outcome);

} // namespace sipyard::registrar
