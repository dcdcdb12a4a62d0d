// modules/registrar/lookup.cpp - lookup() and its sisters: from an address of record to its contacts (RFC
// 3261 16.5)
#include "modules/registrar/attributes.h"
#include "modules/registrar/registrar.h"

#include "core/sip/lists.h"

#include <algorithm>

namespace sipyard::registrar {

using usrloc::ContactView;

namespace {

// Takes copies of what it is shown into an arena.
struct Copies final : usrloc::Reader {
    Arena& arena;
    std::vector<ContactView>& to;
    Copies(Arena& a, std::vector<ContactView>& t) : arena{a}, to{t} {}
    void read(std::span<const ContactView> contacts) override
    {
        to.reserve(contacts.size());
        for (ContactView c : contacts) {
            for (std::string_view* text : {&c.aor, &c.contact, &c.received, &c.path, &c.call_id,
                                           &c.user_agent, &c.ruid, &c.instance, &c.attributes, &c.socket})
                *text = arena.copy(*text);
            to.push_back(c);
        }
    }
};

} // namespace

Result<bool> Registrar::collect(Request& request, std::string_view table, std::string_view aor,
                                std::vector<ContactView>& to) const
{
    Copies reader{request.arena(), to};
    return usrloc_.lookup(table, aor, reader);
}

Verdict Registrar::lookup(Request& request, std::string_view table, std::optional<std::string_view> uri)
{
    return find(request, table, uri && !uri->empty() ? *uri : request.ruri(), Into::ruri);
}

Verdict Registrar::lookup_to_dset(Request& request, std::string_view table,
                                  std::optional<std::string_view> uri)
{
    return find(request, table, uri && !uri->empty() ? *uri : request.ruri(), Into::branches);
}

// lookup() for the request URI, then for every branch that is only a URI yet.
Verdict Registrar::lookup_branches(Request& request, std::string_view table)
{
    std::vector<Branch> before;
    before.swap(request.branches());
    Verdict verdict = find(request, table, request.ruri(), Into::ruri);
    for (const Branch& branch : before) {
        if (!branch.dst_uri.empty() || !branch.path.empty() || branch.socket || !branch.ruid.empty()) {
            request.branches().push_back(branch);
            continue;
        }
        const Verdict one = find(request, table, branch.uri, Into::branches);
        if (one.code < 0)
            request.branches().push_back(branch); // nobody of ours: it stays as it was
        if (verdict.code < 0 && one.code > 0)
            verdict = one;
    }
    return verdict;
}

bool Registrar::passes_filters(Request& request, const ContactView& c) const
{
    if (settings_.lookup_filter_mode & 1)
        if (const auto flags = configured(request, "rlf_bflags");
            flags && (c.cflags & static_cast<std::uint32_t>(*flags)) == 0)
            return false;
    if ((settings_.lookup_filter_mode & 2) && c.connection && !host_.network().is_open(c.connection))
        return false;
    return true;
}

// Where the request goes first: the first Path, else where the contact was seen. `path` is what is left of
// the Path to be put into Route headers.
std::string_view Registrar::next_hop(Request& request, const ContactView& c, std::string_view& path) const
{
    path = c.path;
    while (!path.empty()) {
        std::string_view rest = path, element;
        sip::NameAddr hop;
        if (!sip::next_in_list(rest, element) || !sip::read(element, hop).empty())
            return c.received;
        sip::Uri uri;
        if (settings_.path_check_local && sip::read(hop.uri, uri).empty() &&
            request.host().is_myself(uri.host, uri.port, std::nullopt)) {
            while (!rest.empty() && (rest.front() == ',' || rest.front() == ' '))
                rest.remove_prefix(1);
            path = rest;
            continue;
        }
        return hop.uri;
    }
    return c.received;
}

// xavp_rcd: the newest root is [0], so the best contact is noted last.
void Registrar::note(Request& request, const ContactView& c) const
{
    const std::int64_t now = host_.clock().unix_seconds();
    request.with_avps([&](AvpStore& store) {
        bool made = false;
        const auto put = [&](int bit, std::string_view field, const Value& value) {
            if (settings_.xavp_rcd_mask & bit)
                return;
            if (made)
                store.xavps.push_field(settings_.xavp_rcd, 0, field, value);
            else
                store.xavps.push_root(settings_.xavp_rcd, field, value);
            made = true;
        };
        put(1, "ruid", c.ruid);
        put(2, "contact", c.contact);
        put(4, "expires", c.expires == 0 ? std::int64_t{0} : c.expires - now);
        if (!c.received.empty())
            put(8, "received", c.received);
        if (!c.path.empty())
            put(16, "path", c.path);
    });
}

void Registrar::restore(Request& request, const ContactView& c) const
{
    if (!c.attributes.empty())
        request.with_avps(
            [&](AvpStore& store) { unpack(c.attributes, usrloc_.attributes_name(), store.xavps); });
}

Verdict Registrar::find(Request& request, std::string_view table, std::string_view text, Into into)
{
    sip::Uri uri;
    if (!sip::read(text, uri).empty()) {
        log_.info("lookup: '{}' is no URI", text);
        return -3;
    }
    Arena& arena = request.arena();
    std::vector<ContactView> found;
    const Gruu gruu = gruu_of(uri);
    Result<bool> there = false;
    if (gruu == Gruu::temporary) {
        Copies reader{arena, found};
        std::string_view ruid = uri.user;
        there = usrloc_.lookup_ruid(table, ruid, reader);
        // Kamailio's have a hash behind the id, and may still be around after a change of servers.
        if (const auto dash = ruid.rfind('-'); there && !*there && dash != std::string_view::npos)
            there = usrloc_.lookup_ruid(table, ruid.substr(0, dash), reader);
    } else {
        const std::string_view aor = aor_of(uri, rules(), arena);
        if (aor.empty())
            return -1;
        there = collect(request, table, aor, found);
    }
    if (!there) {
        log_.error("lookup of {}: {}", text, there.error().text);
        return -3;
    }
    if (gruu == Gruu::permanent) {
        const std::string_view instance = instance_of(uri, arena);
        std::erase_if(found, [instance](const ContactView& c) { return c.instance != instance; });
    }
    const std::int64_t now = host_.clock().unix_seconds();
    std::erase_if(found, [&](const ContactView& c) {
        return (c.is_expired(now) && !settings_.use_expired_contacts) || !passes_filters(request, c);
    });
    if (found.empty())
        return -1;
    const sip::Message& message = request.message();
    if (settings_.method_filtering && message.is_request() && message.to_tag().empty()) {
        const std::uint32_t bit = method_bit(message.method());
        std::erase_if(found, [bit](const ContactView& c) { return (c.methods & bit) == 0; });
        if (found.empty())
            return -2;
    }

    std::size_t used = 0;
    if (into == Into::ruri) {
        const ContactView& best = found.front();
        std::string_view path;
        const auto hop = next_hop(request, best, path);
        request.set_ruri(best.contact);
        request.set_dst_uri(hop);
        request.set_path(path);
        if (best.listener)
            request.force_socket(best.listener);
        request.branch_flags = best.cflags;
        used = 1;
    }
    // Branch 0 counts among max_branches.
    const std::size_t most = static_cast<std::size_t>(std::max(host_.core().max_branches, 1)) - 1;
    while (used < found.size() && (settings_.append_branches || into == Into::branches)) {
        if (request.branches().size() >= most) {
            log_.warn("{} contacts of {} are left out (max_branches)", found.size() - used, text);
            break;
        }
        const ContactView& c = found[used++];
        Branch branch;
        branch.uri = c.contact;
        branch.dst_uri = next_hop(request, c, branch.path);
        branch.ruid = c.ruid;
        branch.instance = c.instance;
        branch.q = c.q;
        branch.socket = c.listener;
        branch.flags = c.cflags;
        branch.reg_id = c.reg_id;
        request.branches().push_back(branch);
    }
    for (std::size_t i = used; i-- > 0;) {
        if (!settings_.xavp_rcd.empty())
            note(request, found[i]);
        restore(request, found[i]);
    }
    return 1;
}

} // namespace sipyard::registrar
