// modules/siputils/numbers.h - what a text is: digits, a telephone number, a URI equal to another, a date
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sipyard::siputils {

bool is_numeric(std::string_view text);                              // at least one digit, nothing else
bool is_alphanum(std::string_view text, std::string_view more = {}); // letters, digits and those of `more`
bool is_tel_number(std::string_view text);                           // digits, perhaps after one '+'
bool is_e164(std::string_view text, int most_digits); // '+', then 2 to `most_digits` digits, the first not 0
bool equal_uris(std::string_view a, std::string_view b, bool with_parameters); // false when one is no URI

// "tel:+49-30-1;ext=2" on host h is "sip:+49301;ext=2@h;user=phone" (RFC 3261 19.1.6); "" when it is no tel
// URI.
std::string sip_of_tel(std::string_view uri, std::string_view host);

std::optional<std::int64_t>
parse_date(std::string_view text); // SIP-date (RFC 3261 25.1) to seconds since 1970

} // namespace sipyard::siputils
