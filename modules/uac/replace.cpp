// modules/uac/replace.cpp - another From or To towards the callee, the original one towards the caller
#include "modules/uac/uac.h"

#include "core/base/text.h"
#include "core/sip/edits.h"
#include "core/sip/message.h"
#include "modules/uac/restore.h"

namespace sipyard::uac {
namespace {

constexpr std::uint64_t note_from = 1, note_to = 2; // bits of a watcher's note

const sip::NameAddr* value_of(const sip::Message& message, sip::HeaderName which)
{
    return which == sip::HeaderName::from ? message.from() : message.to();
}

// Display name and URI of the field, with its brackets, without its parameters: a part of the message.
std::string_view name_part(const sip::Message& message, sip::HeaderName which)
{
    const auto* const header = message.first(which);
    const auto* const value = value_of(message, which);
    if (!header || !value)
        return {};
    auto end = static_cast<std::size_t>(value->uri.data() + value->uri.size() - header->value.data());
    if (value->in_brackets) {
        end = header->value.find('>', end);
        if (end == std::string_view::npos)
            return {};
        ++end;
    }
    return header->value.substr(0, end);
}

bool fit_for_header(std::string_view text)
{
    for (const char c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            return false;
    return true;
}

std::string_view name_of(sip::HeaderName which) { return which == sip::HeaderName::from ? "from" : "to"; }

} // namespace

// What replies have to show again, for scripts that change the message for good afterwards.
void Uac::keep_original(Request& request, sip::HeaderName which)
{
    const auto& avp = which == sip::HeaderName::from ? from_avp_ : to_avp_;
    if (avp && mode_ != RestoreMode::none)
        avp->set(request, name_part(request.message(), which));
}

Verdict Uac::replace(Request& request, sip::HeaderName which, std::string_view a,
                     std::optional<std::string_view> b)
{
    const auto& message = request.message();
    const std::string_view uri = b ? *b : a;
    const auto* const value = value_of(message, which);
    Replaced& done = request.at(replaced_slot_);
    bool& mine = which == sip::HeaderName::from ? done.from : done.to;
    if (!value) {
        log_.error("uac_replace_{}: the field cannot be read", name_of(which));
        return Verdict::no();
    }
    if (!fit_for_header(uri) || (b && !fit_for_header(a))) {
        log_.error("uac_replace_{}: control characters", name_of(which));
        return Verdict::no();
    }
    if (mine && request.route() == Route::request) {
        log_.error("uac_replace_{} was called before for this message", name_of(which));
        return Verdict::no();
    }
    const bool automatic = mode_ == RestoreMode::automatic;
    if (automatic && !uri.empty() && !message.to_tag().empty()) {
        log_.error("uac_replace_{}: not within a dialog, restore_mode is auto", name_of(which));
        return Verdict::no();
    }
    if (!uri.empty() && mode_ != RestoreMode::none) {
        if (!rr_) {
            log_.error("uac_replace_{}: restore_mode needs module rr", name_of(which));
            return Verdict::no();
        }
        const auto& param =
            which == sip::HeaderName::from ? settings_.rr_from_store_param : settings_.rr_to_store_param;
        const auto added =
            rr_->add_param(request, request.arena().concat(";", param, "=",
                                                           pack(value->uri, uri, settings_.restore_passwd)));
        if (!added) {
            log_.error("uac_replace_{}: {}", name_of(which), added.error().text);
            return Verdict::no();
        }
    }
    keep_original(request, which);
    if (b)
        request.edits().replace_display(message, which, a);
    if (!uri.empty()) {
        request.edits().replace_uri(message, which, uri);
        mine = true;
        counts_.replaced.add();
    }
    return Verdict::yes();
}

bool Uac::restore(Request& request, sip::HeaderName which)
{
    const bool from = which == sip::HeaderName::from;
    if (!rr_)
        return false;
    const auto& param = from ? settings_.rr_from_store_param : settings_.rr_to_store_param;
    const auto packed = rr_->route_param(request, param);
    if (!packed || packed->empty())
        return false;
    // The next element records the route anew, and so do we.
    (void)rr_->add_param(request, request.arena().concat(";", param, "=", *packed));
    // Upstream the caller's From is in the To.
    const bool downstream = rr_->direction(request) == rr::Direction::downstream;
    const auto shown_in = (from == downstream) ? sip::HeaderName::from : sip::HeaderName::to;
    const auto* const value = value_of(request.message(), shown_in);
    if (!value)
        return false;
    const auto other = unpack(*packed, value->uri, settings_.restore_passwd);
    if (!other) {
        log_.warn("the {} URI was changed on its way, it stays as it is", name_of(shown_in));
        return false;
    }
    keep_original(request, shown_in);
    request.edits().replace_uri(request.message(), shown_in, *other);
    Replaced& done = request.at(replaced_slot_);
    (shown_in == sip::HeaderName::from ? done.from : done.to) = true;
    counts_.restored.add();
    return true;
}

void Uac::on_loose_route(Request& request, sip::ParamsView params)
{
    if (mode_ != RestoreMode::automatic)
        return;
    for (const auto which : {sip::HeaderName::from, sip::HeaderName::to})
        if (params.has(which == sip::HeaderName::from ? settings_.rr_from_store_param
                                                      : settings_.rr_to_store_param))
            (void)restore(request, which);
}

tm::Moments Uac::wants(Request& request, std::uint64_t& note)
{
    const Replaced* const done = mode_ == RestoreMode::none ? nullptr : request.find(replaced_slot_);
    if (!done || (!done->from && !done->to))
        return 0;
    note |= (done->from ? note_from : 0u) | (done->to ? note_to : 0u);
    return static_cast<tm::Moments>(tm::Moment::reply_in);
}

void Uac::on(const tm::Happening& happening)
{
    if (happening.what != tm::Moment::reply_in || !happening.reply)
        return;
    Request* const request = happening.request();
    if (!request)
        return;
    const auto put_back = [&](sip::HeaderName which, const std::shared_ptr<const VariableRef>& avp) {
        std::string_view original = name_part(request->message(), which);
        if (avp)
            if (const Value kept = avp->get(*request); kept.is_text() && !kept.text().empty())
                original = kept.text();
        const auto shown = name_part(happening.reply->message(), which);
        if (!original.empty() && !shown.empty() && original != shown)
            happening.reply->edits().replace(happening.reply->message(), shown, original);
    };
    if (happening.note & note_from)
        put_back(sip::HeaderName::from, from_avp_);
    if (happening.note & note_to)
        put_back(sip::HeaderName::to, to_avp_);
}

} // namespace sipyard::uac
