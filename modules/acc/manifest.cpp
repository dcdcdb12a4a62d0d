// modules/acc/manifest.cpp - what accounting offers
#include "modules/acc/acc.h"

#include "core/json/value.h"

namespace sipyard::acc {

Manifest<Acc> Acc::manifest()
{
    using M = Acc;
    using S = Settings;
    return {
        .name = "acc",
        .about = "Accounting of transactions: lines in the log, rows in a database",
        .needs = {need<tm::Api>(), may_need<tm::Extras>(), may_need<rr::Api>(), may_need<dialog::Api>()},
        .params =
            {
                param("early_media", &S::early_media, "Account provisional replies with a body too"),
                param("failed_transaction_flag", &S::failed_transaction_flag,
                      "Flag: account the transaction when it fails too"),
                param("failed_filter", &S::failed_filter,
                      "Codes that are not accounted even so: \"404,407\""),
                param("report_ack", &S::report_ack, "Account the ACK to a 2xx"),
                param("report_cancels", &S::report_cancels, "Account CANCEL requests"),
                param("detect_direction", &S::detect_direction,
                      "Swap the tags of requests from the called to the caller"),
                param("acc_prepare_flag", &S::acc_prepare_flag, "Flag: the flags may be set later"),
                param("acc_prepare_always", &S::acc_prepare_always,
                      "The flags of any transaction may be set later"),
                param("acc_extra_nullable", &S::acc_extra_nullable,
                      "A variable without value is NULL in the row, else \"\""),
                param("multi_leg_info", &S::multi_leg_info,
                      "AVPs that describe a call leg: \"src=$avp(src);dst=$avp(dst)\""),
                param("log_flag", &S::log_flag, "Flag: account in the log"),
                param("log_missed_flag", &S::log_missed_flag, "Flag: account missed calls in the log"),
                param("log_level", &S::log_level, "Level of the lines"),
                param("log_facility", &S::log_facility, "Warned about: the core's log_facility counts"),
                param("log_extra", &S::log_extra, "More values in the line: \"ua=$hdr(User-Agent);src=$si\""),
                param("db_flag", &S::db_flag, "Flag: account in the database"),
                param("db_missed_flag", &S::db_missed_flag, "Flag: account missed calls in the database"),
                param("db_table_acc", &S::db_table_acc, "Table of transactions; may hold variables"),
                param("db_table_missed_calls", &S::db_table_missed_calls,
                      "Table of missed calls; may hold variables"),
                param("db_url", &S::db_url, "The database; empty: none"),
                param("acc_method_column", &S::acc_method_column, "Column of the method"),
                param("acc_from_tag_column", &S::acc_from_tag_column, "Column of the From tag"),
                param("acc_to_tag_column", &S::acc_to_tag_column, "Column of the To tag"),
                param("acc_callid_column", &S::acc_callid_column, "Column of the Call-ID"),
                param("acc_sip_code_column", &S::acc_sip_code_column, "Column of the code"),
                param("acc_sip_reason_column", &S::acc_sip_reason_column, "Column of the reason phrase"),
                param("acc_time_column", &S::acc_time_column, "Column of the date and time"),
                param("db_extra", &S::db_extra, "More columns: \"ua=$hdr(User-Agent);src=$si\""),
                param("db_insert_mode", &S::db_insert_mode,
                      "Rows are always written in the background, as with 2"),
                param("db_queue_size", &S::db_queue_size, "Rows that may wait for the database"),
                param("time_mode", &S::time_mode,
                      "The time told once more: 1 s and us, 2 s.ms, 3 local, 4 UTC"),
                param("time_attr", &S::time_attr, "Its name"),
                param("time_exten", &S::time_exten, "The name of the microseconds"),
                param("time_format", &S::time_format, "Form of time_mode 3 and 4, as strftime"),
                param("cdr_enable", &S::cdr_enable, "A record for each call the dialog module follows"),
                param("cdr_skip", &S::cdr_skip, "No record for calls with this $dlg_var set"),
                param("cdr_expired_dlg_enable", &S::cdr_expired_dlg_enable,
                      "Records of calls that timed out too"),
                param("cdr_start_on_confirmed", &S::cdr_start_on_confirmed,
                      "The start is the 2xx, not the INVITE"),
                param("cdr_facility", &S::cdr_facility, "Warned about: the core's log_facility counts"),
                param("cdr_extra", &S::cdr_extra, "More values: \"c1=$dlg_var(caller)\""),
                param("cdr_extra_nullable", &S::cdr_extra_nullable,
                      "A variable without value is NULL in the row, else \"\""),
                param("cdr_start_id", &S::cdr_start_id, "Name of the start time"),
                param("cdr_end_id", &S::cdr_end_id, "Name of the end time"),
                param("cdr_duration_id", &S::cdr_duration_id, "Name of the duration"),
                param("cdr_log_enable", &S::cdr_log_enable, "Write the records to the log"),
                param("cdrs_table", &S::cdrs_table, "Table of the records; empty: none"),
                param("cdr_on_failed", &S::cdr_on_failed, "Records of calls that were not answered"),
                param("cdr_extra_size", &S::cdr_extra_size, "Warned about: there is no limit"),
                param("reason_from_hf", &S::reason_from_hf,
                      "The reason is the reply's Reason header where it has one"),
                param("clone_msg", &S::clone_msg, "Warned about: a request is always read from a copy"),
                param("acc_extra_size", &S::acc_extra_size, "Warned about: there is no limit"),
            },
        .functions =
            {
                function("acc_log_request", &M::acc_log_request, "Writes a line about the request"),
                function("acc_db_request", &M::acc_db_request, "Writes a row about the request"),
                function("acc_request", &M::acc_request, "Both, or the line alone without a database"),
            },
        .commands = {command("acc.stats", &M::stats, "Rows waiting, written and lost")},
    };
}

} // namespace sipyard::acc

SIPYARD_MODULE(sipyard::acc::Acc)
