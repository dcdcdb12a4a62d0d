// modules/auth/signed_test.h - for the tests of this module and of those that know passwords: requests and a
// client's digest
#pragma once

#include "core/base/text.h"
#include "core/sip/message.h"
#include "modules/auth/auth.h"
#include "test/support/catch.h"
#include "test/support/fake_host.h"

#include <string>
#include <string_view>

namespace sipyard::auth {

// A request as a script sees it. Texts live in its arena.
struct Asked {
    Asked(Host& host, std::string_view text) : request{host, arena, *message_of(text), {}, Route::request} {}
    sip::Message* message_of(std::string_view text)
    {
        auto message = sip::Message::parse(arena.copy(text), arena);
        REQUIRE(message);
        return *message;
    }
    Arena arena;
    Request request;
};

inline std::string sip_text(std::string_view method, std::string_view credentials_line,
                            std::string_view body = "", std::string_view user = "alice")
{
    return format("{} sip:{}@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\r\nFrom: "
                  "<sip:{}@example.com>;tag=f\r\n"
                  "To: <sip:{}@example.com>\r\nCall-ID: c\r\nCSeq: 1 {}\r\n{}Content-Length: {}\r\n\r\n{}",
                  method, user, user, user, method, credentials_line, body.size(), body);
}
inline std::string http_text(std::string_view method, std::string_view target,
                             std::string_view credentials_line)
{
    return format("{} {} HTTP/1.1\r\nHost: example.com\r\n{}\r\n", method, target, credentials_line);
}

// What a phone does with a challenge.
struct Phone {
    std::string username = "alice", realm = "example.com", password = "secret", method = "REGISTER",
                uri = "sip:example.com";
    std::string nonce, qop = "auth", cnonce = "c0ffee", algorithm, header = "Authorization", body;
    unsigned nc = 1;

    std::string sign() const
    {
        const auto scheme = *Scheme::named(algorithm);
        sip::DigestView d;
        char count[9];
        std::snprintf(count, sizeof count, "%08x", nc);
        d.nonce = nonce;
        d.uri = uri;
        d.qop = qop;
        d.has_qop = !qop.empty();
        d.nc = count;
        d.cnonce = cnonce;
        const auto answer = response(scheme, ha1(scheme.hash, username, realm, password), d, {method, body});
        std::string line =
            format("{}: Digest username=\"{}\", realm=\"{}\", nonce=\"{}\", uri=\"{}\", response=\"{}\"",
                   header, username, realm, nonce, uri, answer.view());
        if (!qop.empty())
            line += format(", qop={}, nc={}, cnonce=\"{}\"", qop, count, cnonce);
        if (!algorithm.empty())
            line += ", algorithm=" + algorithm;
        return line + "\r\n";
    }
};

inline std::string nonce_in(std::string_view headers)
{
    const auto at = headers.find("nonce=\"");
    if (at == std::string_view::npos)
        return {};
    headers.remove_prefix(at + 7);
    return std::string{headers.substr(0, headers.find('"'))};
}

} // namespace sipyard::auth
