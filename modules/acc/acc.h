// modules/acc/acc.h - accounting of transactions and calls: lines in the log, rows in a database
#pragma once

#include "core/module/module.h"
#include "modules/acc/cdr.h"
#include "modules/acc/field.h"
#include "modules/acc/record.h"
#include "modules/acc/row_writer.h"
#include "modules/acc/settings.h"
#include "modules/rr/api.h"
#include "modules/tm/api.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::acc {

class Acc final : public tm::Watcher {
public:
    using Settings = acc::Settings;
    static Manifest<Acc> manifest();

    Acc(const Settings& settings, Host& host);

    tm::Moments wants(Request& request, std::uint64_t& note) override;
    void on(const tm::Happening& happening) override;

private:
    using JsonValue = json::Value;

    // --- script functions ---
    Verdict acc_log_request(Request& request, std::string_view comment);
    Verdict acc_db_request(Request& request, std::string_view comment, std::string_view table);
    Verdict acc_request(Request& request, std::string_view comment, std::string_view table);
    std::string_view to_tag_of(Request& request);
    Result<JsonValue> stats(const JsonValue& params);

    // --- what happened to a transaction ---
    void reply_sent(const tm::Happening& happening, Request& request);
    void missed(const tm::Happening& happening, Request& request);
    bool accounts(const Request& request, int code, const Request* reply) const;

    // A fixed set of values of the request `about`; `answer` has code, reason and the To tag.
    struct Answer {
        std::string_view code, reason, to_tag;
    };
    Record core_of(std::string_view head, Request& about, const Answer& answer) const;
    Answer answer_of(const tm::Happening& happening, Request& request) const;
    void add_values(Record& record, Request& about, const std::vector<Field>& fields) const;
    void write_line(Record record, Request& about);
    bool write_rows(Record record, Request& about, std::string_view table);
    using Table = std::shared_ptr<const Host::Format>;
    std::string_view table_of(const Table& table, Request& request) const { return table->expand(request); }

    static RowShape shape_of(const Settings& settings, const std::vector<Field>& extra,
                             const std::vector<LegField>& legs);

    const Settings settings_;
    Host& host_;
    const log::Logger log_;
    const std::uint32_t accounted_, missed_, prepared_; // masks of flags
    const std::vector<int> filtered_;                   // failed_filter
    const std::vector<Field> log_extra_, db_extra_;
    const std::vector<LegField> legs_;
    const TimeStyle style_;
    const RowShape shape_;
    tm::Api& tm_;
    tm::Extras* const extras_;              // to take a flag from the transaction itself; null in tests
    rr::Api* const rr_;                     // null unless detect_direction
    const Table table_acc_, table_missed_;  // null without a database
    const std::unique_ptr<RowWriter> rows_; // null without a database
    const std::unique_ptr<Cdr> cdr_;        // null unless cdr_enable
};

} // namespace sipyard::acc
