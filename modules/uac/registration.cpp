// modules/uac/registration.cpp - rows of uacreg, and what a registrar's 2xx says about our contact
#include "modules/uac/registration.h"

#include "core/base/format.h"
#include "core/sip/message.h"

#include <algorithm>

namespace sipyard::uac {
namespace {

struct Field {
    const char* name;
    std::string Account::*text;
    int length;
};
constexpr Field fields[] = {
    {"l_uuid", &Account::l_uuid, 64},
    {"l_username", &Account::l_username, 64},
    {"l_domain", &Account::l_domain, 64},
    {"r_username", &Account::r_username, 64},
    {"r_domain", &Account::r_domain, 64},
    {"realm", &Account::realm, 64},
    {"auth_username", &Account::auth_username, 64},
    {"auth_password", &Account::auth_password, 64},
    {"auth_ha1", &Account::auth_ha1, 128},
    {"auth_proxy", &Account::auth_proxy, 255},
    {"contact_addr", &Account::contact_addr, 255},
    {"socket", &Account::socket, 128},
};

} // namespace

const db::Table& Account::table()
{
    static const db::Table made = [] {
        using Type = db::Column::Type;
        db::Table t{"uacreg", 5, {{"id", Type::id}}, {{"l_uuid"}}};
        for (const Field& field : fields)
            t.columns.push_back({field.name, Type::varchar, field.length, false, "''"});
        for (const char* const number : {"expires", "flags", "reg_delay"})
            t.columns.push_back({number, Type::integer, 0, false, "0"});
        return t;
    }();
    return made;
}

std::vector<std::string> Account::columns()
{
    std::vector<std::string> names;
    for (const Field& field : fields)
        names.emplace_back(field.name);
    for (const char* const number : {"expires", "flags", "reg_delay"})
        names.emplace_back(number);
    return names;
}

Account Account::of(const std::vector<db::Value>& row)
{
    Account account;
    std::size_t i = 0;
    for (const Field& field : fields)
        account.*field.text = i < row.size() ? row[i].print() : "", ++i;
    for (std::int64_t Account::*const number : {&Account::expires, &Account::flags, &Account::reg_delay})
        account.*number = i < row.size() ? row[i].integer() : 0, ++i;
    return account;
}

const std::string* Account::attribute(std::string_view name) const
{
    for (const Field& field : fields)
        if (name == field.name &&
            (name == "l_uuid" || name == "l_username" || name == "r_username" || name == "auth_username"))
            return &(this->*field.text);
    return nullptr;
}

Result<void> Account::check() const
{
    const struct {
        const char* name;
        const std::string& text;
    } needed[] = {{"l_uuid", l_uuid},
                  {"r_username", r_username},
                  {"r_domain", r_domain},
                  {"auth_username", auth_username}};
    for (const auto& one : needed)
        if (one.text.empty())
            return invalid(format("registration '{}' has no {}", l_uuid, one.name));
    if (auth_password.empty() && auth_ha1.empty())
        return invalid(format("registration '{}' has neither auth_password nor auth_ha1", l_uuid));
    if (expires <= 0)
        return invalid(format("registration '{}' has no expires", l_uuid));
    // These go into header fields as they are.
    for (const Field& field : fields)
        if (std::any_of((this->*field.text).begin(), (this->*field.text).end(),
                        [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
            return invalid(format("registration '{}': {} has control characters", l_uuid, field.name));
    return {};
}

std::optional<std::uint32_t> granted(const sip::Message& reply, std::string_view contact_user,
                                     std::uint32_t asked)
{
    const std::uint32_t otherwise = reply.expires().value_or(asked);
    const auto contacts = reply.contacts();
    if (contacts.empty())
        return otherwise; // some registrars list nothing
    for (const auto& contact : contacts) {
        sip::Uri uri;
        if (sip::read(contact.uri, uri).empty() && uri.user == contact_user)
            return contact.expires().value_or(otherwise);
    }
    return {};
}

} // namespace sipyard::uac
