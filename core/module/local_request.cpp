// core/module/local_request.cpp - the text of a request nobody sent
#include "core/module/local_request.h"

#include "core/base/result.h"
#include "core/sip/message.h"

namespace sipyard {

LocalRequest::LocalRequest(Host& host, Route route)
{
    static constexpr std::string_view text =
        "OPTIONS sip:local@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKlocal\r\n"
        "From: <sip:local@127.0.0.1>;tag=local\r\nTo: <sip:local@127.0.0.1>\r\nCall-ID: local@127.0.0.1\r\n"
        "CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n";
    net::Received from;
    from.source = from.local = *net::Address::parse("127.0.0.1", 5060);
    const auto message = sip::Message::parse(text, arena_); // a literal: it parses
    request_.emplace(host, arena_, **message, from, route);
}

} // namespace sipyard
