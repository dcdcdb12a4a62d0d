// modules/presence/store_queue.h - changes that wait for the database: one for each row, the newest
//
// Pure: no clock, no thread, no database. A row has at most one change that waits and one that is being
// written; what comes while it is being written waits behind it, so changes of a row keep their order.
//
//     add() ──▶ waiting ──take()──▶ flying ──written()──▶ gone, or the next one of the row waits
//                  ▲                   └────failed()───┐
//                  └───────────────────────────────────┘  in front, merged with what came meanwhile
#pragma once

#include "core/base/function.h"
#include "modules/presence/store.h"

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace sipyard::presence {

// What is to become of a row of presentity. Its key changes with each entity tag, and an attempt may have
// ended without an answer: `tags` are all those under which the database may have it now.
struct PublicationWork {
    StoredPublication row; // of one that goes: user, domain, event and etag only
    std::vector<std::string> tags;
    bool gone = false;
};
// Of a row of active_watchers, whose key never changes.
struct SubscriptionWork {
    StoredSubscription row; // of one that goes: the key only
    bool gone = false;
};
using RowWork = std::variant<PublicationWork, SubscriptionWork>;

// Not thread-safe.
class StoreQueue {
public:
    // Called with true when the row's state, this one or a later one, is in the database; with false when it
    // has been refused. Never called when it is crowded out.
    using Written = Function<void(bool)>;
    using Told = std::vector<Written>; // to be called when no lock is held
    struct Entry;
    struct Limits {
        std::size_t rows = 200'000;
        std::size_t bytes = std::size_t{256} << 20; // of their texts
    };
    // What take() hands out. `work` does not change any more.
    struct Flight {
        std::shared_ptr<const RowWork> work; // owners: the queue and the database job, which may outlive it
        unsigned attempts = 0;               // failed() ones before this

    private:
        friend class StoreQueue;
        Entry* entry = nullptr;
    };

    explicit StoreQueue(Limits limits);
    ~StoreQueue();
    StoreQueue(const StoreQueue&) = delete;
    StoreQueue& operator=(const StoreQueue&) = delete;

    // False: a row that never reached the database is gone again and nothing is left to write; `written` is
    // among the told then. When the queue is full the row that has waited longest makes room (lost()).
    bool add(StoreChange change, Written written, Told& told);

    // The next ones, the longest waiting first. None of their rows comes again before it has been reported.
    std::vector<Flight> take(std::size_t most);
    // The database has it; who waited for that is added to `told`.
    void written(const Flight& flight, Told& told);
    // It may have it or not. For several flights the last one first, so that they keep their order.
    void failed(const Flight& flight, Told& told);
    // It never will: the change is dropped; who waited for it is added to `told`.
    void refused(const Flight& flight, Told& told);

    std::size_t waiting() const { return order_.size(); }
    std::size_t size() const { return entries_.size(); } // rows that wait or fly
    std::size_t bytes() const { return bytes_; }
    std::uint64_t lost() const { return lost_; }
    std::uint64_t coalesced() const { return coalesced_; } // changes that took the place of another

private:
    Entry* find(const std::string& key);
    Entry& insert(std::string key, RowWork work);
    void rekey(Entry& entry, std::string key);
    void erase(Entry& entry);
    void line_up(Entry& entry, std::list<Entry*>::iterator before);
    void account(Entry& entry);
    void make_room(const Entry& newest);
    RowWork& newest(Entry& entry); // the change that waits, made when it only flies
    Entry& put(PutPublication& change);
    Entry& drop(DropPublication& change);
    Entry& put(PutSubscription& change);
    Entry& drop(DropSubscription& change);
    Entry& replace(std::string key, SubscriptionWork work);

    const Limits limits_;
    std::unordered_map<std::string, std::unique_ptr<Entry>> entries_; // by the newest key of the row
    std::list<Entry*> order_;                                         // of those that wait
    std::size_t bytes_ = 0;
    std::uint64_t lost_ = 0, coalesced_ = 0;
};

} // namespace sipyard::presence
