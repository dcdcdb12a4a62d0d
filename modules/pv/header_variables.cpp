// modules/pv/header_variables.cpp - header fields by name and the ones that have a variable of their own
#include "modules/pv/header_variables.h"
#include "modules/pv/lists.h"

#include "core/sip/lists.h"
#include "core/sip/message.h"

namespace sipyard::pv {

namespace {

using sip::Header;
using sip::HeaderName;
using sip::Message;

// --- $hdr, $hfl ----------------------------------------------------------------------------------

const Header* first(const Message& m, const HeaderKey& key)
{
    return key.id != HeaderName::other ? m.first(key.id) : m.first(std::string_view{key.name});
}
std::size_t count(const Message& m, const HeaderKey& key)
{
    return key.id != HeaderName::other ? m.count(key.id) : m.count(std::string_view{key.name});
}
const Header* nth(const Message& m, const HeaderKey& key, std::size_t n)
{
    return key.id != HeaderName::other ? m.nth(key.id, n) : m.nth(std::string_view{key.name}, n);
}

Value header(Request& r, const HeaderKey& key, Index index)
{
    const Message& m = r.message();
    const Header* found = first(m, key);
    if (!found)
        return {};
    if (index.kind == Index::Kind::all) {
        std::string_view all = found->value;
        for (found = m.next(*found); found; found = m.next(*found))
            all = r.arena().concat(all, ",", found->value);
        return all;
    }
    if (index.kind == Index::Kind::at && index.at != 0) {
        const auto n = index.resolve(static_cast<std::int64_t>(count(m, key)));
        found = n < 0 ? nullptr : nth(m, key, static_cast<std::size_t>(n));
    }
    return found ? Value{found->value} : Value{};
}
Value header_count(Request& r, const HeaderKey& key) { return number(count(r.message(), key)); }

// Headers whose commas separate values that scripts want one by one; the rest is taken as whole bodies.
bool is_list(HeaderName id)
{
    switch (id) {
    case HeaderName::via:
    case HeaderName::contact:
    case HeaderName::route:
    case HeaderName::record_route:
    case HeaderName::path:
    case HeaderName::service_route:
    case HeaderName::p_asserted_identity:
    case HeaderName::p_preferred_identity:
    case HeaderName::p_associated_uri:
    case HeaderName::diversion:
    case HeaderName::history_info: return true;
    default: return false;
    }
}

// Calls f(value) for each value in order, until it returns false.
template <class F>
void each_value(const Message& m, const HeaderKey& key, F&& f)
{
    for (const Header* h = first(m, key); h; h = m.next(*h)) {
        if (!is_list(key.id)) {
            if (!f(h->value))
                return;
            continue;
        }
        std::string_view element;
        for (auto rest = h->value; sip::next_in_list(rest, element);)
            if (!element.empty() && !f(element))
                return;
    }
}
std::int64_t values_of(const Message& m, const HeaderKey& key)
{
    std::int64_t n = 0;
    each_value(m, key, [&](std::string_view) {
        ++n;
        return true;
    });
    return n;
}
Value list_value(Request& r, const HeaderKey& key, Index index)
{
    const Message& m = r.message();
    Value found;
    if (index.kind == Index::Kind::all) {
        each_value(m, key, [&](std::string_view value) {
            found = found.is_null() ? Value{value} : Value{r.arena().concat(found.text(), ",", value)};
            return true;
        });
        return found;
    }
    std::int64_t wanted = index.at;
    if (wanted < 0 && (wanted += values_of(m, key)) < 0)
        return {};
    each_value(m, key, [&](std::string_view value) {
        if (wanted-- > 0)
            return true;
        found = value;
        return false;
    });
    return found;
}
Value list_count(Request& r, const HeaderKey& key) { return number(values_of(r.message(), key)); }

// --- headers with a name of their own ------------------------------------------------------------

template <HeaderName id>
Value body(Request& r)
{
    const auto* h = r.message().first(id);
    return h ? Value{h->value} : Value{};
}
Value cseq(Request& r)
{
    const auto* value = r.message().cseq();
    return value ? number(value->number) : Value{};
}
Value content_length(Request& r)
{
    const auto value = r.message().content_length();
    return value ? number(*value) : Value{};
}

// The first address in a header; null when it is absent or malformed.
template <HeaderName id>
const sip::NameAddr* address(Request& r)
{
    const auto values = r.message().values(id);
    return values.empty() ? nullptr : &values.items[0];
}
template <HeaderName id>
Value uri(Request& r)
{
    const auto* value = address<id>(r);
    return value ? text_or_null(value->uri) : Value{};
}
template <HeaderName id>
Value display(Request& r)
{
    const auto* value = address<id>(r);
    return value ? text_or_null(value->display) : Value{};
}
template <HeaderName id, std::string_view sip::Uri::*part>
Value uri_part(Request& r)
{
    const auto* value = address<id>(r);
    sip::Uri parsed;
    return value && sip::read(value->uri, parsed).empty() ? text_or_null(parsed.*part) : Value{};
}

Value diversion_param(Request& r, std::string_view name)
{
    const auto* value = address<HeaderName::diversion>(r);
    const auto found = value ? value->params.find(name) : std::nullopt;
    return found ? Value{*found} : Value{};
}
Value diversion_reason(Request& r) { return diversion_param(r, "reason"); }
Value diversion_privacy(Request& r) { return diversion_param(r, "privacy"); }
Value diversion_counter(Request& r) { return diversion_param(r, "counter"); }

// --- $expires ------------------------------------------------------------------------------------

// Of all Contacts (one without its own has the Expires header's), or of the Expires header alone.
Value expires(Request& r, bool largest)
{
    const auto common = r.message().expires();
    std::optional<std::uint32_t> found;
    for (const auto& contact : r.message().contacts()) {
        auto mine = contact.expires();
        if (!mine)
            mine = common;
        if (mine && (!found || (largest ? *mine > *found : *mine < *found)))
            found = mine;
    }
    if (!found)
        found = common;
    return found ? number(*found) : Value{};
}
struct Extreme {
    using Meaning = bool; // the largest?
    static constexpr std::string_view expected = "min or max";
    static constexpr Word<bool> words[] = {{"min", false}, {"max", true}};
};
Value expires_of(Request& r, const OneOf<Extreme>& which) { return expires(r, which.meaning); }

} // namespace

Variables header_variables()
{
    constexpr auto ppi = HeaderName::p_preferred_identity;
    return {
        row("hdr", header,
            "Body of a header: $hdr(X), $(hdr(X)[1]), $(hdr(X)[-1]), all with [*]; null when absent"),
        row("hdrc", header_count, "How many headers of that name there are"),
        row("hfl", list_value, "One value of a list header: $(hfl(Route)[1])"),
        row("hflc", list_count, "How many values a list header has"),
        row("ci", body<HeaderName::call_id>, "Call-ID"),
        row("cs", cseq, "Number in CSeq"),
        row("csb", body<HeaderName::cseq>, "Body of CSeq"),
        row("ua", body<HeaderName::user_agent>, "User-Agent; null when absent"),
        row("ct", body<HeaderName::contact>, "Body of the first Contact; null when absent"),
        row("cT", body<HeaderName::content_type>, "Content-Type; null when absent"),
        row("cl", content_length, "Content-Length; null when absent"),
        row("ai", uri<HeaderName::p_asserted_identity>, "URI in P-Asserted-Identity"),
        row("pu", uri<ppi>, "URI in P-Preferred-Identity"),
        row("pU", uri_part<ppi, &sip::Uri::user>, "User in P-Preferred-Identity"),
        row("pd", uri_part<ppi, &sip::Uri::host>, "Host in P-Preferred-Identity"),
        row("pn", display<ppi>, "Display name in P-Preferred-Identity"),
        row("di", uri<HeaderName::diversion>, "URI in the first Diversion"),
        row("dir", diversion_reason, "Its reason parameter"),
        row("dip", diversion_privacy, "Its privacy parameter"),
        row("dic", diversion_counter, "Its counter parameter"),
        row("re", uri<HeaderName::remote_party_id>, "URI in Remote-Party-ID"),
        row("rt", uri<HeaderName::refer_to>, "URI in Refer-To"),
        row("expires", expires_of, "Smallest or largest expiry of the Contacts: $expires(min)"),
    };
}

} // namespace sipyard::pv
