// modules/tls/config_file.cpp - sections, keys and values of the TLS configuration file
#include "modules/tls/config_file.h"

#include "core/base/format.h"
#include "core/base/text.h"

#include <algorithm>
#include <functional>

namespace sipyard::tls {

std::string Profile::text() const
{
    const std::string side = settings.side == crypto::TlsSide::server ? "server:" : "client:";
    std::string where = address.family == net::Address::Family::none ? "default" : address.text();
    return side + where + (server_name.empty() ? "" : " (" + server_name + ")");
}

Result<bool> parse_switch(std::string_view text)
{
    for (const auto word : {"yes", "on", "true", "1", "enable"})
        if (iequals(text, word))
            return true;
    for (const auto word : {"no", "off", "false", "0", "disable"})
        if (iequals(text, word))
            return false;
    return invalid(format("'{}' is neither yes nor no", text));
}

namespace {

Result<void> set_switch(bool& to, std::string_view text)
{
    TRY(to, parse_switch(text));
    return {};
}

Result<void> set_verify_client(crypto::TlsSettings& settings, std::string_view text)
{
    const bool on = iequals(text, "on");
    if (!on && !iequals(text, "off") && !iequals(text, "optional") && !iequals(text, "optional_no_ca"))
        return invalid(format("'{}' is not on, off, optional or optional_no_ca", text));
    settings.verify_certificate = on || iequals(text, "optional");
    settings.require_certificate = on;
    return {};
}

Result<void> set_name_mode(Profile& profile, std::string_view text)
{
    const auto mode = parse_uint(text);
    if (!mode || *mode > 2)
        return invalid(format("'{}' is not 0, 1 or 2", text));
    profile.subdomains = *mode > 0;
    profile.only_subdomains = *mode == 2;
    return {};
}

struct Key {
    std::string_view name;
    Result<void> (*set)(Profile&, std::string_view value);
};

template <std::string crypto::TlsSettings::*Member>
Result<void> set_text(Profile& profile, std::string_view value)
{
    profile.settings.*Member = std::string{value};
    return {};
}

using S = crypto::TlsSettings;
constexpr Key keys[] = {
    {"method", set_text<&S::method>},
    {"tls_method", set_text<&S::method>},
    {"certificate", set_text<&S::certificate>},
    {"private_key", set_text<&S::private_key>},
    {"ca_list", set_text<&S::ca_list>},
    {"crl", set_text<&S::crl>},
    {"cipher_list", set_text<&S::cipher_list>},
    {"verify_certificate",
     [](Profile& p, std::string_view v) { return set_switch(p.settings.verify_certificate, v); }},
    {"verify_cert",
     [](Profile& p, std::string_view v) { return set_switch(p.settings.verify_certificate, v); }},
    {"require_certificate",
     [](Profile& p, std::string_view v) { return set_switch(p.settings.require_certificate, v); }},
    {"require_cert",
     [](Profile& p, std::string_view v) { return set_switch(p.settings.require_certificate, v); }},
    {"verify_client", [](Profile& p, std::string_view v) { return set_verify_client(p.settings, v); }},
    {"verify_depth",
     [](Profile& p, std::string_view v) -> Result<void> {
         const auto depth = parse_uint(v);
         if (!depth || *depth > 100)
             return invalid(format("'{}' is not a depth from 0 to 100", v));
         p.settings.verify_depth = static_cast<int>(*depth);
         return {};
     }},
    {"server_name",
     [](Profile& p, std::string_view v) -> Result<void> {
         (p.settings.side == crypto::TlsSide::server ? p.server_name : p.settings.server_name) =
             std::string{v};
         return {};
     }},
    {"server_name_mode", set_name_mode},
    {"server_id",
     [](Profile&, std::string_view) -> Result<void> { return {}; }}, // chosen by scripts; see the README
};

// "server:default", "client:192.0.2.1:5061", "server:[2001:db8::1]:5061"
Result<Profile> open_section(std::string_view title)
{
    Profile profile;
    const auto side = trim(cut(title, ':'));
    const auto where = trim(title);
    if (iequals(side, "server"))
        profile.settings.side = crypto::TlsSide::server;
    else if (iequals(side, "client"))
        profile.settings.side = crypto::TlsSide::client;
    else
        return invalid(format("'{}' is neither server nor client", side));
    if (iequals(where, "default") || iequals(where, "any"))
        return profile;
    const auto colon = where.rfind(':');
    const auto port = colon == std::string_view::npos ? std::nullopt : parse_uint(where.substr(colon + 1));
    if (!port || *port == 0 || *port > 65'535)
        return invalid(format("'{}' is not default, any, or an address with its port", where));
    TRY(profile.address, net::Address::parse(where.substr(0, colon), static_cast<std::uint16_t>(*port)));
    return profile;
}

} // namespace

Result<std::vector<Profile>> parse_config(std::string_view text, const crypto::TlsSettings& defaults)
{
    std::vector<Profile> profiles;
    crypto::TlsSettings of_server = defaults, of_client = defaults;
    bool is_default = false;
    int number = 0;
    const auto wrong = [&](const Error& why) { return invalid(format("line {}: {}", number, why.text)); };
    // What a default section has said by now is where the next section of its side begins.
    const auto settle = [&] {
        if (is_default)
            (profiles.back().settings.side == crypto::TlsSide::server ? of_server : of_client) =
                profiles.back().settings;
    };
    while (!text.empty()) {
        ++number;
        const auto line = trim(cut(text, '\n'));
        if (line.empty() || line.front() == '#')
            continue;
        if (line.front() == '[') {
            const auto end = line.rfind(']');
            if (end == std::string_view::npos ||
                !(trim(line.substr(end + 1)).empty() || trim(line.substr(end + 1)).front() == '#'))
                return wrong(invalid(format("'{}' is not a section", line)));
            settle();
            auto profile = open_section(line.substr(1, end - 1));
            if (!profile)
                return wrong(profile.error());
            const auto side = profile->settings.side;
            profile->settings = side == crypto::TlsSide::server ? of_server : of_client;
            profile->settings.side = side;
            profile->line = number;
            is_default = iequals(trim(line.substr(line.find(':') + 1, end - line.find(':') - 1)), "default");
            profiles.push_back(std::move(*profile));
            continue;
        }
        auto value = line;
        const auto name = trim(cut(value, '='));
        value = trim(value);
        if (value.size() >= 2 && value.front() == '"' && value.find('"', 1) != std::string_view::npos)
            value = value.substr(1, value.find('"', 1) - 1);
        else
            value = trim(value.substr(0, value.find('#')));
        const auto key = std::find_if(std::begin(keys), std::end(keys),
                                      [&](const Key& k) { return iequals(k.name, name); });
        if (key == std::end(keys)) {
            std::vector<std::string_view> known;
            for (const auto& k : keys)
                known.push_back(k.name);
            const auto near = nearest(name, known);
            return wrong(invalid(format("'{}' is not a key{}", name,
                                        near.empty() ? "" : format("; did you mean '{}'?", near))));
        }
        if (line.find('=') == std::string_view::npos || value.empty())
            return wrong(invalid(format("'{}' has no value", name)));
        if (profiles.empty())
            return wrong(invalid(format("'{}' stands before the first section", name)));
        if (const auto set = key->set(profiles.back(), value); !set)
            return wrong(invalid(format("{}: {}", name, set.error().text)));
    }
    return profiles;
}

} // namespace sipyard::tls
