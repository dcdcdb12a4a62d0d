// modules/auth/auth.h - the digest module's class: its settings, its service, its script functions
#pragma once

#include "core/module/module.h"
#include "modules/auth/api.h"
#include "modules/auth/challenge.h"
#include "modules/auth/nonce.h"
#include "modules/auth/replay.h"
#include "modules/auth/response.h"

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::auth {

class Auth final : public Api {
public:
    struct Settings {
        std::string secret;           // "": random, so nonces end with the process
        int nonce_expire = 300;       // seconds
        int nonce_auth_max_drift = 3; // seconds a nonce may lie in the future; negative: any
        int protect_contacts = 0;
        std::string challenge_attr = "$digest_challenge";
        std::string proxy_challenge_header = "Proxy-Authenticate", www_challenge_header = "WWW-Authenticate";
        std::string qop = "auth";
        int auth_checks_register = 0, auth_checks_no_dlg = 0, auth_checks_in_dlg = 0; // bits: bound_to_*
        bool nonce_count = false;
        int nc_array_size = 1'048'576, nc_array_order = 20;
        bool one_time_nonce = false;
        int otn_in_flight_no = 1'048'576, otn_in_flight_order = 20;
        int nid_pool_no = 1;
        bool force_stateless_reply = false;
        std::string realm_prefix;
        bool use_domain = false;
        std::string algorithm; // "" is MD5; several separated by commas, the best first
        bool add_authinfo_hdr = false;
    };
    static Manifest<Auth> manifest();

    Auth(const Settings& settings,
         Host& host); // throws StartupError for an algorithm or qop it does not know

    // --- Api ---
    Outcome examine(Request& request, Side side, std::string_view realm, Credentials& out) override;
    Outcome verify(Request& request, const Credentials& credentials, const Secret& secret,
                   std::string_view method) override;
    Outcome identity(Request& request, const Credentials& credentials, std::int64_t checks,
                     bool with_domain) override;
    void store_failed(Request& request) override;

    // --- script ---
    Verdict www_challenge(Request& request, std::string_view realm, std::int64_t flags);
    Verdict proxy_challenge(Request& request, std::string_view realm, std::int64_t flags);
    Verdict auth_challenge(Request& request, std::string_view realm, std::int64_t flags);
    Verdict auth_get_www_authenticate(Request& request, std::string_view realm, std::int64_t flags,
                                      const VariableRef& to);
    Verdict consume_credentials(Request& request);
    Verdict has_credentials(Request& request, std::string_view realm);
    Verdict pv_www_authenticate(Request& request, std::string_view realm, std::string_view password,
                                std::int64_t flags, std::optional<std::string_view> method);
    Verdict pv_proxy_authenticate(Request& request, std::string_view realm, std::string_view password,
                                  std::int64_t flags);
    Verdict pv_auth_check(Request& request, std::string_view realm, std::string_view password,
                          std::int64_t flags, std::int64_t checks);
    Verdict auth_algorithm(Request& request, std::string_view algorithm);

private:
    using Algorithms = std::vector<crypto::Algorithm>;
    struct State { // of one request
        bool store_failed = false, stale = false;
        const sip::Header* accepted = nullptr;
        const Algorithms* algorithms = nullptr; // auth_algorithm()
    };
    struct Counts {
        Counter &challenges, &accepted, &refused, &stale, &reused, &unavailable;
    };

    Outcome find(Request& request, Side side, std::string_view realm, Credentials& out);
    Outcome check_nonce(Request& request, Credentials& credentials);
    Outcome use_up(const Credentials& credentials);
    Outcome with_password(Request& request, Side side, std::string_view realm, std::string_view password,
                          std::int64_t flags, std::string_view method, Credentials& credentials);
    Verdict challenge(Request& request, Side side, std::string_view realm, std::int64_t flags);
    std::string_view challenge_text(Request& request, Side side, std::string_view realm, std::string_view qop,
                                    bool stale);
    Result<void> send(Request& request, const Reply& reply);
    void add_authentication_info(Request& request, const Credentials& credentials, const Scheme& scheme,
                                 std::string_view ha1);
    std::string_view bound_text(Request& request);
    std::string_view without_prefix(std::string_view realm) const;
    const Algorithms& algorithms(Request& request);
    bool counts_uses() const { return replay_ != nullptr; }

    const Settings settings_;
    Host& host_;
    const log::Logger log_;
    const Slot<State> slot_;
    const Nonces nonces_;
    const std::string boot_; // bound into nonces whose uses are counted: the counts end with the process
    const Algorithms algorithms_;
    const Algorithms only_md5_{crypto::Algorithm::md5}, only_sha256_{crypto::Algorithm::sha256},
        only_sha512_256_{crypto::Algorithm::sha512_256};
    const AvpList::Name challenge_avp_;
    const std::unique_ptr<Replay> replay_; // null: uses are not counted; itself thread-safe
    std::atomic<std::uint64_t> serial_{1};
    const Counts counts_;
};

} // namespace sipyard::auth
