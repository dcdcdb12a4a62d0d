// core/sip/method.h - request methods (RFC 3261 and its extensions), recognised without a table walk
#pragma once

#include <string_view>

namespace sipyard::sip {

// Methods are case sensitive (RFC 3261 7.1): "invite" is `other`, and its text is kept by who parsed it.
enum class Method : unsigned char {
    other,
    invite,
    ack,
    bye,
    cancel,
    options,
    register_, // RFC 3261
    info,      // RFC 6086 (2976)
    prack,     // RFC 3262
    subscribe,
    notify,  // RFC 6665 (3265)
    update,  // RFC 3311
    message, // RFC 3428
    refer,   // RFC 3515
    publish, // RFC 3903
    get,
    post,
    put,
    delete_,
    head,
    patch, // HTTP, shown to scripts through the same class
};

Method method_of(std::string_view text);
std::string_view to_text(Method method); // "INVITE"; "" for other

// The method's bit as core/script's method masks count it: one bit each, `other` included.
constexpr unsigned bit_of(Method method) { return 1u << static_cast<unsigned>(method); }

} // namespace sipyard::sip
