// test/support/sip_peer.h - a user agent for scenarios: sends and receives SIP over UDP or TCP, answers,
// remembers a dialog
#pragma once

#include "core/base/arena.h"
#include "core/sip/message.h"
#include "test/support/running_server.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::test {

// A message that came. Empty when none did.
class SipText {
public:
    SipText() = default;
    explicit SipText(std::string bytes);
    explicit operator bool() const { return !text.empty(); }
    bool is_request(std::string_view method) const; // "INVITE"; "" any
    bool is_reply() const { return text.rfind("SIP/2.0 ", 0) == 0; }
    int status() const; // 0 for requests and nothing
    std::string start_line() const { return text.substr(0, text.find("\r\n")); }
    std::string method() const; // of a reply: CSeq's
    std::string ruri() const;
    std::string header(std::string_view name, std::size_t nth = 0) const; // long names; "" when absent
    std::size_t count(std::string_view name) const;
    std::string body() const;
    std::string branch() const; // of the top Via
    std::string text;
};

// Every value of a header as it stands in a message, in order; and lines of one header made of values.
std::vector<std::string> header_values(const std::string& message, const std::string& name);
std::string header_lines(const std::string& name, const std::vector<std::string>& list);

// A reply to a request: Vias, Record-Routes, From, To, Call-ID and CSeq are copied, To gets the tag unless it
// has one. `headers`: whole lines.
std::string reply_text(const std::string& request, const std::string& status, const std::string& to_tag,
                       const std::string& headers = {}, const std::string& body = {});

// One peer at 127.0.0.1. Waits at most 5 s for anything; the ladder of all it saw is in log().
class SipPeer {
public:
    enum class Over : unsigned char { udp, tcp };
    // TCP: a connection to the server; what the server opens itself is not accepted.
    explicit SipPeer(std::uint16_t server_port, std::string name = "peer", Over over = Over::udp);

    std::string uri() const { return "sip:" + name_ + "@127.0.0.1:" + std::to_string(port()); }
    std::uint16_t port() const;

    void send(const std::string& bytes);
    // A request outside or inside a dialog, with what is needed filled in: Via, From, To, Call-ID, CSeq,
    // Max-Forwards, Contact.
    struct Outline {
        std::string method, ruri, call_id = {}, branch = {}, to_tag = {}, from_tag = {}, headers = {},
                                  body = {}, to = {}, content_type = {};
        int cseq = 1;
    };
    SipText request(const Outline& outline); // sends it; returns what was sent
    void cancel(const SipText& invite, const std::string& headers = {});
    void ack(const SipText& invite,
             const SipText& reply); // to a negative reply: same branch; to a 2xx: a new one
    // Answers a request: Vias, From, To (with a tag of ours), Call-ID, CSeq and Record-Routes are copied.
    SipText reply(const SipText& request, int code, const std::string& reason = {},
                  const std::string& headers = {}, const std::string& body = {});

    SipText receive(int patience_ms = 5000); // the next message
    SipText
    expect(std::string_view method);  // the next request of that method; others are skipped (and logged)
    SipText expect(int status);       // the next reply with that status
    bool hears_nothing(int ms = 200); // waits that long
    std::string log() const { return log_; }

private:
    std::string name_;
    std::unique_ptr<UdpClient> udp_;
    std::unique_ptr<TcpClient> tcp_;
    std::string log_, tag_;
    int number_ = 0;
};

} // namespace sipyard::test
