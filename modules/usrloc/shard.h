// modules/usrloc/shard.h - a part of a domain: addresses of record, their contacts, and who expires next
#pragma once

#include "modules/usrloc/chains.h"
#include "modules/usrloc/contact.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::usrloc {

// An address of record that has contacts; its text follows. A block from malloc, owned by its shard.
struct Record {
    Record* next = nullptr;
    Contact* first = nullptr; // best first
    std::uint32_t hash = 0;
    std::uint32_t size = 0;
    std::string_view aor() const { return {reinterpret_cast<const char*>(this + 1), size}; }
};

enum class Order : unsigned char { by_q, newest_first }; // desc_time_order

// Under its Guarded lock. Pointers are good while that is held and until the contact is changed.
class Shard {
public:
    Shard(Order order, std::size_t buckets);
    ~Shard();
    Shard(const Shard&) = delete;
    Shard& operator=(const Shard&) = delete;

    Record* find(std::uint32_t hash, std::string_view aor) const;
    Contact* find_ruid(std::uint32_t hash, std::string_view ruid) const;
    static Contact* find_ruid(const Record& record, std::string_view ruid);

    // view.ruid is the new contact's. The record is made when it is not there.
    Contact& insert(std::uint32_t hash, std::string_view aor, const ContactView& view,
                    std::uint32_t ruid_hash);
    // The ruid stays. The contact may get another block: use what is returned.
    Contact& update(Contact& contact, const ContactView& view);
    void remove(Contact& contact); // and its record with the last one

    // The first contact that is over at `now`, still linked; null when there is none.
    Contact* expired(std::int64_t now);

    std::size_t records() const { return records_.size(); }
    std::size_t contacts() const { return ruids_.size(); }
    std::size_t bytes() const; // approximately, for statistics
    std::size_t buckets() const { return records_.buckets(); }
    template <class F>
    void in_bucket(std::size_t bucket, F&& f) const
    {
        records_.in_bucket(bucket, std::forward<F>(f));
    }

    // Scratch of whoever holds the lock.
    std::vector<ContactView> views;
    std::vector<Change> changes;
    // Ids whose rows are to go with the next flush.
    std::vector<std::string> rows_to_delete;

private:
    // An entry's `due` may be earlier than its contact's end: a refresh leaves it where it is, and it sinks
    // when its turn comes. So a registration that is kept alive costs the heap one step per lifetime, not per
    // refresh.
    struct Due {
        std::int64_t when;
        Contact* contact;
    };
    static constexpr std::uint32_t nowhere = UINT32_MAX;
    void put_in_heap(Contact& contact);
    void take_from_heap(Contact& contact);
    void sift_up(std::size_t at);
    void sift_down(std::size_t at);
    void place(std::size_t at, Due due);

    void link(Record& record, Contact& contact) const;
    static void unlink(Contact& contact);

    const Order order_;
    Chains<Record, &Record::next, &Record::hash> records_;
    Chains<Contact, &Contact::next_ruid, &Contact::ruid_hash> ruids_;
    std::vector<Due> heap_;
    std::size_t bytes_ = 0; // of the blocks
};

} // namespace sipyard::usrloc
