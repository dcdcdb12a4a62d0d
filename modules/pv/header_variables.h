// modules/pv/header_variables.h - the name in $hdr(name), looked up once
#pragma once

#include "core/base/from_text.h"
#include "core/sip/header.h"
#include "core/sip/lists.h"

#include <string>
#include <string_view>

namespace sipyard::pv {

struct HeaderKey {
    sip::HeaderName id = sip::HeaderName::other;
    std::string name; // of a header we have no number for
};

} // namespace sipyard::pv

template <>
struct sipyard::FromText<sipyard::pv::HeaderKey> {
    static constexpr bool integer = false;
    static constexpr std::string_view expected = "the name of a header";
    static Result<pv::HeaderKey> parse(std::string_view text)
    {
        if (!sip::is_token(text))
            return invalid(format("'{}' is no header name", text));
        return pv::HeaderKey{sip::header_name_of(text), std::string{text}};
    }
};
