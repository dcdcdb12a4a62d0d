// modules/pua_dialoginfo/parties.cpp - whose documents a call makes, and what they say of whom (spec
// presence 7.5)
#include "core/base/text.h"
#include "core/sip/message.h"
#include "modules/pua_dialoginfo/pua_dialoginfo.h"

#include <algorithm>

namespace sipyard::pua_dialoginfo {

namespace {

constexpr std::size_t most_entities = 16; // of one side

std::string contact_of(const sip::Message& message)
{
    const auto contacts = message.contacts();
    return contacts.empty() || contacts[0].is_star ? std::string{} : std::string{contacts[0].uri};
}

// "$avp(s:x)" or "x": the name of an AVP.
AvpList::Name avp_named(std::string_view written)
{
    if (written.starts_with("$avp(") && written.ends_with(")"))
        written = written.substr(5, written.size() - 6);
    return AvpList::Name::parse(written);
}

} // namespace

bool PuaDialoginfo::is_served(std::string_view text) const
{
    sip::Uri uri;
    return sip::read(text, uri).empty() && host_.is_myself(uri.host_plain(), uri.port, {});
}

// The To URI if its address is ours; else what the call was for before it was located. Never a contact.
Identity PuaDialoginfo::callee_of(Request& request, const dialog::Dialog& dialog) const
{
    const sip::Message& message = request.message();
    const auto* const to = message.to();
    Identity by_to{to ? address_of(to->uri) : std::string{}, to ? plain_display(to->display) : std::string{}};
    const std::string asked = address_of(dialog.request_uri);
    if (settings_.include_req_uri == 0 || (settings_.include_req_uri < 0 && is_served(by_to.uri)))
        return by_to;
    if (settings_.include_req_uri > 0)
        return {asked, by_to.display};
    for (const std::string& uri : {asked, address_of(message.uri_text())})
        if (!uri.empty() && is_served(uri))
            return {uri, by_to.display};
    return by_to;
}

// AVPs, then the variable, then what the INVITE says; of these the ones that are ours, or wanted by flag.
std::vector<Identity> PuaDialoginfo::entities(Request& request, std::string_view avp,
                                              const VariableRef* variable, const Identity& otherwise)
{
    std::vector<Identity> all;
    const bool any_domain = has_flag(request, settings_.send_publish_flag);
    const auto add = [&](Identity one) {
        const bool known =
            std::any_of(all.begin(), all.end(), [&](const Identity& i) { return i.uri == one.uri; });
        if (!one.uri.empty() && !known && all.size() < most_entities && (any_domain || is_served(one.uri)))
            all.push_back(std::move(one));
    };
    if (settings_.use_pubruri_avps) {
        const auto name = avp_named(avp);
        std::vector<std::string> written;
        if (!avp.empty())
            request.with_avps([&](AvpStore& store) {
                for (std::size_t n = 0; n < store.avps.count(name); ++n)
                    written.emplace_back(store.avps.get(name, n).text());
            });
        for (const std::string& one : written)
            add(identity_from(one));
        return all;
    }
    if (variable)
        if (const Value given = variable->get(request); given.is_text() && !given.text().empty()) {
            add(identity_from(given.text()));
            return all;
        }
    add(otherwise);
    return all;
}

PuaDialoginfo::Parties PuaDialoginfo::parties_of(Request& request, const dialog::Dialog& dialog)
{
    const sip::Message& message = request.message();
    Parties out;
    const auto* const from = message.from();
    const Identity by_from{from ? address_of(from->uri) : std::string{},
                           from ? plain_display(from->display) : std::string{}};
    out.caller = by_from;
    if (settings_.trust_pai)
        for (const sip::NameAddr& asserted : message.values(sip::HeaderName::p_asserted_identity))
            if (std::string uri = address_of(asserted.uri); !uri.empty()) {
                out.caller = {std::move(uri), plain_display(asserted.display)};
                break;
            }
    out.callee = callee_of(request, dialog);
    out.callers = entities(request, settings_.pubruri_caller_avp, caller_variable_.get(), by_from);
    out.callees = entities(request, settings_.pubruri_callee_avp, callee_variable_.get(), out.callee);
    // A name given by the script is told to the other side, too.
    if (caller_variable_ && !settings_.use_pubruri_avps && !out.callers.empty())
        out.caller = out.callers.front();
    if (callee_variable_ && !settings_.use_pubruri_avps && !out.callees.empty())
        out.callee = out.callees.front();
    const bool no_caller = has_flag(request, settings_.disable_caller_publish_flag),
               no_callee = has_flag(request, settings_.disable_callee_publish_flag);
    out.shown = {!no_caller, !no_callee};
    if (no_caller && !settings_.caller_entity_when_publish_disabled.empty())
        out.caller = {settings_.caller_entity_when_publish_disabled, {}};
    if (no_callee && !settings_.callee_entity_when_publish_disabled.empty())
        out.callee = {settings_.callee_entity_when_publish_disabled, {}};
    if (const Wish* const wish = request.find(slot_); wish && wish->given)
        out.shown = wish->sides;
    for (const auto* field = message.first(sip::HeaderName::privacy); field; field = message.next(*field))
        out.hide = out.hide || asks_for_privacy(field->value);
    out.contact = contact_of(message);
    if (!settings_.local_identity_dlg_var.empty())
        out.local_identity =
            dialogs_.variable_of(dialog.entry, dialog.id, settings_.local_identity_dlg_var).value_or("");
    return out;
}

void PuaDialoginfo::take(Facts& facts, Parties parties)
{
    facts.about.caller = std::move(parties.caller);
    facts.about.callee = std::move(parties.callee);
    facts.about.hide_remote = parties.hide;
    facts.about.local_identity = std::move(parties.local_identity);
    if (facts.about.caller_contact.empty())
        facts.about.caller_contact = std::move(parties.contact);
    facts.callers = std::move(parties.callers);
    facts.callees = std::move(parties.callees);
    facts.shown = parties.shown;
}

// The script has put other URIs into the AVPs: those that went are taken back, those that came get the state.
void PuaDialoginfo::refresh_entities(const CallPtr& call, Request& request)
{
    const auto callers = entities(request, settings_.pubruri_caller_avp, caller_variable_.get(), {});
    const auto callees = entities(request, settings_.pubruri_callee_avp, callee_variable_.get(), {});
    call->facts.with([&](Facts& facts) {
        const bool changed = facts.callers != callers || facts.callees != callees;
        if (!changed)
            return;
        const AllNews news = facts.legs.again();
        const auto left = [&](const std::vector<Identity>& before, const std::vector<Identity>& now,
                              Side side) {
            for (const Identity& one : before)
                if (std::find(now.begin(), now.end(), one) == now.end())
                    for (const News& item : news)
                        if (item.side == side)
                            pua_.remove(one.uri, "dialog",
                                        dialog_id(facts.about, item, includes_) +
                                            (side == Side::caller ? "/caller" : "/callee"));
        };
        left(facts.callers, callers, Side::caller);
        left(facts.callees, callees, Side::callee);
        facts.callers = callers;
        facts.callees = callees;
        publish(call, facts, news);
    });
}

} // namespace sipyard::pua_dialoginfo
