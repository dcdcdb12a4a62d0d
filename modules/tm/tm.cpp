// modules/tm/tm.cpp - construction, and the manifest: what scripts and other modules find here
#include "modules/tm/tm.h"

#include "core/base/text.h"
#include "modules/tm/ua_dialogs.h"

namespace sipyard::tm {

Tm::Counters::Counters(Host& host)
    : uas{host.counter("tmx", "UAS_transactions", "Transactions made by requests received")},
      uac{host.counter("tmx", "UAC_transactions", "Transactions of requests of our own")},
      rpl_received{host.counter("tmx", "rpl_received", "Replies that belong to a transaction")},
      rpl_relayed{host.counter("tmx", "rpl_relayed", "Replies passed on")},
      rpl_generated{host.counter("tmx", "rpl_generated", "Replies made here")},
      rpl_sent{host.counter("tmx", "rpl_sent", "Replies sent, passed on and made here")},
      rpl_absorbed{host.counter("tmx", "rpl_absorbed", "Replies that went no further")},
      refused{host.counter("tm", "refused", "Requests refused because there are max_transactions")},
      refused_source{host.counter("tm", "refused_source",
                                  "Requests refused because their source has max_per_source transactions")},
      retransmissions{host.counter("tm", "retransmissions", "Requests that came again")},
      by_class{&host.counter("tmx", "2xx_transactions", "Transactions that ended with 2xx"),
               &host.counter("tmx", "3xx_transactions", "Transactions that ended with 3xx"),
               &host.counter("tmx", "4xx_transactions", "Transactions that ended with 4xx"),
               &host.counter("tmx", "5xx_transactions", "Transactions that ended with 5xx"),
               &host.counter("tmx", "6xx_transactions", "Transactions that ended with 6xx")}
{
}

Tm::Tm(const Settings& settings, Host& host)
    : settings_{settings}, host_{host}, log_{host.logger("tm")}, slot_{host.slot<State>()},
      seed_{random_seed()}, matching_{settings.ruri_matching != 0, settings.via1_matching != 0,
                                      settings.callid_matching != 0, settings.callid_cseq_matching != 0},
      count_{host}, blocks_{host.runtime()}, slabs_{host.runtime(),
                                                    static_cast<std::size_t>(
                                                        std::max(settings.max_transactions, 1)),
                                                    [this](Cell& cell) { on_time(cell); }},
      requests_{static_cast<std::size_t>(std::max(settings.max_transactions, 1)), &Cell::key, &Cell::next},
      calls_{static_cast<std::size_t>(std::max(settings.max_transactions, 1)), &Cell::call, &Cell::next_call},
      sources_{std::make_unique<SourceCounts>()}, via_texts_{host.runtime()}
{
    if (!settings_.contacts_avp.empty() && settings_.contact_flows_avp.empty())
        throw StartupError{"contacts_avp needs contact_flows_avp too"};
    const Settings defaults;
    const struct {
        std::string_view name;
        bool set;
    } idle[] = {
        {"delete_timer", settings_.delete_timer != defaults.delete_timer},
        {"unix_tx_timeout", settings_.unix_tx_timeout != defaults.unix_tx_timeout},
        {"reparse_invite", settings_.reparse_invite != defaults.reparse_invite},
        {"blst_503_def_timeout", settings_.blst_503_def_timeout != defaults.blst_503_def_timeout},
        {"blst_503_min_timeout", settings_.blst_503_min_timeout != defaults.blst_503_min_timeout},
        {"blst_503_max_timeout", settings_.blst_503_max_timeout != defaults.blst_503_max_timeout},
        {"blst_methods_add", settings_.blst_methods_add != defaults.blst_methods_add},
        {"blst_methods_lookup", settings_.blst_methods_lookup != defaults.blst_methods_lookup},
        {"reparse_on_dns_failover", settings_.reparse_on_dns_failover != defaults.reparse_on_dns_failover},
        {"tw_append", !settings_.tw_append.empty()},
        {"pass_provisional_replies", settings_.pass_provisional_replies != defaults.pass_provisional_replies},
        {"local_ack_mode", settings_.local_ack_mode != defaults.local_ack_mode},
        {"dns_reuse_rcv_socket", settings_.dns_reuse_rcv_socket != defaults.dns_reuse_rcv_socket},
        {"xavp_contact", !settings_.xavp_contact.empty()},
        {"event_callback", !settings_.event_callback.empty()},
        {"event_callback_lres_sent", !settings_.event_callback_lres_sent.empty()},
        {"rich_redirect", settings_.rich_redirect != defaults.rich_redirect},
        {"exec_time_check", settings_.exec_time_check != defaults.exec_time_check},
        {"reply_relay_mode", settings_.reply_relay_mode != defaults.reply_relay_mode},
        {"enable_uac_fr", settings_.enable_uac_fr != defaults.enable_uac_fr},
    };
    for (const auto& row : idle)
        if (row.set)
            log_.warn("parameter {} has no meaning here and is ignored", row.name);
    const auto avp_of = [&](const std::string& name) {
        return must(host_.compile_variable(name.starts_with('$') ? name : "$avp(" + name + ")"));
    };
    if (!settings_.fr_timer_avp.empty())
        fr_avp_ = avp_of(settings_.fr_timer_avp);
    if (!settings_.fr_inv_timer_avp.empty())
        fr_inv_avp_ = avp_of(settings_.fr_inv_timer_avp);
    user_agent_ = std::make_unique<UserAgent>(*this, host_);
    takers_.add(*user_agent_);
    if (host_.checking())
        return;
    host_.add_message_hook(*this);
    host_.at_stop([this] { end_all_own(); });
}

Tm::~Tm()
{
    stopping_ = true;
    slabs_.each([this](Cell& cell) {
        OnReply doomed;
        drop_store(cell, doomed);
        blocks_.put(cell.reply);
        blocks_.put(cell.watches_block);
    });
}

Manifest<Tm> Tm::manifest()
{
    using M = Tm;
    using S = tm::Settings;
    constexpr RouteMask Q = Route::request | Route::event, QF = Q | Route::failure, QFB = QF | Route::branch,
                        QFTB = QFB | Route::tm_reply, QFC = QF | Route::core_reply | Route::tm_reply;
    const auto fn = []<class... A>(std::string name, Verdict (M::*member)(Request&, A...), RouteMask routes,
                                   std::string about) {
        return function(std::move(name), member, std::move(about), routes);
    };
    return {
        .name = "tm",
        .about = "Transactions: stateful forwarding, replies and requests of our own (RFC 3261 16, 17)",
        .offers = {offer_of<Api, M>(),
                   offer_of<Extras, M>(),
                   {Dialogs::name,
                    [](void* m) -> void* {
                        return static_cast<Dialogs*>(static_cast<M*>(m)->user_agent_.get());
                    }}},
        .params =
            {
                param("fr_timer", &S::fr_timer, "Milliseconds without any reply, or without an ACK"),
                param("fr_inv_timer", &S::fr_inv_timer, "Milliseconds an INVITE may ring"),
                param("max_inv_lifetime", &S::max_inv_lifetime,
                      "Milliseconds an INVITE transaction may be at work"),
                param("max_noninv_lifetime", &S::max_noninv_lifetime, "The same of other transactions"),
                param("wt_timer", &S::wt_timer, "Milliseconds a finished transaction waits for stragglers"),
                param("delete_timer", &S::delete_timer, "Ignored, with a warning"),
                param("retr_timer1", &S::retr_timer1, "First retransmission interval, milliseconds (T1)"),
                param("retr_timer2", &S::retr_timer2, "Longest retransmission interval, milliseconds (T2)"),
                param("noisy_ctimer", &S::noisy_ctimer,
                      "0: a lone INVITE nobody answered ends without a 408"),
                param("restart_fr_on_each_reply", &S::restart_fr_on_each_reply,
                      "0: fr_inv_timer starts anew only with a higher provisional reply"),
                param("auto_inv_100", &S::auto_inv_100, "Send a 100 to each INVITE at once"),
                param("auto_inv_100_reason", &S::auto_inv_100_reason, "Its reason phrase"),
                param("unix_tx_timeout", &S::unix_tx_timeout, "Ignored, with a warning"),
                param("aggregate_challenges", &S::aggregate_challenges,
                      "Collect the challenges of all branches in one 401 or 407"),
                param("reparse_invite", &S::reparse_invite,
                      "Ignored, with a warning: a CANCEL is always made of what was sent"),
                param("ac_extra_hdrs", &S::ac_extra_hdrs,
                      "Headers with this prefix go from the caller's CANCEL into ours"),
                param("blst_503", &S::blst_503, "A server that answers 503 is last in line for a while"),
                param("blst_503_def_timeout", &S::blst_503_def_timeout,
                      "Ignored, with a warning: dst_blocklist_expire counts"),
                param("blst_503_min_timeout", &S::blst_503_min_timeout, "Ignored, with a warning"),
                param("blst_503_max_timeout", &S::blst_503_max_timeout, "Ignored, with a warning"),
                param("blst_methods_add", &S::blst_methods_add, "Ignored, with a warning"),
                param("blst_methods_lookup", &S::blst_methods_lookup, "Ignored, with a warning"),
                param("cancel_b_method", &S::cancel_b_method,
                      "A branch without a reply when it is to be cancelled: 0 stop sending, 1 go on and "
                      "cancel when it rings, 2 cancel at once"),
                param("reparse_on_dns_failover", &S::reparse_on_dns_failover,
                      "Ignored, with a warning: the next server gets the same message with another Via"),
                param("on_sl_reply", &S::on_sl_reply, "onreply_route for replies without a transaction"),
                param("contacts_avp", &S::contacts_avp, "XAVP of t_load_contacts()"),
                param("contact_flows_avp", &S::contact_flows_avp, "XAVP of t_next_contact_flow()"),
                param("fr_timer_avp", &S::fr_timer_avp, "AVP with a transaction's own fr_timer, in seconds"),
                param("fr_inv_timer_avp", &S::fr_inv_timer_avp,
                      "AVP with a transaction's own fr_inv_timer, in seconds"),
                param("tw_append", &S::tw_append, "Ignored, with a warning"),
                param("unmatched_cancel", &S::unmatched_cancel,
                      "A CANCEL of no transaction: 0 forward statefully, 1 statelessly, 2 drop"),
                param("ruri_matching", &S::ruri_matching,
                      "The R-URI counts when RFC 2543 requests are matched"),
                param("via1_matching", &S::via1_matching,
                      "The top Via counts when RFC 2543 requests are matched"),
                param("callid_matching", &S::callid_matching, "The Call-ID counts too"),
                param("callid_cseq_matching", &S::callid_cseq_matching,
                      "Call-ID and CSeq count instead of the branch"),
                param("pass_provisional_replies", &S::pass_provisional_replies, "Ignored, with a warning"),
                param("default_code", &S::default_code, "Of t_reply() with an impossible code"),
                param("default_reason", &S::default_reason, "Its reason phrase"),
                param("disable_6xx_block", &S::disable_6xx_block, "Treat 6xx as any other negative reply"),
                param("local_ack_mode", &S::local_ack_mode,
                      "Ignored, with a warning: who sent the INVITE sends the ACK"),
                param("failure_reply_mode", &S::failure_reply_mode,
                      "Replies of earlier serial branches: 0 kept, 1 and 3 dropped, 2 the previous ones "
                      "dropped"),
                param("faked_reply_prio", &S::faked_reply_prio,
                      "Added to the rank of replies made here; higher is worse"),
                param("local_cancel_reason", &S::local_cancel_reason,
                      "Put a Reason into the CANCEL of branches that lost"),
                param("e2e_cancel_reason", &S::e2e_cancel_reason, "Copy the Reason of the caller's CANCEL"),
                param("remap_503_500", &S::remap_503_500, "A 503 goes up as 500"),
                param("failure_exec_mode", &S::failure_exec_mode,
                      "A branch that could not be sent counts as failed for the failure route"),
                param("dns_reuse_rcv_socket", &S::dns_reuse_rcv_socket, "Ignored, with a warning"),
                param("xavp_contact", &S::xavp_contact, "Ignored, with a warning"),
                param("event_callback", &S::event_callback,
                      "Ignored, with a warning: event routes are scripts"),
                param("event_callback_lres_sent", &S::event_callback_lres_sent, "Ignored, with a warning"),
                param("relay_100", &S::relay_100, "Pass on 100 replies"),
                param("rich_redirect", &S::rich_redirect, "Ignored, with a warning"),
                param("exec_time_check", &S::exec_time_check, "Ignored, with a warning"),
                param("reply_relay_mode", &S::reply_relay_mode, "Ignored, with a warning"),
                param("enable_uac_fr", &S::enable_uac_fr, "Ignored, with a warning"),
                param("max_transactions", &S::max_transactions,
                      "Most transactions at a time; beyond it a request gets 503"),
                param("max_per_source", &S::max_per_source,
                      "Most transactions at a time of one source address"),
            },
        .functions =
            {
                fn("t_relay", &M::t_relay, QF, "Forwards the request statefully"),
                fn("t_relay", &M::t_relay_addr, QF, "Forwards it to that host and port"),
                fn("t_relay_to_udp", &M::t_relay_proto<net::Protocol::udp>, QF, "Forwards it over UDP"),
                fn("t_relay_to_tcp", &M::t_relay_proto<net::Protocol::tcp>, QF, "Forwards it over TCP"),
                fn("t_relay_to_tls", &M::t_relay_proto<net::Protocol::tls>, QF, "Forwards it over TLS"),
                fn("t_relay_to", &M::t_relay_to, QF, "Forwards it to proto:host:port, with flags"),
                fn("t_forward_nonack", &M::t_forward_nonack, QF, "Forwards anything but an ACK"),
                fn("t_forward_nonack_udp", &M::t_relay_proto<net::Protocol::udp>, QF, "The same over UDP"),
                fn("t_forward_nonack_tcp", &M::t_relay_proto<net::Protocol::tcp>, QF, "The same over TCP"),
                fn("t_forward_nonack_tls", &M::t_relay_proto<net::Protocol::tls>, QF, "The same over TLS"),
                fn("t_newtran", &M::t_newtran, Q,
                   "Makes the transaction; ends the script for a retransmission"),
                fn("t_reply", &M::t_reply, QFC, "Answers with the transaction"),
                fn("t_send_reply", &M::t_send_reply, QFC,
                   "Answers, making the transaction when there is none"),
                fn("t_release", &M::t_release, QFC, "Nothing more will be done for the transaction"),
                fn("t_retransmit_reply", &M::t_retransmit_reply, Q, "Sends the last reply again"),
                fn("t_check_trans", &M::t_check_trans, QFTB | Route::core_reply,
                   "Absorbs retransmissions; tells whether there is a transaction"),
                fn("t_lookup_request", &M::t_lookup_request, Q, "Is there a transaction for this request?"),
                fn("t_lookup_cancel", &M::t_lookup_cancel, Q, "Is there an INVITE for this CANCEL?"),
                fn("t_relay_cancel", &M::t_relay_cancel, Q, "Cancels the INVITE's branches, if there is one"),
                fn("t_on_failure", &M::t_on<&Routes::failure>, QFTB, "Arms a failure_route"),
                fn("t_on_branch_failure", &M::t_on<&Routes::branch_failure>, QFTB,
                   "Arms event_route[tm:branch-failure:NAME]"),
                fn("t_on_reply", &M::t_on<&Routes::reply>, QFTB, "Arms an onreply_route"),
                fn("t_on_branch", &M::t_on<&Routes::branch>, QF, "Arms a branch_route"),
                fn("t_is_set", &M::t_is_set, any_route,
                   "Is a branch_route, failure_route or onreply_route armed?"),
                fn("t_branch_timeout", &M::t_branch_timeout, Route::failure | Route::event,
                   "Did this branch time out?"),
                fn("t_branch_replied", &M::t_branch_replied, Route::failure | Route::event,
                   "Had this branch been answered before?"),
                fn("t_any_timeout", &M::t_any_timeout, QFTB, "Did a branch time out?"),
                fn("t_any_replied", &M::t_any_replied, QFTB, "Has a branch been answered?"),
                fn("t_check_status", &M::t_check_status, QFTB | Route::core_reply, "Does the code match?"),
                fn("t_grep_status", &M::t_grep_status, QFTB, "Did a branch end with that code?"),
                fn("t_get_status_code", &M::t_get_status_code, QFC, "The code, as return code"),
                fn("t_is_canceled", &M::t_is_canceled, QFTB, "Has the caller cancelled?"),
                fn("t_is_expired", &M::t_is_expired, QFTB, "Has the transaction's time run out?"),
                fn("t_is_retr_async_reply", &M::t_is_retr_async_reply, Route::tm_reply,
                   "A reply that came again while the transaction is suspended"),
                fn("t_set_fr", &M::t_set_fr, QFTB, "fr_inv_timer and fr_timer of this transaction"),
                fn("t_reset_fr", &M::t_reset_fr, QFTB, "Back to the parameters"),
                fn("t_set_retr", &M::t_set_retr, QFTB, "Retransmission intervals of this transaction"),
                fn("t_reset_retr", &M::t_reset_retr, QFTB, "Back to the parameters"),
                fn("t_set_max_lifetime", &M::t_set_max_lifetime, QFTB, "Lifetime of this transaction"),
                fn("t_reset_max_lifetime", &M::t_reset_max_lifetime, QFTB, "Back to the parameters"),
                fn("t_set_auto_inv_100", &M::t_wish<with_auto_100, no_auto_100>, Q,
                   "Automatic 100 of this transaction"),
                fn("t_set_disable_6xx", &M::t_wish<no_6xx, with_6xx>, QFTB,
                   "6xx of this transaction as any other reply"),
                fn("t_set_disable_failover", &M::t_wish<no_failover, 0>, QFTB,
                   "No further servers for this transaction"),
                fn("t_set_no_e2e_cancel_reason", &M::t_wish<no_e2e_reason, 0>, QFTB,
                   "The caller's Reason stays out of our CANCEL"),
                fn("t_set_disable_internal_reply", &M::t_wish<no_internal_reply, 0>, QFTB,
                   "t_relay() answers nothing when it fails"),
                fn("t_drop_replies", &M::t_drop_replies, Route::failure,
                   "Replies so far take no part in the choice"),
                fn("t_save_lumps", &M::t_save_lumps, Q, "Later edits are of this branch set only"),
                fn("t_replicate", &M::t_replicate, Q, "A copy to another server, whose replies are dropped"),
                fn("t_replicate_udp", &M::t_replicate_proto<net::Protocol::udp>, Q, "The same over UDP"),
                fn("t_replicate_tcp", &M::t_replicate_proto<net::Protocol::tcp>, Q, "The same over TCP"),
                fn("t_replicate_tls", &M::t_replicate_proto<net::Protocol::tls>, Q, "The same over TLS"),
                fn("t_replicate_to", &M::t_replicate_to, Q, "The same to host:port over a protocol"),
                fn("t_uac_send", &M::t_uac_send, any_route, "Sends a request of our own"),
                fn("t_load_contacts", &M::t_load_contacts, QF,
                   "Sorts the destination set by q into contacts_avp"),
                fn("t_next_contacts", &M::t_next_contacts, QF,
                   "The next contacts of it become the destination set"),
                fn("t_next_contact_flow", &M::t_next_contact_flow, QF,
                   "Another flow of the instance whose flow failed"),
                fn("t_clean", &M::t_clean, any_route, "Ends transactions that should long have ended"),
                fn("t_use_uac_headers", &M::t_use_uac_headers, QFTB,
                   "For Kamailio's scripts: our CANCEL and ACK are always made of what was sent"),
            },
        .commands = {command("tm.stats", &M::rpc_stats, "Counts of transactions and replies"),
                     command("tm.list", &M::rpc_list, "Transactions, at most 1,000"),
                     command("tm.calls", &M::rpc_calls, "Calls being set up: who, where to, how far"),
                     command("tm.dialogs", &M::rpc_dialogs, "Dialogs of our own"),
                     command("tm.cancel", &M::rpc_cancel, "Cancels an INVITE: Call-ID, CSeq number"),
                     command("tm.reply", &M::rpc_reply,
                             "Answers a transaction: code, reason, index:label, -, headers, body"),
                     command("tm.reply_callid", &M::rpc_reply_callid,
                             "Answers an INVITE: code, reason, Call-ID, CSeq number"),
                     command("tm.hash_stats", &M::rpc_hash_stats, "Size of the tables"),
                     command("tm.clean", &M::rpc_clean, "Ends transactions that should long have ended"),
                     command("tm.t_uac_start", &M::rpc_uac_start,
                             "Sends a request: method, URI, next hop, socket, headers, body"),
                     command("tm.t_uac_wait", &M::rpc_uac_wait, "Sends a request and tells the answer")},
        .event_routes = {"tm:branch-failure:NAME", "tm:local-request", "tm:local-response",
                         "tm:local-ack-sent"},
    };
}

} // namespace sipyard::tm

SIPYARD_MODULE(sipyard::tm::Tm)
