// modules/pv/party_variables.cpp - From and To: read as received, written as edits of the message that leaves
#include "modules/pv/lists.h"
#include "modules/pv/uri_text.h"

#include "core/sip/edits.h"
#include "core/sip/message.h"

namespace sipyard::pv {

namespace {

using sip::HeaderName;

const sip::NameAddr* party(Request& r, HeaderName which)
{
    return which == HeaderName::from ? r.message().from() : r.message().to();
}
const sip::Uri* party_uri(Request& r, HeaderName which)
{
    return which == HeaderName::from ? r.message().from_uri() : r.message().to_uri();
}

template <HeaderName which>
Value uri(Request& r)
{
    const auto* value = party(r, which);
    return value ? text_or_null(value->uri) : Value{};
}
template <HeaderName which>
Value user(Request& r)
{
    const auto* value = party_uri(r, which);
    return value ? text_or_null(value->user) : Value{};
}
template <HeaderName which>
Value domain(Request& r)
{
    const auto* value = party_uri(r, which);
    return value ? text_or_null(value->host) : Value{};
}
template <HeaderName which>
Value display(Request& r)
{
    const auto* value = party(r, which);
    return value ? text_or_null(value->display) : Value{};
}
template <HeaderName which>
Value tag(Request& r)
{
    const auto* value = party(r, which);
    return value ? text_or_null(value->tag()) : Value{};
}

// --- edits ---------------------------------------------------------------------------------------

bool refuse(Request& r, HeaderName which, std::string_view what)
{
    logger(r).error("{} of {} cannot be set", what, sip::to_text(which));
    return false;
}

// What would end the header field or open another one does not get into a message.
bool is_safe(std::string_view text)
{
    return text.find_first_of(std::string_view{"\r\n\0", 3}) == std::string_view::npos;
}

template <HeaderName which>
bool set_uri(Request& r, const Value& value)
{
    if (!value.is_text() || value.text().empty() || !is_safe(value.text()) || !party(r, which))
        return refuse(r, which, "the URI");
    r.edits().replace_uri(r.message(), which, value.text());
    return true;
}

// A part is changed in the URI that is to be sent: after $fU the change of $fd keeps the new user.
template <HeaderName which, class Change>
bool change_uri(Request& r, std::string_view what, Change&& change)
{
    const auto* address = party(r, which);
    if (!address)
        return refuse(r, which, what);
    std::string_view text = address->uri;
    const auto key = which == HeaderName::from ? sip::EditKey::from_uri : sip::EditKey::to_uri;
    if (r.has_edits())
        if (const auto* pending = r.edits().find(key))
            text = pending->text;
    sip::Uri uri;
    if (!sip::read(text, uri).empty())
        return refuse(r, which, what);
    change(uri);
    r.edits().replace_uri(r.message(), which, sip::print(uri, r.arena()));
    return true;
}

template <HeaderName which>
bool set_user(Request& r, const Value& value)
{
    const auto user = text_of(r, value);
    if (!is_safe(user))
        return refuse(r, which, "the user");
    return change_uri<which>(r, "the user", [&](sip::Uri& uri) { put_user(uri, user); });
}
template <HeaderName which>
bool set_domain(Request& r, const Value& value)
{
    const auto host = text_of(r, value);
    if (host.empty() || !is_safe(host))
        return refuse(r, which, "the domain");
    return change_uri<which>(r, "the domain", [&](sip::Uri& uri) { put_host(uri, host, r.arena()); });
}
template <HeaderName which>
bool set_display(Request& r, const Value& value)
{
    const auto display = text_of(r, value); // quotes are the script's; null removes the name
    if (!is_safe(display) || !party(r, which))
        return refuse(r, which, "the display name");
    r.edits().replace_display(r.message(), which, display);
    return true;
}

} // namespace

Variables party_variables()
{
    constexpr auto from = HeaderName::from;
    constexpr auto to = HeaderName::to;
    return {
        row("fu|from", uri<from>, set_uri<from>, "From URI; set: what is sent, reads stay"),
        row("fU|from.user", user<from>, set_user<from>, "User of the From URI; null without one"),
        row("fd|from.domain", domain<from>, set_domain<from>, "Host of the From URI"),
        row("fn", display<from>, set_display<from>,
            "Display name in From, with its quotes; null without one"),
        row("ft", tag<from>, "From tag"),
        row("tu|to", uri<to>, set_uri<to>, "To URI; set: what is sent, reads stay"),
        row("tU|to.user", user<to>, set_user<to>, "User of the To URI; null without one"),
        row("td|to.domain", domain<to>, set_domain<to>, "Host of the To URI"),
        row("tn", display<to>, set_display<to>, "Display name in To, with its quotes; null without one"),
        row("tt", tag<to>, "To tag; null when there is none"),
    };
}

} // namespace sipyard::pv
