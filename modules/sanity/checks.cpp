// modules/sanity/checks.cpp - each check with the reply RFC 3261 or Kamailio gives
#include "modules/sanity/checks.h"

#include "core/base/text.h"
#include "core/sip/lists.h"

#include <algorithm>

namespace sipyard::sanity {

namespace {

using sip::HeaderName;
using sip::Message;

// Scalars that have to be a number of 32 bits when they are there.
bool bad_number(const Message& message, HeaderName id) { return message.has(id) && !message.number(id); }

std::optional<Flaw> check_uris(const Message& message, unsigned uris)
{
    if ((uris & uri_request) && message.is_request() && !message.request_uri())
        return Flaw{400, "Bad Request URI", {}};
    if ((uris & uri_from) && !message.from_uri())
        return Flaw{400, "Bad From URI", {}};
    if ((uris & uri_to) && !message.to_uri())
        return Flaw{400, "Bad To URI", {}};
    if ((uris & uri_contact) && message.has(HeaderName::contact) &&
        message.value(HeaderName::contact) != "*") {
        const auto contacts = message.contacts();
        if (!contacts.complaint.empty() || contacts.empty())
            return Flaw{400, "Bad Contact header", {}};
        for (const auto& contact : contacts) {
            sip::Uri uri;
            if (!contact.is_star && !sip::read(contact.uri, uri).empty())
                return Flaw{400, "Bad Contact URI", {}};
        }
    }
    return std::nullopt;
}

std::optional<Flaw> check_proxy_require(const Message& message, const std::vector<std::string>& supported)
{
    std::string missing;
    for (std::size_t n = 0; const sip::Header* header = message.nth(HeaderName::proxy_require, n); ++n) {
        std::string_view rest = header->value, tag;
        while (sip::next_in_list(rest, tag))
            if (!tag.empty() && std::none_of(supported.begin(), supported.end(),
                                             [&](const auto& s) { return iequals(s, tag); }))
                missing += (missing.empty() ? "" : ", ") + std::string{tag};
    }
    if (missing.empty())
        return std::nullopt;
    return Flaw{420, "Bad Extension", "Unsupported: " + missing + "\r\n"}; // RFC 3261 16.3 step 5
}

} // namespace

std::optional<Flaw> find_flaw(const Message& message, unsigned checks, unsigned uris,
                              const std::vector<std::string>& supported)
{
    const auto on = [checks](unsigned check) { return (checks & check) != 0; };
    if (on(via1) && !message.top_via())
        return Flaw{400, "Bad Via header", {}};
    if (on(ruri_version) && !iequals(message.version(), "SIP/2.0"))
        return Flaw{505, "SIP Version Not Supported", {}};
    if (on(ruri_scheme) && message.is_request()) {
        const sip::Uri* const uri = message.request_uri();
        if (uri && uri->scheme == sip::Scheme::other)
            return Flaw{416, "Unsupported URI Scheme", {}};
    }
    if (on(required_headers) &&
        (!message.has(HeaderName::via) || !message.has(HeaderName::from) || !message.has(HeaderName::to) ||
         !message.has(HeaderName::call_id) || !message.has(HeaderName::cseq)))
        return Flaw{400, "Missing Required Header in Request", {}};
    if (on(via_version) || on(via_protocol)) {
        const sip::Via* const via = message.top_via();
        if (on(via_version) && via && (!iequals(via->protocol, "SIP") || via->version != "2.0"))
            return Flaw{400, "Unsupported Via Version", {}};
        if (on(via_protocol) && via && via->transport == sip::Transport::other)
            return Flaw{400, "Unsupported Via Protocol", {}};
    }
    if (on(cseq_method) && message.is_request()) {
        const auto* const cseq = message.cseq();
        if (message.has(HeaderName::cseq) && cseq && cseq->method_text != message.method_text())
            return Flaw{400, "CSeq method does not match request method", {}};
    }
    if (on(cseq_value) && message.has(HeaderName::cseq) && !message.cseq())
        return Flaw{400, "CSeq number is illegal", {}};
    if (on(content_length)) {
        if (bad_number(message, HeaderName::content_length))
            return Flaw{400, "Content-Length header value is illegal", {}};
        const auto length = message.content_length();
        if (length && *length != message.body().size())
            return Flaw{400, "Content-Length mis-match", {}};
    }
    if (on(expires_value) && bad_number(message, HeaderName::expires))
        return Flaw{400, "Expires value is illegal", {}};
    if (on(proxy_require) && message.is_request())
        if (auto flaw = check_proxy_require(message, supported))
            return flaw;
    if (on(parse_uris))
        if (auto flaw = check_uris(message, uris))
            return flaw;
    if (on(digest) || on(authorization)) {
        const bool bad = (message.has(HeaderName::authorization) && !message.authorization()) ||
                         (message.has(HeaderName::proxy_authorization) && !message.proxy_authorization());
        if (bad)
            return Flaw{400, "Bad Authorization header", {}};
    }
    if (on(duplicate_tags) && message.from() && message.to() && !message.to_tag().empty() &&
        message.from_tag() == message.to_tag() && message.is_request())
        return Flaw{400, "Duplicate tags in From and To", {}};
    return std::nullopt;
}

} // namespace sipyard::sanity
