// modules/registrar/wish.h - what a REGISTER asks for, read from the message and nothing else (RFC 3261 10.2)
#pragma once

#include "core/base/arena.h"
#include "core/sip/message.h"
#include "modules/registrar/refusal.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace sipyard::registrar {

// One Contact.
struct Wish {
    std::string_view uri;
    int q = -1; // thousandths; -1: none given
    std::optional<std::uint32_t>
        expires;               // of the parameter, else of the header; nothing: neither, or malformed
    std::string_view instance; // with its angle brackets
    std::uint32_t reg_id = 0;  // 0: none
};

struct Wishes {
    static constexpr std::size_t most = 64; // in one request
    bool star = false;                      // Contact: *, Expires: 0
    std::span<const Wish> list;             // empty: a question only
};

// Views point into the message. `longest`: of a Contact URI.
Refusal read(const sip::Message& message, std::size_t longest, Arena& arena, Wishes& to);

// "INVITE, BYE" as Kamailio's mask; all bits when there is no Allow.
std::uint32_t methods_of(const sip::Message& message);
std::uint32_t method_bit(sip::Method method);

// Does Supported or Require name the extension?
bool supports(const sip::Message& message, std::string_view extension);
bool requires_extension(const sip::Message& message, std::string_view extension);

} // namespace sipyard::registrar
