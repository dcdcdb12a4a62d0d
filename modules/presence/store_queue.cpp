// modules/presence/store_queue.cpp - one waiting change for each row, however often the row changes
#include "modules/presence/store_queue.h"

#include <algorithm>
#include <utility>

namespace sipyard::presence {

struct StoreQueue::Entry {
    std::string key;
    std::shared_ptr<RowWork> work; // waits, or flies and does not change
    std::shared_ptr<RowWork> next; // came while `work` was flying
    Told told, told_next;
    std::list<Entry*>::iterator place;
    std::size_t bytes = 0;
    unsigned attempts = 0;
    bool flying = false;
};

namespace {

// Texts of a key, each with its length in front: no two keys are alike whatever a stranger writes into them.
std::string key_of(char kind, std::initializer_list<std::string_view> parts)
{
    std::string key(1, kind);
    for (const std::string_view part : parts) {
        key += std::to_string(part.size());
        key += ':';
        key += part;
    }
    return key;
}
std::string key_of(const StoredPublication& row, std::string_view etag)
{
    return key_of('p', {row.user, row.domain, row.event, etag});
}
std::string key_of(const StoredSubscription& row)
{
    return key_of('s', {row.call_id, row.to_tag, row.from_tag});
}

std::size_t size_of(const StoredPublication& row)
{
    return row.user.size() + row.domain.size() + row.event.size() + row.etag.size() + row.body.size() +
           row.sender.size() + row.ruid.size();
}
std::size_t size_of(const StoredSubscription& row)
{
    std::size_t sum = 0;
    for (const auto* text : {&row.presentity, &row.watcher_user, &row.watcher_domain, &row.to_user,
                             &row.to_domain, &row.from_user, &row.from_domain, &row.event, &row.event_id,
                             &row.to_tag, &row.from_tag, &row.call_id, &row.contact, &row.local_contact,
                             &row.record_route, &row.socket, &row.user_agent, &row.reason})
        sum += text->size();
    return sum;
}
std::size_t size_of(const std::shared_ptr<RowWork>& work)
{
    return work ? std::visit([](const auto& of) { return sizeof of + size_of(of.row); }, *work) : 0;
}

void add_tag(std::vector<std::string>& tags, std::string_view tag)
{
    if (!tag.empty() && std::find(tags.begin(), tags.end(), tag) == tags.end())
        tags.emplace_back(tag);
}

// Under which tags the database may have the row after `before` was written, or after nobody knows.
std::vector<std::string> tags_after(const PublicationWork& before, bool known)
{
    std::vector<std::string> tags;
    if (!known)
        tags = before.tags;
    if (!before.gone)
        add_tag(tags, before.row.etag);
    return tags;
}

// A row that goes and is not in the database.
bool is_nothing(const RowWork& work)
{
    const auto* const publication = std::get_if<PublicationWork>(&work);
    return publication && publication->gone && publication->tags.empty();
}

void append(StoreQueue::Told& to, StoreQueue::Told& from)
{
    for (auto& one : from)
        to.push_back(std::move(one));
    from.clear();
}

} // namespace

StoreQueue::StoreQueue(Limits limits) : limits_{limits} {}
StoreQueue::~StoreQueue() = default;

StoreQueue::Entry* StoreQueue::find(const std::string& key)
{
    const auto found = entries_.find(key);
    return found == entries_.end() ? nullptr : found->second.get();
}

StoreQueue::Entry& StoreQueue::insert(std::string key, RowWork work)
{
    auto entry = std::make_unique<Entry>();
    entry->key = key;
    entry->work = std::make_shared<RowWork>(std::move(work));
    Entry& added = *entry;
    entries_.emplace(std::move(key), std::move(entry));
    line_up(added, order_.end());
    return added;
}

void StoreQueue::rekey(Entry& entry, std::string key)
{
    if (entry.key == key)
        return;
    auto node = entries_.extract(entry.key);
    entry.key = key;
    node.key() = std::move(key);
    entries_.insert(std::move(node));
}

void StoreQueue::erase(Entry& entry)
{
    if (!entry.flying)
        order_.erase(entry.place);
    bytes_ -= entry.bytes;
    entries_.erase(std::string{entry.key}); // a copy: the entry dies in the call
}

void StoreQueue::line_up(Entry& entry, std::list<Entry*>::iterator before)
{
    entry.flying = false;
    entry.place = order_.insert(before, &entry);
}

void StoreQueue::account(Entry& entry)
{
    const std::size_t now = sizeof(Entry) + 2 * entry.key.size() + size_of(entry.work) + size_of(entry.next);
    bytes_ = bytes_ - entry.bytes + now;
    entry.bytes = now;
}

// What flies stays; at most one batch does.
void StoreQueue::make_room(const Entry& newest)
{
    while ((entries_.size() > limits_.rows || bytes_ > limits_.bytes) && !order_.empty() &&
           order_.front() != &newest) {
        ++lost_;
        erase(*order_.front());
    }
}

RowWork& StoreQueue::newest(Entry& entry)
{
    if (!entry.flying) {
        ++coalesced_;
        return *entry.work;
    }
    if (!entry.next)
        entry.next = std::make_shared<RowWork>(std::holds_alternative<PublicationWork>(*entry.work)
                                                   ? RowWork{PublicationWork{}}
                                                   : RowWork{SubscriptionWork{}});
    else
        ++coalesced_;
    return *entry.next;
}

bool StoreQueue::add(StoreChange change, Written written, Told& told)
{
    Entry& entry = std::visit(
        [this](auto& of) -> Entry& {
            using Change = std::decay_t<decltype(of)>;
            if constexpr (std::is_same_v<Change, PutPublication> || std::is_same_v<Change, PutSubscription>)
                return put(of);
            else
                return drop(of);
        },
        change);
    if (written)
        (entry.flying ? entry.told_next : entry.told).push_back(std::move(written));
    if (!entry.flying && is_nothing(*entry.work)) {
        append(told, entry.told);
        erase(entry);
        return false;
    }
    account(entry);
    make_room(entry);
    return true;
}

StoreQueue::Entry& StoreQueue::put(PutPublication& change)
{
    std::string key = key_of(change.row, change.row.etag);
    Entry* entry = change.old_etag.empty() ? nullptr : find(key_of(change.row, change.old_etag));
    if (entry && entry->key != key && find(key)) {
        // Two rows with one tag cannot be: the one it was goes, the other one gets the state.
        DropPublication old{change.row.user, change.row.domain, change.row.event, change.old_etag};
        drop(old);
        if (!entry->flying && is_nothing(*entry->work)) {
            append(find(key)->told, entry->told);
            erase(*entry);
        }
        entry = nullptr;
    }
    if (!entry)
        entry = find(key);
    if (!entry) {
        PublicationWork work{std::move(change.row), {}, false};
        add_tag(work.tags, change.old_etag);
        return insert(std::move(key), std::move(work));
    }
    auto& work = std::get<PublicationWork>(newest(*entry));
    work.row = std::move(change.row);
    work.gone = false;
    rekey(*entry, std::move(key));
    return *entry;
}

StoreQueue::Entry& StoreQueue::drop(DropPublication& change)
{
    StoredPublication row;
    row.user = std::move(change.user);
    row.domain = std::move(change.domain);
    row.event = std::move(change.event);
    row.etag = std::move(change.etag);
    std::string key = key_of(row, row.etag);
    Entry* const entry = find(key);
    if (!entry) {
        std::vector<std::string> tags{row.etag};
        return insert(std::move(key), PublicationWork{std::move(row), std::move(tags), true});
    }
    auto& work = std::get<PublicationWork>(newest(*entry));
    work.row = std::move(row);
    work.gone = true;
    return *entry;
}

StoreQueue::Entry& StoreQueue::put(PutSubscription& change)
{
    std::string key = key_of(change.row);
    return replace(std::move(key), {std::move(change.row), false});
}

// A subscription that waits may be in the database already, so its row is deleted in any case.
StoreQueue::Entry& StoreQueue::drop(DropSubscription& change)
{
    StoredSubscription row;
    row.call_id = std::move(change.call_id);
    row.to_tag = std::move(change.to_tag);
    row.from_tag = std::move(change.from_tag);
    std::string key = key_of(row);
    return replace(std::move(key), {std::move(row), true});
}

StoreQueue::Entry& StoreQueue::replace(std::string key, SubscriptionWork work)
{
    Entry* const entry = find(key);
    if (!entry)
        return insert(std::move(key), std::move(work));
    newest(*entry) = std::move(work);
    return *entry;
}

std::vector<StoreQueue::Flight> StoreQueue::take(std::size_t most)
{
    std::vector<Flight> batch;
    batch.reserve(std::min(most, order_.size()));
    while (!order_.empty() && batch.size() < most) {
        Entry& entry = *order_.front();
        order_.pop_front();
        entry.flying = true;
        Flight& flight = batch.emplace_back();
        flight.work = entry.work;
        flight.attempts = entry.attempts;
        flight.entry = &entry;
    }
    return batch;
}

void StoreQueue::written(const Flight& flight, Told& told)
{
    Entry& entry = *flight.entry;
    append(told, entry.told);
    if (!entry.next) {
        erase(entry);
        return;
    }
    if (auto* const next = std::get_if<PublicationWork>(entry.next.get()))
        next->tags = tags_after(std::get<PublicationWork>(*entry.work), true);
    entry.work = std::exchange(entry.next, nullptr);
    entry.told = std::exchange(entry.told_next, {});
    entry.attempts = 0;
    if (is_nothing(*entry.work)) {
        append(told, entry.told);
        erase(entry);
        return;
    }
    line_up(entry, order_.end());
    account(entry);
}

void StoreQueue::failed(const Flight& flight, Told& told)
{
    Entry& entry = *flight.entry;
    if (entry.next)
        ++coalesced_;
    // The job may still hold the work, so what waits is a copy.
    auto work = entry.next ? std::exchange(entry.next, nullptr) : std::make_shared<RowWork>(*entry.work);
    if (auto* const publication = std::get_if<PublicationWork>(work.get()))
        publication->tags = tags_after(std::get<PublicationWork>(*entry.work), false);
    entry.work = std::move(work);
    append(entry.told, entry.told_next);
    ++entry.attempts;
    if (is_nothing(*entry.work)) {
        append(told, entry.told);
        erase(entry);
        return;
    }
    line_up(entry, order_.begin());
    account(entry);
}

void StoreQueue::refused(const Flight& flight, Told& told)
{
    Entry& entry = *flight.entry;
    append(told, entry.told);
    if (!entry.next) {
        erase(entry);
        return;
    }
    if (auto* const next = std::get_if<PublicationWork>(entry.next.get()))
        next->tags = tags_after(std::get<PublicationWork>(*entry.work), false);
    entry.work = std::exchange(entry.next, nullptr);
    entry.told = std::exchange(entry.told_next, {});
    entry.attempts = 0;
    line_up(entry, order_.end());
    account(entry);
}

} // namespace sipyard::presence
