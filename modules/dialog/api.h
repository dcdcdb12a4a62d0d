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
    std::int16_t begun_ms = 0, started_ms = 0, ended_ms = 0; // and thousandths; 0 when read from the database
    int code = 0;                                            // the reply that ended it before it began
};

enum class Side : unsigned char { caller, callee, both };
enum class Direction : unsigned char { none, downstream, upstream }; // from the caller; from the callee

// Why a dialog is over. none: it is not; bye_of_ours: this server sent it both ways.
enum class End : unsigned char { none, bye_of_caller, bye_of_callee, bye_of_ours, refused, expired };

// Announced with the Call-ID as key whenever the state, a contact or a tag changed, and when a dialog was
// read from the database while the server runs.
struct DialogChanged {
    Dialog dialog;
    End end = End::none;
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
    // By its two numbers.
    virtual std::optional<Dialog> at(std::uint32_t, std::uint32_t) { return {}; }
    // Seconds until the dialog times out as things are; 0 when it is not known.
    virtual std::int64_t remaining(std::uint32_t, std::uint32_t) { return 0; }
    // Seconds an answered dialog lives after its last sign of life; 0 when it is not known.
    virtual std::int64_t lifetime(std::uint32_t, std::uint32_t) { return 0; }
    // $dlg_var of a dialog that need not be the one in hand: kept with it, over a restart too. false: not
    // known, or it has too many.
    virtual std::optional<std::string> variable_of(std::uint32_t, std::uint32_t, std::string_view)
    {
        return {};
    }
    virtual bool set_variable(std::uint32_t, std::uint32_t, std::string_view, std::string_view)
    {
        return false;
    }
    virtual void add_listener(EndListener&) {}
    // BYE to one side or both; `headers` are whole lines with CRLF. On a fiber. Errors: not_found, invalid
    // (not answered yet).
    virtual Result<void> terminate(std::uint32_t entry, std::uint32_t id, Side side,
                                   std::string_view headers) = 0;
};

} // namespace sipyard::dialog
