// modules/xcap_server/change_route.cpp - a change as the script sees it, on a message of our own
#include "modules/xcap_server/change_route.h"

#include "core/base/format.h"
#include "core/net/address.h"
#include "core/sip/message.h"

#include <array>
#include <chrono>
#include <utility>

namespace sipyard::xcap_server {
namespace {

constexpr Duration longest_wait = std::chrono::seconds{10}; // for an answer that does not get out
constexpr std::array<std::string_view, 9> keys = {"owner", "auid",   "doc_uri",  "uri_adoc", "file",
                                                  "node",  "method", "old_etag", "new_etag"};

} // namespace

ChangeRoute::Answering::Answering(ChangeRoute& route) : route_{route}, fiber_{task::Fiber::current()}
{
    route_.answering_.with([&](auto& all) { all.emplace(fiber_, task::Event{}); });
}

ChangeRoute::Answering::~Answering()
{
    route_.answering_.with([&](auto& all) {
        if (const auto at = all.find(fiber_); at != all.end()) {
            at->second.signal();
            all.erase(at);
        }
    });
}

void ChangeRoute::tell(const DocumentChanged& change)
{
    if (!host_.has_event_route(route))
        return;
    ScriptChange told{change, {}};
    const bool waiting = answering_.with([&](auto& all) {
        const auto at = all.find(task::Fiber::current());
        if (at != all.end())
            told.answered = at->second;
        return at != all.end();
    });
    if (!waiting) // a command's change: nobody waits for an answer over HTTP
        told.answered.signal();
    // A key of its own, so that nobody else's listeners wait for the script.
    host_.announce(std::move(told), format("script {}", change.doc_uri));
}

void ChangeRoute::run(const ScriptChange& told)
{
    static constexpr std::string_view text =
        "OPTIONS sip:local@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKxcap\r\n"
        "From: <sip:local@127.0.0.1>;tag=xcap\r\nTo: <sip:local@127.0.0.1>\r\nCall-ID: xcap@127.0.0.1\r\n"
        "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
    told.answered.wait(host_.clock().now() + longest_wait);
    Arena arena;
    const auto message = sip::Message::parse(arena.copy(text), arena);
    if (!message)
        return;
    net::Received from;
    from.source = from.local = *net::Address::parse("127.0.0.1", 5060);
    Request request{host_, arena, **message, from, Route::event};
    request.at(current_).change = &told.change;
    (void)host_.run_event_route(route, request);
}

Value ChangeRoute::value(Request& request, ChangeKey key) const
{
    const Current* const current = request.find(current_);
    if (!current || !current->change)
        return {};
    const DocumentChanged& change = *current->change;
    const auto or_null = [](std::string_view text) { return text.empty() ? Value{} : Value{text}; };
    Arena& arena = request.arena();
    switch (key) {
    case ChangeKey::owner:
        return change.user.empty() && change.domain.empty()
                   ? Value{}
                   : Value{arena.concat("sip:", change.user, "@", change.domain)};
    case ChangeKey::auid: return Value{change.auid};
    case ChangeKey::doc_uri:
    case ChangeKey::uri_adoc: return Value{change.doc_uri};
    case ChangeKey::file: return Value{change.file};
    case ChangeKey::node: return or_null(change.selector);
    case ChangeKey::method: return Value{change.method == DocumentChanged::Method::put ? "PUT" : "DELETE"};
    case ChangeKey::old_etag: return or_null(change.old_etag);
    case ChangeKey::new_etag: return or_null(change.new_etag);
    }
    return {};
}

} // namespace sipyard::xcap_server

namespace sipyard {

Result<xcap_server::ChangeKey> FromText<xcap_server::ChangeKey>::parse(std::string_view text)
{
    for (std::size_t i = 0; i < xcap_server::keys.size(); ++i)
        if (xcap_server::keys[i] == text)
            return static_cast<xcap_server::ChangeKey>(i);
    return invalid(format("'{}' is not {}", text, expected));
}

} // namespace sipyard
