// modules/auth/response.cpp - A1, A2 and the response (RFC 7616 3.4.1 to 3.4.3)
#include "modules/auth/response.h"

#include "core/base/text.h"
#include "core/crypto/hmac.h"

namespace sipyard::auth {
namespace {

std::string with_a2(const Scheme& scheme, std::string_view ha1, const sip::DigestView& digest,
                    std::string_view ha2)
{
    std::string session;
    if (scheme.session) { // A1 = H(user:realm:password) ":" nonce ":" cnonce
        session = crypto::hex_digest(scheme.hash, {ha1, ":", digest.nonce, ":", digest.cnonce});
        ha1 = session;
    }
    if (!digest.has_qop)
        return crypto::hex_digest(scheme.hash, {ha1, ":", digest.nonce, ":", ha2});
    return crypto::hex_digest(
        scheme.hash, {ha1, ":", digest.nonce, ":", digest.nc, ":", digest.cnonce, ":", digest.qop, ":", ha2});
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

std::string ha1(crypto::Algorithm hash, std::string_view username, std::string_view realm,
                std::string_view password)
{
    return crypto::hex_digest(hash, {username, ":", realm, ":", password});
}

std::string response(const Scheme& scheme, std::string_view ha1, const sip::DigestView& digest,
                     const Exchange& exchange)
{
    if (iequals(digest.qop, "auth-int"))
        return with_a2(scheme, ha1, digest,
                       crypto::hex_digest(scheme.hash, {exchange.method, ":", digest.uri, ":",
                                                        crypto::hex_digest(scheme.hash, exchange.body)}));
    return with_a2(scheme, ha1, digest, crypto::hex_digest(scheme.hash, {exchange.method, ":", digest.uri}));
}

std::string server_response(const Scheme& scheme, std::string_view ha1, const sip::DigestView& digest)
{
    return with_a2(scheme, ha1, digest, crypto::hex_digest(scheme.hash, {":", digest.uri}));
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
