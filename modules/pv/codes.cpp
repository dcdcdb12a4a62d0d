// modules/pv/codes.cpp - codings that only scripts use
#include "modules/pv/codes.h"

#include <algorithm>
#include <array>
#include <bit>

namespace sipyard::pv {

// --- GSM 03.38 -----------------------------------------------------------------------------------

namespace {

constexpr unsigned char escape = 0x1b; // the next septet is of the extension table

struct GsmPair {
    char ascii;
    unsigned char septet;
};
// Where the alphabet differs from ASCII; the rest of the printable characters is the same.
constexpr GsmPair moved[] = {{'@', 0x00}, {'$', 0x02}, {'_', 0x11}, {'\n', 0x0a}, {'\r', 0x0d}};
constexpr GsmPair extension[] = {{'^', 0x14}, {'{', 0x28}, {'}', 0x29}, {'\\', 0x2f},
                                 {'[', 0x3c}, {'~', 0x3d}, {']', 0x3e}, {'|', 0x40}};

bool is_same(unsigned char c)
{
    return c >= 0x20 && c <= 0x7a && c != '$' && c != '@' && c != '`' && !(c >= 0x5b && c <= 0x60);
}

} // namespace

std::string_view gsm_pack(std::string_view text, Arena& arena)
{
    auto* const septets = arena.array<unsigned char>(text.size() * 2);
    std::size_t count = 0;
    for (const char c : text) {
        const auto* pair =
            std::find_if(std::begin(moved), std::end(moved), [c](const GsmPair& p) { return p.ascii == c; });
        const auto* extended = std::find_if(std::begin(extension), std::end(extension),
                                            [c](const GsmPair& p) { return p.ascii == c; });
        if (pair != std::end(moved)) {
            septets[count++] = pair->septet;
        } else if (extended != std::end(extension)) {
            septets[count++] = escape;
            septets[count++] = extended->septet;
        } else {
            septets[count++] = is_same(static_cast<unsigned char>(c)) ? static_cast<unsigned char>(c) : '?';
        }
    }
    const std::size_t size = (count * 7 + 7) / 8;
    char* const out = arena.array<char>(size);
    std::fill_n(out, size, '\0');
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t bit = i * 7;
        const unsigned value = static_cast<unsigned>(septets[i]) << (bit % 8);
        out[bit / 8] = static_cast<char>(static_cast<unsigned char>(out[bit / 8]) | (value & 0xff));
        if (value > 0xff)
            out[bit / 8 + 1] = static_cast<char>(value >> 8);
    }
    return {out, size};
}

std::string_view gsm_unpack(std::string_view octets, Arena& arena)
{
    std::size_t count = octets.size() * 8 / 7;
    char* const out = arena.array<char>(count);
    std::size_t size = 0;
    bool escaped = false;
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t bit = i * 7;
        unsigned value = static_cast<unsigned char>(octets[bit / 8]) >> (bit % 8);
        if (bit % 8 > 1)
            value |= static_cast<unsigned>(static_cast<unsigned char>(octets[bit / 8 + 1])) << (8 - bit % 8);
        const auto septet = static_cast<unsigned char>(value & 0x7f);
        // Seven octets hold eight septets: an '@' at the very end is more likely the padding behind seven.
        if (septet == 0 && i + 1 == count && count % 8 == 0)
            break;
        const auto is_it = [septet](const GsmPair& p) { return p.septet == septet; };
        if (escaped) {
            const auto* pair = std::find_if(std::begin(extension), std::end(extension), is_it);
            out[size++] = pair == std::end(extension) ? '?' : pair->ascii;
            escaped = false;
        } else if (septet == escape) {
            escaped = true;
        } else if (const auto* pair = std::find_if(std::begin(moved), std::end(moved), is_it);
                   pair != std::end(moved)) {
            out[size++] = pair->ascii;
        } else {
            out[size++] = is_same(septet) ? static_cast<char>(septet) : '?';
        }
    }
    return {out, size};
}

// --- base58 --------------------------------------------------------------------------------------

namespace {

constexpr std::string_view letters58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

// `digits` holds a number in base `base`, lowest first; makes it digits * factor + more.
void multiply_add(unsigned char* digits, std::size_t& count, unsigned base, unsigned factor, unsigned more)
{
    for (std::size_t i = 0; i < count; ++i) {
        more += digits[i] * factor;
        digits[i] = static_cast<unsigned char>(more % base);
        more /= base;
    }
    for (; more > 0; more /= base)
        digits[count++] = static_cast<unsigned char>(more % base);
}

} // namespace

std::optional<std::string_view> base58_encode(std::string_view bytes, Arena& arena)
{
    if (bytes.size() > most_base58)
        return {};
    const auto zeros = std::min(bytes.find_first_not_of('\0'), bytes.size());
    auto* const digits = arena.array<unsigned char>(bytes.size() * 2 + 1);
    std::size_t count = 0;
    for (const char c : bytes.substr(zeros))
        multiply_add(digits, count, 58, 256, static_cast<unsigned char>(c));
    char* const out = arena.array<char>(zeros + count);
    std::fill_n(out, zeros, letters58[0]);
    for (std::size_t i = 0; i < count; ++i)
        out[zeros + i] = letters58[digits[count - 1 - i]];
    return std::string_view{out, zeros + count};
}

std::optional<std::string_view> base58_decode(std::string_view text, Arena& arena)
{
    if (text.size() > 2 * most_base58)
        return {};
    const auto zeros = std::min(text.find_first_not_of(letters58[0]), text.size());
    auto* const digits = arena.array<unsigned char>(text.size() + 1);
    std::size_t count = 0;
    for (const char c : text.substr(zeros)) {
        const auto value = letters58.find(c);
        if (value == std::string_view::npos)
            return {};
        multiply_add(digits, count, 256, 58, static_cast<unsigned>(value));
    }
    char* const out = arena.array<char>(zeros + count);
    std::fill_n(out, zeros, '\0');
    for (std::size_t i = 0; i < count; ++i)
        out[zeros + i] = static_cast<char>(digits[count - 1 - i]);
    return std::string_view{out, zeros + count};
}

// --- checksums and hashes ------------------------------------------------------------------------

namespace {

constexpr auto crc_table = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t n = 0; n < 256; ++n) {
        std::uint32_t value = n;
        for (int bit = 0; bit < 8; ++bit)
            value = value & 1 ? 0xedb88320u ^ value >> 1 : value >> 1;
        table[n] = value;
    }
    return table;
}();

} // namespace

std::uint32_t crc32(std::string_view bytes)
{
    std::uint32_t sum = 0xffffffffu;
    for (const char c : bytes)
        sum = crc_table[(sum ^ static_cast<unsigned char>(c)) & 0xff] ^ sum >> 8;
    return ~sum;
}

std::uint32_t core_hash(std::string_view text, std::uint32_t size)
{
    std::uint32_t hash = 0;
    // Four bytes at a time, the last group (even an empty one) short.
    for (std::size_t at = 0;; at += 4) {
        const auto group = text.substr(at, 4);
        std::uint32_t value = 0;
        for (const char c : group)
            value = (value << 8) + static_cast<std::uint32_t>(static_cast<int>(c));
        hash += value ^ value >> 3;
        if (group.size() < 4)
            break;
    }
    hash = (hash + (hash >> 11)) + ((hash >> 13) + (hash >> 23));
    return size ? hash & (size - 1) : hash;
}

namespace {

using Lanes = std::array<std::uint64_t, 25>;

// Keccak-f[1600] (FIPS 202 3.2, 3.3)
void permute(Lanes& a)
{
    unsigned feedback = 1; // the register that makes the round constants (FIPS 202 algorithm 5)
    for (int round = 0; round < 24; ++round) {
        std::array<std::uint64_t, 5> column{};
        for (std::size_t x = 0; x < 5; ++x)
            column[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
        for (std::size_t x = 0; x < 5; ++x)
            for (std::size_t y = 0; y < 25; y += 5)
                a[x + y] ^= column[(x + 4) % 5] ^ std::rotl(column[(x + 1) % 5], 1);

        std::size_t x = 1, y = 0; // rho and pi walk the lanes together
        std::uint64_t moving = a[1];
        for (int t = 0; t < 24; ++t) {
            const std::size_t next = (2 * x + 3 * y) % 5;
            x = y;
            y = next;
            const auto here = a[x + 5 * y];
            a[x + 5 * y] = std::rotl(moving, (t + 1) * (t + 2) / 2 % 64);
            moving = here;
        }
        for (std::size_t row = 0; row < 25; row += 5) {
            const std::array<std::uint64_t, 5> b{a[row], a[row + 1], a[row + 2], a[row + 3], a[row + 4]};
            for (std::size_t i = 0; i < 5; ++i)
                a[row + i] = b[i] ^ (~b[(i + 1) % 5] & b[(i + 2) % 5]);
        }
        for (unsigned j = 0; j < 7; ++j) {
            if (feedback & 1)
                a[0] ^= std::uint64_t{1} << ((1u << j) - 1);
            feedback <<= 1;
            if (feedback & 0x100)
                feedback ^= 0x171;
        }
    }
}

} // namespace

std::string_view keccak256_hex(std::string_view bytes, Arena& arena)
{
    constexpr std::size_t rate = 136;
    Lanes state{};
    const auto put = [&](std::size_t at, unsigned char byte) {
        state[at / 8] ^= std::uint64_t{byte} << (8 * (at % 8));
    };
    for (; bytes.size() >= rate; bytes.remove_prefix(rate)) {
        for (std::size_t i = 0; i < rate; ++i)
            put(i, static_cast<unsigned char>(bytes[i]));
        permute(state);
    }
    for (std::size_t i = 0; i < bytes.size(); ++i)
        put(i, static_cast<unsigned char>(bytes[i]));
    put(bytes.size(), 0x01);
    put(rate - 1, 0x80);
    permute(state);
    char* const out = arena.array<char>(64);
    for (std::size_t i = 0; i < 32; ++i) {
        const auto byte = static_cast<unsigned>(state[i / 8] >> (8 * (i % 8)) & 0xff);
        out[2 * i] = "0123456789abcdef"[byte >> 4];
        out[2 * i + 1] = "0123456789abcdef"[byte & 15];
    }
    return {out, 64};
}

} // namespace sipyard::pv
