// modules/presence_dialoginfo/read.h - a published body becomes a document (RFC 4235 4)
#pragma once

#include "core/base/result.h"
#include "modules/presence_dialoginfo/dialog.h"

#include <cstddef>
#include <string_view>

namespace sipyard::presence_dialoginfo {

enum class Namespace : unsigned char { strict, lax }; // lax: a root in no namespace will do as well

inline constexpr std::size_t max_dialogs = 256;           // of one publication
inline constexpr std::size_t max_identifier_size = 1'024; // bytes of id, call-id and the tags

// `before` is the publication's last document, null at first: a body of partial state changes it by dialog.
// Fails with `invalid` and a short sentence fit for a reason phrase. Thread-safe.
Result<PublishedPtr> read_dialog_info(std::string_view body, Namespace wanted, const Published* before);

} // namespace sipyard::presence_dialoginfo
