// modules/dialog/api.h - the calls that pass through this server: looked up, listed, ended, and announced as
// they change (RFC 3261 12)
#pragma once

#include "core/base/result.h"
#include "core/module/request.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::dialog {

// Kamailio's numbers.
enum class State : unsigned char {
    unconfirmed = 1,      // the INVITE is on its way
    early = 2,            // it rings
    confirmed_no_ack = 3, // answered with 2xx, the ACK has not passed yet
    confirmed = 4,
    deleted = 5, // over: BYE, refused, timed out
};
std::string_view to_text(State state); // "unconfirmed", "early", ...

// One side of a call as we know it. `routes` are the Record-Route values between us and that side, nearest
// first.
struct Party {
    std::string uri, tag, contact; // contact: a URI, without brackets
    std::string routes;            // "<sip:a;lr>, <sip:b;lr>"
    std::string socket;            // of ours, towards that side: "udp:192.0.2.1:5060"
    std::uint32_t cseq = 0;        // the last that side used
};

// What is known of a dialog at one moment; a copy.
struct Dialog {
    std::uint32_t entry = 0, id = 0; // Kamailio's h_entry and h_id: unique together
    State state = State::unconfirmed;
    std::string call_id, request_uri;
    Party caller, callee;
    std::int64_t begun = 0, started = 0, ended = 0; // seconds since 1970: INVITE, 2xx, end; 0: not yet
    int code = 0;                                   // the reply that ended it before it began
};

enum class Side : unsigned char { caller, callee, both };
enum class Direction : unsigned char { none, downstream, upstream }; // from the caller; from the callee

// Announced with the Call-ID as key whenever the state, a contact or a tag changed.
struct DialogChanged {
    Dialog dialog;
};

// Told when a call is over, behind the event route, with a message of the call in hand: its $dlg_var can be
// read. On a fiber, any worker. Registered in a module's constructor, lives as long as the module.
class EndListener {
public:
    enum class How : unsigned char { ended, failed, expired }; // BYE; not answered; its lifetime was over
    virtual ~EndListener() = default;
    virtual void on_end(Request& request, const Dialog& dialog, How how) = 0;
};

struct Api {
    static constexpr std::string_view name = "dialog";
    virtual ~Api() = default;

    // Tags as in a request of either side; an empty `to_tag` finds a dialog that is not answered yet. Any
    // worker.
    virtual std::optional<Dialog> find(std::string_view call_id, std::string_view from_tag,
                                       std::string_view to_tag) = 0;
    // The dialog of the request in hand.
    virtual std::optional<Dialog> of(Request& request) = 0;
    virtual std::vector<Dialog> list(std::size_t most) = 0;
    virtual void add_listener(EndListener&) {}
    // BYE to one side or both; `headers` are whole lines with CRLF. On a fiber. Errors: not_found, invalid
    // (not answered yet).
    virtual Result<void> terminate(std::uint32_t entry, std::uint32_t id, Side side,
                                   std::string_view headers) = 0;
};

} // namespace sipyard::dialog
