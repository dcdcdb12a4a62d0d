// modules/pua/keeping.cpp - publications that outlive a restart: when they are written, and read again
#include "modules/pua/pua.h"

#include <functional>

namespace sipyard::pua {

void Pua::start_keeping()
{
    if (!store_)
        return;
    host_.add_table(store_->table());
    if (host_.checking())
        return;
    must(store_->prepare());
    const std::int64_t unix_now = host_.clock().unix_seconds();
    const Instant now = host_.clock().now();
    const auto rows = must(store_->load(unix_now));
    table_.with([&](Table& table) {
        for (const Store::Row& row : rows) {
            const auto [at, added] = table.entries.try_emplace(Key{row.presentity, row.event, row.id});
            if (!added)
                continue;
            at->second.record = Record{row.etag, now + std::chrono::seconds{row.expires - unix_now}};
            at->second.left_over = true;
            at->second.noted_etag = row.etag; // nothing to write
            at->second.noted_expiry = at->second.record.expires_at();
            publications_.add();
            (void)settle(table, at, {});
        }
    });
    host_.runtime().worker(0).post([this] { arm(); });
    if (!rows.empty())
        log_.notice("{} publications of an earlier run", rows.size());
}

// Changes that follow each other closely become one write: the job takes what is there when it runs.
void Pua::stored_later(const Key& key)
{
    if (!store_ || event_number(key.event) == 0)
        return;
    const bool queued = table_.with([&](Table& table) {
        const auto at = table.entries.find(key);
        return at != table.entries.end() && std::exchange(at->second.write_queued, true);
    });
    if (queued)
        return;
    const std::size_t lane = std::hash<std::string>{}(key.presentity) % write_lanes;
    if (const auto posted = writes_[lane].post(counted([this, key] { write(key); })); !posted) {
        ended();
        log_.error("publication of {} is not stored: {}", key.presentity, posted.error().text);
        table_.with([&](Table& table) {
            if (const auto at = table.entries.find(key); at != table.entries.end())
                at->second.write_queued = false;
        });
    }
}

void Pua::write(const Key& key)
{
    Store::Row row{key.presentity, key.event, key.id, {}, 0};
    const Instant now = host_.clock().now();
    table_.with([&](Table& table) {
        const auto at = table.entries.find(key);
        if (at == table.entries.end())
            return;
        at->second.write_queued = false;
        row.etag = at->second.record.etag();
        row.expires =
            host_.clock().unix_seconds() + (at->second.record.expires_at() - now).count() / 1'000'000'000;
    });
    const auto done = row.etag.empty() ? store_->remove(row) : store_->save(row);
    if (!done)
        log_.error("publication of {} is not stored: {}", key.presentity, done.error().text);
}

} // namespace sipyard::pua
