// modules/xcap_server/fragment.cpp - pieces of XML in the place where they will stand
#include "modules/xcap_server/fragment.h"

#include "core/base/text.h"
#include "core/sip/values.h"
#include "modules/xcap_server/namespaces.h"
#include "modules/xcap_server/xml_text.h"

namespace sipyard::xcap_server {
namespace {

Problem problem(Conflict conflict, std::string_view phrase)
{
    return {conflict, std::string{phrase}, {}, {}};
}
Result<std::optional<Problem>> refused_for(Conflict conflict, std::string_view phrase)
{
    return std::optional{problem(conflict, phrase)};
}

} // namespace

Result<std::optional<Problem>> read_fragment(std::string_view body, const IndexedView* document,
                                             std::uint32_t parent, const xml::Limits& limits,
                                             const XmlCheck& check, Arena& arena, FragmentView& out)
{
    const auto text = trim(without_mark(body));
    if (!is_utf8(text))
        return refused_for(Conflict::not_utf8, "the element is not UTF-8");
    if (text.empty())
        return refused_for(Conflict::not_xml_frag, "the body is empty");
    if (text.front() != '<' || name_length(text.substr(1)) == 0)
        return refused_for(Conflict::not_xml_frag, "the body does not begin with an element");

    // The parser reads it in an element with the parent's bindings. What closes that one early is followed by
    // a second root, which no parser takes.
    std::string wrapped{"<w"};
    if (document && parent != TextIndex::none)
        append_bindings(*document, parent, Undeclared::kept, wrapped);
    wrapped += '>';
    const auto begin = wrapped.size();
    wrapped += text;
    wrapped += "</w>";
    xml::Limits room = limits;
    ++room.depth;
    ++room.elements;
    ++room.attributes;
    TRY(const auto checked, check ? check(wrapped, room) : Result<xml::Checked>{xml::check(wrapped, room)});
    if (checked.fault) {
        switch (*checked.fault) {
        case xml::Fault::not_utf8: return refused_for(Conflict::not_utf8, checked.text);
        case xml::Fault::not_well_formed:
        case xml::Fault::doctype: return refused_for(Conflict::not_xml_frag, checked.text);
        case xml::Fault::too_deep:
        case xml::Fault::too_many_elements:
        case xml::Fault::too_many_attributes:
        case xml::Fault::name_too_long: return refused_for(Conflict::constraint_failure, checked.text);
        }
    }
    const auto index = TextIndex::of(wrapped);
    if (!index || index->size() < 2)
        return refused_for(Conflict::not_xml_frag, "the body is not an element");
    const TextIndex::Element& element = (*index)[1];
    if (element.begin != begin || element.end != begin + text.size() || element.next != TextIndex::none)
        return refused_for(Conflict::not_xml_frag, "the body is more than one element");
    const IndexedView view{wrapped, *index};
    out.text = text;
    out.name = arena.copy(view.name(1));
    out.ns = arena.copy(value_of(view.uri(element.ns), arena));
    return std::optional<Problem>{};
}

std::optional<Problem> read_attribute_value(std::string_view body, ValueView& out)
{
    if (!is_utf8(body))
        return problem(Conflict::not_utf8, "the value is not UTF-8");
    const auto is_quote = [](char c) { return c == '"' || c == '\''; };
    out.text = body;
    if (body.size() >= 2 && is_quote(body.front()) && body.front() == body.back() &&
        body.find(body.front(), 1) == body.size() - 1)
        out.text = body.substr(1, body.size() - 2);
    if (!is_xml_text(out.text) || out.text.find('<') != std::string_view::npos)
        return problem(Conflict::not_xml_att_value, "the value has a character that no attribute can have");
    for (auto at = out.text.find('&'); at != std::string_view::npos; at = out.text.find('&', at + 1)) {
        auto rest = out.text.substr(at);
        char character[4];
        if (take_reference(rest, character) == 0)
            return problem(Conflict::not_xml_att_value, "the value has a '&' that is no reference");
    }
    if (!out.fits('"')) {
        if (!out.fits('\''))
            return problem(Conflict::not_xml_att_value, "the value has both kinds of quotes");
        out.quote = '\'';
    }
    return {};
}

std::string_view type_of(Terminal terminal)
{
    return terminal == Terminal::element     ? element_type
           : terminal == Terminal::attribute ? attribute_type
                                             : namespaces_type;
}

TypeVerdict check_node_type(std::optional<std::string_view> content_type, Terminal terminal, TypeCheck check)
{
    if (check == TypeCheck::none)
        return TypeVerdict::good;
    sip::MediaType given;
    if (!content_type || !sip::read(*content_type, given).empty() || !given.is(type_of(terminal)))
        return TypeVerdict::wrong;
    if (const auto charset = given.params.find("charset");
        charset && !iequals(*charset, "utf-8") && !iequals(*charset, "us-ascii"))
        return TypeVerdict::not_utf8;
    return TypeVerdict::good;
}

} // namespace sipyard::xcap_server
