// modules/acc/cdr.cpp - writing call data records
#include "modules/acc/cdr.h"

#include "modules/acc/put_line.h"
#include "modules/acc/record.h"

#include <algorithm>

namespace sipyard::acc {

namespace {

constexpr std::int64_t millisecond = 1'000'000;

// time_mode 3 and 4 write times as text here too.
std::string time_of(const Settings& s, std::int64_t ms)
{
    if (s.time_mode == 3 || s.time_mode == 4)
        return time_text(ms * millisecond, s.time_format, s.time_mode == 3 ? Zone::local : Zone::utc);
    return seconds_text(ms * millisecond);
}

} // namespace

std::string cdr_times(const Settings& s, std::int64_t start, std::int64_t end, bool answered)
{
    return format("{}={}; {}={}; {}={}", s.cdr_start_id, time_of(s, start), s.cdr_end_id, time_of(s, end),
                  s.cdr_duration_id, answered ? seconds_text((end - start) * millisecond) : "0");
}

Cdr::Cdr(const Settings& settings, Host& host, RowWriter* rows)
    : settings_{settings}, log_{host.logger("acc")}, extra_{must(read_fields(host, settings.cdr_extra))},
      skip_{settings.cdr_skip.empty()
                ? nullptr
                : must(host.compile_variable(format("$dlg_var({})", settings.cdr_skip)))},
      shape_{shape_of(settings, extra_)}, rows_{settings.cdrs_table.empty() ? nullptr : rows}
{
    if (!settings.cdrs_table.empty()) {
        (void)must(db::identifier(settings.cdrs_table));
        if (!rows)
            throw StartupError{"cdrs_table needs db_url"};
        host.add_table(shape_.layout);
    }
    dialog::Api* const dialogs = host.try_service<dialog::Api>();
    if (!dialogs)
        throw StartupError{"cdr_enable needs the module dialog"};
    dialogs->add_listener(*this);
}

RowShape Cdr::shape_of(const Settings& s, const std::vector<Field>& extra)
{
    using Type = db::Column::Type;
    RowShape shape;
    const auto column = [&shape](const std::string& name, Type type, bool null, std::string fallback) {
        shape.columns.push_back(must(db::identifier(name)));
        shape.layout.columns.push_back({name, type, 255, null, std::move(fallback)});
    };
    shape.layout = {
        .name = s.cdrs_table, .version = 2, .columns = {{"id", Type::id}}, .indexes = {{s.cdr_start_id}}};
    column(s.cdr_start_id, Type::datetime, false, "'2000-01-01 00:00:00'");
    column(s.cdr_end_id, Type::datetime, false, "'2000-01-01 00:00:00'");
    column(s.cdr_duration_id, Type::real, false, "0");
    for (const Field& field : extra)
        column(field.name, Type::varchar, true, {});
    return shape;
}

void Cdr::on_end(Request& request, const dialog::Dialog& dialog, How how)
{
    if ((how == How::failed && !settings_.cdr_on_failed) ||
        (how == How::expired && !settings_.cdr_expired_dlg_enable))
        return;
    if (skip_ && !skip_->get(request).is_null())
        return;
    const bool answered = how != How::failed && dialog.started > 0;
    const std::int64_t start = answered && settings_.cdr_start_on_confirmed
                                   ? dialog.started * 1000 + dialog.started_ms
                                   : dialog.begun * 1000 + dialog.begun_ms;
    const std::int64_t end = answered ? std::max(dialog.ended * 1000 + dialog.ended_ms, start) : start;
    std::string line = cdr_times(settings_, start, end, answered);
    const auto zone = settings_.time_mode == 4 ? Zone::utc : Zone::local;
    const std::string form = settings_.time_mode >= 3 ? settings_.time_format : "%Y-%m-%d %H:%M:%S";
    std::vector<db::Value> row{time_text(start * millisecond, form, zone),
                               time_text(end * millisecond, form, zone),
                               static_cast<double>(end - start) / 1000};
    for (const Field& field : extra_) {
        const Value value = field.source->get(request);
        line += format("; {}={}", field.name, text_of(value));
        if (value.is_null() && settings_.cdr_extra_nullable)
            row.emplace_back(db::Null{});
        else
            row.emplace_back(text_of(value));
    }
    if (settings_.cdr_log_enable)
        put_line(log_, level_of(settings_.log_level), line);
    if (rows_)
        (void)rows_->put({&shape_, settings_.cdrs_table, std::move(row)});
}

} // namespace sipyard::acc
