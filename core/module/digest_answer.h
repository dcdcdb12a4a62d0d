// core/module/digest_answer.h - a client's side of digest authentication: challenges in, Authorization lines
// out (RFC 7616, RFC 8760)
#pragma once

#include "core/base/result.h"
#include "core/crypto/digest.h"
#include "core/sip/auth_header.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::sip {
class Message;
} // namespace sipyard::sip

namespace sipyard {

// "MD5", "SHA-256", "SHA-512-256" and their "-sess" forms, letters of either case; "" is MD5 (RFC 7616 3.4).
struct DigestScheme {
    crypto::Algorithm hash = crypto::Algorithm::md5;
    bool session = false;
    static std::optional<DigestScheme> named(std::string_view algorithm);
};

// Who we are in a realm.
struct Credential {
    std::string realm; // "" or "*": any
    std::string user;
    std::string secret;  // the password, or with is_ha1 the hex digest of user:realm:password
    bool is_ha1 = false; // then only algorithms whose digest has that length can be answered
};

// What is answered for, beside the challenge. `uri` is the Request-URI of the request that will carry the
// answer.
struct DigestRequest {
    std::string_view method, uri, body;
};

// The value of the Authorization field, without its name. Pure. `nc` is used with qop only. auth is taken
// before auth-int when both are offered; without qop the form of RFC 2069 is used, as RFC 3261 22.4 asks.
// Errors: unsupported (algorithm, qop, or a ha1 of another algorithm), invalid (no realm or nonce).
Result<std::string> digest_answer(const sip::DigestView& challenge, const Credential& who,
                                  const DigestRequest& request, std::string_view cnonce, std::uint32_t nc);

// The digests one dialog, registration or request has been asked for, with their nonce counts. Not
// thread-safe.
class DigestSession {
public:
    static constexpr std::size_t most_realms = 8;

    DigestSession() = default;
    explicit DigestSession(std::vector<Credential> credentials) : credentials_{std::move(credentials)} {}
    bool has_credentials() const { return !credentials_.empty(); }

    // A request that is not a repetition of a challenged one begins: every realm may challenge it again.
    void new_request();
    // Takes the challenges of a 401 or 407. In each realm the first one we can answer counts: the server puts
    // those it prefers on top (RFC 8760 2.4). Errors: not_found (no credential for any realm), unsupported
    // (no algorithm of ours), constraint (what we sent was refused: answering again would be the same, or go
    // on for ever).
    Result<void> challenged(const sip::Message& reply);
    // "Authorization: Digest ...\r\n" and "Proxy-Authorization: ..." for every realm that has challenged us;
    // "" at first. Each call counts the nonces up.
    std::string lines(const DigestRequest& request);

private:
    struct Realm {
        bool proxy = false;
        std::string challenge; // as received, without the name of the field
        std::string realm, nonce;
        std::size_t credential = 0;
        std::uint32_t nc = 0;
        int tries = 0;      // challenges of the request in hand
        bool fresh = false; // challenged by the reply in hand
    };
    Result<void> take(std::string_view value, bool proxy);
    const Credential* credential_for(std::string_view realm, const DigestScheme& scheme) const;

    std::vector<Credential> credentials_;
    std::vector<Realm> realms_;
};

} // namespace sipyard
