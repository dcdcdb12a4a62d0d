// modules/presence_reginfo/reginfo.cpp - the document's elements and attributes, one after the other
#include "modules/presence_reginfo/reginfo.h"

#include "core/base/format.h"
#include "core/base/text.h"
#include "core/base/xml_text.h"
#include "core/xml/document.h"

#include <algorithm>
#include <utility>

namespace sipyard::presence_reginfo {
namespace {

constexpr std::size_t most_contacts = 1000, most_registrations = 1000; // of a document
constexpr std::string_view xml_namespace = "http://www.w3.org/XML/1998/namespace";

struct Source {
    std::int64_t now;
    std::size_t contacts = 0;
};

// The schema collapses white space of these.
std::string needed(const xml::ElementView& element, std::string_view name, bool& good)
{
    const auto value = element.attribute(name);
    good = good && value && !trim(*value).empty();
    return value ? std::string{trim(*value)} : std::string{};
}
std::string wanted(const xml::ElementView& element, std::string_view name)
{
    const auto value = element.attribute(name);
    return value ? std::string{trim(*value)} : std::string{};
}
// Seconds or a counter; larger ones count as the largest.
Result<std::optional<std::uint32_t>> number(const xml::ElementView& element, std::string_view name)
{
    const std::string text = wanted(element, name);
    if (text.empty())
        return std::optional<std::uint32_t>{};
    if (!std::all_of(text.begin(), text.end(), is_digit))
        return invalid(format("{}='{}' is no number", name, text.substr(0, 32)));
    const auto value = parse_uint(text);
    return std::optional<std::uint32_t>{value && *value < UINT32_MAX ? static_cast<std::uint32_t>(*value)
                                                                     : UINT32_MAX};
}

Result<Contact> read_contact(const xml::ElementView& element, Source& source)
{
    if (++source.contacts > most_contacts)
        return invalid(format("more than {} contacts", most_contacts));
    bool good = true;
    Contact contact;
    contact.id = needed(element, "id", good);
    const auto state = contact_state(needed(element, "state", good));
    const auto event = contact_event(needed(element, "event", good));
    contact.uri = trim(element.child("uri", reginfo_namespace).text());
    if (!good || !state || !event || contact.uri.empty())
        return invalid(format("line {}: a contact without id, state, event or uri, or with an unknown one",
                              element.line()));
    contact.state = *state;
    contact.event = *event;
    contact.q = wanted(element, "q");
    contact.call_id = wanted(element, "callid");
    TRY(contact.cseq, number(element, "cseq"));
    TRY(contact.retry_after, number(element, "retry-after"));
    TRY(const auto expires, number(element, "expires"));
    TRY(const auto since, number(element, "duration-registered"));
    contact.expires_at = expires ? source.now + *expires : 0;
    contact.registered_since = since ? source.now - *since : 0;
    const auto name = element.child("display-name", reginfo_namespace);
    contact.display_name = name.text();
    contact.display_lang = name.attribute("lang", xml_namespace).value_or("");
    for (auto child = element.first(); child; child = child.next())
        if (child.is("unknown-param", reginfo_namespace))
            contact.unknown_params.emplace_back(wanted(child, "name"), child.text());
    return contact;
}

Result<Registration> read_registration(const xml::ElementView& element, Source& source)
{
    bool good = true;
    Registration registration;
    registration.aor = needed(element, "aor", good);
    registration.id = needed(element, "id", good);
    const auto state = registration_state(needed(element, "state", good));
    if (!good || !state)
        return invalid(format("line {}: a registration without aor, id or state", element.line()));
    registration.state = *state;
    for (auto child = element.first(); child; child = child.next()) {
        if (!child.is("contact", reginfo_namespace))
            continue;
        TRY(auto contact, read_contact(child, source));
        const auto same = std::find_if(registration.contacts.begin(), registration.contacts.end(),
                                       [&](const Contact& one) { return one.id == contact.id; });
        if (same != registration.contacts.end())
            return invalid(format("line {}: two contacts have the id '{}'", child.line(),
                                  std::string_view{contact.id}.substr(0, 64)));
        registration.contacts.push_back(std::move(contact));
    }
    return registration;
}

void apply(Registration& to, Registration change)
{
    std::erase_if(to.contacts, [&](const Contact& known) {
        return known.state == ContactState::terminated ||
               std::any_of(change.contacts.begin(), change.contacts.end(),
                           [&](const Contact& one) { return one.id == known.id; });
    });
    to.id = std::move(change.id);
    to.state = change.state;
    for (Contact& contact : change.contacts)
        to.contacts.push_back(std::move(contact));
}

void attribute(std::string& to, std::string_view name, std::string_view value)
{
    to += ' ';
    to += name;
    to += "=\"";
    append_xml_value(to, value);
    to += '"';
}
std::string seconds(std::int64_t count)
{
    return std::to_string(std::clamp<std::int64_t>(count, 0, UINT32_MAX));
}

void write_contact(std::string& to, const Contact& contact, std::int64_t now)
{
    to += "    <contact";
    attribute(to, "id", contact.id);
    attribute(to, "state", to_text(contact.state));
    attribute(to, "event", to_text(contact.event));
    if (contact.expires_at != 0 && contact.state == ContactState::active)
        attribute(to, "expires", seconds(contact.expires_at - now));
    else if (contact.event == ContactEvent::shortened || contact.state == ContactState::terminated)
        attribute(to, "expires", "0"); // needed with `shortened` (3680 5.3)
    if (contact.retry_after)
        attribute(to, "retry-after", std::to_string(*contact.retry_after));
    if (contact.registered_since != 0)
        attribute(to, "duration-registered", seconds(now - contact.registered_since));
    if (!contact.q.empty())
        attribute(to, "q", contact.q);
    if (!contact.call_id.empty())
        attribute(to, "callid", contact.call_id);
    if (contact.cseq)
        attribute(to, "cseq", std::to_string(*contact.cseq));
    to += ">\n      <uri>";
    append_xml_text(to, contact.uri);
    to += "</uri>\n";
    if (!contact.display_name.empty()) {
        to += "      <display-name";
        if (!contact.display_lang.empty())
            attribute(to, "xml:lang", contact.display_lang);
        to += '>';
        append_xml_text(to, contact.display_name);
        to += "</display-name>\n";
    }
    for (const auto& [name, value] : contact.unknown_params) {
        to += "      <unknown-param";
        attribute(to, "name", name);
        to += '>';
        append_xml_text(to, value);
        to += "</unknown-param>\n";
    }
    to += "    </contact>\n";
}

} // namespace

Result<std::vector<Registration>> parse_reginfo(std::string_view xml, std::int64_t now,
                                                std::span<const Registration> before)
{
    TRY(const auto document, xml::Document::parse(xml, {.depth = 16, .elements = 10'000}));
    const auto root = document.root();
    if (!root.is("reginfo", reginfo_namespace))
        return invalid("the root is not reginfo of RFC 3680");
    const std::string state = wanted(root, "state");
    if (state != "full" && state != "partial")
        return invalid("the document's state is neither full nor partial");
    std::vector<Registration> all;
    if (state == "partial")
        all.assign(before.begin(), before.end());
    Source source{now};
    std::vector<std::string> seen;
    for (auto child = root.first(); child; child = child.next()) {
        if (!child.is("registration", reginfo_namespace))
            continue;
        if (seen.size() >= most_registrations)
            return invalid(format("more than {} registrations", most_registrations));
        TRY(auto registration, read_registration(child, source));
        if (std::find(seen.begin(), seen.end(), registration.aor) != seen.end())
            return invalid(format("line {}: a second registration of the same aor", child.line()));
        seen.push_back(registration.aor);
        const auto same = std::find_if(all.begin(), all.end(),
                                       [&](const Registration& one) { return one.aor == registration.aor; });
        if (same == all.end())
            all.push_back(std::move(registration));
        else
            apply(*same, std::move(registration));
    }
    return all;
}

Written write_reginfo(std::span<const Registration> registrations, std::int64_t now)
{
    Written written;
    written.before = "<?xml version=\"1.0\"?>\n<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" version=\"";
    std::string& to = written.after;
    to = "\" state=\"full\">\n";
    for (const Registration& registration : registrations) {
        to += "  <registration";
        attribute(to, "aor", registration.aor);
        attribute(to, "id", registration.id);
        attribute(to, "state", to_text(state_of(registration)));
        if (registration.contacts.empty()) {
            to += "/>\n";
            continue;
        }
        to += ">\n";
        for (const Contact& contact : registration.contacts)
            write_contact(to, contact, now);
        to += "  </registration>\n";
    }
    to += "</reginfo>\n";
    return written;
}

} // namespace sipyard::presence_reginfo
