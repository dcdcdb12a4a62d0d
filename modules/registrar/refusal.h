// modules/registrar/refusal.h - why a REGISTER is not accepted, and what its answer says (RFC 3261 10.3)
#pragma once

#include <cstddef>
#include <string_view>

namespace sipyard::registrar {

enum class Refusal : unsigned char {
    none,
    bad_message, // no Call-ID, CSeq or To
    bad_aor,
    bad_contact,
    too_many_values, // of Contact in one request
    star_not_alone,
    star_expires,
    bad_q,
    bad_cseq,
    too_many,
    interval,
    too_long,
    path_unsupported,
    outbound_unsupported,
    outbound_required,
    outbound_several,
    first_hop,
    storage,
};

struct RefusalText {
    int code;
    std::string_view reason, error; // phrase of the status line, text of P-Registrar-Error
    std::string_view headers;       // whole lines
};

constexpr RefusalText text_of(Refusal refusal)
{
    switch (refusal) {
    case Refusal::none: break;
    case Refusal::bad_message: return {400, "Bad Request", "Missing or malformed header field", ""};
    case Refusal::bad_aor: return {400, "Bad Request", "Error while parsing AOR", ""};
    case Refusal::bad_contact: return {400, "Bad Request", "Contact parse error", ""};
    case Refusal::too_many_values: return {400, "Bad Request", "Too many contacts in one request", ""};
    case Refusal::star_not_alone:
        return {400, "Bad Request", "* used in contact and more than 1 contact", ""};
    case Refusal::star_expires: return {400, "Bad Request", "* used in contact and expires is not zero", ""};
    case Refusal::bad_q: return {400, "Bad Request", "Invalid q param in contact", ""};
    case Refusal::bad_cseq: return {400, "Bad Request", "Invalid CSeq number", ""};
    case Refusal::too_many: return {503, "Service Unavailable", "Too many registered contacts", ""};
    case Refusal::interval: return {423, "Interval Too Brief", "Interval too brief", ""};
    case Refusal::too_long: return {400, "Bad Request", "Contact, Path or Call-ID too long", ""};
    case Refusal::path_unsupported:
        return {420, "Bad Extension", "No support for found Path indicated", "Unsupported: path\r\n"};
    case Refusal::outbound_unsupported:
        return {420, "Bad Extension", "No support for outbound", "Unsupported: outbound\r\n"};
    case Refusal::outbound_required:
        return {421, "Extension Required", "Support for outbound is required", "Require: outbound\r\n"};
    case Refusal::outbound_several: return {400, "Bad Request", "More than one contact with reg-id", ""};
    case Refusal::first_hop:
        return {439, "First Hop Lacks Outbound Support", "The first hop lacks outbound support", ""};
    case Refusal::storage: return {503, "Service Unavailable", "The location store does not answer", ""};
    }
    return {200, "OK", "", ""};
}

} // namespace sipyard::registrar
