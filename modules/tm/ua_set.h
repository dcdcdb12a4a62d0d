// modules/tm/ua_set.h - a set of dialogs of ours: everything here runs on its strand
#pragma once

#include "core/module/host.h"
#include "core/sip/dialog.h"
#include "modules/tm/dialogs_api.h"
#include "modules/tm/ua_alarms.h"
#include "modules/tm/ua_call.h"
#include "modules/tm/ua_session.h"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sipyard::tm {

// What all sets share. Lives longer than they do.
struct UaCommon {
    Api& tm;
    Host& host;
    Alarms alarms;
    log::Logger log;
    struct Counts {
        Counter &sets, &full, &late_refused, &glare, &expired, &no_ack, &unknown, &lost, &challenged;
    } counts;
    std::function<void(std::uint64_t)> forget; // takes a set out of the table
};

// A request of ours: what is needed to send it once more, with credentials, another Min-SE or after glare.
struct Sent {
    std::string method, headers, content_type, body, next_hop,
        request_uri; // request_uri: outside of a dialog only
    std::uint32_t cseq = 0, fork = 0;
    std::uint64_t note = 0;
    const net::Listener* socket = nullptr;
    net::ConnectionId connection;
    TransactionId transaction;
    std::uint32_t round = 0; // sendings so far; replies to earlier ones are not looked at
    int glares = 0, resizes = 0;
    bool initial = false, refresh = false, retry_glare = true, final_seen = false, run_local_route = true,
         tells_owner = true;
    Who ack = Who::owner;
    std::string credentials; // as sent; the ACK repeats them (RFC 3261 22.1)
    Duration final_timeout{0}, ringing_timeout{0};
};

// The ACK to the 2xx of an INVITE of ours.
struct OurAck {
    std::uint32_t cseq = 0;
    bool sent = false;
    std::string headers, content_type, body, credentials;
};

// A request of theirs that has not had its final answer.
struct Theirs {
    TransactionId id;
    sip::Method method = sip::Method::other;
    std::string bytes; // as received
    net::Received from;
    net::Destination back;
    bool initial = false;
};

// Our 2xx to an INVITE, until its ACK comes (RFC 3261 13.3.1.4).
struct OurAnswer {
    std::uint32_t cseq = 0;
    std::string bytes;
    net::Destination to;
    Duration next{0};
    Instant until{};
    Alarms::Id alarm;
};

// A reliable provisional reply of ours, until its PRACK comes (RFC 3262 3).
struct OurReliable {
    TransactionId id;
    std::uint32_t rseq = 0, cseq = 0;
    int code = 0;
    std::string reason, headers, content_type, body;
    Duration next{0};
    Instant until{};
    Alarms::Id alarm;
};

// A subscription in a dialog (RFC 5057).
struct Subscription {
    std::string event, id;
    bool ours = true; // we subscribe; else we notify
    Instant until{};
};

struct Fork {
    explicit Fork(std::uint32_t n, sip::Dialog d) : number{n}, dialog{std::move(d)} {}
    std::uint32_t number;
    sip::Dialog dialog;
    bool has_call = false, told_end = false, bye_wanted = false, peer_updates = false,
         peer_updates_known = false, update_refused = false;
    CallRole role = CallRole::caller;
    CallState call = CallState::calling;
    Ended why = Ended::local_bye;
    std::string bye_headers;
    Unanswered open;
    ReliableOrder reliable_order;
    std::vector<OurAck> acks; // of the last two INVITEs
    std::optional<OurAnswer> answer;
    std::optional<OurReliable> reliable;
    struct Later { // replies that must wait for a PRACK
        TransactionId id;
        int code;
        std::string reason, headers, content_type, body;
        bool reliable;
    };
    std::deque<Later> after_prack;
    std::uint32_t rseq = 0;
    std::vector<Theirs> theirs;
    std::vector<Subscription> subscriptions;
    std::shared_ptr<Sent> invite_out; // our re-INVITE that is not answered; shared with its transaction
    std::deque<std::shared_ptr<Sent>> waiting; // INVITE and UPDATE until those under way are done
    SessionTimer session;
    Alarms::Id refresh_alarm, expiry_alarm, glare_alarm, leftover_alarm;
    std::string sdp_type, sdp; // the last one we sent, for refreshes
    std::string their_sdp;     // the last one they sent: an equal one is a refresh

    bool is_over() const { return (!has_call || call == CallState::ended) && subscriptions.empty(); }
};

// A copy of what tm told, on its way to the strand.
struct Arrived {
    int code = 0;
    std::string reason, bytes;
    bool last = false, repeated = false;
    net::Received from;
};

class DialogSet : public std::enable_shared_from_this<DialogSet> {
public:
    DialogSet(UaCommon& common, std::uint64_t id, const DialogSetup& setup, std::string call_id,
              std::string local_tag, std::string contact);
    DialogSet(UaCommon& common, std::uint64_t id, const CalleeSetup& setup, sip::Dialog dialog,
              std::string contact);

    const std::uint64_t id;
    const std::string call_id, local_tag;
    bool post(std::function<void(DialogSet&)> job); // any thread
    task::Strand& strand() { return *strand_; }
    bool we_call() const { return we_call_; }

    // --- on the strand ---
    void begin(); // sends the first request
    void begin_callee(Request& request, TransactionId transaction);
    void on_reply(const std::shared_ptr<Sent>& sent, std::uint32_t round, const Arrived& arrived);
    void on_request(Request& request, TransactionId transaction);
    bool on_ack(const sip::Message& ack);      // false: not of a 2xx of ours
    void on_cancel(TransactionId transaction); // theirs
    void again(const std::string& uri, const std::string& headers);
    void cancel(const std::string& headers);
    void bye(std::uint32_t fork, const std::string& headers, int code);
    void ack(std::uint32_t fork, const std::string& headers, const std::string& type,
             const std::string& body);
    void prack(std::uint32_t fork, std::uint32_t rseq, const std::string& type, const std::string& body,
               std::uint64_t note);
    void request(std::uint32_t fork, std::shared_ptr<Sent> sent);
    void reply(std::uint32_t fork, TransactionId transaction, const Reply& reply, bool reliable);
    void drop(std::uint32_t fork);
    void describe(std::vector<DialogInfo>& into, std::size_t most) const;

private:
    // --- ua_send.cpp: what leaves ---
    void transmit(const std::shared_ptr<Sent>& sent);
    void transmit_when_free(Fork& fork, const std::shared_ptr<Sent>& sent);
    void send_waiting(Fork& fork);
    void send_ack(Fork& fork, const OurAck& ack);
    void send_bye(Fork& fork);
    bool repeat_with_credentials(const std::shared_ptr<Sent>& sent, const sip::Message& reply);
    bool repeat_with_min_se(const std::shared_ptr<Sent>& sent, const sip::Message& reply);
    bool repeat_after_glare(const std::shared_ptr<Sent>& sent);
    std::shared_ptr<Sent> make(std::string_view method, const Fork& fork) const;

    // --- ua_caller.cpp: what comes back ---
    void on_invite_reply(const std::shared_ptr<Sent>& sent, const Arrived& arrived,
                         const sip::Message* message);
    void on_invite_success(const std::shared_ptr<Sent>& sent, const Arrived& arrived,
                           const sip::Message& message, Fork& fork, bool created);
    void on_first_failure(const std::shared_ptr<Sent>& sent, const Arrived& arrived,
                          const sip::Message* message);
    void on_other_reply(const std::shared_ptr<Sent>& sent, const Arrived& arrived,
                        const sip::Message* message);
    void on_in_dialog_reply(Fork& fork, const std::shared_ptr<Sent>& sent, const Arrived& arrived,
                            const sip::Message* message);
    void after_final(Fork& fork, const Sent& sent, int code, const sip::Message* message);
    void take_reliable(Fork& fork, const Sent& sent, const sip::Message& message, DialogReply& told,
                       bool& skip);
    void tell(const DialogReply& reply);
    DialogReply told(const Sent& sent, const Arrived& arrived, const sip::Message* message,
                     const Fork* fork) const;
    Fork* fork_of_reply(const Sent& sent, const sip::Message& message, bool& created);

    // --- ua_callee.cpp: what they ask ---
    void take(Fork& fork, Request& request, TransactionId transaction);
    void take_bye(Fork& fork, Request& request);
    bool take_prack(Fork& fork, Request& request);
    bool take_offer(Fork& fork, Request& request); // false: answered
    void default_answer(Fork& fork, Request& request, TransactionId transaction);
    void give(Fork& fork, Theirs& theirs, const Reply& reply, bool reliable);
    void give_2xx_to_invite(Fork& fork, Theirs& theirs, const Reply& reply);
    void repeat_answer(std::uint32_t fork, std::uint32_t cseq);
    void repeat_reliable(std::uint32_t fork, std::uint32_t rseq);
    void answered(Fork& fork, TransactionId transaction); // it is not open any more
    void prack_came(Fork& fork);
    std::string reply_headers(const Fork& fork, const Theirs& theirs, const Reply& reply,
                              const std::string& more) const;

    // --- ua_set.cpp ---
    Fork* fork_by(std::uint32_t number);
    Fork* fork_by_tag(std::string_view remote_tag);
    Fork& add_fork(sip::Dialog dialog);
    void end_call(Fork& fork, Ended why, int code, const sip::Message* message);
    void end_fork(Fork& fork, Ended why, int code = 0, const sip::Message* message = nullptr);
    void check_over(Fork& fork);
    void maybe_finish();
    void note_subscription(Fork& fork, std::string_view event, std::string_view id, bool ours,
                           std::optional<std::uint32_t> expires);
    void drop_subscription(Fork& fork, std::string_view event, std::string_view id, bool ours);
    void arm_leftover(Fork& fork);
    void set_session(Fork& fork, const SessionTimer& timer);
    void stop_timers(Fork& fork);
    void refresh_session(Fork& fork);
    void note_peer(Fork& fork, const sip::Message& message);
    Alarms::Id alarm(Duration delay, std::function<void(DialogSet&)> job);
    Instant now() const;

    UaCommon& common_;
    std::shared_ptr<DialogOwner> owner_;
    std::shared_ptr<task::Strand> strand_; // shared with other sets when the owner wants it
    std::string from_, to_, contact_, next_hop_;
    const net::Listener* socket_;
    net::ConnectionId connection_;
    const bool we_call_;
    const Who auto_prack_;
    const Late late_;
    SessionSettings session_;
    DigestSession digest_;
    std::shared_ptr<Sent> first_; // shared with the transaction's callback; null for a callee
    std::uint32_t cseq_ = 0, forks_made_ = 0, winner_ = 0;
    std::vector<std::unique_ptr<Fork>> forks_;
    bool cancelled_ = false, first_failed_ = false, first_done_ = false, finished_ = false;
    int first_code_ = 0;
    Ended why_ = Ended::failed;
    Alarms::Id cancel_guard_;
    const Instant since_;
};

// The value of a field in whole lines ("Event"); "" when it is not there.
std::string_view line_value(std::string_view lines, std::string_view name);
bool has_line(std::string_view lines, std::string_view name);
constexpr Duration t1 = std::chrono::milliseconds{500}, t2 = std::chrono::seconds{4},
                   t1_64 = std::chrono::seconds{32};

} // namespace sipyard::tm
