// modules/pua_dialoginfo/watching.cpp - what tm and dialog tell of a call, made into documents (spec
// presence 7.3)
#include "core/crypto/random.h"
#include "core/sip/message.h"
#include "modules/pua_dialoginfo/pua_dialoginfo.h"

namespace sipyard::pua_dialoginfo {

namespace {

std::uint64_t key_of(std::uint32_t entry, std::uint32_t id)
{
    return (static_cast<std::uint64_t>(entry) << 32) | id;
}

// What a watcher remembers with a transaction: the dialog, and whether this is the request that began it.
// Entries are below 2^16.
constexpr std::uint64_t within_mark = 1ull << 63, beginning_mark = 1ull << 62;
std::uint32_t entry_in(std::uint64_t note) { return static_cast<std::uint32_t>(note >> 32) & 0xffff; }
std::uint32_t id_in(std::uint64_t note) { return static_cast<std::uint32_t>(note); }

std::string contact_of(const sip::Message& message)
{
    const auto contacts = message.contacts();
    return contacts.empty() || contacts[0].is_star ? std::string{} : std::string{contacts[0].uri};
}

Over over_of(dialog::End end)
{
    switch (end) {
    case dialog::End::bye_of_caller: return Over::bye_of_caller;
    case dialog::End::bye_of_callee: return Over::bye_of_callee;
    case dialog::End::bye_of_ours: return Over::bye_of_ours;
    case dialog::End::refused: return Over::refused;
    case dialog::End::none:
    case dialog::End::expired: break;
    }
    return Over::expired;
}

// RFC 4122 4.4.
std::string random_uuid()
{
    std::string hex = crypto::random_hex(16);
    hex[12] = '4';
    hex[16] = "89ab"[crypto::random_below(4)];
    for (const std::size_t at : {std::size_t{8}, std::size_t{13}, std::size_t{18}, std::size_t{23}})
        hex.insert(at, 1, '-');
    return hex;
}

} // namespace

CallPtr PuaDialoginfo::find(std::uint32_t entry, std::uint32_t id)
{
    return calls_.with([&](const Calls& calls) -> CallPtr {
        const auto at = calls.find(key_of(entry, id));
        return at == calls.end() ? nullptr : at->second;
    });
}

CallPtr PuaDialoginfo::begin(Request& request, const dialog::Dialog& dialog)
{
    auto call = std::make_shared<Call>(dialog.entry, dialog.id, rules_);
    Parties parties = parties_of(request, dialog);
    call->facts.with([&](Facts& facts) {
        facts.about.id = settings_.use_uuid ? random_uuid() : dialog.call_id;
        facts.about.call_id = dialog.call_id;
        facts.about.caller_tag = dialog.caller.tag;
        take(facts, std::move(parties));
    });
    const bool added = calls_.with(
        [&](Calls& calls) { return calls.try_emplace(key_of(dialog.entry, dialog.id), call).second; });
    if (!added)
        return nullptr;
    active_.add();
    return call;
}

// --- what the transaction tells ------------------------------------------------------------------

tm::Moments PuaDialoginfo::wants(Request& request, std::uint64_t& note)
{
    const sip::Message& message = request.message();
    if (!message.is_request())
        return 0;
    const bool beginning = message.to_tag().empty();
    if (!beginning) {
        if (settings_.publish_dialog_req_within == 0 || message.method() == sip::Method::bye ||
            message.method() == sip::Method::ack)
            return 0;
        const auto dialog = dialogs_.of(request);
        if (!dialog)
            return 0;
        note = within_mark | key_of(dialog->entry, dialog->id);
        return static_cast<tm::Moments>(tm::Moment::reply_out);
    }
    if (message.method() != sip::Method::invite)
        return 0;
    const auto dialog = dialogs_.of(request);
    if (!dialog || dialog->state == dialog::State::deleted)
        return 0;
    CallPtr call = find(dialog->entry, dialog->id);
    if (note == 0) {
        if (call) // the call on its second way through us (a spiral): its first transaction tells everything
            return 0;
        call = begin(request, *dialog);
    } else if (call) { // flags and AVPs may have been set since
        Parties parties = parties_of(request, *dialog);
        call->facts.with([&](Facts& facts) {
            if (!facts.begun)
                take(facts, std::move(parties));
        });
    }
    if (!call)
        return 0;
    note = beginning_mark | key_of(dialog->entry, dialog->id);
    return tm::Moment::branch_sent | tm::Moment::reply_in | static_cast<tm::Moments>(tm::Moment::cancel_in);
}

void PuaDialoginfo::on(const tm::Happening& happening)
{
    const CallPtr call = find(entry_in(happening.note), id_in(happening.note));
    if (!call)
        return;
    if (happening.note & within_mark) {
        if (happening.code >= 200 && happening.code < 300)
            call->facts.with([&](Facts& facts) { publish(call, facts, facts.legs.again()); });
    } else if (happening.what == tm::Moment::branch_sent) {
        call->facts.with([&](Facts& facts) { publish(call, facts, facts.legs.sent(happening.branch)); });
    } else if (happening.what == tm::Moment::cancel_in) {
        call->facts.with([](Facts& facts) { facts.legs.cancelled(); });
    } else if (happening.what == tm::Moment::reply_in && happening.code > 100) {
        on_reply(call, happening);
    }
}

void PuaDialoginfo::on_reply(const CallPtr& call, const tm::Happening& happening)
{
    if (settings_.use_pubruri_avps && settings_.refresh_pubruri_avps_flag >= 0)
        if (Request* const request = happening.request();
            request && has_flag(*request, settings_.refresh_pubruri_avps_flag))
            refresh_entities(call, *request);
    const int code = happening.code;
    const std::string contact =
        code < 300 && happening.reply ? contact_of(happening.reply->message()) : std::string{};
    call->facts.with([&](Facts& facts) {
        const bool was_answered = facts.legs.winner() != nullptr;
        publish(call, facts,
                code < 200   ? facts.legs.rings(happening.branch, happening.to_tag, contact)
                : code < 300 ? facts.legs.answered(happening.branch, happening.to_tag, contact)
                             : facts.legs.refused(happening.branch, code));
        if (!was_answered && facts.legs.winner())
            keep(call, facts);
    });
}

// --- what the dialog tells -----------------------------------------------------------------------

void PuaDialoginfo::on_dialog(const dialog::DialogChanged& event)
{
    const dialog::Dialog& d = event.dialog;
    const CallPtr call = find(d.entry, d.id);
    if (d.state == dialog::State::deleted) {
        if (!call)
            return;
        call->facts.with(
            [&](Facts& facts) { publish(call, facts, facts.legs.over(over_of(event.end), d.code)); });
        if (calls_.with([&](Calls& calls) { return calls.erase(key_of(d.entry, d.id)) != 0; }))
            active_.add(-1);
        return;
    }
    if (!call) { // read from the database: it may be a call of an earlier run
        if (d.state == dialog::State::confirmed || d.state == dialog::State::confirmed_no_ack)
            (void)restore(d);
        return;
    }
    if (d.state < dialog::State::confirmed_no_ack)
        return;
    call->facts.with([&](Facts& facts) {
        const Leg* const winner = facts.legs.winner();
        if (!winner)
            return;
        const bool moved = (!d.caller.contact.empty() && d.caller.contact != facts.about.caller_contact) ||
                           (!d.callee.contact.empty() && d.callee.contact != winner->contact);
        if (!d.caller.contact.empty())
            facts.about.caller_contact = d.caller.contact;
        facts.legs.target(d.callee.contact);
        if (moved && settings_.publish_target_changes)
            publish(call, facts, facts.legs.again());
    });
}

// --- documents -----------------------------------------------------------------------------------

void PuaDialoginfo::publish(const CallPtr& call, Facts& facts, const AllNews& all)
{
    for (const News& news : all) {
        facts.begun = true;
        const bool of_caller = news.side == Side::caller;
        const Leg* const leg = of_caller ? facts.legs.seen_by_caller() : facts.legs.leg(news.leg);
        const auto muted = leg ? facts.muted.find(leg->branch) : facts.muted.end();
        const Sides silent = muted == facts.muted.end() ? Sides{false, false} : muted->second;
        if (of_caller ? !facts.shown.caller || silent.caller : !facts.shown.callee || silent.callee)
            continue;
        std::vector<Identity> own;
        if (!of_caller && leg)
            if (const auto set = facts.of_branch.find(leg->branch); set != facts.of_branch.end())
                own.push_back(set->second);
        const auto& entities = of_caller ? facts.callers : own.empty() ? facts.callees : own;
        const std::string id = dialog_id(facts.about, news, includes_) + (of_caller ? "/caller" : "/callee");
        const bool ended = news.state == sip::DialogState::terminated;
        for (const Identity& entity : entities) {
            if (ended && settings_.terminated_mode == "remove") {
                pua_.remove(entity.uri, "dialog", id);
                continue;
            }
            const std::int64_t lifetime = ended                             ? settings_.terminated_lifetime
                                          : settings_.override_lifetime > 0 ? settings_.override_lifetime
                                          : news.state == sip::DialogState::confirmed && facts.legs.winner()
                                              ? dialogs_.lifetime(call->entry, call->id)
                                              : dialogs_.remaining(call->entry, call->id);
            const std::string body = document(facts.about, news, leg, entity, includes_);
            const auto done = pua_.publish({entity.uri,
                                            "dialog",
                                            id,
                                            sip::dialog_info_type,
                                            body,
                                            static_cast<std::uint32_t>(std::max<std::int64_t>(lifetime, 1)),
                                            ended ? pua::Renew::no : pua::Renew::yes,
                                            {}});
            published_.add();
            if (!done)
                log_.error("call {} of {} is not published: {}", facts.about.call_id, entity.uri,
                           done.error().text);
        }
    }
}

} // namespace sipyard::pua_dialoginfo
