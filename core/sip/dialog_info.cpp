// core/sip/dialog_info.cpp - a dialog-info document, child after child in the schema's order (RFC 4235 4.4)
#include "core/sip/dialog_info.h"

#include "core/base/text.h"
#include "core/base/xml_text.h"

#include <array>

namespace sipyard::sip {

namespace {

constexpr std::array<std::string_view, 5> states{"trying", "proceeding", "early", "confirmed", "terminated"};
constexpr std::array<std::string_view, 3> directions{"", "initiator", "recipient"};
constexpr std::array<std::string_view, 8> events{"",          "cancelled",  "rejected", "replaced",
                                                 "local-bye", "remote-bye", "error",    "timeout"};

template <std::size_t size>
std::optional<std::size_t> place_of(std::string_view text, const std::array<std::string_view, size>& words)
{
    const std::string_view word = trim(text);
    for (std::size_t i = 0; i < size; ++i)
        if (!word.empty() && iequals(word, words[i]))
            return i;
    return {};
}

void put_attribute(std::string& out, std::string_view name, std::string_view value)
{
    out += ' ';
    out += name;
    out += "=\"";
    append_xml_value(out, value);
    out += '"';
}

void put_attribute_if(std::string& out, std::string_view name, std::string_view value)
{
    if (!value.empty())
        put_attribute(out, name, value);
}

void put_element(std::string& out, std::string_view indent, std::string_view name, std::string_view text)
{
    out += indent;
    out += '<';
    out += name;
    out += '>';
    append_xml_text(out, text);
    out += "</";
    out += name;
    out += ">\n";
}

void put_name_addr(std::string& out, std::string_view indent, std::string_view name, std::string_view uri,
                   std::string_view display)
{
    out += indent;
    out += '<';
    out += name;
    put_attribute_if(out, "display", display);
    out += '>';
    append_xml_text(out, uri);
    out += "</";
    out += name;
    out += ">\n";
}

void put_extensions(std::string& out, std::string_view indent, std::string_view elements)
{
    if (elements.empty())
        return;
    out += indent;
    out += elements;
    if (!elements.ends_with('\n'))
        out += '\n';
}

void put_party(std::string& out, std::string_view name, const DialogParty& party)
{
    if (party.empty())
        return;
    out += "    <";
    out += name;
    out += ">\n";
    if (!party.identity.empty())
        put_name_addr(out, "      ", "identity", party.identity, party.display);
    if (!party.target.empty()) {
        out += "      <target";
        put_attribute(out, "uri", party.target);
        if (party.params.empty()) {
            out += "/>\n";
        } else {
            out += ">\n";
            for (const auto& [pname, pval] : party.params) {
                out += "        <param";
                put_attribute(out, "pname", pname);
                put_attribute(out, "pval", pval.empty() ? "true" : pval);
                out += "/>\n";
            }
            out += "      </target>\n";
        }
    }
    if (!party.session_type.empty()) {
        out += "      <session-description";
        put_attribute(out, "type", party.session_type);
        out += '>';
        append_xml_text(out, party.session);
        out += "</session-description>\n";
    }
    if (party.cseq)
        put_element(out, "      ", "cseq", std::to_string(*party.cseq));
    put_extensions(out, "      ", party.extensions);
    out += "    </";
    out += name;
    out += ">\n";
}

} // namespace

std::string_view to_text(DialogState state) { return states[static_cast<std::size_t>(state)]; }
std::string_view to_text(DialogDirection direction)
{
    return directions[static_cast<std::size_t>(direction)];
}
std::string_view to_text(DialogEvent event) { return events[static_cast<std::size_t>(event)]; }
std::string_view to_text(DialogInfoState state)
{
    return state == DialogInfoState::full ? "full" : "partial";
}

std::optional<DialogState> dialog_state_from(std::string_view text)
{
    const auto place = place_of(text, states);
    return place ? std::optional{static_cast<DialogState>(*place)} : std::nullopt;
}

DialogDirection dialog_direction_from(std::string_view text)
{
    return static_cast<DialogDirection>(place_of(text, directions).value_or(0));
}

DialogEvent dialog_event_from(std::string_view text)
{
    return static_cast<DialogEvent>(place_of(text, events).value_or(0));
}

void append_dialog_info_start(std::string& out)
{
    out += "<?xml version=\"1.0\"?>\n<dialog-info xmlns=\"";
    out += dialog_info_ns;
    out += "\" version=\"";
}

void append_dialog_info_after_version(std::string& out, DialogInfoState state, std::string_view entity)
{
    out += "\" state=\"";
    out += to_text(state);
    out += '"';
    put_attribute(out, "entity", entity);
    out += ">\n";
}

void append_dialog(std::string& out, const DialogElement& dialog)
{
    out += "  <dialog";
    put_attribute(out, "id", dialog.id);
    put_attribute_if(out, "call-id", dialog.call_id);
    put_attribute_if(out, "local-tag", dialog.local_tag);
    put_attribute_if(out, "remote-tag", dialog.remote_tag);
    put_attribute_if(out, "direction", to_text(dialog.direction));
    out += ">\n    <state";
    put_attribute_if(out, "event", to_text(dialog.event));
    if (dialog.code >= 100 && dialog.code <= 699)
        put_attribute(out, "code", std::to_string(dialog.code));
    out += '>';
    out += to_text(dialog.state);
    out += "</state>\n";
    if (dialog.duration)
        put_element(out, "    ", "duration", std::to_string(*dialog.duration));
    if (dialog.replaces) {
        out += "    <replaces";
        put_attribute(out, "call-id", dialog.replaces->call_id);
        put_attribute(out, "local-tag", dialog.replaces->local_tag);
        put_attribute(out, "remote-tag", dialog.replaces->remote_tag);
        out += "/>\n";
    }
    if (!dialog.referred_by.empty())
        put_name_addr(out, "    ", "referred-by", dialog.referred_by, dialog.referred_by_display);
    if (!dialog.route_set.empty()) {
        out += "    <route-set>\n";
        for (const std::string& hop : dialog.route_set)
            put_element(out, "      ", "hop", hop);
        out += "    </route-set>\n";
    }
    put_party(out, "local", dialog.local);
    put_party(out, "remote", dialog.remote);
    put_extensions(out, "    ", dialog.extensions);
    if (dialog.remote_private) {
        out += "    <privacy xmlns=\"";
        out += dialog_ext_ns;
        out += "\">remote</privacy>\n";
    }
    out += "  </dialog>\n";
}

std::string write(const DialogInfo& document)
{
    std::string out;
    out.reserve(256 + 768 * document.dialogs.size());
    append_dialog_info_start(out);
    out += std::to_string(document.version);
    append_dialog_info_after_version(out, document.state, document.entity);
    for (const DialogElement& dialog : document.dialogs)
        append_dialog(out, dialog);
    put_extensions(out, "  ", document.extensions);
    out += dialog_info_end;
    return out;
}

} // namespace sipyard::sip
