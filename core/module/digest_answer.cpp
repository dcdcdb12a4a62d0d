// core/module/digest_answer.cpp - which challenge is answered, how, and how often (RFC 7616 3.4, RFC
// 8760 2.4)
#include "core/module/digest_answer.h"

#include "core/base/format.h"
#include "core/base/text.h"
#include "core/crypto/digest_response.h"
#include "core/crypto/random.h"
#include "core/sip/lists.h"
#include "core/sip/message.h"

#include <algorithm>

namespace sipyard {
namespace {

std::string quoted(std::string_view text)
{
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            out += '\\';
        out += c;
    }
    return out += '"';
}

// "auth" when it is offered, else "auth-int"; "" for neither.
std::string_view chosen_qop(std::string_view offered)
{
    return sip::list_has(offered, "auth") ? "auth" : sip::list_has(offered, "auth-int") ? "auth-int" : "";
}

std::string nc_text(std::uint32_t nc)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text(8, '0');
    for (std::size_t i = 8; i-- > 0; nc >>= 4)
        text[i] = digits[nc & 15];
    return text;
}

bool fits(const Credential& who, const DigestScheme& scheme)
{
    return !who.is_ha1 || who.secret.size() == 2 * crypto::digest_size(scheme.hash);
}

} // namespace

std::optional<DigestScheme> DigestScheme::named(std::string_view algorithm)
{
    DigestScheme scheme;
    constexpr std::string_view suffix = "-sess";
    if (algorithm.size() > suffix.size() &&
        iequals(algorithm.substr(algorithm.size() - suffix.size()), suffix)) {
        scheme.session = true;
        algorithm.remove_suffix(suffix.size());
    }
    if (algorithm.empty())
        return scheme;
    const auto hash = crypto::algorithm_named(algorithm);
    using enum crypto::Algorithm;
    if (!hash ||
        (*hash != md5 && *hash != sha256 && *hash != sha512_256)) // RFC 8760 2.1: these and no others
        return {};
    scheme.hash = *hash;
    return scheme;
}

Result<std::string> digest_answer(const sip::DigestView& challenge, const Credential& who,
                                  const DigestRequest& request, std::string_view cnonce, std::uint32_t nc)
{
    if (!challenge.is_digest() || challenge.realm.data() == nullptr || challenge.nonce.empty())
        return invalid("a challenge without realm or nonce");
    const auto scheme = DigestScheme::named(challenge.algorithm);
    if (!scheme)
        return Error{ErrorKind::unsupported, format("digest algorithm '{}'", challenge.algorithm)};
    if (!fits(who, *scheme))
        return Error{ErrorKind::unsupported,
                     format("the ha1 of {} is not of algorithm '{}'", who.user, challenge.algorithm)};
    const std::string_view qop = chosen_qop(challenge.qop);
    if (challenge.has_qop && qop.empty())
        return Error{ErrorKind::unsupported, format("qop '{}'", challenge.qop)};

    // The digests are made of the texts without their backslashes (RFC 7616 3.4: unq()).
    const std::string realm = sip::unescape_quoted(challenge.realm),
                      nonce = sip::unescape_quoted(challenge.nonce);
    const auto hash = scheme->hash;
    const std::string ha1 =
        who.is_ha1 ? lower(who.secret) : std::string{crypto::ha1(hash, who.user, realm, who.secret).view()};
    const std::string count = nc_text(nc);
    crypto::DigestParts parts{nonce, count, cnonce, {}, request.method, request.uri, request.body};
    if (!qop.empty())
        parts.qop = qop;
    const crypto::Hex response = crypto::digest_response(hash, scheme->session, ha1, parts);

    const bool hidden = iequals(challenge.userhash, "true"); // RFC 7616 3.4.4
    std::string out = "Digest username=";
    out += quoted(hidden ? crypto::hex_digest(hash, {who.user, ":", realm}) : who.user);
    out += ", realm=" + quoted(realm) + ", nonce=" + quoted(nonce) + ", uri=" + quoted(request.uri) +
           ", response=\"" + std::string{response.view()} + '"';
    if (!challenge.algorithm.empty())
        out += ", algorithm=" + std::string{challenge.algorithm};
    if (!challenge.opaque.empty())
        out += ", opaque=" + quoted(sip::unescape_quoted(challenge.opaque));
    if (!qop.empty())
        out += ", qop=" + std::string{qop} + ", nc=" + count;
    if (!qop.empty() || scheme->session)
        out += ", cnonce=" + quoted(cnonce);
    if (hidden)
        out += ", userhash=true";
    return out;
}

void DigestSession::new_request()
{
    for (Realm& realm : realms_)
        realm.tries = 0;
}

const Credential* DigestSession::credential_for(std::string_view realm, const DigestScheme& scheme) const
{
    const Credential* any = nullptr;
    for (const Credential& c : credentials_) {
        if (!fits(c, scheme))
            continue;
        if (c.realm == realm)
            return &c;
        if (!any && (c.realm.empty() || c.realm == "*"))
            any = &c;
    }
    return any;
}

Result<void> DigestSession::take(std::string_view value, bool proxy)
{
    sip::DigestView challenge;
    if (const auto complaint = sip::read(value, challenge); !complaint.empty() || !challenge.is_digest())
        return Error{ErrorKind::unsupported, format("authentication scheme '{}'", challenge.scheme)};
    const auto scheme = DigestScheme::named(challenge.algorithm);
    if (!scheme || challenge.nonce.empty() || (challenge.has_qop && chosen_qop(challenge.qop).empty()))
        return Error{ErrorKind::unsupported,
                     format("digest algorithm '{}', qop '{}'", challenge.algorithm, challenge.qop)};
    const std::string name = sip::unescape_quoted(challenge.realm);
    const auto known = std::find_if(realms_.begin(), realms_.end(),
                                    [&](const Realm& r) { return r.proxy == proxy && r.realm == name; });
    if (known != realms_.end() && known->fresh)
        return {}; // a less preferred algorithm of a realm that is settled
    const Credential* const who = credential_for(name, *scheme);
    if (!who)
        return Error{ErrorKind::not_found, format("no credential for realm '{}'", name)};

    const bool stale = iequals(challenge.stale, "true");
    if (known != realms_.end()) {
        // Stale only says the nonce was too old; anything else says the answer was wrong (RFC 7616 3.3). A
        // server whose nonces are always stale is given up too.
        if ((!stale && (known->nonce == challenge.nonce || known->tries > 0)) || known->tries > 2)
            return Error{ErrorKind::constraint, format("the credentials for realm '{}' were refused", name)};
    } else if (realms_.size() == most_realms) {
        return Error{ErrorKind::overloaded, "too many realms want credentials"};
    }
    Realm& realm = known != realms_.end() ? *known : realms_.emplace_back();
    realm.proxy = proxy;
    realm.challenge = value;
    realm.realm = name;
    realm.nonce = challenge.nonce;
    realm.credential = static_cast<std::size_t>(who - credentials_.data());
    realm.nc = 0;
    realm.fresh = true;
    ++realm.tries;
    return {};
}

Result<void> DigestSession::challenged(const sip::Message& reply)
{
    for (Realm& realm : realms_)
        realm.fresh = false;
    std::optional<Error> first;
    bool answered = false;
    for (const bool proxy : {false, true}) {
        const auto id = proxy ? sip::HeaderName::proxy_authenticate : sip::HeaderName::www_authenticate;
        for (const auto* header = reply.first(id); header; header = reply.next(*header)) {
            const auto taken = take(header->value, proxy);
            if (taken)
                answered = true;
            else if (taken.error().kind == ErrorKind::constraint)
                return taken;
            else if (!first)
                first = taken.error();
        }
    }
    if (answered)
        return {};
    return first ? *first
                 : Error{ErrorKind::invalid,
                         "a challenge without a WWW-Authenticate or Proxy-Authenticate field"};
}

std::string DigestSession::lines(const DigestRequest& request)
{
    std::string out;
    for (Realm& realm : realms_) {
        sip::DigestView challenge;
        if (!sip::read(realm.challenge, challenge).empty())
            continue;
        const auto answer = digest_answer(challenge, credentials_[realm.credential], request,
                                          crypto::random_hex(8), ++realm.nc);
        if (!answer)
            continue;
        out += realm.proxy ? "Proxy-Authorization: " : "Authorization: ";
        out += *answer;
        out += "\r\n";
    }
    return out;
}

} // namespace sipyard
