// modules/usrloc/api.h - what other modules may ask of the location store: bindings read, changed, walked;
// events
#pragma once

#include "core/base/result.h"
#include "core/net/network.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::usrloc {

inline constexpr std::uint32_t all_methods = 0xffffffff;

// One binding of an address of record (RFC 3261 10). Views: valid during the call that shows it, no longer.
struct ContactView {
    std::string_view aor;      // "alice", or "alice@example.com" with use_domain
    std::string_view contact;  // the URI
    std::string_view received; // where it came from, as a SIP URI; "": not noted
    std::string_view path;     // Path values, "<sip:a;lr>,<sip:b;lr>" (RFC 3327)
    std::string_view call_id, user_agent;
    std::string_view ruid;       // unique id of the record; made at its insertion
    std::string_view instance;   // +sip.instance, with its angle brackets (RFC 5626 4.1)
    std::string_view attributes; // packed by the registrar (xavp_contact); opaque here
    std::string_view socket;     // "udp:192.0.2.1:5060" of the socket it came to; "": see listener
    const net::Listener* listener = nullptr; // ours of that name; null: none
    net::ConnectionId connection{};          // streams: the connection it came by
    std::int64_t expires = 0;                // unix seconds; 0: never
    std::int64_t last_modified = 0;          // unix seconds
    int q = -1;                              // thousandths; -1: none given
    std::uint32_t cseq = 0;
    std::uint32_t flags = 0, cflags = 0; // the record's, the branch's
    std::uint32_t methods = all_methods; // Kamailio's mask
    std::uint32_t reg_id = 0;            // RFC 5626; 0: none
    std::uint32_t server_id = 0;

    bool is_expired(std::int64_t now) const { return expires != 0 && expires <= now; }
};

enum class What : unsigned char { inserted, updated, expired, deleted };
constexpr std::string_view to_text(What what)
{
    return what == What::inserted  ? "inserted"
           : what == What::updated ? "updated"
           : what == What::expired ? "expired"
                                   : "deleted";
}

// One step of a change. `to` of an update or insertion is the whole new binding; its ruid is ignored.
struct Change {
    enum class Step : unsigned char { insert, update, remove };
    Step step = Step::insert;
    std::size_t index = 0; // of the binding in `there`; not of an insertion
    ContactView to{};
};

// Who writes. Both calls happen within change(), on its fiber, with a lock held: they may not suspend nor
// call the Api.
class Writer {
public:
    virtual ~Writer() = default;
    // `there`: the bindings in force, best first, none expired. Adds what is to happen to `changes`; an error
    // leaves everything as it is and is what change() returns.
    virtual Result<void> plan(std::span<const ContactView> there, std::vector<Change>& changes) = 0;
    // All of it happened; the bindings as they are now.
    virtual void written(std::span<const ContactView>) {}
};

// Who reads; the views are valid during the call, which may not suspend nor call the Api.
class Reader {
public:
    virtual ~Reader() = default;
    virtual void read(std::span<const ContactView> contacts) = 0;
};

// Told about bindings whose time is over, one at a time, on a fiber, after they are gone.
class ExpiryHook {
public:
    virtual ~ExpiryHook() = default;
    virtual bool wants() const = 0; // asked first, so that nobody's expiry costs nothing
    virtual void expired(std::string_view domain, const ContactView& contact) = 0; // may suspend
};

// Announced for every change once somebody has called announce_changes().
struct ContactChanged {
    What what = What::inserted;
    std::string domain, aor, contact, ruid, call_id, received, path, user_agent, instance;
    std::int64_t expires = 0;
    int q = -1;
    std::uint32_t cseq = 0, reg_id = 0;
};

// Offered by usrloc. Thread-safe. `domain` is the name of a table ("location"); it is made at its first use.
// Errors beside those named: what the database says (db_mode 1 and 3), overloaded and timeout of the lock;
// with any of them nothing has changed here. The calling fiber may be suspended in db_mode 1 and 3, and while
// a table is loaded.
struct Api {
    static constexpr std::string_view name = "usrloc";
    virtual ~Api() = default;

    enum class Storage : unsigned char { as_configured, memory_only };
    // All the writer plans or nothing; changes of one address of record happen one after the other.
    virtual Result<void> change(std::string_view domain, std::string_view aor, Storage storage,
                                Writer& writer) = 0;
    // The bindings of an address of record, best first; expired ones too when asked (they are kept until a
    // second after). False, and the reader is not called, when there is none.
    virtual Result<bool> lookup(std::string_view domain, std::string_view aor, Reader& reader) = 0;
    // The one binding with that id.
    virtual Result<bool> lookup_ruid(std::string_view domain, std::string_view ruid, Reader& reader) = 0;
    // Removes one binding by its id; not_found when there is none.
    virtual Result<void> remove_ruid(std::string_view domain, std::string_view ruid) = 0;
    // Walks all bindings whose branch flags have one of `cflags` (0: all of them), some at a time; from a
    // fiber. In db_mode 3 it reads the table.
    virtual Result<void> for_each(std::string_view domain, std::uint32_t cflags, Reader& reader) = 0;

    // Which of `there` the new binding would replace: by instance and reg-id (RFC 5626 6), else as
    // matching_mode says, by RFC 3261 19.1.4 where URIs are compared. Null: none.
    virtual const ContactView* match(std::span<const ContactView> there, const ContactView& wanted) const = 0;

    virtual bool uses_domain() const = 0;        // the parameter use_domain
    virtual std::uint32_t nat_flag() const = 0;  // bit of nat_bflag; 0: not set
    virtual std::int64_t cseq_delay() const = 0; // seconds within which the same CSeq is a retransmission
    virtual std::string_view attributes_name() const = 0; // xavp_contact; ""
    virtual const net::Listener*
    listener(std::string_view socket) const = 0; // "udp:192.0.2.1:5060"; null: not ours

    virtual void announce_changes() = 0;           // in a listener's constructor
    virtual void add_expiry_hook(ExpiryHook&) = 0; // in a module's constructor; lives as long as the module
};

} // namespace sipyard::usrloc
