// modules/htable/htable.cpp - what the script sees of the tables: $sht and its family, and the sht_ functions
#include "modules/htable/htable.h"

#include "core/base/text.h"
#include "core/json/value.h"
#include "modules/htable/matcher.h"

#include <utility>

namespace sipyard::htable {

Table* Htable::find(std::string_view name) const
{
    const auto found = tables_.find(name);
    return found == tables_.end() ? nullptr : found->second.get();
}

Table* Htable::find_logged(std::string_view name) const
{
    Table* const table = find(name);
    if (!table)
        log_.error("there is no table '{}' (modparam htable)", name);
    return table;
}

Htable::Place Htable::place(std::string_view text) const
{
    const auto arrow = text.find("=>");
    if (arrow == std::string_view::npos) {
        log_.error("'{}' is not table=>key", text);
        return {};
    }
    return {find_logged(trim(text.substr(0, arrow))), text.substr(arrow + 2)};
}

std::optional<Refusal> Htable::check_place(const KnownText& text) const
{
    const auto arrow = text.text.find("=>");
    if (arrow != std::string_view::npos)
        return check_table({trim(text.text.substr(0, arrow))});
    if (!text.whole)
        return std::nullopt;
    return Refusal{format("'{}' is not table=>key", text.text), {}};
}

std::optional<Refusal> Htable::check_table(const KnownText& name) const
{
    if (!name.whole || find(name.text))
        return std::nullopt;
    std::vector<std::string_view> known;
    for (const auto& [table, object] : tables_)
        known.push_back(table);
    return Refusal{format("there is no table '{}' (modparam htable)", name.text),
                   std::string{nearest(name.text, known)}};
}

bool Htable::store(Table& table, std::string_view key, const Value& value)
{
    if (value.is_null()) {
        table.remove(key);
        return true;
    }
    if (table.set(key, value.is_integer() ? Held{value.number()} : Held{std::string{value.text()}},
                  host_.clock().now()))
        return true;
    log_.error("table {} is full ({} items, modparam max_items): '{}' is not stored", table.name(),
               table.size(), key);
    return false;
}

// --- variables -----------------------------------------------------------------------------------

Value Htable::item(Request& request, std::string_view text)
{
    const Place at = place(text);
    return at.table ? at.table->get(at.key, host_.clock().now(), request.arena()) : Value{};
}

bool Htable::set_item(Request&, std::string_view text, const Value& value)
{
    const Place at = place(text);
    return at.table && store(*at.table, at.key, value);
}

Value Htable::ttl(Request&, std::string_view text)
{
    const Place at = place(text);
    return at.table ? Value{at.table->ttl(at.key, host_.clock().now())} : Value{};
}

bool Htable::set_ttl(Request&, std::string_view text, const Value& value)
{
    const Place at = place(text);
    const auto seconds = value.is_integer() ? std::optional{value.number()} : parse_int(value.text());
    if (!at.table || !seconds)
        return false;
    at.table->set_ttl(at.key, *seconds, host_.clock().now());
    return true;
}

Value Htable::increment(Request&, std::string_view text)
{
    const Place at = place(text);
    const auto sum = at.table ? at.table->add(at.key, 1, host_.clock().now()) : std::nullopt;
    return sum ? Value{*sum} : Value{};
}

Value Htable::decrement(Request&, std::string_view text)
{
    const Place at = place(text);
    const auto sum = at.table ? at.table->add(at.key, -1, host_.clock().now()) : std::nullopt;
    return sum ? Value{*sum} : Value{};
}

Value Htable::count(std::string_view text, bool by_value)
{
    const Place at = place(text);
    if (!at.table)
        return {};
    const auto matcher = MatcherView::parse_counted(at.key);
    if (!matcher) {
        log_.error("counting in {}: {}", at.table->name(), matcher.error().text);
        return {};
    }
    return static_cast<std::int64_t>(at.table->count(
        [&](std::string_view key, const Held& value) {
            return by_value ? matcher->matches(value) : matcher->matches(key);
        },
        host_.clock().now()));
}

Value Htable::count_names(Request&, std::string_view text) { return count(text, false); }

Value Htable::count_values(Request&, std::string_view text) { return count(text, true); }

namespace {
Value copied(const Held& held, Arena& arena)
{
    const auto* const number = std::get_if<std::int64_t>(&held);
    return number ? Value{*number} : Value{arena.copy(std::get<std::string>(held))};
}
} // namespace

// The item an event_route[htable:expired:NAME] is about: $shtrecord(key), $shtrecord(value).
Value Htable::record(Request& request, std::string_view text)
{
    const State* const state = request.find(state_);
    if (!state || !state->expired)
        return {};
    if (text == "key")
        return request.arena().copy(state->expired->key);
    if (text == "value")
        return copied(state->expired->value, request.arena());
    log_.error("$shtrecord({}): expected key or value", text);
    return {};
}

Value Htable::iterator_key(Request& request, std::string_view name)
{
    const Iterator* const it = iterator(request, name);
    return it && it->current() ? Value{request.arena().copy(it->current()->key)} : Value{};
}

Value Htable::iterator_value(Request& request, std::string_view name)
{
    const Iterator* const it = iterator(request, name);
    return it && it->current() ? copied(it->current()->value, request.arena()) : Value{};
}

// --- functions -----------------------------------------------------------------------------------

Verdict Htable::print(Request&)
{
    for (const auto& [name, table] : tables_)
        for (std::size_t shard = 0; shard < Table::shards; ++shard)
            for (const Item& one : table->items_of(shard, host_.clock().now())) {
                const auto* const number = std::get_if<std::int64_t>(&one.value);
                log_.error("{}[{}] = {}", name, one.key,
                           number ? std::to_string(*number) : std::get<std::string>(one.value));
            }
    return Verdict::yes();
}

Verdict Htable::remove(Request&, std::string_view table, std::string_view key)
{
    Table* const in = find_logged(table);
    if (in)
        in->remove(key);
    return Verdict::of(in != nullptr);
}

Verdict Htable::remove_names(Request&, std::string_view table, std::string_view op, std::string_view text)
{
    Table* const in = find_logged(table);
    const auto matcher = MatcherView::parse(op, text);
    if (!matcher)
        log_.error("sht_rm_name: {}", matcher.error().text);
    if (!in || !matcher)
        return Verdict::no();
    in->remove_if([&](std::string_view key, const Held&) { return matcher->matches(key); });
    return Verdict::yes();
}

Verdict Htable::remove_values(Request&, std::string_view table, std::string_view op, std::string_view text)
{
    Table* const in = find_logged(table);
    const auto matcher = MatcherView::parse(op, text);
    if (!matcher)
        log_.error("sht_rm_value: {}", matcher.error().text);
    if (!in || !matcher)
        return Verdict::no();
    in->remove_if([&](std::string_view, const Held& value) { return matcher->matches(value); });
    return Verdict::yes();
}

Verdict Htable::remove_names_re(Request& request, std::string_view table_and_regex)
{
    const Place at = place(table_and_regex);
    return at.table ? remove_names(request, at.table->name(), "re", at.key) : Verdict::no();
}

Verdict Htable::remove_values_re(Request& request, std::string_view table_and_regex)
{
    const Place at = place(table_and_regex);
    return at.table ? remove_values(request, at.table->name(), "re", at.key) : Verdict::no();
}

Verdict Htable::has_name(Request&, std::string_view table, std::string_view op, std::string_view text)
{
    Table* const in = find_logged(table);
    if (in && op == "eq")
        return Verdict::of(in->has(text, host_.clock().now())); // no walk
    const auto matcher = MatcherView::parse(op, text);
    if (!matcher)
        log_.error("sht_has_name: {}", matcher.error().text);
    if (!in || !matcher)
        return Verdict::no();
    return Verdict::of(in->count([&](std::string_view key, const Held&) { return matcher->matches(key); },
                                 host_.clock().now()) > 0);
}

Verdict Htable::has_value(Request&, std::string_view table, std::string_view op, std::string_view text)
{
    Table* const in = find_logged(table);
    const auto matcher = MatcherView::parse(op, text);
    if (!matcher)
        log_.error("sht_has_str_value: {}", matcher.error().text);
    if (!in || !matcher)
        return Verdict::no();
    const auto wanted = [&](std::string_view, const Held& value) {
        return std::holds_alternative<std::string>(value) && matcher->matches(value);
    };
    return Verdict::of(in->count(wanted, host_.clock().now()) > 0);
}

Verdict Htable::reset(Request&, std::string_view table)
{
    Table* const in = find_logged(table);
    if (in)
        in->clear();
    return Verdict::of(in != nullptr);
}

// The lock is about the key as written, whether or not there is an item: $sht itself never waits for it.
Verdict Htable::lock(Request& request, std::string_view text)
{
    if (!place(text).table)
        return Verdict::no();
    const auto until = host_.clock().now() + std::chrono::seconds{settings_.lock_timeout};
    const auto got = request.at(state_).locks.acquire(locks_, text, until);
    if (!got)
        log_.error("sht_lock: {}", got.error().text);
    return Verdict::of(got.has_value());
}

Verdict Htable::unlock(Request& request, std::string_view text)
{
    if (request.at(state_).locks.release(locks_, text))
        return Verdict::yes();
    log_.warn("sht_unlock: '{}' has not been locked by this script", text);
    return Verdict::no();
}

Htable::Iterator* Htable::iterator(Request& request, std::string_view name)
{
    State* const state = request.find(state_);
    if (!state)
        return nullptr;
    const auto found = state->iterators.find(name);
    return found == state->iterators.end() ? nullptr : &found->second;
}

Verdict Htable::iterator_start(Request& request, std::string_view name, std::string_view table)
{
    Table* const in = find_logged(table);
    State& state = request.at(state_);
    if (!in || name.empty())
        return Verdict::no();
    if (state.iterators.size() >= most_iterators && !iterator(request, name)) {
        log_.error("sht_iterator_start: '{}' would be one iterator too many ({})", name, most_iterators);
        return Verdict::no();
    }
    state.iterators.insert_or_assign(std::string{name}, Iterator{in, 0, 0, {}});
    return Verdict::yes();
}

Verdict Htable::iterator_next(Request& request, std::string_view name)
{
    Iterator* const it = iterator(request, name);
    if (!it) {
        log_.error("sht_iterator_next: '{}' has not been started", name);
        return Verdict::no();
    }
    while (it->at >= it->items.size()) {
        it->at = 0;
        it->items.clear();
        if (it->next_shard >= Table::shards)
            return Verdict::no();
        it->items = it->table->items_of(it->next_shard++, host_.clock().now());
    }
    ++it->at;
    return Verdict::yes();
}

Verdict Htable::iterator_end(Request& request, std::string_view name)
{
    Iterator* const it = iterator(request, name);
    if (it)
        request.at(state_).iterators.erase(std::string{name});
    return Verdict::of(it != nullptr);
}

Verdict Htable::iterator_rm(Request& request, std::string_view name)
{
    Iterator* const it = iterator(request, name);
    return Verdict::of(it && it->current() && it->table->remove(it->current()->key));
}

Verdict Htable::iterator_set(Request& request, std::string_view name, Value value)
{
    Iterator* const it = iterator(request, name);
    return Verdict::of(it && it->current() && store(*it->table, it->current()->key, value));
}

Verdict Htable::iterator_setex(Request& request, std::string_view name, std::int64_t seconds)
{
    Iterator* const it = iterator(request, name);
    if (!it || !it->current())
        return Verdict::no();
    it->table->set_ttl(it->current()->key, seconds, host_.clock().now());
    return Verdict::yes();
}

Manifest<Htable> Htable::manifest()
{
    using M = Htable;
    return {
        .name = "htable",
        .about = "Hash tables in memory that all workers share, with expiry",
        .needs = {{db::Driver::name, true}},
        .params = {param("htable", &Settings::tables, "Defines a table: name=>size=8;autoexpire=300"),
                   param("db_url", &Settings::db_url, "Database of the tables with dbtable="),
                   param("key_name_column", &Settings::key_name_column, "Column of the key"),
                   param("key_type_column", &Settings::key_type_column,
                         "Column that says whether the key is an array"),
                   param("value_type_column", &Settings::value_type_column,
                         "Column that says whether the value is an integer"),
                   param("key_value_column", &Settings::key_value_column, "Column of the value"),
                   param("expires_column", &Settings::expires_column,
                         "Column of the expiry, with db_expires"),
                   param("array_size_suffix", &Settings::array_size_suffix,
                         "Put after an array's key to name its size"),
                   param("fetch_rows", &Settings::fetch_rows, "Accepted without effect"),
                   param("timer_interval", &Settings::timer_interval,
                         "Seconds between two looks for expired items"),
                   param("db_expires", &Settings::db_expires, "1: the expiry is loaded and stored too"),
                   param("enable_dmq", &Settings::enable_dmq, "Accepted without effect"),
                   param("dmq_init_sync", &Settings::dmq_init_sync, "Accepted without effect"),
                   param("timer_procs", &Settings::timer_procs, "Accepted without effect"),
                   param("event_callback", &Settings::event_callback,
                         "Accepted without effect: event routes are run"),
                   param("event_callback_mode", &Settings::event_callback_mode, "Accepted without effect"),
                   param("max_items", &Settings::max_items,
                         "Most items of a table; a further key is refused"),
                   param("lock_timeout", &Settings::lock_timeout, "Seconds sht_lock waits at most")},
        .functions =
            {function("sht_print", &M::print, "Logs every item of every table"),
             checked(function("sht_rm", &M::remove, "Removes the item of that key"), &M::check_table),
             checked(function("sht_rm_name", &M::remove_names,
                              "Removes items whose key matches (re, sw, eq, ne)"),
                     &M::check_table),
             checked(function("sht_rm_value", &M::remove_values,
                              "Removes items whose value matches (re, sw, eq, ne)"),
                     &M::check_table),
             checked(function("sht_rm_name_re", &M::remove_names_re,
                              "Removes items whose key matches: table=>regex"),
                     &M::check_place),
             checked(function("sht_rm_value_re", &M::remove_values_re,
                              "Removes items whose value matches: table=>regex"),
                     &M::check_place),
             checked(function("sht_has_name", &M::has_name, "True when a key matches (eq, ne, re, sw)"),
                     &M::check_table),
             checked(function("sht_match_name", &M::has_name, "As sht_has_name"), &M::check_table),
             checked(function("sht_has_str_value", &M::has_value,
                              "True when a text value matches (eq, ne, re, sw)"),
                     &M::check_table),
             checked(function("sht_match_str_value", &M::has_value, "As sht_has_str_value"), &M::check_table),
             checked(function("sht_reset", &M::reset, "Empties the table"), &M::check_table),
             checked(function("sht_lock", &M::lock, "Waits until the key is ours: table=>key"),
                     &M::check_place),
             checked(function("sht_unlock", &M::unlock, "Gives it back; the end of the script does so too"),
                     &M::check_place),
             checked(function("sht_iterator_start", &M::iterator_start, "Begins to walk over a table"),
                     &M::check_table, 1),
             function("sht_iterator_next", &M::iterator_next, "Goes to the next item; false at the end"),
             function("sht_iterator_end", &M::iterator_end, "Ends the walk"),
             function("sht_iterator_rm", &M::iterator_rm, "Removes the item the walk is at"),
             function("sht_iterator_sets", &M::iterator_set, "Gives the item the walk is at another value"),
             function("sht_iterator_seti", &M::iterator_set, "As sht_iterator_sets, for an integer"),
             function("sht_iterator_setex", &M::iterator_setex,
                      "Seconds the item the walk is at lives from now")},
        .variables =
            {checked(variable("sht", &M::item, &M::set_item, "An item: $sht(table=>key); null removes it"),
                     &M::check_place),
             checked(variable("shtex", &M::ttl, &M::set_ttl, "Seconds an item has left"), &M::check_place),
             checked(variable("shtinc", &M::increment, "Adds 1 and is the new value"), &M::check_place),
             checked(variable("shtdec", &M::decrement, "Subtracts 1 and is the new value"), &M::check_place),
             checked(variable("shtcn", &M::count_names, "How many keys match"), &M::check_place),
             checked(variable("shtcv", &M::count_values, "How many values match"), &M::check_place),
             variable("shtrecord", &M::record, "key or value of the item that has expired"),
             variable("shtitkey", &M::iterator_key, "Key of the item the iterator is at"),
             variable("shtitval", &M::iterator_value, "Its value")},
        .commands = {command("htable.get", &M::get_command, "One item: TABLE KEY"),
                     command("htable.delete", &M::delete_command, "Removes an item: TABLE KEY"),
                     command("htable.sets", &M::sets_command, "Stores a text: TABLE KEY VALUE"),
                     command("htable.seti", &M::seti_command, "Stores an integer: TABLE KEY VALUE"),
                     command("htable.setex", &M::setex_command,
                             "Seconds an item lives from now: TABLE KEY SECONDS"),
                     command("htable.dump", &M::dump_command, "The items of a table: TABLE"),
                     command("htable.reload", &M::reload_command, "Loads a table from its database: TABLE"),
                     command("htable.store", &M::store_command, "Writes a table to its database: TABLE"),
                     command("htable.flush", &M::flush_command, "Empties a table: TABLE"),
                     command("htable.listTables", &M::list_command, "The tables and their definitions"),
                     command("htable.stats", &M::stats_command, "Items and shards of the tables")},
        .event_routes = {"htable:mod-init", "htable:expired:"},
    };
}

} // namespace sipyard::htable

SIPYARD_MODULE(sipyard::htable::Htable)
