// modules/registrar/wish.cpp - Contacts of a REGISTER, one by one
#include "modules/registrar/wish.h"

#include "core/base/text.h"
#include "core/sip/lists.h"
#include "core/sip/uri.h"

#include <algorithm>

namespace sipyard::registrar {

namespace {

bool any_header_lists(const sip::Message& message, sip::HeaderName name, std::string_view word)
{
    for (std::size_t i = 0; const sip::Header* const header = message.nth(name, i); ++i)
        if (sip::list_has(header->value, word))
            return true;
    return false;
}

bool ends_a_uri(char c) { return c == '<' || c == '>' || c == '"'; }

Refusal read_one(const sip::NameAddr& contact, std::optional<std::uint32_t> header_expires,
                 std::size_t longest, Wish& to)
{
    if (contact.uri.size() > longest)
        return Refusal::too_long;
    sip::Uri uri;
    if (!sip::read(contact.uri, uri).empty())
        return Refusal::bad_contact;
    to.uri = contact.uri;
    // A quote left open would put what we write behind it inside.
    if (!contact.params.is_closed() || std::ranges::any_of(contact.uri, ends_a_uri))
        return Refusal::bad_contact;
    if (contact.params.has("q")) {
        to.q = contact.q();
        if (to.q < 0)
            return Refusal::bad_q;
    }
    // Malformed is as if absent (RFC 3261 20.10).
    to.expires = contact.expires();
    if (!to.expires && !contact.params.has("expires"))
        to.expires = header_expires;
    to.instance = contact.params.find("+sip.instance").value_or("");
    if (to.instance.size() > 255 || to.instance.find_first_of("\"\\") != std::string_view::npos)
        return Refusal::bad_contact;
    if (const auto id = contact.params.find("reg-id")) {
        const auto number = parse_uint(*id);
        if (!number || *number == 0 || *number > INT32_MAX) // RFC 5626 4.2: 1 to 2^31 - 1
            return Refusal::bad_contact;
        to.reg_id = static_cast<std::uint32_t>(*number);
    }
    return Refusal::none;
}

} // namespace

Refusal read(const sip::Message& message, std::size_t longest, Arena& arena, Wishes& to)
{
    to = {};
    const auto contacts = message.contacts();
    if (!contacts.complaint.empty())
        return Refusal::bad_contact;
    const auto expires = message.expires();
    const bool star = std::ranges::any_of(contacts.items, &sip::NameAddr::is_star);
    if (star) {
        if (contacts.size() != 1)
            return Refusal::star_not_alone;
        if (!expires || *expires != 0)
            return Refusal::star_expires;
        to.star = true;
        return Refusal::none;
    }
    if (contacts.size() > Wishes::most)
        return Refusal::too_many_values;
    Wish* const list = arena.array<Wish>(contacts.size());
    for (std::size_t i = 0; i < contacts.size(); ++i) {
        list[i] = {};
        if (const Refusal refusal = read_one(contacts[i], expires, longest, list[i]);
            refusal != Refusal::none)
            return refusal;
    }
    to.list = {list, contacts.size()};
    return Refusal::none;
}

std::uint32_t method_bit(sip::Method method)
{
    using sip::Method;
    switch (method) { // the column `methods` is shared with Kamailio
    case Method::invite: return 1;
    case Method::cancel: return 2;
    case Method::ack: return 4;
    case Method::bye: return 8;
    case Method::info: return 16;
    case Method::register_: return 32;
    case Method::subscribe: return 64;
    case Method::notify: return 128;
    case Method::message: return 256;
    case Method::options: return 512;
    case Method::prack: return 1024;
    case Method::update: return 2048;
    case Method::refer: return 4096;
    case Method::publish: return 8192;
    default: return 1U << 20; // any other
    }
}

std::uint32_t methods_of(const sip::Message& message)
{
    std::uint32_t mask = 0;
    bool there = false;
    for (std::size_t i = 0; const sip::Header* const header = message.nth(sip::HeaderName::allow, i); ++i) {
        there = true;
        std::string_view rest = header->value, word;
        while (sip::next_in_list(rest, word))
            if (!word.empty())
                mask |= method_bit(sip::method_of(word));
    }
    return there ? mask : 0xffffffff;
}

bool supports(const sip::Message& message, std::string_view extension)
{
    return any_header_lists(message, sip::HeaderName::supported, extension) ||
           requires_extension(message, extension);
}

bool requires_extension(const sip::Message& message, std::string_view extension)
{
    return any_header_lists(message, sip::HeaderName::require, extension);
}

} // namespace sipyard::registrar
