// test/fuzz/header_values.cpp - any bytes as CSeq, media type, number, Event, RAck, credentials, header name
#include "core/sip/auth_header.h"
#include "core/sip/header.h"
#include "core/sip/lists.h"
#include "core/sip/method.h"
#include "core/sip/values.h"

#include <cstdint>
#include <cstdlib>

using namespace sipyard;
using namespace sipyard::sip;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    CSeq cseq;
    if (read(text, cseq).empty() && cseq.number > 0x7fffffffu)
        std::abort();
    MediaType type;
    if (read(text, type).empty())
        (void)type.is("text/plain");
    EventType event;
    if (read(text, event).empty())
        (void)event.id();
    RAck rack;
    (void)read(text, rack);
    SubscriptionState state;
    (void)read(text, state);
    std::uint32_t number = 0;
    (void)read(text, number);
    DigestView digest;
    if (read(text, digest).empty()) {
        (void)check_credentials(digest);
        (void)unescape_quoted(digest.uri);
    }
    const auto name = header_name_of(text);
    if (name != HeaderName::other && !same_header(text, to_text(name)))
        std::abort();
    if (const auto method = method_of(text); method != Method::other && to_text(method) != text)
        std::abort();
    (void)is_host_text(text);
    return 0;
}
