// modules/tm/cell.h - one transaction in memory: the fixed part, and what it keeps only while it is at work
#pragma once

#include "core/base/function.h"
#include "core/base/small_lock.h"
#include "core/module/avp.h"
#include "core/net/locator.h"
#include "core/net/network.h"
#include "core/sip/edits.h"
#include "core/sip/method.h"
#include "core/task/fiber.h"
#include "core/task/worker.h"
#include "modules/tm/api.h"
#include "modules/tm/blocks.h"
#include "modules/tm/keys.h"
#include "modules/tm/machines.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sipyard::tm {

constexpr std::size_t most_watchers = 8;

// Timer values of one transaction, in milliseconds; 0: the module's.
struct Terms {
    std::uint32_t fr = 0, fr_inv = 0, max_life_inv = 0, max_life_other = 0, t1 = 0, t2 = 0;
};

// What the script asked of this transaction.
enum Wish : std::uint16_t {
    no_auto_100 = 1,
    with_auto_100 = 2,
    no_6xx = 4,
    no_failover = 8,
    no_e2e_reason = 16,
    no_internal_reply = 32,
    uac_headers = 64,
    with_6xx = 128,
};

// Routes armed by name; looked up in the program in force when they run.
struct Routes {
    std::string_view branch, failure, reply, branch_failure;
};

enum class Cancelling : std::uint8_t { no, with_first_reply, sent };

// One client transaction of a proxied request, or the one of a request of ours. Lives in the transaction's
// store.
struct Leg {
    Leg* next = nullptr;
    std::string_view sent, cancel;   // as they left, for retransmissions
    std::string_view cancel_headers; // of a CANCEL that waits for the first provisional reply
    std::string_view uri, path, ruid, instance, dst_uri;
    std::string_view reply_route, failure_route;
    net::Destination to;
    const net::Target* more = nullptr; // servers not tried yet
    std::uint8_t more_count = 0;
    Instant again_at = task::never, out_at = task::never, cancel_again_at = task::never;
    std::uint32_t again_ms = 0, cancel_ms = 0;
    std::uint32_t flags = 0;
    std::uint32_t reg_id = 0;
    Block reply; // the negative reply it got, while others are still at work
    std::uint32_t reply_size = 0;
    std::int16_t q = -1;
    std::uint16_t serial = 0, code = 0; // code: the last one; 408 and 503 of ours with `faked`
    std::uint8_t branch = 0, round = 0; // number for the script; which t_relay made it
    ClientState state = ClientState::calling;
    Cancelling cancelling = Cancelling::no;
    bool in_hand = false; // its final reply has come, and has not been dealt with
    bool faked = false, replied = false, dropped = false, replica = false, superseded = false,
         timed_out = false;
    const net::Listener* forced_socket = nullptr;

    bool is_pending() const { return state <= ClientState::proceeding && !superseded; }
    bool is_done() const { return state >= ClientState::accepted || superseded; }
};

// What a request of ours needs besides.
struct Own {
    OnReply on_reply;
    std::uint16_t seen_2xx = 0;
};

// All that goes when the wait for stragglers begins.
struct Saved {
    std::string_view request; // as received
    const sip::Edit* edits = nullptr;
    std::string_view ruri, dst_uri, path, reply_headers, advertised_host;
    bool ruri_changed = false, force_rport = false, add_local_rport = false, forward_no_connect = false,
         reply_no_connect = false, lumps_kept = false;
    std::uint16_t advertised_port = 0;
    const net::Listener* forced_socket = nullptr;
    std::optional<net::Protocol> mtu_protocol;
    std::uint32_t flags = 0, branch_flags = 0;
    std::array<std::uint64_t, 2> extended_flags{};
    AvpStore avps;
    Routes routes;
    Terms terms;
    std::uint16_t wishes = 0;
    Leg* legs = nullptr;
    Leg* last_leg = nullptr;
    std::string_view call_id, from, ruri_shown; // for the line at the end and for lists
    std::string_view reason;                    // of the last reply, for $T_reply_reason
    std::string_view cancel_reason;             // Reason lines of the caller's CANCEL
    std::string_view resume_route;
    char drop_mode = 0;          // t_drop_replies: a, l, n; 0: failure_reply_mode
    std::uint16_t codes[8] = {}; // that went upstream
    std::uint8_t code_count = 0;
    Own* own = nullptr;
};

struct Watches {
    std::array<Moments, most_watchers> moments{};
    std::array<std::uint64_t, most_watchers> notes{};
};

// A fiber that wants to run routes of a transaction while another one does.
struct Waiter {
    task::Event granted;
    Waiter* next = nullptr;
};

// The fixed part. Made by its owner worker, which alone frees it and touches its timer. Everything below
// `lock` is read and written under it, unless said otherwise.
struct Cell {
    Cell(std::uint32_t i, task::Worker& w, task::Job on_time)
        : index{i}, owner{&w}, timer{w, std::move(on_time)}
    {
    }

    const std::uint32_t index;
    task::Worker* const owner;
    task::Timer timer; // owner only

    Key key, call;        // written before it is in a table
    Cell* next = nullptr; // in the tables' chains, under their locks
    Cell* next_call = nullptr;

    SmallLock lock;
    std::uint32_t generation = 1;
    std::uint16_t holds = 0;  // fibers at work on it: it is not freed, and its store stays
    std::uint16_t source = 0; // counter of transactions per source address
    ServerState state = ServerState::trying;
    sip::Method method = sip::Method::other;
    bool in_use = false, invite = false, own = false, in_calls = false, gone = false, waiting = false,
         cancelled = false, suspended = false, turn_taken = false, logged = false, expired = false,
         failing = false;
    std::atomic<Moments> watched{0}; // what any watcher wants; read without the lock
    std::uint8_t round = 0, branches = 0;
    std::uint16_t serials = 0; // client transactions made
    std::uint16_t code = 0;    // of the last reply upstream
    std::uint16_t final_code = 0;
    std::uint32_t again_ms = 0; // G
    std::uint32_t cseq = 0;
    Instant created{}, again_at = task::never, out_at = task::never, life_until = task::never,
                       armed = task::never;
    net::Received received;
    net::Destination back; // where replies go
    Block reply;           // the last one, for retransmissions
    std::uint32_t reply_size = 0;
    Store store;
    Saved* saved = nullptr;     // in the store; null in the wait
    Watches* watches = nullptr; // in a block of its own: `ended` comes after the store is gone
    Block watches_block;
    Waiter* waiters = nullptr;

    TransactionId id() const { return {index, generation}; }
    bool is_reliable() const { return net::is_stream(back.protocol); }
    bool has_final() const { return state >= ServerState::accepted; }
};

Leg* leg_by_serial(Cell& cell, std::uint16_t serial);
Leg* leg_by_branch(Cell& cell, int branch);
bool has_pending(const Cell& cell);

} // namespace sipyard::tm
