// modules/presence/store.h - where publications and subscriptions survive a restart: Kamailio's tables
// presentity and active_watchers (spec presence 5)
#pragma once

#include "core/base/function.h"
#include "core/base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sipyard::presence {

// A row of presentity. `ruid` names the publication for its whole life, whatever its entity tag (Kamailio's
// rows may have none).
struct StoredPublication {
    std::string user, domain, event, etag, body, sender, ruid;
    std::int64_t expires = 0;  // epoch seconds, -1: hard state
    std::int64_t received = 0; // epoch seconds
    int priority = 0;
};

// A row of active_watchers. Unique by call_id, to_tag (ours), from_tag (theirs).
struct StoredSubscription {
    std::string presentity, watcher_user, watcher_domain, to_user, to_domain, from_user, from_domain;
    std::string event,
        event_id; // event_id: the Event header's parameters as they came, without the first ';'
    std::string to_tag, from_tag, call_id, contact, local_contact, record_route, socket, user_agent, reason;
    std::uint32_t local_cseq = 0, remote_cseq = 0, version = 0; // local_cseq and version are ceilings (5.4)
    std::int64_t expires = 0;                                   // epoch seconds
    int status = 1; // 1 active, 2 pending, 3 terminated, 4 waiting
    std::uint32_t flags = 0;
};

// One change. The keys of a row that goes are all that is read.
struct PutPublication {
    StoredPublication row;
    std::string old_etag; // the row it takes the place of; empty: none
};
struct DropPublication {
    std::string user, domain, event, etag;
};
struct PutSubscription {
    StoredSubscription row; // inserted, or what was there under its key is replaced
};
struct DropSubscription {
    std::string call_id, to_tag, from_tag;
};
using StoreChange = std::variant<PutPublication, DropPublication, PutSubscription, DropSubscription>;

// When a change is written (subs_db_mode, publ_db_mode).
enum class StoreMode : unsigned char {
    memory,  // never
    through, // before the answer; when the database is slow or away, soon after it
    back,    // every db_update_period
};

// Thread-safe. Changes of one key are written in the order of the calls, however many wait; a later one for
// the same row takes the place of one that still waits.
class Store {
public:
    virtual ~Store() = default;

    // Mode through: suspends until it is written, but no longer than db_commit_timeout; then, or when the
    // database is away, the change stays queued and is written later: false. Mode back: queues, true.
    virtual bool change(StoreChange change) = 0;
    // Several, in this order, with one wait for all of them; Wait::no: nobody's answer depends on them, they
    // are only queued (ceilings reserved by a NOTIFY).
    enum class Wait : unsigned char { no, yes };
    virtual bool change_all(std::vector<StoreChange> changes, Wait)
    {
        bool all = true;
        for (StoreChange& one : changes)
            all = change(std::move(one)) && all;
        return all;
    }

    // At start, in pieces: f gets rows that have not expired at `now` until there are no more. On a fiber.
    virtual Result<void> publications(std::int64_t now,
                                      Function<void(std::vector<StoredPublication>&&)> f) = 0;
    virtual Result<void> subscriptions(std::int64_t now,
                                       Function<void(std::vector<StoredSubscription>&&)> f) = 0;

    // Writes what waits; at shutdown. False: the database did not take all of it in time.
    virtual bool flush() = 0;
    virtual std::size_t waiting() const = 0; // changes not written yet
};

} // namespace sipyard::presence
