// modules/pua_dialoginfo/pua_dialoginfo.cpp - calls published as dialog state: manifest, settings, functions
#include "modules/pua_dialoginfo/pua_dialoginfo.h"

#include "core/base/text.h"

namespace sipyard::pua_dialoginfo {

namespace {

Rules rules_of(const Settings& s)
{
    return {s.publish_on_trying, s.callee_trying, s.caller_confirmed, s.branch_mode == 1};
}

Includes includes_of(const Settings& s)
{
    return {s.include_callid, s.include_tags, s.include_localremote, s.attribute_display, s.branch_mode == 1};
}

std::shared_ptr<const VariableRef> variable_named(Host& host, std::string_view text, std::string_view param)
{
    if (text.empty())
        return nullptr;
    auto variable = host.compile_variable(text);
    if (!variable)
        throw StartupError{format("pua_dialoginfo: {} '{}': {}", param, text, variable.error().text)};
    return *variable;
}

} // namespace

PuaDialoginfo::PuaDialoginfo(const Settings& settings, Host& host)
    : settings_{settings}, host_{host}, log_{host.logger("pua_dialoginfo")}, slot_{host.slot<Wish>()},
      tm_{host.service<tm::Api>()}, tm_extras_{host.service<tm::Extras>()},
      dialogs_{host.service<dialog::Api>()}, pua_{host.service<pua::Api>()}, rules_{rules_of(settings)},
      includes_{includes_of(settings)}, caller_variable_{variable_named(host, settings.caller_spec_param,
                                                                        "caller_spec_param")},
      callee_variable_{variable_named(host, settings.callee_spec_param, "callee_spec_param")},
      active_{host.counter("pua_dialoginfo", "calls", "Calls that are shown now")},
      published_{host.counter("pua_dialoginfo", "published", "Documents handed to pua")}
{
    const auto in_range = [](int value, int low, int high, std::string_view param) {
        if (value < low || value > high)
            throw StartupError{
                format("pua_dialoginfo: {} is {}; {} to {} was expected", param, value, low, high)};
    };
    in_range(settings.send_publish_flag, -1, 31, "send_publish_flag");
    in_range(settings.disable_caller_publish_flag, -1, 31, "disable_caller_publish_flag");
    in_range(settings.disable_callee_publish_flag, -1, 31, "disable_callee_publish_flag");
    in_range(settings.refresh_pubruri_avps_flag, -1, 31, "refresh_pubruri_avps_flag");
    in_range(settings.branch_mode, 0, 1, "branch_mode");
    in_range(settings.include_req_uri, -1, 1, "include_req_uri");
    in_range(settings.terminated_lifetime, 1, 3600, "terminated_lifetime");
    in_range(settings.override_lifetime, 0, 1'000'000'000, "override_lifetime");
    if (settings.terminated_mode != "expire" && settings.terminated_mode != "remove")
        throw StartupError{format("pua_dialoginfo: terminated_mode '{}' is none of expire, remove",
                                  settings.terminated_mode)};
    if (settings.use_pubruri_avps && settings.pubruri_caller_avp.empty() &&
        settings.pubruri_callee_avp.empty())
        throw StartupError{
            "pua_dialoginfo: use_pubruri_avps is set, so pubruri_caller_avp or pubruri_callee_avp must be"};
    for (const auto& [uri, param] :
         {std::pair{&settings.caller_entity_when_publish_disabled, "caller_entity_when_publish_disabled"},
          std::pair{&settings.callee_entity_when_publish_disabled, "callee_entity_when_publish_disabled"}})
        if (!uri->empty() && address_of(*uri).empty())
            throw StartupError{format("pua_dialoginfo: {} '{}' is no SIP URI with a user", param, *uri)};
    tm_.add_watcher(*this);
    if (!host.checking())
        restore_all();
}

// --- functions -----------------------------------------------------------------------------------

std::optional<Sides> PuaDialoginfo::sides_of(std::optional<std::string_view> text) const
{
    if (!text || text->empty() || iequals(*text, "AB"))
        return Sides{};
    if (iequals(*text, "A"))
        return Sides{true, false};
    if (iequals(*text, "B"))
        return Sides{false, true};
    log_.error("'{}' is none of A (the caller), B (the callee), AB", *text);
    return {};
}

CallPtr PuaDialoginfo::of(Request& request)
{
    const auto dialog = dialogs_.of(request);
    return dialog ? find(dialog->entry, dialog->id) : nullptr;
}

Verdict PuaDialoginfo::set(Request& request, std::optional<std::string_view> text)
{
    const auto sides = sides_of(text);
    if (!sides)
        return Verdict::no();
    Wish& wish = request.at(slot_);
    wish.given = true;
    wish.sides = *sides;
    if (const CallPtr call = of(request))
        call->facts.with([&](Facts& facts) { facts.shown = *sides; });
    return Verdict::yes();
}

Verdict PuaDialoginfo::set_branch_callee(Request& request, std::string_view text)
{
    const Identity callee = identity_from(text);
    const CallPtr call = of(request);
    const int branch = tm_extras_.branch_index(request);
    if (callee.uri.empty() || !call || branch < 0) {
        log_.error("dialoginfo_set_branch_callee: '{}' is no SIP URI, or this is no branch of a call that is "
                   "followed",
                   text);
        return Verdict::no();
    }
    call->facts.with([&](Facts& facts) { facts.of_branch[branch] = callee; });
    return Verdict::yes();
}

Verdict PuaDialoginfo::mute_branch(Request& request, std::optional<std::string_view> text)
{
    const auto sides = sides_of(text);
    const CallPtr call = of(request);
    const int branch = tm_extras_.branch_index(request);
    if (!sides || !call || branch < 0)
        return Verdict::no();
    call->facts.with([&](Facts& facts) { facts.muted[branch] = *sides; });
    return Verdict::yes();
}

Manifest<PuaDialoginfo> PuaDialoginfo::manifest()
{
    using M = PuaDialoginfo;
    using S = Settings;
    return {
        .name = "pua_dialoginfo",
        .about = "Calls of module dialog, published as dialog state for lamps and pick-up (RFC 4235)",
        .needs = {need<tm::Api>(), need<tm::Extras>(), need<dialog::Api>(), need<pua::Api>()},
        .params =
            {
                param("include_callid", &S::include_callid, "The Call-ID is told"),
                param("include_tags", &S::include_tags, "The tags are told"),
                param("include_localremote", &S::include_localremote, "Identities and targets are told"),
                param("override_lifetime", &S::override_lifetime,
                      "Seconds asked for in a PUBLISH; 0: what the call has left"),
                param("include_req_uri", &S::include_req_uri,
                      "The callee is 0 the To URI, 1 the Request-URI, -1 the To URI if it is ours, else the "
                      "Request-URI"),
                param("caller_confirmed", &S::caller_confirmed,
                      "The caller is confirmed as soon as it rings, so that its lamp does not blink"),
                param("callee_trying", &S::callee_trying, "The callee is shown before it rings"),
                param("publish_on_trying", &S::publish_on_trying, "The caller is shown before it rings"),
                param("send_publish_flag", &S::send_publish_flag,
                      "Message flag that has calls of domains published that are not ours; -1: none"),
                param("disable_caller_publish_flag", &S::disable_caller_publish_flag,
                      "Message flag that hides the caller's side; -1: none"),
                param("disable_callee_publish_flag", &S::disable_callee_publish_flag,
                      "Message flag that hides the callee's side; -1: none"),
                param("caller_entity_when_publish_disabled", &S::caller_entity_when_publish_disabled,
                      "URI told in place of a caller whose side is hidden"),
                param("callee_entity_when_publish_disabled", &S::callee_entity_when_publish_disabled,
                      "URI told in place of a callee whose side is hidden"),
                param("use_pubruri_avps", &S::use_pubruri_avps, "Whose documents these are is told by AVPs"),
                param("pubruri_caller_avp", &S::pubruri_caller_avp, "AVP with the caller's URIs"),
                param("pubruri_callee_avp", &S::pubruri_callee_avp, "AVP with the callee's URIs"),
                param("refresh_pubruri_avps_flag", &S::refresh_pubruri_avps_flag,
                      "Message flag that has the AVPs read again at each reply; -1: none"),
                param("caller_spec_param", &S::caller_spec_param,
                      "Variable with the caller's name and URI: \"Name\" <uri>"),
                param("callee_spec_param", &S::callee_spec_param,
                      "Variable with the callee's name and URI: \"Name\" <uri>"),
                param("pubruri_caller_dlg_var", &S::pubruri_caller_dlg_var,
                      "Dialog variable that keeps the caller's URIs over a restart"),
                param("pubruri_callee_dlg_var", &S::pubruri_callee_dlg_var,
                      "Dialog variable that keeps the callee's URIs over a restart"),
                param("local_identity_dlg_var", &S::local_identity_dlg_var,
                      "Dialog variable with the local identity of the callee's documents"),
                param("publish_dialog_req_within", &S::publish_dialog_req_within,
                      "1: requests within a call publish its state once more"),
                param("publish_target_changes", &S::publish_target_changes,
                      "1: a new contact within a call is published"),
                param("attribute_display", &S::attribute_display,
                      "1: the user part is the display name where there is none"),
                param("trust_pai", &S::trust_pai, "1: P-Asserted-Identity says who calls"),
                param("use_uuid", &S::use_uuid, "Dialogs are named by a random id; 0: by the Call-ID"),
                param("branch_mode", &S::branch_mode,
                      "1: each phone that rings is a dialog of its own, 0: one for all"),
                param("terminated_lifetime", &S::terminated_lifetime,
                      "Seconds the end of a call is published"),
                param("terminated_mode", &S::terminated_mode,
                      "expire: the end is published; remove: the publication is taken back"),
            },
        .functions =
            {
                function("dialoginfo_set", &M::set,
                         "Shows the caller (A), the callee (B) or both sides of the call",
                         Route::request | Route::branch | Route::failure),
                function("dialoginfo_set_branch_callee", &M::set_branch_callee,
                         "Says whom this branch calls: \"Name\" <uri>", Route::branch),
                function("dialoginfo_mute_branch", &M::mute_branch,
                         "Hides the caller (A), the callee (B) or both for what this branch does",
                         Route::branch),
            },
        .listeners = {sipyard::on(&M::on_dialog)},
    };
}

} // namespace sipyard::pua_dialoginfo

SIPYARD_MODULE(sipyard::pua_dialoginfo::PuaDialoginfo)
