// modules/uac/uac.cpp - the user agent client module: settings, manifest
#include "modules/uac/uac.h"

#include "core/base/text.h"

namespace sipyard::uac {
namespace {

RestoreMode mode_of(std::string_view text)
{
    if (text == "none")
        return RestoreMode::none;
    if (text == "manual")
        return RestoreMode::manual;
    if (text == "auto")
        return RestoreMode::automatic;
    throw StartupError{format("uac: restore_mode '{}' is none of none, manual, auto", text)};
}

// "username:domain:password"; the password may hold colons.
std::vector<Credential> credentials_of(const std::vector<std::string>& written)
{
    std::vector<Credential> all;
    for (const std::string& one : written) {
        std::string_view rest = one;
        Credential credential;
        credential.user = cut(rest, ':');
        const auto colon = rest.find(':');
        if (credential.user.empty() || colon == std::string_view::npos || colon == 0)
            throw StartupError{
                format("uac: credential '{}' is not username:domain:password", one.substr(0, one.find(':')))};
        credential.realm = rest.substr(0, colon);
        credential.secret = rest.substr(colon + 1);
        all.push_back(std::move(credential));
    }
    return all;
}

std::shared_ptr<const VariableRef> variable_of(Host& host, std::string_view text, std::string_view param)
{
    if (text.empty())
        return nullptr;
    auto variable = host.compile_variable(text);
    if (!variable)
        throw StartupError{format("uac: {} '{}': {}", param, text, variable.error().text)};
    return *variable;
}

} // namespace

Uac::Uac(const Settings& settings, Host& host)
    : settings_{settings}, host_{host}, log_{host.logger("uac")}, tm_{host.service<tm::Api>()},
      tm_extras_{host.service<tm::Extras>()}, rr_{host.try_service<rr::Api>()},
      mode_{mode_of(settings.restore_mode)}, req_slot_{host.slot<OwnRequest>()},
      replaced_slot_{host.slot<Replaced>()}, credentials_{credentials_of(settings.credential)},
      realm_avp_{variable_of(host, settings.auth_realm_avp, "auth_realm_avp")},
      user_avp_{variable_of(host, settings.auth_username_avp, "auth_username_avp")},
      password_avp_{variable_of(host, settings.auth_password_avp, "auth_password_avp")},
      from_avp_{variable_of(host, settings.restore_from_avp, "restore_from_avp")},
      to_avp_{variable_of(host, settings.restore_to_avp, "restore_to_avp")},
      counts_{host.counter("uac", "replaced", "From and To URIs replaced"),
              host.counter("uac", "restored", "From and To URIs restored in requests"),
              host.counter("uac", "answered", "Challenges answered"),
              host.counter("uac", "requests", "Requests of uac_req_send"),
              host.counter("uac", "regtotal", "Registrations"),
              host.counter("uac", "regactive", "Registrations in force"),
              host.counter("uac", "regfailed", "Registrations that failed")},
      active_{settings.reg_active != 0}
{
    const int given = (realm_avp_ != nullptr) + (user_avp_ != nullptr) + (password_avp_ != nullptr);
    if (given != 0 && given != 3)
        throw StartupError{"uac: auth_realm_avp, auth_username_avp and auth_password_avp go together"};
    if (settings.restore_dlg)
        log_.warn("restore_dlg has no effect: what is to be restored travels in the Record-Route");
    if (!settings.event_callback.empty())
        log_.warn("event_callback has no effect: event_route[uac:reply] is run");
    if (mode_ != RestoreMode::none) {
        tm_.add_watcher(*this);
        if (rr_)
            rr_->add_listener(*this);
    }
    if (settings.reg_db_url.empty())
        return;
    if (settings.reg_contact_addr.empty())
        throw StartupError{"uac: reg_db_url is set, so reg_contact_addr must be"};
    host.add_table(Account::table());
    database_ = must(host.database(must(db::Url::parse(settings.reg_db_url))));
    if (!host.checking())
        start_registrations();
}

Uac::~Uac()
{
    if (timer_)
        host_.runtime().on_every_worker([this](task::Worker& worker) {
            if (worker.index() == 0)
                timer_.reset();
        });
}

Manifest<Uac> Uac::manifest()
{
    using M = Uac;
    const auto in_requests = Route::request | Route::branch;
    return {
        .name = "uac",
        .about = "A client's tasks: other From and To, answers to challenges, requests of the script's own, "
                 "registrations elsewhere",
        .offers = {offer_of<Api, M>()},
        .needs = {need<tm::Api>(), need<tm::Extras>(), may_need<rr::Api>()},
        .params =
            {param("rr_from_store_param", &Settings::rr_from_store_param,
                   "Record-Route parameter for the From"),
             param("rr_store_param", &Settings::rr_from_store_param, "Older name of rr_from_store_param"),
             param("rr_to_store_param", &Settings::rr_to_store_param, "Record-Route parameter for the To"),
             param("restore_mode", &Settings::restore_mode, "none, manual or auto"),
             param("restore_dlg", &Settings::restore_dlg, "Accepted without effect"),
             param("restore_passwd", &Settings::restore_passwd, "Mixed into what is stored"),
             param("restore_from_avp", &Settings::restore_from_avp, "Variable that keeps the original From"),
             param("restore_to_avp", &Settings::restore_to_avp, "Variable that keeps the original To"),
             param("credential", &Settings::credential, "username:domain:password, may be repeated"),
             param("auth_realm_avp", &Settings::auth_realm_avp, "Variable with a realm"),
             param("auth_username_avp", &Settings::auth_username_avp, "Variable with a user name"),
             param("auth_password_avp", &Settings::auth_password_avp, "Variable with a password"),
             param("reg_db_url", &Settings::reg_db_url, "Database of the registrations"),
             param("reg_db_table", &Settings::reg_db_table, "Their table"),
             param("reg_timer_interval", &Settings::reg_timer_interval, "Seconds between two looks at them"),
             param("reg_retry_interval", &Settings::reg_retry_interval,
                   "Seconds after a failure; 0 disables"),
             param("reg_random_delay", &Settings::reg_random_delay, "Most seconds the first one waits"),
             param("reg_hash_size", &Settings::reg_hash_size, "Accepted without effect"),
             param("reg_contact_addr", &Settings::reg_contact_addr, "Host and port of our contacts"),
             param("reg_keep_callid", &Settings::reg_keep_callid, "1: a refresh has the same Call-ID"),
             param("reg_active", &Settings::reg_active, "0: nothing is registered"),
             param("reg_gc_interval", &Settings::reg_gc_interval, "Seconds between two reloads at least"),
             param("reg_use_domain", &Settings::reg_use_domain, "1: the domain counts in uac_reg_lookup_uri"),
             param("reg_max", &Settings::reg_max, "Most registrations"),
             param("default_socket", &Settings::default_socket, "Socket of our requests"),
             param("event_callback", &Settings::event_callback, "Accepted without effect")},
        .functions =
            {function("uac_replace_from", &M::replace_from,
                      "Another URI, or display name and URI, in the From", in_requests),
             function("uac_replace_to", &M::replace_to, "The same for the To", in_requests),
             function("uac_restore_from", &M::restore_from, "Puts the original From back", Route::request),
             function("uac_restore_to", &M::restore_to, "Puts the original To back", Route::request),
             function("uac_auth", &M::auth, "Answers the challenge of the failed branch", Route::failure),
             function("uac_auth_mode", &M::auth_mode, "The same with a mode", Route::failure),
             function("uac_req_send", &M::req_send, "Sends the request of $uac_req"),
             function("uac_reg_lookup", &M::reg_lookup, "Our URI for a registration's l_uuid"),
             function("uac_reg_lookup_uri", &M::reg_lookup_uri, "Our URI for a registration's remote URI"),
             function("uac_reg_status", &M::reg_status, "State of a registration"),
             function("uac_reg_request_to", &M::reg_request_to,
                      "Sends the request to where we are registered",
                      Route::request | Route::failure | Route::branch),
             function("uac_reg_enable", &M::reg_enable, "Enables registrations"),
             function("uac_reg_disable", &M::reg_disable, "Disables registrations"),
             function("uac_reg_refresh", &M::reg_refresh, "Loads a registration again")},
        .variables = {checked(
            variable("uac_req", &M::get_req, &M::set_req, "The request of uac_req_send: $uac_req(ruri)"),
            &M::check_req)},
        .commands = {command("uac.reg_dump", &M::rpc_dump, "All registrations"),
                     command("uac.reg_info", &M::rpc_info,
                             "Registrations with that attribute: ATTRIBUTE VALUE"),
                     command("uac.reg_enable", &M::rpc_enable, "Enables registrations: ATTRIBUTE VALUE"),
                     command("uac.reg_disable", &M::rpc_disable, "Disables registrations: ATTRIBUTE VALUE"),
                     command("uac.reg_unregister", &M::rpc_unregister, "Unregisters: ATTRIBUTE VALUE"),
                     command("uac.reg_reload", &M::rpc_reload, "Reads the table again"),
                     command("uac.reg_refresh", &M::rpc_refresh, "Reads one row again: L_UUID"),
                     command("uac.reg_active", &M::rpc_active, "Registering on or off: 0|1"),
                     command("uac.reg_add", &M::rpc_add, "Adds a registration: 15 values"),
                     command("uac.reg_remove", &M::rpc_remove, "Forgets a registration: L_UUID")},
        .event_routes = {"uac:reply"},
    };
}

} // namespace sipyard::uac
SIPYARD_MODULE(sipyard::uac::Uac)
