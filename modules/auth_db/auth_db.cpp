// modules/auth_db/auth_db.cpp - digest authentication against a table of subscribers (RFC 3261 22)
#include "modules/auth_db/auth_db.h"

#include "core/base/text.h"
#include "core/sip/message.h"

namespace sipyard::auth_db {
namespace {

using auth::Outcome;
using auth::Side;

enum : std::int64_t { with_domain = 1, without_credentials = 2 }; // bits of is_subscriber

Value value_of(const db::Value& value, Arena& arena)
{
    if (value.is_integer())
        return value.integer();
    return arena.copy(value.print());
}

// A positional or named argument; a password of digits may arrive as a number.
std::string argument(const json::Value& params, std::size_t index, std::string_view name)
{
    const json::Value& value = params.is_object() ? params[name] : params[index];
    return value.is_integer() ? std::to_string(value.integer()) : std::string{value.text()};
}

} // namespace

AuthDb::AuthDb(const Settings& settings, Host& host)
    : settings_{settings}, log_{host.logger("auth_db")}, auth_{host.service<auth::Api>()},
      database_{*must(host.database(settings.db_url))}, loaded_{parse_loaded(settings.load_credentials,
                                                                             host)},
      subscribers_{database_, columns_of(settings, loaded_)},
      failures_{
          host.counter("auth_db", "failures", "Requests that could not be checked because of the database")}
{
    host.add_table(subscriber_table());
    host.add_table(subscriber_table());
    if (host.checking())
        return;
    if (const auto ready = prepare(); !ready) {
        log_.warn("the database is not there yet: {}", ready.error().text);
        return;
    }
    if (settings.version_table) {
        const auto version = db::table_version(database_, host.core().version_table, subscriber_table().name);
        if (version && *version && **version != subscriber_table().version)
            log_.warn("table subscriber has version {}, not {}", **version, subscriber_table().version);
    }
}

// "$avp(i:123)=rpid;email": pieces of variable=column, or a column that goes into the AVP of its name.
std::vector<AuthDb::Loaded> AuthDb::parse_loaded(std::string_view list, Host& host)
{
    std::vector<Loaded> loaded;
    while (!list.empty()) {
        const std::string_view piece = trim(cut(list, ';'));
        if (piece.empty())
            continue;
        const auto equals = piece.rfind('='); // a variable may have one inside
        const std::string_view column =
            trim(equals == std::string_view::npos ? piece : piece.substr(equals + 1));
        const std::string_view variable =
            equals == std::string_view::npos ? std::string_view{} : trim(piece.substr(0, equals));
        const auto name = db::identifier(column);
        if (!name)
            throw StartupError{format("auth_db: load_credentials '{}': {}", piece, name.error().text)};
        Loaded one{*name, {}, {}};
        if (variable.empty())
            one.avp = AvpList::Name::parse(column);
        else if (variable.starts_with("$avp(") && variable.ends_with(')') &&
                 variable.find('$', 1) == std::string_view::npos)
            one.avp = AvpList::Name::parse(variable.substr(5, variable.size() - 6));
        else
            one.variable = must(host.compile_variable(variable));
        loaded.push_back(std::move(one));
    }
    return loaded;
}

Columns AuthDb::columns_of(const Settings& settings, const std::vector<Loaded>& loaded)
{
    Columns columns{must(db::identifier(settings.user_column)),
                    must(db::identifier(settings.domain_column)),
                    must(db::identifier(settings.password_column)),
                    must(db::identifier(settings.password_column_2)),
                    {}};
    for (const Loaded& one : loaded)
        columns.more.push_back(one.column);
    return columns;
}

Result<void> AuthDb::prepare()
{
    // Only the embedded default is made by us; elsewhere a missing table is the administrator's decision.
    if (prepared_.load(std::memory_order_acquire))
        return {};
    if (database_.dialect() == db::Dialect::sqlite) {
        const auto made = db::create_if_missing(database_, subscriber_table());
        if (!made)
            return made.error();
        if (*made)
            log_.info("table subscriber has been created in {}", database_.url().safe_text());
    }
    prepared_.store(true, std::memory_order_release);
    return {};
}

Result<std::optional<Subscribers::Found>> AuthDb::find(std::string_view table, std::string_view user,
                                                       std::optional<std::string_view> domain,
                                                       Subscribers::Which which)
{
    TRYV(prepare());
    return subscribers_.find(table, user, domain, which);
}

// --- script --------------------------------------------------------------------------------------

Verdict AuthDb::www_authorize(Request& request, std::string_view realm, std::string_view table)
{
    return www_authenticate(request, realm, table, {});
}

Verdict AuthDb::www_authenticate(Request& request, std::string_view realm, std::string_view table,
                                 std::optional<std::string_view> method)
{
    auth::Credentials credentials;
    return auth::verdict_of(authenticate(request, Side::www, realm, table,
                                         method.value_or(request.message().method_text()), credentials));
}

Verdict AuthDb::proxy_authorize(Request& request, std::string_view realm, std::string_view table)
{
    auth::Credentials credentials;
    return auth::verdict_of(
        authenticate(request, Side::proxy, realm, table, request.message().method_text(), credentials));
}

Verdict AuthDb::auth_check(Request& request, std::string_view realm, std::string_view table,
                           std::int64_t flags)
{
    const auto method = request.message().method();
    if (!request.is_http() && (method == sip::Method::ack || method == sip::Method::cancel))
        return Verdict::yes();
    auth::Credentials credentials;
    Outcome outcome = authenticate(request, auth::side_of(request), realm, table,
                                   request.message().method_text(), credentials);
    if (outcome == Outcome::accepted && credentials.header)
        outcome = auth_.identity(request, credentials, flags, settings_.use_domain);
    return auth::verdict_of(outcome);
}

Outcome AuthDb::authenticate(Request& request, Side side, std::string_view realm, std::string_view table,
                             std::string_view method, auth::Credentials& credentials)
{
    if (table.empty() || method.empty()) {
        log_.error("the names of table and method may not be empty");
        return Outcome::error;
    }
    const Outcome examined = auth_.examine(request, side, realm, credentials);
    if (examined != Outcome::accepted || !credentials.header)
        return examined;
    const auto domain = credentials.domain.empty() ? credentials.realm : credentials.domain;
    const auto which = !credentials.domain.empty() && !settings_.calculate_ha1
                           ? Subscribers::Which::password_2
                           : Subscribers::Which::password;
    const auto found =
        find(table, credentials.user,
             settings_.use_domain ? std::optional<std::string_view>{domain} : std::nullopt, which);
    if (!found) {
        failures_.add();
        log_.error("the password of {} could not be read: {}", credentials.username, found.error().text);
        auth_.store_failed(request);
        return Outcome::error;
    }
    if (!*found)
        return Outcome::no_user;
    // Nobody signs in with an empty password: it is a column that was never filled.
    if ((*found)->password.empty())
        return Outcome::bad_password;
    if (settings_.force_generate_avps)
        set_variables(request, (*found)->more);
    const auto kind = settings_.calculate_ha1 ? auth::Secret::Kind::plain : auth::Secret::Kind::ha1;
    const Outcome verified = auth_.verify(request, credentials, {kind, (*found)->password}, method);
    if (verified == Outcome::accepted && !settings_.force_generate_avps)
        set_variables(request, (*found)->more);
    return verified;
}

void AuthDb::set_variables(Request& request, const std::vector<db::Value>& values) const
{
    for (std::size_t i = 0; i < loaded_.size() && i < values.size(); ++i) {
        if (values[i].is_null())
            continue;
        const Value value = value_of(values[i], request.arena());
        if (!loaded_[i].variable)
            request.with_avps([&](AvpStore& store) { store.avps.push(loaded_[i].avp, value); });
        else if (!loaded_[i].variable->set(request, value))
            log_.error("{} cannot be set to column {}", loaded_[i].variable->text(), loaded_[i].column);
    }
}

// 1; -1 error, -2 no such user.
Verdict AuthDb::is_subscriber(Request& request, std::string_view uri, std::string_view table,
                              std::int64_t flags)
{
    sip::Uri parsed;
    if (const auto complaint = sip::read(uri, parsed); !complaint.empty() || table.empty()) {
        log_.error("is_subscriber: '{}' is no URI, or the table has no name", uri);
        return Verdict::no();
    }
    const bool loading = !(flags & without_credentials);
    const auto found = find(table, percent_decode(parsed.user).value_or(std::string{parsed.user}),
                            flags & with_domain ? std::optional<std::string_view>{parsed.host} : std::nullopt,
                            Subscribers::Which::none);
    if (!found) {
        failures_.add();
        log_.error("is_subscriber: {}", found.error().text);
        auth_.store_failed(request);
        return Verdict::no();
    }
    if (!*found)
        return {-2};
    if (loading)
        set_variables(request, (*found)->more);
    return Verdict::yes();
}

// --- management ----------------------------------------------------------------------------------

Result<json::Value> AuthDb::add(const json::Value& params)
{
    TRY(const auto id, parse_id(argument(params, 0, "user")));
    const std::string password = argument(params, 1, "password");
    if (password.empty() || password.size() > 64)
        return invalid("usage: subscriber.add USER@DOMAIN PASSWORD (1 to 64 bytes)");
    TRYV(prepare());
    TRYV(subscribers_.add(id, password));
    return json::Value{"ok"};
}

Result<json::Value> AuthDb::remove(const json::Value& params)
{
    TRY(const auto id, parse_id(argument(params, 0, "user")));
    TRYV(prepare());
    TRY(const bool there, subscribers_.remove(id));
    if (!there)
        return Error{ErrorKind::not_found, format("there is no subscriber {}@{}", id.user, id.domain)};
    return json::Value{"ok"};
}

Result<json::Value> AuthDb::list(const json::Value& params)
{
    constexpr std::int64_t most = 10'000;
    const std::int64_t limit = params[std::size_t{0}].integer(most);
    TRYV(prepare());
    TRY(const auto ids,
        subscribers_.list(static_cast<std::size_t>(limit < 1 || limit > most ? most : limit)));
    json::Value all = json::Value::array();
    for (const auto& id : ids)
        all.add(json::Value::object().set("username", id.user).set("domain", id.domain));
    return all;
}

Manifest<AuthDb> AuthDb::manifest()
{
    using M = AuthDb;
    using S = Settings;
    return {
        .name = "auth_db",
        .about = "Digest authentication against a database table of subscribers",
        .needs = {need<auth::Api>()},
        .params =
            {
                param("db_url", &S::db_url, "Where the subscribers are kept"),
                param("user_column", &S::user_column, "Column of the user name"),
                param("domain_column", &S::domain_column, "Column of the domain"),
                param("password_column", &S::password_column,
                      "Column of HA1, or of the password with calculate_ha1"),
                param("password_column_2", &S::password_column_2, "Column of the HA1 made of user@domain"),
                param("calculate_ha1", &S::calculate_ha1, "The column holds passwords, not HA1"),
                param("use_domain", &S::use_domain, "A user is looked up with the domain too"),
                param("load_credentials", &S::load_credentials,
                      "Columns that go into variables: $avp(x)=column;column"),
                param("version_table", &S::version_table, "Warn when the table has another version"),
                param("force_generate_avps", &S::force_generate_avps,
                      "Load the columns even when the password is wrong"),
            },
        .functions =
            {
                function("www_authorize", &M::www_authorize, "Checks Authorization", Route::request),
                function("www_authenticate", &M::www_authenticate,
                         "Checks Authorization, signed for a given method", Route::request),
                function("proxy_authorize", &M::proxy_authorize, "Checks Proxy-Authorization",
                         Route::request),
                function("proxy_authenticate", &M::proxy_authorize, "As proxy_authorize", Route::request),
                function("auth_check", &M::auth_check, "Checks credentials, and who signed", Route::request),
                function("is_subscriber", &M::is_subscriber, "Is the user of a URI in the table?"),
            },
        .commands =
            {
                command("subscriber.add", &M::add,
                        "USER@DOMAIN PASSWORD: adds a subscriber or sets the password"),
                command("subscriber.remove", &M::remove, "USER@DOMAIN: removes a subscriber"),
                command("subscriber.list", &M::list, "[LIMIT]: the subscribers"),
            },
    };
}

} // namespace sipyard::auth_db

SIPYARD_MODULE(sipyard::auth_db::AuthDb)
