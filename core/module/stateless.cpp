// core/module/stateless.cpp - stateless replies: tag, destination, sending
#include "core/module/stateless.h"

#include "core/crypto/random.h"
#include "core/module/host.h"
#include "core/module/trail.h"
#include "core/module/via_params.h"
#include "core/sip/build.h"
#include "core/sip/message.h"

#include <unistd.h>

#include <cstring>

namespace sipyard {

namespace {

std::uint64_t mix(std::uint64_t hash, std::string_view text) // FNV-1a over eight bytes at a time
{
    while (text.size() >= 8) {
        std::uint64_t word;
        std::memcpy(&word, text.data(), 8);
        hash = (hash ^ word) * 0x100000001b3ull;
        hash ^= hash >> 29;
        text.remove_prefix(8);
    }
    for (const char c : text)
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
    return (hash ^ (hash >> 32)) * 0x9e3779b97f4a7c15ull;
}

constexpr std::size_t prefix_size = 9;

} // namespace

StatelessReplies::StatelessReplies(net::Network& network, const CoreSettings& settings)
    : network_{network}, settings_{settings}
{
    tag_prefix_ = crypto::random_hex(4) + ".";
    const std::string seed = crypto::random_bytes(sizeof seed_);
    std::memcpy(&seed_, seed.data(), sizeof seed_);
}

std::string_view StatelessReplies::to_tag(const sip::Message& request, Arena& arena) const
{
    std::uint64_t hash = mix(seed_, request.call_id());
    hash = mix(hash, request.from_tag());
    if (const auto* cseq = request.cseq())
        hash = (hash ^ cseq->number) * 0x9e3779b97f4a7c15ull;
    if (const auto* via = request.top_via())
        hash = mix(hash, via->branch);
    char* const tag = arena.array<char>(prefix_size + 16);
    std::memcpy(tag, tag_prefix_.data(), prefix_size);
    for (std::size_t i = 0; i < 16; ++i)
        tag[prefix_size + i] = "0123456789abcdef"[(hash >> (60 - 4 * i)) & 15];
    return {tag, prefix_size + 16};
}

bool StatelessReplies::is_own_tag(std::string_view tag) const
{
    return tag.size() == prefix_size + 16 && tag.starts_with(tag_prefix_);
}

Result<void> StatelessReplies::reply(Request& request, const Reply& reply)
{
    const sip::Message& message = request.message();
    if (message.is_reply() || message.method() == sip::Method::ack)
        return invalid("only a request other than ACK can be answered");
    if (!message.can_be_answered())
        return invalid("the request lacks the headers a reply is made of");

    char ip[48];
    const net::Received& received = request.received();
    sip::ReplyParts parts;
    if (reply.code > 100)
        parts.to_tag = to_tag(message, request.arena());
    parts.headers = request.reply_headers().empty() ? reply.headers
                    : reply.headers.empty()         ? request.reply_headers()
                                            : request.arena().concat(reply.headers, request.reply_headers());
    if (settings_.server_signature)
        parts.server = settings_.server_header;
    parts.content_type = reply.content_type;
    parts.body = reply.body;
    parts.source = {received.source.ip_text(ip), received.source.port, request.force_rport, false,
                    reply_via_params(request)};
    if (settings_.sip_warning != 0 && reply.code > 100)
        parts.headers = request.arena().concat(parts.headers, warning_header(request));
    const std::string_view reason = reply.reason.empty() ? sip::default_reason(reply.code) : reply.reason;
    const std::string_view bytes = sip::build_reply(message, reply.code, reason, parts, request.arena());
    const net::Destination to = reply_destination(request);
    if (settings_.onsend_route_reply && !request.host().run_onsend(request, to, bytes))
        return invalid("onsend_route held the reply back");
    TRYV(network_.send(to, bytes));
    if (Trail* const trail = request.host().trail())
        trail->note(Trail::Way::out, message.call_id(), message.method(),
                    message.cseq() ? message.cseq()->number : 0, reply.code, {to.protocol, to.to});
    if (reply.code >= 200)
        request.answered = true;
    if (request.reply_close && received.connection)
        network_.close(received.connection);
    return {};
}

std::string_view warning_header(Request& request)
{
    const net::Received& received = request.received();
    const sip::Message& message = request.message();
    const net::Address& ours = received.local;
    // The text is a quoted string: what strangers sent may not end it (RFC 3261 20.43).
    std::string text = format(
        "Warning: 392 {} \"Noisy feedback tells:  pid={} req_src_ip={} req_src_port={} in_uri=", ours.text(),
        static_cast<int>(::getpid()), received.source.ip(), received.source.port);
    for (const std::string_view part : {message.uri_text(), std::string_view{" out_uri="}, request.ruri()})
        for (const char c : part) {
            if (c == '"' || c == '\\')
                text += '\\';
            text += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
        }
    text += format(" via_cnt=={}\"\r\n", message.vias().size());
    return request.arena().copy(text);
}

net::Destination reply_destination(const Request& request)
{
    const net::Received& received = request.received();
    net::Destination to{received.protocol, received.source, received.listener, received.connection,
                        !request.reply_no_connect};
    const auto* via = request.message().top_via();
    if (!via)
        return to;
    const bool to_source_port = request.force_rport || via->has_rport;
    Host& host = request.host();
    if (host.core().reply_to_via && via->maddr.empty() && !net::is_stream(received.protocol)) {
        // Where the Via says, not where the request came from: received and rport are ours to ignore then.
        // Not for a reply made in the loop, which cannot wait for a name.
        if (const auto numeric = net::Address::parse(via->host, via->port_or_default())) {
            to.to = *numeric;
            return to;
        }
        if (task::Fiber::current() != nullptr)
            if (const auto found = host.resolver().addresses(via->host, via->port_or_default());
                found && !found->empty()) {
                to.to = found->front();
                return to;
            }
    }
    if (net::is_stream(received.protocol)) {
        // The connection is tried first; if it is gone, a new one goes to the port the sender listens on.
        to.to.port = via->port_or_default();
        return to;
    }
    if (!via->maddr.empty()) {
        if (auto address = net::Address::parse(via->maddr, via->port_or_default())) {
            to.to = *address;
            return to;
        }
    }
    if (!to_source_port)
        to.to.port = via->port_or_default();
    return to;
}

} // namespace sipyard
