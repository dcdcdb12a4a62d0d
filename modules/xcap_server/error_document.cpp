// modules/xcap_server/error_document.cpp - writing xcap-error documents
#include "modules/xcap_server/error_document.h"

#include "core/base/text.h"

namespace sipyard::xcap_server {
namespace {

// Texts may quote bytes of the request: what XML 1.0 cannot hold becomes '?' or a blank, the rest is escaped.
std::string printable(std::string_view text)
{
    std::string clean{text};
    if (!is_utf8(clean))
        for (char& c : clean)
            if (static_cast<unsigned char>(c) >= 0x80)
                c = '?';
    for (char& c : clean)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            c = ' ';
    // U+FFFE and U+FFFF are UTF-8 but no XML characters.
    clean = replace_all(clean, "\xef\xbf\xbe", "?");
    clean = replace_all(clean, "\xef\xbf\xbf", "?");
    return xml_escape(clean);
}

// At most 200 bytes, never cut inside a character.
std::string_view shortened(std::string_view phrase)
{
    constexpr std::size_t most = 200;
    if (phrase.size() <= most)
        return phrase;
    std::size_t size = most;
    while (size > 0 && (static_cast<unsigned char>(phrase[size]) & 0xc0) == 0x80)
        --size;
    return phrase.substr(0, size);
}

} // namespace

std::string_view to_text(Conflict conflict)
{
    switch (conflict) {
    case Conflict::not_well_formed: return "not-well-formed";
    case Conflict::not_xml_frag: return "not-xml-frag";
    case Conflict::no_parent: return "no-parent";
    case Conflict::schema_validation_error: return "schema-validation-error";
    case Conflict::not_xml_att_value: return "not-xml-att-value";
    case Conflict::cannot_insert: return "cannot-insert";
    case Conflict::cannot_delete: return "cannot-delete";
    case Conflict::uniqueness_failure: return "uniqueness-failure";
    case Conflict::constraint_failure: return "constraint-failure";
    case Conflict::not_utf8: return "not-utf-8";
    }
    return "";
}

std::string error_document(const Problem& problem)
{
    const std::string name{to_text(problem.conflict)};
    std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                       "<xcap-error xmlns=\"urn:ietf:params:xml:ns:xcap-error\"><" +
                       name;
    if (!problem.phrase.empty())
        text += " phrase=\"" + printable(shortened(problem.phrase)) + "\"";
    std::string inside;
    if (problem.conflict == Conflict::no_parent && !problem.ancestor.empty())
        inside = "<ancestor>" + printable(problem.ancestor) + "</ancestor>";
    if (problem.conflict == Conflict::uniqueness_failure) {
        for (const Exists& exists : problem.exists) {
            inside += "<exists field=\"" + printable(exists.field) + "\"";
            if (exists.alt_values.empty()) {
                inside += "/>";
                continue;
            }
            inside += ">";
            for (const std::string& value : exists.alt_values)
                inside += "<alt-value>" + printable(value) + "</alt-value>";
            inside += "</exists>";
        }
    }
    text += inside.empty() ? "/>" : ">" + inside + "</" + name + ">";
    return text + "</xcap-error>\n";
}

} // namespace sipyard::xcap_server
