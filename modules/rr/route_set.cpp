// modules/rr/route_set.cpp - what to do with the Route headers of a request
#include "modules/rr/route_set.h"

namespace sipyard::rr {

namespace {

bool is_half_of_two(const sip::Uri& uri) { return uri.params.find("r2") == "on"; }

Plan refused(std::string_view problem)
{
    Plan plan;
    plan.problem = problem;
    return plan;
}

// The value at `n`, which must be a SIP URI: routing to anything else makes no sense.
bool read_route(const sip::ValueList<sip::NameAddr>& routes, std::size_t n, sip::Uri& out)
{
    return sip::read(routes[n].uri, out).empty() && out.is_sip() && !out.host.empty();
}

} // namespace

Plan plan_route(const sip::ValueList<sip::NameAddr>& routes, std::string_view ruri, RuriMeaning meaning,
                bool double_routes, const std::function<bool(const sip::Uri&)>& is_mine)
{
    if (!routes.complaint.empty())
        return refused(routes.complaint);
    if (routes.empty())
        return {};
    sip::Uri target, first;
    if (const auto complaint = sip::read(ruri, target); !complaint.empty())
        return refused("the R-URI cannot be read");
    if (!read_route(routes, 0, first))
        return refused("the first Route holds no SIP URI");

    Plan plan;
    std::size_t at = 0, end = routes.size(); // [at, end): what is left of the route set
    const bool first_is_mine = is_mine(first);
    // A strict router before us moved our Record-Route into the R-URI and the target to the end of the route
    // set (16.4). What we put into a Record-Route has ";lr"; should it have been lost on the way, a first
    // Route of ours tells that the R-URI is no such thing, but a contact that lives on this server.
    if (meaning == RuriMeaning::may_be_our_route && target.is_sip() && is_mine(target) &&
        (target.is_loose() || !first_is_mine)) {
        plan.ours = true;
        plan.own = target;
        --end;
        plan.drop_last = true;
        plan.ruri = routes[end].uri;
        sip::Uri last;
        if (!read_route(routes, end, last))
            return refused("the last Route, which holds the target, cannot be read");
    } else if (first_is_mine) {
        plan.ours = true;
        plan.own = first;
        at = 1;
    }
    // The other half of a double Record-Route follows; it names the socket on the other side.
    if (plan.ours && double_routes && is_half_of_two(plan.own) && at < end) {
        if (!read_route(routes, at, plan.second))
            return refused("the second Route of two cannot be read");
        plan.has_second = true;
        plan.second_is_ours = is_mine(plan.second);
        ++at;
    }
    plan.drop_first = at;
    if (at == end) {
        plan.outcome = plan.drop_last ? Outcome::routed : Outcome::last_was_us;
        return plan;
    }
    sip::Uri next;
    if (!read_route(routes, at, next))
        return refused("the next Route holds no SIP URI");
    plan.outcome = Outcome::routed;
    plan.next_is_route = true;
    if (next.is_loose()) {
        plan.next_hop = routes[at].uri;
    } else {
        // The next hop is a strict router: it wants itself in the R-URI and the target last in the route set
        // (16.6 item 6).
        plan.append_ruri = !plan.drop_last; // with drop_last the target is there already
        plan.drop_last = false;
        plan.ruri = routes[at].uri;
        plan.drop_first = at + 1;
    }
    return plan;
}

} // namespace sipyard::rr
