// modules/uac/registration.h - one registration of ours at somebody else's registrar: what it is and what
// becomes of it
#pragma once

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/db/database.h"
#include "core/module/digest_answer.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::sip {
class Message;
} // namespace sipyard::sip

namespace sipyard::uac {

// A row of table uacreg, with Kamailio's columns.
struct Account {
    std::string l_uuid, l_username, l_domain, r_username, r_domain, realm, auth_username, auth_password,
        auth_ha1, auth_proxy, contact_addr, socket;
    std::int64_t expires = 0, flags = 0, reg_delay = 0;

    static const db::Table& table();
    static std::vector<std::string> columns();
    static Account of(const std::vector<db::Value>& row); // in the order of columns()
    // "l_uuid", "l_username", "r_username" or "auth_username"; null for other names.
    const std::string* attribute(std::string_view name) const;
    Result<void> check() const; // what a REGISTER cannot do without
};

// The state of Kamailio's field `flags`.
enum : unsigned { disabled = 1, ongoing = 2, online = 4, auth_sent = 8, initialised = 16 };

struct Registration {
    Account account;
    unsigned state = initialised;
    Instant due{};                            // of the next REGISTER
    std::int64_t due_unix = 0, last_unix = 0; // for lists; seconds
    std::string call_id, from_tag;
    std::uint32_t cseq = 0,
                  serial = 0; // serial: of the attempt in hand, so that replies to older ones change nothing
    bool unregistering = false, min_expires_tried = false;
    std::shared_ptr<DigestSession> digest; // shared with the attempt in hand

    // As uac_reg_status returns it.
    int status() const { return state & disabled ? -3 : state & online ? 1 : state & ongoing ? -2 : -99; }
};

// The expiry a 2xx grants to our contact (RFC 3261 10.2.4): its own expires parameter, the reply's Expires,
// what was asked. Nothing when the registrar does not list the contact although it lists others.
std::optional<std::uint32_t> granted(const sip::Message& reply, std::string_view contact_user,
                                     std::uint32_t asked);

} // namespace sipyard::uac
