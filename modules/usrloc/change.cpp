// modules/usrloc/change.cpp - bindings read and changed: in memory under the shard's lock, in the database
// before it
#include "modules/usrloc/usrloc.h"

#include "core/base/format.h"

#include <algorithm>

namespace sipyard::usrloc {

namespace {

// The contacts of a record as views, expired ones left out.
void collect(const Record* record, std::int64_t now, std::vector<ContactView>& to)
{
    to.clear();
    for (const Contact* c = record ? record->first : nullptr; c; c = c->next) {
        ContactView view = c->view();
        view.aor = record->aor();
        if (!view.is_expired(now))
            to.push_back(view);
    }
}

bool all_fit(const std::vector<Change>& changes)
{
    return std::ranges::all_of(changes,
                               [](const Change& c) { return c.step == Change::Step::remove || fits(c.to); });
}

} // namespace

void Usrloc::Events::add(What what, const Domain& domain, const ContactView& v)
{
    if (!wanted)
        return;
    list.push_back({what, domain.name(), std::string{v.aor}, std::string{v.contact}, std::string{v.ruid},
                    std::string{v.call_id}, std::string{v.received}, std::string{v.path},
                    std::string{v.user_agent}, std::string{v.instance}, v.expires, v.q, v.cseq, v.reg_id});
}

void Usrloc::tell(Events& events)
{
    for (ContactChanged& event : events.list) {
        const std::string key = event.aor;
        host_.announce(std::move(event), key);
    }
}

Result<void> Usrloc::room_for(const Domain& domain, const std::vector<Change>& changes) const
{
    if (!all_fit(changes))
        return invalid("a text of the contact is too long");
    const auto added = static_cast<std::size_t>(
        std::ranges::count(changes, Change::Step::insert, [](const Change& c) { return c.step; }));
    if (added > 0 && domain.size() + added > static_cast<std::size_t>(std::max(settings_.max_stored, 0)))
        return Error{ErrorKind::overloaded, format("table {} is full (max_stored)", domain.name())};
    return {};
}

Result<void> Usrloc::change(std::string_view table, std::string_view aor, Storage storage, Writer& writer)
{
    if (aor.empty() || aor.size() > 1024)
        return invalid("an address of record has 1 to 1024 bytes");
    if (mode_ == Mode::database_only) // memory_only too: there is no memory
        return change_rows(table, aor, writer);
    TRY(Domain* const where, domain(table));
    if (mode_ != Mode::write_through)
        return change_memory(*where, aor, storage, writer);
    task::HeldLocks lock;
    TRYV(lock.acquire(locks_, where->name() + "\n" + std::string{aor},
                      host_.clock().now() + db::default_write_deadline));
    return storage == Storage::memory_only ? change_memory(*where, aor, storage, writer)
                                           : change_through(*where, aor, writer);
}

// One section of the shard's lock: nobody sees half a change.
Result<void> Usrloc::change_memory(Domain& domain, std::string_view aor, Storage storage, Writer& writer)
{
    const std::int64_t now = host_.clock().unix_seconds();
    const auto place = domain.place(aor);
    const bool to_store = mode_ == Mode::write_back && storage == Storage::as_configured;
    Events events;
    events.wanted = announce_.load(std::memory_order_relaxed);
    const auto done = domain.with(place.shard, [&](Shard& shard) -> Result<void> {
        Record* record = shard.find(place.hash, aor);
        collect(record, now, shard.views);
        shard.changes.clear();
        TRYV(writer.plan(shard.views, shard.changes));
        if (shard.changes.empty()) {
            writer.written(shard.views);
            return {};
        }
        TRYV(room_for(domain, shard.changes));
        for (const Change& change : shard.changes) {
            if (change.step == Change::Step::insert) {
                ContactView view = change.to;
                const std::string ruid = new_ruid();
                view.ruid = ruid;
                view.aor = aor;
                Contact& made = shard.insert(place.hash, aor, view, domain.ruid_hash(ruid));
                made.stored = to_store ? Contact::Stored::fresh : Contact::Stored::clean;
                events.add(What::inserted, domain, view);
                continue;
            }
            // The views of contacts that were moved to another block are stale, but ids are found by their
            // text first.
            Contact* const contact =
                Shard::find_ruid(*shard.find(place.hash, aor), shard.views[change.index].ruid);
            if (change.step == Change::Step::remove) {
                ContactView view = contact->view();
                view.aor = aor;
                events.add(What::deleted, domain, view);
                if (contact->had_row && mode_ != Mode::read_only)
                    shard.rows_to_delete.emplace_back(view.ruid);
                shard.remove(*contact);
            } else {
                Contact& changed = shard.update(*contact, change.to);
                if (to_store && changed.stored != Contact::Stored::fresh)
                    changed.stored = Contact::Stored::dirty;
                ContactView view = changed.view();
                view.aor = aor;
                events.add(What::updated, domain, view);
            }
        }
        collect(shard.find(place.hash, aor), now, shard.views);
        writer.written(shard.views);
        return {};
    });
    tell(events);
    return done;
}

// db_mode 1: the rows first, then memory, so that what a reply promises is on disk. The address of record is
// locked, hence the plan still fits; only what expires meanwhile may be gone.
Result<void> Usrloc::change_through(Domain& domain, std::string_view aor, Writer& writer)
{
    const auto place = domain.place(aor);
    Snapshot there;
    domain.with(place.shard, [&](Shard& shard) {
        collect(shard.find(place.hash, aor), host_.clock().unix_seconds(), shard.views);
        for (const ContactView& view : shard.views)
            there.add(view);
    });
    std::vector<Change> changes;
    TRYV(writer.plan(there.views(), changes));
    if (changes.empty()) {
        writer.written(there.views());
        return {};
    }
    TRYV(room_for(domain, changes));
    Batch batch;
    std::vector<std::string> ruids;
    for (const Change& change : changes) {
        if (change.step == Change::Step::remove) {
            ruids.emplace_back(there.views()[change.index].ruid);
            batch.deleted.push_back(ruids.back());
            continue;
        }
        ruids.push_back(change.step == Change::Step::insert ? new_ruid()
                                                            : std::string{there.views()[change.index].ruid});
        ContactView view = change.to;
        view.aor = aor;
        view.ruid = ruids.back();
        batch.rows.push_back(storage_->row(view));
    }
    TRYV(storage_->write(domain.name(), std::move(batch)));

    Events events;
    events.wanted = announce_.load(std::memory_order_relaxed);
    domain.with(place.shard, [&](Shard& shard) {
        for (std::size_t i = 0; i < changes.size(); ++i) {
            Record* const record = shard.find(place.hash, aor);
            Contact* const contact = record ? Shard::find_ruid(*record, ruids[i]) : nullptr;
            ContactView view =
                changes[i].step == Change::Step::remove ? there.views()[changes[i].index] : changes[i].to;
            view.aor = aor;
            view.ruid = ruids[i];
            if (changes[i].step == Change::Step::remove) {
                if (contact)
                    shard.remove(*contact);
                events.add(What::deleted, domain, view);
                continue;
            }
            Contact& now = contact ? shard.update(*contact, view)
                                   : shard.insert(place.hash, aor, view, domain.ruid_hash(ruids[i]));
            now.stored = Contact::Stored::clean;
            now.had_row = true;
            // It expired meanwhile and its row was to go: the row is the new one now.
            std::erase(shard.rows_to_delete, ruids[i]);
            events.add(changes[i].step == Change::Step::insert ? What::inserted : What::updated, domain,
                       view);
        }
        collect(shard.find(place.hash, aor), host_.clock().unix_seconds(), shard.views);
        writer.written(shard.views);
    });
    tell(events);
    return {};
}

// db_mode 3: the table is all there is; other servers may change it too.
Result<void> Usrloc::change_rows(std::string_view table, std::string_view aor, Writer& writer)
{
    TRY(Domain* const where, domain(table));
    task::HeldLocks lock;
    TRYV(lock.acquire(locks_, where->name() + "\n" + std::string{aor},
                      host_.clock().now() + db::default_write_deadline));
    const std::int64_t now = host_.clock().unix_seconds();
    Snapshot there;
    TRYV(storage_->read_aor(where->name(), aor, there));
    std::erase_if(there.all(), [now](const ContactView& v) { return v.is_expired(now); });
    for (ContactView& view : there.all())
        view = with_listener(view);
    std::vector<Change> changes;
    TRYV(writer.plan(there.views(), changes));
    if (changes.empty()) {
        writer.written(there.views());
        return {};
    }
    if (!all_fit(changes))
        return invalid("a text of the contact is too long");
    Events events;
    events.wanted = announce_.load(std::memory_order_relaxed);
    Batch batch;
    std::vector<ContactView> after = there.all();
    std::vector<bool> gone(after.size());
    std::vector<std::string> ruids(changes.size());
    for (std::size_t i = 0; i < changes.size(); ++i) {
        const Change& change = changes[i];
        if (change.step == Change::Step::remove) {
            batch.deleted.emplace_back(after[change.index].ruid);
            gone[change.index] = true;
            events.add(What::deleted, *where, after[change.index]);
            continue;
        }
        const bool inserted = change.step == Change::Step::insert;
        ruids[i] = inserted ? new_ruid() : std::string{after[change.index].ruid};
        ContactView view = change.to;
        view.aor = aor;
        view.ruid = ruids[i];
        batch.rows.push_back(storage_->row(view));
        events.add(inserted ? What::inserted : What::updated, *where, view);
        if (inserted) {
            after.push_back(view);
            gone.push_back(false);
        } else {
            after[change.index] = view;
        }
    }
    TRYV(storage_->write(where->name(), std::move(batch)));
    std::size_t kept = 0;
    for (std::size_t i = 0; i < after.size(); ++i)
        if (!gone[i])
            after[kept++] = after[i];
    after.resize(kept);
    if (!settings_.desc_time_order)
        std::ranges::stable_sort(after, std::greater{}, &ContactView::q);
    writer.written(after);
    tell(events);
    return {};
}

// --- reading
// -------------------------------------------------------------------------------------------------

Result<bool> Usrloc::lookup(std::string_view table, std::string_view aor, Reader& reader)
{
    TRY(Domain* const where, domain(table));
    if (mode_ == Mode::database_only) {
        Snapshot rows;
        TRYV(storage_->read_aor(where->name(), aor, rows));
        if (rows.views().empty())
            return false;
        for (ContactView& view : rows.all())
            view = with_listener(view);
        reader.read(rows.views());
        return true;
    }
    const auto place = where->place(aor);
    return where->shard(place.shard).with([&](Shard& shard) {
        Record* const record = shard.find(place.hash, aor);
        if (!record)
            return false;
        collect(record, INT64_MIN, shard.views);
        reader.read(shard.views);
        return true;
    });
}

Result<bool> Usrloc::lookup_ruid(std::string_view table, std::string_view ruid, Reader& reader)
{
    TRY(Domain* const where, domain(table));
    if (mode_ == Mode::database_only) {
        Snapshot rows;
        TRYV(storage_->read_ruid(where->name(), ruid, rows));
        if (rows.views().empty())
            return false;
        rows.all().front() = with_listener(rows.all().front());
        reader.read(rows.views().subspan(0, 1));
        return true;
    }
    const std::uint32_t hash = where->ruid_hash(ruid);
    for (std::size_t s = 0; s < Domain::shards; ++s) {
        const bool found = where->shard(s).with([&](Shard& shard) {
            const Contact* const contact = shard.find_ruid(hash, ruid);
            if (!contact)
                return false;
            ContactView view = contact->view();
            view.aor = contact->record->aor();
            reader.read({&view, 1});
            return true;
        });
        if (found)
            return true;
    }
    return false;
}

Result<void> Usrloc::remove_ruid(std::string_view table, std::string_view ruid)
{
    struct Find final : Reader {
        std::string aor;
        void read(std::span<const ContactView> found) override { aor = found.front().aor; }
    } find;
    struct Remove final : Writer {
        std::string_view ruid;
        bool found = false;
        Result<void> plan(std::span<const ContactView> there, std::vector<Change>& changes) override
        {
            for (std::size_t i = 0; i < there.size(); ++i)
                if (there[i].ruid == ruid) {
                    found = true;
                    changes.push_back({Change::Step::remove, i});
                }
            return {};
        }
    } remove;
    remove.ruid = ruid;
    TRY(const bool there, lookup_ruid(table, ruid, find));
    if (there)
        TRYV(change(table, find.aor, Storage::as_configured, remove));
    if (!remove.found)
        return Error{ErrorKind::not_found, format("no contact has the id {}", ruid)};
    return {};
}

Result<void> Usrloc::for_each(std::string_view table, std::uint32_t cflags, Reader& reader)
{
    TRY(Domain* const where, domain(table));
    const std::int64_t now = host_.clock().unix_seconds();
    const auto wanted = [&](const ContactView& view) {
        return !view.is_expired(now) && (cflags == 0 || (view.cflags & cflags) != 0);
    };
    if (mode_ == Mode::database_only) {
        std::string after;
        const auto most = static_cast<std::size_t>(std::clamp(settings_.fetch_rows, 1, 100'000));
        for (std::size_t got = most; got == most;) {
            Snapshot page;
            TRY(got, storage_->read_page(where->name(), after, most, page));
            std::erase_if(page.all(), [&](const ContactView& v) { return !wanted(v); });
            for (ContactView& view : page.all())
                view = with_listener(view);
            if (!page.views().empty())
                reader.read(page.views());
        }
        return {};
    }
    for (std::size_t s = 0; s < Domain::shards; ++s) {
        // A shard at a time, as copies: the reader may take its time without anybody waiting for the lock.
        Snapshot some;
        where->shard(s).with([&](Shard& shard) {
            for (std::size_t b = 0; b < shard.buckets(); ++b)
                shard.in_bucket(b, [&](Record& record) {
                    for (const Contact* c = record.first; c; c = c->next) {
                        ContactView view = c->view();
                        view.aor = record.aor();
                        if (wanted(view))
                            some.add(view);
                    }
                });
        });
        if (!some.views().empty())
            reader.read(some.views());
        if (task::Fiber::current())
            task::yield();
    }
    return {};
}

} // namespace sipyard::usrloc
