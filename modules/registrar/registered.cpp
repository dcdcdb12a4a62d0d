// modules/registrar/registered.cpp - questions about a user's contacts, and taking them away
#include "modules/registrar/registrar.h"

#include "core/sip/edits.h"

#include <algorithm>

namespace sipyard::registrar {

using usrloc::ContactView;

namespace {

enum MatchOption : std::int64_t { match_callid = 1, match_received = 2, match_contact = 4 };
enum MatchAction : std::int64_t { restore_attributes = 1, skip_record = 2 };

// Removes a user's contacts, or the one with an id.
struct Removal final : usrloc::Writer {
    std::string_view ruid;
    std::size_t removed = 0;
    Result<void> plan(std::span<const ContactView> there, std::vector<usrloc::Change>& changes) override
    {
        for (std::size_t i = 0; i < there.size(); ++i)
            if (ruid.empty() || there[i].ruid == ruid) {
                changes.push_back({usrloc::Change::Step::remove, i});
                ++removed;
            }
        return {};
    }
};

} // namespace

Verdict Registrar::registered(Request& request, std::string_view table, std::optional<std::string_view> given,
                              std::optional<std::int64_t> match, std::optional<std::int64_t> action)
{
    const sip::Message& message = request.message();
    const auto* const to = message.to();
    const std::string_view text = given && !given->empty() ? *given
                                  : message.is_reply()     ? to ? to->uri : std::string_view{}
                                                           : request.ruri();
    sip::Uri uri;
    if (!sip::read(text, uri).empty()) {
        log_.info("registered: '{}' is no URI", text);
        return -1;
    }
    const std::string_view aor = aor_of(uri, rules(), request.arena());
    std::vector<ContactView> found;
    if (aor.empty())
        return -1;
    if (const auto there = collect(request, table, aor, found); !there) {
        log_.error("registered: {}", there.error().text);
        return -1;
    }
    const std::int64_t options = match.value_or(0), actions = action.value_or(0),
                       now = host_.clock().unix_seconds();
    Value wanted_call_id;
    if (callid_)
        wanted_call_id = callid_->get(request);
    const auto fits = [&](const ContactView& c) {
        if (c.is_expired(now))
            return false;
        if (wanted_call_id.is_text() && c.call_id != wanted_call_id.text())
            return false;
        // An option without its value in xavp_cfg asks for nothing.
        const auto same = [&](MatchOption option, std::string_view field, std::string_view value) {
            const std::string_view expected =
                (options & option) ? configured_text(request, field) : std::string_view{};
            return expected.empty() || expected == value;
        };
        return same(match_callid, "match_callid", c.call_id) &&
               same(match_received, "match_received", c.received) &&
               same(match_contact, "match_contact", c.contact);
    };
    const auto hit = std::ranges::find_if(found, fits);
    if (hit == found.end())
        return -1;
    if (actions & restore_attributes)
        restore(request, *hit);
    if (!(actions & skip_record) && !settings_.xavp_rcd.empty())
        note(request, *hit);
    return 1;
}

// 1; -1 no address of record, -2 it could not be done, -3 nothing there.
Verdict Registrar::unregister(Request& request, std::string_view table, std::string_view text,
                              std::optional<std::string_view> ruid)
{
    const bool by_id = ruid && !ruid->empty();
    if (text.empty() && by_id) {
        const auto done = usrloc_.remove_ruid(table, *ruid);
        return done ? 1 : done.error().kind == ErrorKind::not_found ? -3 : -2;
    }
    sip::Uri uri;
    if (!sip::read(text, uri).empty())
        return -1;
    const std::string_view aor = aor_of(uri, rules(), request.arena());
    if (aor.empty())
        return -1;
    Removal removal;
    if (by_id)
        removal.ruid = *ruid;
    if (const auto done = usrloc_.change(table, aor, usrloc::Api::Storage::as_configured, removal); !done) {
        log_.error("unregister of {}: {}", aor, done.error().text);
        return -2;
    }
    return removal.removed > 0 ? 1 : -3;
}

Verdict Registrar::add_sock_hdr(Request& request, std::string_view name)
{
    const net::Listener* const socket = request.received().listener;
    if (!socket || name.empty() || name.find_first_of("\r\n: ") != std::string_view::npos)
        return Verdict::no();
    const std::string where = settings_.sock_mode == 1 ? format("{}:{}:{}", net::to_text(socket->protocol),
                                                                socket->host(), socket->port())
                                                       : socket->text();
    request.edits().append_header(request.message(), request.arena().concat(name, ": ", where, "\r\n"));
    return Verdict::yes();
}

} // namespace sipyard::registrar
