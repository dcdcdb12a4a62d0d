// modules/registrar/answer.h - the headers of the answer to a REGISTER: all bindings, GRUUs, Path (RFC
// 3261 10.3 step 8)
#pragma once

#include "core/base/arena.h"
#include "modules/usrloc/api.h"

#include <cstdint>
#include <span>
#include <string_view>

namespace sipyard::registrar {

struct ContactStyle {
    std::int64_t now = 0;
    std::string_view received_param; // "": the address it came from is not shown
    bool gruu = false;               // the client asked for GRUUs
    std::string_view gruu_user;      // user part of the public GRUU, escaped as sent; may be empty
    std::string_view gruu_host;
};

// "Contact: <sip:a@b>;q=0.7;expires=60, ...\r\n"; "" without contacts. In the arena.
std::string_view contact_header(std::span<const usrloc::ContactView> contacts, const ContactStyle& style,
                                Arena& arena);

// "0.75", "1": thousandths without needless zeros. At most 5 bytes; returns how many.
std::size_t put_q(char* to, int q);

} // namespace sipyard::registrar
