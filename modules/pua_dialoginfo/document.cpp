// modules/pua_dialoginfo/document.cpp - a call's two sides as dialog-info documents
#include "modules/pua_dialoginfo/document.h"

#include "core/base/text.h"
#include "core/sip/name_addr.h"
#include "core/sip/uri.h"

namespace sipyard::pua_dialoginfo {

namespace {

std::string user_of(std::string_view uri)
{
    sip::Uri parsed;
    return sip::read(uri, parsed).empty() ? sip::unescape(parsed.user) : std::string{};
}

sip::DialogParty party(const Identity& identity, std::string_view target, const Includes& includes)
{
    sip::DialogParty out;
    out.identity = identity.uri;
    out.display =
        !identity.display.empty() || !includes.display_user ? identity.display : user_of(identity.uri);
    // Somebody who wants to pick the call up needs something to call.
    out.target = target.empty() ? identity.uri : std::string{target};
    return out;
}

} // namespace

std::string dialog_id(const About& about, const News& news, const Includes& includes)
{
    if (news.side == Side::caller || !includes.each_branch)
        return about.id;
    return about.id + "." + std::to_string(news.leg);
}

std::string document(const About& about, const News& news, const Leg* leg, const Identity& entity,
                     const Includes& includes)
{
    const bool of_caller = news.side == Side::caller;
    sip::DialogInfo info;
    info.entity = entity.uri;
    sip::DialogElement& d = info.dialogs.emplace_back();
    d.id = dialog_id(about, news, includes);
    d.direction = of_caller ? sip::DialogDirection::initiator : sip::DialogDirection::recipient;
    d.state = news.state;
    d.event = news.event;
    d.code = news.code;
    if (includes.callid)
        d.call_id = about.call_id;
    const std::string callee_tag = leg ? leg->tag : std::string{};
    const std::string callee_contact = leg ? leg->contact : std::string{};
    // Once known they stay in every state: Replaces and Join need them in confirmed ones (RFC 3891, 3911).
    if (includes.tags) {
        d.local_tag = of_caller ? about.caller_tag : callee_tag;
        d.remote_tag = of_caller ? callee_tag : about.caller_tag;
    }
    if (includes.localremote) {
        Identity own = entity;
        if (!of_caller && !about.local_identity.empty())
            own = {about.local_identity, {}};
        d.local = party(own, of_caller ? about.caller_contact : callee_contact, includes);
        d.remote = of_caller ? party(about.callee, callee_contact, includes)
                             : party(about.caller, about.caller_contact, includes);
    }
    d.remote_private = !of_caller && about.hide_remote;
    return sip::write(info);
}

std::string address_of(std::string_view text)
{
    sip::Uri uri;
    if (!sip::read(text, uri).empty() || !uri.is_sip() || uri.user.empty())
        return {};
    std::string out{to_text(uri.scheme)};
    out.append(":").append(uri.user).append("@").append(uri.host);
    if (uri.port != 0)
        out.append(":").append(std::to_string(uri.port));
    return out;
}

Identity identity_from(std::string_view text)
{
    sip::NameAddr value;
    if (!sip::read(trim(text), value).empty())
        return {};
    return {address_of(value.uri), plain_display(value.display)};
}

std::string to_text(const Identity& identity)
{
    if (identity.display.empty())
        return "<" + identity.uri + ">";
    std::string quoted;
    for (const char c : identity.display) {
        if (c == '"' || c == '\\')
            quoted += '\\';
        quoted += c;
    }
    return "\"" + quoted + "\" <" + identity.uri + ">";
}

std::string plain_display(std::string_view display)
{
    display = trim(display);
    if (display.size() < 2 || display.front() != '"' || display.back() != '"')
        return std::string{display};
    display = display.substr(1, display.size() - 2);
    std::string out;
    for (std::size_t i = 0; i < display.size(); ++i) {
        if (display[i] == '\\' && i + 1 < display.size())
            ++i;
        out += display[i];
    }
    return out;
}

bool asks_for_privacy(std::string_view privacy)
{
    for (const std::string_view one : split(privacy, ';'))
        for (const char* const value : {"id", "user", "header"})
            if (iequals(trim(one), value))
                return true;
    return false;
}

} // namespace sipyard::pua_dialoginfo
