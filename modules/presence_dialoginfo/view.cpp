// modules/presence_dialoginfo/view.cpp - a view as bits and one text, and back
#include "modules/presence_dialoginfo/view.h"

#include "core/base/text.h"
#include "core/sip/auth_header.h"
#include "core/sip/params.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace sipyard::presence_dialoginfo {

namespace {

constexpr std::array<std::string_view, 3> privacies{"full", "anonymous", "state"};
constexpr std::array<std::string_view, 4> idles{"empty", "none", "dummy", "last"};

template <class T, std::size_t size>
Result<T> one_of(std::string_view text, const std::array<std::string_view, size>& words,
                 std::string_view expected)
{
    for (std::size_t i = 0; i < size; ++i)
        if (iequals(trim(text), words[i]))
            return static_cast<T>(i);
    return invalid(format("'{}' is not {}", text, expected));
}

// Where the parts are in Variant::bits.
constexpr std::uint32_t privacy_mask = 3, idle_shift = 2, idle_mask = 3, single_bit = 1U << 4,
                        caller_confirmed_bit = 1U << 5, session_bit = 1U << 6;

// No header value has a NUL, so it parts the texts.
constexpr char border = '\0';

void put_text(std::string& out, std::string_view text)
{
    for (const char c : text)
        if (c != border)
            out += c;
    out += border;
}

} // namespace

std::string_view to_text(Privacy privacy) { return privacies[static_cast<std::size_t>(privacy)]; }
std::string_view to_text(IdleBody idle) { return idles[static_cast<std::size_t>(idle)]; }

presence::Variant View::variant() const
{
    presence::Variant variant;
    variant.bits = static_cast<std::uint32_t>(privacy) | static_cast<std::uint32_t>(idle) << idle_shift |
                   (single ? single_bit : 0) | (caller_confirmed ? caller_confirmed_bit : 0) |
                   (session ? session_bit : 0);
    if (!filter.is_empty() || !own_contact.empty())
        for (const std::string* text : {&filter.call_id, &filter.local_tag, &filter.remote_tag, &own_contact})
            put_text(variant.filter, *text);
    return variant;
}

View View::of(const presence::Variant& variant)
{
    View view;
    view.privacy = static_cast<Privacy>(variant.bits & privacy_mask);
    view.idle = static_cast<IdleBody>(variant.bits >> idle_shift & idle_mask);
    view.single = (variant.bits & single_bit) != 0;
    view.caller_confirmed = (variant.bits & caller_confirmed_bit) != 0;
    view.session = (variant.bits & session_bit) != 0;
    std::string_view rest = variant.filter;
    for (std::string* text :
         {&view.filter.call_id, &view.filter.local_tag, &view.filter.remote_tag, &view.own_contact})
        *text = cut(rest, border);
    return view;
}

void read_event_params(std::string_view params, View& view)
{
    const sip::ParamsView all{params};
    const auto value = [&all](std::string_view name) {
        return sip::unescape_quoted(all.find(name).value_or(""));
    };
    view.filter.call_id = value("call-id");
    view.filter.local_tag = value("to-tag"); // as the observed user sees them
    view.filter.remote_tag = value("from-tag");
    view.session = all.has("include-session-description");
}

} // namespace sipyard::presence_dialoginfo

namespace sipyard {

Result<presence_dialoginfo::Privacy> FromText<presence_dialoginfo::Privacy>::parse(std::string_view text)
{
    using namespace presence_dialoginfo;
    return one_of<Privacy>(text, privacies, expected);
}

Result<presence_dialoginfo::IdleBody> FromText<presence_dialoginfo::IdleBody>::parse(std::string_view text)
{
    using namespace presence_dialoginfo;
    return one_of<IdleBody>(text, idles, expected);
}

} // namespace sipyard
