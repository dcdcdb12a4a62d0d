// modules/auth_db/auth_db.h - passwords from a database: the module's class
#pragma once

#include "core/json/value.h"
#include "core/module/module.h"
#include "modules/auth/api.h"
#include "modules/auth_db/subscribers.h"

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::auth_db {

class AuthDb {
public:
    struct Settings {
        db::Url db_url =
            must(db::Url::parse("mysql://openserro:openserro@localhost/openser")); // the manual's
        std::string user_column = "username", domain_column = "domain", password_column = "ha1",
                    password_column_2 = "ha1b";
        bool calculate_ha1 = false;
        bool use_domain = false;
        std::string load_credentials; // "$avp(i:123)=rpid;email"
        bool version_table = true;
        bool force_generate_avps = false;
    };
    static Manifest<AuthDb> manifest();

    AuthDb(const Settings& settings, Host& host); // throws StartupError for bad column names or credentials

    // --- script ---
    Verdict www_authorize(Request& request, std::string_view realm, std::string_view table);
    Verdict www_authenticate(Request& request, std::string_view realm, std::string_view table,
                             std::optional<std::string_view> method);
    Verdict proxy_authorize(Request& request, std::string_view realm, std::string_view table);
    Verdict auth_check(Request& request, std::string_view realm, std::string_view table, std::int64_t flags);
    Verdict is_subscriber(Request& request, std::string_view uri, std::string_view table, std::int64_t flags);

    // --- management ---
    Result<json::Value> add(const json::Value& params);
    Result<json::Value> remove(const json::Value& params);
    Result<json::Value> list(const json::Value& params);

private:
    // A column that goes into a variable when somebody has signed in.
    struct Loaded {
        std::string column;
        AvpList::Name avp;                           // when `variable` is null
        std::shared_ptr<const VariableRef> variable; // shared with the host that compiled it
    };
    static std::vector<Loaded> parse_loaded(std::string_view list, Host& host);
    static Columns columns_of(const Settings& settings, const std::vector<Loaded>& loaded);

    auth::Outcome authenticate(Request& request, auth::Side side, std::string_view realm,
                               std::string_view table, std::string_view method,
                               auth::Credentials& credentials);
    Result<std::optional<Subscribers::Found>> find(std::string_view table, std::string_view user,
                                                   std::optional<std::string_view> domain,
                                                   Subscribers::Which which);
    void set_variables(Request& request, const std::vector<db::Value>& values) const;
    Result<void> prepare(); // makes the embedded default's table when it is missing

    const Settings settings_;
    const log::Logger log_;
    auth::Api& auth_;
    db::Database& database_;
    const std::vector<Loaded> loaded_;
    Subscribers subscribers_; // thread-safe
    std::atomic<bool> prepared_{false};
    Counter& failures_;
};

} // namespace sipyard::auth_db
