// modules/sanity/checks.h - the checks by themselves: bit numbers are Kamailio's
#pragma once

#include "core/sip/message.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::sanity {

enum Check : unsigned {
    ruri_version = 1u << 0,
    ruri_scheme = 1u << 1,
    required_headers = 1u << 2,
    via_version = 1u << 3,
    via_protocol = 1u << 4,
    cseq_method = 1u << 5,
    cseq_value = 1u << 6,
    content_length = 1u << 7,
    expires_value = 1u << 8,
    proxy_require = 1u << 9,
    parse_uris = 1u << 10,
    digest = 1u << 11,
    duplicate_tags = 1u << 12,
    authorization = 1u << 13,
    via1 = 1u << 14,
};
enum UriCheck : unsigned { uri_request = 1, uri_from = 2, uri_to = 4, uri_contact = 8 };

struct Flaw {
    int code;                // of the reply
    std::string_view reason; // a literal
    std::string headers;     // lines for the reply
};

// The first flaw in the order of the bits, or nothing.
std::optional<Flaw> find_flaw(const sip::Message& message, unsigned checks, unsigned uris,
                              const std::vector<std::string>& supported);

} // namespace sipyard::sanity
