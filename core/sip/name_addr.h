// core/sip/name_addr.h - From, To, Contact, Route and their kin: display name, URI, parameters (RFC
// 3261 20.10)
#pragma once

#include "core/sip/complaint.h"
#include "core/sip/params.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace sipyard::sip {

struct NameAddr {
    std::string_view whole;   // this value, without its neighbours in a comma list
    std::string_view display; // quotes kept; "" when absent
    std::string_view uri;     // without angle brackets; read it with read(uri, Uri&)
    ParamsView params;        // header parameters
    bool in_brackets = false;
    bool is_star = false; // Contact: *

    std::string_view display_plain() const; // without quotes, escapes kept
    std::string_view tag() const { return params.find("tag").value_or(""); }
    bool has_tag() const { return !tag().empty(); }
    std::optional<std::uint32_t> expires() const; // overlarge saturates; malformed is nothing
    int q() const; // 0..1000; 1000 when absent, RFC 3261 20.10; -1 when malformed
};

// Reads one value. Without brackets, parameters belong to the header and the URI may hold no ',', ';' or '?'
// (RFC 3261 20). The URI's own grammar is not looked at.
Complaint read(std::string_view text, NameAddr& out);

} // namespace sipyard::sip
