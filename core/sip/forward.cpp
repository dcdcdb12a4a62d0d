// core/sip/forward.cpp - requests and replies that pass through, and the branch of a stateless proxy
#include "core/base/text.h"
#include "core/sip/build.h"
#include "core/sip/edit_writer.h"

#include <cstring>

namespace sipyard::sip {
namespace {

// Two lanes of multiply and fold: even over short texts, and not invertible by eye. No secret is protected by
// it.
class Hash {
public:
    void add(std::string_view text)
    {
        std::uint64_t word;
        const std::uint64_t size = text.size();
        while (text.size() >= sizeof word) {
            std::memcpy(&word, text.data(), sizeof word);
            mix(word);
            text.remove_prefix(sizeof word);
        }
        word = 0;
        if (!text.empty())
            std::memcpy(&word, text.data(), text.size());
        mix(word ^ (size << 56)); // "ab","c" and "a","bc" differ
    }
    std::uint64_t first() const { return fold(a_, 0x9e3779b97f4a7c15ULL); }
    std::uint64_t second() const { return fold(b_, 0xd6e8feb86659fd93ULL); }

private:
    static std::uint64_t fold(std::uint64_t x, std::uint64_t y)
    {
        __extension__ using Wide = unsigned __int128;
        const Wide product = static_cast<Wide>(x ^ y) * 0xff51afd7ed558ccdULL;
        return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
    }
    void mix(std::uint64_t word)
    {
        a_ = fold(a_ + 0x9e3779b97f4a7c15ULL, word);
        b_ = fold(b_ ^ word, 0xc4ceb9fe1a85ec53ULL) + word;
    }
    std::uint64_t a_ = 0x243f6a8885a308d3ULL, b_ = 0x13198a2e03707344ULL;
};

} // namespace

std::string_view forward_request(const Message& request, const Edits& edits, const ForwardParts& parts,
                                 Arena& arena)
{
    EditWriter writer{request, edits, arena, parts.hop};
    if (!parts.request_uri.empty() && parts.request_uri != request.uri_text())
        writer.replace(request.uri_text(), parts.request_uri);
    if (!parts.via.empty())
        writer.insert(request.headers_offset(), arena.concat(parts.via, "\r\n"));
    if (const auto* via = request.top_via()) {
        const auto text = with_source(*via, parts.source, arena);
        if (text.data() != via->whole.data())
            writer.replace(via->whole, text);
    }
    return writer.write(parts.content_length);
}

std::string_view forward_reply(const Message& reply, const Edits& edits, const ForwardReplyParts& parts,
                               Arena& arena)
{
    EditWriter writer{reply, edits, arena};
    const auto* via = reply.top_via();
    if (via != nullptr && !parts.keep_via) {
        const auto& header = *reply.first(HeaderName::via);
        const auto* end = via->whole.data() + via->whole.size();
        const auto behind = trim_left(
            std::string_view{end, static_cast<std::size_t>(header.value.data() + header.value.size() - end)});
        if (behind.empty()) {
            writer.remove(header.whole);
        } else { // other values share the line: up to the next one
            const auto next = trim_left(behind.substr(1));
            writer.remove({via->whole.data(), static_cast<std::size_t>(next.data() - via->whole.data())});
        }
    }
    return writer.write(parts.content_length);
}

std::string_view stateless_branch(const Message& request, std::string_view salt, Arena& arena)
{
    Hash hash;
    hash.add(salt);
    const auto* via = request.top_via();
    if (via != nullptr && via->has_cookie()) {
        // CANCEL and ACK carry the branch of their INVITE, retransmissions too. Sent-by keeps two clients
        // apart that chose the same one.
        hash.add(via->branch);
        hash.add(via->sent_by);
    } else {
        // An RFC 2543 element. The To tag stays out: the ACK has one that its INVITE had not; so does CSeq's
        // method.
        hash.add(via != nullptr ? via->whole : std::string_view{});
        hash.add(request.from_tag());
        hash.add(request.call_id());
        char number[20];
        hash.add({number, put_int(number, request.cseq() != nullptr ? request.cseq()->number : 0)});
        hash.add(request.uri_text());
    }
    // Spirals come back with our own branch in the top Via; another R-URI must then give another branch (RFC
    // 3261 16.11 and 16.3: loops are recognised by an equal one).
    hash.add(request.uri_text());

    constexpr std::string_view digits = "0123456789abcdefghijklmnopqrstuv";
    constexpr std::string_view cookie = "z9hG4bK";
    constexpr std::size_t per_word = 12; // 60 of 64 bits
    char* const start = arena.array<char>(cookie.size() + 2 * per_word);
    Pen pen{start};
    pen.put(cookie);
    for (auto word : {hash.first(), hash.second()})
        for (std::size_t n = 0; n < per_word; ++n, word >>= 5)
            pen.put(digits[word & 31]);
    return {start, cookie.size() + 2 * per_word};
}

} // namespace sipyard::sip
