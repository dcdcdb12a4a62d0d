// modules/auth/response.cpp - a request's credentials against what they should be (RFC 7616 3.4)
#include "modules/auth/response.h"

#include "core/base/text.h"
#include "core/crypto/hmac.h"

namespace sipyard::auth {
namespace {

crypto::DigestParts parts_of(const sip::DigestView& digest)
{
    crypto::DigestParts parts{digest.nonce, digest.nc, digest.cnonce, {}, {}, digest.uri, {}};
    if (digest.has_qop)
        parts.qop = digest.qop;
    return parts;
}

bool matches(std::string_view computed, std::string_view sent)
{
    char letters[2 * sizeof(crypto::Raw::bytes)];
    if (sent.size() != computed.size() || sent.size() > sizeof letters)
        return false;
    for (std::size_t i = 0; i < sent.size(); ++i)
        letters[i] = to_lower(sent[i]);
    return crypto::equal_secrets(computed, {letters, sent.size()});
}

// "http://host/path" to "/path"; anything else as it is.
std::string_view path_of(std::string_view target)
{
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (istarts_with(target, scheme)) {
            const auto slash = target.find('/', scheme.size());
            return slash == std::string_view::npos ? std::string_view{"/"} : target.substr(slash);
        }
    }
    return target;
}

} // namespace

crypto::Hex response(const Scheme& scheme, std::string_view ha1, const sip::DigestView& digest,
                     const Exchange& exchange)
{
    crypto::DigestParts parts = parts_of(digest);
    parts.method = exchange.method;
    parts.body = exchange.body;
    return crypto::digest_response(scheme.hash, scheme.session, ha1, parts);
}

crypto::Hex server_response(const Scheme& scheme, std::string_view ha1, const sip::DigestView& digest)
{
    return crypto::digest_response(scheme.hash, scheme.session, ha1, parts_of(digest));
}

bool fits(const Scheme& scheme, std::string_view ha1, const sip::DigestView& digest, const Exchange& exchange)
{
    if (matches(response(scheme, ha1, digest, exchange), digest.response))
        return true;
    if (digest.uri.find('\\') == std::string_view::npos)
        return false;
    const std::string undone = sip::unescape_quoted(digest.uri);
    sip::DigestView other = digest;
    other.uri = undone;
    return matches(response(scheme, ha1, other, exchange), digest.response);
}

bool same_target(std::string_view digest_uri, std::string_view target)
{
    digest_uri = path_of(digest_uri);
    target = path_of(target);
    if (digest_uri == target)
        return true;
    std::string undone{digest_uri};
    if (digest_uri.find('\\') != std::string_view::npos) {
        undone = sip::unescape_quoted(digest_uri);
        if (undone == target)
            return true;
    }
    const auto a = percent_decode(undone), b = percent_decode(target);
    return a && b && *a == *b;
}

} // namespace sipyard::auth
