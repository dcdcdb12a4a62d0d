// core/module/request.h - what a script and its functions work on: one message with everything decided about
// it so far
#pragma once

#include "core/base/arena.h"
#include "core/base/result.h"
#include "core/base/small_lock.h"
#include "core/module/avp.h"
#include "core/module/value.h"
#include "core/module/verdict.h"
#include "core/net/network.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace sipyard::sip {
class Message;
class Edits;
struct Uri;
} // namespace sipyard::sip

namespace sipyard {

class Host;
class Request;

// An answer to the request in hand, whatever carries it (SIP without or with a transaction, HTTP).
struct Reply {
    int code = 200;
    std::string_view reason;
    std::string_view headers;      // complete lines, each ending in CRLF
    std::string_view content_type; // empty with an empty body
    std::string_view body;
};

// Sends replies for a request. SIP requests start with the stateless one; tm and xhttp put their own in its
// place.
class Responder {
public:
    virtual ~Responder() = default;
    // Sets request.answered when a final reply has left.
    virtual Result<void> reply(Request& request, const Reply& reply) = 0;
};

// Another place the request goes to, beside its own R-URI (append_branch).
struct Branch {
    std::string_view uri, dst_uri, path, ruid, instance;
    int q = -1; // in thousandths; -1: none
    const net::Listener* socket = nullptr;
    std::uint32_t flags = 0;
    std::uint32_t reg_id = 0;
};

// A typed place in every request for a module's own state, handed out by Host::slot<T>(). Made on first use
// in the request's arena, destroyed with the request.
template <class T>
struct Slot {
    std::uint16_t index = 0;
};

// Lives on one fiber, in one arena. Not thread-safe. Texts given to setters are copied into the arena.
class Request {
public:
    static constexpr std::size_t max_slots = 32; // of all modules together

    Request(Host& host, Arena& arena, sip::Message& message, const net::Received& received, Route route);
    Request(const Request&) = delete;
    Request& operator=(const Request&) = delete;
    ~Request();

    Host& host() const { return host_; }
    Arena& arena() { return arena_; }
    const sip::Message& message() const { return *message_; }
    sip::Message& message() { return *message_; }
    sip::Edits& edits(); // pending changes, invisible to reads until sent
    bool has_edits() const { return edits_ != nullptr; }
    // Another list in its place (a branch has edits of its own); null: none yet. Returns the one before.
    sip::Edits* swap_edits(sip::Edits* other) { return std::exchange(edits_, other); }
    const net::Received& received() const { return received_; }
    std::uint32_t id() const { return id_; } // $mi: counts the messages of this worker
    // msg_apply_changes: a new message takes the place of the old one; edits are gone, $ou is the new R-URI.
    void replace_message(sip::Message& message);

    // The kind of route now running. $branch and tm functions ask.
    Route route() const { return route_; }
    void set_route(Route route) { route_ = route; }
    bool is_http() const { return is_http_; }
    void set_http() { is_http_ = true; }

    // --- where it goes ---------------------------------------------------------------------------
    std::string_view ruri() const; // the current R-URI; empty in replies
    const sip::Uri* parsed_ruri(); // null when it does not parse
    bool ruri_changed() const { return new_ruri_set_; }
    void set_ruri(std::string_view uri);
    void revert_ruri();
    std::string_view dst_uri() const { return dst_uri_; } // $du; empty: none
    void set_dst_uri(std::string_view uri);
    std::string_view path() const { return path_; }
    void set_path(std::string_view path);
    const net::Listener* forced_socket() const { return forced_socket_; }
    void force_socket(const net::Listener* socket) { forced_socket_ = socket; }
    std::vector<Branch>& branches() { return branches_; }

    // --- flags -----------------------------------------------------------------------------------
    std::uint32_t flags = 0;                       // setflag, $mf
    std::uint32_t script_flags = 0;                // setsflag, $sf
    std::uint32_t branch_flags = 0;                // setbflag of branch 0, $bf
    std::array<std::uint64_t, 2> extended_flags{}; // setxflag
    bool force_rport = false, add_local_rport = false, tcp_alias = false;
    bool forward_no_connect = false, reply_no_connect = false, forward_close = false, reply_close = false;
    std::string_view advertised_host; // set_advertised_address; empty: the socket's
    std::uint16_t advertised_port = 0;
    std::optional<net::Protocol>
        udp_mtu_proto;     // udp_mtu_try_proto(): above udp_mtu in place of the parameter's; udp: none
    int last_error = 0;    // what send_reply_error tells: a SIP code, 0 when none
    int return_code = 1;   // $rc
    bool dropped = false;  // the script ended with drop
    bool answered = false; // a final reply has been given

    // f(AvpStore&). The store of a transaction is shared by routes on several workers, so what f reads it
    // copies into the arena; f takes no other lock, does not suspend and does not call with_avps() again.
    // Without a transaction there is no lock.
    template <class F>
    auto with_avps(F&& f)
    {
        if (avps_ == &own_avps_)
            return std::forward<F>(f)(own_avps_);
        const Locked locked{avps_->lock};
        return std::forward<F>(f)(*avps_);
    }
    // A transaction lends its store: values, for it outlives the request. What the request has goes over with
    // `keep`.
    void share_avps(AvpStore& store, bool keep);
    std::string_view reply_headers() const { return reply_headers_; } // append_to_reply
    void append_to_reply(std::string_view lines);
    void reset_reply_headers() { reply_headers_ = {}; }

    Responder& responder() { return *responder_; }
    void set_responder(Responder& responder) { responder_ = &responder; }
    // Answers with the responder in force; Error when it cannot be sent or a final reply has been given
    // already.
    Result<void> reply(const Reply& reply) { return responder_->reply(*this, reply); }

    // A module's own state in this request: made with T() at the first call.
    template <class T>
    T& at(Slot<T> slot)
    {
        if (!slots_[slot.index])
            slots_[slot.index] = &arena_.make<T>();
        return *static_cast<T*>(slots_[slot.index]);
    }
    template <class T>
    T* find(Slot<T> slot)
    {
        return static_cast<T*>(slots_[slot.index]);
    }

private:
    Host& host_;
    Arena& arena_;
    sip::Message* message_;
    sip::Edits* edits_ = nullptr;
    net::Received received_;
    std::uint32_t id_;
    Route route_;
    bool is_http_ = false;
    bool new_ruri_set_ = false;
    bool uri_parsed_ = false;
    std::string_view new_ruri_, dst_uri_, path_, reply_headers_;
    const sip::Uri* uri_ = nullptr;
    const net::Listener* forced_socket_ = nullptr;
    std::vector<Branch> branches_;
    AvpStore own_avps_;
    AvpStore* avps_ = &own_avps_;
    Responder* responder_;
    std::array<void*, max_slots> slots_{};
};

} // namespace sipyard
