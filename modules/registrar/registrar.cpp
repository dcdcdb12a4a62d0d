// modules/registrar/registrar.cpp - manifest and start of the registrar
#include "modules/registrar/registrar.h"

namespace sipyard::registrar {

Registrar::Registrar(const Settings& settings, Host& host)
    : settings_{settings}, host_{host}, log_{host.logger("registrar")}, usrloc_{host.service<usrloc::Api>()},
      state_{host.slot<State>()}, accepted_{host.counter("registrar", "accepted_regs",
                                                         "Registrations that were accepted")},
      rejected_{host.counter("registrar", "rejected_regs", "Registrations that were refused")}
{
    const struct {
        std::string_view name;
        int value, least, most;
    } ranges[] = {
        {"default_q", settings.default_q, -1, 1000},
        {"default_expires_range", settings.default_expires_range, 0, 100},
        {"expires_range", settings.expires_range, 0, 100},
        {"path_mode", settings.path_mode, 0, 2},
        {"outbound_mode", settings.outbound_mode, 0, 2},
        {"regid_mode", settings.regid_mode, 0, 1},
        {"sock_flag", settings.sock_flag, -1, 31},
        {"contact_max_size", settings.contact_max_size, 1, 65'535},
        {"default_expires", settings.default_expires, 1, INT32_MAX},
        {"min_expires", settings.min_expires, 0, INT32_MAX},
        {"max_expires", settings.max_expires, 0, INT32_MAX},
        {"max_contacts", settings.max_contacts, 0, INT32_MAX},
        {"flow_timer", settings.flow_timer, 0, INT32_MAX},
        {"expires_max_deviation", settings.expires_max_deviation, 0, INT32_MAX},
    };
    for (const auto& range : ranges)
        if (range.value < range.least || range.value > range.most)
            throw StartupError{format("registrar: {} is {}, not {} to {}", range.name, range.value,
                                      range.least, range.most)};
    if (settings.flow_timer > 0 && settings.outbound_mode == 0)
        throw StartupError{"registrar: flow_timer needs outbound_mode 1 or 2"};
    if (!settings.received_avp.empty())
        received_ = must(host.compile_variable(settings.received_avp));
    if (!settings.reg_callid_avp.empty())
        callid_ = must(host.compile_variable(settings.reg_callid_avp));
    if (!settings.event_callback.empty())
        log_.warn(
            "parameter event_callback has no effect: there are no embedded languages, use event_route[{}]",
            expired_route);
    usrloc_.add_expiry_hook(*this);
}

Manifest<Registrar> Registrar::manifest()
{
    using M = Registrar;
    using S = Settings;
    const RouteMask requests = Route::request | Route::failure;
    return {
        .name = "registrar",
        .about = "Answers REGISTER and finds registered users",
        .needs = {need<usrloc::Api>()},
        .params =
            {
                param("default_expires", &S::default_expires, "Seconds, for a contact that names none"),
                param("default_expires_range", &S::default_expires_range,
                      "Percent by which default_expires may be shortened at random"),
                param("expires_range", &S::expires_range,
                      "Percent by which a given time may be shortened at random"),
                param("expires_max_deviation", &S::expires_max_deviation,
                      "Most seconds by which the ranges shorten; 0: no limit"),
                param("min_expires", &S::min_expires, "Shortest registration in seconds; 0: any"),
                param("min_expires_mode", &S::min_expires_mode,
                      "A shorter one is 0 lengthened, 1 refused with 423"),
                param("max_expires", &S::max_expires, "Longest registration in seconds; 0: any"),
                param("default_q", &S::default_q, "q in thousandths of a contact that names none; 0: none"),
                param("realm_prefix", &S::realm_prefix, "Cut from the domain of users"),
                param("append_branches", &S::append_branches, "lookup takes all contacts, not only the best"),
                param("case_sensitive", &S::case_sensitive, "User names differ by letter case"),
                param("received_avp", &S::received_avp,
                      "Variable that holds the address a REGISTER came from"),
                param("received_param", &S::received_param,
                      "Contact parameter that shows it in the answer; empty: none"),
                param("reg_callid_avp", &S::reg_callid_avp,
                      "Variable with a Call-ID that registered() asks for"),
                param("max_contacts", &S::max_contacts, "Contacts a user may have; 0: any number"),
                param("retry_after", &S::retry_after, "Seconds in Retry-After of a 503; 0: none"),
                param("sock_flag", &S::sock_flag,
                      "Message flag that has the socket read from a header; -1: none"),
                param("sock_hdr_name", &S::sock_hdr_name, "That header"),
                param("sock_mode", &S::sock_mode, "1: the advertised address of the socket is stored"),
                param("method_filtering", &S::method_filtering,
                      "lookup leaves out contacts that do not Allow the method"),
                param("use_path", &S::use_path, "Path headers are stored"),
                param("path_mode", &S::path_mode, "The answer's Path: 0 none, 1 if supported, 2 required"),
                param("path_use_received", &S::path_use_received,
                      "The first Path's received is where the contact is"),
                param("path_check_local", &S::path_check_local,
                      "lookup leaves out a first Path that is this server"),
                param("xavp_cfg", &S::xavp_cfg, "XAVP with settings of one call"),
                param("xavp_rcd", &S::xavp_rcd, "XAVP for what was found"),
                param("xavp_rcd_mask", &S::xavp_rcd_mask,
                      "What is left out there: 1 ruid, 2 contact, 4 expires, 8 received, 16 path"),
                param("gruu_enabled", &S::gruu_enabled, "GRUUs are given out"),
                param("outbound_mode", &S::outbound_mode,
                      "RFC 5626 is 0 unsupported, 1 supported, 2 required"),
                param("regid_mode", &S::regid_mode, "1: reg-id counts without outbound too"),
                param("flow_timer", &S::flow_timer, "Seconds in Flow-Timer; 0: none"),
                param("contact_max_size", &S::contact_max_size, "Longest Contact URI in bytes"),
                param("event_callback", &S::event_callback, "No effect"),
                param("lookup_filter_mode", &S::lookup_filter_mode,
                      "Filters of lookup: 1 branch flags, 2 open connection"),
                param("use_expired_contacts", &S::use_expired_contacts,
                      "lookup takes contacts that have just expired"),
            },
        .functions =
            {
                function("save", &M::save, "Does what a REGISTER asks for", requests | any_reply),
                function("reg_send_reply", &M::send_reply, "Sends what save() with flag 0x02 has prepared",
                         requests),
                function("lookup", &M::lookup, "The request goes to the user's contacts", requests),
                function("lookup_to_dset", &M::lookup_to_dset, "The user's contacts become branches",
                         requests),
                function("lookup_branches", &M::lookup_branches,
                         "lookup for the request URI and all branches", requests),
                function("registered", &M::registered, "Has the user a contact?"),
                function("unregister", &M::unregister, "Removes a user's contacts, or one of them"),
                function("add_sock_hdr", &M::add_sock_hdr,
                         "Adds a header with the socket the request came to", Route::request),
                function("reg_fetch_contacts", &M::fetch_contacts, "The user's contacts for $ulc", requests),
                function("reg_free_contacts", &M::free_contacts, "Forgets them", requests),
            },
        .variables = {variable("ulc", &M::ulc, "Contacts of a profile: $(ulc(profile=>attribute)[i])")},
        .event_routes = {std::string{expired_route}},
    };
}

} // namespace sipyard::registrar

SIPYARD_MODULE(sipyard::registrar::Registrar)
