// modules/acc/settings.h - the parameters of accounting, with their defaults
#pragma once

#include <string>

namespace sipyard::acc {

struct Settings {
    // what is accounted
    bool early_media = false, report_ack = false, report_cancels = false, detect_direction = false,
         acc_prepare_always = false, reason_from_hf = false;
    int failed_transaction_flag = -1, acc_prepare_flag = -1, clone_msg = 1, acc_extra_size = 64;
    std::string failed_filter, multi_leg_info;
    // the log
    int log_flag = -1, log_missed_flag = -1, log_level = 1;
    std::string log_facility, log_extra;
    // the database
    int db_flag = -1, db_missed_flag = -1, db_insert_mode = 0, db_queue_size = 10'000;
    bool acc_extra_nullable = false;
    std::string db_url, db_table_acc = "acc", db_table_missed_calls = "missed_calls", db_extra;
    std::string acc_method_column = "method", acc_from_tag_column = "from_tag", acc_to_tag_column = "to_tag",
                acc_callid_column = "callid", acc_sip_code_column = "sip_code",
                acc_sip_reason_column = "sip_reason", acc_time_column = "time";
    int time_mode = 0;
    std::string time_attr, time_exten, time_format = "%Y-%m-%d %H:%M:%S";
    // call data records
    bool cdr_enable = false, cdr_expired_dlg_enable = false, cdr_start_on_confirmed = false,
         cdr_extra_nullable = false, cdr_log_enable = true, cdr_on_failed = true;
    int cdr_extra_size = 64;
    std::string cdr_skip, cdr_facility, cdr_extra, cdr_start_id = "start_time", cdr_end_id = "end_time",
                                                   cdr_duration_id = "duration", cdrs_table;
};

} // namespace sipyard::acc
