// test/fuzz/sip_message.cpp - any bytes as a message: parse, read everything, answer, forward, edit
#include "core/sip/build.h"
#include "core/sip/message.h"

#include <cstdint>
#include <cstdlib>

using namespace sipyard;
using namespace sipyard::sip;

namespace {

void insist(bool holds)
{
    if (!holds)
        std::abort();
}

// Every view of a message must lie within its buffer.
void inside(const Message& m, std::string_view part)
{
    if (!part.empty())
        insist(part.data() >= m.buffer().data() &&
               part.data() + part.size() <= m.buffer().data() + m.buffer().size());
}

void read_all(const Message& m)
{
    for (const auto& header : m.headers()) {
        inside(m, header.name);
        inside(m, header.value);
        inside(m, header.whole);
        insist(m.first(header.name) != nullptr);
    }
    for (int n = 1; n < static_cast<int>(HeaderName::count_); ++n)
        (void)m.complaint_about(static_cast<HeaderName>(n));
    for (const auto& via : m.vias())
        inside(m, via.whole);
    for (const auto* list : {"Contact", "Route", "Record-Route", "P-Asserted-Identity", "Diversion"})
        for (const auto& address : m.values(header_name_of(list))) {
            inside(m, address.uri);
            Uri uri;
            if (read(address.uri, uri).empty())
                insist(same_uri(uri, uri));
            (void)address.q();
            (void)address.expires();
        }
    for (const auto& h : m.headers())
        if (h.id == HeaderName::authorization) {
            DigestView digest;
            (void)read(h.value, digest);
            inside(m, digest.uri);
        }
    (void)m.event();
    (void)m.content_type();
    (void)m.authorization();
    (void)m.expires();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    Arena arena;
    const auto parsed = Message::parse({reinterpret_cast<const char*>(data), size}, arena);
    if (!parsed)
        return 0;
    const Message& m = **parsed;
    read_all(m);
    const auto fault = m.check();

    const Source source{.address = "192.0.2.77", .port = 4242, .force_rport = (size & 1) != 0};
    if (m.can_be_answered()) {
        const auto reply = build_reply(m, 200, "OK", {.to_tag = "x", .source = source}, arena);
        const auto again = Message::parse(reply, arena);
        insist(again.has_value());
        insist((*again)->status() == 200);
        insist((*again)->body().empty());
        (void)stateless_branch(m, "salt", arena);
    }
    if (m.is_http())
        return 0;

    Edits edits{arena};
    edits.append_header(m, "X-Last: 1\r\n");
    edits.replace_uri(m, HeaderName::from, "sip:f@x");
    edits.replace_display(m, HeaderName::to, "\"T\"");
    for (const auto& header : m.headers())
        if ((header.name.size() + size) % 3 == 0)
            edits.remove(m, header);
        else if ((header.name.size() + size) % 3 == 1)
            edits.insert_before(m, header, "X-B: 2\r\n");
    if (size % 2 == 0)
        edits.replace_body(m, "new body", "text/plain");
    const auto changed = apply(m, edits, arena);
    if (m.is_request()) {
        const auto out = forward_request(m, edits,
                                         {.request_uri = "sip:r@y",
                                          .via = "Via: SIP/2.0/UDP me;branch=z9hG4bKx",
                                          .source = source,
                                          .content_length = true},
                                         arena);
        const auto again = Message::parse(out, arena);
        if (!fault) {
            insist(again.has_value());
            insist((*again)->top_via() != nullptr && (*again)->top_via()->host == "me");
            insist((*again)->uri_text() == "sip:r@y");
            insist((*again)->fault().code == 0);
            insist((*again)->body() == (size % 2 == 0 ? std::string_view{"new body"} : m.body()));
        }
    } else {
        (void)forward_reply(m, edits, {.content_length = true}, arena);
    }
    if (!fault)
        insist(Message::parse(changed, arena).has_value());
    return 0;
}
