// modules/uac/restore.h - both URIs of a replaced From or To in one parameter of our Record-Route
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sipyard::uac {

// The two texts over each other (exclusive or, the shorter one padded with nothing), again over the password,
// in base64 with '-' for its padding, which a URI parameter may hold. The form Kamailio writes: servers of
// both kinds may be mixed.
std::string pack(std::string_view original, std::string_view replaced, std::string_view password);

// With one of the two URIs, the other one. Nothing when the text is no base64, or what comes out is no
// printable text: an end point has changed the URI.
std::optional<std::string> unpack(std::string_view packed, std::string_view known, std::string_view password);

} // namespace sipyard::uac
