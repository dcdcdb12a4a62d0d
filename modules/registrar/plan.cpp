// modules/registrar/plan.cpp - CSeq order, removal, replacement, insertion; all or nothing
#include "modules/registrar/plan.h"

#include <algorithm>
#include <array>

namespace sipyard::registrar {

using usrloc::Change;
using usrloc::ContactView;

namespace {

enum class Order3261 : unsigned char { newer, repeated, older };

// Within one Call-ID the CSeq must grow (RFC 3261 10.3 step 6). The same one shortly after is a
// retransmission that lost its transaction: answered again, nothing is changed.
Order3261 order_of(const Order& order, const ContactView& stored)
{
    if (stored.call_id != order.call_id || order.cseq > stored.cseq)
        return Order3261::newer;
    if (order.cseq == stored.cseq && order.cseq_delay > 0 &&
        stored.last_modified + order.cseq_delay > order.now)
        return Order3261::repeated;
    return Order3261::older;
}

} // namespace

Refusal plan(const Order& order, std::span<const ContactView> there, Match match, void* with,
             std::vector<Change>& changes, Outcome& outcome)
{
    changes.clear();
    if (order.star) {
        outcome = Outcome::removed;
        for (std::size_t i = 0; i < there.size(); ++i) {
            // Nothing was modified by the first of two removals that is still here: a repetition may go on.
            if (order_of(order, there[i]) == Order3261::older)
                return Refusal::bad_cseq;
            changes.push_back({Change::Step::remove, i});
        }
        return Refusal::none;
    }
    if (order.wishes.empty()) {
        outcome = Outcome::fetched;
        return Refusal::none;
    }
    outcome = Outcome::inserted;
    std::vector<bool> named(there.size());
    std::size_t inserted = 0, removed = 0;
    for (std::size_t w = 0; w < order.wishes.size(); ++w) {
        const Decided& wish = order.wishes[w];
        const ContactView* const same = match(with, there, wish.view);
        if (!same) {
            const auto repeated = [&](const Decided& other) {
                return !other.removes && match(with, {&other.view, 1}, wish.view) != nullptr;
            };
            if (wish.removes || std::ranges::any_of(order.wishes.first(w), repeated))
                continue;
            changes.push_back({Change::Step::insert, 0, wish.view});
            ++inserted;
            outcome = Outcome::inserted;
            continue;
        }
        const auto index = static_cast<std::size_t>(same - there.data());
        if (named[index])
            continue; // the first of two that mean the same counts
        named[index] = true;
        switch (order_of(order, *same)) {
        case Order3261::older: return Refusal::bad_cseq;
        case Order3261::repeated: continue;
        case Order3261::newer: break;
        }
        changes.push_back({wish.removes ? Change::Step::remove : Change::Step::update, index, wish.view});
        removed += wish.removes ? 1 : 0;
        outcome = wish.removes ? Outcome::removed : Outcome::updated;
    }
    if (order.only_one && std::ranges::any_of(order.wishes, [](const Decided& d) { return !d.removes; })) {
        // The last of several wishes stays alone.
        std::size_t keep = changes.size();
        for (std::size_t i = changes.size(); i-- > 0;)
            if (changes[i].step != Change::Step::remove) {
                keep = i;
                break;
            }
        std::vector<Change> only;
        for (std::size_t i = 0; i < there.size(); ++i) {
            const bool updated = keep < changes.size() && changes[keep].step == Change::Step::update &&
                                 changes[keep].index == i;
            const bool repeated = keep == changes.size() && named[i];
            if (!updated && !repeated)
                only.push_back({Change::Step::remove, i});
        }
        if (keep < changes.size())
            only.push_back(changes[keep]);
        changes = std::move(only);
        return Refusal::none;
    }
    if (inserted > 0 && order.max_contacts > 0 && there.size() - removed + inserted > order.max_contacts) {
        changes.clear();
        return Refusal::too_many;
    }
    return Refusal::none;
}

} // namespace sipyard::registrar
