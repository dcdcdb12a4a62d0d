// modules/registrar/save.cpp - save(): reads a REGISTER, has its changes made, answers (RFC 3261 10.3)
#include "modules/registrar/attributes.h"
#include "modules/registrar/registrar.h"

#include "core/base/text.h"
#include "core/crypto/random.h"
#include "core/sip/lists.h"

#include <algorithm>

namespace sipyard::registrar {

using usrloc::ContactView;

struct Registrar::Saving {
    std::string_view aor, call_id, path, received, attributes;
    sip::Uri uri; // of the address of record
    Wishes wishes;
    std::span<Decided> decided;
    Order order;
    Outcome outcome = Outcome::fetched;
    Refusal refusal = Refusal::none;
    bool outbound = false, use_reg_id = false, path_supported = false, nat_by_path = false;
    bool flow = false;         // a contact with a reg-id is among them
    std::string_view contacts; // Contact header of the answer
};

// The writer the location store calls back.
class Registrar::Change final : public usrloc::Writer {
public:
    Change(Registrar& registrar, Request& request, Saving& saving)
        : registrar_{registrar}, request_{request}, saving_{saving}
    {
    }
    Result<void> plan(std::span<const ContactView> there, std::vector<usrloc::Change>& changes) override
    {
        const Match match = [](void* api, std::span<const ContactView> among, const ContactView& wanted) {
            return static_cast<const usrloc::Api*>(api)->match(among, wanted);
        };
        saving_.refusal =
            registrar::plan(saving_.order, there, match, &registrar_.usrloc_, changes, saving_.outcome);
        if (saving_.refusal == Refusal::none)
            return {};
        written(there); // a refusal lists what is there, too
        return invalid("refused");
    }
    void written(std::span<const ContactView> now) override
    {
        const sip::Message& message = request_.message();
        saving_.contacts = contact_header(now,
                                          {saving_.order.now, registrar_.settings_.received_param,
                                           registrar_.settings_.gruu_enabled && supports(message, "gruu"),
                                           saving_.uri.user, saving_.uri.host},
                                          request_.arena());
    }

private:
    Registrar& registrar_;
    Request& request_;
    Saving& saving_;
};

Verdict Registrar::save(Request& request, std::string_view table, std::optional<std::string_view> given_flags,
                        std::optional<std::string_view> uri)
{
    std::int64_t flags = 0;
    if (given_flags && !given_flags->empty()) {
        std::string_view text = *given_flags;
        if (istarts_with(text, "0x")) {
            text.remove_prefix(2);
            for (const char c : text)
                flags = flags * 16 + std::max(hex_digit(c), 0);
        } else {
            flags = parse_int(text).value_or(0);
        }
    }
    Saving& saving = request.arena().make<Saving>();
    saving.refusal = prepare(request, flags, uri, saving);
    if (saving.refusal == Refusal::none) {
        Change change{*this, request, saving};
        const auto storage =
            flags & memory_only ? usrloc::Api::Storage::memory_only : usrloc::Api::Storage::as_configured;
        const auto done = usrloc_.change(table, saving.aor, storage, change);
        if (!done && saving.refusal == Refusal::none) {
            log_.error("contacts of {} are not stored: {}", saving.aor, done.error().text);
            saving.refusal = done.error().kind == ErrorKind::invalid ? Refusal::too_long : Refusal::storage;
        }
    }
    answer(request, flags, saving, saving.refusal, saving.contacts);
    if (saving.refusal == Refusal::none) {
        accepted_.add();
        return static_cast<int>(saving.outcome);
    }
    rejected_.add();
    return saving.refusal == Refusal::too_many ? -2 : -1;
}

// --- before anything is touched
// -------------------------------------------------------------------------------------------------

Refusal Registrar::prepare(Request& request, std::int64_t flags, std::optional<std::string_view> uri,
                           Saving& saving)
{
    const sip::Message& message = request.message();
    const auto* const cseq = message.cseq();
    const auto* const to = message.to();
    saving.call_id = message.call_id();
    if (!cseq || !to || saving.call_id.empty())
        return Refusal::bad_message;
    if (saving.call_id.size() > 255)
        return Refusal::too_long;
    if (uri && !uri->empty()) {
        if (!sip::read(*uri, saving.uri).empty())
            return Refusal::bad_aor;
    } else if (const sip::Uri* const read = message.to_uri()) {
        saving.uri = *read;
    } else {
        return Refusal::bad_aor;
    }
    saving.aor = aor_of(saving.uri, rules(), request.arena());
    if (saving.aor.empty() || saving.aor.size() > 255)
        return Refusal::bad_aor;
    if (const auto refusal = read(message, static_cast<std::size_t>(settings_.contact_max_size),
                                  request.arena(), saving.wishes);
        refusal != Refusal::none)
        return refusal;
    if (const auto refusal = prepare_extensions(message, saving); refusal != Refusal::none)
        return refusal;
    if (const auto refusal = read_path(request, saving); refusal != Refusal::none)
        return refusal;
    const std::int64_t most = configured(request, "max_contacts").value_or(settings_.max_contacts);
    saving.order.star = saving.wishes.star;
    saving.order.call_id = saving.call_id;
    saving.order.cseq = cseq->number;
    saving.order.now = host_.clock().unix_seconds();
    saving.order.cseq_delay = usrloc_.cseq_delay();
    saving.order.max_contacts = static_cast<std::size_t>(std::max<std::int64_t>(most, 0));
    saving.order.only_one = (flags & only_one) != 0;
    decide(request, flags, saving);
    return saving.refusal;
}

// RFC 5626 6.
Refusal Registrar::prepare_extensions(const sip::Message& message, Saving& saving) const
{
    const bool wanted = supports(message, "outbound");
    if (settings_.outbound_mode == 0 && requires_extension(message, "outbound"))
        return Refusal::outbound_unsupported;
    if (settings_.outbound_mode == 2 && !wanted)
        return Refusal::outbound_required;
    saving.outbound = settings_.outbound_mode != 0 && wanted;
    saving.use_reg_id = saving.outbound || settings_.regid_mode == 1;
    std::size_t flows = 0;
    for (const Wish& wish : saving.wishes.list)
        flows += wish.reg_id != 0 && !wish.instance.empty() ? 1 : 0;
    saving.flow = saving.use_reg_id && flows > 0;
    if (!saving.outbound || flows == 0)
        return Refusal::none;
    if (flows > 1 || saving.wishes.list.size() > 1)
        return Refusal::outbound_several;
    // Through others the flow is kept by the first of them, which says so with ;ob.
    if (message.vias().size() > 1) {
        const sip::Header* const last = message.last(sip::HeaderName::path);
        std::string_view rest = last ? last->value : std::string_view{}, element, bottom;
        while (sip::next_in_list(rest, element))
            if (!element.empty())
                bottom = element;
        sip::NameAddr first_hop;
        sip::Uri uri;
        if (!sip::read(bottom, first_hop).empty() || !sip::read(first_hop.uri, uri).empty() ||
            !uri.params.has("ob"))
            return Refusal::first_hop;
    }
    return Refusal::none;
}

// RFC 3327 5.3.
Refusal Registrar::read_path(Request& request, Saving& saving) const
{
    const sip::Message& message = request.message();
    if (!settings_.use_path || !message.has(sip::HeaderName::path))
        return Refusal::none;
    saving.path_supported = supports(message, "path");
    for (std::size_t i = 0; const sip::Header* const header = message.nth(sip::HeaderName::path, i); ++i)
        saving.path =
            saving.path.empty() ? header->value : request.arena().concat(saving.path, ",", header->value);
    if (saving.path.size() > 2048)
        return Refusal::too_long;
    // Stored it becomes Route headers and the next hop: it has to be readable now.
    std::string_view rest = saving.path, element;
    bool first = true;
    while (sip::next_in_list(rest, element)) {
        if (element.empty())
            continue;
        sip::NameAddr hop;
        sip::Uri uri;
        if (!sip::read(element, hop).empty() || !sip::read(hop.uri, uri).empty() || !hop.in_brackets)
            return Refusal::bad_message;
        if (first && settings_.path_use_received) {
            if (const auto received = uri.params.find("received"); received && !received->empty()) {
                saving.received = request.arena().copy(sip::unescape(*received));
                saving.nat_by_path = true;
            }
        }
        first = false;
    }
    // Folded values would break the line they are put into.
    if (saving.path.find_first_of("\r\n") != std::string_view::npos) {
        char* const to = request.arena().array<char>(saving.path.size());
        std::ranges::transform(saving.path, to, [](char c) { return c == '\r' || c == '\n' ? ' ' : c; });
        saving.path = {to, saving.path.size()};
    }
    return settings_.path_mode == 2 && !saving.path_supported ? Refusal::path_unsupported : Refusal::none;
}

// Every wish becomes a whole binding.
void Registrar::decide(Request& request, std::int64_t flags, Saving& saving)
{
    const sip::Message& message = request.message();
    Arena& arena = request.arena();
    ContactView common;
    common.call_id = saving.call_id;
    common.cseq = saving.order.cseq;
    common.path = saving.path;
    common.received = received_of(request, saving);
    common.user_agent = message.value(sip::HeaderName::user_agent).substr(0, 255); // the column's width
    if (common.user_agent.empty())
        common.user_agent = "n/a";
    common.last_modified = saving.order.now;
    common.cflags = request.branch_flags | (saving.nat_by_path ? usrloc_.nat_flag() : 0);
    common.methods = methods_of(message);
    common.server_id = static_cast<std::uint32_t>(host_.core().server_id);
    common.connection = request.received().connection;
    if (!usrloc_.attributes_name().empty())
        common.attributes = arena.copy(
            request.with_avps([&](AvpStore& store) { return pack(store.xavps, usrloc_.attributes_name()); }));
    socket_of(request, common);

    const auto own_q = configured(request, "q"), own_expires = configured(request, "expires");
    Decided* const list = arena.array<Decided>(saving.wishes.list.size());
    for (std::size_t i = 0; i < saving.wishes.list.size(); ++i) {
        const Wish& wish = saving.wishes.list[i];
        Decided& decided = *new (list + i) Decided{common, false};
        decided.view.contact = wish.uri;
        decided.view.instance = wish.instance;
        decided.view.reg_id = saving.use_reg_id && !wish.instance.empty() ? wish.reg_id : 0;
        decided.view.q = own_q         ? static_cast<int>(std::clamp<std::int64_t>(*own_q, 0, 1000))
                         : wish.q >= 0 ? wish.q
                         : settings_.default_q > 0 ? settings_.default_q
                                                   : -1;
        const bool unset = wish.expires.value_or(1) != 0 && own_expires;
        bool brief = false;
        const auto seconds = granted(unset ? std::optional{static_cast<std::uint32_t>(
                                                 std::clamp<std::int64_t>(*own_expires, 0, INT32_MAX))}
                                           : wish.expires,
                                     unset || (flags & exact_expires) != 0, brief);
        if (brief)
            saving.refusal = Refusal::interval;
        decided.removes = seconds == 0;
        decided.view.expires = saving.order.now + seconds;
    }
    saving.decided = {list, saving.wishes.list.size()};
    saving.order.wishes = saving.decided;
}

std::int64_t Registrar::granted(std::optional<std::uint32_t> asked, bool exact, bool& too_brief) const
{
    std::int64_t seconds = asked ? std::int64_t{*asked} : std::int64_t{settings_.default_expires};
    if (seconds == 0)
        return 0;
    // Spreads registrations that all began after the same power cut.
    const int range = asked ? settings_.expires_range : settings_.default_expires_range;
    if (range > 0 && !exact) {
        std::int64_t most = seconds * range / 100;
        if (settings_.expires_max_deviation > 0)
            most = std::min<std::int64_t>(most, settings_.expires_max_deviation);
        std::uint32_t random;
        const std::string bytes = crypto::random_bytes(sizeof random);
        std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(&random));
        seconds -= most > 0 ? random % (most + 1) : 0;
    }
    if (settings_.min_expires > 0 && seconds < settings_.min_expires) {
        if (settings_.min_expires_mode != 0 && asked)
            too_brief = true;
        seconds = settings_.min_expires;
    }
    if (settings_.max_expires > 0)
        seconds = std::min<std::int64_t>(seconds, settings_.max_expires);
    return std::min<std::int64_t>(seconds, INT32_MAX);
}

std::string_view Registrar::received_of(Request& request, const Saving& saving) const
{
    if (!saving.received.empty())
        return saving.received;
    sip::Uri uri;
    if (received_)
        if (const Value value = received_->get(request); value.is_text() && value.text().size() <= 255) {
            if (sip::read(value.text(), uri).empty() &&
                value.text().find_first_of("<>\"") == std::string_view::npos)
                return value.text();
            log_.warn("{} is no URI: {}", settings_.received_avp, value.text());
        }
    // Our own edge: requests have to go back over the flow the registration came by (RFC 5626 5.3).
    if (saving.flow && saving.path.empty()) {
        const net::Received& from = request.received();
        return request.arena().concat("sip:", from.source.text(),
                                      from.protocol == net::Protocol::udp ? "" : ";transport=",
                                      from.protocol == net::Protocol::udp ? "" : net::to_text(from.protocol));
    }
    return {};
}

void Registrar::socket_of(Request& request, ContactView& view) const
{
    std::string_view named = configured_text(request, "socket");
    if (named.empty() && settings_.sock_flag >= 0 && (request.flags >> settings_.sock_flag & 1) != 0)
        if (const auto* const header = request.message().first(settings_.sock_hdr_name))
            named = header->value;
    if (!named.empty()) {
        if (const auto* const ours = usrloc_.listener(named)) {
            view.listener = ours;
            return;
        }
        if (named.size() <= 64 && std::ranges::all_of(named, [](char c) { return c > ' ' && c < 0x7f; })) {
            view.socket = named; // another server's
            return;
        }
        log_.warn("'{}' is no socket", named);
    }
    view.listener = request.received().listener;
    if (view.listener && settings_.sock_mode == 1 && !view.listener->advertised_host.empty())
        view.socket = request.arena().copy(format("{}:{}:{}", net::to_text(view.listener->protocol),
                                                  view.listener->host(), view.listener->port()));
}

// The texts it gives are in the request's arena.
Value Registrar::configured_value(Request& request, std::string_view field) const
{
    if (settings_.xavp_cfg.empty())
        return {};
    return request.with_avps([&](AvpStore& store) -> Value {
        const Value value = store.xavps.get(settings_.xavp_cfg, 0, field, 0);
        return value.is_text() ? Value{request.arena().copy(value.text())} : value;
    });
}

std::optional<std::int64_t> Registrar::configured(Request& request, std::string_view field) const
{
    const Value value = configured_value(request, field);
    return value.is_integer() ? std::optional{value.number()}
           : value.is_text()  ? parse_int(value.text())
                              : std::nullopt;
}

std::string_view Registrar::configured_text(Request& request, std::string_view field) const
{
    return configured_value(request, field).text();
}

// --- the answer
// -------------------------------------------------------------------------------------------------

void Registrar::answer(Request& request, std::int64_t flags, const Saving& saving, Refusal refusal,
                       std::string_view contacts)
{
    if (request.message().is_reply())
        return;
    Arena& arena = request.arena();
    const RefusalText text = text_of(refusal);
    std::string_view headers = arena.concat(contacts, text.headers);
    if (refusal == Refusal::none) {
        if (!saving.path.empty() && settings_.path_mode != 0 && saving.path_supported)
            headers = arena.concat(headers, "Path: ", saving.path, "\r\n");
        if (settings_.outbound_mode == 1)
            headers = arena.concat(headers, "Supported: outbound\r\n");
        // So the client knows that its flow was understood (RFC 5626 6).
        if (saving.outbound && saving.flow)
            headers = arena.concat(headers, "Require: outbound\r\n");
        if (settings_.flow_timer > 0 && saving.outbound)
            headers = arena.concat(headers, "Flow-Timer: ", std::to_string(settings_.flow_timer), "\r\n");
    } else {
        headers = arena.concat(headers, "P-Registrar-Error: ", text.error, "\r\n");
        if (refusal == Refusal::interval)
            headers = arena.concat(headers, "Min-Expires: ", std::to_string(settings_.min_expires), "\r\n");
        // A database that is away has a time of its own: without one phones come back at once.
        const int retry = settings_.retry_after > 0     ? settings_.retry_after
                          : refusal == Refusal::storage ? 10
                                                        : 0;
        if (text.code >= 500 && retry > 0)
            headers = arena.concat(headers, "Retry-After: ", std::to_string(retry), "\r\n");
        log_.info("registration of {} refused: {}", saving.aor, text.error);
    }
    Reply reply;
    reply.code = text.code;
    reply.reason = text.reason;
    reply.headers = headers;
    if (flags & no_reply) {
        request.at(state_).answer = reply;
        if (flags & headers_for_reply)
            request.append_to_reply(headers);
        return;
    }
    if (const auto sent = request.reply(reply); !sent)
        log_.error("the answer to a REGISTER cannot be sent: {}", sent.error().text);
}

Verdict Registrar::send_reply(Request& request)
{
    State* const state = request.find(state_);
    if (!state || state->answer.code == 0)
        return Verdict::no();
    const Reply reply = state->answer;
    state->answer.code = 0;
    return Verdict::of(request.reply(reply).has_value());
}

} // namespace sipyard::registrar
