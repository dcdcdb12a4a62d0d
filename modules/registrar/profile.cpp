// modules/registrar/profile.cpp - contacts a script walks over: reg_fetch_contacts, $ulc,
// event_route[usrloc:contact-expired]
#include "modules/registrar/registrar.h"

#include <algorithm>

namespace sipyard::registrar {

using usrloc::ContactView;

Registrar::Profile* Registrar::profile(Request& request, std::string_view name, bool make)
{
    State& state = request.at(state_);
    for (Profile& one : state.profiles)
        if (one.name == name)
            return &one;
    if (!make || name.empty() || state.profiles.size() >= most_profiles)
        return nullptr;
    state.profiles.push_back({request.arena().copy(name), {}, {}, {}});
    return &state.profiles.back();
}

Verdict Registrar::fetch_contacts(Request& request, std::string_view table, std::string_view text,
                                  std::string_view name)
{
    sip::Uri uri;
    if (!sip::read(text, uri).empty())
        return Verdict::no();
    const std::string_view aor = aor_of(uri, rules(), request.arena());
    Profile* const to = profile(request, name, true);
    if (!to || aor.empty())
        return Verdict::no();
    to->contacts.clear();
    to->aor = aor;
    to->domain = request.arena().copy(table);
    std::vector<ContactView> found;
    if (const auto there = collect(request, table, aor, found); !there) {
        log_.error("reg_fetch_contacts: {}", there.error().text);
        return Verdict::no();
    }
    const std::int64_t now = host_.clock().unix_seconds();
    std::erase_if(found, [now](const ContactView& c) { return c.is_expired(now); });
    Profile* const again =
        profile(request, name, false); // the lookup may have suspended, the list may have moved
    again->contacts = std::move(found);
    return Verdict::of(!again->contacts.empty());
}

Verdict Registrar::free_contacts(Request& request, std::string_view name)
{
    if (Profile* const there = profile(request, name, false)) {
        there->contacts.clear();
        there->aor = {};
    }
    return Verdict::yes();
}

Value Registrar::ulc(Request& request, std::string_view text, Index index)
{
    const auto arrow = text.find("=>");
    if (arrow == std::string_view::npos)
        return {};
    const Profile* const from = profile(request, trim(text.substr(0, arrow)), false);
    const auto attribute = trim(text.substr(arrow + 2));
    if (!from || from->aor.empty())
        return {};
    if (attribute == "count")
        return static_cast<std::int64_t>(from->contacts.size());
    if (attribute == "aor")
        return from->aor;
    if (attribute == "domain")
        return from->domain;
    if (attribute == "aorhash")
        return static_cast<std::int64_t>(std::hash<std::string_view>{}(from->aor) & 0x7fffffff);
    const std::int64_t at = index.resolve(static_cast<std::int64_t>(from->contacts.size()));
    if (at < 0)
        return {};
    const ContactView& c = from->contacts[static_cast<std::size_t>(at)];
    const auto or_null = [](std::string_view value) { return value.empty() ? Value{} : Value{value}; };
    if (attribute == "addr")
        return c.contact;
    if (attribute == "path")
        return or_null(c.path);
    if (attribute == "received")
        return or_null(c.received);
    if (attribute == "expires")
        return c.expires == 0 ? std::int64_t{0} : c.expires - host_.clock().unix_seconds();
    if (attribute == "callid")
        return c.call_id;
    if (attribute == "q")
        return c.q;
    if (attribute == "cseq")
        return std::int64_t{c.cseq};
    if (attribute == "flags")
        return std::int64_t{c.flags};
    if (attribute == "cflags")
        return std::int64_t{c.cflags};
    if (attribute == "user_agent")
        return or_null(c.user_agent);
    if (attribute == "socket")
        return c.socket.empty() ? c.listener ? Value{request.arena().copy(c.listener->text())} : Value{}
                                : Value{c.socket};
    if (attribute == "modified")
        return c.last_modified;
    if (attribute == "methods")
        return std::int64_t{c.methods};
    if (attribute == "ruid")
        return c.ruid;
    if (attribute == "regid" || attribute == "reg_id")
        return std::int64_t{c.reg_id};
    if (attribute == "instance")
        return or_null(c.instance);
    if (attribute == "conid")
        return c.connection ? Value{static_cast<std::int64_t>(c.connection.value)} : Value{};
    if (attribute == "server_id")
        return std::int64_t{c.server_id};
    return {};
}

// A message of our own carries the route; $ulc(exp=>...) is the contact that is gone.
void Registrar::expired(std::string_view domain, const ContactView& contact)
{
    static constexpr std::string_view text =
        "OPTIONS sip:local@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKusrloc\r\n"
        "From: <sip:local@127.0.0.1>;tag=usrloc\r\nTo: <sip:local@127.0.0.1>\r\nCall-ID: usrloc@127.0.0.1\r\n"
        "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
    Arena arena;
    const auto message = sip::Message::parse(arena.copy(text), arena);
    if (!message)
        return;
    net::Received from;
    from.source = from.local = *net::Address::parse("127.0.0.1", 5060);
    Request request{host_, arena, **message, from, Route::event};
    Profile* const profile_of_it = profile(request, "exp", true);
    profile_of_it->aor = contact.aor;
    profile_of_it->domain = domain;
    profile_of_it->contacts = {contact};
    (void)host_.run_event_route(expired_route, request);
}

} // namespace sipyard::registrar
