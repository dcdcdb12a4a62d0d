// modules/htable/htable.h - tables that all workers share: the module's face to the script and to operators
#pragma once

#include "core/module/module.h"
#include "core/task/keyed_lock.h"
#include "modules/htable/database.h"
#include "modules/htable/table.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::htable {

class Htable {
public:
    struct Settings {
        std::vector<Definition> tables;
        std::optional<db::Url> db_url;
        std::string key_name_column = "key_name", key_type_column = "key_type",
                    value_type_column = "value_type";
        std::string key_value_column = "key_value", expires_column = "expires", array_size_suffix = "::size";
        int fetch_rows = 100, db_expires = 0, enable_dmq = 0, dmq_init_sync = 0, timer_procs = 0,
            event_callback_mode = 0;
        int timer_interval = 20, max_items = 1'000'000, lock_timeout = 10;
        std::string event_callback;
    };
    static Manifest<Htable> manifest();

    Htable(const Settings& settings, Host& host);
    ~Htable();

private:
    // A script walks a table shard by shard over copies: changes made meanwhile neither block nor break it.
    struct Iterator {
        Table* table = nullptr;
        std::size_t next_shard = 0, at = 0;
        std::vector<Item> items;
        const Item* current() const { return at > 0 && at <= items.size() ? &items[at - 1] : nullptr; }
    };
    struct State { // of one request
        task::HeldLocks locks;
        std::map<std::string, Iterator, std::less<>> iterators;
        const Item* expired = nullptr; // in htable:expired:NAME
    };
    static constexpr std::size_t most_iterators = 16; // of one request

    struct Place { // "table=>key" taken apart
        Table* table = nullptr;
        std::string_view key;
    };
    Place place(std::string_view text) const; // logs when there is no such table
    // At load: a table's name that is written out and wrong is a mistake, not a matter for the log.
    std::optional<Refusal> check_place(const KnownText& text) const;
    std::optional<Refusal> check_table(const KnownText& name) const;
    Table* find(std::string_view name) const;
    Table* find_logged(std::string_view name) const;
    bool store(Table& table, std::string_view key, const Value& value);

    // --- variables ---
    Value item(Request& request, std::string_view text);
    bool set_item(Request& request, std::string_view text, const Value& value);
    Value ttl(Request& request, std::string_view text);
    bool set_ttl(Request& request, std::string_view text, const Value& value);
    Value increment(Request& request, std::string_view text);
    Value decrement(Request& request, std::string_view text);
    Value count_names(Request& request, std::string_view text);
    Value count_values(Request& request, std::string_view text);
    Value record(Request& request, std::string_view text);
    Value iterator_key(Request& request, std::string_view name);
    Value iterator_value(Request& request, std::string_view name);
    Value count(std::string_view text, bool by_value);

    // --- functions ---
    Verdict print(Request& request);
    Verdict remove(Request& request, std::string_view table, std::string_view key);
    Verdict remove_names(Request& request, std::string_view table, std::string_view op,
                         std::string_view text);
    Verdict remove_values(Request& request, std::string_view table, std::string_view op,
                          std::string_view text);
    Verdict remove_names_re(Request& request, std::string_view table_and_regex);
    Verdict remove_values_re(Request& request, std::string_view table_and_regex);
    Verdict has_name(Request& request, std::string_view table, std::string_view op, std::string_view text);
    Verdict has_value(Request& request, std::string_view table, std::string_view op, std::string_view text);
    Verdict reset(Request& request, std::string_view table);
    Verdict lock(Request& request, std::string_view text);
    Verdict unlock(Request& request, std::string_view text);
    Verdict iterator_start(Request& request, std::string_view name, std::string_view table);
    Verdict iterator_next(Request& request, std::string_view name);
    Verdict iterator_end(Request& request, std::string_view name);
    Verdict iterator_rm(Request& request, std::string_view name);
    Verdict iterator_set(Request& request, std::string_view name, Value value);
    Verdict iterator_setex(Request& request, std::string_view name, std::int64_t seconds);
    Iterator* iterator(Request& request, std::string_view name);

    // --- commands ---
    Result<json::Value> get_command(const json::Value& params);
    Result<json::Value> delete_command(const json::Value& params);
    Result<json::Value> sets_command(const json::Value& params);
    Result<json::Value> seti_command(const json::Value& params);
    Result<json::Value> setex_command(const json::Value& params);
    Result<json::Value> dump_command(const json::Value& params);
    Result<json::Value> reload_command(const json::Value& params);
    Result<json::Value> store_command(const json::Value& params);
    Result<json::Value> flush_command(const json::Value& params);
    Result<json::Value> list_command(const json::Value& params);
    Result<json::Value> stats_command(const json::Value& params);
    Result<Table*> table_of(const json::Value& params) const;

    // --- expiry ---
    void start_sweeping();
    void sweep(); // on a fiber
    void tell_expired(const Table& table, const std::vector<Item>& items);
    Result<void> load_table(Table& table);

    const Settings settings_;
    Host& host_;
    const log::Logger log_;
    const Slot<State> state_;
    const Columns columns_;
    db::Database* database_ = nullptr;                                  // with db_url
    std::map<std::string, std::unique_ptr<Table>, std::less<>> tables_; // never changes after the start
    task::KeyedLock locks_;
    std::unique_ptr<task::Timer> timer_; // of worker 0
};

} // namespace sipyard::htable
