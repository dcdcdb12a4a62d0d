// modules/presence/store_schema.cpp - columns, statements, and what becomes of a changed row
#include "modules/presence/store_schema.h"

#include "core/base/format.h"
#include "core/base/text.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace sipyard::presence {
namespace {

using Type = db::Column::Type;

db::Column text(std::string name, int length, std::string fallback = {})
{
    return {
        .name = std::move(name), .type = Type::varchar, .length = length, .fallback = std::move(fallback)};
}
db::Column text_or_null(std::string name, int length)
{
    return {.name = std::move(name), .type = Type::varchar, .length = length, .null = true};
}
db::Column number(std::string name, std::string fallback = {})
{
    return {.name = std::move(name), .type = Type::integer, .fallback = std::move(fallback)};
}

// The columns are 32 bits wide and signed.
std::int64_t wrap(std::uint32_t value) { return static_cast<std::int32_t>(value); }
std::int64_t time(std::int64_t seconds) { return std::clamp<std::int64_t>(seconds, -1, INT32_MAX); }
db::Value or_null(const std::string& value)
{
    return value.empty() ? db::Value{db::Null{}} : db::Value{value};
}
std::uint32_t unwrap(const db::Value& value) { return static_cast<std::uint32_t>(value.integer()); }

std::vector<std::string> names_of(const db::Table& table)
{
    std::vector<std::string> names;
    for (const auto& column : table.columns)
        if (column.type != Type::id)
            names.push_back(column.name);
    return names;
}
std::string list(const std::vector<std::string>& names)
{
    std::string all;
    for (const auto& name : names)
        all += (all.empty() ? "" : ", ") + name;
    return all;
}

std::size_t letters(std::string_view utf8)
{
    return static_cast<std::size_t>(std::count_if(
        utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}
bool storable(std::string_view value) { return is_utf8(value) && value.find('\0') == std::string_view::npos; }

// What strangers write about themselves: '?' for bytes that are no text, the rest cut off.
void clip(std::string& value, std::size_t most)
{
    if (!storable(value))
        for (char& c : value)
            if (static_cast<unsigned char>(c) >= 0x80 || c == 0)
                c = '?';
    std::size_t seen = 0, at = 0;
    for (; at < value.size(); ++at)
        if ((static_cast<unsigned char>(value[at]) & 0xc0) != 0x80 && ++seen > most)
            break;
    value.resize(at);
}

Result<void> check(const db::Table& table, const std::vector<db::Value>& values)
{
    for (std::size_t i = 0; i < values.size(); ++i) {
        const db::Column& column = table.columns[i + 1]; // after the id
        if (!values[i].is_text())
            continue;
        if (!storable(values[i].text()))
            return invalid(format("{} is not UTF-8", column.name));
        const auto length = letters(values[i].text());
        if (column.type == Type::varchar && length > static_cast<std::size_t>(column.length))
            return invalid(format("{} has {} letters, {} fit", column.name, length, column.length));
    }
    return {};
}

const db::Table& publications_layout()
{
    static const db::Table layout = presentity_table("presentity");
    return layout;
}
const db::Table& subscriptions_layout()
{
    static const db::Table layout = active_watchers_table("active_watchers");
    return layout;
}

} // namespace

db::Table presentity_table(std::string name)
{
    return {std::move(name),
            5,
            {{.name = "id", .type = Type::id},
             text("username", 64),
             text("domain", 64),
             text("event", 64),
             text("etag", 128),
             number("expires"),
             number("received_time"),
             {.name = "body", .type = Type::blob},
             text("sender", 255),
             number("priority", "0"),
             text_or_null("ruid", 64)},
            {{"username", "domain", "event", "etag"}, {"ruid"}},
            {{"expires"}, {"username", "domain", "event"}}};
}

db::Table active_watchers_table(std::string name)
{
    return {std::move(name),
            12,
            {{.name = "id", .type = Type::id},
             text("presentity_uri", 255),
             text("watcher_username", 64),
             text("watcher_domain", 64),
             text("to_user", 64),
             text("to_domain", 64),
             text("event", 64, "'presence'"),
             text_or_null("event_id", 64),
             text("to_tag", 128),
             text("from_tag", 128),
             text("callid", 255),
             number("local_cseq"),
             number("remote_cseq"),
             text("contact", 255),
             {.name = "record_route", .type = Type::text, .null = true},
             number("expires"),
             number("status", "2"),
             text_or_null("reason", 64),
             number("version", "0"),
             text("socket_info", 64),
             text("local_contact", 255),
             text("from_user", 64),
             text("from_domain", 64),
             number("updated"),
             number("updated_winfo"),
             number("flags", "0"),
             {.name = "user_agent", .type = Type::varchar, .length = 255, .null = true, .fallback = "''"}},
            {{"callid", "to_tag", "from_tag"}},
            {{"expires"}, {"presentity_uri", "event"}, {"updated"}, {"updated_winfo", "presentity_uri"}}};
}

db::Table watchers_table(std::string name)
{
    return {std::move(name),
            3,
            {{.name = "id", .type = Type::id},
             text("presentity_uri", 255),
             text("watcher_username", 64),
             text("watcher_domain", 64),
             text("event", 64, "'presence'"),
             number("status"),
             text_or_null("reason", 64),
             number("inserted_time")},
            {{"presentity_uri", "watcher_username", "watcher_domain", "event"}},
            {{"inserted_time", "status"}}};
}

std::vector<db::Value> values_of(const StoredPublication& row)
{
    return {row.user,           row.domain,         row.event,  row.etag,     time(row.expires),
            time(row.received), db::Blob{row.body}, row.sender, row.priority, or_null(row.ruid)};
}

StoredPublication publication_of(const std::vector<db::Value>& row)
{
    StoredPublication p;
    p.user = row[1].print(); // a user name of digits may come back as a number
    p.domain = row[2].print();
    p.event = row[3].print();
    p.etag = row[4].print();
    p.expires = row[5].integer();
    p.received = row[6].integer();
    p.body = row[7].print();
    p.sender = row[8].print();
    p.priority = static_cast<int>(row[9].integer());
    p.ruid = row[10].print();
    return p;
}

std::vector<db::Value> values_of(const StoredSubscription& row)
{
    // updated, updated_winfo: no work slot of Kamailio's notifier has it.
    return {row.presentity,
            row.watcher_user,
            row.watcher_domain,
            row.to_user,
            row.to_domain,
            row.event,
            or_null(row.event_id),
            row.to_tag,
            row.from_tag,
            row.call_id,
            wrap(row.local_cseq),
            wrap(row.remote_cseq),
            row.contact,
            or_null(row.record_route),
            time(row.expires),
            row.status,
            or_null(row.reason),
            wrap(row.version),
            row.socket,
            row.local_contact,
            row.from_user,
            row.from_domain,
            -1,
            -1,
            wrap(row.flags),
            row.user_agent};
}

StoredSubscription subscription_of(const std::vector<db::Value>& row)
{
    StoredSubscription s;
    s.presentity = row[1].print();
    s.watcher_user = row[2].print();
    s.watcher_domain = row[3].print();
    s.to_user = row[4].print();
    s.to_domain = row[5].print();
    s.event = row[6].print();
    s.event_id = row[7].print();
    s.to_tag = row[8].print();
    s.from_tag = row[9].print();
    s.call_id = row[10].print();
    s.local_cseq = unwrap(row[11]);
    s.remote_cseq = unwrap(row[12]);
    s.contact = row[13].print();
    s.record_route = row[14].print();
    s.expires = row[15].integer();
    s.status = static_cast<int>(row[16].integer());
    s.reason = row[17].print();
    s.version = unwrap(row[18]);
    s.socket = row[19].print();
    s.local_contact = row[20].print();
    s.from_user = row[21].print();
    s.from_domain = row[22].print();
    s.flags = unwrap(row[25]);
    s.user_agent = row[26].print();
    return s;
}

Result<void> make_fit(StoreChange& change)
{
    if (auto* const put = std::get_if<PutPublication>(&change)) {
        std::string body = std::exchange(put->row.body, {}); // any bytes of any number fit: spare the copy
        auto fits = check(publications_layout(), values_of(put->row));
        put->row.body = std::move(body);
        return fits;
    }
    if (auto* const put = std::get_if<PutSubscription>(&change)) {
        clip(put->row.user_agent, 255);
        clip(put->row.reason, 64);
        return check(subscriptions_layout(), values_of(put->row));
    }
    return {};
}

StoreStatements StoreStatements::for_publications(const std::string& table, db::Dialect dialect)
{
    const auto names = names_of(publications_layout());
    const std::string key = " WHERE username = ? AND domain = ? AND event = ? AND etag = ?";
    std::string changes;
    for (std::size_t i = 3; i < names.size(); ++i) // what follows username, domain, event
        changes += (changes.empty() ? "" : ", ") + names[i] + " = ?";
    // MariaDB updates the row of any unique key; its own ruid must bring the new tag with it.
    const std::vector<std::string> keys =
        dialect == db::Dialect::mysql ? std::vector<std::string>{"ruid"}
                                      : std::vector<std::string>{"username", "domain", "event", "etag"};
    return {.upsert = db::upsert_sql(table, names, keys, dialect),
            .update = "UPDATE " + table + " SET " + changes + key,
            .remove = "DELETE FROM " + table + key,
            .remove_ruid = "DELETE FROM " + table + " WHERE ruid = ?",
            .page = "SELECT id, " + list(names) + " FROM " + table +
                    " WHERE id > ? AND (expires > ? OR expires = -1) ORDER BY id LIMIT ",
            .clean = "DELETE FROM " + table + " WHERE expires >= 0 AND expires <= ?"};
}

StoreStatements StoreStatements::for_subscriptions(const std::string& table, db::Dialect dialect)
{
    const auto names = names_of(subscriptions_layout());
    return {.upsert = db::upsert_sql(table, names, {"callid", "to_tag", "from_tag"}, dialect),
            .update = {},
            .remove = "DELETE FROM " + table + " WHERE callid = ? AND to_tag = ? AND from_tag = ?",
            .remove_ruid = {},
            .page = "SELECT id, " + list(names) + " FROM " + table +
                    " WHERE id > ? AND expires > ? ORDER BY id LIMIT ",
            .clean = "DELETE FROM " + table + " WHERE expires <= ?"};
}

Result<void> execute(const StoreStatements& sql, db::Connection& connection, const RowWork& work,
                     Careful careful)
{
    if (const auto* const subscription = std::get_if<SubscriptionWork>(&work)) {
        const StoredSubscription& row = subscription->row;
        const auto done = subscription->gone
                              ? connection.run(sql.remove, {row.call_id, row.to_tag, row.from_tag})
                              : connection.run(sql.upsert, values_of(row));
        return done ? Result<void>{} : Result<void>{done.error()};
    }
    const auto& publication = std::get<PublicationWork>(work);
    const StoredPublication& row = publication.row;
    if (!publication.gone && careful == Careful::no && publication.tags.size() == 1) {
        auto values = values_of(row);
        values.erase(values.begin(), values.begin() + 3);
        for (const auto* one : {&row.user, &row.domain, &row.event, &publication.tags.front()})
            values.emplace_back(*one);
        TRY(const auto changed, connection.run(sql.update, values));
        if (changed.affected > 0)
            return {};
    } else {
        for (const std::string& tag : publication.tags)
            TRYV(connection.run(sql.remove, {row.user, row.domain, row.event, tag}));
        if (!publication.gone && careful == Careful::yes && !row.ruid.empty())
            TRYV(connection.run(sql.remove_ruid, {row.ruid}));
    }
    if (publication.gone)
        return {};
    TRYV(connection.run(sql.upsert, values_of(row)));
    return {};
}

} // namespace sipyard::presence
