// modules/dialog/ending.cpp - dialogs whose time has come, and requests of our own within them: BYE and
// keep-alive OPTIONS
#include "core/module/hop.h"
#include "core/sip/message.h"
#include "modules/dialog/dialog.h"
#include "modules/dialog/routes.h"

namespace sipyard::dialog {

void Dialogs::run_event(std::string_view event, Request& request, EndListener::How how)
{
    if (host_.has_event_route(event))
        (void)host_.run_event_route(event, request);
    if (end_listeners_.empty() || event == "dialog:start")
        return;
    if (const auto dialog = of(request))
        for (EndListener* const listener : end_listeners_)
            listener->on_end(request, *dialog, event == "dialog:failed" ? EndListener::How::failed : how);
}

void Dialogs::run_event(std::string_view event, const CallPtr& call, EndListener::How how)
{
    if (host_.has_event_route(event) || !end_listeners_.empty())
        with_made_up(call, [&](Request& request) { run_event(event, request, how); });
}

// A route wants a message in hand: an OPTIONS of the caller's, with the dialog's own identifiers. It is never
// sent.
void Dialogs::with_made_up(const CallPtr& call, const std::function<void(Request&)>& f)
{
    const Dialog d = call->facts.with([](const Facts& facts) { return facts.dialog; });
    const auto tagged = [](const Party& party) {
        return party.tag.empty() ? format("<{}>", party.uri) : format("<{}>;tag={}", party.uri, party.tag);
    };
    Arena arena;
    const std::string text = format(
        "OPTIONS {} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKdialog\r\nFrom: {}\r\nTo: {}\r\n"
        "Call-ID: {}\r\nCSeq: {} OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
        d.callee.uri, tagged(d.caller), tagged(d.callee), d.call_id, d.caller.cseq);
    const auto message = sip::Message::parse(text, arena);
    if (!message) {
        log_.error("no message for the routes of dialog {}: {}", d.call_id, message.error().text);
        return;
    }
    net::Received from;
    from.source = *net::Address::parse("127.0.0.1", 5060);
    from.local = from.source;
    if (const auto& listeners = host_.network().listeners(); !listeners.empty()) {
        from.listener = listeners.front().get();
        from.protocol = from.listener->protocol;
        from.local = from.listener->bound;
    }
    Request request{host_, arena, **message, from, Route::event};
    Context& mine = context(request);
    mine.call = call;
    mine.direction = Direction::downstream;
    f(request);
}

// --- time is up ----------------------------------------------------------------------------------

void Dialogs::due(const Agenda::Item& item)
{
    const CallPtr call = table_.find(item.entry, item.id);
    if (!call)
        return;
    // What sends may wait for a name server, and others are due as well: a fiber of its own.
    const auto apart = [&](void (Dialogs::*what)(const CallPtr&)) {
        host_.runtime().worker(0).spawn_always([this, call, what] { (this->*what)(call); });
    };
    if (item.task == Task::keepalive) {
        apart(&Dialogs::on_keepalive);
        return;
    }
    const bool now = call->facts.with([&](Facts& facts) {
        if (item.when != facts.appointed)
            return false; // an earlier appointment has taken its place
        facts.appointed = Instant{INT64_MAX};
        if (facts.deadline > host_.clock().now()) { // it was moved meanwhile
            set_deadline(call, facts, facts.deadline);
            return false;
        }
        facts.deadline = Instant{INT64_MAX};
        return true;
    });
    if (now && call->facts.with([](const Facts& f) { return f.dialog.state == State::deleted; }))
        on_deadline(call);
    else if (now)
        apart(&Dialogs::on_deadline);
}

void Dialogs::on_deadline(const CallPtr& call)
{
    const auto [state, route, with_bye] = call->facts.with([](const Facts& facts) {
        return std::tuple{facts.dialog.state, facts.timeout_route, facts.timeout_bye};
    });
    if (state == State::deleted) {
        if (store_ && call->facts.with([](const Facts& f) { return f.stored; }))
            stored_later(call); // its row goes with it
        forget(call);
        return;
    }
    if (state < State::confirmed_no_ack) { // never answered
        log_.info("dialog {} was not answered within early_timeout", call->call_id);
        if (const auto change = advance(call, Event::timeout)) {
            failed_.add();
            changed(call, change->now, End::expired);
        }
        return;
    }
    if (!route.empty())
        with_made_up(call, [&](Request& request) {
            if (const auto ran = host_.run_route(Route::request, route, request); !ran)
                log_.error("timeout_route {}: {}", route, ran.error().text);
        });
    // The route may have given it more time.
    if (call->facts.with([&](const Facts& facts) { return facts.deadline != Instant{INT64_MAX}; }))
        return;
    if (with_bye)
        bye(call, Side::both, {});
    if (const auto change = advance(call, Event::timeout)) {
        expired_.add();
        changed(call, change->now, End::expired);
        run_event("dialog:end", call, EndListener::How::expired);
    }
}

// --- requests of our own -------------------------------------------------------------------------

// Towards one side, in the name of the other, whose sequence numbers go on (RFC 3261 12.2.1.1).
bool Dialogs::send(const CallPtr& call, Side to, std::string_view method, std::string_view headers,
                   tm::OnReply on_reply)
{
    const bool keepalive = method == "OPTIONS";
    struct Texts {
        Way way;
        std::string from, to, socket;
        std::uint32_t cseq;
    };
    const Texts t = call->facts.with([&](Facts& facts) {
        Dialog& d = facts.dialog;
        const Party& there = to == Side::caller ? d.caller : d.callee;
        Party& here = to == Side::caller ? d.callee : d.caller;
        Texts out{way_to(there.contact.empty() ? there.uri : there.contact, there.routes),
                  format("<{}>;tag={}", here.uri, here.tag), format("<{}>;tag={}", there.uri, there.tag),
                  there.socket, 0};
        // A keep-alive repeats a number that was used, so the side that hears it is not out of step with its
        // peer.
        out.cseq = keepalive ? std::max(here.cseq, 1u) : ++here.cseq;
        return out;
    });
    const std::string lines = t.way.route_lines + std::string{headers};
    tm::Outgoing request;
    request.method = method;
    request.request_uri = t.way.request_uri;
    request.from = t.from;
    request.to = t.to;
    request.call_id = call->call_id;
    request.cseq = t.cseq;
    request.headers = lines;
    for (const auto& listener : host_.network().listeners())
        if (listener->text() == t.socket)
            request.socket = listener.get();
    const auto sent = tm_.send(request, std::move(on_reply));
    if (!sent)
        log_.error("dialog {}: {} to the {}: {}", call->call_id, method,
                   to == Side::caller ? "caller" : "callee", sent.error().text);
    return sent.has_value();
}

void Dialogs::bye(const CallPtr& call, Side side, std::string_view headers)
{
    const std::string all = settings_.dlg_extra_hdrs + std::string{headers};
    const auto nothing = [](const tm::Incoming&) {};
    if (side != Side::caller)
        (void)send(call, Side::callee, "BYE", settings_.lreq_callee_headers + all, nothing);
    if (side != Side::callee)
        (void)send(call, Side::caller, "BYE", all, nothing);
}

Result<void> Dialogs::terminate(std::uint32_t entry, std::uint32_t id, Side side, std::string_view headers)
{
    const CallPtr call = table_.find(entry, id);
    if (!call)
        return Error{ErrorKind::not_found, "Dialog not found"};
    const auto change = advance(call, Event::bye); // who comes second finds it ended
    if (!change)
        return Error{ErrorKind::invalid, "the dialog is not answered, or over"};
    bye(call, side, headers);
    changed(call, change->now, End::bye_of_ours);
    run_event("dialog:end", call);
    return {};
}

// --- is anybody there? ---------------------------------------------------------------------------

void Dialogs::begin_keepalive(const CallPtr& call)
{
    if (settings_.ka_timer <= 0 || settings_.ka_interval <= 0)
        return;
    const bool begin = call->facts.with([](Facts& facts) {
        const bool wanted =
            (facts.ka_caller || facts.ka_callee) && !facts.ka_armed && facts.dialog.state == State::confirmed;
        facts.ka_armed = facts.ka_armed || wanted;
        return wanted;
    });
    if (begin)
        agenda_.add({after(settings_.ka_interval), call->entry, call->id, Task::keepalive});
}

void Dialogs::on_keepalive(const CallPtr& call)
{
    const auto [caller, callee] = call->facts.with([](Facts& facts) {
        facts.ka_armed = false;
        const bool alive = facts.dialog.state == State::confirmed;
        return std::pair{alive && facts.ka_caller, alive && facts.ka_callee};
    });
    const auto ask = [&](Side side) {
        (void)send(call, side, "OPTIONS", {},
                   [this, entry = call->entry, id = call->id, side](const tm::Incoming& in) {
                       const CallPtr asked = in.code >= 200 ? table_.find(entry, id) : nullptr;
                       if (!asked)
                           return;
                       const bool dead = in.code == 408 || in.code == 481;
                       const bool over = asked->facts.with([&](Facts& facts) {
                           int& failures =
                               side == Side::caller ? facts.ka_failed_caller : facts.ka_failed_callee;
                           failures = dead ? failures + 1 : 0;
                           return failures >= settings_.ka_failed_limit && dead;
                       });
                       if (over) {
                           log_.info("dialog {}: the {} does not answer any more", asked->call_id,
                                     side == Side::caller ? "caller" : "callee");
                           (void)terminate(entry, id, Side::both, {});
                       }
                   });
    };
    if (caller)
        ask(Side::caller);
    if (callee)
        ask(Side::callee);
    begin_keepalive(call);
}

} // namespace sipyard::dialog
