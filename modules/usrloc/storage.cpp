// modules/usrloc/storage.cpp - one SQL text per question, Kamailio's column types
#include "modules/usrloc/storage.h"

#include "core/base/format.h"
#include "core/base/text.h"

#include <cmath>
#include <ctime>
#include <set>

namespace sipyard::usrloc {

namespace {

enum Column : std::size_t {
    ruid,
    username,
    domain,
    contact,
    received,
    path,
    expires,
    q,
    callid,
    cseq,
    last_modified,
    flags,
    cflags,
    user_agent,
    socket,
    methods,
    instance,
    reg_id,
    server_id,
    connection_id,
    keepalive,
};

std::vector<std::string> columns_of(const Settings& s)
{
    std::vector<std::string> names{
        s.ruid_column,     s.user_column,       s.domain_column,        s.contact_column,
        s.received_column, s.path_column,       s.expires_column,       s.q_column,
        s.callid_column,   s.cseq_column,       s.last_modified_column, s.flags_column,
        s.cflags_column,   s.user_agent_column, s.socket_column,        s.methods_column,
        s.instance_column, s.reg_id_column,     s.server_id_column,     s.connection_id_column,
        s.keepalive_column};
    std::set<std::string_view> seen;
    for (std::string& name : names) {
        name = must(db::identifier(name));
        if (!seen.insert(name).second)
            throw StartupError{format("usrloc: two columns are called '{}'", name)};
    }
    return names;
}

db::Value text_or_null(std::string_view text)
{
    return text.empty() ? db::Value{db::Null{}} : db::Value{text};
}

std::uint32_t number(const db::Value& value) { return static_cast<std::uint32_t>(value.integer()); }

} // namespace

void Snapshot::add(const ContactView& view)
{
    ContactView copy = view;
    for (std::string_view* text :
         {&copy.aor, &copy.contact, &copy.received, &copy.path, &copy.call_id, &copy.user_agent, &copy.ruid,
          &copy.instance, &copy.attributes, &copy.socket})
        *text = arena_.copy(*text);
    views_.push_back(copy);
}

Storage::Storage(db::Database& database, const Settings& settings, int server_id)
    : database_{database}, use_domain_{settings.use_domain}, bigint_times_{settings.expires_type != 0},
      server_filter_{settings.server_id_filter}, server_id_{server_id},
      nat_flag_{settings.nat_bflag >= 0 && settings.nat_bflag < 32 ? 1U << settings.nat_bflag : 0},
      settings_{settings}, columns_{columns_of(settings)}
{
}

db::Table Storage::layout(const std::string& table, const Settings& s)
{
    using Type = db::Column::Type;
    const Type time = s.expires_type != 0 ? Type::bigint : Type::datetime;
    const std::string never = s.expires_type != 0 ? "0" : "'2030-05-28 21:32:15'";
    const std::string first = s.expires_type != 0 ? "0" : "'2000-01-01 00:00:01'";
    return {table,
            9,
            {{"id", Type::id},
             {s.ruid_column, Type::varchar, 64, false, "''"},
             {s.user_column, Type::varchar, 64, false, "''"},
             {s.domain_column, Type::varchar, 64, true},
             {s.contact_column, Type::varchar, 512, false, "''"},
             {s.received_column, Type::varchar, 128, true},
             {s.path_column, Type::varchar, 512, true},
             {s.expires_column, time, 0, false, never},
             {s.q_column, Type::real, 0, false, "1.0"},
             {s.callid_column, Type::varchar, 255, false, "'Default-Call-ID'"},
             {s.cseq_column, Type::integer, 0, false, "1"},
             {s.last_modified_column, time, 0, false, first},
             {s.flags_column, Type::integer, 0, false, "0"},
             {s.cflags_column, Type::integer, 0, false, "0"},
             {s.user_agent_column, Type::varchar, 255, false, "''"},
             {s.socket_column, Type::varchar, 64, true},
             {s.methods_column, Type::integer, 0, true},
             {s.instance_column, Type::varchar, 255, true},
             {s.reg_id_column, Type::integer, 0, false, "0"},
             {s.server_id_column, Type::integer, 0, false, "0"},
             {s.connection_id_column, Type::integer, 0, false, "0"},
             {s.keepalive_column, Type::integer, 0, false, "0"},
             {s.partition_column, Type::integer, 0, false, "0"}},
            {{s.ruid_column}},
            {{s.user_column, s.domain_column, s.contact_column}, {s.expires_column}}};
}

Result<void> Storage::prepare(const std::string& table)
{
    TRY(const std::string name, db::identifier(table));
    if (database_.dialect() != db::Dialect::sqlite)
        return {};
    const auto made = db::create_if_missing(database_, layout(name, settings_));
    if (!made)
        return made.error();
    return {};
}

// --- times: Kamailio writes local time into DATETIME columns, seconds into BIGINT ones
// ----------------------------------------

db::Value Storage::time(std::int64_t unix_seconds) const
{
    if (bigint_times_)
        return unix_seconds;
    const std::time_t when = static_cast<std::time_t>(unix_seconds);
    std::tm parts{};
    ::localtime_r(&when, &parts);
    char text[32];
    return std::string{text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts)};
}

std::int64_t Storage::time_of(const db::Value& value) const
{
    if (value.is_null())
        return 0;
    if (value.is_integer())
        return value.integer();
    if (value.is_real()) // a Julian day, as SQLite's date functions count
        return static_cast<std::int64_t>(std::llround((value.real() - 2440587.5) * 86400.0));
    std::tm parts{};
    const std::string text{value.text()};
    if (!::strptime(text.c_str(), "%Y-%m-%d %H:%M:%S", &parts))
        return value.integer();
    parts.tm_isdst = -1;
    const std::time_t when = std::mktime(&parts);
    // "Never" is the year 1970, which no other time zone's clock takes for another one.
    return when < 2 * 86400 ? 0 : static_cast<std::int64_t>(when);
}

// The column `partition` keeps its default: the word is reserved in MySQL, and ours has no use for it.
// --- rows
// -------------------------------------------------------------------------------------------------

std::vector<db::Value> Storage::row(const ContactView& v) const
{
    std::string_view user = v.aor, host;
    if (use_domain_) {
        const auto at = v.aor.rfind('@');
        host = at == std::string_view::npos ? v.aor : v.aor.substr(at + 1);
        user = at == std::string_view::npos ? std::string_view{} : v.aor.substr(0, at);
    }
    std::vector<db::Value> values(columns_.size());
    values[ruid] = v.ruid;
    values[username] = user;
    values[domain] = text_or_null(host);
    values[contact] = v.contact;
    values[received] = text_or_null(v.received);
    values[path] = text_or_null(v.path);
    values[expires] = time(v.expires);
    values[q] = v.q < 0 ? -1.0 : v.q / 1000.0;
    values[callid] = v.call_id;
    values[cseq] = std::int64_t{v.cseq};
    values[last_modified] = time(v.last_modified);
    values[flags] = std::int64_t{static_cast<std::int32_t>(v.flags)};
    values[cflags] = std::int64_t{static_cast<std::int32_t>(v.cflags)};
    values[user_agent] = v.user_agent;
    values[socket] = v.socket.empty() ? v.listener ? db::Value{v.listener->text()} : db::Value{db::Null{}}
                                      : db::Value{v.socket};
    values[methods] = v.methods == all_methods ? db::Value{db::Null{}} : db::Value{std::int64_t{v.methods}};
    values[instance] = text_or_null(v.instance);
    values[reg_id] = std::int64_t{v.reg_id};
    values[server_id] = std::int64_t{static_cast<std::int32_t>(v.server_id)};
    // Ours are 64 bits wide and mean nothing after a restart: the column is only to look at.
    values[connection_id] =
        v.connection ? static_cast<std::int64_t>(v.connection.value & 0x7fffffff) : std::int64_t{-1};
    // Kamailio's pingers pick their rows by it.
    values[keepalive] = nat_flag_ != 0 && (v.cflags & nat_flag_) != 0 ? 1 : 0;
    return values;
}

ContactView Storage::view_of(const std::vector<db::Value>& row, Snapshot&, std::string& aor) const
{
    ContactView v;
    aor = std::string{row[username].text()};
    if (row[username].is_integer())
        aor = row[username].print(); // a user name of digits may come back as a number
    if (use_domain_)
        aor = (aor.empty() ? "" : aor + "@") + row[domain].print();
    v.aor = aor;
    v.ruid = row[ruid].text();
    v.contact = row[contact].text();
    v.received = row[received].text();
    v.path = row[path].text();
    v.expires = time_of(row[expires]);
    const double quality =
        row[q].is_text() ? std::strtod(std::string{row[q].text()}.c_str(), nullptr) : row[q].real();
    v.q = quality < 0 ? -1 : static_cast<int>(std::lround(std::min(quality, 1.0) * 1000));
    v.call_id = row[callid].text();
    v.cseq = number(row[cseq]);
    v.last_modified = time_of(row[last_modified]);
    v.flags = number(row[flags]);
    v.cflags = number(row[cflags]);
    v.user_agent = row[user_agent].text();
    v.socket = row[socket].text();
    v.methods = row[methods].is_null() ? all_methods : number(row[methods]);
    v.instance = row[instance].text();
    v.reg_id = number(row[reg_id]);
    v.server_id = number(row[server_id]);
    return v;
}

std::string Storage::select(const std::string& table, std::string_view where) const
{
    std::string sql = "SELECT ";
    for (std::size_t i = 0; i < columns_.size(); ++i)
        sql += (i ? ", " : "") + columns_[i];
    sql += " FROM " + table + " WHERE " + std::string{where};
    return sql;
}

Result<std::size_t> Storage::read(std::string sql, std::vector<db::Value> values, Snapshot& to,
                                  std::string* last) const
{
    TRY(const db::Rows rows, database_.read(std::move(sql), std::move(values)));
    for (const auto& row : rows.rows) {
        std::string aor;
        const ContactView view = view_of(row, to, aor);
        if (last)
            *last = row[ruid].print();
        if (!view.contact.empty() && !view.ruid.empty() && !aor.empty())
            to.add(view);
    }
    return rows.size();
}

Result<void> Storage::read_aor(const std::string& table, std::string_view aor, Snapshot& to) const
{
    TRY(const std::string from, db::identifier(table));
    std::string where = columns_[username] + " = ?";
    std::vector<db::Value> values;
    if (use_domain_) {
        const auto at = aor.rfind('@');
        values.emplace_back(at == std::string_view::npos ? std::string_view{} : aor.substr(0, at));
        values.emplace_back(at == std::string_view::npos ? aor : aor.substr(at + 1));
        where += " AND " + columns_[domain] + " = ?";
    } else {
        values.emplace_back(aor);
    }
    where += " ORDER BY " + (settings_.desc_time_order ? columns_[last_modified] + " DESC, id DESC"
                                                       : columns_[q] + " DESC, id");
    const auto got = read(select(from, where), std::move(values), to, nullptr);
    if (!got)
        return got.error();
    return {};
}

Result<void> Storage::read_ruid(const std::string& table, std::string_view wanted, Snapshot& to) const
{
    TRY(const std::string from, db::identifier(table));
    const auto got = read(select(from, columns_[ruid] + " = ?"), {wanted}, to, nullptr);
    if (!got)
        return got.error();
    return {};
}

Result<std::size_t> Storage::read_page(const std::string& table, std::string& after, std::size_t most,
                                       Snapshot& to) const
{
    TRY(const std::string from, db::identifier(table));
    std::string where = columns_[ruid] + " > ?";
    std::vector<db::Value> values{after};
    if (server_filter_) {
        where += " AND " + columns_[server_id] + " = ?";
        values.emplace_back(server_id_);
    }
    where += format(" ORDER BY {} LIMIT {}", columns_[ruid], most);
    return read(select(from, where), std::move(values), to, &after);
}

Result<void> Storage::write(const std::string& table, Batch batch)
{
    if (batch.empty())
        return {};
    TRY(const std::string to, db::identifier(table));
    const std::string upsert = db::upsert_sql(to, columns_, {columns_[ruid]}, database_.dialect());
    const std::string erase = format("DELETE FROM {} WHERE {} = ?", to, columns_[ruid]);
    if (batch.rows.size() == 1 && batch.deleted.empty()) {
        const auto done = database_.write(upsert, std::move(batch.rows.front()));
        if (!done)
            return done.error();
        return {};
    }
    const auto shared =
        std::make_shared<const Batch>(std::move(batch)); // shared with the job, which may run twice
    return database_.transaction<void>([shared, upsert, erase](db::Connection& connection) -> Result<void> {
        for (const std::string& id : shared->deleted)
            TRYV(connection.run(erase, {id}));
        for (const auto& row : shared->rows)
            TRYV(connection.run(upsert, row));
        return {};
    });
}

Result<std::uint64_t> Storage::clean(const std::string& table, std::int64_t now, std::int64_t delay) const
{
    TRY(const std::string from, db::identifier(table));
    std::string sql =
        format("DELETE FROM {} WHERE {} < ? AND {} > ?", from, columns_[expires], columns_[expires]);
    std::vector<db::Value> values{time(now - delay), time(2 * 86400)};
    if (server_filter_) {
        sql += " AND " + columns_[server_id] + " = ?";
        values.emplace_back(server_id_);
    }
    TRY(const db::Rows gone, database_.write(std::move(sql), std::move(values)));
    return gone.affected;
}

Result<Storage::Counts> Storage::count(const std::string& table, std::int64_t now) const
{
    TRY(const std::string from, db::identifier(table));
    const std::string alive = format("({} > ? OR {} < ?)", columns_[expires], columns_[expires]);
    const std::string who = use_domain_ ? columns_[username] + ", " + columns_[domain] : columns_[username];
    const std::vector<db::Value> times{time(now), time(2 * 86400)};
    TRY(const db::Rows users,
        database_.read(
            format("SELECT COUNT(*) FROM (SELECT DISTINCT {} FROM {} WHERE {}) AS users", who, from, alive),
            times));
    TRY(const db::Rows contacts,
        database_.read(format("SELECT COUNT(*) FROM {} WHERE {}", from, alive), times));
    TRY(const db::Rows expired, database_.read(format("SELECT COUNT(*) FROM {} WHERE {} <= ? AND {} >= ?",
                                                      from, columns_[expires], columns_[expires]),
                                               times));
    return Counts{users[0][0].integer(), contacts[0][0].integer(), expired[0][0].integer()};
}

} // namespace sipyard::usrloc
