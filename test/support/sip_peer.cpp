// test/support/sip_peer.cpp - the texts a user agent sends, and looking at those it gets
#include "test/support/sip_peer.h"

#include "core/base/format.h"
#include "core/base/text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace sipyard::test {

namespace {

int next_number()
{
    static std::atomic<int> number{0};
    return ++number;
}

std::string own_line(const SipText& message, std::string_view name)
{
    std::string out;
    for (std::size_t n = 0; n < message.count(name); ++n)
        out += std::string{name} + ": " + message.header(name, n) + "\r\n";
    return out;
}

} // namespace

SipText::SipText(std::string bytes) : text{std::move(bytes)} {}

bool SipText::is_request(std::string_view wanted) const
{
    return !text.empty() && !is_reply() && (wanted.empty() || text.rfind(std::string{wanted} + " ", 0) == 0);
}

int SipText::status() const { return is_reply() ? std::atoi(text.c_str() + 8) : 0; }

std::string SipText::method() const
{
    if (!is_reply())
        return text.substr(0, text.find(' '));
    const std::string cseq = header("CSeq");
    return cseq.substr(cseq.find(' ') + 1);
}

std::string SipText::ruri() const
{
    const auto from = text.find(' ');
    return from == std::string::npos ? "" : text.substr(from + 1, text.find(' ', from + 1) - from - 1);
}

std::string SipText::header(std::string_view name, std::size_t nth) const
{
    Arena arena;
    const auto parsed = sip::Message::parse(text, arena);
    if (!parsed)
        return {};
    const auto* const found = (*parsed)->nth(name, nth);
    return found ? std::string{found->value} : std::string{};
}

std::size_t SipText::count(std::string_view name) const
{
    Arena arena;
    const auto parsed = sip::Message::parse(text, arena);
    return parsed ? (*parsed)->count(name) : 0;
}

std::string SipText::body() const
{
    const auto at = text.find("\r\n\r\n");
    return at == std::string::npos ? "" : text.substr(at + 4);
}

std::string SipText::branch() const
{
    const std::string via = header("Via");
    const auto at = via.find("branch=");
    return at == std::string::npos ? "" : via.substr(at + 7, via.find_first_of(";, ", at) - at - 7);
}

SipPeer::SipPeer(std::uint16_t server_port, std::string name, Over over)
    : name_{std::move(name)}, tag_{"t" + std::to_string(next_number())}
{
    if (over == Over::udp)
        udp_ = std::make_unique<UdpClient>(server_port);
    else
        tcp_ = std::make_unique<TcpClient>(server_port);
}

std::uint16_t SipPeer::port() const
{
    if (udp_)
        return udp_->port();
    sockaddr_in name{};
    socklen_t size = sizeof name;
    getsockname(tcp_->fd(), reinterpret_cast<sockaddr*>(&name), &size);
    return ntohs(name.sin_port);
}

void SipPeer::send(const std::string& bytes)
{
    log_ += name_ + " -> " + bytes.substr(0, bytes.find("\r\n")) + "\n";
    if (udp_)
        udp_->send(bytes);
    else
        tcp_->send(bytes);
}

SipText SipPeer::request(const Outline& o)
{
    const std::string call_id = o.call_id.empty() ? format("call-{}@test", next_number()) : o.call_id;
    const std::string branch = o.branch.empty() ? format("z9hG4bK-{}-{}", tag_, next_number()) : o.branch;
    SipText made{format(
        "{} {} SIP/2.0\r\nVia: SIP/2.0/{} 127.0.0.1:{};branch={}\r\nMax-Forwards: 70\r\nFrom: "
        "<sip:{}@127.0.0.1>;tag={}\r\n"
        "To: {}{}\r\nCall-ID: {}\r\nCSeq: {} {}\r\nContact: <{}>\r\n{}{}Content-Length: {}\r\n\r\n{}",
        o.method, o.ruri, udp_ ? "UDP" : "TCP", port(), branch, name_, o.from_tag.empty() ? tag_ : o.from_tag,
        o.to.empty() ? "<" + o.ruri + ">" : o.to, o.to_tag.empty() ? "" : ";tag=" + o.to_tag, call_id, o.cseq,
        o.method, uri(), o.headers, o.content_type.empty() ? "" : "Content-Type: " + o.content_type + "\r\n",
        o.body.size(), o.body)};
    send(made.text);
    return made;
}

void SipPeer::cancel(const SipText& invite, const std::string& headers)
{
    const std::string cseq = invite.header("CSeq");
    send(format("CANCEL {} SIP/2.0\r\nVia: {}\r\nMax-Forwards: 70\r\nFrom: {}\r\nTo: {}\r\nCall-ID: "
                "{}\r\nCSeq: {} CANCEL\r\n{}"
                "Content-Length: 0\r\n\r\n",
                invite.ruri(), invite.header("Via"), invite.header("From"), invite.header("To"),
                invite.header("Call-ID"), cseq.substr(0, cseq.find(' ')), headers));
}

void SipPeer::ack(const SipText& invite, const SipText& reply)
{
    const std::string cseq = invite.header("CSeq");
    std::string via = invite.header("Via");
    if (reply.status() < 300)
        via = format("SIP/2.0/{} 127.0.0.1:{};branch=z9hG4bK-{}-{}", udp_ ? "UDP" : "TCP", port(), tag_,
                     next_number());
    std::string routes;
    if (reply.status() < 300)
        for (std::size_t n = reply.count("Record-Route"); n-- > 0;)
            routes += "Route: " + reply.header("Record-Route", n) + "\r\n";
    std::string target = invite.ruri();
    if (const std::string contact = reply.header("Contact"); reply.status() < 300 && !contact.empty())
        target = contact.substr(contact.find('<') + 1, contact.find('>') - contact.find('<') - 1);
    send(format("ACK {} SIP/2.0\r\nVia: {}\r\nMax-Forwards: 70\r\nFrom: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: "
                "{} ACK\r\n{}"
                "Content-Length: 0\r\n\r\n",
                target, via, invite.header("From"), reply.header("To"), invite.header("Call-ID"),
                cseq.substr(0, cseq.find(' ')), routes));
}

std::string reply_text(const std::string& request, const std::string& status, const std::string& to_tag,
                       const std::string& headers, const std::string& body)
{
    const SipText asked{request};
    const auto copied = [&](std::string_view name) { return own_line(asked, name); };
    std::string to = copied("To");
    if (!to_tag.empty() && to.find(";tag=") == std::string::npos)
        to.insert(to.size() - 2, ";tag=" + to_tag);
    return "SIP/2.0 " + status + "\r\n" + copied("Via") + copied("Record-Route") + copied("From") + to +
           copied("Call-ID") + copied("CSeq") + headers + "Content-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
}

SipText SipPeer::reply(const SipText& request, int code, const std::string& reason,
                       const std::string& headers, const std::string& body)
{
    SipText made{reply_text(request.text, std::to_string(code) + " " + (reason.empty() ? "Reply" : reason),
                            code > 100 ? tag_ : "", "Contact: <" + uri() + ">\r\n" + headers, body)};
    send(made.text);
    return made;
}

SipText SipPeer::receive(int patience_ms)
{
    SipText got{udp_ ? udp_->receive(patience_ms) : tcp_->read_message()};
    log_ += name_ + " <- " + (got ? got.start_line() : "nothing") + "\n";
    return got;
}

SipText SipPeer::expect(std::string_view method)
{
    for (;;) {
        SipText got = receive();
        if (!got || got.is_request(method))
            return got;
    }
}

SipText SipPeer::expect(int status)
{
    for (;;) {
        SipText got = receive();
        if (!got || got.status() == status)
            return got;
    }
}

bool SipPeer::hears_nothing(int ms) { return !receive(ms); }

std::vector<std::string> header_values(const std::string& message, const std::string& name)
{
    std::vector<std::string> found;
    for (auto at = message.find("\r\n" + name + ": "); at != std::string::npos;
         at = message.find("\r\n" + name + ": ", at + 2)) {
        const auto begin = at + name.size() + 4;
        found.push_back(message.substr(begin, message.find("\r\n", begin) - begin));
    }
    return found;
}

std::string header_lines(const std::string& name, const std::vector<std::string>& list)
{
    std::string text;
    for (const std::string& value : list)
        text += name + ": " + value + "\r\n";
    return text;
}

} // namespace sipyard::test
