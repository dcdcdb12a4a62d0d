// modules/tm/tm.h - the module: transactions of requests that come, of requests of our own, and the script's
// words for both
#pragma once

#include "core/base/regex.h"
#include "core/module/module.h"
#include "core/module/trail.h"
#include "modules/tm/api.h"
#include "modules/tm/cell.h"
#include "modules/tm/keys.h"
#include "modules/tm/reply_choice.h"
#include "modules/tm/settings.h"
#include "modules/tm/slabs.h"
#include "modules/tm/table.h"
#include "modules/tm/taker.h"

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::tm {

class Tm;
class UserAgent; // ua_dialogs.h

// What the module knows about the message in hand; in its request slot. Texts are in the request's arena.
struct State {
    State() = default;
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State(); // gives the hold back

    Tm* tm = nullptr;
    Cell* cell = nullptr; // held
    Leg* leg = nullptr;   // in branch, onreply and branch-failure routes
    int branch = -1;
    Routes routes; // armed before there is a transaction
    Terms terms;
    std::uint16_t wishes = 0;
    int reply_code = 0; // $T_reply_code in onreply and failure routes
    std::string_view reply_reason, reply_ruid;
    Request* reply = nullptr; // the reply that brought the failure route about; null when made here
    bool reply_faked = false, last_reply = false, reply_final = false;
    bool forked = false;             // a t_relay of this route has been under way
    bool holds_turn = false;         // this fiber runs the transaction's routes
    const char* used_ruri = nullptr; // what t_relay has taken already: not sent to again by the next one
    const char* used_dst = nullptr;
    bool ruri_used = false;
    bool owes_end = false; // made by t_newtran(): a script that neither relays nor answers ends it
    int failed_with = 0;   // of the last t_relay: 477, 478, 500 ...
};

// A branch about to be made, in the request's arena.
struct Sprout {
    std::string_view uri, dst_uri, path, ruid, instance;
    const net::Listener* socket = nullptr;
    std::uint32_t flags = 0, reg_id = 0;
    int q = -1;
    sip::Edits* edits = nullptr;
    net::Targets targets;
    net::Destination to;
    std::string_view bytes;
    Leg* leg = nullptr;
    std::uint16_t serial = 0;
    int error = 0; // a SIP code; 0: good so far
    bool dropped = false;
    Routes routes; // the branch route may arm its own
};

// How t_relay was asked.
struct How {
    std::string_view host; // "": where the R-URI or $du says
    std::uint16_t port = 0;
    std::optional<net::Protocol> protocol;
    bool no_100 = false, no_reply = false, no_failover = false, replica = false;
};

// A reply, or what stands for one, on its way up.
struct Coming {
    Request* request = nullptr; // the message; null when made here
    int code = 0;
    std::string_view reason;
    bool faked = false;
};

class Tm final : public Api, public Extras, public MessageHook, public Responder {
public:
    using Settings = tm::Settings;
    static Manifest<Tm> manifest();

    Tm(const Settings& settings, Host& host);
    ~Tm() override;

    // --- Api ---
    Result<Begun> begin(Request& request) override;
    TransactionId of(Request& request) override;
    Verdict relay(Request& request) override { return relay_how(request, {}); }
    bool is_merged(Request& request) override;
    std::string_view local_tag(Request& request) override;
    Result<void> reply(TransactionId id, const Reply& reply) override;
    Result<void> with_request(TransactionId id, Function<void(Request&)> f) override;
    Result<TransactionId> suspend(Request& request) override;
    Result<void> resume(TransactionId id, std::string_view route) override;
    void add_watcher(Watcher& watcher) override;
    Result<TransactionId> send(const Outgoing& request, OnReply on_reply) override;
    Result<Answer> ask(const Outgoing& request, Arena& arena) override;
    Result<void> send_once(const Outgoing& request) override;
    Result<void> cancel(TransactionId id, std::string_view headers) override;

    // --- Extras (tmx) ---
    int branch_index(Request& request) override;
    Info info(Request& request) override;
    Value of_branch(Request& request, std::string_view what) override;
    Request* stored_request(Request& request) override;
    Request* stored_reply(Request& request) override;
    Request* stored_invite(Request& request) override;
    bool cancel_branches(Request& request, Which which) override;
    Result<void> cancel_call(std::string_view call_id, std::uint32_t cseq, std::string_view headers) override;
    Result<void> reply_call(std::string_view call_id, std::uint32_t cseq, int code,
                            std::string_view reason) override;
    void flush_flags(Request& request, bool extended) override;
    bool drop(Request& request, int code) override;
    bool reuse_branch(Request& request) override;
    bool is_known(Request& request) override;
    Counts counts() override;

    // --- MessageHook ---
    bool take_request(Request& request) override;
    bool take_reply(Request& reply) override;
    void send_failed(const net::Destination& to, std::string_view bytes, const Error& why) override;

    // --- Responder ---
    Result<void> reply(Request& request, const Reply& reply) override;

    // For the files of this module that keep dialogs: asked about requests before the script sees them.
    Takers& takers() { return takers_; }
    Host& host() { return host_; }
    void release(Cell& cell); // a hold
    State& state(Request& request);

private:
    friend struct Hold;
    friend struct State;
    friend class Turn;
    struct Told; // a Happening

    // --- match.cpp: which transaction is it? ---
    Cell* match(const sip::Message& request, bool as_invite = false);
    Cell* find_held(TransactionId id);                             // null when it is gone
    Cell* find_call(std::string_view call_id, std::uint32_t cseq); // an INVITE by Call-ID; held
    Cell* make_cell(sip::Method method);                           // held once; null when the table is full
    void attach(Request& request, Cell& cell);
    void save(Request& request, Cell& cell);
    void save_edits(Request& request, Cell& cell); // under its lock
    void save_flags(const Request& request, Cell& cell);
    std::size_t source_place(const net::Address& source) const;
    Begun absorb(Request& request, Cell& cell); // a retransmission or an ACK
    Verdict check_trans(Request& request);
    Cell* invite_of(Request& request); // of a CANCEL or an ACK to a 2xx; held

    // --- rebuild.cpp: a request from what was kept ---
    Request* rebuild(Cell& cell, Arena& arena, Route route);
    void fill(Request& request, Cell& cell, Leg* leg);

    // --- forward.cpp: t_relay ---
    Verdict relay_how(Request& request, const How& how);
    Verdict relay_request(Request& request, State& s, const How& how);
    Verdict relay_ack(Request& request, const How& how);
    void forget_replies(Cell& cell);                      // under its lock
    int fork(Request& request, State& s, const How& how); // branches that left; else minus the SIP code
    std::span<Sprout> collect(Request& request, State& s);
    void run_branch_route(Request& request, State& s, Sprout& sprout, std::uint8_t branch);
    void locate(Request& request, const How& how, Sprout& sprout);
    bool prepare(Request& request, Cell& cell, Sprout& sprout, const net::Target& target);
    Leg* publish(Request& request, Cell& cell, Sprout& sprout, std::uint8_t branch,
                 const How& how); // under its lock
    std::string_view via_line(Request& request, const net::Listener& from, net::Protocol protocol,
                              std::string_view branch);
    bool send_leg(Cell& cell, Leg& leg, std::string_view bytes);
    bool try_next(Cell& cell, Leg& leg, Arena& arena); // the next server of the same branch
    Verdict give_up(Request& request, State& s, int code, const How& how);

    // --- replies.cpp: what branches answer ---
    void handle_reply(Cell& cell, Leg& leg, Request& reply, ClientDo what);
    void leg_answered(Cell& cell, Leg& leg, const Coming& coming, Arena& arena);
    void leg_failed(Cell& cell, Leg& leg, int code, Arena& arena);
    void finish(Cell& cell, Leg* last, const Coming& coming, Arena& arena);
    void pass_up(Cell& cell, const Coming& coming, Leg* leg, Arena& arena);
    void pass_late(Cell& cell, Request& reply);
    Leg* best_leg(Cell& cell);                                  // under its lock
    bool run_reply_route(Cell& cell, Leg& leg, Request& reply); // false: dropped
    void run_branch_failure(Cell& cell, Leg& leg, const Coming& coming, Arena& arena);
    bool run_failure_route(Cell& cell, std::string_view route, Leg* leg, const Coming& coming,
                           Arena& arena); // true: it dealt with it
    void add_challenges(Cell& cell, const Leg* chosen, Request& reply);
    void fail_later(Cell& cell, std::uint16_t serial); // a transport error, dealt with on a fiber of its own
    void send_ack(Cell& cell, Leg& leg, Request& reply);

    // --- upstream.cpp: replies to the caller ---
    bool claim(Cell& cell, int code); // false: a final reply has left already
    void send_up(Cell& cell, int code, std::string_view bytes, bool keep);
    Result<void> give(Cell& cell, Request& request, const Reply& reply);
    void send_trying(Request& request, Cell& cell);
    void log_end(Cell& cell, int code);

    // --- cancel.cpp ---
    Verdict relay_cancel(Request& request, const How& how);
    void cancel_legs(Cell& cell, std::string_view headers, int except_branch, bool give_487);
    void cancel_leg(Cell& cell, Leg& leg, std::string_view headers, Arena& arena);
    void send_cancel(Cell& cell, Leg& leg, std::string_view headers, Arena& arena);
    std::string_view reason_for(int code, Arena& arena) const;

    // --- timers.cpp ---
    std::uint32_t fr(const Cell& cell) const;
    std::uint32_t fr_inv(const Cell& cell) const;
    std::uint32_t t1(const Cell& cell) const;
    std::uint32_t t2(const Cell& cell) const;
    Instant now() const;
    void schedule(Cell& cell); // under its lock
    void settle(Cell& cell);   // under its lock: does the wait for stragglers begin?
    void on_time(Cell& cell);  // on the owner's loop
    void handle_timeouts(TransactionId id);
    void end(Cell& cell);                         // on the owner's loop or a fiber of it
    void drop_store(Cell& cell, OnReply& doomed); // under its lock
    void recycle(Cell& cell);                     // on its owner

    // --- watchers.cpp ---
    void ask_watchers(Request& request, Cell& cell);
    void tell(Cell& cell, Moment moment, Request* request, Request* reply, int code, std::string_view reason,
              int branch, std::string_view to_tag = {}, const net::Destination* to = nullptr);
    bool wants(const Cell& cell, Moment moment) const
    {
        return (cell.watched.load(std::memory_order_relaxed) & static_cast<Moments>(moment)) != 0;
    }

    // --- uac.cpp ---
    Result<std::string_view> compose(const Outgoing& request, Arena& arena) const;
    struct Composed {
        Outgoing out;
    };
    Result<void> compose_loose(Composed& composed, std::string_view method, std::string_view ruri,
                               std::string_view next_hop, std::string_view socket, std::string_view headers,
                               std::string_view body, Arena& arena) const;
    void own_reply(Cell& cell, Leg& leg, const Coming& coming);
    void end_all_own(); // at the end of the server: 487
    void end_own(Cell& cell, Leg& leg, int code, std::string_view reason);

    // --- functions.cpp: the script's words ---
    Verdict t_relay(Request& r) { return relay_how(r, {}); }
    Verdict t_relay_addr(Request& r, std::string_view host, std::optional<std::int64_t> port);
    template <net::Protocol protocol>
    Verdict t_relay_proto(Request& r, std::optional<std::string_view> host, std::optional<std::int64_t> port);
    Verdict t_relay_to(Request& r, std::optional<std::string_view> proxy,
                       std::optional<std::string_view> flags);
    Verdict t_newtran(Request& r);
    Verdict t_reply(Request& r, std::int64_t code, Literal reason);
    Verdict t_send_reply(Request& r, std::int64_t code, std::string_view reason);
    Verdict t_replicate(Request& r, std::optional<std::string_view> uri, std::optional<std::int64_t> port);
    template <net::Protocol protocol>
    Verdict t_replicate_proto(Request& r, std::string_view host, std::optional<std::int64_t> port);
    Verdict t_replicate_to(Request& r, std::string_view protocol, std::string_view host_port);
    Verdict t_release(Request& r);
    bool end_unanswered(Cell& cell);
    void end_unless_used(Cell& cell);
    Verdict t_retransmit_reply(Request& r);
    Verdict t_check_trans(Request& r) { return check_trans(r); }
    Verdict t_lookup_request(Request& r);
    Verdict t_lookup_cancel(Request& r, std::optional<std::int64_t> take_flags);
    Verdict t_relay_cancel(Request& r);
    template <std::string_view Routes::*which>
    Verdict t_on(Request& r, Literal name);
    Verdict t_is_set(Request& r, Literal what);
    Verdict t_check_status(Request& r, const Regex& re);
    Verdict t_grep_status(Request& r, std::int64_t code);
    Verdict t_get_status_code(Request& r);
    Verdict t_branch_timeout(Request& r);
    Verdict t_branch_replied(Request& r);
    Verdict t_any_timeout(Request& r);
    Verdict t_any_replied(Request& r);
    Verdict t_is_canceled(Request& r);
    Verdict t_is_expired(Request& r);
    Verdict t_is_retr_async_reply(Request& r);
    Verdict t_set_fr(Request& r, std::int64_t invite, std::optional<std::int64_t> other);
    Verdict t_reset_fr(Request& r);
    Verdict t_set_retr(Request& r, std::int64_t t1, std::int64_t t2);
    Verdict t_reset_retr(Request& r);
    Verdict t_set_max_lifetime(Request& r, std::int64_t invite, std::int64_t other);
    Verdict t_reset_max_lifetime(Request& r);
    template <std::uint16_t on, std::uint16_t off>
    Verdict t_wish(Request& r, std::int64_t value);
    Verdict t_use_uac_headers(Request& r);
    Verdict t_drop_replies(Request& r, std::optional<Literal> mode);
    Verdict t_save_lumps(Request& r);
    Verdict t_forward_nonack(Request& r, std::optional<std::string_view> host,
                             std::optional<std::int64_t> port);
    Verdict t_uac_send(Request& r, std::string_view method, std::string_view ruri, std::string_view next_hop,
                       std::string_view socket, std::string_view headers, std::string_view body);
    Verdict t_clean(Request& r);
    Verdict t_load_contacts(Request& r, std::optional<std::int64_t> mode);
    Verdict t_next_contacts(Request& r);
    Verdict t_next_contact_flow(Request& r);
    void change_terms(Request& r, void (*change)(Terms&, std::int64_t, std::int64_t), std::int64_t a,
                      std::int64_t b);

    // --- commands.cpp ---
    Result<json::Value> rpc_stats(const json::Value& params);
    Result<json::Value> rpc_list(const json::Value& params);
    Result<json::Value> rpc_calls(const json::Value& params);
    Result<json::Value> rpc_cancel(const json::Value& params);
    Result<json::Value> rpc_reply(const json::Value& params);
    Result<json::Value> rpc_reply_callid(const json::Value& params);
    Result<json::Value> rpc_hash_stats(const json::Value& params);
    Result<json::Value> rpc_clean(const json::Value& params);
    Result<json::Value> rpc_dialogs(const json::Value& params);
    Result<json::Value> rpc_uac_start(const json::Value& params);
    Result<json::Value> rpc_uac_wait(const json::Value& params);
    Result<json::Value> send_from_command(const json::Value& params, bool wait);

    struct Counters {
        Counter &uas, &uac, &rpl_received, &rpl_relayed, &rpl_generated, &rpl_sent, &rpl_absorbed, &refused,
            &refused_source, &retransmissions;
        std::array<Counter*, 5> by_class; // 2xx to 6xx
        explicit Counters(Host& host);
    };
    using SourceCounts = std::array<std::atomic<std::uint32_t>, 65'536>;

    const Settings settings_;
    Host& host_;
    const log::Logger log_;
    const Slot<State> slot_;
    const Seed seed_;
    const Matching matching_;
    Counters count_;
    Blocks blocks_;
    Slabs slabs_;
    Table requests_, calls_;
    const std::unique_ptr<SourceCounts> sources_;
    std::array<Watcher*, most_watchers> watchers_{}; // written at start only
    std::size_t watcher_count_ = 0;
    Takers takers_;
    task::PerWorker<std::vector<std::string>>
        via_texts_; // "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=" by socket
    std::atomic<bool> stopping_{false};
    std::unique_ptr<UserAgent> user_agent_;
    std::shared_ptr<const VariableRef> fr_avp_, fr_inv_avp_; // shared with the script engine
};

// A hold given back at the end of the scope.
struct Hold {
    Tm& tm;
    Cell* cell;
    Hold(Tm& t, Cell* c) : tm{t}, cell{c} {}
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    ~Hold()
    {
        if (cell)
            tm.release(*cell);
    }
    Cell* pass_on() { return std::exchange(cell, nullptr); }
};

// The right to run routes of a transaction: one fiber at a time, in the order they came. Not a task::Strand,
// since script functions take strands of their own and a fiber may hold one only; and it costs nothing when
// nobody else wants it.
class Turn {
public:
    Turn(Tm& tm, Cell& cell, bool wanted = true);
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn();

private:
    Cell* cell_ = nullptr;
};

std::string_view name_of(sip::Method method);
std::string crypto_token(); // for tags and Call-IDs

} // namespace sipyard::tm
