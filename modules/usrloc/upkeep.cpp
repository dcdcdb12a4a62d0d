// modules/usrloc/upkeep.cpp - what happens by itself: contacts expire, changes reach the database, lost
// connections are noticed
#include "modules/usrloc/usrloc.h"

#include <algorithm>
#include <chrono>

namespace sipyard::usrloc {

namespace {
constexpr std::size_t at_once = 256; // contacts in one section of a lock, rows in one transaction
} // namespace

void Usrloc::start_timers()
{
    task::Worker& worker = host_.runtime().worker(0);
    // Each arms itself again when its work is done, so a slow database or script makes no second run beside
    // the first.
    expiry_timer_ = std::make_unique<task::Timer>(worker, [this, &worker] {
        worker.spawn_always([this] {
            expire();
            expiry_timer_->arm_in(std::chrono::seconds{1});
        });
    });
    const Duration interval = std::chrono::seconds{std::max(settings_.timer_interval, 1)};
    storage_timer_ = std::make_unique<task::Timer>(worker, [this, &worker, interval] {
        worker.spawn_always([this, interval] {
            if (const auto done = flush(); !done)
                log_.error("contacts are not stored yet: {}", done.error().text);
            if (mode_ == Mode::database_only ||
                (settings_.db_timer_clean && (mode_ == Mode::write_through || mode_ == Mode::write_back)))
                if (const auto done = clean(); !done)
                    log_.error("expired rows are not deleted: {}", done.error().text);
            if (settings_.handle_lost_tcp)
                for (const auto& place : domains_)
                    if (Domain* const one = place.load(std::memory_order_acquire))
                        drop_lost(*one);
            storage_timer_->arm_in(interval);
        });
    });
    worker.post([this, interval] {
        if (mode_ != Mode::database_only)
            expiry_timer_->arm_in(std::chrono::seconds{1});
        storage_timer_->arm_in(interval);
    });
    host_.at_stop([this] {
        if (const auto done = flush(); !done)
            log_.error("contacts are lost at the stop: {}", done.error().text);
    });
}

void Usrloc::expire()
{
    const std::int64_t now = host_.clock().unix_seconds();
    for (const auto& place : domains_) {
        Domain* const one = place.load(std::memory_order_acquire);
        if (!one)
            return;
        if (one->size() == 0)
            continue;
        for (std::size_t s = 0; s < Domain::shards; ++s)
            for (std::size_t found = at_once; found == at_once;) {
                Snapshot gone;
                found = one->with(s, [&](Shard& shard) {
                    std::size_t count = 0;
                    for (Contact* c; count < at_once && (c = shard.expired(now)); ++count) {
                        ContactView view = c->view();
                        view.aor = c->record->aor();
                        gone.add(view);
                        if (c->had_row && mode_ != Mode::read_only)
                            shard.rows_to_delete.emplace_back(view.ruid);
                        shard.remove(*c);
                    }
                    return count;
                });
                if (found > 0)
                    tell_expired(*one, gone);
            }
    }
}

void Usrloc::tell_expired(Domain& domain, Snapshot& gone)
{
    domain.counters.expires.add(static_cast<std::int64_t>(gone.views().size()));
    Events events;
    events.wanted = announce_.load(std::memory_order_relaxed);
    for (const ContactView& view : gone.views()) {
        log_.debug("contact {} of {} has expired", view.contact, view.aor);
        events.add(What::expired, domain, view);
        if (settings_.close_expired_tcp && view.connection)
            host_.network().close(view.connection);
    }
    tell(events);
    for (ExpiryHook* const hook : expiry_hooks_)
        if (hook->wants())
            for (const ContactView& view : gone.views())
                hook->expired(domain.name(), view);
}

// --- database
// -------------------------------------------------------------------------------------------------

Result<void> Usrloc::flush()
{
    if (mode_ != Mode::write_through && mode_ != Mode::write_back)
        return {};
    task::HeldLocks lock; // a command and the timer, one after the other
    TRYV(lock.acquire(locks_, "flush", host_.clock().now() + db::default_write_deadline * 6));
    for (const auto& place : domains_) {
        Domain* const one = place.load(std::memory_order_acquire);
        if (!one)
            break;
        TRYV(flush_domain(*one));
    }
    return {};
}

// A contact that changes while its row is being written becomes dirty again and is written once more. Rows to
// delete leave with the same transactions; an id never comes back, so their order does not matter.
Result<void> Usrloc::flush_domain(Domain& domain)
{
    for (std::size_t s = 0; s < Domain::shards; ++s) {
        for (;;) {
            Batch batch;
            std::vector<std::string> written;
            domain.with(s, [&](Shard& shard) {
                const std::size_t deletions = std::min(at_once, shard.rows_to_delete.size());
                batch.deleted.assign(shard.rows_to_delete.end() - static_cast<std::ptrdiff_t>(deletions),
                                     shard.rows_to_delete.end());
                shard.rows_to_delete.resize(shard.rows_to_delete.size() - deletions);
                if (mode_ != Mode::write_back)
                    return;
                for (std::size_t b = 0; b < shard.buckets() && batch.rows.size() < at_once; ++b)
                    shard.in_bucket(b, [&](Record& record) {
                        for (Contact* c = record.first; c; c = c->next) {
                            if (c->stored == Contact::Stored::clean)
                                continue;
                            ContactView view = c->view();
                            view.aor = record.aor();
                            batch.rows.push_back(storage_->row(view));
                            written.emplace_back(view.ruid);
                            c->stored = Contact::Stored::under_way;
                            c->had_row = true; // from now on its removal has to remove a row
                        }
                    });
            });
            if (batch.empty())
                break;
            const std::vector<std::string> deleted = batch.deleted;
            const auto done = write_or_single_out(domain, std::move(batch));
            domain.with(s, [&](Shard& shard) {
                for (const std::string& ruid : written)
                    if (Contact* const c = shard.find_ruid(domain.ruid_hash(ruid), ruid);
                        c && c->stored == Contact::Stored::under_way)
                        c->stored = done ? Contact::Stored::clean : Contact::Stored::dirty;
                if (!done)
                    shard.rows_to_delete.insert(shard.rows_to_delete.end(), deleted.begin(), deleted.end());
            });
            TRYV(done);
        }
    }
    return {};
}

// A row the database will never take (too long for its column) must not keep the others out for ever.
Result<void> Usrloc::write_or_single_out(Domain& domain, Batch batch)
{
    const Batch copy = batch;
    const auto done = storage_->write(domain.name(), std::move(batch));
    if (done || (done.error().kind != ErrorKind::constraint && done.error().kind != ErrorKind::other) ||
        copy.rows.size() == 0)
        return done;
    if (!copy.deleted.empty())
        TRYV(storage_->write(domain.name(), {{}, copy.deleted}));
    for (const auto& row : copy.rows)
        if (const auto one = storage_->write(domain.name(), {{row}, {}}); !one) {
            if (one.error().kind != ErrorKind::constraint && one.error().kind != ErrorKind::other)
                return one;
            log_.error("contact {} cannot be stored: {}", row.front().text(), one.error().text);
        }
    return {};
}

Result<void> Usrloc::clean()
{
    const std::int64_t now = host_.clock().unix_seconds();
    for (const auto& place : domains_) {
        Domain* const one = place.load(std::memory_order_acquire);
        if (!one)
            break;
        TRY(const std::uint64_t rows,
            storage_->clean(one->name(), now, mode_ == Mode::database_only ? settings_.rm_expired_delay : 0));
        if (rows > 0 && mode_ == Mode::database_only)
            one->counters.expires.add(static_cast<std::int64_t>(rows));
    }
    return {};
}

// Contacts that came over a connection which is no more (handle_lost_tcp).
void Usrloc::drop_lost(Domain& domain)
{
    struct Lost final : Reader {
        net::Network& network;
        std::vector<std::string> ruids;
        explicit Lost(net::Network& n) : network{n} {}
        void read(std::span<const ContactView> contacts) override
        {
            for (const ContactView& view : contacts)
                if (view.connection && !network.is_open(view.connection))
                    ruids.emplace_back(view.ruid);
        }
    } lost{host_.network()};
    if (mode_ == Mode::database_only || !for_each(domain.name(), 0, lost))
        return;
    for (const std::string& ruid : lost.ruids)
        if (const auto removed = remove_ruid(domain.name(), ruid);
            !removed && removed.error().kind != ErrorKind::not_found)
            log_.warn("the contact of a lost connection stays: {}", removed.error().text);
}

} // namespace sipyard::usrloc
