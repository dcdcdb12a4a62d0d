// core/script/uri_rewrite.h - changing one part of the request URI, the rest kept as it was written
// (spec/script 14)
#pragma once

#include "core/base/arena.h"
#include "core/sip/uri.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sipyard::script {

enum class UriPart : unsigned char {
    host,            // port and parameters stay
    host_port,       // a new host and port
    host_port_trans, // and transport parameter
    user,            // the password stays
    user_password,
    port,
    prefix, // in front of the user
    strip,  // that many bytes of the user's start
    strip_tail,
    user_phone, // ;user=phone
};

// A new text in the arena. `count` is of strip and strip_tail: beyond the user's length it is empty. Empty
// result: the URI is not a SIP one.
std::string_view rewrite(const sip::Uri& uri, UriPart part, std::string_view text, std::size_t count,
                         Arena& arena);

} // namespace sipyard::script
