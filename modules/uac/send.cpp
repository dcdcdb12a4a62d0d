// modules/uac/send.cpp - $uac_req and uac_req_send: a request of the script's own, its answer in
// event_route[uac:reply]
#include "modules/uac/uac.h"

#include "core/base/text.h"
#include "core/crypto/random.h"
#include "core/sip/message.h"

namespace sipyard::uac {
namespace {

struct Key {
    const char* name;
    std::string OwnRequest::*text;
    std::int64_t OwnRequest::*number;
    std::size_t most;
};
constexpr std::size_t uri_size = 1024, headers_size = 16 * 1024, body_size = 64 * 1024;
constexpr Key keys[] = {
    {"method", &OwnRequest::method, nullptr, 32},       {"ruri", &OwnRequest::ruri, nullptr, uri_size},
    {"turi", &OwnRequest::turi, nullptr, uri_size},     {"furi", &OwnRequest::furi, nullptr, uri_size},
    {"hdrs", &OwnRequest::hdrs, nullptr, headers_size}, {"body", &OwnRequest::body, nullptr, body_size},
    {"ouri", &OwnRequest::ouri, nullptr, uri_size},     {"sock", &OwnRequest::sock, nullptr, uri_size},
    {"auser", &OwnRequest::auser, nullptr, 128},        {"apasswd", &OwnRequest::apasswd, nullptr, 128},
    {"callid", &OwnRequest::callid, nullptr, 256},      {"evparam", &OwnRequest::evparam, nullptr, 4096},
    {"evroute", nullptr, &OwnRequest::evroute, 0},      {"evcode", nullptr, &OwnRequest::evcode, 0},
    {"evtype", nullptr, &OwnRequest::evtype, 0},
};

const Key* key_named(std::string_view name)
{
    for (const Key& key : keys)
        if (name == key.name)
            return &key;
    return nullptr;
}

std::string as_name_addr(std::string_view uri)
{
    return uri.find('<') == std::string_view::npos ? "<" + std::string{uri} + ">" : std::string{uri};
}

} // namespace

std::optional<VariableSpec::Refusal> Uac::check_req(std::string_view key) const
{
    if (key == "all" || key_named(key))
        return {};
    std::vector<std::string_view> names{"all"};
    for (const Key& one : keys)
        names.emplace_back(one.name);
    return VariableSpec::Refusal{format("unknown key '{}' of $uac_req", key),
                                 std::string{nearest(key, names)}};
}

Value Uac::get_req(Request& request, std::string_view part)
{
    const OwnRequest& own = request.at(req_slot_);
    const Key* const key = key_named(part);
    if (!key)
        return {};
    if (key->number)
        return own.*key->number;
    const std::string& text = own.*key->text;
    return text.empty() ? Value{} : Value{request.arena().copy(text)};
}

bool Uac::set_req(Request& request, std::string_view part, const Value& value)
{
    OwnRequest& own = request.at(req_slot_);
    if (part == "all") {
        if (value.is_null())
            own = {};
        return true;
    }
    const Key* const key = key_named(part);
    if (!key)
        return false;
    if (key->number) {
        if (value.is_text()) {
            log_.error("$uac_req({}) wants an integer", part);
            return false;
        }
        own.*key->number = value.number();
        return true;
    }
    if (value.is_integer()) {
        log_.error("$uac_req({}) wants a string", part);
        return false;
    }
    if (value.text().size() > key->most) {
        log_.error("$uac_req({}): {} bytes are too many", part, value.text().size());
        return false;
    }
    own.*key->text = value.text();
    return true;
}

// Shared by the callbacks of its transactions.
struct Uac::Sending {
    OwnRequest what;
    std::string call_id, from_tag, headers;
    std::uint32_t cseq = 10; // where Kamailio begins
    const net::Listener* from = nullptr;
    DigestSession digest;
};

Verdict Uac::req_send(Request& request)
{
    const OwnRequest& own = request.at(req_slot_);
    if (own.method.empty() || own.ruri.empty()) {
        log_.error("uac_req_send: $uac_req(method) and $uac_req(ruri) must be set");
        return Verdict::no();
    }
    for (const auto* text : {&own.method, &own.ruri, &own.turi, &own.furi, &own.callid, &own.ouri})
        if (text->find_first_of("\r\n") != std::string::npos) {
            log_.error("uac_req_send: a line end in a value");
            return Verdict::no();
        }
    auto sending = std::make_shared<Sending>();
    sending->what = own;
    sending->call_id = own.callid.empty() ? crypto::random_token(26) : own.callid;
    sending->from_tag = crypto::random_token(13);
    sending->headers = own.hdrs;
    if (!sending->headers.empty() && !sending->headers.ends_with("\r\n"))
        sending->headers += "\r\n";
    const std::string& wanted = own.sock.empty() ? settings_.default_socket : own.sock;
    sending->from = socket(wanted);
    if (!wanted.empty() && !sending->from)
        log_.warn("uac_req_send: no socket '{}', another one is taken", wanted);
    if (!own.auser.empty() || !own.apasswd.empty())
        sending->digest = DigestSession{{{"", own.auser, own.apasswd, false}}};
    counts_.requests.add();
    if (const auto sent = send_own(sending); !sent) {
        log_.error("uac_req_send: {}", sent.error().text);
        return Verdict::no();
    }
    return Verdict::yes();
}

Result<void> Uac::send_own(const std::shared_ptr<Sending>& sending)
{
    const OwnRequest& own = sending->what;
    const std::string from =
        as_name_addr(own.furi.empty() ? own.ruri : own.furi) + ";tag=" + sending->from_tag;
    const std::string to = as_name_addr(own.turi.empty() ? own.ruri : own.turi);
    const std::string headers = sending->headers + sending->digest.lines({own.method, own.ruri, own.body});
    tm::Outgoing out;
    out.method = own.method;
    out.request_uri = own.ruri;
    out.next_hop = own.ouri;
    out.from = from;
    out.to = to;
    out.call_id = sending->call_id;
    out.cseq = sending->cseq;
    out.headers = headers;
    out.body = own.body; // its Content-Type is in hdrs
    out.socket = sending->from;
    TRYV(tm_.send(out, [this, sending](const tm::Incoming& in) { own_answered(sending, in); }));
    return {};
}

void Uac::own_answered(const std::shared_ptr<Sending>& sending, const tm::Incoming& in)
{
    if (in.code < 200 || in.repeated)
        return;
    if (sending->what.evroute != 0 && host_.has_event_route("uac:reply")) {
        const auto run = [&](Request& request) {
            OwnRequest& own = request.at(req_slot_);
            own = sending->what;
            own.evcode = in.code;
            own.evtype = in.reply ? 1 : 2;
            (void)host_.run_event_route("uac:reply", request);
        };
        if (in.reply) {
            run(*in.reply);
        } else { // nobody answered: the route sees a message that says who was asked
            Arena arena;
            const auto text = arena.concat(
                "SIP/2.0 ", std::to_string(in.code), " ", in.reason,
                "\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKuac\r\nFrom: <",
                sending->what.furi.empty() ? sending->what.ruri : sending->what.furi,
                ">;tag=", sending->from_tag, "\r\nTo: <",
                sending->what.turi.empty() ? sending->what.ruri : sending->what.turi,
                ">;tag=none\r\nCall-ID: ", sending->call_id, "\r\nCSeq: ", std::to_string(sending->cseq), " ",
                sending->what.method, "\r\nContent-Length: 0\r\n\r\n");
            if (const auto message = sip::Message::parse(text, arena)) {
                net::Received nowhere;
                nowhere.source = nowhere.local = *net::Address::parse("127.0.0.1", 5060);
                Request request{host_, arena, **message, nowhere, Route::event};
                run(request);
            }
        }
    }
    if (!in.reply || (in.code != 401 && in.code != 407) || !sending->digest.has_credentials())
        return;
    if (const auto taken = sending->digest.challenged(in.reply->message()); !taken) {
        log_.warn("uac_req_send: {} {}: {}", sending->what.method, sending->what.ruri, taken.error().text);
        return;
    }
    ++sending->cseq;
    counts_.answered_challenges.add();
    if (const auto sent = send_own(sending); !sent)
        log_.error("uac_req_send: {}", sent.error().text);
}

// "udp:192.0.2.1:5060" as Kamailio writes sockets, or the name of one.
const net::Listener* Uac::socket(std::string_view text) const
{
    if (text.empty())
        return nullptr;
    for (const auto& listener : host_.network().listeners())
        if (listener->name == text || listener->text() == text ||
            format("{}:{}:{}", to_text(listener->protocol), listener->host(), listener->port()) == text)
            return listener.get();
    return nullptr;
}

} // namespace sipyard::uac
