// modules/acc/acc.cpp - which moments of a transaction are accounted, and what is written about them
#include "modules/acc/acc.h"

#include "core/base/text.h"
#include "core/json/value.h"
#include "core/sip/build.h"
#include "core/sip/message.h"
#include "modules/acc/put_line.h"

#include <algorithm>

namespace sipyard::acc {
namespace {

constexpr std::string_view accounted_head = "ACC: request accounted: ", missed_head = "ACC: call missed: ",
                           answered_head = "ACC: transaction answered: ",
                           acknowledged_head = "ACC: request acknowledged: ";

std::uint32_t bit(int flag) { return flag < 0 ? 0 : 1u << flag; }

std::uint32_t bit_of(std::string_view name, int flag)
{
    if (flag < -1 || flag > 31)
        throw StartupError{format("{} {} is not a flag: expected 0 to 31", name, flag)};
    return bit(flag);
}

std::vector<int> read_codes(std::string_view text)
{
    std::vector<int> codes;
    if (trim(text).empty())
        return codes;
    for (const auto part : split(text, ',')) {
        const auto code = parse_uint(trim(part));
        if (!code || *code < 300 || *code > 999)
            throw StartupError{format("failed_filter: '{}' is not a code from 300 to 999", part)};
        codes.push_back(static_cast<int>(*code));
    }
    return codes;
}

TimeStyle style_of(const Acc::Settings& s)
{
    if (s.time_mode < 0 || s.time_mode > 4)
        throw StartupError{format("time_mode {} is not from 0 to 4", s.time_mode)};
    if (s.time_mode > 0 && s.time_attr.empty())
        throw StartupError{"time_mode needs time_attr, the name of the value"};
    if (s.time_mode == 1 && s.time_exten.empty())
        throw StartupError{"time_mode 1 needs time_exten, the name of the microseconds"};
    return {static_cast<TimeStyle::Mode>(s.time_mode), s.time_attr, s.time_exten, s.time_format};
}

} // namespace

Acc::Acc(const Settings& settings, Host& host)
    : settings_{settings}, host_{host}, log_{host.logger("acc")},
      accounted_{bit_of("log_flag", settings.log_flag) | bit_of("db_flag", settings.db_flag)},
      missed_{bit_of("log_missed_flag", settings.log_missed_flag) |
              bit_of("db_missed_flag", settings.db_missed_flag)},
      prepared_{bit_of("acc_prepare_flag", settings.acc_prepare_flag)},
      filtered_{read_codes(settings.failed_filter)}, log_extra_{must(read_fields(host, settings.log_extra))},
      db_extra_{must(read_fields(host, settings.db_extra))}, legs_{must(read_legs(settings.multi_leg_info))},
      style_{style_of(settings)}, shape_{shape_of(settings, db_extra_, legs_)}, tm_{host.service<tm::Api>()},
      extras_{host.try_service<tm::Extras>()}, rr_{settings.detect_direction ? host.try_service<rr::Api>()
                                                                             : nullptr},
      table_acc_{settings.db_url.empty() ? nullptr : must(host.compile_format(settings.db_table_acc))},
      table_missed_{settings.db_url.empty() ? nullptr
                                            : must(host.compile_format(settings.db_table_missed_calls))},
      rows_{settings.db_url.empty() ? nullptr
                                    : std::make_unique<RowWriter>(
                                          host, *must(host.database(must(db::Url::parse(settings.db_url)))),
                                          static_cast<std::size_t>(std::max(settings.db_queue_size, 1)))},
      cdr_{settings.cdr_enable ? std::make_unique<Cdr>(settings, host, rows_.get()) : nullptr}
{
    (void)bit_of("failed_transaction_flag", settings.failed_transaction_flag);
    if (settings.detect_direction && !rr_)
        throw StartupError{"detect_direction needs the module rr"};
    if (!rows_ && (settings.db_flag >= 0 || settings.db_missed_flag >= 0))
        throw StartupError{"db_flag and db_missed_flag need db_url"};
    const Settings usual;
    if (!settings.log_facility.empty() && settings.log_facility != host.core().log_facility)
        log_.warn("modparam log_facility {} has no effect: the core's {} counts", settings.log_facility,
                  host.core().log_facility);
    if (settings.clone_msg != usual.clone_msg)
        log_.warn("modparam clone_msg has no effect: a request is always read from a copy");
    if (!settings.cdr_facility.empty() && settings.cdr_facility != host.core().log_facility)
        log_.warn("modparam cdr_facility {} has no effect: the core's {} counts", settings.cdr_facility,
                  host.core().log_facility);
    if (settings.cdr_extra_size != usual.cdr_extra_size)
        log_.warn("modparam cdr_extra_size has no effect: there is no limit");
    if (settings.acc_extra_size != usual.acc_extra_size)
        log_.warn("modparam acc_extra_size has no effect: there is no limit");
    if (settings.db_insert_mode == 1)
        log_.warn("modparam db_insert_mode 1 has no effect: rows are always written in the background");
    if (rows_) {
        for (const auto& name : {settings.db_table_acc, settings.db_table_missed_calls})
            if (db::identifier(name)) {
                db::Table layout = shape_.layout;
                layout.name = name;
                host.add_table(layout);
            }
        if (!host.checking())
            host.at_stop([this] { rows_->flush(); });
    }
    tm_.add_watcher(*this);
}

// --- which transactions --------------------------------------------------------------------------

tm::Moments Acc::wants(Request& request, std::uint64_t&)
{
    const bool prepared = settings_.acc_prepare_always || (request.flags & prepared_) != 0;
    if (!prepared && (request.flags & (accounted_ | missed_)) == 0)
        return 0;
    const sip::Method method = request.message().method();
    if (method == sip::Method::cancel && !settings_.report_cancels)
        return 0;
    auto moments = static_cast<tm::Moments>(tm::Moment::reply_out);
    if (method == sip::Method::invite && (prepared || (request.flags & missed_) != 0))
        moments = moments | tm::Moment::failure;
    if (settings_.report_ack && (prepared || (request.flags & accounted_) != 0))
        moments = moments | tm::Moment::ack_in;
    return moments;
}

bool Acc::accounts(const Request& request, int code, const Request* reply) const
{
    if (code >= 300)
        return (request.flags & bit(settings_.failed_transaction_flag)) != 0 &&
               std::find(filtered_.begin(), filtered_.end(), code) == filtered_.end();
    if ((request.flags & accounted_) == 0)
        return false;
    return code >= 200 || (settings_.early_media && reply && !reply->message().body().empty());
}

void Acc::on(const tm::Happening& happening)
{
    if (happening.what == tm::Moment::ack_in) {
        // The ACK is its own request: its flags decide (the script sees it before tm does).
        if (!happening.reply || (happening.reply->flags & accounted_) == 0)
            return;
        Request& ack = *happening.reply;
        const int code = happening.code == 0 ? 200 : happening.code;
        char digits[20];
        const Answer answer{
            {digits, put_int(digits, code)}, sip::default_reason(code), ack.message().to_tag()};
        const Record record = core_of(acknowledged_head, ack, answer);
        if ((ack.flags & bit(settings_.log_flag)) != 0)
            write_line(record, ack);
        if ((ack.flags & bit(settings_.db_flag)) != 0)
            (void)write_rows(record, ack, table_of(table_acc_, ack));
        return;
    }
    if (happening.what == tm::Moment::reply_out && happening.code < 200 &&
        !(settings_.early_media && happening.reply))
        return; // most provisional replies: not worth a look at the request
    Request* const request = happening.request();
    if (!request)
        return;
    if (happening.what == tm::Moment::failure)
        missed(happening, *request);
    else if (happening.what == tm::Moment::reply_out)
        reply_sent(happening, *request);
}

void Acc::reply_sent(const tm::Happening& happening, Request& request)
{
    if (happening.code >= 300 && request.message().method() == sip::Method::invite)
        missed(happening, request);
    if (!accounts(request, happening.code, happening.reply))
        return;
    const Record record = core_of(answered_head, request, answer_of(happening, request));
    if ((request.flags & bit(settings_.log_flag)) != 0)
        write_line(record, request);
    if ((request.flags & bit(settings_.db_flag)) != 0)
        (void)write_rows(record, request, table_of(table_acc_, request));
}

// Told once for each attempt: the flag is taken away, and a failure_route that tries again may set it again.
void Acc::missed(const tm::Happening& happening, Request& request)
{
    const std::uint32_t wanted = request.flags & missed_;
    if (wanted == 0)
        return;
    const Record record = core_of(missed_head, request, answer_of(happening, request));
    if ((wanted & bit(settings_.log_missed_flag)) != 0)
        write_line(record, request);
    if ((wanted & bit(settings_.db_missed_flag)) != 0)
        (void)write_rows(record, request, table_of(table_missed_, request));
    request.flags &= ~wanted;
    if (extras_)
        extras_->flush_flags(request, false);
}

// --- what is written -----------------------------------------------------------------------------

Acc::Answer Acc::answer_of(const tm::Happening& happening, Request& request) const
{
    Answer answer{request.arena().copy(std::to_string(happening.code)), happening.reason, happening.to_tag};
    if (answer.to_tag.empty() && happening.reply)
        answer.to_tag = happening.reply->message().to_tag();
    if (answer.to_tag.empty())
        answer.to_tag = request.message().to_tag();
    if (settings_.reason_from_hf && happening.reply)
        if (const auto* const header = happening.reply->message().first(sip::HeaderName::reason))
            answer.reason = header->value;
    return answer;
}

Record Acc::core_of(std::string_view head, Request& about, const Answer& answer) const
{
    const sip::Message& message = about.message();
    Record record;
    record.head = head;
    record.method = message.is_request() ? message.method_text()
                    : message.cseq()     ? sip::to_text(message.cseq()->method)
                                         : "";
    record.from_tag = message.from_tag();
    record.to_tag = answer.to_tag;
    if (rr_ && !message.to_tag().empty() && rr_->direction(about) == rr::Direction::upstream)
        std::swap(record.from_tag, record.to_tag); // told as in the request that began the dialog
    record.call_id = message.call_id();
    record.code = answer.code;
    record.reason = answer.reason;
    record.unix_ns = host_.clock().unix_ns();
    return record;
}

void Acc::add_values(Record& record, Request& about, const std::vector<Field>& fields) const
{
    for (const Field& field : fields)
        record.extra.emplace_back(field.name, field.source->get(about));
    if (legs_.empty())
        return;
    about.with_avps([&](const AvpStore& store) {
        for (std::size_t n = 0;; ++n) {
            std::vector<std::pair<std::string_view, Value>> leg;
            bool found = n == 0; // one leg is always told, empty if need be
            for (const LegField& field : legs_) {
                Value value = store.avps.get(field.avp, n);
                found = found || !value.is_null();
                if (value.is_text())
                    value = about.arena().copy(value.text()); // the store is shared
                leg.emplace_back(field.name, value);
            }
            if (!found)
                return;
            record.legs.push_back(std::move(leg));
        }
    });
}

void Acc::write_line(Record record, Request& about)
{
    const log::Level level = level_of(settings_.log_level);
    if (!log_.enabled(level))
        return;
    add_values(record, about, log_extra_);
    put_line(log_, level, line(record, style_));
}

bool Acc::write_rows(Record record, Request& about, std::string_view table)
{
    if (!rows_)
        return false;
    const auto name = db::identifier(table);
    if (!name) {
        log_.error("no row is written: {}", name.error().text);
        return false;
    }
    add_values(record, about, db_extra_);
    const auto value_of = [this](const Value& value) -> db::Value {
        if (value.is_integer())
            return value.number();
        if (value.is_null() && settings_.acc_extra_nullable)
            return db::Null{};
        return value.text();
    };
    std::vector<db::Value> values{record.method,
                                  record.from_tag,
                                  record.to_tag,
                                  record.call_id,
                                  record.code,
                                  record.reason,
                                  time_text(record.unix_ns, "%Y-%m-%d %H:%M:%S", Zone::local)};
    switch (style_.mode) {
    case TimeStyle::Mode::seconds: break;
    case TimeStyle::Mode::microseconds:
        values.emplace_back(record.unix_ns / 1'000'000'000);
        values.emplace_back(record.unix_ns / 1000 % 1'000'000);
        break;
    case TimeStyle::Mode::milliseconds:
        values.emplace_back(static_cast<double>(record.unix_ns / 1'000'000) / 1000);
        break;
    case TimeStyle::Mode::local:
        values.emplace_back(time_text(record.unix_ns, style_.format, Zone::local));
        break;
    case TimeStyle::Mode::utc:
        values.emplace_back(time_text(record.unix_ns, style_.format, Zone::utc));
        break;
    }
    for (const auto& [column, value] : record.extra)
        values.push_back(value_of(value));
    if (record.legs.empty())
        return rows_->put({&shape_, *name, std::move(values)});
    bool queued = true;
    for (const auto& leg : record.legs) {
        auto row = values;
        for (const auto& [column, value] : leg)
            row.push_back(value_of(value));
        queued = rows_->put({&shape_, *name, std::move(row)}) && queued;
    }
    return queued;
}

RowShape Acc::shape_of(const Settings& s, const std::vector<Field>& extra, const std::vector<LegField>& legs)
{
    using Type = db::Column::Type;
    RowShape shape;
    const auto column = [&shape](const std::string& name, Type type, int length, bool null,
                                 std::string fallback) {
        shape.columns.push_back(must(db::identifier(name)));
        shape.layout.columns.push_back({name, type, length, null, std::move(fallback)});
    };
    shape.layout = {
        .name = "acc", .version = 5, .columns = {{"id", Type::id}}, .indexes = {{s.acc_callid_column}}};
    column(s.acc_method_column, Type::varchar, 16, false, "''");
    column(s.acc_from_tag_column, Type::varchar, 128, false, "''");
    column(s.acc_to_tag_column, Type::varchar, 128, false, "''");
    column(s.acc_callid_column, Type::varchar, 255, false, "''");
    column(s.acc_sip_code_column, Type::varchar, 3, false, "''");
    column(s.acc_sip_reason_column, Type::varchar, 128, false, "''");
    column(s.acc_time_column, Type::datetime, 0, false, {});
    if (s.time_mode > 0)
        column(s.time_attr,
               s.time_mode == 1   ? Type::integer
               : s.time_mode == 2 ? Type::real
                                  : Type::varchar,
               128, true, {});
    if (s.time_mode == 1)
        column(s.time_exten, Type::integer, 0, true, {});
    for (const Field& field : extra)
        column(field.name, Type::varchar, 255, true, {});
    for (const LegField& field : legs)
        column(field.name, Type::varchar, 255, true, {});
    return shape;
}

// --- the script's own records --------------------------------------------------------------------

// What a reply of ours carries when the request has none: it is the one the caller will see.
std::string_view Acc::to_tag_of(Request& request)
{
    const std::string_view tag = request.message().to_tag();
    return tag.empty() && request.message().is_request() ? tm_.local_tag(request) : tag;
}

Verdict Acc::acc_log_request(Request& request, std::string_view comment)
{
    const auto [code, reason] = parse_comment(comment);
    write_line(core_of(accounted_head, request, {code, reason, to_tag_of(request)}), request);
    return Verdict::yes();
}

Verdict Acc::acc_db_request(Request& request, std::string_view comment, std::string_view table)
{
    if (!rows_) {
        log_.error("acc_db_request: there is no db_url");
        return Verdict::no();
    }
    const auto [code, reason] = parse_comment(comment);
    return Verdict::of(
        write_rows(core_of(accounted_head, request, {code, reason, to_tag_of(request)}), request, table));
}

Verdict Acc::acc_request(Request& request, std::string_view comment, std::string_view table)
{
    const Verdict logged = acc_log_request(request, comment);
    return rows_ ? acc_db_request(request, comment, table) : logged;
}

Result<json::Value> Acc::stats(const JsonValue&)
{
    JsonValue answer = JsonValue::object();
    answer.set("queued", static_cast<std::int64_t>(rows_ ? rows_->queued() : 0));
    answer.set("written", rows_ ? rows_->written() : std::int64_t{0});
    answer.set("dropped", rows_ ? rows_->dropped() : std::int64_t{0});
    return answer;
}

} // namespace sipyard::acc
