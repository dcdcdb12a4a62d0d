// core/net/locator_test.cpp - the rules of RFC 3263 4, row by row, against a zone on the loopback
#include "core/net/locator.h"
#include "core/net/loopback_test.h"
#include "core/base/guarded.h"
#include "core/net/resolver.h"
#include "core/sip/uri.h"
#include "test/support/dns_server.h"

#include <new>

// Counts what this thread takes from the heap, in this test program.
namespace {
thread_local long blocks_taken = 0;
} // namespace
void* operator new(std::size_t size)
{
    ++blocks_taken;
    if (void* const block = std::malloc(size))
        return block;
    throw std::bad_alloc{};
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept // std::stable_partition's
{
    ++blocks_taken;
    return std::malloc(size);
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }

namespace sipyard::net {

namespace {

using test::DnsServer;

// What comes out of it reads like "udp:10.0.0.1:5060 tcp:10.0.0.2:5060", or "!not found" and so on.
std::string words_of(const Result<Targets>& found)
{
    if (!found)
        return "!" + std::string{to_text(found.error().kind)};
    std::string words;
    for (const Target& one : *found)
        words += (words.empty() ? "" : " ") + std::string{to_text(one.protocol)} + ":" + one.to.text();
    return words;
}

// A network with sockets, a resolver that asks `dns`, and a locator over both.
class Bench {
public:
    Bench(const DnsServer& dns, const Locator::Settings& settings, std::string_view sockets = "udp tcp tls")
        : resolver{ask(dns), here.runtime}, locator{settings, resolver, here.network, here.clock}
    {
        for (const auto& [word, protocol] :
             {std::pair{"udp", Protocol::udp}, {"tcp", Protocol::tcp}, {"tls", Protocol::tls}})
            if (sockets.find(word) != std::string_view::npos)
                here.listen(protocol);
        if (sockets.find("v6") != std::string_view::npos)
            here.listen(Protocol::udp, "::1");
        here.runtime.start(); // the network itself is never started: nothing is sent
    }
    std::string locate(const Wanted& wanted)
    {
        std::string words;
        here.runtime.run_on_fiber([&] { words = words_of(locator.locate(wanted)); });
        return words;
    }
    std::string locate(std::string_view uri) { return locate(wanted_of(sip::parse_uri(uri).value())); }
    static Resolver::Settings ask(const DnsServer& dns)
    {
        Resolver::Settings settings;
        settings.servers = {dns.address()};
        settings.search_list = false;
        return settings;
    }

    Loopback here;
    Resolver resolver;
    Locator locator;
};

Locator::Settings everything()
{
    Locator::Settings settings;
    settings.naptr = settings.failover = true;
    return settings;
}

Target target(std::string_view ip, std::uint16_t port = 5060, Protocol protocol = Protocol::udp)
{
    return {protocol, *Address::parse(ip, port)};
}

constexpr std::string_view zone = R"(
    all.test              NAPTR 10 10 s SIPS+D2T "" _sips._tcp.all.test
    all.test              NAPTR 20 10 s SIP+D2T  "" _sip._tcp.all.test
    all.test              NAPTR 30 10 s SIP+D2U  "" _sip._udp.all.test
    all.test              NAPTR 5 10 s SIP+D2S   "" _sip._sctp.all.test
    all.test              NAPTR 5 10 u E2U+sip   "!^.*$!sip:x@elsewhere.test!" .
    _sips._tcp.all.test   SRV 0 0 5081 s.all.test
    _sip._tcp.all.test    SRV 0 0 5080 t.all.test
    _sip._udp.all.test    SRV 0 0 5070 u1.all.test
    _sip._udp.all.test    SRV 1 0 5071 u2.all.test
    s.all.test            A 10.0.0.1
    t.all.test            A 10.0.0.2
    u1.all.test           A 10.0.0.3
    u2.all.test           A 10.0.0.4
    u2.all.test           A 10.0.0.5
    all.test              A 10.0.0.9
    other.test            NAPTR 10 10 S sip+d2t "" servers.provider.test
    secure.test           NAPTR 10 10 s SIP+D2T "" servers.provider.test
    secure.test           NAPTR 20 10 s SIPS+D2T "" tls.provider.test
    servers.provider.test SRV 0 0 5062 one.provider.test
    tls.provider.test     SRV 0 0 5065 one.provider.test
    one.provider.test     A 10.1.0.1
    srv.test              A 10.2.0.9
    _sip._tcp.srv.test    SRV 0 0 5063 one.srv.test
    one.srv.test          A 10.2.0.1
    plain.test            A 10.3.0.1
    plain.test            A 10.3.0.2
    plain.test            AAAA 2001:db8::1
    six.test              AAAA 2001:db8::6
    none.test             A 10.4.0.9
    _sip._udp.none.test   SRV 0 0 0 .
    _sip._tcp.none.test   SRV 0 0 0 .
    _sips._tcp.none.test  SRV 0 0 0 .
    half.test             A 10.5.0.9
    _sip._udp.half.test   SRV 0 0 5060 gone.half.test
    _sip._udp.half.test   SRV 5 0 5060 here.half.test
    here.half.test        A 10.5.0.1
    lost.test             A 10.6.0.9
    _sip._udp.lost.test   SRV 0 0 5060 gone.lost.test
    heavy.test            A 10.7.0.9
    _sip._udp.heavy.test  SRV 10 20 5060 light.heavy.test
    _sip._udp.heavy.test  SRV 10 80 5060 most.heavy.test
    _sip._udp.heavy.test  SRV 20 99 5060 last.heavy.test
    light.heavy.test      A 10.7.0.20
    most.heavy.test       A 10.7.0.80
    last.heavy.test       A 10.7.0.99
    alias.test            CNAME plain.test
    loop.test             CNAME pool.test
    pool.test             CNAME loop.test
    onlyno.test           NAPTR 10 10 s SIP+D2S "" _sip._sctp.onlyno.test
    onlyno.test           NAPTR 20 10 "" SIP+D2U "" onlyno.test
    onlyno.test           A 10.8.0.1
    same.test             NAPTR 10 10 s SIP+D2U "" _sip._udp.same.test
    same.test             NAPTR 20 10 s SIP+D2T "" _sip._tcp.same.test
    _sip._udp.same.test   SRV 0 0 5060 one.same.test
    _sip._udp.same.test   SRV 1 0 5060 two.same.test
    _sip._tcp.same.test   SRV 0 0 5060 one.same.test
    one.same.test         A 10.9.0.1
    two.same.test         A 10.9.0.1
)";

} // namespace

TEST_CASE("what a URI says about its server", "[net]")
{
    const struct {
        const char* story;
        const char* uri;
        const char* host;
        int port;
        std::optional<Protocol> transport;
        bool sips;
        const char* foreign;
    } rows[] = {
        {"a host", "sip:bob@a.test", "a.test", 0, {}, false, ""},
        {"a port and a transport", "sip:a.test:5070;transport=TCP", "a.test", 5070, Protocol::tcp, false, ""},
        {"maddr stands for the host", "sip:a.test:5070;maddr=192.0.2.1", "192.0.2.1", 5070, {}, false, ""},
        {"sips", "sips:a.test", "a.test", 0, {}, true, ""},
        {"sips over TCP is TLS (4.1)", "sips:a.test;transport=tcp", "a.test", 0, Protocol::tls, true, ""},
        {"the old word for TLS", "sip:a.test;transport=tls", "a.test", 0, Protocol::tls, false, ""},
        {"what we do not speak", "sip:a.test;transport=sctp", "a.test", 0, {}, false, "sctp"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const auto uri = sip::parse_uri(row.uri);
        REQUIRE(uri);
        const auto wanted = wanted_of(*uri);
        CHECK(wanted.host == row.host);
        CHECK(wanted.port == row.port);
        CHECK(wanted.transport == row.transport);
        CHECK(wanted.sips == row.sips);
        CHECK(wanted.foreign == row.foreign);
    }
}

TEST_CASE("the servers of a URI", "[net]")
{
    const DnsServer dns{zone};
    const auto all = everything();
    auto equal = all, tls_first = all, no_udp = all, no_tls = all, one = all, plain = all, first = all;
    equal.udp_pref = equal.tcp_pref = equal.tls_pref = 1;
    tls_first.tls_pref = 40;
    no_udp.udp_pref = no_tls.tls_pref = -1;
    one.failover = false;
    plain.naptr = false;
    first.naptr = first.failover = false;
    const char* const sockets = "udp tcp tls";
    const struct {
        const char* story;
        Locator::Settings settings;
        const char* sockets;
        const char* uri;
        const char* expected;
    } rows[] = {
        // 4.1, 4.2: addresses
        {"an address", all, sockets, "sip:192.0.2.1", "udp:192.0.2.1:5060"},
        {"an address and a port", all, sockets, "sip:192.0.2.1:5090", "udp:192.0.2.1:5090"},
        {"an IPv6 address", all, sockets, "sip:[2001:db8::7]:5090", "udp:[2001:db8::7]:5090"},
        {"an address, sips", all, sockets, "sips:192.0.2.1", "tls:192.0.2.1:5061"},
        {"an address and a transport", all, sockets, "sip:192.0.2.1;transport=tcp", "tcp:192.0.2.1:5060"},
        {"maddr", all, sockets, "sip:all.test;maddr=192.0.2.8", "udp:192.0.2.8:5060"},
        {"an address, without a UDP socket", all, "tcp tls", "sip:192.0.2.1", "tcp:192.0.2.1:5060"},
        {"an address, and the better of two streams", tls_first, "tcp tls", "sip:192.0.2.1",
         "tls:192.0.2.1:5061"},
        // 4.2: a port
        {"a name and a port: UDP, no services", all, sockets, "sip:plain.test:5090",
         "udp:10.3.0.1:5090 udp:10.3.0.2:5090"},
        {"services are not asked with a port", all, sockets, "sip:all.test:5090", "udp:10.0.0.9:5090"},
        {"a name and a port, sips", all, sockets, "sips:plain.test:5090",
         "tls:10.3.0.1:5090 tls:10.3.0.2:5090"},
        // 4.1: NAPTR
        {"our preference", all, sockets, "sip:all.test",
         "udp:10.0.0.3:5070 udp:10.0.0.4:5071 udp:10.0.0.5:5071 tcp:10.0.0.2:5080 tls:10.0.0.1:5081"},
        {"the domain's, when we have none", equal, sockets, "sip:all.test",
         "tls:10.0.0.1:5081 tcp:10.0.0.2:5080 udp:10.0.0.3:5070 udp:10.0.0.4:5071 udp:10.0.0.5:5071"},
        {"the preferred transport first", tls_first, sockets, "sip:all.test",
         "tls:10.0.0.1:5081 udp:10.0.0.3:5070 udp:10.0.0.4:5071 udp:10.0.0.5:5071 tcp:10.0.0.2:5080"},
        {"never a transport below 0", no_udp, sockets, "sip:all.test", "tcp:10.0.0.2:5080 tls:10.0.0.1:5081"},
        {"never one without a socket", all, "tcp", "sip:all.test", "tcp:10.0.0.2:5080"},
        {"only the first without failover", one, sockets, "sip:all.test", "udp:10.0.0.3:5070"},
        {"a replacement elsewhere, letters of any case", all, sockets, "sip:other.test", "tcp:10.1.0.1:5062"},
        {"sips discards what is not TLS", all, sockets, "sips:all.test", "tls:10.0.0.1:5081"},
        {"sips at a provider's", all, sockets, "sips:secure.test", "tls:10.1.0.1:5065"},
        {"sips, whatever is preferred", no_tls, sockets, "sips:secure.test", "tls:10.1.0.1:5065"},
        {"a named transport needs no NAPTR", all, sockets, "sip:all.test;transport=tcp", "tcp:10.0.0.2:5080"},
        {"NAPTR without anything for us", all, sockets, "sip:onlyno.test", "udp:10.8.0.1:5060"},
        {"one server twice", all, sockets, "sip:same.test", "udp:10.9.0.1:5060 tcp:10.9.0.1:5060"},
        // 4.1, 4.2: SRV
        {"no NAPTR: SRV of every transport", all, sockets, "sip:srv.test", "tcp:10.2.0.1:5063"},
        {"dns_try_naptr=no: UDP", plain, sockets, "sip:srv.test", "udp:10.2.0.9:5060"},
        {"dns_try_naptr=no: SRV of UDP", plain, sockets, "sip:all.test",
         "udp:10.0.0.3:5070 udp:10.0.0.4:5071 udp:10.0.0.5:5071"},
        {"dns_try_naptr=no, transport named", plain, sockets, "sip:srv.test;transport=tcp",
         "tcp:10.2.0.1:5063"},
        {"Kamailio's defaults", first, sockets, "sip:all.test", "udp:10.0.0.3:5070"},
        {"the heaviest first", plain, sockets, "sip:heavy.test",
         "udp:10.7.0.80:5060 udp:10.7.0.20:5060 udp:10.7.0.99:5060"},
        {"a server without address is passed over", all, sockets, "sip:half.test", "udp:10.5.0.1:5060"},
        {"no server has one: the name's own is not used", all, sockets, "sip:lost.test", "!not found"},
        {"the service is not offered (RFC 2782)", all, sockets, "sip:none.test", "!not found"},
        // 4.2: addresses of a name
        {"no SRV: the name itself", all, sockets, "sip:plain.test", "udp:10.3.0.1:5060 udp:10.3.0.2:5060"},
        {"no SRV, sips", all, sockets, "sips:plain.test", "tls:10.3.0.1:5061 tls:10.3.0.2:5061"},
        {"IPv6 where we have a socket", all, "udp v6", "sip:plain.test",
         "udp:10.3.0.1:5060 udp:10.3.0.2:5060 udp:[2001:db8::1]:5060"},
        {"only IPv6, and no socket for it", all, sockets, "sip:six.test", "!not found"},
        {"only IPv6", all, "udp v6", "sip:six.test", "udp:[2001:db8::6]:5060"},
        {"an alias", all, sockets, "sip:alias.test", "udp:10.3.0.1:5060 udp:10.3.0.2:5060"},
        // what cannot be
        {"no such name", all, sockets, "sip:nowhere.test", "!not found"},
        {"a loop of aliases", all, sockets, "sip:loop.test", "!not found"},
        {"a label that is too long", all, sockets,
         "sip:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.test", "!not found"},
        {"a transport that is not ours", all, sockets, "sip:all.test;transport=sctp", "!unsupported"},
        {"sips over UDP", all, sockets, "sips:all.test;transport=udp", "!unsupported"},
        {"TLS without a socket for it", all, "udp", "sips:all.test", "!unsupported"},
        {"TCP without a socket for it", all, "udp", "sip:192.0.2.1;transport=tcp", "!unsupported"},
    };
    for (const auto& row : rows) {
        INFO(row.story << ": " << row.uri);
        Bench bench{dns, row.settings, row.sockets};
        CHECK(bench.locate(row.uri) == row.expected);
    }
    Bench bench{dns, all};
    CHECK(bench.locate(Wanted{}) == "!invalid");
    const std::string endless(2000, 'a');
    Wanted wanted;
    wanted.host = endless;
    CHECK(bench.locate(wanted) == "!not found");
}

TEST_CASE("which questions are asked, and how often", "[net]")
{
    DnsServer dns{zone};
    auto settings = everything();
    Bench bench{dns, settings};
    bench.locate("sip:all.test:5060");
    CHECK(dns.asked("all.test", "NAPTR") == 0);
    CHECK(dns.asked("_sip._udp.all.test") == 0);
    bench.locate("sip:all.test;transport=udp");
    CHECK(dns.asked("all.test", "NAPTR") == 0);
    CHECK(dns.asked("_sip._udp.all.test", "SRV") == 1);
    bench.locate("sip:all.test");
    CHECK(dns.asked("all.test", "NAPTR") == 1);
    const int so_far = dns.asked_in_all();
    bench.locate("sip:ALL.test");
    bench.locate("sip:192.0.2.1");
    INFO("from the cache");
    CHECK(dns.asked_in_all() == so_far);
    bench.here.clock.advance(bench.here.runtime, 61s);
    INFO("the records are 60 s old");
    bench.locate("sip:all.test");
    CHECK(dns.asked("all.test", "NAPTR") == 2);
    CHECK(dns.asked("_sip._udp.all.test", "SRV") == 2);

    settings.failover = false;
    Bench one{dns, settings};
    one.locate("sip:all.test");
    INFO("without failover nobody looks behind the first server");
    CHECK(dns.asked("u2.all.test") == 4); // A and AAAA, twice: of the first bench
    CHECK(dns.asked("u1.all.test") == 6);
}

TEST_CASE("weights share the load, within bounds", "[net]")
{
    const DnsServer dns{zone};
    auto settings = everything();
    settings.weights = true;
    settings.failover = false;
    Bench bench{dns, settings};
    int heavy = 0, light = 0;
    bench.here.runtime.run_on_fiber([&] {
        const auto wanted = wanted_of(sip::parse_uri("sip:heavy.test").value());
        for (int i = 0; i < 1000; ++i) {
            const auto words = words_of(bench.locator.locate(wanted));
            heavy += words == "udp:10.7.0.80:5060";
            light += words == "udp:10.7.0.20:5060";
        }
    });
    CHECK(heavy + light == 1000); // the lower priority is never first
    CHECK(heavy > 700);           // 800 on average, 100 is 8 standard deviations
    CHECK(heavy < 900);
    INFO("the same lot, the same server: for those who keep no state (4.4)");
    int different = 0, heavy_lots = 0;
    bench.here.runtime.run_on_fiber([&] {
        auto wanted = wanted_of(sip::parse_uri("sip:heavy.test").value());
        for (std::uint64_t lot = 1; lot <= 1000; ++lot) {
            wanted.lot = lot * 0x9e3779b97f4a7c15u;
            const auto first = words_of(bench.locator.locate(wanted));
            heavy_lots += first == "udp:10.7.0.80:5060";
            different += first != words_of(bench.locator.locate(wanted));
        }
    });
    CHECK(different == 0);
    CHECK(heavy_lots > 700);
    CHECK(heavy_lots < 900);
}

TEST_CASE("a DNS server that fails in its own way", "[net]")
{
    DnsServer dns{zone};
    using Mood = DnsServer::Mood;
    SECTION("an error about NAPTR and SRV leaves the address")
    {
        dns.set("_sip._udp.plain.test", Mood::servfail);
        dns.set("_sip._tcp.plain.test", Mood::garbage);
        Bench bench{dns, everything()};
        CHECK(bench.locate("sip:plain.test") == "udp:10.3.0.1:5060 udp:10.3.0.2:5060");
    }
    SECTION("garbage about everything is no server")
    {
        dns.set_all(Mood::garbage);
        Bench bench{dns, everything()};
        CHECK(bench.locate("sip:plain.test").front() == '!');
    }
    SECTION("an answer too large for a datagram comes over TCP, and the list is bounded")
    {
        std::string many;
        for (int i = 0; i < 60; ++i)
            many += "_sip._udp.many.test SRV " + std::to_string(i) + " 0 5060 s" + std::to_string(i) +
                    ".many.test\ns" + std::to_string(i) + ".many.test A 10.9.1." + std::to_string(i) + "\n";
        dns.add(many);
        Bench bench{dns, everything()};
        const auto words = bench.locate("sip:many.test");
        INFO(words);
        CHECK(words.starts_with("udp:10.9.1.0:5060 udp:10.9.1.1:5060"));
        CHECK(words.ends_with(" udp:10.9.1.15:5060"));
        CHECK(dns.asked_over_tcp() > 0);
        CHECK(dns.asked("s16.many.test") == 0);
    }
    SECTION("silence ends in time")
    {
        dns.set_all(Mood::drop);
        Bench bench{dns, everything()};
        Seen<std::string> seen;
        bench.here.runtime.worker(0).spawn_always([&] {
            seen.add(words_of(bench.locator.locate(wanted_of(sip::parse_uri("sip:plain.test").value()))));
        });
        // Each question has its own time; the search gives up after the second.
        for (int i = 0; i < 2; ++i) {
            REQUIRE(bench.here.comes_true([&] { return dns.asked_in_all() > i; }));
            bench.here.clock.advance(bench.here.runtime, 60s);
        }
        CHECK(seen.next() == "!timeout");
        CHECK(dns.asked("plain.test", "A") == 0);
    }
    SECTION("one who waits holds up nobody else")
    {
        dns.set("plain.test", Mood::hold);
        Bench bench{dns, everything()};
        Seen<std::string> seen;
        const auto ask = [&](std::string_view uri) {
            bench.here.runtime.worker(0).spawn_always([&, uri] {
                seen.add(words_of(bench.locator.locate(wanted_of(sip::parse_uri(uri).value()))));
            });
        };
        ask("sip:plain.test:5060");
        REQUIRE(bench.here.comes_true(
            [&] { return dns.asked("plain.test", "AAAA") > 0 && dns.asked("plain.test", "A") > 0; }));
        ask("sip:srv.test");
        CHECK(seen.next() == "tcp:10.2.0.1:5063");
        dns.release();
        CHECK(seen.next() == "udp:10.3.0.1:5060 udp:10.3.0.2:5060");
    }
}

TEST_CASE("who did not answer is last in line for a while", "[net]")
{
    const DnsServer dns{zone};
    auto settings = everything();
    settings.use_blocklist = true;
    SECTION("moved behind the others, and back when the time is over")
    {
        Bench bench{dns, settings};
        auto& locator = bench.locator;
        const auto two = target("10.3.0.1");
        CHECK_FALSE(locator.blocked(two));
        locator.failed(two);
        CHECK(locator.blocked(two));
        CHECK_FALSE(locator.blocked(target("10.3.0.1", 5061)));
        CHECK_FALSE(locator.blocked(target("10.3.0.1", 5060, Protocol::tcp)));
        CHECK(bench.locate("sip:plain.test") == "udp:10.3.0.2:5060 udp:10.3.0.1:5060");
        bench.here.clock.advance(bench.here.runtime, 30s);
        locator.failed(target("10.3.0.2"));
        INFO("all are blocked: somebody is tried all the same");
        CHECK(bench.locate("sip:plain.test") == "udp:10.3.0.1:5060 udp:10.3.0.2:5060");
        CHECK(locator.blocked_count() == 2);
        const auto rows = locator.all_blocked();
        REQUIRE(rows.size() == 2);
        CHECK(rows[0].target == two);
        CHECK(rows[0].left == 30s);
        CHECK(rows[1].left == 60s);
        bench.here.clock.advance(bench.here.runtime, 30s);
        CHECK_FALSE(locator.blocked(two));
        CHECK(locator.blocked_count() == 1);
        CHECK(bench.locate("sip:plain.test") == "udp:10.3.0.1:5060 udp:10.3.0.2:5060");
        locator.forget();
        CHECK(locator.blocked_count() == 0);
    }
    SECTION("without failover the one server is the one that answers")
    {
        settings.failover = false;
        Bench bench{dns, settings};
        CHECK(bench.locate("sip:plain.test") == "udp:10.3.0.1:5060");
        bench.locator.failed(target("10.3.0.1"));
        CHECK(bench.locate("sip:plain.test") == "udp:10.3.0.2:5060");
    }
    SECTION("bounded, whatever fails, and the oldest make room")
    {
        Bench bench{dns, settings};
        for (std::size_t i = 0; i < Locator::most_blocked + 500; ++i)
            bench.locator.failed(target("10.0.0.1", static_cast<std::uint16_t>(i + 1)));
        CHECK(bench.locator.blocked_count() == Locator::most_blocked);
        CHECK_FALSE(bench.locator.blocked(target("10.0.0.1", 500)));
        CHECK(bench.locator.blocked(target("10.0.0.1", 501)));
        for (int i = 0; i < 10'000; ++i)
            bench.locator.failed(target("10.0.0.1", 501));
        INFO("one that fails again and again takes one place");
        CHECK(bench.locator.blocked_count() == Locator::most_blocked);
        bench.here.clock.advance(bench.here.runtime, 61s);
        CHECK(bench.locator.blocked_count() == 0);
    }
    SECTION("failing again lasts longer")
    {
        Bench bench{dns, settings};
        bench.locator.failed(target("10.0.0.1"));
        bench.here.clock.advance(bench.here.runtime, 50s);
        bench.locator.failed(target("10.0.0.1"));
        bench.here.clock.advance(bench.here.runtime, 50s);
        CHECK(bench.locator.blocked(target("10.0.0.1")));
        CHECK(bench.locator.blocked_count() == 1);
    }
    SECTION("many threads at once")
    {
        Bench bench{dns, settings};
        bench.here.runtime.on_every_worker([&](task::Worker& worker) {
            for (int i = 1; i <= 1000; ++i) {
                bench.locator.failed(target(
                    "10.0.0.1", static_cast<std::uint16_t>(i + static_cast<int>(worker.index()) * 500)));
                static_cast<void>(bench.locator.blocked(target("10.0.0.1", static_cast<std::uint16_t>(i))));
            }
        });
        CHECK(bench.locator.blocked_count() == 1500);
    }
    SECTION("switched off, as it is unless asked for")
    {
        settings.use_blocklist = false;
        Bench bench{dns, settings};
        bench.locator.failed(target("10.3.0.1"));
        CHECK_FALSE(bench.locator.blocked(target("10.3.0.1")));
        CHECK(bench.locate("sip:plain.test") == "udp:10.3.0.1:5060 udp:10.3.0.2:5060");
    }
}

TEST_CASE("a numeric host takes nothing from the heap, and nobody waits", "[net]")
{
    const DnsServer dns;
    Bench bench{dns, everything()};
    const auto uri = sip::parse_uri("sip:bob@192.0.2.1:5070;transport=tcp").value();
    int found = 0;
    long taken = -1;
    bench.here.runtime.run_on_fiber([&] {
        const NoSuspend section; // a fiber that suspends here ends the program
        const auto before = blocks_taken;
        for (int i = 0; i < 10'000; ++i)
            if (const auto all = bench.locator.locate(wanted_of(uri)))
                found += all->front().to.port == 5070;
        taken = blocks_taken - before;
    });
    CHECK(found == 10'000);
    CHECK(taken == 0);
    CHECK(dns.asked_in_all() == 0);
}

} // namespace sipyard::net
