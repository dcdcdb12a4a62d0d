// modules/tm/contacts.cpp - t_load_contacts() and its kin: the destination set in steps of equal q, and
// further flows
#include "modules/tm/tm.h"

#include "core/base/text.h"
#include "core/crypto/random.h"

#include <algorithm>

namespace sipyard::tm {

namespace {

// A branch as a root of an XAVP.
struct Stored {
    std::string uri, dst_uri, path, ruid, instance, socket;
    std::int64_t q = -1, flags = 0, reg_id = 0;
};

Stored stored_of(const Branch& branch)
{
    return {std::string{branch.uri},
            std::string{branch.dst_uri},
            std::string{branch.path},
            std::string{branch.ruid},
            std::string{branch.instance},
            branch.socket ? branch.socket->text() : std::string{},
            branch.q,
            static_cast<std::int64_t>(branch.flags),
            static_cast<std::int64_t>(branch.reg_id)};
}

void push(XavpList& list, std::string_view root, const Stored& one, bool last_of_step)
{
    list.push_root(root, "uri", Value{std::string_view{one.uri}});
    const auto text = [&](std::string_view name, const std::string& value) {
        if (!value.empty())
            list.push_field(root, 0, name, Value{std::string_view{value}});
    };
    text("dst_uri", one.dst_uri);
    text("path", one.path);
    text("ruid", one.ruid);
    text("instance", one.instance);
    text("sock", one.socket);
    list.push_field(root, 0, "q", Value{one.q});
    list.push_field(root, 0, "flags", Value{one.flags});
    list.push_field(root, 0, "reg_id", Value{one.reg_id});
    list.push_field(root, 0, "q_flag", Value{std::int64_t{last_of_step}});
}

Stored read_first(const XavpList& list, std::string_view root, std::size_t nth = 0)
{
    const auto text = [&](std::string_view name) { return std::string{list.get(root, nth, name, 0).text()}; };
    return {text("uri"),
            text("dst_uri"),
            text("path"),
            text("ruid"),
            text("instance"),
            text("sock"),
            list.get(root, nth, "q", 0).number(),
            list.get(root, nth, "flags", 0).number(),
            list.get(root, nth, "reg_id", 0).number()};
}

} // namespace

// Sorts the destination set by q and puts it into contacts_avp, first to try first. Mode 1: drawn by weight,
// one at a time.
Verdict Tm::t_load_contacts(Request& r, std::optional<std::int64_t> mode)
{
    if (settings_.contacts_avp.empty()) {
        log_.error("t_load_contacts: contacts_avp is not set");
        return Verdict::no();
    }
    if (r.branches().empty())
        return Verdict::yes(); // one destination: nothing to order
    std::vector<Stored> all;
    {
        Branch first;
        first.uri = r.ruri();
        first.dst_uri = r.dst_uri();
        first.path = r.path();
        first.socket = r.forced_socket();
        first.flags = r.branch_flags;
        first.q = 1000; // the current R-URI has none: it is what the script wants most
        all.push_back(stored_of(first));
    }
    for (const Branch& branch : r.branches())
        all.push_back(stored_of(branch));
    const bool weighted = mode.value_or(0) == 1;
    if (!weighted) {
        std::stable_sort(all.begin(), all.end(), [](const Stored& a, const Stored& b) { return a.q > b.q; });
    } else {
        std::vector<Stored> drawn;
        while (!all.empty()) {
            std::int64_t sum = 0;
            for (const Stored& one : all)
                sum += std::max<std::int64_t>(one.q, 0);
            std::size_t at = 0;
            if (sum > 0) {
                auto ticket =
                    static_cast<std::int64_t>(crypto::random_below(static_cast<std::uint64_t>(sum)));
                while (ticket >= std::max<std::int64_t>(all[at].q, 0))
                    ticket -= std::max<std::int64_t>(all[at++].q, 0);
            }
            drawn.push_back(std::move(all[at]));
            all.erase(all.begin() + static_cast<std::ptrdiff_t>(at));
        }
        all = std::move(drawn);
    }
    r.branches().clear();
    r.with_avps([&](AvpStore& store) {
        store.xavps.remove_all(settings_.contacts_avp);
        for (std::size_t i = all.size(); i-- > 0;) // roots are a stack: the last to try goes in first
            push(store.xavps, settings_.contacts_avp, all[i],
                 weighted || i + 1 == all.size() || all[i + 1].q != all[i].q);
    });
    return Verdict::yes();
}

// The next step of equal q becomes the destination set. Of one instance only one contact is tried; its other
// flows wait in contact_flows_avp.
Verdict Tm::t_next_contacts(Request& r)
{
    if (settings_.contacts_avp.empty()) {
        log_.error("t_next_contacts: contacts_avp is not set");
        return Verdict::no();
    }
    std::vector<Stored> step;
    r.with_avps([&](AvpStore& store) {
        XavpList& list = store.xavps;
        for (bool last = false; !last && list.roots(settings_.contacts_avp) > 0;) {
            Stored one = read_first(list, settings_.contacts_avp);
            last = list.get(settings_.contacts_avp, 0, "q_flag", 0).number() != 0;
            list.remove_root(settings_.contacts_avp, 0);
            const bool known =
                !one.instance.empty() && std::any_of(step.begin(), step.end(), [&](const Stored& other) {
                    return other.instance == one.instance;
                });
            if (known)
                push(list, settings_.contact_flows_avp, one, true);
            else
                step.push_back(std::move(one));
        }
    });
    if (step.empty())
        return {-2};
    const auto take = [&](const Stored& one) {
        Branch branch;
        branch.uri = r.arena().copy(one.uri);
        branch.dst_uri = r.arena().copy(one.dst_uri);
        branch.path = r.arena().copy(one.path);
        branch.ruid = r.arena().copy(one.ruid);
        branch.instance = r.arena().copy(one.instance);
        branch.q = static_cast<int>(one.q);
        branch.flags = static_cast<std::uint32_t>(one.flags);
        branch.reg_id = static_cast<std::uint32_t>(one.reg_id);
        for (const auto& listener : host_.network().listeners())
            if (!one.socket.empty() && listener->text() == one.socket)
                branch.socket = listener.get();
        return branch;
    };
    const Branch first = take(step.front());
    r.set_ruri(first.uri);
    r.set_dst_uri(first.dst_uri);
    r.set_path(first.path);
    r.branch_flags = first.flags;
    r.force_socket(first.socket);
    r.branches().clear();
    for (std::size_t i = 1; i < step.size(); ++i)
        r.branches().push_back(take(step[i]));
    return Verdict::yes();
}

// In a branch-failure route: another flow of the instance whose flow failed.
Verdict Tm::t_next_contact_flow(Request& r)
{
    State& s = state(r);
    if (settings_.contact_flows_avp.empty() || !s.cell || !s.leg) {
        log_.error("t_next_contact_flow: contact_flows_avp is not set, or there is no failed branch");
        return Verdict::no();
    }
    const std::string instance = [&] {
        const Locked locked{s.cell->lock};
        return std::string{s.leg->instance};
    }();
    std::optional<Stored> flow;
    r.with_avps([&](AvpStore& store) {
        XavpList& list = store.xavps;
        for (std::size_t i = 0; i < list.roots(settings_.contact_flows_avp) && !flow; ++i) {
            Stored one = read_first(list, settings_.contact_flows_avp, i);
            if (one.instance != instance)
                continue;
            list.remove_root(settings_.contact_flows_avp, i);
            flow = std::move(one);
        }
    });
    if (!flow)
        return {-2};
    r.set_ruri(flow->uri);
    r.set_dst_uri(flow->dst_uri);
    r.set_path(flow->path);
    r.branch_flags = static_cast<std::uint32_t>(flow->flags);
    for (const auto& listener : host_.network().listeners())
        if (!flow->socket.empty() && listener->text() == flow->socket)
            r.force_socket(listener.get());
    return Verdict::yes();
}

} // namespace sipyard::tm
