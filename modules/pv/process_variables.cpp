// modules/pv/process_variables.cpp - the process, the host, statistics, chance, and numbers with a name
#include "modules/pv/lists.h"

#include "core/crypto/random.h"
#include "core/json/value.h"
#include "core/module/counter.h"

#include <string>
#include <unistd.h>

namespace sipyard::pv {

namespace {

Value process_id(Request&) { return number(::getpid()); }
Value server_id(Request& r) { return r.host().core().server_id; }

// --- $K: constants that other variables' numbers mean --------------------------------------------

struct ConstantName {
    using Meaning = int;
    static constexpr std::string_view expected = "IPv4, IPv6, UDP, TCP, TLS, SCTP, WS or WSS";
    static constexpr Word<int> words[] = {
        {"IPv4", 2}, {"IPv6", 10}, {"UDP", 1}, {"TCP", 2}, {"TLS", 3}, {"SCTP", 4}, {"WS", 5}, {"WSS", 6},
    };
};
Value constant(Request&, const OneOf<ConstantName>& name) { return name.meaning; }

// --- $version, $ksr ------------------------------------------------------------------------------

// The server's own words, "sipyard 0.1.0 ..."; a module does not know what it is loaded into.
std::string_view version_text(Request& r)
{
    const auto answer = r.host().run_command("core.version", {});
    return answer ? r.arena().copy(answer->text()) : std::string_view{};
}
Value version_full(Request& r) { return text_or_null(version_text(r)); }
Value version_number(Request& r)
{
    auto text = version_text(r);
    while (!text.empty() && !is_digit(text.front()))
        text.remove_prefix(1);
    std::size_t size = 0;
    while (size < text.size() && (is_digit(text[size]) || text[size] == '.'))
        ++size;
    return text_or_null(text.substr(0, size));
}
Value version_hash(Request&) { return {}; } // releases carry none

struct VersionPart {
    using Meaning = Get;
    static constexpr std::string_view expected = "num, full or hash";
    static constexpr Word<Get> words[] = {
        {"num", version_number}, {"full", version_full}, {"hash", version_hash}};
};
struct KsrPart {
    using Meaning = Get;
    static constexpr std::string_view expected = "ver";
    static constexpr Word<Get> words[] = {{"ver", version_number}};
};
Value version(Request& r, const OneOf<VersionPart>& part) { return part.meaning(r); }
Value ksr(Request& r, const OneOf<KsrPart>& part) { return part.meaning(r); }

// --- $stat ---------------------------------------------------------------------------------------

struct StatName {
    std::string group, name; // group "": any
};

Value statistic(Request& r, const StatName& wanted)
{
    Value found;
    for (const Counter* counter : r.host().counters())
        if (counter->name() == wanted.name && (wanted.group.empty() || counter->group() == wanted.group))
            return number(counter->value());
    return found;
}

// --- $HN -----------------------------------------------------------------------------------------

std::string_view host_name(Request& r)
{
    char text[256] = "";
    if (::gethostname(text, sizeof text - 1) != 0)
        return {};
    return r.arena().copy(std::string_view{text});
}
Value name_short(Request& r) { return text_or_null(host_name(r).substr(0, host_name(r).find('.'))); }
Value name_full(Request& r) { return text_or_null(host_name(r)); }
Value name_domain(Request& r)
{
    auto rest = host_name(r);
    (void)cut(rest, '.');
    return rest;
}
Value host_ip(Request& r)
{
    for (const auto& listener : r.host().network().listeners())
        if (!listener->bound.is_any())
            return listener->bound.ip_text(r.arena().array<char>(48));
    return {};
}
struct HostPart {
    using Meaning = Get;
    static constexpr std::string_view expected = "n (name), f (full name), d (domain) or i (address)";
    static constexpr Word<Get> words[] = {
        {"n", name_short}, {"f", name_full}, {"d", name_domain}, {"i", host_ip}};
};
Value host_part(Request& r, const OneOf<HostPart>& part) { return part.meaning(r); }

// --- chance --------------------------------------------------------------------------------------

Value random(Request&) { return number(crypto::random_below(0x7fffffff)); }
Value unique_id(Request& r)
{
    constexpr std::size_t letters = 20;
    char* const text = r.arena().array<char>(letters);
    return std::string_view{text, crypto::put_random_token(text, letters)};
}
// RFC 4122 4.4
Value uuid(Request& r, std::string_view kind)
{
    if (kind != "g" && kind != "r" && !kind.empty()) {
        logger(r).error("$uuid({}) is not known: g or r", kind);
        return {};
    }
    char* const text = r.arena().array<char>(36);
    std::uint64_t bits[2] = {crypto::random_number(), crypto::random_number()};
    bits[0] = (bits[0] & ~std::uint64_t{0xf000}) | 0x4000;                      // version 4
    bits[1] = (bits[1] & ~(std::uint64_t{3} << 62)) | (std::uint64_t{2} << 62); // variant
    std::size_t at = 0;
    for (unsigned nibble = 0; nibble < 32; ++nibble) {
        if (nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20)
            text[at++] = '-';
        text[at++] = "0123456789abcdef"[bits[nibble / 16] >> (60 - 4 * (nibble % 16)) & 15];
    }
    return std::string_view{text, 36};
}

// The text with its variables expanded: that has happened on the way here.
Value format_text(Request& r, const std::string_view& text) { return r.arena().copy(text); }
Value uuid_of(Request& r, const std::string_view& kind) { return uuid(r, kind); }

} // namespace
} // namespace sipyard::pv

template <>
struct sipyard::FromText<sipyard::pv::StatName> {
    static constexpr bool integer = false;
    static constexpr std::string_view expected = "the name of a statistic, or group:name";
    static Result<pv::StatName> parse(std::string_view text)
    {
        const auto colon = text.find(':');
        if (colon == std::string_view::npos)
            return pv::StatName{{}, std::string{text}};
        return pv::StatName{std::string{text.substr(0, colon)}, std::string{text.substr(colon + 1)}};
    }
};

namespace sipyard::pv {

Variables process_variables()
{
    return {
        row("pp", process_id, "Number of this process"),
        row("sid", server_id, "server_id of this server"),
        row("K", constant, "Number of a protocol or address family: $K(IPv6)"),
        row("version", version, "This server's version: $version(num)"),
        row("ksr", ksr, "This server's version: $ksr(ver)"),
        row("stat", statistic, "A statistic: $stat(name) or $stat(group:name); null when there is none"),
        row("HN", host_part, "Name of this host: $HN(n)"),
        row("RANDOM", random, "A random number of 31 bits"),
        row("sruid", unique_id, "A text nobody has seen before"),
        row("uuid", uuid_of, "A random UUID: $uuid(g)"),
        row("_s", format_text, "The text with its variables expanded: $_s($fU at $fd)"),
    };
}

} // namespace sipyard::pv
