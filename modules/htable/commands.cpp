// modules/htable/commands.cpp - htable.* for operators; parameters by position or by name
#include "core/base/text.h"
#include "core/json/value.h"
#include "modules/htable/htable.h"

#include <algorithm>

namespace sipyard::htable {
namespace {

using JsonValue = json::Value;

const JsonValue& param_of(const JsonValue& params, std::size_t index, std::string_view name)
{
    return params.is_object() ? params[name] : params[index];
}

// Keys are texts, but a client may well send 1001 as a number.
std::string text_of(const JsonValue& value)
{
    return value.is_integer() ? std::to_string(value.integer()) : std::string{value.text()};
}

Result<std::string> key_of(const JsonValue& params)
{
    std::string key = text_of(param_of(params, 1, "key"));
    if (key.empty())
        return invalid("expected the name of a table and a key");
    return key;
}

Result<std::int64_t> number_of(const JsonValue& value)
{
    const auto number = value.is_integer() ? std::optional{value.integer()} : parse_int(value.text());
    if (!number)
        return invalid("expected a table, a key and an integer");
    return *number;
}

JsonValue described(const Item& item, Instant now)
{
    JsonValue row = JsonValue::object();
    row.set("name", item.key);
    if (const auto* number = std::get_if<std::int64_t>(&item.value))
        row.set("value", *number).set("type", "int");
    else
        row.set("value", std::get<std::string>(item.value)).set("type", "str");
    if (item.expires != Instant{INT64_MAX})
        row.set("expires", (item.expires - now).count() / 1'000'000'000);
    return row;
}

} // namespace

Result<Table*> Htable::table_of(const JsonValue& params) const
{
    const std::string name = text_of(param_of(params, 0, "htable"));
    if (Table* const table = find(name))
        return table;
    return invalid(name.empty() ? std::string{"expected the name of a table"}
                                : format("No such htable: {}", name));
}

Result<JsonValue> Htable::get_command(const JsonValue& params)
{
    TRY(Table* const table, table_of(params));
    TRY(const auto key, key_of(params));
    Arena arena;
    const Instant now = host_.clock().now();
    if (!table->has(key, now) && !table->definition().initval)
        return Error{ErrorKind::other, "Key name doesn't exist in htable."};
    const Value value = table->get(key, now, arena);
    JsonValue row = JsonValue::object();
    row.set("name", key);
    if (value.is_integer())
        row.set("value", value.number());
    else
        row.set("value", value.text());
    return JsonValue::object().set("item", std::move(row));
}

Result<JsonValue> Htable::delete_command(const JsonValue& params)
{
    TRY(Table* const table, table_of(params));
    TRY(const auto key, key_of(params));
    if (!table->remove(key))
        return Error{ErrorKind::other, "Key name doesn't exist in htable."};
    return JsonValue{"deleted"};
}

Result<JsonValue> Htable::sets_command(const JsonValue& params)
{
    TRY(Table* const table, table_of(params));
    TRY(const auto key, key_of(params));
    const JsonValue& value = param_of(params, 2, "value");
    if (!value.is_string() && !value.is_integer())
        return invalid("expected a table, a key and a text");
    if (!table->set(key, text_of(value), host_.clock().now()))
        return Error{ErrorKind::overloaded, "the table is full"};
    return JsonValue{"stored"};
}

Result<JsonValue> Htable::seti_command(const JsonValue& params)
{
    TRY(Table* const table, table_of(params));
    TRY(const auto key, key_of(params));
    TRY(const auto number, number_of(param_of(params, 2, "value")));
    if (!table->set(key, number, host_.clock().now()))
        return Error{ErrorKind::overloaded, "the table is full"};
    return JsonValue{"stored"};
}

Result<JsonValue> Htable::setex_command(const JsonValue& params)
{
    TRY(Table* const table, table_of(params));
    TRY(const auto key, key_of(params));
    TRY(const auto seconds, number_of(param_of(params, 2, "value")));
    if (table->definition().autoexpire.count == 0)
        return Error{ErrorKind::other, format("items of {} do not expire (autoexpire)", table->name())};
    if (!table->has(key, host_.clock().now()))
        return Error{ErrorKind::other, "Key name doesn't exist in htable."};
    table->set_ttl(key, seconds, host_.clock().now());
    return JsonValue{"set"};
}

Result<JsonValue> Htable::dump_command(const JsonValue& params)
{
    TRY(Table* const table, table_of(params));
    JsonValue list = JsonValue::array();
    const Instant now = host_.clock().now();
    for (std::size_t shard = 0; shard < Table::shards; ++shard) {
        const auto items = table->items_of(shard, now);
        if (items.empty())
            continue;
        JsonValue slot = JsonValue::array();
        for (const Item& item : items)
            slot.add(described(item, now));
        list.add(
            JsonValue::object().set("entry", shard).set("size", items.size()).set("slot", std::move(slot)));
    }
    return list;
}

Result<JsonValue> Htable::reload_command(const JsonValue& params)
{
    TRY(Table* const table, table_of(params));
    if (table->definition().dbtable.empty() || !database_)
        return Error{ErrorKind::unsupported, format("table {} has no dbtable=", table->name())};
    TRYV(load_table(*table));
    return JsonValue::object().set("items", table->size());
}

Result<JsonValue> Htable::store_command(const JsonValue& params)
{
    TRY(Table* const table, table_of(params));
    if (!database_)
        return Error{ErrorKind::unsupported, "there is no db_url"};
    TRYV(save(*database_, *table, columns_, host_.clock()));
    return JsonValue{"stored"};
}

Result<JsonValue> Htable::flush_command(const JsonValue& params)
{
    TRY(Table* const table, table_of(params));
    table->clear();
    return JsonValue{"emptied"};
}

Result<JsonValue> Htable::list_command(const JsonValue&)
{
    JsonValue list = JsonValue::array();
    for (const auto& [name, table] : tables_) {
        const Definition& d = table->definition();
        list.add(JsonValue::object()
                     .set("name", name)
                     .set("dbtable", d.dbtable)
                     .set("dbmode", d.dbmode)
                     .set("expire", d.autoexpire.count)
                     .set("updateexpire", d.updateexpire ? 1 : 0)
                     .set("size", std::int64_t{1} << d.size)
                     .set("dmqreplicate", 0));
    }
    return list;
}

Result<JsonValue> Htable::stats_command(const JsonValue&)
{
    JsonValue list = JsonValue::array();
    for (const auto& [name, table] : tables_) {
        std::size_t all = 0, most = 0, least = SIZE_MAX;
        for (std::size_t shard = 0; shard < Table::shards; ++shard) {
            const std::size_t here = table->items_of(shard, host_.clock().now()).size();
            all += here;
            most = std::max(most, here);
            least = std::min(least, here);
        }
        list.add(JsonValue::object()
                     .set("name", name)
                     .set("slots", Table::shards)
                     .set("all", all)
                     .set("max", most)
                     .set("min", least)
                     .set("limit", settings_.max_items)
                     .set("locks", locks_.held()));
    }
    return list;
}

} // namespace sipyard::htable
