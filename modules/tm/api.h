// modules/tm/api.h - transactions for other modules: the server side, what happens to one, requests of our
// own (RFC 3261 17)
#pragma once

#include "core/base/clock.h"
#include "core/base/function.h"
#include "core/base/result.h"
#include "core/module/request.h"
#include "core/module/value.h"
#include "core/net/network.h"

#include <cstdint>
#include <string_view>

namespace sipyard::tm {

// A transaction of this server, recognised when it is long gone. 0, 0 is none. Plain value; thread-safe to
// keep and pass.
struct TransactionId {
    std::uint32_t index = 0, generation = 0;
    explicit operator bool() const { return generation != 0; }
    friend bool operator==(TransactionId, TransactionId) = default;
};

// --- what happens to a server transaction --------------------------------------------------------

enum class Moment : std::uint16_t {
    created = 1,      // the server transaction is there (t_newtran, or t_relay at its start)
    branch_sent = 2,  // a branch left for a destination: branch, to
    reply_in = 4,     // a branch was answered: branch, code, reply
    reply_out = 8,    // a reply went upstream, retransmissions excepted: code, reply or local text
    failure = 16,     // all branches failed; before failure_route: branch and code of the selected reply
    ack_in = 32,      // the ACK to a 2xx passed
    cancel_in = 64,   // a CANCEL for it came, before its branches are cancelled
    reply_next = 256, // as reply_out, but before it leaves: what the next request of the dialog will ask for
                      // is noted here; may not suspend, and the sending may still fail
    ended = 128,      // it is about to be forgotten; request() is not available any more
};
using Moments = std::uint16_t; // bits of Moment
constexpr Moments operator|(Moment a, Moment b)
{
    return static_cast<Moments>(static_cast<Moments>(a) | static_cast<Moments>(b));
}
constexpr Moments operator|(Moments a, Moment b) { return static_cast<Moments>(a | static_cast<Moments>(b)); }

struct Happening {
    Moment what;
    TransactionId id;
    std::uint64_t note = 0; // what the watcher's wants() left there
    int code = 0;           // of reply_in, reply_next, reply_out, failure
    std::string_view reason;
    int branch = -1;          // from 0; -1: none (a reply of our own)
    Request* reply = nullptr; // the message in hand (reply_in; reply_next, reply_out of a relayed one;
                              // ack_in, cancel_in); null when made here
    std::string_view to_tag;  // of the reply in hand or of our own
    const net::Destination* to = nullptr; // branch_sent
    // The transaction's request with flags, AVPs, R-URI and source as they now are, rebuilt in this fiber's
    // arena at the first call when the fiber has it not in hand. Null for `ended`.
    virtual Request* request() const = 0;

protected:
    ~Happening() = default;
};

// Registered in a module's constructor, lives as long as the module. Called on the fiber that handles the
// message, on any worker, no lock held; happenings of one transaction come in order but may overlap with its
// routes.
class Watcher {
public:
    virtual ~Watcher() = default;
    // Which moments of this transaction matter: asked when it is made and again by each t_relay (flags may
    // have been set since); the answers add up. `note` is kept with the transaction (0 at first). Must be
    // cheap.
    virtual Moments wants(Request& request, std::uint64_t& note) = 0;
    virtual void on(const Happening& happening) = 0;
};

// --- requests of our own -------------------------------------------------------------------------

// Texts are copied. Via, Max-Forwards (70, unless in `headers`), Content-Length and User-Agent are added;
// everything else is given. URIs without angle brackets unless noted.
struct Outgoing {
    std::string_view method, request_uri;
    std::string_view next_hop; // where it is sent instead of to the first Route or the R-URI; "": those
    std::string_view from, to; // header values with their tags: "<sip:a@b>;tag=x"
    std::string_view call_id;
    std::uint32_t cseq = 1;
    std::string_view headers; // whole lines with CRLF: Contact, Route, Event, Authorization ...
    std::string_view content_type, body;
    const net::Listener* socket = nullptr; // null: chosen
    net::ConnectionId connection;          // tried first while it is open
    bool may_connect = true;
    Duration final_timeout{0};   // fr_timer for this one; 0: tm's
    Duration ringing_timeout{0}; // fr_inv_timer for this INVITE; 0: tm's
    bool run_local_route = true; // event_route[tm:local-request]
};

// A reply to a request of ours. Every provisional one except 100 (which comes too, once), the final one, and
// for an INVITE every 2xx, retransmissions and other forks included, until 64*T1 after the first.
struct Incoming {
    TransactionId id;
    int code = 0;
    std::string_view reason;
    Request* reply =
        nullptr; // null: made here (408 no answer, 503 no destination could be reached, 487 at shutdown)
    bool last = false;     // nothing more will come for this transaction
    bool repeated = false; // a retransmission of a 2xx seen before
};
using OnReply = Function<void(const Incoming&)>; // on a fiber, any worker, one at a time per transaction

// The final answer as plain values, for who waits.
struct Answer {
    int code = 0;
    std::string_view reason, message; // the whole reply in the caller's arena; "" when made here
    net::Received from;
};

enum class Begun : unsigned char {
    created,  // request.reply() is stateful from here on
    absorbed, // a retransmission or an ACK of ours: dealt with, the script should end
    existing, // this request had its transaction already
};

struct Api {
    static constexpr std::string_view name = "tm";
    virtual ~Api() = default;

    // --- the request in hand ---
    // t_newtran. Errors: overloaded (the table is full: answer 503 with Retry-After), invalid.
    virtual Result<Begun> begin(Request& request) = 0;
    virtual TransactionId of(Request& request) = 0; // none before begin()
    // t_relay as a script function: creates the transaction when there is none; CANCEL, ACK as
    // spec/script 20.
    virtual Verdict relay(Request& request) = 0;
    // RFC 3261 8.2.2.2: the same request came by another path (482). For user agents, not for proxies.
    virtual bool is_merged(Request& request) = 0;
    // The To tag that replies made here to this request carry; the same for stateless and stateful ones.
    virtual std::string_view local_tag(Request& request) = 0;

    // --- a transaction known by its id, from any fiber ---
    // not_found when it is gone or has had its final reply.
    virtual Result<void> reply(TransactionId id, const Reply& reply) = 0;
    // Runs f with the transaction's request rebuilt in this fiber's arena, its routes kept out meanwhile: f
    // may reply, run routes, relay. not_found when it is gone.
    virtual Result<void> with_request(TransactionId id, Function<void(Request&)> f) = 0;
    // t_suspend: the transaction waits for resume(); its final timer runs. The script in hand should end.
    virtual Result<TransactionId> suspend(Request& request) = 0;
    // t_continue: route[route] runs for it on a new fiber. not_found, or exists when it was not suspended
    // (any more).
    virtual Result<void> resume(TransactionId id, std::string_view route) = 0;

    virtual void add_watcher(Watcher& watcher) = 0; // at most 8

    // --- requests of our own ---
    // Sends with failover over the servers of the next hop; on_reply may run before this returns. Errors:
    // invalid (something that must be given is missing), not_found (no such host), overloaded, io.
    virtual Result<TransactionId> send(const Outgoing& request, OnReply on_reply) = 0;
    // The same, waiting on this fiber for the final answer; texts in `arena`.
    virtual Result<Answer> ask(const Outgoing& request, Arena& arena) = 0;
    // An ACK, or anything else that has no transaction.
    virtual Result<void> send_once(const Outgoing& request) = 0;
    // CANCEL of an INVITE of ours: at once when it is ringing, else with the first provisional reply, never
    // after a final one.
    virtual Result<void> cancel(TransactionId id, std::string_view headers = {}) = 0;
};

// --- what tmx and variables need besides ---------------------------------------------------------

enum class Which : unsigned char { all, others, current };

// The transaction of the message in hand, for $T(...) and $T_reply_*.
struct Info {
    TransactionId id; // none: there is no transaction
    bool in_reply_or_failure = false;
    int reply_code = 0; // in onreply, failure and branch-failure routes; else of the last reply upstream
    std::string_view reply_reason, reply_ruid;
    bool reply_is_local = false;
    bool reply_is_last = false; // no other branch is at work
    bool has_reply_last = false;
    int branches = 0;
    bool canceled = false;
};
struct Counts {
    std::uint64_t live = 0, waiting = 0, total = 0, local = 0, rpl_received = 0, rpl_generated = 0,
                  rpl_sent = 0, rpl_relayed = 0, rpl_absorbed = 0, by_class[5] = {}; // 2xx to 6xx
};

struct Extras {
    static constexpr std::string_view name = "tm_extras";

    virtual int branch_index(Request& request) = 0; // $T_branch_idx
    virtual Info info(Request& request) = 0;
    virtual Value of_branch(Request& request, std::string_view what) = 0; // $T_branch(uri|flags)
    // The stored messages as requests in this fiber's arena, null when there is none: the transaction's
    // request in a reply, the reply in a failure route, the INVITE of a CANCEL or of an ACK.
    virtual Request* stored_request(Request& request) = 0;
    virtual Request* stored_reply(Request& request) = 0;
    virtual Request* stored_invite(Request& request) = 0;
    virtual bool cancel_branches(Request& request, Which which) = 0;
    // An INVITE by Call-ID and CSeq number; walks all transactions. not_found.
    virtual Result<void> cancel_call(std::string_view call_id, std::uint32_t cseq,
                                     std::string_view headers) = 0;
    virtual Result<void> reply_call(std::string_view call_id, std::uint32_t cseq, int code,
                                    std::string_view reason) = 0;
    virtual void flush_flags(Request& request, bool extended) = 0;
    virtual bool drop(Request& request, int code) = 0; // t_drop: ends without a reply
    virtual bool reuse_branch(Request& request) = 0;   // t_reuse_branch
    virtual bool is_known(Request& request) = 0;       // a transaction for this very request exists
    virtual Counts counts() = 0;

protected:
    ~Extras() = default;
};

} // namespace sipyard::tm

#include "modules/tm/dialogs_api.h" // Dialogs: api.h is the one file of a module that others include
