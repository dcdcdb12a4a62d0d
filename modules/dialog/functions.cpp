// modules/dialog/functions.cpp - the script's functions about the dialog of the message in hand
#include "core/base/text.h"
#include "core/sip/message.h"
#include "modules/dialog/dialog.h"

#include <algorithm>

namespace sipyard::dialog {

std::optional<Dialog> Dialogs::find(std::string_view call_id, std::string_view from_tag,
                                    std::string_view to_tag)
{
    const auto found = table_.find(call_id, from_tag, to_tag);
    if (!found.call)
        return {};
    return found.call->facts.with([](const Facts& facts) { return facts.dialog; });
}

std::optional<Dialog> Dialogs::of(Request& request)
{
    const CallPtr call = current(request);
    if (!call)
        return {};
    return call->facts.with([](const Facts& facts) { return facts.dialog; });
}

std::vector<Dialog> Dialogs::list(std::size_t most)
{
    std::vector<Dialog> all;
    table_.each([&](const CallPtr& call) {
        if (all.size() < most)
            all.push_back(call->facts.with([](const Facts& facts) { return facts.dialog; }));
        return all.size() < most;
    });
    return all;
}

Verdict Dialogs::dlg_bye(Request& request, std::string_view side)
{
    const CallPtr call = current(request);
    if (!call)
        return Verdict::no();
    const bool all = iequals(side, "all"), caller = iequals(side, "caller"), callee = iequals(side, "callee");
    if (!all && !caller && !callee) {
        log_.error("dlg_bye: '{}' is none of caller, callee, all", side);
        return Verdict::no();
    }
    return Verdict::of(terminate(call->entry, call->id,
                                 all      ? Side::both
                                 : caller ? Side::caller
                                          : Side::callee,
                                 {})
                           .has_value());
}

Verdict Dialogs::dlg_get(Request& request, std::string_view call_id, std::string_view from_tag,
                         std::string_view to_tag)
{
    const auto found = table_.find(call_id, from_tag, to_tag);
    if (!found.call)
        return Verdict::no();
    Context& mine = context(request);
    mine.call = found.call;
    mine.direction = found.direction;
    mine.made_here = false;
    return Verdict::yes();
}

Verdict Dialogs::is_known_dlg(Request& request) { return Verdict::of(current(request) != nullptr); }

Verdict Dialogs::dlg_isflagset(Request& request, std::int64_t flag)
{
    if (flag < 0 || flag > 31)
        return Verdict::no();
    const std::uint32_t bit = 1u << flag;
    const CallPtr call = current(request);
    const std::uint32_t flags =
        call ? call->facts.with([](const Facts& f) { return f.flags; }) : context(request).flags;
    return Verdict::of((flags & bit) != 0);
}

Verdict Dialogs::dlg_setflag(Request& request, std::int64_t flag)
{
    if (flag < 0 || flag > 31)
        return Verdict::no();
    const std::uint32_t bit = 1u << flag;
    if (const CallPtr call = current(request))
        call->facts.with([&](Facts& f) { f.flags |= bit, f.changed = true; });
    else
        context(request).flags |= bit;
    return Verdict::yes();
}

Verdict Dialogs::dlg_resetflag(Request& request, std::int64_t flag)
{
    if (flag < 0 || flag > 31)
        return Verdict::no();
    const std::uint32_t bit = 1u << flag;
    if (const CallPtr call = current(request))
        call->facts.with([&](Facts& f) { f.flags &= ~bit, f.changed = true; });
    else
        context(request).flags &= ~bit;
    return Verdict::yes();
}

// --- profiles ------------------------------------------------------------------------------------

std::optional<std::size_t> Dialogs::profile_named(std::string_view profile) const
{
    const auto found = profiles_.find(profile);
    if (!found)
        log_.error("there is no profile '{}'", profile);
    return found;
}

Verdict Dialogs::set_profile(Request& request, std::string_view profile,
                             std::optional<std::string_view> value)
{
    const auto number = profile_named(profile);
    const CallPtr call = current(request);
    if (!number || !call)
        return Verdict::no();
    const std::string held = profiles_.has_value(*number) ? std::string{value.value_or("")} : std::string{};
    const bool added = call->facts.with([&](Facts& facts) {
        if (facts.dialog.state == State::deleted)
            return false;
        facts.profiles.emplace_back(*number, held);
        facts.changed = true;
        profiles_.add(*number, held); // inside the lock: an end at this moment must find it
        return true;
    });
    return Verdict::of(added);
}

Verdict Dialogs::unset_profile(Request& request, std::string_view profile,
                               std::optional<std::string_view> value)
{
    const auto number = profile_named(profile);
    const CallPtr call = current(request);
    if (!number || !call)
        return Verdict::no();
    const std::string held = profiles_.has_value(*number) ? std::string{value.value_or("")} : std::string{};
    return Verdict::of(call->facts.with([&](Facts& facts) {
        const auto found = std::find(facts.profiles.begin(), facts.profiles.end(), std::pair{*number, held});
        if (found == facts.profiles.end())
            return false;
        facts.profiles.erase(found);
        facts.changed = true;
        profiles_.remove(*number, held);
        return true;
    }));
}

Verdict Dialogs::is_in_profile(Request& request, std::string_view profile,
                               std::optional<std::string_view> value)
{
    const auto number = profile_named(profile);
    const CallPtr call = current(request);
    if (!number || !call)
        return Verdict::no();
    if (!profiles_.has_value(*number))
        value = {};
    return Verdict::of(call->facts.with([&](const Facts& facts) {
        return std::any_of(facts.profiles.begin(), facts.profiles.end(), [&](const auto& held) {
            return held.first == *number && (!value || held.second == *value);
        });
    }));
}

Verdict Dialogs::profile_size(Request& request, std::string_view profile, const VariableRef& size)
{
    const auto number = profile_named(profile);
    return Verdict::of(number && size.set(request, static_cast<std::int64_t>(profiles_.size(
                                                       *number, {}, host_.clock().unix_seconds()))));
}

Verdict Dialogs::profile_value_size(Request& request, std::string_view profile, std::string_view value,
                                    const VariableRef& size)
{
    const auto number = profile_named(profile);
    return Verdict::of(number && size.set(request, static_cast<std::int64_t>(profiles_.size(
                                                       *number, value, host_.clock().unix_seconds()))));
}

Verdict Dialogs::remote_profile(Request&, std::string_view command, std::string_view profile,
                                std::string_view value, std::string_view uid, std::int64_t expires)
{
    const auto number = profile_named(profile);
    if (!number || uid.empty())
        return Verdict::no();
    if (command == "add") {
        profiles_.add_remote(*number, value, uid, expires);
        return Verdict::yes();
    }
    if (command == "rm")
        return Verdict::of(profiles_.remove_remote(*number, uid));
    log_.error("dlg_remote_profile: '{}' is neither add nor rm", command);
    return Verdict::no();
}

// --- timeouts and properties ---------------------------------------------------------------------

void Dialogs::new_timeout(const CallPtr& call, std::int64_t seconds)
{
    call->facts.with([&](Facts& facts) {
        facts.lifetime = seconds;
        facts.changed = true;
        if (facts.dialog.state == State::confirmed || facts.dialog.state == State::confirmed_no_ack)
            set_deadline(call, facts, after(seconds));
    });
}

Verdict Dialogs::set_timeout(Request& request, std::int64_t seconds, std::optional<std::int64_t> entry,
                             std::optional<std::int64_t> id)
{
    if (seconds <= 0) {
        log_.error("dlg_set_timeout: {} is no time", seconds);
        return Verdict::no();
    }
    const CallPtr call =
        entry && id ? table_.find(static_cast<std::uint32_t>(*entry), static_cast<std::uint32_t>(*id))
                    : current(request);
    if (!call)
        return Verdict::no();
    new_timeout(call, seconds);
    return Verdict::yes();
}

Verdict Dialogs::set_timeout_by_profile(Request&, std::string_view profile, std::int64_t seconds)
{
    const auto number = profile_named(profile);
    if (!number || seconds <= 0)
        return Verdict::no();
    table_.each([&](const CallPtr& call) {
        if (call->facts.with([&](const Facts& f) {
                return std::any_of(f.profiles.begin(), f.profiles.end(),
                                   [&](const auto& held) { return held.first == *number; });
            }))
            new_timeout(call, seconds);
        return true;
    });
    return Verdict::yes();
}

Verdict Dialogs::set_timeout_by_profile_value(Request&, std::string_view profile, std::string_view value,
                                              std::int64_t seconds)
{
    const auto number = profile_named(profile);
    if (!number || seconds <= 0)
        return Verdict::no();
    const std::pair wanted{*number, profiles_.has_value(*number) ? std::string{value} : std::string{}};
    table_.each([&](const CallPtr& call) {
        if (call->facts.with([&](const Facts& f) {
                return std::find(f.profiles.begin(), f.profiles.end(), wanted) != f.profiles.end();
            }))
            new_timeout(call, seconds);
        return true;
    });
    return Verdict::yes();
}

Verdict Dialogs::put_property(Request& request, std::string_view property, bool value)
{
    const CallPtr call = current(request);
    if (!call)
        return Verdict::no();
    const bool known = call->facts.with([&](Facts& facts) {
        bool* const held = property == "ka-src"            ? &facts.ka_caller
                           : property == "ka-dst"          ? &facts.ka_callee
                           : property == "timeout-noreset" ? &facts.timeout_keeps
                                                           : nullptr;
        if (held) {
            *held = value;
            facts.changed = true;
        }
        return held != nullptr;
    });
    if (!known) {
        log_.error("dlg_set_property: '{}' is none of ka-src, ka-dst, timeout-noreset", property);
        return Verdict::no();
    }
    begin_keepalive(call);
    return Verdict::yes();
}

// The contact we know of the side the request goes to.
Verdict Dialogs::set_ruri(Request& request)
{
    const CallPtr call = current(request);
    const Direction direction = context(request).direction;
    if (!call || !request.message().is_request() || direction == Direction::none)
        return Verdict::no();
    const std::string target = call->facts.with([&](const Facts& facts) {
        return direction == Direction::upstream ? facts.dialog.caller.contact : facts.dialog.callee.contact;
    });
    if (target.empty())
        return Verdict::no();
    request.set_ruri(target);
    return Verdict::yes();
}

} // namespace sipyard::dialog
