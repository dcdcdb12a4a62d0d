// modules/xcap_server/error_document.h - the body of every 409: what was wrong with the change (RFC 4825 11)
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sipyard::xcap_server {

// The child element of xcap-error.
enum class Conflict : unsigned char {
    not_well_formed,
    not_xml_frag,
    no_parent,
    schema_validation_error,
    not_xml_att_value,
    cannot_insert,
    cannot_delete,
    uniqueness_failure,
    constraint_failure,
    not_utf8,
};
std::string_view to_text(Conflict conflict); // "not-well-formed" ...

// A value that must be unique and is not. `field`: URI reference relative to the document; `alt_values`: free
// ones.
struct Exists {
    std::string field;
    std::vector<std::string> alt_values;
};

struct Problem {
    Conflict conflict = Conflict::constraint_failure;
    std::string phrase;         // short English text; escaped when written
    std::string ancestor;       // of no_parent: URL of the deepest level there is; empty: none
    std::vector<Exists> exists; // of uniqueness_failure: at least one
};

inline constexpr std::string_view error_document_type = "application/xcap-error+xml";
std::string error_document(const Problem& problem);

} // namespace sipyard::xcap_server
