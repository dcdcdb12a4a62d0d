// modules/usrloc/shard.cpp - linking contacts into their record, the id chains and the expiry heap
#include "modules/usrloc/shard.h"

#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace sipyard::usrloc {

Shard::Shard(Order order, std::size_t buckets) : order_{order}, records_{buckets}, ruids_{buckets} {}

Shard::~Shard()
{
    for (std::size_t b = 0; b < records_.buckets(); ++b)
        records_.in_bucket(b, [](Record& record) {
            for (Contact* c = record.first; c;)
                free_contact(std::exchange(c, c->next));
            std::free(&record);
        });
}

Record* Shard::find(std::uint32_t hash, std::string_view aor) const
{
    return records_.find(hash, [aor](const Record& r) { return r.aor() == aor; });
}

Contact* Shard::find_ruid(std::uint32_t hash, std::string_view ruid) const
{
    return ruids_.find(hash, [ruid](const Contact& c) { return c.text(Contact::ruid) == ruid; });
}

Contact* Shard::find_ruid(const Record& record, std::string_view ruid)
{
    for (Contact* c = record.first; c; c = c->next)
        if (c->text(Contact::ruid) == ruid)
            return c;
    return nullptr;
}

Contact& Shard::insert(std::uint32_t hash, std::string_view aor, const ContactView& view,
                       std::uint32_t ruid_hash)
{
    Record* record = find(hash, aor);
    if (!record) {
        void* const memory = std::malloc(sizeof(Record) + aor.size());
        if (!memory)
            throw std::bad_alloc{};
        record = new (memory) Record;
        record->hash = hash;
        record->size = static_cast<std::uint32_t>(aor.size());
        std::memcpy(static_cast<void*>(record + 1), aor.data(), aor.size());
        records_.add(*record);
        bytes_ += sizeof(Record) + aor.size();
    }
    Contact& contact = *make_contact(view);
    contact.ruid_hash = ruid_hash;
    contact.record = record;
    contact.heap_at = nowhere;
    bytes_ += contact.bytes();
    link(*record, contact);
    ruids_.add(contact);
    if (contact.expires != 0)
        put_in_heap(contact);
    return contact;
}

Contact& Shard::update(Contact& contact, const ContactView& view)
{
    const int old_q = contact.q;
    Contact* now = &contact;
    if (!rewrite(contact, view)) {
        ContactView whole = view;
        whole.ruid = contact.text(Contact::ruid);
        now = make_contact(whole);
        now->ruid_hash = contact.ruid_hash;
        now->record = contact.record;
        now->heap_at = contact.heap_at;
        now->stored = contact.stored;
        now->had_row = contact.had_row;
        ruids_.replace(contact, *now);
        if (now->heap_at != nowhere)
            heap_[now->heap_at].contact = now;
        for (Contact** at = &contact.record->first; *at; at = &(*at)->next)
            if (*at == &contact) {
                now->next = contact.next;
                *at = now;
                break;
            }
        bytes_ += now->bytes() - contact.bytes();
        free_contact(&contact);
    }
    if (order_ == Order::newest_first || now->q != old_q) {
        unlink(*now);
        link(*now->record, *now);
    }
    if (now->heap_at == nowhere) {
        if (now->expires != 0)
            put_in_heap(*now);
    } else if (now->expires != 0 && now->expires < heap_[now->heap_at].when) {
        heap_[now->heap_at].when = now->expires;
        sift_up(now->heap_at);
    }
    return *now;
}

void Shard::remove(Contact& contact)
{
    take_from_heap(contact);
    ruids_.remove(contact);
    unlink(contact);
    Record& record = *contact.record;
    bytes_ -= contact.bytes();
    free_contact(&contact);
    if (!record.first) {
        records_.remove(record);
        bytes_ -= sizeof(Record) + record.size;
        std::free(&record);
    }
}

// Contacts of the same q stay in the order they came.
void Shard::link(Record& record, Contact& contact) const
{
    Contact** at = &record.first;
    if (order_ == Order::by_q)
        while (*at && (*at)->q >= contact.q)
            at = &(*at)->next;
    contact.next = *at;
    *at = &contact;
}

void Shard::unlink(Contact& contact)
{
    for (Contact** at = &contact.record->first; *at; at = &(*at)->next)
        if (*at == &contact) {
            *at = contact.next;
            return;
        }
}

// --- expiry
// -------------------------------------------------------------------------------------------------

Contact* Shard::expired(std::int64_t now)
{
    while (!heap_.empty() && heap_.front().when <= now) {
        Contact& contact = *heap_.front().contact;
        if (contact.expires == 0)
            take_from_heap(contact);
        else if (contact.expires <= now)
            return &contact;
        else {
            heap_.front().when = contact.expires;
            sift_down(0);
        }
    }
    return nullptr;
}

void Shard::place(std::size_t at, Due due)
{
    heap_[at] = due;
    due.contact->heap_at = static_cast<std::uint32_t>(at);
}

void Shard::put_in_heap(Contact& contact)
{
    heap_.push_back({contact.expires, &contact});
    contact.heap_at = static_cast<std::uint32_t>(heap_.size() - 1);
    sift_up(heap_.size() - 1);
}

void Shard::take_from_heap(Contact& contact)
{
    const std::size_t at = std::exchange(contact.heap_at, nowhere);
    if (at == nowhere)
        return;
    const Due last = heap_.back();
    heap_.pop_back();
    if (last.contact == &contact)
        return;
    place(at, last);
    sift_up(at);
    sift_down(last.contact->heap_at);
}

void Shard::sift_up(std::size_t at)
{
    const Due due = heap_[at];
    while (at > 0 && due.when < heap_[(at - 1) / 2].when) {
        place(at, heap_[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    place(at, due);
}

void Shard::sift_down(std::size_t at)
{
    const Due due = heap_[at];
    for (;;) {
        std::size_t child = 2 * at + 1;
        if (child >= heap_.size())
            break;
        if (child + 1 < heap_.size() && heap_[child + 1].when < heap_[child].when)
            ++child;
        if (due.when <= heap_[child].when)
            break;
        place(at, heap_[child]);
        at = child;
    }
    place(at, due);
}

std::size_t Shard::bytes() const
{
    return bytes_ + (records_.buckets() + ruids_.buckets()) * sizeof(void*) + heap_.capacity() * sizeof(Due);
}

} // namespace sipyard::usrloc
