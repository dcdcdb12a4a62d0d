// modules/tm/status_functions.cpp - the script's words: how branches fared, timers, wishes, replies to be
// dropped
#include "modules/tm/tm.h"

#include "core/base/text.h"
#include "core/sip/message.h"

namespace sipyard::tm {

// --- how it fared --------------------------------------------------------------------------------

Verdict Tm::t_get_status_code(Request& r)
{
    const State& s = state(r);
    if (s.reply_code)
        return {s.reply_code};
    if (!s.cell)
        return Verdict::no();
    const Locked locked{s.cell->lock};
    return s.cell->code ? Verdict{s.cell->code} : Verdict::no();
}

Verdict Tm::t_check_status(Request& r, const Regex& re)
{
    const Verdict code = t_get_status_code(r);
    if (code.code <= 0)
        return Verdict::no();
    char digits[16];
    return Verdict::of(re.matches({digits, put_int(digits, code.code)}));
}

Verdict Tm::t_grep_status(Request& r, std::int64_t code)
{
    const State& s = state(r);
    if (!s.cell)
        return Verdict::no();
    const Locked locked{s.cell->lock};
    for (const Leg* leg = s.cell->saved ? s.cell->saved->legs : nullptr; leg; leg = leg->next)
        if (leg->code == code && leg->is_done())
            return Verdict::yes();
    return Verdict::no();
}

Verdict Tm::t_branch_timeout(Request& r)
{
    const State& s = state(r);
    if (!s.cell || !s.leg)
        return Verdict::no();
    const Locked locked{s.cell->lock};
    return Verdict::of(s.leg->timed_out && s.leg->faked);
}

Verdict Tm::t_branch_replied(Request& r)
{
    const State& s = state(r);
    if (!s.cell || !s.leg)
        return Verdict::no();
    const Locked locked{s.cell->lock};
    return Verdict::of(s.leg->replied);
}

Verdict Tm::t_any_timeout(Request& r)
{
    const State& s = state(r);
    if (!s.cell)
        return Verdict::no();
    const Locked locked{s.cell->lock};
    for (const Leg* leg = s.cell->saved ? s.cell->saved->legs : nullptr; leg; leg = leg->next)
        if (leg->timed_out && leg->faked)
            return Verdict::yes();
    return Verdict::no();
}

// The reply in hand is not counted.
Verdict Tm::t_any_replied(Request& r)
{
    const State& s = state(r);
    if (!s.cell)
        return Verdict::no();
    const Locked locked{s.cell->lock};
    for (const Leg* leg = s.cell->saved ? s.cell->saved->legs : nullptr; leg; leg = leg->next)
        if (leg->replied || (leg != s.leg && leg->code > 0 && !leg->faked))
            return Verdict::yes();
    return Verdict::no();
}

Verdict Tm::t_is_canceled(Request& r)
{
    const State& s = state(r);
    if (!s.cell)
        return Verdict::no();
    const Locked locked{s.cell->lock};
    return Verdict::of(s.cell->cancelled);
}

Verdict Tm::t_is_expired(Request& r)
{
    const State& s = state(r);
    if (!s.cell)
        return Verdict::no();
    const Locked locked{s.cell->lock};
    return Verdict::of(s.cell->expired);
}

// --- timers --------------------------------------------------------------------------------------

void Tm::change_terms(Request& r, void (*change)(Terms&, std::int64_t, std::int64_t), std::int64_t a,
                      std::int64_t b)
{
    State& s = state(r);
    if (!s.cell) {
        change(s.terms, a, b);
        return;
    }
    const Locked locked{s.cell->lock};
    if (s.cell->saved)
        change(s.cell->saved->terms, a, b);
}

Verdict Tm::t_set_fr(Request& r, std::int64_t invite, std::optional<std::int64_t> other)
{
    change_terms(
        r,
        [](Terms& terms, std::int64_t inv, std::int64_t fr) {
            if (inv > 0)
                terms.fr_inv = static_cast<std::uint32_t>(inv);
            if (fr > 0)
                terms.fr = static_cast<std::uint32_t>(fr);
        },
        invite, other.value_or(0));
    State& s = state(r);
    if (!s.cell)
        return Verdict::yes();
    const Locked locked{s.cell->lock}; // branches under way have their deadlines moved
    const Instant at = now();
    for (Leg* leg = s.cell->saved ? s.cell->saved->legs : nullptr; leg; leg = leg->next) {
        if (!leg->is_pending())
            continue;
        const bool ringing = s.cell->invite && leg->code >= 100;
        if (ringing ? invite > 0 : other.value_or(0) > 0)
            leg->out_at = at + std::chrono::milliseconds{ringing ? invite : *other};
    }
    schedule(*s.cell);
    return Verdict::yes();
}

Verdict Tm::t_reset_fr(Request& r)
{
    change_terms(
        r, [](Terms& terms, std::int64_t, std::int64_t) { terms.fr = terms.fr_inv = 0; }, 0, 0);
    return Verdict::yes();
}

Verdict Tm::t_set_retr(Request& r, std::int64_t t1_ms, std::int64_t t2_ms)
{
    change_terms(
        r,
        [](Terms& terms, std::int64_t first, std::int64_t most) {
            if (first > 0)
                terms.t1 = static_cast<std::uint32_t>(first);
            if (most > 0)
                terms.t2 = static_cast<std::uint32_t>(most);
        },
        t1_ms, t2_ms);
    return Verdict::yes();
}

Verdict Tm::t_reset_retr(Request& r)
{
    change_terms(
        r, [](Terms& terms, std::int64_t, std::int64_t) { terms.t1 = terms.t2 = 0; }, 0, 0);
    return Verdict::yes();
}

Verdict Tm::t_set_max_lifetime(Request& r, std::int64_t invite, std::int64_t other)
{
    change_terms(
        r,
        [](Terms& terms, std::int64_t inv, std::int64_t rest) {
            if (inv > 0)
                terms.max_life_inv = static_cast<std::uint32_t>(inv);
            if (rest > 0)
                terms.max_life_other = static_cast<std::uint32_t>(rest);
        },
        invite, other);
    State& s = state(r);
    if (s.cell) {
        const Locked locked{s.cell->lock};
        const std::int64_t mine = s.cell->invite ? invite : other;
        if (mine > 0 && !s.cell->expired)
            s.cell->life_until = s.cell->created + std::chrono::milliseconds{mine};
        schedule(*s.cell);
    }
    return Verdict::yes();
}

Verdict Tm::t_reset_max_lifetime(Request& r)
{
    change_terms(
        r, [](Terms& terms, std::int64_t, std::int64_t) { terms.max_life_inv = terms.max_life_other = 0; }, 0,
        0);
    State& s = state(r);
    if (s.cell) {
        const Locked locked{s.cell->lock};
        if (!s.cell->expired)
            s.cell->life_until =
                s.cell->created + std::chrono::milliseconds{s.cell->invite ? settings_.max_inv_lifetime
                                                                           : settings_.max_noninv_lifetime};
        schedule(*s.cell);
    }
    return Verdict::yes();
}

// --- wishes --------------------------------------------------------------------------------------

template <std::uint16_t on, std::uint16_t off>
Verdict Tm::t_wish(Request& r, std::int64_t value)
{
    State& s = state(r);
    const auto change = [&](std::uint16_t& wishes) {
        wishes = static_cast<std::uint16_t>((wishes & ~(on | off)) | (value != 0 ? on : off));
    };
    change(s.wishes);
    if (s.cell) {
        const Locked locked{s.cell->lock};
        if (s.cell->saved)
            change(s.cell->saved->wishes);
    }
    return Verdict::yes();
}
template Verdict Tm::t_wish<with_auto_100, no_auto_100>(Request&, std::int64_t);
template Verdict Tm::t_wish<no_6xx, with_6xx>(Request&, std::int64_t);
template Verdict Tm::t_wish<no_failover, 0>(Request&, std::int64_t);
template Verdict Tm::t_wish<no_e2e_reason, 0>(Request&, std::int64_t);
template Verdict Tm::t_wish<no_internal_reply, 0>(Request&, std::int64_t);

Verdict Tm::t_use_uac_headers(Request& r) { return t_wish<uac_headers, 0>(r, 1); }

// --- replies -------------------------------------------------------------------------------------

// Which replies take no part in the choice once new branches are there: all, those of the last set, or none.
Verdict Tm::t_drop_replies(Request& r, std::optional<Literal> mode)
{
    State& s = state(r);
    if (!s.cell)
        return Verdict::no();
    const Locked locked{s.cell->lock};
    if (!s.cell->saved)
        return Verdict::no();
    const char which = mode && !mode->text.empty() ? mode->text.front() : 'a';
    if (which != 'a' && which != 'l' && which != 'n') {
        log_.error("t_drop_replies: '{}' is none of a, l, n", mode->text);
        return Verdict::no();
    }
    s.cell->saved->drop_mode = which;
    return Verdict::yes();
}

Verdict Tm::t_save_lumps(Request& r)
{
    State& s = state(r);
    if (!s.cell || r.route() != Route::request) {
        log_.error("t_save_lumps: the transaction must have been made (t_newtran), and not been relayed");
        return Verdict::no();
    }
    const Locked locked{s.cell->lock};
    if (!s.cell->saved)
        return Verdict::no();
    save_edits(r, *s.cell);
    s.cell->saved->lumps_kept = true;
    return Verdict::yes();
}

Verdict Tm::t_uac_send(Request&, std::string_view method, std::string_view ruri, std::string_view next_hop,
                       std::string_view socket, std::string_view headers, std::string_view body)
{
    task::Fiber* const fiber = task::Fiber::current();
    Composed composed;
    if (!fiber || !compose_loose(composed, method, ruri, next_hop, socket, headers, body, fiber->arena()))
        return Verdict::no();
    const auto sent = send(composed.out, {});
    if (!sent)
        log_.info("t_uac_send: {}", sent.error().text);
    return Verdict::of(sent.has_value());
}

} // namespace sipyard::tm
