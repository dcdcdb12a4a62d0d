// modules/uac/uac.h - a client's tasks for the script: other From and To, credentials, requests of one's own,
// registrations
#pragma once

#include "core/base/guarded.h"
#include "core/json/value.h"
#include "core/module/module.h"
#include "core/sip/header.h"
#include "modules/rr/api.h"
#include "modules/tm/api.h"
#include "modules/uac/api.h"
#include "modules/uac/registration.h"

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::uac {

enum class RestoreMode : unsigned char { none, manual, automatic };

struct Settings {
    std::string rr_from_store_param = "vsf", rr_to_store_param = "vst";
    std::string restore_mode = "auto", restore_passwd, restore_from_avp, restore_to_avp;
    int restore_dlg = 0;
    std::vector<std::string> credential;
    std::string auth_realm_avp, auth_username_avp, auth_password_avp;
    std::string reg_db_url, reg_db_table = "uacreg", reg_contact_addr, default_socket, event_callback;
    int reg_timer_interval = 90, reg_retry_interval = 0, reg_random_delay = 0, reg_hash_size = 4,
        reg_keep_callid = 0, reg_active = 1, reg_gc_interval = 150, reg_use_domain = 0;
    // Ours.
    int reg_max = 100'000;
};

// $uac_req: of the message in hand.
struct OwnRequest {
    std::string method, ruri, turi, furi, hdrs, body, ouri, sock, auser, apasswd, callid, evparam;
    std::int64_t evroute = 0, evcode = 0, evtype = 0;
};

// What has been done to the message in hand.
struct Replaced {
    bool from = false, to = false;
};

class Uac final : public Api, public tm::Watcher, public rr::Listener {
public:
    using Settings = uac::Settings;
    static Manifest<Uac> manifest();
    Uac(const Settings& settings, Host& host);
    ~Uac() override;

    const std::vector<Credential>& own_credentials() const override { return credentials_; }
    // --- tm::Watcher: From and To of replies ---
    tm::Moments wants(Request& request, std::uint64_t& note) override;
    void on(const tm::Happening& happening) override;
    // --- rr::Listener: those of requests that follow ---
    void on_loose_route(Request& request, sip::ParamsView params) override;

    struct Counts {
        Counter &replaced, &restored, &answered_challenges, &requests, &regs, &regs_active, &regs_failed;
    };
    struct Gauges { // what the counters of registrations say now
        std::int64_t total = 0, active = 0;
    };
    using Registrations = std::map<std::string, Registration, std::less<>>;

    // --- replace.cpp ---
    Verdict replace_from(Request& r, std::string_view a, std::optional<std::string_view> b)
    {
        return replace(r, sip::HeaderName::from, a, b);
    }
    Verdict replace_to(Request& r, std::string_view a, std::optional<std::string_view> b)
    {
        return replace(r, sip::HeaderName::to, a, b);
    }
    Verdict restore_from(Request& r) { return Verdict::of(restore(r, sip::HeaderName::from)); }
    Verdict restore_to(Request& r) { return Verdict::of(restore(r, sip::HeaderName::to)); }
    Verdict replace(Request& request, sip::HeaderName which, std::string_view a,
                    std::optional<std::string_view> b);
    bool restore(Request& request, sip::HeaderName which);
    void keep_original(Request& request, sip::HeaderName which);

    // --- auth.cpp ---
    Verdict auth(Request& request, std::optional<std::int64_t> mode);
    Verdict auth_mode(Request& request, std::int64_t mode) { return auth(request, mode); }
    std::vector<Credential> credentials(Request& request, bool is_ha1) const;

    // --- send.cpp ---
    Value get_req(Request& request, std::string_view key);
    bool set_req(Request& request, std::string_view key, const Value& value);
    std::optional<VariableSpec::Refusal> check_req(std::string_view key) const;
    Verdict req_send(Request& request);
    struct Sending;
    Result<void> send_own(const std::shared_ptr<Sending>& sending);
    void own_answered(const std::shared_ptr<Sending>& sending, const tm::Incoming& in);
    const net::Listener* socket(std::string_view text) const; // null: none of that name

    // --- registrations.cpp ---
    void start_registrations();
    void on_timer();
    Result<std::size_t> load_all();
    Result<void> load_one(std::string_view uuid);
    void put(Account account);
    void attempt(const std::string& uuid);
    void reg_answered(const std::string& uuid, std::uint32_t serial, const tm::Incoming& in);
    void failed(Registration& registration, int code);
    template <class F>
    std::size_t for_matching(std::string_view attribute, std::string_view value, F&& f);
    void count_registrations();
    bool set_disabled(std::string_view attribute, std::string_view value, bool off);
    bool unregister(std::string_view attribute, std::string_view value);
    std::vector<Registration> matching(std::string_view attribute, std::string_view value); // "": all

    // --- reg_script.cpp ---
    Verdict reg_lookup(Request& r, std::string_view uuid, const VariableRef& to);
    Verdict reg_lookup_uri(Request& r, std::string_view uri, const VariableRef& to);
    Verdict reg_status(Request& r, std::string_view uuid);
    Verdict reg_request_to(Request& r, std::string_view user, std::int64_t mode);
    Verdict reg_enable(Request& r, std::string_view attribute, std::string_view value);
    Verdict reg_disable(Request& r, std::string_view attribute, std::string_view value);
    Verdict reg_refresh(Request& r, std::string_view uuid);
    Result<json::Value> rpc_dump(const json::Value& params);
    Result<json::Value> rpc_info(const json::Value& params);
    Result<json::Value> rpc_enable(const json::Value& params);
    Result<json::Value> rpc_disable(const json::Value& params);
    Result<json::Value> rpc_unregister(const json::Value& params);
    Result<json::Value> rpc_reload(const json::Value& params);
    Result<json::Value> rpc_refresh(const json::Value& params);
    Result<json::Value> rpc_active(const json::Value& params);
    Result<json::Value> rpc_add(const json::Value& params);
    Result<json::Value> rpc_remove(const json::Value& params);

private:
    const Settings settings_;
    Host& host_;
    const log::Logger log_;
    tm::Api& tm_;
    tm::Extras& tm_extras_;
    rr::Api* const rr_;
    const RestoreMode mode_;
    const Slot<OwnRequest> req_slot_;
    const Slot<Replaced> replaced_slot_;
    const std::vector<Credential> credentials_;
    std::shared_ptr<const VariableRef> realm_avp_, user_avp_, password_avp_, from_avp_,
        to_avp_;                       // set in the constructor
    db::Database* database_ = nullptr; // the same
    Counts counts_;
    Guarded<Registrations> registrations_;
    Guarded<Gauges> gauges_;
    std::atomic<bool> active_;
    Guarded<Instant> last_reload_;
    std::unique_ptr<task::Timer> timer_; // of worker 0
};

} // namespace sipyard::uac
