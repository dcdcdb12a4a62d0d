// modules/tm/keys.cpp - keyed hashes and the text of our branch parameter
#include "modules/tm/keys.h"

#include "core/crypto/random.h"

#include <cstring>

namespace sipyard::tm {

namespace {

constexpr std::string_view cookie = "z9hG4bK";
constexpr std::string_view mark =
    "sy"; // behind the cookie: not every branch in the world has its numbers read

class Hasher {
public:
    explicit Hasher(const Seed& seed) : a_{seed.a}, b_{seed.b} {}
    void add(std::string_view text)
    {
        const std::uint64_t size = text.size();
        std::uint64_t word;
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
    void add(std::uint64_t number) { mix(number); }
    Key key() const { return {fold(a_, b_ ^ 0x9e3779b97f4a7c15ull), fold(b_, a_ ^ 0xd6e8feb86659fd93ull)}; }

private:
    static std::uint64_t fold(std::uint64_t x, std::uint64_t y)
    {
        __extension__ using Wide = unsigned __int128;
        const Wide product = static_cast<Wide>(x) * (y | 1);
        return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
    }
    void mix(std::uint64_t word)
    {
        a_ = fold(a_ ^ word, 0xff51afd7ed558ccdull) + b_;
        b_ = fold(b_ + word, 0xc4ceb9fe1a85ec53ull) ^ a_;
    }
    std::uint64_t a_, b_;
};

std::string_view method_class(const sip::Message& request, bool as_invite)
{
    if (request.method() == sip::Method::ack || as_invite)
        return "INVITE";
    return request.method_text();
}

std::uint32_t check_of(const Ticket& ticket, const Seed& seed)
{
    Hasher hash{{seed.b, seed.a}};
    hash.add((static_cast<std::uint64_t>(ticket.index) << 32) | ticket.generation);
    hash.add(ticket.serial);
    return static_cast<std::uint32_t>(hash.key().a);
}

char* put_hex(char* at, std::uint32_t number, int least)
{
    int digits = least;
    while (digits < 8 && (number >> (4 * digits)) != 0)
        ++digits;
    for (int i = digits; i-- > 0;)
        *at++ = "0123456789abcdef"[(number >> (4 * i)) & 15];
    return at;
}

// Lower-case hex digits up to `end`; false for anything else.
bool take_hex(std::string_view& text, char end, std::uint32_t& out)
{
    std::uint64_t number = 0;
    std::size_t n = 0;
    for (; n < text.size() && text[n] != end; ++n) {
        const char c = text[n];
        const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0 || n >= 8)
            return false;
        number = number * 16 + static_cast<unsigned>(digit);
    }
    if (n == 0 || (end != '\0' && n == text.size()))
        return false;
    text.remove_prefix(end == '\0' ? n : n + 1);
    out = static_cast<std::uint32_t>(number);
    return true;
}

} // namespace

Seed random_seed()
{
    Seed seed;
    const std::string bytes = crypto::random_bytes(sizeof seed);
    std::memcpy(&seed, bytes.data(), sizeof seed);
    return seed;
}

Key server_key(const sip::Message& request, const Seed& seed, const Matching& matching, bool as_invite)
{
    Hasher hash{seed};
    const sip::Via* const via = request.top_via();
    const sip::CSeq* const cseq = request.cseq();
    hash.add(method_class(request, as_invite));
    if (matching.callid_cseq) {
        hash.add(request.call_id());
        hash.add(std::uint64_t{cseq ? cseq->number : 0});
        return hash.key();
    }
    if (via && via->has_cookie()) {
        hash.add(via->branch);
        hash.add(via->host);
        hash.add(std::uint64_t{via->port_or_default()});
        if (matching.callid)
            hash.add(request.call_id());
        return hash.key();
    }
    // RFC 2543 clients. The To tag stays out: an ACK has one that its INVITE had not.
    if (matching.ruri)
        hash.add(request.uri_text());
    if (matching.via1 && via)
        hash.add(via->whole);
    hash.add(request.from_tag());
    hash.add(request.call_id());
    hash.add(std::uint64_t{cseq ? cseq->number : 0});
    return hash.key();
}

Key call_key(std::string_view call_id, std::string_view from_tag, std::uint32_t cseq, std::string_view method,
             const Seed& seed)
{
    Hasher hash{{seed.a ^ 0x5bd1e995, seed.b}};
    hash.add(call_id);
    hash.add(from_tag);
    hash.add(std::uint64_t{cseq});
    hash.add(method);
    return hash.key();
}

Key call_key(const sip::Message& request, const Seed& seed, std::string_view method)
{
    return call_key(request.call_id(), request.from_tag(), request.cseq() ? request.cseq()->number : 0,
                    method, seed);
}

std::string_view print(const Ticket& ticket, const Seed& seed, Arena& arena)
{
    char* const start = arena.array<char>(cookie.size() + mark.size() + 40);
    char* at = start;
    std::memcpy(at, cookie.data(), cookie.size());
    at += cookie.size();
    std::memcpy(at, mark.data(), mark.size());
    at += mark.size();
    at = put_hex(at, ticket.index, 1);
    *at++ = '.';
    at = put_hex(at, ticket.generation, 1);
    *at++ = '.';
    at = put_hex(at, ticket.serial, 1);
    *at++ = '.';
    at = put_hex(at, check_of(ticket, seed), 8);
    return {start, static_cast<std::size_t>(at - start)};
}

std::optional<Ticket> read_ticket(std::string_view branch, const Seed& seed)
{
    if (!branch.starts_with(cookie) || !branch.substr(cookie.size()).starts_with(mark))
        return {};
    branch.remove_prefix(cookie.size() + mark.size());
    Ticket ticket;
    std::uint32_t serial = 0, check = 0;
    if (!take_hex(branch, '.', ticket.index) || !take_hex(branch, '.', ticket.generation) ||
        !take_hex(branch, '.', serial) || branch.size() != 8 || !take_hex(branch, '\0', check) ||
        serial > 0xffff)
        return {};
    ticket.serial = static_cast<std::uint16_t>(serial);
    if (check != check_of(ticket, seed))
        return {};
    return ticket;
}

} // namespace sipyard::tm
