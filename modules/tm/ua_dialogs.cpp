// modules/tm/ua_dialogs.cpp - from messages and modules to the strand of the set they mean
#include "modules/tm/ua_dialogs.h"

#include "core/base/text.h"
#include "core/crypto/random.h"
#include "core/module/stateless.h"
#include "core/sip/build.h"
#include "core/sip/lists.h"

#include <algorithm>

namespace sipyard::tm {
namespace {

constexpr std::size_t tag_letters = 20; // a hundred bits nobody guesses

std::uint32_t first_cseq()
{
    return 1 + static_cast<std::uint32_t>(
                   crypto::random_below(1u << 30)); // below 2^31 with room for a long life (RFC 3261 8.1.1.5)
}

} // namespace

UserAgent::UserAgent(Api& tm, Host& host, std::size_t limit)
    : limit_{limit}, prefix_{"ua" + crypto::random_token(6) + "."}, slot_{host.slot<std::uint64_t>()},
      common_{tm,
              host,
              Alarms{host.runtime()},
              host.logger("tm"),
              {host.counter("dialogs", "sets", "Dialog sets begun by modules of this server"),
               host.counter("dialogs", "full", "Dialog sets refused since the table was full"),
               host.counter("dialogs", "late_refused",
                            "2xx of other forks, or after a CANCEL, ended with ACK and BYE"),
               host.counter("dialogs", "glare", "Offers that met another one (491)"),
               host.counter("dialogs", "expired", "Calls ended since no session refresh came"),
               host.counter("dialogs", "no_ack", "2xx of ours that were never acknowledged"),
               host.counter("dialogs", "unknown", "Requests for dialogs that are gone (481)"),
               host.counter("dialogs", "lost", "Events dropped since a queue was full"),
               host.counter("dialogs", "challenged", "Requests sent again with credentials")},
              [this](std::uint64_t id) { forget(id); }}
{
    tm.add_watcher(*this);
    // Owners are other modules', which are gone before this one: they are let go while everything still runs.
    host.at_stop([this] {
        for (auto& shard : sets_)
            for (const auto& [id, set] : shard.with([](const Sets& sets) { return sets; }))
                set->post([](DialogSet& s) { s.drop(0); });
    });
}

UserAgent::~UserAgent() = default;

// --- the table -----------------------------------------------------------------------------------

Result<void> UserAgent::add(const std::shared_ptr<DialogSet>& set)
{
    if (count_.fetch_add(1) >= limit_) {
        count_.fetch_sub(1);
        common_.counts.full.add();
        return Error{ErrorKind::overloaded, "the table of dialogs is full"};
    }
    const bool added = tags_[Hash{}(set->local_tag) % shards].with(
        [&](Tags& tags) { return tags.emplace(set->local_tag, set).second; });
    if (!added) {
        count_.fetch_sub(1);
        return Error{ErrorKind::unique, "a dialog with that tag is there already"};
    }
    sets_[set->id % shards].with([&](Sets& sets) { sets.emplace(set->id, set); });
    common_.counts.sets.add();
    return {};
}

void UserAgent::forget(std::uint64_t id)
{
    const auto gone = sets_[id % shards].with([&](Sets& sets) { return sets.extract(id); });
    if (!gone)
        return;
    const auto& tag = gone.mapped()->local_tag;
    const auto by_tag = tags_[Hash{}(tag) % shards].with([&](Tags& tags) { return tags.extract(tag); });
    count_.fetch_sub(1);
    if (!gone.mapped()->we_call())
        callees_.fetch_sub(1);
}

std::shared_ptr<DialogSet> UserAgent::find(std::string_view local_tag, std::string_view call_id)
{
    auto found = tags_[Hash{}(local_tag) % shards].with([&](Tags& tags) {
        const auto at = tags.find(local_tag);
        return at == tags.end() ? std::shared_ptr<DialogSet>{} : at->second;
    });
    return found && found->call_id == call_id ? found : nullptr;
}

std::shared_ptr<DialogSet> UserAgent::find(std::uint64_t id)
{
    return sets_[id % shards].with([&](Sets& sets) {
        const auto at = sets.find(id);
        return at == sets.end() ? std::shared_ptr<DialogSet>{} : at->second;
    });
}

void UserAgent::with(DialogId dialog, std::function<void(DialogSet&)> job)
{
    if (const auto set = find(dialog.set))
        set->post(std::move(job));
}

// --- messages ------------------------------------------------------------------------------------

// A stranger's tag costs a comparison or two. Ours as callee are tm's, which begin like the stateless ones.
bool UserAgent::may_be_ours(Request& request, std::string_view tag) const
{
    if (tag.starts_with(prefix_))
        return true;
    const StatelessReplies* const stateless = request.host().stateless();
    return !stateless || stateless->is_own_tag(tag);
}

bool UserAgent::take(Request& request)
{
    const sip::Message& message = request.message();
    if (!message.is_request() || message.is_http() || count_.load(std::memory_order_relaxed) == 0)
        return false;
    const std::string_view tag = message.to_tag();
    if (tag.empty())
        return message.method() == sip::Method::cancel && callees_.load(std::memory_order_relaxed) != 0 &&
               take_cancel(request, false);
    if (!may_be_ours(request, tag))
        return false;
    const auto set = find(tag, message.call_id());
    const auto method = message.method();
    if (!set) {
        if (!tag.starts_with(prefix_) || method == sip::Method::cancel)
            return false; // perhaps one of tm's replies; an ACK to it is tm's too
        common_.counts.unknown.add();
        if (method == sip::Method::ack)
            return true;
        if (const auto begun = common_.tm.begin(request); !begun || *begun == Begun::created)
            (void)request.reply({481, "Call/Transaction Does Not Exist", {}, {}, {}});
        return true;
    }
    if (method == sip::Method::ack)
        return take_ack(request, *set);
    if (method == sip::Method::cancel)
        return take_cancel(request, true);
    request.at(slot_) = set->id;
    const auto begun = common_.tm.begin(request);
    if (!begun) {
        (void)request.reply({503, "Service Unavailable", "Retry-After: 1\r\n", {}, {}});
        return true;
    }
    if (*begun != Begun::created)
        return true;
    const TransactionId transaction = common_.tm.of(request);
    if (!set->strand().run([&] { set->on_request(request, transaction); })) {
        common_.counts.lost.add();
        (void)request.reply({503, "Service Unavailable", "Retry-After: 1\r\n", {}, {}});
    }
    return true;
}

bool UserAgent::take_ack(Request& request, DialogSet& set)
{
    const auto ours = set.strand().run([&] { return set.on_ack(request.message()); });
    if (ours && !*ours)
        (void)common_.tm.begin(
            request); // to a refusal of ours: the transaction waits for it; else it is a copy
    return true;
}

bool UserAgent::take_cancel(Request& request, bool in_dialog)
{
    if (!in_dialog) {
        // Before our final reply only the INVITE's From tag and Call-ID are known to the caller; tm matches
        // it exactly.
        const auto tag = common_.tm.local_tag(request);
        if (tag.empty() || !find(tag, request.message().call_id()))
            return false;
    }
    (void)common_.tm.relay(request); // answers it, and tells our watcher about the INVITE
    return true;
}

Moments UserAgent::wants(Request& request, std::uint64_t& note)
{
    const auto* const set = request.find(slot_);
    if (!set || *set == 0)
        return 0;
    note = *set;
    return static_cast<Moments>(Moment::cancel_in);
}

void UserAgent::on(const Happening& happening)
{
    if (happening.what == Moment::cancel_in)
        with({happening.note, 0},
             [transaction = happening.id](DialogSet& set) { set.on_cancel(transaction); });
}

// --- for other modules ---------------------------------------------------------------------------

Result<const net::Listener*> UserAgent::socket_for(std::string_view text)
{
    TRY(const auto uri, sip::parse_uri(text));
    TRY(const auto targets, common_.host.locator().locate(net::wanted_of(uri)));
    if (const auto* const socket = common_.host.network().pick(targets.front().protocol, targets.front().to))
        return socket;
    return Error{ErrorKind::not_found, format("no socket for {}", text)};
}

Result<std::string> UserAgent::contact_for(std::string_view contact, std::string_view user,
                                           const net::Listener* socket) const
{
    if (!contact.empty())
        return std::string{contact};
    if (!socket)
        return invalid("no socket for the Contact");
    std::string made = "<sip:";
    if (!user.empty())
        made += sip::escape_user(user) + "@";
    made += socket->host() + ":" + std::to_string(socket->port());
    if (socket->protocol != net::Protocol::udp)
        made += ";transport=" + std::string{net::to_text(socket->protocol)};
    return made + ">";
}

Result<DialogId> UserAgent::start(const DialogSetup& given)
{
    if (!given.owner || given.request_uri.empty() || given.from.empty() || given.to.empty())
        return invalid("a dialog needs an owner, a Request-URI, From and To");
    const bool subscribe = given.method == "SUBSCRIBE";
    if (given.method != "INVITE" && !subscribe && given.method != "REFER")
        return invalid(format("{} begins no dialog", given.method));
    DialogSetup setup = given;
    if (setup.contact.empty() && !setup.socket) {
        sip::NameAddr route;
        std::string_view hop = setup.next_hop.empty() ? setup.request_uri : setup.next_hop;
        if (setup.next_hop.empty() && sip::read(line_value(setup.headers, "Route"), route).empty() &&
            !route.uri.empty())
            hop = route.uri;
        TRY(setup.socket, socket_for(hop));
    }
    TRY(auto contact, contact_for(setup.contact, setup.contact_user, setup.socket));
    std::string call_id{setup.call_id};
    if (call_id.empty())
        call_id = crypto::random_token(26);
    const auto set =
        std::make_shared<DialogSet>(common_, ++serials_, setup, std::move(call_id),
                                    prefix_ + crypto::random_token(tag_letters), std::move(contact));
    TRYV(add(set));
    if (!set->post([](DialogSet& s) { s.begin(); })) {
        forget(set->id);
        return Error{ErrorKind::overloaded, "the owner's strand is full"};
    }
    return DialogId{set->id, 0};
}

Result<Dialogs::Accepted> UserAgent::accept(Request& request, const CalleeSetup& setup)
{
    const sip::Message& message = request.message();
    const auto method = message.method();
    if (!setup.owner || !message.to_tag().empty() ||
        (method != sip::Method::invite && method != sip::Method::subscribe && method != sip::Method::refer))
        return invalid("only an INVITE, SUBSCRIBE or REFER outside of a dialog makes one");
    TransactionId transaction = common_.tm.of(request);
    if (!transaction && common_.tm.is_merged(request))
        return Error{ErrorKind::unique, "the same request came by another path"};
    TRY(auto dialog, sip::Dialog::as_callee(message, common_.tm.local_tag(request), first_cseq()));
    TRY(auto contact,
        contact_for(setup.contact, setup.contact_user,
                    request.received().listener ? request.received().listener
                                                : common_.host.network().pick(request.received().protocol,
                                                                              request.received().source)));
    const auto set =
        std::make_shared<DialogSet>(common_, ++serials_, setup, std::move(dialog), std::move(contact));
    if (!transaction) {
        request.at(slot_) = set->id;
        TRY(const auto begun, common_.tm.begin(request));
        if (begun != Begun::created)
            return Error{ErrorKind::not_found, "a retransmission"};
        transaction = common_.tm.of(request);
    }
    TRYV(add(set));
    ++callees_;
    // In this fiber, as the request is its: nobody else has the strand of a new set, and a shared one is
    // waited for.
    TRYV(set->strand().run([&] { set->begin_callee(request, transaction); }));
    return Accepted{{set->id, 1}, transaction};
}

void UserAgent::again(DialogId set, std::string_view request_uri, std::string_view headers)
{
    with(set, [uri = std::string{request_uri}, lines = std::string{headers}](DialogSet& s) {
        s.again(uri, lines);
    });
}

void UserAgent::cancel(DialogId set, std::string_view headers)
{
    with(set, [lines = std::string{headers}](DialogSet& s) { s.cancel(lines); });
}

void UserAgent::bye(DialogId dialog, std::string_view headers, int code)
{
    with(dialog, [fork = dialog.fork, lines = std::string{headers}, code](DialogSet& s) {
        s.bye(fork, lines, code);
    });
}

void UserAgent::ack(DialogId dialog, std::string_view content_type, std::string_view body,
                    std::string_view headers)
{
    with(dialog, [fork = dialog.fork, type = std::string{content_type}, text = std::string{body},
                  lines = std::string{headers}](DialogSet& s) { s.ack(fork, lines, type, text); });
}

void UserAgent::prack(DialogId dialog, std::uint32_t rseq, std::string_view content_type,
                      std::string_view body, std::uint64_t note)
{
    with(dialog, [fork = dialog.fork, rseq, type = std::string{content_type}, text = std::string{body},
                  note](DialogSet& s) { s.prack(fork, rseq, type, text, note); });
}

void UserAgent::request(DialogId dialog, const DialogSend& send)
{
    auto sent = std::make_shared<Sent>(); // shared with the transaction's callback
    sent->method = send.method;
    sent->headers = send.headers;
    sent->content_type = send.content_type;
    sent->body = send.body;
    sent->next_hop = send.next_hop;
    sent->socket = send.socket;
    sent->connection = send.connection;
    sent->note = send.note;
    sent->retry_glare = send.retry_glare;
    sent->ack = send.ack;
    sent->final_timeout = send.final_timeout;
    with(dialog, [fork = dialog.fork, sent](DialogSet& s) { s.request(fork, sent); });
}

void UserAgent::reply(DialogId dialog, TransactionId id, const Reply& given, bool reliable)
{
    struct Kept {
        int code;
        std::string reason, headers, content_type, body;
    };
    auto kept = std::make_shared<Kept>(Kept{given.code, std::string{given.reason}, std::string{given.headers},
                                            std::string{given.content_type}, std::string{given.body}});
    with(dialog, [fork = dialog.fork, id, kept, reliable](DialogSet& s) {
        s.reply(fork, id, {kept->code, kept->reason, kept->headers, kept->content_type, kept->body},
                reliable);
    });
}

void UserAgent::drop(DialogId dialog)
{
    with(dialog, [fork = dialog.fork](DialogSet& s) { s.drop(fork); });
}

std::vector<DialogInfo> UserAgent::list(std::size_t most, std::uint64_t after)
{
    std::vector<std::shared_ptr<DialogSet>> chosen;
    for (auto& shard : sets_)
        shard.with([&](Sets& sets) {
            std::size_t taken = 0;
            for (auto at = sets.upper_bound(after); at != sets.end() && taken < most; ++at, ++taken)
                chosen.push_back(at->second);
        });
    std::sort(chosen.begin(), chosen.end(), [](const auto& a, const auto& b) { return a->id < b->id; });
    if (chosen.size() > most)
        chosen.resize(most);
    struct Seen {
        std::vector<DialogInfo> infos;
    };
    std::vector<DialogInfo> all;
    for (const auto& set : chosen) {
        const auto seen = std::make_shared<Seen>(); // shared with a job that may come after we have left
        task::Event done;
        if (!set->post([seen, done, most](DialogSet& s) {
                s.describe(seen->infos, most);
                done.signal();
            }))
            continue;
        if (!done.wait(common_.host.clock().now() + 1s))
            continue; // its owner is busy
        all.insert(all.end(), seen->infos.begin(), seen->infos.end());
        if (all.size() >= most)
            break;
    }
    return all;
}

json::Value UserAgent::as_json()
{
    auto rows = json::Value::array();
    for (const DialogInfo& info : list(1000, 0)) {
        auto row = json::Value::object();
        row.set("set", info.id.set)
            .set("fork", info.id.fork)
            .set("state", info.state)
            .set("role", info.caller ? "caller" : "callee");
        row.set("call_id", info.call_id).set("local_tag", info.local_tag).set("remote_tag", info.remote_tag);
        row.set("local", info.local).set("remote", info.remote).set("target", info.target);
        row.set("subscriptions", info.subscriptions).set("age", info.age_seconds);
        rows.add(std::move(row));
    }
    return rows;
}

} // namespace sipyard::tm
