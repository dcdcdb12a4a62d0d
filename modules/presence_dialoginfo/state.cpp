// modules/presence_dialoginfo/state.cpp - claims on an id are settled id by id
#include "modules/presence_dialoginfo/state.h"

#include "core/base/format.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

namespace sipyard::presence_dialoginfo {

namespace {

using presence::Publication;

// A publication's element.
struct Claim {
    const DialogPtr* dialog = nullptr;
    std::uint64_t commit = 0, origin = 0, place = 0;
    const Dialog& operator*() const { return **dialog; }
    bool is_terminated() const { return (*dialog)->state == sip::DialogState::terminated; }
};

bool is_older(const Claim& a, const Claim& b)
{
    return std::tie(a.commit, a.origin, a.place) < std::tie(b.commit, b.origin, b.place);
}

// The claims on one dialog, oldest first, and what was known of it.
struct Case {
    const Known* before = nullptr;
    std::string_view call_id;
    std::vector<Claim> claims{};
};

std::vector<Claim> claims_of(std::span<const Publication> publications)
{
    std::vector<Claim> claims;
    for (const Publication& publication : publications) {
        const auto* const document = static_cast<const Published*>(publication.document.get());
        if (!document)
            continue;
        std::uint64_t place = 0;
        for (const DialogPtr& dialog : document->dialogs)
            claims.push_back({&dialog, publication.commit, publication.first_commit, place++});
    }
    if (claims.size() > max_known) {
        std::nth_element(claims.begin(), claims.begin() + max_known, claims.end(), is_older);
        claims.resize(max_known);
    }
    std::sort(claims.begin(), claims.end(), [](const Claim& a, const Claim& b) {
        return (*a).id != (*b).id ? (*a).id < (*b).id : is_older(a, b);
    });
    return claims;
}

// Which dialog of this id does the claim mean? First those of which it says the Call-ID, then, without one or
// with a new one, the first or the one that had none. Null: there are too many.
Case* known_case_of(std::vector<Case>& cases, const Claim& claim)
{
    const auto same = std::find_if(cases.begin(), cases.end(),
                                   [&claim](const Case& one) { return one.call_id == (*claim).call_id; });
    return same == cases.end() ? nullptr : &*same;
}
Case* case_of(std::vector<Case>& cases, const Claim& claim)
{
    if (Case* const known = known_case_of(cases, claim))
        return known;
    if ((*claim).call_id.empty() && !cases.empty())
        return &cases.front();
    for (Case& one : cases)
        if (one.call_id.empty()) {
            one.call_id = (*claim).call_id;
            return &one;
        }
    const auto in_use =
        std::count_if(cases.begin(), cases.end(), [](const Case& one) { return !one.claims.empty(); });
    if (static_cast<std::size_t>(in_use) >= max_same_id)
        return nullptr;
    return &cases.emplace_back(Case{.call_id = (*claim).call_id});
}

// All claims on one id, and what was known of it. What is settled now is settled the same next time.
void put_claims(std::vector<Case>& cases, std::span<const Claim> claims)
{
    std::vector<const Claim*> others;
    for (const Claim& claim : claims)
        if (Case* const known = known_case_of(cases, claim))
            known->claims.push_back(claim);
        else
            others.push_back(&claim);
    for (const Claim* const claim : others)
        if (Case* const one = case_of(cases, *claim))
            one->claims.push_back(*claim);
    for (Case& one : cases)
        std::sort(one.claims.begin(), one.claims.end(), is_older);
}

// The claim that is shown; null when all are void.
const Claim* winner_of(const Case& one)
{
    const std::uint64_t oldest = one.before ? one.before->commit : 0;
    // Of which Call-ID is it known that the dialog has ended?
    std::string_view ended = one.before && one.before->ended ? std::string_view{one.before->call_id} : "";
    for (const Claim& claim : one.claims)
        if (claim.commit >= oldest && claim.is_terminated() && !(*claim).call_id.empty())
            ended = (*claim).call_id;
    const Claim* winner = nullptr;
    for (const Claim& claim : one.claims) {
        const bool late = !claim.is_terminated() && !ended.empty() && (*claim).call_id == ended;
        if (claim.commit >= oldest && !late)
            winner = &claim;
    }
    return winner;
}

Known settle(const Case& one)
{
    Known known;
    if (one.before)
        known = *one.before;
    const Claim& first = one.claims.front();
    if (!one.before) {
        known.id = (*first).id;
        known.first_seen = first.commit;
        known.place = first.place;
    }
    const Claim* const winner = winner_of(one);
    if (!winner) {
        // The publisher of the end may say something older again; what it said before stays for its watchers.
        const bool still_there =
            std::any_of(one.claims.begin(), one.claims.end(),
                        [&known](const Claim& claim) { return claim.origin == known.origin; });
        if (!still_there)
            known.dialog.reset();
        return known;
    }
    if (!known.dialog || known.dialog->state != (**winner).state)
        known.changed = winner->commit;
    known.dialog = *winner->dialog;
    known.commit = winner->commit;
    known.origin = winner->origin;
    known.call_id = known.dialog->call_id;
    known.ended = winner->is_terminated() && !known.call_id.empty();
    for (auto claim = one.claims.rbegin(); known.call_id.empty() && claim != one.claims.rend(); ++claim)
        known.call_id = (**claim).call_id;
    return known;
}

// Names once given stay: a phone would take another one for another call.
void give_names(std::vector<Known>& dialogs)
{
    std::set<std::string, std::less<>> taken;
    for (const Known& known : dialogs)
        if (!known.name.empty())
            taken.insert(known.name);
    std::set<std::string_view> ids;
    for (const Known& known : dialogs)
        ids.insert(known.id);
    for (Known& known : dialogs) {
        if (!known.name.empty())
            continue;
        known.name = known.id;
        for (int n = 2; taken.contains(known.name) || (n > 2 && ids.contains(known.name)); ++n)
            known.name = format("{}~{}", known.id, n);
        taken.insert(known.name);
    }
}

// Of each name the newest; in an order that no publisher moves.
std::vector<ExtensionPtr> extensions_of(std::span<const Publication> publications)
{
    std::vector<std::pair<std::uint64_t, ExtensionPtr>> all;
    for (const Publication& publication : publications)
        if (const auto* const document = static_cast<const Published*>(publication.document.get()))
            for (const ExtensionPtr& extension : document->extensions)
                all.emplace_back(publication.commit, extension);
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
        return std::tie(a.second->ns, a.second->name, b.first) <
               std::tie(b.second->ns, b.second->name, a.first);
    });
    std::vector<ExtensionPtr> newest;
    for (auto& [commit, extension] : all)
        if (newest.empty() || newest.back()->ns != extension->ns || newest.back()->name != extension->name)
            newest.push_back(std::move(extension));
    return newest;
}

Known last_of(const State& state, const State* before)
{
    const Known* last = before ? &before->last : &state.last;
    for (const Known& known : state.dialogs)
        if (known.dialog && known.dialog->state == sip::DialogState::terminated &&
            (!last->dialog || last->changed <= known.changed))
            last = &known;
    return *last;
}

} // namespace

std::shared_ptr<const State> merge(std::span<const Publication> publications, const State* before)
{
    auto state = std::make_shared<State>();
    std::vector<const Known*> known_before;
    if (before)
        for (const Known& known : before->dialogs)
            known_before.push_back(&known);
    std::stable_sort(known_before.begin(), known_before.end(),
                     [](const Known* a, const Known* b) { return a->id < b->id; });

    const std::vector<Claim> claims = claims_of(publications);
    auto old = known_before.begin();
    for (auto claim = claims.begin(); claim != claims.end();) {
        const std::string& id = (**claim).id;
        while (old != known_before.end() && (*old)->id < id)
            ++old;
        std::vector<Case> cases;
        for (; old != known_before.end() && (*old)->id == id; ++old)
            cases.push_back({.before = *old, .call_id = (*old)->call_id});
        const auto first = claim;
        while (claim != claims.end() && (**claim).id == id)
            ++claim;
        put_claims(cases, {first, claim});
        for (const Case& one : cases)
            if (!one.claims.empty())
                state->dialogs.push_back(settle(one));
    }
    const auto by_age = [](const Known& a, const Known& b) {
        return std::tie(a.first_seen, a.place, a.id, a.name) < std::tie(b.first_seen, b.place, b.id, b.name);
    };
    std::stable_sort(state->dialogs.begin(), state->dialogs.end(), by_age);
    give_names(state->dialogs);
    state->extensions = extensions_of(publications);
    state->last = last_of(*state, before);

    Hasher hasher;
    for (const Known& known : state->dialogs)
        if (known.dialog)
            hasher.add(known.name).add(known.dialog->hash);
    hasher.add(static_cast<std::uint64_t>(state->extensions.size()));
    for (const ExtensionPtr& extension : state->extensions)
        hasher.add(extension->element.hash);
    state->hash = hasher.finish();
    return state;
}

} // namespace sipyard::presence_dialoginfo
