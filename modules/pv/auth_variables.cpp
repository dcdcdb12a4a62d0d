// modules/pv/auth_variables.cpp - the credentials in a request (RFC 7616 3.4)
#include "modules/pv/lists.h"

#include "core/sip/message.h"

namespace sipyard::pv {

namespace {

// Those for us first: Proxy-Authorization is what a proxy asked for.
const sip::DigestView* credentials(Request& r)
{
    const auto* found = r.message().proxy_authorization();
    if (!found)
        found = r.message().authorization();
    return found && found->is_digest() ? found : nullptr;
}

template <std::string_view sip::DigestView::*part>
Value part_of(Request& r)
{
    const auto* found = credentials(r);
    return found ? text_or_null(found->*part) : Value{};
}

// user@domain in `username` is how some phones name the domain they belong to.
std::string_view user_part(const sip::DigestView& d) { return d.username.substr(0, d.username.rfind('@')); }

Value user(Request& r)
{
    const auto* found = credentials(r);
    return found ? text_or_null(user_part(*found)) : Value{};
}
Value domain(Request& r)
{
    const auto* found = credentials(r);
    const auto at = found ? found->username.rfind('@') : std::string_view::npos;
    return at == std::string_view::npos ? Value{} : text_or_null(found->username.substr(at + 1));
}

// For call records: who was authenticated, else who claims to call.
Value account(Request& r)
{
    if (const auto* found = credentials(r); found && !found->username.empty())
        return r.arena().concat(user_part(*found), "@", found->realm);
    const auto* from = r.message().from_uri();
    return from ? Value{r.arena().concat(from->user, from->has_user ? "@" : "", from->host)} : Value{};
}
Value account_user(Request& r)
{
    if (const auto* found = credentials(r); found && !found->username.empty())
        return user_part(*found);
    const auto* from = r.message().from_uri();
    return from ? text_or_null(from->user) : Value{};
}

} // namespace

Variables auth_variables()
{
    using sip::DigestView;
    return {
        row("au", user, "User part of the username in the credentials; null without credentials"),
        row("ad", domain, "Domain part of that username; null without one"),
        row("aU", part_of<&DigestView::username>, "The username as it stands"),
        row("ar", part_of<&DigestView::realm>, "Realm of the credentials"),
        row("aa", part_of<&DigestView::algorithm>, "Their algorithm; null when they name none"),
        row("adn", part_of<&DigestView::nonce>, "Their nonce"),
        row("adc", part_of<&DigestView::cnonce>, "Their cnonce"),
        row("adr", part_of<&DigestView::response>, "Their response"),
        row("ado", part_of<&DigestView::opaque>, "Their opaque"),
        row("adu", part_of<&DigestView::uri>, "Their URI"),
        row("Au", account, "For accounting: user@realm of the credentials, else of the From URI"),
        row("AU", account_user, "For accounting: user of the credentials, else of the From URI"),
    };
}

} // namespace sipyard::pv
