// modules/tm/dialogs_api.h - dialogs of our own, as caller and as callee, for modules that are user agents
// (RFC 3261 12 to 15)
#pragma once

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/module/digest_answer.h"
#include "core/module/request.h"
#include "core/net/network.h"
#include "core/task/strand.h"
#include "modules/tm/api.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::tm {

// What one request of ours, or one that came to us, has led to: a set of dialogs with one Call-ID and local
// tag. Forks are numbered from 1; fork 0 means the set as a whole, before there is a dialog. Never reused.
// Plain value.
struct DialogId {
    std::uint64_t set = 0;
    std::uint32_t fork = 0;
    explicit operator bool() const { return set != 0; }
    friend bool operator==(DialogId, DialogId) = default;
    DialogId whole() const { return {set, 0}; }
};

// A reply to a request of ours. Each reply that is new is told once; copies are dealt with here.
struct DialogReply {
    DialogId dialog;        // fork 0: no dialog was made
    std::uint64_t note = 0; // as given with the request
    std::string_view method;
    std::uint32_t cseq = 0;
    int code = 0;
    std::string_view reason;
    const sip::Message* message = nullptr; // null: made here (408, 503 ...)
    std::uint32_t rseq = 0;                // it is reliable: prack() is due, unless it is automatic
    bool created = false;                  // this reply made the dialog
    bool late = false;      // a 2xx after cancel() or after another fork's 2xx (Late::owner only): ack() and
                            // bye(), or keep it
    bool needs_ack = false; // a 2xx to INVITE that waits for ack()
    bool refresh = false;   // of a session refresh made here
};

// A request within a dialog, its CSeq already checked. The views live as long as the callback.
struct DialogRequest {
    DialogId dialog;
    TransactionId id; // for reply()
    Request& request;
    bool refresh = false; // re-INVITE or UPDATE with the body of the last one (session refresh)
};

enum class Ended : unsigned char {
    failed,        // the request that was to make it had a final failure (code, message)
    cancelled,     // cancel() or bye() before it was answered
    remote_cancel, // the caller gave up before we answered
    remote_bye,
    local_bye,
    expired,    // no session refresh in time, or no answer to ours
    no_ack,     // our 2xx was never acknowledged
    gone,       // 481 or 408 to a request within the dialog
    other_fork, // another fork was answered
    dropped,    // drop()
};
std::string_view to_text(Ended why);

struct DialogEnded {
    DialogId dialog; // fork 0: the whole set; nothing more will be told
    Ended why = Ended::failed;
    int code = 0;                          // of `failed`, `gone`
    const sip::Message* message = nullptr; // their BYE, or the failure
    int subscriptions = 0; // usages that are left: the call is over, the dialog goes on (RFC 5057)
};

// What happens to dialogs, in order: the callbacks of a set run on its strand, on a fiber, any worker; no
// lock is held and they may suspend. What they ask of Dialogs takes effect after they return, in the order
// asked.
class DialogOwner {
public:
    virtual ~DialogOwner() = default;
    virtual void on_reply(const DialogReply&) {}
    // True: answered with reply(), or will be. False: the default answer is given: 200 to INFO, OPTIONS,
    // PRACK, UPDATE without body and NOTIFY of a known subscription, 489 to other NOTIFYs, 488 to INVITE and
    // UPDATE, 403 to REFER, 405 to the rest. BYE is not asked about: it gets 200, then on_ended. A
    // retransmission never comes here.
    virtual bool on_request(const DialogRequest&) { return false; }
    // The ACK to a 2xx of ours, with its body.
    virtual void on_ack(DialogId, std::uint32_t /*cseq*/, const sip::Message& /*ack*/) {}
    // The PRACK to a reliable reply of ours came (it is in on_request too when it has a body).
    virtual void on_prack(DialogId, std::uint32_t /*rseq*/) {}
    virtual void on_ended(const DialogEnded&) {}
};

enum class Who : unsigned char { automatic, owner };
enum class Late : unsigned char { refused, owner }; // refused: ACK, then BYE

struct SessionWish {
    std::uint32_t expires = 0; // seconds; 0: none of ours, the peer's are honoured
    std::uint32_t min_se = 90;
};

// A request that begins a dialog: INVITE, SUBSCRIBE or REFER. Texts are the owner's until the call returns.
struct DialogSetup {
    std::shared_ptr<DialogOwner> owner;   // shared with the set, until the set ends
    std::shared_ptr<task::Strand> strand; // several sets of one owner may share one; null: one of its own
    std::string_view method = "INVITE", request_uri;
    std::string_view from, to; // header values without tags: "Name" <sip:a@b>
    std::string_view contact;  // header value; "": <sip:USER@socket> with `contact_user`
    std::string_view contact_user;
    std::string_view call_id; // "": a new one
    std::string_view
        headers; // whole lines; Supported, Allow, Event ... Contact, Session-Expires are added here
    std::string_view content_type, body;
    std::string_view next_hop;             // for requests outside of the dialog; in it the route set counts
    const net::Listener* socket = nullptr; // for all requests of the set; null: chosen by the first next hop
    net::ConnectionId connection;          // tried first while it is open
    std::vector<Credential> credentials;
    std::uint64_t note = 0;
    Who ack = Who::owner, prack = Who::automatic;
    Late late = Late::refused;
    SessionWish session;
    Duration ringing_timeout{0}, final_timeout{0}; // tm's when 0
    bool run_local_route = true;
};

// How a request that came in becomes a dialog of ours.
struct CalleeSetup {
    std::shared_ptr<DialogOwner> owner;
    std::shared_ptr<task::Strand> strand;
    std::string_view contact, contact_user; // as above
    std::vector<Credential> credentials;    // for requests of ours in it
    SessionWish session;
    Late late = Late::refused;
};

// A request within a dialog.
struct DialogSend {
    std::string_view method;
    std::string_view headers, content_type, body;
    std::string_view next_hop;             // instead of what the route set says
    const net::Listener* socket = nullptr; // instead of the set's
    net::ConnectionId connection;
    std::uint64_t note = 0;
    bool retry_glare = true; // 491 to INVITE and UPDATE: again after the time of RFC 3261 14.1, three times
    Who ack = Who::owner;    // of an INVITE
    Duration final_timeout{0};
};

struct DialogInfo {
    DialogId id;
    std::string call_id, local_tag, remote_tag, local, remote, target, state;
    int subscriptions = 0;
    std::int64_t age_seconds = 0;
    bool caller = false;
};

// Thread-safe; never blocks unless noted. What is asked of a set or dialog that is gone does nothing.
struct Dialogs {
    static constexpr std::string_view name = "tm.dialogs";
    virtual ~Dialogs() = default;

    // Sends the request; the set's callbacks begin at once. On a fiber; may suspend to find the socket.
    // Errors: overloaded (the table is full), invalid (something must be given), not_found (no server for the
    // next hop).
    virtual Result<DialogId> start(const DialogSetup& setup) = 0;
    // The request in hand (INVITE or SUBSCRIBE or REFER without To tag) becomes a dialog with a transaction;
    // the script should end. Nothing is answered yet: use reply(), with the transaction returned. Not on a
    // strand. Errors: invalid (no usable Contact: answer 400), overloaded (503), unique (it came by another
    // path too: answer 482), not_found (a retransmission, absorbed).
    struct Accepted {
        DialogId dialog;
        TransactionId id;
    };
    virtual Result<Accepted> accept(Request& request, const CalleeSetup& setup) = 0;

    // After the final failure of the request that was to make a dialog, in its on_reply: the same once more,
    // with the next CSeq, to another URI ("": the same) and with these headers in place of the first ones
    // ("": those). For 3xx.
    virtual void again(DialogId set, std::string_view request_uri, std::string_view headers = {}) = 0;
    // CANCEL of the INVITE that is under way (the first one, or a re-INVITE), with further headers such as
    // Reason.
    virtual void cancel(DialogId set, std::string_view headers = {}) = 0;
    // Ends a call in the way that fits its state: CANCEL, a refusal (`code`), ACK and BYE, BYE. Fork 0: all
    // calls of the set.
    virtual void bye(DialogId dialog, std::string_view headers = {}, int code = 603) = 0;
    // The ACK to the last 2xx of an INVITE of ours in that dialog, repeated here for each copy of the 2xx.
    virtual void ack(DialogId dialog, std::string_view content_type = {}, std::string_view body = {},
                     std::string_view headers = {}) = 0;
    // PRACK of a reliable reply (RFC 3262), when it is not automatic.
    virtual void prack(DialogId dialog, std::uint32_t rseq, std::string_view content_type = {},
                       std::string_view body = {}, std::uint64_t note = 0) = 0;
    // Any request but ACK, CANCEL, PRACK and BYE. INVITE and UPDATE with a body wait until those under way
    // are done.
    virtual void request(DialogId dialog, const DialogSend& send) = 0;
    // Answers a request of on_request or accept(). A 2xx to INVITE is repeated until its ACK comes; a
    // provisional reply with `reliable` until its PRACK comes. Contact and what session timers want is added.
    virtual void reply(DialogId dialog, TransactionId id, const Reply& reply, bool reliable = false) = 0;
    // Forgets it without a word on the wire: its requests get 481 from now on. Fork 0: the set.
    virtual void drop(DialogId dialog) = 0;

    // The socket requests to that URI leave from, for Contact and SDP. On a fiber; may suspend.
    virtual Result<const net::Listener*> socket_for(std::string_view uri) = 0;
    // At most that many dialogs (a set without one is an entry with fork 0), from the set after `after`. On a
    // fiber, not in a callback.
    virtual std::vector<DialogInfo> list(std::size_t most, std::uint64_t after = 0) = 0;
    virtual std::size_t sets() const = 0;
};

} // namespace sipyard::tm
