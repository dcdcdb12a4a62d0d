// modules/xcap_server/patch.h - what turns one text into another, as patch operations (RFC 5261)
#pragma once

#include "modules/xcap_server/documents_api.h"
#include "modules/xcap_server/text_index.h"

#include <optional>

namespace sipyard::xcap_server {

// Operations that, applied in order, make `after` from `before` in all that XML tells apart. They name as
// little as one walk down both texts finds: a child that came or went, an attribute, else the innermost
// element around the differences. Nothing when prologs differ, which no operation can tell.
std::optional<Patch> patch(const IndexedView& before, const IndexedView& after);

// An attribute's value, as it is written between quotes, as character data (]]> and white space differ).
std::string as_character_data(std::string_view value);

} // namespace sipyard::xcap_server
