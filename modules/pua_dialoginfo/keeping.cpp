// modules/pua_dialoginfo/keeping.cpp - calls that outlive a restart: what is kept with the dialog, and taken
// up again (spec presence 7.7)
#include "core/base/text.h"
#include "modules/pua_dialoginfo/pua_dialoginfo.h"

#include <set>

namespace sipyard::pua_dialoginfo {

namespace {

// Of our own. The URIs are in the variables the parameters name.
constexpr std::string_view state_variable = "dialoginfo", caller_variable = "dialoginfo_caller",
                           callee_variable = "dialoginfo_callee";
constexpr std::size_t most_dialogs = 10'000'000;

std::string joined(const std::vector<Identity>& all)
{
    std::string text;
    for (const Identity& one : all)
        text += (text.empty() ? "" : " ") + one.uri;
    return text;
}

// Entities by their URIs; the display name is known of the one who is the party itself.
std::vector<Identity> entities_in(std::string_view text, const Identity& party)
{
    std::vector<Identity> all;
    for (const std::string_view uri : split(text, ' '))
        if (std::string address = address_of(uri); !address.empty())
            all.push_back({address, address == party.uri ? party.display : std::string{}});
    return all;
}

} // namespace

// "ID LEG HIDDEN", when the call is answered: only such calls are in dialog's tables.
void PuaDialoginfo::keep(const CallPtr& call, const Facts& facts)
{
    const Leg* const winner = facts.legs.winner();
    std::vector<Identity> callees = facts.callees;
    if (const auto own = facts.of_branch.find(winner->branch); own != facts.of_branch.end())
        callees = {own->second};
    const auto put = [&](std::string_view name, const std::string& value) {
        if (!name.empty() && !value.empty())
            (void)dialogs_.set_variable(call->entry, call->id, name, value);
    };
    put(state_variable, format("{} {} {}", facts.about.id, winner->number, facts.about.hide_remote ? 1 : 0));
    put(caller_variable, to_text(facts.about.caller));
    put(callee_variable, to_text(facts.about.callee));
    if (facts.shown.caller)
        put(settings_.pubruri_caller_dlg_var, joined(facts.callers));
    if (facts.shown.callee)
        put(settings_.pubruri_callee_dlg_var, joined(callees));
}

// The publications themselves are pua's: ours go on under their tags. false: not a call of ours.
bool PuaDialoginfo::restore(const dialog::Dialog& d)
{
    const auto held = [&](std::string_view name) {
        return name.empty() ? std::string{} : dialogs_.variable_of(d.entry, d.id, name).value_or("");
    };
    const std::string state = held(state_variable);
    std::string_view rest = state;
    // The id may be a Call-ID and hold anything but a blank.
    const std::string_view id = cut(rest, ' '), leg = cut(rest, ' '), hidden = cut(rest, ' ');
    const auto number = parse_uint(leg);
    if (id.empty() || !number || *number >= Legs::most)
        return false;
    auto call = std::make_shared<Call>(d.entry, d.id, rules_);
    call->facts.with([&](Facts& facts) {
        facts.about.id = id;
        facts.about.call_id = d.call_id;
        facts.about.caller_tag = d.caller.tag;
        facts.about.caller_contact = d.caller.contact;
        facts.about.caller = identity_from(held(caller_variable));
        facts.about.callee = identity_from(held(callee_variable));
        facts.about.hide_remote = hidden == "1";
        facts.about.local_identity = held(settings_.local_identity_dlg_var);
        facts.callers = entities_in(held(settings_.pubruri_caller_dlg_var), facts.about.caller);
        facts.callees = entities_in(held(settings_.pubruri_callee_dlg_var), facts.about.callee);
        facts.legs.restore(static_cast<int>(*number), d.callee.tag, d.callee.contact);
    });
    const bool added = calls_.with([&](Calls& calls) {
        return calls.try_emplace((static_cast<std::uint64_t>(d.entry) << 32) | d.id, call).second;
    });
    if (!added)
        return false;
    active_.add();
    call->facts.with([&](Facts& facts) { publish(call, facts, facts.legs.again()); });
    return true;
}

void PuaDialoginfo::restore_all()
{
    std::size_t count = 0;
    for (const dialog::Dialog& d : dialogs_.list(most_dialogs))
        if (d.state == dialog::State::confirmed || d.state == dialog::State::confirmed_no_ack)
            count += restore(d) ? 1 : 0;
    // What rang when the server went is over: no lamp stays lit for it.
    std::size_t gone = 0;
    for (const pua::Known& known : pua_.left_over("dialog"))
        if (known.id.ends_with("/caller") || known.id.ends_with("/callee")) {
            pua_.remove(known.presentity, "dialog", known.id);
            ++gone;
        }
    if (count + gone > 0)
        log_.notice("{} calls of an earlier run, {} publications of calls that are over", count, gone);
}

} // namespace sipyard::pua_dialoginfo
