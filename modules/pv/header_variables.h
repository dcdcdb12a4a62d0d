// modules/pv/header_variables.h - the name in $hdr(name), looked up once
#pragma once

#include "core/base/from_text.h"
#include "core/sip/header.h"

#include <algorithm>
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
        // Wider than a token: hdr_name_extra_chars (core) lets other characters in.
        const auto ends_a_name = [](char c) {
            return static_cast<unsigned char>(c) <= 0x20 || c == ':' || c == 0x7f;
        };
        if (text.empty() || std::any_of(text.begin(), text.end(), ends_a_name))
            return invalid(format("'{}' is no header name", text));
        return pv::HeaderKey{sip::header_name_of(text), std::string{text}};
    }
};
