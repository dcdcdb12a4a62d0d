// modules/textops/body.h - questions about bodies: media types, parts of a multipart, hold in SDP, dates
#pragma once

#include "core/sip/values.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sipyard::textops {

struct BodyPart {
    std::string_view type, body;
};
// The first part of that type (RFC 2046 5.1).
std::optional<BodyPart> multipart_part(std::string_view body, const sip::MediaType& media,
                                       std::string_view type);

// An audio stream is inactive or send-only, or has the address 0.0.0.0 (RFC 3264 8.4).
bool audio_on_hold(std::string_view sdp);

std::string rfc_date(std::int64_t unix_seconds); // "Sat, 13 Nov 2010 23:29:00 GMT" (RFC 3261 25.1 SIP-date)

} // namespace sipyard::textops
