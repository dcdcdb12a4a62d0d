// modules/htable/upkeep.cpp - the tables' life: made and loaded, swept of what has expired, written when the
// server stops
#include "core/sip/message.h"
#include "modules/htable/htable.h"

#include <algorithm>

namespace sipyard::htable {

Htable::Htable(const Settings& settings, Host& host)
    : settings_{settings}, host_{host}, log_{host.logger("htable")}, state_{host.slot<State>()},
      columns_{settings.key_name_column,  settings.key_type_column, settings.value_type_column,
               settings.key_value_column, settings.expires_column,  settings.array_size_suffix,
               settings.db_expires != 0}
{
    if (settings.db_url)
        database_ = must(host.database(*settings.db_url));
    bool expiring = false, written = false;
    for (const Definition& definition : settings.tables) {
        auto& table = tables_[definition.name];
        if (table)
            throw StartupError{format("the table '{}' is defined twice", definition.name)};
        if (!definition.dbtable.empty()) {
            if (!database_)
                throw StartupError{format("table {} has dbtable=, but there is no db_url", definition.name)};
            (void)must(db::identifier(definition.dbtable));
        }
        table =
            std::make_unique<Table>(definition, static_cast<std::size_t>(std::max(settings.max_items, 1)));
        expiring = expiring || definition.autoexpire.count > 0;
        written =
            written || (definition.dbmode == 1 && !definition.dbtable.empty() && definition.cols.empty());
    }
    if (host.checking())
        return;
    // As in Kamailio a table that cannot be loaded stops the start: an empty list of banned addresses would
    // let all in.
    for (const auto& [name, table] : tables_)
        if (!table->definition().dbtable.empty())
            must(load_table(*table));
    if (written)
        host.at_stop([this] {
            for (const auto& [name, table] : tables_) {
                const Definition& d = table->definition();
                if (d.dbmode != 1 || d.dbtable.empty() || !d.cols.empty() || !table->changed())
                    continue;
                if (const auto saved = save(*database_, *table, columns_, host_.clock()); !saved)
                    log_.error("table {} is not stored: {}", name, saved.error().text);
            }
        });
    if (expiring)
        start_sweeping();
}

Htable::~Htable()
{
    if (timer_)
        host_.runtime().on_every_worker([this](task::Worker& worker) {
            if (worker.index() == 0)
                timer_.reset();
        });
}

Result<void> Htable::load_table(Table& table)
{
    auto items = load(*database_, table.definition(), columns_, host_.clock());
    if (!items)
        return Error{items.error().kind, format("table {}: {}", table.name(), items.error().text)};
    if (items->size() > static_cast<std::size_t>(std::max(settings_.max_items, 1)))
        return Error{ErrorKind::overloaded,
                     format("table {}: {} rows are more than max_items", table.name(), items->size())};
    table.replace(std::move(*items));
    return {};
}

void Htable::start_sweeping()
{
    task::Worker& worker = host_.runtime().worker(0);
    timer_ =
        std::make_unique<task::Timer>(worker, [this, &worker] { worker.spawn_always([this] { sweep(); }); });
    const Duration interval = std::chrono::seconds{std::max(settings_.timer_interval, 1)};
    worker.post([this, interval] { timer_->arm_in(interval); });
}

// One shard at a time, and others get the worker in between: a million items stall nobody.
void Htable::sweep()
{
    for (const auto& [name, table] : tables_) {
        if (table->definition().autoexpire.count == 0)
            continue;
        for (std::size_t shard = 0; shard < Table::shards; ++shard) {
            const auto expired = table->take_expired(shard, host_.clock().now());
            if (!expired.empty())
                tell_expired(*table, expired);
            task::yield();
        }
    }
    timer_->arm_in(std::chrono::seconds{std::max(settings_.timer_interval, 1)});
}

void Htable::tell_expired(const Table& table, const std::vector<Item>& items)
{
    const std::string route = "htable:expired:" + table.name();
    if (!host_.has_event_route(route))
        return;
    static constexpr std::string_view text =
        "OPTIONS sip:local@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKhtable\r\n"
        "From: <sip:local@127.0.0.1>;tag=htable\r\nTo: <sip:local@127.0.0.1>\r\nCall-ID: htable@127.0.0.1\r\n"
        "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
    net::Received from;
    from.source = from.local = *net::Address::parse("127.0.0.1", 5060);
    for (const Item& item : items) {
        Arena arena; // one each: a sweep of many items must not collect their scripts' memory
        const auto message = sip::Message::parse(arena.copy(text), arena);
        if (!message)
            return;
        Request request{host_, arena, **message, from, Route::event};
        request.at(state_).expired = &item;
        (void)host_.run_event_route(route, request);
    }
}

} // namespace sipyard::htable
