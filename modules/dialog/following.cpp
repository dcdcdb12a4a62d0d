// modules/dialog/following.cpp - messages to states: INVITE, its replies, ACK, BYE and what is between them
// (RFC 3261 12)
#include "core/base/text.h"
#include "core/module/hop.h"
#include "core/sip/message.h"
#include "modules/dialog/dialog.h"
#include "modules/dialog/routes.h"

#include <algorithm>

namespace sipyard::dialog {

namespace {

constexpr std::int64_t kept_after_end = 5; // seconds: late replies and their routes still find the dialog

void set_time(const Clock& clock, std::int64_t& seconds, std::int16_t& ms)
{
    const std::int64_t now = clock.unix_ns() / 1'000'000;
    seconds = now / 1000;
    ms = static_cast<std::int16_t>(now % 1000);
}

// What a transaction's watcher remembers: which dialog, and whether this is the request that began it.
enum class Part : std::uint64_t { beginning = 1, refresh = 2 };
std::uint64_t note_of(const Call& call, Part part)
{
    return (static_cast<std::uint64_t>(part) << 48) | (static_cast<std::uint64_t>(call.entry) << 32) |
           call.id;
}

// Texts that come back in requests of ours: nothing in them may end a line or a URI.
bool is_plain(std::string_view text)
{
    return std::none_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '<' || c == '>' || c == '"' ||
               c == ';' || c == ',';
    });
}

// A Call-ID may hold more than that (RFC 3261 25.1 `word`), but nothing that ends a line or a word.
bool is_word(std::string_view text)
{
    return std::none_of(text.begin(), text.end(),
                        [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; });
}

std::string contact_of(const sip::Message& message)
{
    const auto contacts = message.contacts();
    sip::Uri uri;
    return !contacts.empty() && !contacts[0].is_star && sip::read(contacts[0].uri, uri).empty() &&
                   uri.is_sip()
               ? std::string{contacts[0].uri}
               : std::string{};
}

std::string socket_text(const Request& request)
{
    const net::Listener* const socket = received_socket(request);
    return socket ? socket->text() : std::string{};
}

} // namespace

Context::~Context()
{
    if (!made_here || !call || !owner)
        return;
    const bool unused = call->facts.with(
        [](const Facts& facts) { return !facts.tracked && facts.dialog.state == State::unconfirmed; });
    if (!unused)
        return;
    if (const auto change = owner->advance(call, Event::timeout))
        owner->changed(call, change->now, End::refused);
    owner->forget(call);
}

Context& Dialogs::context(Request& request)
{
    Context& mine = request.at(slot_);
    mine.owner = this;
    return mine;
}

CallPtr Dialogs::current(Request& request)
{
    Context& mine = context(request);
    const sip::Message& message = request.message();
    if (!mine.call && mine.looked != &message) {
        mine.looked = &message;
        const auto found = table_.find(message.call_id(), message.from_tag(), message.to_tag());
        mine.call = found.call;
        mine.direction = found.direction;
    }
    return mine.call;
}

std::int64_t Dialogs::lifetime(Request& request, const Context& mine) const
{
    if (timeout_variable_) {
        const Value given = timeout_variable_->get(request);
        const auto seconds = given.is_integer() ? std::optional{given.number()} : parse_int(given.text());
        if (seconds && *seconds > 0)
            return *seconds;
    }
    return mine.timeout > 0 ? mine.timeout : settings_.default_timeout;
}

Verdict Dialogs::manage(Request& request)
{
    const sip::Message& message = request.message();
    if (!message.is_request() || request.is_http())
        return Verdict::no();
    Context& mine = context(request);
    if (!message.to_tag().empty()) {
        if (!mine.call) { // as Kamailio: here the cookie is not asked for
            const auto found = table_.find(message.call_id(), message.from_tag(), message.to_tag());
            mine.call = found.call;
            mine.direction = found.direction;
        }
        if (!mine.call)
            return Verdict::no();
        follow(request, mine);
        return Verdict::yes();
    }
    if (message.method() != sip::Method::invite)
        return Verdict::no();
    if (mine.call)
        return Verdict::yes();
    if (settings_.detect_spirals) { // the same call on its second way through us, or a retransmission
        const auto found = table_.find(message.call_id(), message.from_tag(), {});
        if (found.call &&
            found.call->facts.with([](const Facts& f) { return f.dialog.state != State::deleted; })) {
            mine.call = found.call;
            mine.direction = Direction::downstream;
            return Verdict::yes();
        }
    }
    return Verdict::of(create(request, mine) != nullptr);
}

CallPtr Dialogs::create(Request& request, Context& mine)
{
    const sip::Message& message = request.message();
    const auto *from = message.from(), *to = message.to();
    if (!from || !to || !message.from_uri() || !message.to_uri() || !message.cseq() || from->tag().empty() ||
        !is_plain(from->tag()) || message.call_id().empty() || !is_word(message.call_id())) {
        log_.info("dlg_manage: no dialog for an INVITE without readable Call-ID, From tag, To or CSeq");
        return nullptr;
    }
    const CallPtr call = table_.add(message.call_id());
    if (!call) {
        log_.error("dlg_manage: there are {} dialogs, or too many of this Call-ID: not followed",
                   table_.size());
        return nullptr;
    }
    Dialog now;
    call->facts.with([&](Facts& facts) {
        Dialog& d = facts.dialog;
        d.request_uri = request.ruri();
        set_time(host_.clock(), d.begun, d.begun_ms);
        d.caller.uri = from->uri;
        d.caller.tag = from->tag();
        d.caller.contact = contact_of(message);
        d.caller.routes = joined_routes(message.record_routes());
        d.caller.socket = socket_text(request);
        d.caller.cseq = message.cseq()->number;
        d.callee.uri = to->uri;
        facts.lifetime = lifetime(request, mine);
        facts.flags = mine.flags;
        facts.timeout_bye = mine.timeout_bye || settings_.send_bye;
        facts.timeout_keeps = settings_.timeout_noreset;
        facts.timeout_route = mine.timeout_route;
        facts.variables = mine.variables;
        set_deadline(call, facts, after(settings_.early_timeout));
        now = d;
    });
    mine.call = call;
    mine.direction = Direction::downstream;
    mine.made_here = true;
    processed_.add();
    active_.add();
    // The cookie leads later requests back here, whatever has been done to their tags.
    if (const auto added = rr_.add_param(
            request, request.arena().concat(";", settings_.rr_param, "=", cookie(call->entry, call->id)));
        !added)
        log_.error("dlg_manage: {}", added.error().text);
    changed(call, now);
    return call;
}

// --- what the transaction tells ------------------------------------------------------------------

tm::Moments Dialogs::wants(Request& request, std::uint64_t& note)
{
    const sip::Message& message = request.message();
    if (!message.is_request() ||
        (message.method() != sip::Method::invite && message.method() != sip::Method::update))
        return 0;
    const bool beginning = message.to_tag().empty();
    if (beginning && message.method() == sip::Method::invite && settings_.dlg_flag >= 0 &&
        (request.flags & (1u << settings_.dlg_flag)))
        (void)manage(request);
    const Context* const mine = request.find(slot_);
    if (!mine || !mine->call)
        return 0;
    if (!beginning) {
        note = note_of(*mine->call, Part::refresh);
        return static_cast<tm::Moments>(tm::Moment::reply_out);
    }
    if (message.method() != sip::Method::invite ||
        !mine->made_here) // a spiral's own transaction tells nothing new
        return 0;
    mine->call->facts.with([](Facts& facts) { facts.tracked = true; });
    note = note_of(*mine->call, Part::beginning);
    return tm::Moment::reply_next | tm::Moment::reply_out | tm::Moment::ack_in | tm::Moment::ended;
}

void Dialogs::on(const tm::Happening& happening)
{
    const CallPtr call = table_.find(static_cast<std::uint32_t>(happening.note >> 32) & 0xffff,
                                     static_cast<std::uint32_t>(happening.note));
    if (!call)
        return;
    const auto part = static_cast<Part>(happening.note >> 48);
    if (part == Part::refresh) {
        if (happening.what == tm::Moment::reply_out)
            on_refresh(call, happening);
        return;
    }
    if (happening.what ==
        tm::Moment::reply_next) { // not later: the ACK and the BYE may come by another worker at once
        on_reply(call, happening);
    } else if (happening.what == tm::Moment::reply_out) {
        tell_script(call, happening);
    } else if (happening.what == tm::Moment::ack_in) {
        if (const auto change = advance(call, Event::ack)) {
            begin_keepalive(call);
            changed(call, change->now);
        }
    } else if (happening.what == tm::Moment::ended) {
        if (const auto change = advance(call, Event::transaction_gone)) {
            failed_.add();
            changed(call, change->now, End::refused);
        }
    }
}

void Dialogs::on_reply(const CallPtr& call, const tm::Happening& happening)
{
    const int code = happening.code;
    if (code <= 100)
        return;
    const Event event = code < 200 ? Event::provisional : code < 300 ? Event::answered : Event::refused;
    const auto change = advance(call, event, [&](Facts& facts) {
        Dialog& d = facts.dialog;
        if (event == Event::refused)
            d.code = code;
        if (event != Event::answered)
            return;
        // The first 2xx decides which of the forks is the dialog; the caller ends the others (RFC
        // 3261 13.2.2.4).
        set_time(host_.clock(), d.started, d.started_ms);
        if (is_plain(happening.to_tag))
            d.callee.tag = happening.to_tag;
        if (happening.reply) {
            const sip::Message& reply = happening.reply->message();
            d.callee.contact = contact_of(reply);
            d.callee.routes = routes_to_callee(reply.record_routes(), cookie(call->entry, call->id),
                                               settings_.rr_param, d.caller.routes);
            d.callee.socket = socket_text(*happening.reply);
        }
        set_deadline(call, facts, after(std::min<std::int64_t>(settings_.noack_timeout, facts.lifetime)));
    });
    if (!change)
        return;
    if (event == Event::refused)
        failed_.add();
    changed(call, change->now, event == Event::refused ? End::refused : End::none);
}

// dialog:start and dialog:failed, once each; when the reply has left, since the routes may take their time.
void Dialogs::tell_script(const CallPtr& call, const tm::Happening& happening)
{
    if (happening.code < 200)
        return;
    const bool first = call->facts.with([](Facts& facts) { return !std::exchange(facts.told, true); });
    Request* const message = !first ? nullptr : happening.reply ? happening.reply : happening.request();
    if (!message)
        return;
    if (Context& theirs = context(*message); !theirs.call)
        theirs.call = call;
    run_event(happening.code < 300 ? "dialog:start" : "dialog:failed", *message);
}

// A re-INVITE or UPDATE that is accepted moves the contacts of both sides (RFC 3261 12.2.1.2, 12.2.2).
void Dialogs::on_refresh(const CallPtr& call, const tm::Happening& happening)
{
    if (happening.code < 200 || happening.code > 299)
        return;
    Request* const request = happening.request();
    const std::string asked = request ? contact_of(request->message()) : std::string{};
    const std::string answered = happening.reply ? contact_of(happening.reply->message()) : std::string{};
    const std::string from_tag{request ? request->message().from_tag() : std::string_view{}};
    const auto now = call->facts.with([&](Facts& facts) -> std::optional<Dialog> {
        Dialog& d = facts.dialog;
        const bool by_caller = from_tag == d.caller.tag;
        Party &asker = by_caller ? d.caller : d.callee, &other = by_caller ? d.callee : d.caller;
        const bool moved =
            (!asked.empty() && asked != asker.contact) || (!answered.empty() && answered != other.contact);
        if (!moved || d.state == State::deleted)
            return {};
        if (!asked.empty())
            asker.contact = asked;
        if (!answered.empty())
            other.contact = answered;
        facts.changed = true;
        return d;
    });
    if (now)
        changed(call, *now);
}

// --- requests within the dialog ------------------------------------------------------------------

void Dialogs::on_loose_route(Request& request, sip::ParamsView params)
{
    const sip::Message& message = request.message();
    Context& mine = context(request);
    if (message.to_tag().empty() || mine.followed)
        return;
    mine.call = nullptr; // a variable may have found it by its tags alone
    enum : int { by_cookie_only = 0, cookie_then_tags = 1, tags_only = 2 };
    std::uint32_t entry = 0, id = 0;
    if (settings_.dlg_match_mode != tags_only) {
        const auto given = params.find(settings_.rr_param);
        if (given && read_cookie(*given, entry, id)) {
            if (const CallPtr call = table_.find(entry, id); call && call->call_id == message.call_id()) {
                // A forged or mixed-up cookie must not end somebody's call: the tags have to fit, too.
                mine.direction = call->facts.with([&](const Facts& facts) {
                    return direction_of(facts.dialog, message.from_tag(), message.to_tag());
                });
                if (mine.direction != Direction::none)
                    mine.call = call;
            }
        }
    }
    if (!mine.call && settings_.dlg_match_mode != by_cookie_only) {
        const auto found = table_.find(message.call_id(), message.from_tag(), message.to_tag());
        mine.call = found.call;
        mine.direction = found.direction;
    }
    mine.looked = &message;
    if (mine.call)
        follow(request, mine);
}

void Dialogs::follow(Request& request, Context& mine)
{
    if (mine.followed)
        return;
    mine.followed = true;
    const sip::Message& message = request.message();
    const CallPtr call = mine.call;
    const sip::Method method = message.method();
    const bool upstream = mine.direction == Direction::upstream;
    const std::uint32_t number = message.cseq() ? message.cseq()->number : 0;
    const std::int64_t again = timeout_variable_ || mine.timeout > 0 ? lifetime(request, mine) : 0;
    call->facts.with([&](Facts& facts) {
        Dialog& d = facts.dialog;
        Party& sender = upstream ? d.callee : d.caller;
        if (method != sip::Method::ack && number > sender.cseq) {
            sender.cseq = number;
            facts.changed = true;
        }
        if (method == sip::Method::ack || method == sip::Method::bye || d.state != State::confirmed)
            return;
        if (again > 0)
            facts.lifetime = again;
        if (!facts.timeout_keeps || again > 0) // a sign of life begins the lifetime anew
            set_deadline(call, facts, after(facts.lifetime));
    });
    if (method == sip::Method::ack) {
        if (const auto change = advance(call, Event::ack)) {
            begin_keepalive(call);
            changed(call, change->now);
        }
    } else if (method == sip::Method::bye) {
        if (const auto change = advance(call, Event::bye)) {
            changed(call, change->now, upstream ? End::bye_of_callee : End::bye_of_caller);
            run_event("dialog:end", request);
        }
    }
}

// --- states --------------------------------------------------------------------------------------

std::optional<Dialogs::Change> Dialogs::advance(const CallPtr& call, Event event,
                                                const std::function<void(Facts&)>& more)
{
    std::vector<std::pair<std::size_t, std::string>> left;
    const auto change = call->facts.with([&](Facts& facts) -> std::optional<Change> {
        Dialog& d = facts.dialog;
        const State from = d.state, to = next(from, event);
        if (to == from)
            return {};
        d.state = to;
        facts.changed = true;
        if (to == State::deleted) {
            set_time(host_.clock(), d.ended, d.ended_ms);
            left.swap(facts.profiles);
            const bool refused = from < State::confirmed_no_ack;
            // Kept a little for late messages; after a refusal for the ACK, if wait_ack says so.
            const std::int64_t keep = refused && !settings_.wait_ack
                                          ? 0
                                          : std::min<std::int64_t>(kept_after_end, settings_.end_timeout);
            set_deadline(call, facts, after(keep));
        } else if (to == State::confirmed) {
            set_deadline(call, facts, after(facts.lifetime));
        }
        if (more)
            more(facts);
        return Change{from, to, d};
    });
    for (const auto& [profile, value] : left)
        profiles_.remove(profile, value);
    if (change) {
        if (change->to == State::early)
            early_.add();
        if (change->from == State::early)
            early_.add(-1);
        if (change->to == State::deleted)
            active_.add(-1);
    }
    return change;
}

void Dialogs::changed(const CallPtr& call, const Dialog& now, End end)
{
    host_.announce(DialogChanged{now, end}, now.call_id);
    if (store_ && settings_.db_mode == 1)
        stored_later(call);
}

void Dialogs::forget(const CallPtr& call) { table_.remove(*call); }

// Appointments are never taken back; one is made only when the dialog has none that early.
void Dialogs::set_deadline(const CallPtr& call, Facts& facts, Instant when)
{
    const bool earlier = when < facts.appointed;
    facts.deadline = when;
    if (!earlier)
        return;
    facts.appointed = when;
    agenda_.add({when, call->entry, call->id, Task::deadline});
}

} // namespace sipyard::dialog
