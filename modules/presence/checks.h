// modules/presence/checks.h - what PUBLISH and SUBSCRIBE are both asked: Expires, Require, media types
#pragma once

#include "core/sip/message.h"
#include "modules/presence/api.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sipyard::presence {

enum class ShortExpires : unsigned char { refuse, raise }; // min_expires_action 1, 2

// Expires as granted: the package's default when absent, never above `most`. Refused: 400 when it is no
// number, 423 with Min-Expires when it is too short; 0 never is.
std::variant<std::uint32_t, Refusal> granted_expires(const sip::Message& request, const Lifetimes& lifetimes,
                                                     ShortExpires action);

// 420 with Unsupported for the first tag that is not in `known`.
std::optional<Refusal> check_require(const sip::Message& request, const std::vector<std::string_view>& known);

// Is the type one of the list? Any letter case, parameters left out.
bool is_listed(std::string_view type, const std::vector<std::string>& list);
// Does an Accept value (all of its fields joined with ',') take one of these? Wildcards count, q=0 does not.
bool accepts_any(std::string_view accept, const std::vector<std::string>& types);
std::string join(const std::vector<std::string>& list, std::string_view between);
// All fields of that name as one list, in `storage` when there are several.
std::string_view joined(const sip::Message& message, sip::HeaderName name, std::string& storage);

Refusal unsupported_type(const std::vector<std::string>& accepted);

} // namespace sipyard::presence
