// modules/auth/auth.cpp - digest authentication for the script: settings, challenges, manifest (RFC 3261 22,
// RFC 7616)
#include "modules/auth/auth.h"

#include "core/base/text.h"
#include "core/crypto/random.h"
#include "core/module/stateless.h"
#include "core/sip/edits.h"
#include "core/sip/message.h"

#include <algorithm>

namespace sipyard::auth {
namespace {

// Bits of www_challenge and its sisters.
enum : std::int64_t { qop_auth = 1, qop_auth_int = 2, no_reply_on_failure = 4, say_stale = 16 };
// Bits of pv_www_authenticate and its sisters; 16 and 32 (do not use up the nonce count of a failure) always
// hold here.
enum : std::int64_t { password_is_ha1 = 1, avp_no_qop = 2, avp_auth = 4, avp_auth_int = 8 };
// Bits of auth_checks_*.
enum : int { bound_to_uri = 1, bound_to_call_id = 2, bound_to_from_tag = 4, bound_to_source = 8 };

std::vector<crypto::Algorithm> algorithms_of(std::string_view list)
{
    std::vector<crypto::Algorithm> found;
    for (const std::string_view piece : split(list, ',')) {
        const auto scheme = Scheme::named(trim(piece));
        if (!scheme || scheme->session)
            throw StartupError{format("auth: algorithm '{}' is none of MD5, SHA-256, SHA-512-256", piece)};
        crypto::require(scheme->hash);
        found.push_back(scheme->hash);
    }
    return found;
}

// "$digest_challenge" and "$avp(x)" both name an AVP.
AvpList::Name avp_of(std::string_view written)
{
    if (!written.starts_with('$') || written.size() < 2)
        throw StartupError{format("auth: challenge_attr '{}' is no AVP", written)};
    written.remove_prefix(1);
    if (written.starts_with("avp(") && written.ends_with(')'))
        written = written.substr(4, written.size() - 5);
    return AvpList::Name::parse(written);
}

bool cannot_be_challenged(const sip::Message& message)
{
    const auto method = message.method();
    return method == sip::Method::ack || method == sip::Method::cancel;
}

} // namespace

Auth::Auth(const Settings& settings, Host& host)
    : settings_{settings}, host_{host}, log_{host.logger("auth")}, slot_{host.slot<State>()},
      nonces_{settings.secret}, boot_{crypto::random_bytes(16)},
      algorithms_{algorithms_of(settings.algorithm)}, challenge_avp_{avp_of(settings.challenge_attr)},
      replay_{(settings.nonce_count || settings.one_time_nonce) && !host.checking()
                  ? std::make_unique<Replay>(static_cast<std::size_t>(
                        std::clamp(settings.nonce_count ? settings.nc_array_size : settings.otn_in_flight_no,
                                   1024, 1 << 26)))
                  : nullptr},
      counts_{host.counter("auth", "challenges", "Challenges sent"),
              host.counter("auth", "accepted", "Requests whose credentials were right"),
              host.counter("auth", "bad_password", "Requests whose response did not fit"),
              host.counter("auth", "stale", "Requests with a nonce that was too old or not ours"),
              host.counter("auth", "reused", "Requests with a nonce count that had been used"),
              host.counter("auth", "unavailable", "503 sent because the passwords could not be read")}
{
    if (!settings.qop.empty() && settings.qop != "auth" && settings.qop != "auth-int")
        throw StartupError{format("auth: qop '{}' is none of auth, auth-int", settings.qop)};
    if (settings.nonce_count && settings.qop.empty())
        log_.warn("nonce_count needs clients that use qop, and qop is empty");
}

Verdict Auth::www_challenge(Request& request, std::string_view realm, std::int64_t flags)
{
    return challenge(request, Side::www, realm, flags);
}

Verdict Auth::proxy_challenge(Request& request, std::string_view realm, std::int64_t flags)
{
    return challenge(request, Side::proxy, realm, flags);
}

Verdict Auth::auth_challenge(Request& request, std::string_view realm, std::int64_t flags)
{
    if (!request.is_http() && cannot_be_challenged(request.message()))
        return Verdict::yes();
    return challenge(request, side_of(request), realm, flags);
}

Verdict Auth::challenge(Request& request, Side side, std::string_view realm, std::int64_t flags)
{
    State& state = request.at(slot_);
    if (state.store_failed) { // "wrong password" would be a lie, and a phone would ask its user for another
                              // one
        counts_.unavailable.add();
        return Verdict::of(
            send(request, {503, "Service Unavailable", "Retry-After: 1\r\n", {}, {}}).has_value());
    }
    if (realm.empty()) {
        log_.error("a challenge needs a realm");
        if (!(flags & no_reply_on_failure))
            (void)send(request, {500, "Internal Server Error", {}, {}, {}});
        return Verdict::no();
    }
    const std::string_view qop = flags & qop_auth_int ? "auth-int" : flags & qop_auth ? "auth" : "";
    const bool stale = (flags & say_stale) != 0 || (state.stale && !(flags & no_reply_on_failure));
    const auto fields = challenge_text(request, side, realm, qop, stale);
    const auto sent = side == Side::www
                          ? send(request, {401, "Unauthorized", fields, {}, {}})
                          : send(request, {407, "Proxy Authentication Required", fields, {}, {}});
    if (!sent) {
        log_.error("the challenge could not be sent: {}", sent.error().text);
        return Verdict::no();
    }
    counts_.challenges.add();
    return Verdict::yes();
}

// One field per algorithm, the preferred one first (RFC 8760 2.4).
std::string_view Auth::challenge_text(Request& request, Side side, std::string_view realm,
                                      std::string_view qop, bool stale)
{
    Arena& arena = request.arena();
    Challenge asked;
    asked.header = side == Side::www ? std::string_view{settings_.www_challenge_header}
                                     : settings_.proxy_challenge_header;
    asked.realm = without_prefix(realm);
    asked.qop = qop;
    asked.stale = stale;
    const std::string nonce = nonces_.make(
        host_.clock().unix_seconds(), serial_.fetch_add(1, std::memory_order_relaxed), bound_text(request));
    asked.nonce = nonce;
    std::string_view fields;
    for (const auto hash : algorithms(request)) {
        asked.hash = hash;
        const auto field = print(asked, arena);
        fields = fields.empty() ? field : arena.concat(fields, field);
    }
    return fields;
}

Result<void> Auth::send(Request& request, const Reply& reply)
{
    StatelessReplies* const stateless = host_.stateless();
    if (settings_.force_stateless_reply && stateless && !request.is_http())
        return stateless->reply(request, reply);
    return request.reply(reply);
}

Verdict Auth::auth_get_www_authenticate(Request& request, std::string_view realm, std::int64_t flags,
                                        const VariableRef& to)
{
    if (realm.empty()) {
        log_.error("auth_get_www_authenticate needs a realm");
        return Verdict::no();
    }
    const std::string_view qop = flags & qop_auth_int ? "auth-int" : flags & qop_auth ? "auth" : "";
    return Verdict::of(
        to.set(request, challenge_text(request, Side::www, realm, qop, (flags & say_stale) != 0)));
}

Verdict Auth::consume_credentials(Request& request)
{
    const State* const state = request.find(slot_);
    if (state && state->accepted) {
        for (const sip::Header& header :
             request.message().headers()) { // the message may have been replaced since
            if (&header == state->accepted) {
                request.edits().remove(request.message(), header);
                return Verdict::yes();
            }
        }
    }
    if (!cannot_be_challenged(request.message()))
        log_.info("consume_credentials: no credentials of this request have been accepted");
    return Verdict::no();
}

Verdict Auth::has_credentials(Request& request, std::string_view realm)
{
    Credentials ignored;
    return Verdict::of(find(request, Side::proxy, realm, ignored) == Outcome::accepted ||
                       find(request, Side::www, realm, ignored) == Outcome::accepted);
}

Outcome Auth::with_password(Request& request, Side side, std::string_view realm, std::string_view password,
                            std::int64_t flags, std::string_view method, Credentials& credentials)
{
    if (realm.empty() || password.empty() || method.empty()) {
        log_.error("realm, password and method may not be empty");
        return Outcome::error;
    }
    Outcome outcome = examine(request, side, realm, credentials);
    if (outcome == Outcome::accepted && credentials.header)
        outcome =
            verify(request, credentials,
                   {flags & password_is_ha1 ? Secret::Kind::ha1 : Secret::Kind::plain, password}, method);
    if (outcome != Outcome::accepted && (flags & (avp_no_qop | avp_auth | avp_auth_int))) {
        const std::string_view qop = flags & avp_auth_int ? "auth-int" : flags & avp_auth ? "auth" : "";
        const auto text = challenge_text(request, side, realm, qop, request.at(slot_).stale);
        request.with_avps([&](AvpStore& store) { store.avps.push(challenge_avp_, text); });
    }
    return outcome;
}

Verdict Auth::pv_www_authenticate(Request& request, std::string_view realm, std::string_view password,
                                  std::int64_t flags, std::optional<std::string_view> method)
{
    Credentials credentials;
    return verdict_of(with_password(request, Side::www, realm, password, flags,
                                    method.value_or(request.message().method_text()), credentials));
}

Verdict Auth::pv_proxy_authenticate(Request& request, std::string_view realm, std::string_view password,
                                    std::int64_t flags)
{
    Credentials credentials;
    return verdict_of(with_password(request, Side::proxy, realm, password, flags,
                                    request.message().method_text(), credentials));
}

Verdict Auth::pv_auth_check(Request& request, std::string_view realm, std::string_view password,
                            std::int64_t flags, std::int64_t checks)
{
    if (!request.is_http() && cannot_be_challenged(request.message()))
        return Verdict::yes();
    Credentials credentials;
    const Outcome outcome = with_password(request, side_of(request), realm, password, flags,
                                          request.message().method_text(), credentials);
    // pv_auth_check knows one check only; auth_check's second bit is not its.
    return verdict_of(outcome == Outcome::accepted && credentials.header
                          ? identity(request, credentials, checks & check_identity, settings_.use_domain)
                          : outcome);
}

// For this request only: the original changes it for the whole process, whichever request runs next.
Verdict Auth::auth_algorithm(Request& request, std::string_view algorithm)
{
    const auto scheme = Scheme::named(algorithm);
    if (!scheme || scheme->session) {
        log_.error("auth_algorithm: '{}' is none of MD5, SHA-256, SHA-512-256", algorithm);
        return Verdict::no();
    }
    request.at(slot_).algorithms = scheme->hash == crypto::Algorithm::md5      ? &only_md5_
                                   : scheme->hash == crypto::Algorithm::sha256 ? &only_sha256_
                                                                               : &only_sha512_256_;
    return Verdict::yes();
}

const Auth::Algorithms& Auth::algorithms(Request& request)
{
    const State* const state = request.find(slot_);
    return state && state->algorithms ? *state->algorithms : algorithms_;
}

// What a nonce of this request is bound to beside its time (auth_checks_*).
std::string_view Auth::bound_text(Request& request)
{
    const sip::Message& message = request.message();
    const int bits = message.method() == sip::Method::register_ && !request.is_http()
                         ? settings_.auth_checks_register
                     : message.to_tag().empty() ? settings_.auth_checks_no_dlg
                                                : settings_.auth_checks_in_dlg;
    const std::string_view boot = counts_uses() ? std::string_view{boot_} : std::string_view{};
    if (bits == 0)
        return boot;
    std::string address;
    if (bits & bound_to_source)
        address = request.received().source.host();
    return request.arena().concat(boot, "\n", bits & bound_to_uri ? message.uri_text() : "", "\n",
                                  bits & bound_to_call_id ? message.call_id() : "", "\n",
                                  bits & bound_to_from_tag ? message.from_tag() : "", "\n", address);
}

std::string_view Auth::without_prefix(std::string_view realm) const
{
    const std::string_view prefix = settings_.realm_prefix;
    if (!prefix.empty() && realm.size() > prefix.size() && istarts_with(realm, prefix))
        realm.remove_prefix(prefix.size());
    return realm;
}

Manifest<Auth> Auth::manifest()
{
    using M = Auth;
    using S = Settings;
    constexpr RouteMask challenging = Route::request | Route::failure | any_reply;
    return {
        .name = "auth",
        .about = "Digest authentication: challenges, nonces, credentials (RFC 7616)",
        .offers = {offer_of<Api, M>()},
        .params =
            {
                param("secret", &S::secret,
                      "Key of the nonces; empty: a random one, so that they end with the process"),
                param("nonce_expire", &S::nonce_expire, "Seconds a nonce is good for"),
                param("nonce_auth_max_drift", &S::nonce_auth_max_drift,
                      "Seconds a nonce may lie in the future; negative: any"),
                param("protect_contacts", &S::protect_contacts, "Accepted without effect"),
                param("challenge_attr", &S::challenge_attr,
                      "AVP that gets the challenge of pv_www_authenticate"),
                param("proxy_challenge_header", &S::proxy_challenge_header, "Name of the field in a 407"),
                param("www_challenge_header", &S::www_challenge_header, "Name of the field in a 401"),
                param("qop", &S::qop, "Accepted; the flags of the challenge functions choose the qop"),
                param(
                    "auth_checks_register", &S::auth_checks_register,
                    "What nonces of REGISTER are bound to: 1 R-URI, 2 Call-ID, 4 From tag, 8 source address"),
                param("auth_checks_no_dlg", &S::auth_checks_no_dlg,
                      "The same for other requests outside dialogs"),
                param("auth_checks_in_dlg", &S::auth_checks_in_dlg, "The same for requests in dialogs"),
                param("nonce_count", &S::nonce_count, "Each nonce count (nc) is accepted once"),
                param("nc_array_size", &S::nc_array_size,
                      "Nonces whose counts are remembered, 24 bytes each"),
                param("nc_array_order", &S::nc_array_order, "Accepted without effect; nc_array_size counts"),
                param("one_time_nonce", &S::one_time_nonce,
                      "Each nonce is accepted once, where credentials have no counted nc"),
                param("otn_in_flight_no", &S::otn_in_flight_no,
                      "Nonces remembered for that, when nonce_count is off"),
                param("otn_in_flight_order", &S::otn_in_flight_order,
                      "Accepted without effect; otn_in_flight_no counts"),
                param("nid_pool_no", &S::nid_pool_no, "Accepted without effect"),
                param("force_stateless_reply", &S::force_stateless_reply,
                      "Challenges do not use the transaction"),
                param("realm_prefix", &S::realm_prefix, "Taken off the front of realms"),
                param("use_domain", &S::use_domain, "pv_auth_check compares domains too"),
                param("algorithm", &S::algorithm,
                      "MD5, SHA-256 or SHA-512-256, or several separated by commas; empty: MD5"),
                param("add_authinfo_hdr", &S::add_authinfo_hdr,
                      "Authentication-Info in the reply to accepted requests"),
            },
        .functions =
            {
                function("www_challenge", &M::www_challenge, "Answers 401 with WWW-Authenticate",
                         challenging),
                function("proxy_challenge", &M::proxy_challenge, "Answers 407 with Proxy-Authenticate",
                         challenging),
                function("auth_challenge", &M::auth_challenge, "401 for REGISTER and HTTP, else 407",
                         challenging),
                function("auth_get_www_authenticate", &M::auth_get_www_authenticate,
                         "Puts the challenge's header field into a variable", Route::request),
                function("consume_credentials", &M::consume_credentials,
                         "Removes the credentials that were accepted", Route::request),
                function("has_credentials", &M::has_credentials, "Are there credentials for the realm?",
                         Route::request),
                function("pv_www_authenticate", &M::pv_www_authenticate,
                         "Checks Authorization against a password", Route::request),
                function("pv_www_authorize", &M::pv_www_authenticate, "As pv_www_authenticate",
                         Route::request),
                function("pv_proxy_authenticate", &M::pv_proxy_authenticate,
                         "Checks Proxy-Authorization against a password", Route::request),
                function("pv_proxy_authorize", &M::pv_proxy_authenticate, "As pv_proxy_authenticate",
                         Route::request),
                function("pv_auth_check", &M::pv_auth_check,
                         "Checks credentials against a password, and who signed", Route::request),
                function("auth_algorithm", &M::auth_algorithm, "Chooses the algorithm for this request",
                         Route::request),
            },
    };
}

} // namespace sipyard::auth

SIPYARD_MODULE(sipyard::auth::Auth)
