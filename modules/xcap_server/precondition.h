// modules/xcap_server/precondition.h - may this request touch the document it names? (RFC 4825 7.11, RFC
// 7232)
#pragma once

#include <optional>
#include <string_view>

namespace sipyard::xcap_server {

// If-Match and If-None-Match as sent, several fields joined by commas. Nothing: the header is absent.
struct Conditions {
    std::optional<std::string_view> if_match, if_none_match;
};

enum class Reading : unsigned char { no, yes };
enum class Gate : unsigned char { open, not_modified, failed }; // go on, 304, 412
std::string_view to_text(Gate gate);

// `stored`: the document's tag without quotes, nothing when it does not exist.
Gate gate(const Conditions& given, std::optional<std::string_view> stored, Reading reading);

// Does the header's list name the tag? Strong: W/ never matches (RFC 7232 2.3.2). '*' is not looked at here.
// Tolerated: tags without quotes and with doubled ones; some phones copy the quotes of a quoted value.
enum class Compare : unsigned char { strong, weak };
bool names(std::string_view list, std::string_view tag, Compare compare);
bool is_any(std::string_view list); // the header is "*"

} // namespace sipyard::xcap_server
