// modules/uac/reg_script.cpp - registrations as the script and the operator see them
#include "modules/uac/uac.h"

#include "core/base/text.h"
#include "core/sip/uri.h"

#include <algorithm>

namespace sipyard::uac {
namespace {

std::string argument(const json::Value& params, std::size_t index, std::string_view name)
{
    const json::Value& value = params.is_object() ? params[name] : params[index];
    return value.is_integer() ? std::to_string(value.integer()) : std::string{value.text()};
}

json::Value as_json(const Registration& r, std::int64_t now)
{
    const Account& a = r.account;
    auto row = json::Value::object();
    row.set("l_uuid", a.l_uuid)
        .set("l_username", a.l_username)
        .set("l_domain", a.l_domain)
        .set("r_username", a.r_username);
    row.set("r_domain", a.r_domain).set("realm", a.realm).set("auth_username", a.auth_username);
    row.set("auth_password", a.auth_password.empty() ? "" : "***")
        .set("auth_ha1", a.auth_ha1.empty() ? "" : "***"); // not for every eye
    row.set("auth_proxy", a.auth_proxy)
        .set("expires", a.expires)
        .set("flags", static_cast<std::int64_t>(r.state));
    row.set("diff_expires", std::max<std::int64_t>(r.due_unix - now, 0)).set("timer_expires", r.due_unix);
    row.set("reg_init", r.last_unix)
        .set("reg_delay", a.reg_delay)
        .set("contact_addr", a.contact_addr)
        .set("socket", a.socket);
    return row;
}

} // namespace

Verdict Uac::reg_lookup(Request& request, std::string_view uuid, const VariableRef& to)
{
    const auto found = matching("l_uuid", uuid);
    if (found.empty())
        return Verdict::no();
    const Account& a = found.front().account;
    return Verdict::of(to.set(request, request.arena().concat("sip:", a.l_username, "@", a.l_domain)));
}

Verdict Uac::reg_lookup_uri(Request& request, std::string_view text, const VariableRef& to)
{
    sip::Uri uri;
    if (!sip::read(text, uri).empty())
        return Verdict::no();
    for (const Registration& r : matching("r_username", uri.user)) {
        if (settings_.reg_use_domain && !iequals(r.account.r_domain, uri.host))
            continue;
        return Verdict::of(
            to.set(request, request.arena().concat("sip:", r.account.l_username, "@", r.account.l_domain)));
    }
    return Verdict::no();
}

Verdict Uac::reg_status(Request&, std::string_view uuid)
{
    const auto found = matching("l_uuid", uuid);
    return found.empty() ? Verdict{-1} : Verdict{found.front().status()};
}

Verdict Uac::reg_request_to(Request& request, std::string_view user, std::int64_t mode)
{
    enum : std::int64_t { by_username = 1, with_ha1 = 2 };
    const auto found = matching(mode & by_username ? "l_username" : "l_uuid", user);
    if (found.empty())
        return Verdict::no();
    const Account& a = found.front().account;
    if (!realm_avp_ || !user_avp_ || !password_avp_) {
        log_.error("uac_reg_request_to needs auth_realm_avp, auth_username_avp and auth_password_avp");
        return Verdict::no();
    }
    request.set_ruri("sip:" + a.r_username + "@" + a.r_domain);
    if (!a.auth_proxy.empty())
        request.set_dst_uri(a.auth_proxy);
    return Verdict::of(
        realm_avp_->set(request, request.arena().copy(a.realm)) &&
        user_avp_->set(request, request.arena().copy(a.auth_username)) &&
        password_avp_->set(request, request.arena().copy(mode & with_ha1 ? a.auth_ha1 : a.auth_password)));
}

Verdict Uac::reg_enable(Request&, std::string_view attribute, std::string_view value)
{
    return Verdict::of(set_disabled(attribute, value, false));
}

Verdict Uac::reg_disable(Request&, std::string_view attribute, std::string_view value)
{
    return Verdict::of(set_disabled(attribute, value, true));
}

Verdict Uac::reg_refresh(Request&, std::string_view uuid)
{
    if (const auto loaded = load_one(uuid); !loaded) {
        log_.error("uac_reg_refresh: {}", loaded.error().text);
        return Verdict::no();
    }
    return Verdict::yes();
}

// --- commands ------------------------------------------------------------------------------------

Result<json::Value> Uac::rpc_dump(const json::Value&)
{
    auto rows = json::Value::array();
    for (const Registration& r : matching({}, {}))
        rows.add(as_json(r, host_.clock().unix_seconds()));
    return rows;
}

Result<json::Value> Uac::rpc_info(const json::Value& params)
{
    auto rows = json::Value::array();
    for (const Registration& r : matching(argument(params, 0, "attribute"), argument(params, 1, "value")))
        rows.add(as_json(r, host_.clock().unix_seconds()));
    if (rows.size() == 0 || argument(params, 0, "attribute").empty())
        return Error{ErrorKind::not_found, "no such registration; usage: uac.reg_info ATTRIBUTE VALUE"};
    return rows.size() == 1 ? json::Value{rows[std::size_t{0}]} : rows;
}

Result<json::Value> Uac::rpc_enable(const json::Value& params)
{
    if (!set_disabled(argument(params, 0, "attribute"), argument(params, 1, "value"), false))
        return Error{ErrorKind::not_found, "no such registration; usage: uac.reg_enable ATTRIBUTE VALUE"};
    return json::Value{"ok"};
}

Result<json::Value> Uac::rpc_disable(const json::Value& params)
{
    if (!set_disabled(argument(params, 0, "attribute"), argument(params, 1, "value"), true))
        return Error{ErrorKind::not_found, "no such registration; usage: uac.reg_disable ATTRIBUTE VALUE"};
    return json::Value{"ok"};
}

Result<json::Value> Uac::rpc_unregister(const json::Value& params)
{
    if (!unregister(argument(params, 0, "attribute"), argument(params, 1, "value")))
        return Error{ErrorKind::not_found, "no such registration; usage: uac.reg_unregister ATTRIBUTE VALUE"};
    return json::Value{"ok"};
}

Result<json::Value> Uac::rpc_reload(const json::Value&)
{
    const Instant now = host_.clock().now();
    const bool soon = last_reload_.with([&](Instant& last) {
        if (last.ns != 0 && now - last < std::chrono::seconds{settings_.reg_gc_interval})
            return true;
        last = now;
        return false;
    });
    if (soon)
        return Error{ErrorKind::busy, format("not before {} s after the last reload (reg_gc_interval)",
                                             settings_.reg_gc_interval)};
    TRY(const auto count, load_all());
    return json::Value{static_cast<std::int64_t>(count)};
}

Result<json::Value> Uac::rpc_refresh(const json::Value& params)
{
    TRYV(load_one(argument(params, 0, "l_uuid")));
    return json::Value{"ok"};
}

Result<json::Value> Uac::rpc_active(const json::Value& params)
{
    const auto text = argument(params, 0, "active");
    if (text != "0" && text != "1")
        return invalid("usage: uac.reg_active 0|1");
    active_.store(text == "1");
    return json::Value{"ok"};
}

Result<json::Value> Uac::rpc_add(const json::Value& params)
{
    std::vector<db::Value> row;
    static constexpr const char* names[] = {"l_uuid",    "l_username", "l_domain",      "r_username",
                                            "r_domain",  "realm",      "auth_username", "auth_password",
                                            "auth_ha1",  "auth_proxy", "expires",       "flags",
                                            "reg_delay", "socket",     "contact_addr"};
    std::map<std::string, std::string> given;
    for (std::size_t i = 0; i < std::size(names); ++i) {
        given[names[i]] = argument(params, i, names[i]);
        if (given[names[i]] == ".") // Kamailio's way to leave one out
            given[names[i]].clear();
    }
    for (const auto& column : Account::columns())
        row.emplace_back(given[column]);
    Account account = Account::of(row);
    TRYV(account.check());
    put(std::move(account));
    count_registrations();
    return json::Value{"ok"};
}

Result<json::Value> Uac::rpc_remove(const json::Value& params)
{
    const auto uuid = argument(params, 0, "l_uuid");
    if (registrations_.with([&](Registrations& all) { return all.erase(uuid); }) == 0)
        return Error{ErrorKind::not_found, format("no registration '{}'", uuid)};
    count_registrations();
    return json::Value{"ok"};
}

} // namespace sipyard::uac
