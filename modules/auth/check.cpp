// modules/auth/check.cpp - from a request's credentials to a verdict: find, nonce, response, identity
#include "modules/auth/auth.h"

#include "core/base/text.h"
#include "core/sip/message.h"

#include <algorithm>

namespace sipyard::auth {
namespace {

// RFC 5987 3.2.1, as RFC 7616 3.4 allows it for user names: UTF-8''J%C3%A4s%C3%B8n
std::optional<std::string> extended_value(std::string_view text)
{
    if (!istarts_with(text, "UTF-8'"))
        return {};
    const auto quote = text.find('\'', 6);
    if (quote == std::string_view::npos)
        return {};
    return percent_decode(text.substr(quote + 1));
}

bool printable(std::string_view text)
{
    return std::ranges::none_of(
        text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f' || c == '"'; });
}

bool has_transaction_of_its_own(
    sip::Method method) // and so can be challenged (RFC 3261 22.1); PRACK is spared as the phones expect
{
    return method != sip::Method::ack && method != sip::Method::cancel && method != sip::Method::prack;
}

// The user part of a URI against a user name: escapes do not matter.
bool same_user(std::string_view uri_user, std::string_view name)
{
    if (uri_user == name)
        return true;
    const auto decoded = percent_decode(uri_user);
    return decoded && *decoded == name;
}
bool same_users(const sip::Uri& a, const sip::Uri& b)
{
    return a.user == b.user || same_user(a.user, percent_decode(b.user).value_or(std::string{b.user}));
}

bool take(const sip::DigestView* read, sip::DigestView& out)
{
    if (read)
        out = *read;
    return read != nullptr;
}

} // namespace

std::string_view to_text(Outcome outcome)
{
    switch (outcome) {
    case Outcome::accepted: return "accepted";
    case Outcome::error: return "error";
    case Outcome::bad_password: return "bad password";
    case Outcome::no_user: return "no such user";
    case Outcome::stale_nonce: return "stale nonce";
    case Outcome::no_credentials: return "no credentials";
    case Outcome::nonce_reused: return "nonce reused";
    case Outcome::user_mismatch: return "another user";
    }
    return "";
}

// The first Digest credentials for that realm.
Outcome Auth::find(Request& request, Side side, std::string_view realm, Credentials& out)
{
    const sip::Message& message = request.message();
    const auto field =
        side == Side::www ? sip::HeaderName::authorization : sip::HeaderName::proxy_authorization;
    bool unreadable = false;
    realm = without_prefix(realm);
    const sip::Header* const first = message.first(field);
    for (const sip::Header* header = first; header; header = message.next(*header)) {
        // The message keeps the first one read, for $au and its kin too.
        const bool readable = header != first     ? sip::read(header->value, out.digest).empty()
                              : side == Side::www ? take(message.authorization(), out.digest)
                                                  : take(message.proxy_authorization(), out.digest);
        if (!readable) {
            unreadable = true;
            continue;
        }
        if (!out.digest.is_digest())
            continue;
        out.realm = without_prefix(out.digest.realm);
        if (out.realm != realm && sip::unescape_quoted(out.realm) != realm)
            continue;
        out.header = header;
        return Outcome::accepted;
    }
    out = {};
    return unreadable ? Outcome::error : Outcome::no_credentials;
}

Outcome Auth::examine(Request& request, Side side, std::string_view realm, Credentials& out)
{
    out = {};
    State& state = request.at(slot_);
    state.store_failed = state.stale = false;
    state.accepted = nullptr;
    if (realm.empty()) {
        log_.error("authentication needs a realm");
        return Outcome::error;
    }
    const sip::Message& message = request.message();
    if (!request.is_http() && !has_transaction_of_its_own(message.method()))
        return Outcome::accepted;
    if (const Outcome found = find(request, side, realm, out); found != Outcome::accepted)
        return found;

    const sip::DigestView& digest = out.digest;
    const auto bad = [&](std::string_view why) {
        log_.info("credentials from {}: {}", request.received().source.text(), why);
        return Outcome::error;
    };
    if (const auto complaint = sip::check_credentials(digest); !complaint.empty())
        return bad(complaint);
    if (digest.has_qop && !iequals(digest.qop, "auth") && !iequals(digest.qop, "auth-int"))
        return bad("qop is neither auth nor auth-int");
    const auto scheme = Scheme::named(digest.algorithm);
    if (!scheme || std::ranges::find(algorithms(request), scheme->hash) == algorithms(request).end())
        return bad("an algorithm that was not offered");
    if (scheme->session && digest.cnonce.empty())
        return bad("-sess without cnonce");
    // SIP's digest uri may lawfully differ from the R-URI, which proxies rewrite (RFC 3261 22.4).
    if (request.is_http() && !same_target(digest.uri, message.uri_text()))
        return bad("signed for another target");

    if (!digest.username.empty()) {
        out.username = digest.username.find('\\') == std::string_view::npos
                           ? digest.username
                           : request.arena().copy(sip::unescape_quoted(digest.username));
    } else {
        const auto decoded = extended_value(digest.username_star);
        if (!decoded)
            return bad("username* is not UTF-8''...");
        out.username = request.arena().copy(*decoded);
    }
    const auto at = out.username.rfind('@');
    out.user = out.username.substr(0, at);
    out.domain = at == std::string_view::npos ? std::string_view{} : out.username.substr(at + 1);

    const Outcome nonce = check_nonce(request, out);
    // The client may try again with the same password, so its user is not asked (RFC 7616 3.3).
    state.stale = nonce == Outcome::stale_nonce || nonce == Outcome::nonce_reused;
    return nonce;
}

Outcome Auth::check_nonce(Request& request, Credentials& credentials)
{
    const auto parts = nonces_.open(credentials.digest.nonce, bound_text(request));
    const std::int64_t now = host_.clock().unix_seconds();
    // One that is not ours may be from before a restart, so it is stale too.
    const bool stale =
        !parts || parts->made + settings_.nonce_expire < now ||
        (settings_.nonce_auth_max_drift >= 0 && parts->made > now + settings_.nonce_auth_max_drift);
    if (stale) {
        counts_.stale.add();
        return Outcome::stale_nonce;
    }
    credentials.serial = parts->serial;
    if (!counts_uses())
        return Outcome::accepted;
    // Only looked at here: whoever does not know the password must not use up somebody's nonce.
    const bool counted = settings_.nonce_count && credentials.digest.has_qop;
    if (!counted && !settings_.one_time_nonce)
        return Outcome::accepted;
    switch (replay_->look(parts->serial, counted ? credentials.digest.nonce_count() : 1)) {
    case Replay::Answer::fresh: return Outcome::accepted;
    case Replay::Answer::reused: counts_.reused.add(); return Outcome::nonce_reused;
    case Replay::Answer::forgotten: counts_.stale.add(); return Outcome::stale_nonce;
    }
    return Outcome::error;
}

Outcome Auth::use_up(const Credentials& credentials)
{
    const bool counted = settings_.nonce_count && credentials.digest.has_qop;
    if (!counts_uses() || (!counted && !settings_.one_time_nonce))
        return Outcome::accepted;
    switch (replay_->use(credentials.serial, counted ? credentials.digest.nonce_count() : 1)) {
    case Replay::Answer::fresh: return Outcome::accepted;
    case Replay::Answer::reused: counts_.reused.add(); return Outcome::nonce_reused;
    case Replay::Answer::forgotten: counts_.stale.add(); return Outcome::stale_nonce;
    }
    return Outcome::error;
}

Outcome Auth::verify(Request& request, const Credentials& credentials, const Secret& secret,
                     std::string_view method)
{
    const sip::DigestView& digest = credentials.digest;
    const auto scheme = Scheme::named(digest.algorithm);
    if (!scheme || !credentials.header)
        return Outcome::error;
    const Exchange exchange{method, request.message().body()};
    crypto::Hex made;
    std::string stored;
    std::string_view known;
    bool right = false;
    if (secret.kind == Secret::Kind::ha1) {
        stored = lower(trim(secret.text));
        known = stored;
        if (known.size() != 2 * crypto::digest_size(scheme->hash)) {
            log_.info("the stored HA1 of {} is none of {}", credentials.username, to_text(scheme->hash));
            counts_.refused.add();
            return Outcome::bad_password;
        }
        right = fits(*scheme, known, digest, exchange);
    } else {
        // unq() takes off the quotes only (RFC 7616 3.4.2); clients that undo escapes first are understood as
        // well.
        const std::string_view sent = digest.username.empty() ? credentials.username : digest.username;
        made = ha1(scheme->hash, sent, digest.realm, secret.text);
        known = made;
        right = fits(*scheme, known, digest, exchange);
        if (!right && (sent != credentials.username || digest.realm.find('\\') != std::string_view::npos)) {
            made = ha1(scheme->hash, credentials.username, sip::unescape_quoted(digest.realm), secret.text);
            known = made;
            right = fits(*scheme, known, digest, exchange);
        }
    }
    if (!right) {
        counts_.refused.add();
        return Outcome::bad_password;
    }
    State& state = request.at(slot_);
    const Outcome used = use_up(credentials);
    state.stale = used != Outcome::accepted;
    if (used != Outcome::accepted)
        return used;
    state.accepted = credentials.header;
    counts_.accepted.add();
    if (settings_.add_authinfo_hdr)
        add_authentication_info(request, credentials, *scheme, known);
    return Outcome::accepted;
}

// RFC 7616 3.5: the server proves that it knows the password too.
void Auth::add_authentication_info(Request& request, const Credentials& credentials, const Scheme& scheme,
                                   std::string_view ha1)
{
    const sip::DigestView& digest = credentials.digest;
    if (!digest.has_qop || iequals(digest.qop, "auth-int") || !printable(digest.cnonce) ||
        !printable(digest.nc))
        return; // the client's texts would break the field, or the reply's body is not known yet
    request.append_to_reply(request.arena().concat("Authentication-Info: qop=auth, rspauth=\"",
                                                   server_response(scheme, ha1, digest), "\", cnonce=\"",
                                                   digest.cnonce, "\", nc=", digest.nc, "\r\n"));
}

Outcome Auth::identity(Request& request, const Credentials& credentials, std::int64_t checks,
                       bool with_domain)
{
    if (!(checks & check_identity) || request.is_http()) // an HTTP request says nothing about who it is from
        return Outcome::accepted;
    using M = sip::Method;
    const sip::Message& message = request.message();
    const auto method = message.method();
    const bool about_to =
        method == M::register_ || method == M::publish; // these act on the To, not for the From
    const sip::Uri* const from = message.from_uri();
    const sip::Uri* const to = about_to ? message.to_uri() : nullptr;
    if (!from || (about_to && !to))
        return Outcome::error;
    const bool forwarded = method == M::invite || method == M::bye || method == M::prack ||
                           method == M::update || method == M::message;
    if (!((checks & check_identity_skip_forwarded) && forwarded) &&
        !same_user((to ? to : from)->user, credentials.user))
        return Outcome::user_mismatch;
    if (!about_to)
        return Outcome::accepted;
    if (!same_users(*from, *to) || (with_domain && !iequals(from->host, to->host)))
        return Outcome::user_mismatch;
    if (method == M::publish) {
        const sip::Uri* const uri = request.parsed_ruri();
        if (!uri)
            return Outcome::error;
        if (!same_users(*from, *uri) || (with_domain && !iequals(from->host, uri->host)))
            return Outcome::user_mismatch;
    }
    return Outcome::accepted;
}

void Auth::store_failed(Request& request) { request.at(slot_).store_failed = true; }

} // namespace sipyard::auth
