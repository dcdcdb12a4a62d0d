// modules/dialog/dialog.cpp - calls that pass through, followed from INVITE to BYE: manifest and start
#include "modules/dialog/dialog.h"

#include "core/crypto/random.h"

namespace sipyard::dialog {

namespace {

// Where the dialogs' numbers begin: not where the last run's did, whose cookies phones still hold.
std::uint32_t first_id(const Settings& settings)
{
    return settings.h_id_start > 0 ? static_cast<std::uint32_t>(settings.h_id_start)
                                   : crypto::random_number() & 0xffffff;
}

void warn_of(const Settings& s, const log::Logger& log)
{
    const Settings defaults;
    const auto warn = [&](bool set, std::string_view param) {
        if (set)
            log.warn("parameter {} has no effect here", param);
    };
    warn(s.db_fetch_rows != defaults.db_fetch_rows, "db_fetch_rows");
    warn(s.initial_cbs_inscript != defaults.initial_cbs_inscript, "initial_cbs_inscript");
    warn(s.dlg_filter_mode != 0, "dlg_filter_mode");
    warn(s.timer_procs != 0, "timer_procs");
    warn(s.enable_dmq != 0, "enable_dmq");
    warn(s.keep_proxy_rr != 0, "keep_proxy_rr");
    warn(s.track_cseq_updates, "track_cseq_updates");
    warn(!s.enable_stats, "enable_stats");
    warn(!s.bridge_controller.empty(), "bridge_controller");
    warn(!s.bridge_contact.empty(), "bridge_contact");
    warn(!s.event_callback.empty(), "event_callback");
}

} // namespace

Dialogs::Dialogs(const Settings& settings, Host& host)
    : settings_{settings}, host_{host}, log_{host.logger("dialog")}, slot_{host.slot<Context>()},
      tm_{host.service<tm::Api>()}, rr_{host.service<rr::Api>()},
      table_{static_cast<std::size_t>(std::max(settings.hash_size, 1)),
             static_cast<std::size_t>(std::max(settings.max_dialogs, 1)), first_id(settings),
             static_cast<std::uint32_t>(std::max(settings.h_id_step, 1))},
      profiles_{settings.profiles_with_value, settings.profiles_no_value},
      timeout_variable_{settings.timeout_avp.empty() ? nullptr
                                                     : must(host.compile_variable(settings.timeout_avp))},
      store_{settings.db_mode == 0
                 ? nullptr
                 : std::make_unique<Store>(settings, *must(host.database(settings.db_url)), profiles_)},
      active_{host.counter("dialog", "active_dialogs", "Dialogs that are not over")},
      early_{host.counter("dialog", "early_dialogs", "Dialogs that ring")},
      processed_{host.counter("dialog", "processed_dialogs", "Dialogs since the start")},
      expired_{host.counter("dialog", "expired_dialogs", "Dialogs that timed out")},
      failed_{host.counter("dialog", "failed_dialogs", "Dialogs that were never answered")},
      agenda_{host.runtime(), [this](const Agenda::Item& item) { due(item); }}
{
    const auto in_range = [](int value, int low, int high, std::string_view param) {
        if (value < low || value > high)
            throw StartupError{format("dialog: {} is {}; {} to {} was expected", param, value, low, high)};
    };
    in_range(settings.dlg_match_mode, 0, 2, "dlg_match_mode");
    in_range(settings.db_mode, 0, 3, "db_mode");
    in_range(settings.dlg_flag, -1, 31, "dlg_flag");
    for (const int seconds :
         {settings.default_timeout, settings.early_timeout, settings.noack_timeout, settings.end_timeout})
        in_range(seconds, 1, 1'000'000'000, "a timeout");
    for (const std::string* const headers : {&settings.dlg_extra_hdrs, &settings.lreq_callee_headers})
        if (!headers->empty() &&
            (!headers->ends_with("\r\n") || headers->find("\r\n\r\n") != std::string::npos))
            throw StartupError{
                format("dialog: headers '{}' are no whole lines, each ending in CRLF", *headers)};
    warn_of(settings, log_);
    tm_.add_watcher(*this);
    rr_.add_listener(*this);
    start_keeping();
}

Dialogs::~Dialogs()
{
    host_.runtime().on_every_worker([this](task::Worker& worker) {
        if (worker.index() == 0)
            write_timer_.reset();
    });
}

Manifest<Dialogs> Dialogs::manifest()
{
    using M = Dialogs;
    using S = Settings;
    constexpr RouteMask anywhere = any_route;
    constexpr RouteMask messages = Route::request | Route::branch | Route::failure | any_reply;
    return {
        .name = "dialog",
        .about = "Calls that pass through, followed from INVITE to BYE",
        .offers = {offer_of<Api, M>()},
        .needs = {need<tm::Api>(), need<rr::Api>()},
        .params =
            {
                param("enable_stats", &S::enable_stats, "Accepted; statistics are always counted"),
                param("hash_size", &S::hash_size,
                      "Slots of the table, rounded up to a power of two, at most 65536"),
                param("rr_param", &S::rr_param, "Parameter of our Record-Route that names the dialog"),
                param("dlg_flag", &S::dlg_flag, "Message flag that has an INVITE followed; -1: none"),
                param("timeout_avp", &S::timeout_avp, "Variable with the lifetime of a dialog in seconds"),
                param("default_timeout", &S::default_timeout,
                      "Seconds a dialog lives from its answer or last sign of life"),
                param("early_timeout", &S::early_timeout,
                      "Seconds until an INVITE without answer is given up"),
                param("noack_timeout", &S::noack_timeout,
                      "Seconds until an answered call without ACK is given up"),
                param("end_timeout", &S::end_timeout, "Seconds an ended dialog is kept, 5 at most"),
                param("dlg_extra_hdrs", &S::dlg_extra_hdrs, "Header lines of our BYE"),
                param("lreq_callee_headers", &S::lreq_callee_headers,
                      "Header lines of our BYE to the callee"),
                param("dlg_match_mode", &S::dlg_match_mode,
                      "0 by the cookie, 1 by the cookie, then by Call-ID and tags, 2 by these"),
                param("detect_spirals", &S::detect_spirals, "A call that comes back to us stays one dialog"),
                param("db_url", &S::db_url, "Where dialogs are kept"),
                param("db_mode", &S::db_mode,
                      "0 nowhere, 1 written at each change, 2 now and then, 3 when the server stops"),
                param("db_update_period", &S::db_update_period, "Seconds between two writes with db_mode 2"),
                param("db_skip_load", &S::db_skip_load, "1: nothing is read at the start"),
                param("db_fetch_rows", &S::db_fetch_rows, "Without effect"),
                param("table_name", &S::table_name, "Table of the dialogs"),
                param("call_id_column", &S::call_id_column, "Column of the Call-ID"),
                param("from_uri_column", &S::from_uri_column, "Column of the caller's URI"),
                param("from_tag_column", &S::from_tag_column, "Column of the caller's tag"),
                param("to_uri_column", &S::to_uri_column, "Column of the callee's URI"),
                param("to_tag_column", &S::to_tag_column, "Column of the callee's tag"),
                param("from_cseq_column", &S::from_cseq_column, "Column of the caller's last CSeq"),
                param("to_cseq_column", &S::to_cseq_column, "Column of the callee's last CSeq"),
                param("from_route_column", &S::from_route_column, "Column of the route set to the caller"),
                param("to_route_column", &S::to_route_column, "Column of the route set to the callee"),
                param("from_contact_column", &S::from_contact_column, "Column of the caller's contact"),
                param("to_contact_column", &S::to_contact_column, "Column of the callee's contact"),
                param("from_sock_column", &S::from_sock_column, "Column of the socket towards the caller"),
                param("to_sock_column", &S::to_sock_column, "Column of the socket towards the callee"),
                param("h_id_column", &S::h_id_column, "Column of the dialog's number"),
                param("h_entry_column", &S::h_entry_column, "Column of the dialog's slot"),
                param("state_column", &S::state_column, "Column of the state"),
                param("start_time_column", &S::start_time_column, "Column of the time of the answer"),
                param("timeout_column", &S::timeout_column, "Column of the time at which it times out"),
                param("sflags_column", &S::sflags_column, "Column of the script's flags"),
                param("iflags_column", &S::iflags_column, "Column of the properties"),
                param("toroute_name_column", &S::toroute_name_column, "Column of the timeout route"),
                param("req_uri_column", &S::req_uri_column, "Column of the R-URI"),
                param("xdata_column", &S::xdata_column, "Column of the profiles"),
                param("vars_table_name", &S::vars_table_name, "Table of the variables"),
                param("vars_h_id_column", &S::vars_h_id_column, "Column of the dialog's number there"),
                param("vars_h_entry_column", &S::vars_h_entry_column, "Column of the dialog's slot there"),
                param("vars_key_column", &S::vars_key_column, "Column of a variable's name"),
                param("vars_value_column", &S::vars_value_column, "Column of its value"),
                param("profiles_with_value", &S::profiles_with_value,
                      "Profiles whose members have a value, separated by ';'"),
                param("profiles_no_value", &S::profiles_no_value, "Profiles without values"),
                param("send_bye", &S::send_bye, "1: BYE both ways whenever a dialog times out"),
                param("wait_ack", &S::wait_ack, "0: a refused dialog is forgotten at once"),
                param("timeout_noreset", &S::timeout_noreset,
                      "1: requests within the dialog do not prolong its life"),
                param("track_cseq_updates", &S::track_cseq_updates, "Without effect"),
                param("ka_timer", &S::ka_timer, "Above 0: keep-alive requests are sent where asked for"),
                param("ka_interval", &S::ka_interval, "Seconds between them"),
                param("ka_failed_limit", &S::ka_failed_limit, "Failures that end a dialog"),
                param("h_id_start", &S::h_id_start, "First number of a dialog; 0: any"),
                param("h_id_step", &S::h_id_step, "From one number to the next"),
                param("max_dialogs", &S::max_dialogs, "Most dialogs at a time"),
                param("initial_cbs_inscript", &S::initial_cbs_inscript, "Without effect"),
                param("dlg_filter_mode", &S::dlg_filter_mode, "Without effect"),
                param("timer_procs", &S::timer_procs, "Without effect"),
                param("enable_dmq", &S::enable_dmq, "Without effect"),
                param("keep_proxy_rr", &S::keep_proxy_rr, "Without effect"),
                param("bridge_controller", &S::bridge_controller, "Without effect"),
                param("bridge_contact", &S::bridge_contact, "Without effect"),
                param("event_callback", &S::event_callback, "Without effect"),
            },
        .functions =
            {
                function("dlg_manage", &M::manage,
                         "Follows the call the INVITE begins; finds the dialog of a later request",
                         Route::request),
                function("dlg_bye", &M::dlg_bye, "BYE to \"caller\", \"callee\" or \"all\"", anywhere),
                function("dlg_get", &M::dlg_get, "Makes another dialog the current one", messages),
                function("is_known_dlg", &M::is_known_dlg,
                         "True when the message belongs to a dialog we follow", messages),
                function("dlg_isflagset", &M::dlg_isflagset, "True when the dialog's flag is set", messages),
                function("dlg_setflag", &M::dlg_setflag, "Sets a flag of the dialog", messages),
                function("dlg_resetflag", &M::dlg_resetflag, "Clears a flag of the dialog", messages),
                function("set_dlg_profile", &M::set_profile, "Puts the dialog into a profile", messages),
                function("unset_dlg_profile", &M::unset_profile, "Takes the dialog out of a profile",
                         messages),
                function("is_in_profile", &M::is_in_profile, "True when the dialog is in the profile",
                         messages),
                function("get_profile_size", &M::profile_size, "Dialogs in the profile", messages),
                function("get_profile_size", &M::profile_value_size, "Dialogs in the profile with that value",
                         messages),
                function("dlg_set_timeout", &M::set_timeout, "Sets the lifetime of this or another dialog",
                         anywhere),
                function("dlg_set_timeout_by_profile", &M::set_timeout_by_profile,
                         "Sets the lifetime of all in a profile", anywhere),
                function("dlg_set_timeout_by_profile", &M::set_timeout_by_profile_value,
                         "The same with that value", anywhere),
                function("dlg_set_property", &M::set_property, "ka-src, ka-dst or timeout-noreset", anywhere),
                function("dlg_reset_property", &M::reset_property, "Takes a property back", anywhere),
                function("dlg_remote_profile", &M::remote_profile,
                         "Counts a dialog of another server: add or rm", anywhere),
                function("dlg_set_ruri", &M::set_ruri,
                         "Sets the R-URI to the contact of the side the request goes to", anywhere),
                function("dlg_db_load_callid", &M::db_load_callid, "Reads a dialog from the database",
                         anywhere),
                function("dlg_db_load_extra", &M::db_load_extra,
                         "Reads the dialogs that are not here from the database", anywhere),
            },
        .variables =
            {
                variable("DLG_count", &M::count_value, "Dialogs that are not over"),
                variable("DLG_status", &M::status_value, "State of an answered dialog: 3, 4 or 5"),
                variable("DLG_lifetime", &M::lifetime_value, "Seconds since the answer"),
                checked(variable("dlg", &M::part_value, "A part of the dialog: $dlg(h_id)"), &M::check_part),
                checked(variable("dlg_ctx", &M::context_value, &M::set_context_value,
                                 "What the next dialog shall have: $dlg_ctx(timeout_bye)"),
                        &M::check_context),
                variable("dlg_var", &M::variable_value, &M::set_variable_value,
                         "A value kept with the dialog: $dlg_var(x)"),
            },
        .commands =
            {
                command("dlg.list", &M::list_command, "All dialogs"),
                command("dlg.list_ctx", &M::list_command, "As dlg.list"),
                command("dlg.list_match", &M::match_command, "Dialogs by KEY OPERATOR VALUE [LIMIT]"),
                command("dlg.list_match_ctx", &M::match_command, "As dlg.list_match"),
                command("dlg.dlg_list", &M::one_command, "One dialog: CALLID [FROM_TAG]"),
                command("dlg.dlg_list_ctx", &M::one_command, "As dlg.dlg_list"),
                command("dlg.briefing", &M::briefing_command, "Some fields of all dialogs: [ATTRS]"),
                command("dlg.end_dlg", &M::end_command, "BYE both ways: H_ENTRY H_ID [HEADERS]"),
                command("dlg.terminate_dlg", &M::terminate_command, "BYE both ways: CALLID FROM_TAG TO_TAG"),
                command("dlg.set_state", &M::set_state_command,
                        "Sets the state silently: CALLID FROM_TAG TO_TAG STATE"),
                command("dlg.set_var", &M::set_var_command,
                        "Sets a variable: CALLID FROM_TAG TO_TAG KEY VALUE"),
                command("dlg.profile_get_size", &M::profile_size_command,
                        "Dialogs in a profile: PROFILE [VALUE]"),
                command("dlg.profile_list", &M::profile_list_command,
                        "The dialogs of a profile: PROFILE [VALUE]"),
                command("dlg.stats_active", &M::stats_command, "How many dialogs are in which state"),
                command("dlg.is_alive", &M::alive_command, "Is the call answered: CALLID FROM_TAG TO_TAG"),
            },
        .event_routes = {"dialog:start", "dialog:end", "dialog:failed"},
    };
}

} // namespace sipyard::dialog

SIPYARD_MODULE(sipyard::dialog::Dialogs)
