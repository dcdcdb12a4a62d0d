// core/net/resolver_test.cpp - names asked of a DNS server that the test plays
#include "core/net/loopback_test.h"
#include "core/base/text.h"
#include "core/net/resolver.h"

#include <thread>

namespace sipyard::net {

namespace {

constexpr int type_a = 1, type_aaaa = 28, type_srv = 33, type_naptr = 35;

std::string u16(unsigned n) { return {static_cast<char>(n >> 8), static_cast<char>(n)}; }
std::string u32(unsigned n) { return u16(n >> 16) + u16(n & 0xffff); }
std::string label(std::string_view text)
{
    return std::string(1, static_cast<char>(text.size())) + std::string{text};
}
std::string dns_name(std::string_view name)
{
    std::string wire;
    while (!name.empty())
        wire += label(cut(name, '.'));
    return wire + '\0';
}
std::string a(int last) { return {10, 0, 0, static_cast<char>(last)}; }

// Answers on a thread of its own from a table; silent about names that are not in it when told so.
class FakeDns {
public:
    struct Record {
        std::string name;
        int type;
        unsigned ttl;
        std::string data;
    };
    explicit FakeDns(std::vector<Record> records, bool silent = false)
        : records_{std::move(records)}, silent_{silent}, socket_{
                                                             socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)}
    {
        SocketAddress at{};
        const auto size = to_system(*Address::parse("127.0.0.1"), at);
        REQUIRE(bind(socket_.get(), &at.any, size) == 0);
        thread_ = std::thread{[this] { serve(); }};
    }
    ~FakeDns()
    {
        Client{Protocol::udp, address()}.send("end");
        thread_.join();
    }
    Address address() const { return local_address(socket_.get()); }
    int questions(std::string_view name, int type)
    {
        const std::lock_guard lock{mutex_};
        return asked_[{std::string{name}, type}];
    }

private:
    void serve()
    {
        while (true) {
            char bytes[1500];
            SocketAddress peer{};
            socklen_t size = sizeof peer;
            const auto got = recvfrom(socket_.get(), bytes, sizeof bytes, 0, &peer.any, &size);
            if (got < 12)
                return;
            const std::string_view question{bytes + 12, static_cast<std::size_t>(got) - 12};
            std::string name;
            std::size_t at = 0;
            while (question[at] != 0) {
                const auto length = static_cast<std::size_t>(question[at]);
                name += (name.empty() ? "" : ".") + std::string{question.substr(at + 1, length)};
                at += length + 1;
            }
            const int type = question[at + 2];
            {
                const std::lock_guard lock{mutex_};
                ++asked_[{name, type}];
            }
            std::string answers;
            unsigned count = 0;
            bool known = false;
            for (const auto& record : records_) {
                known = known || record.name == name;
                if (record.name != name || record.type != type)
                    continue;
                ++count;
                answers += u16(0xc00c) + u16(static_cast<unsigned>(type)) + u16(1) + u32(record.ttl) +
                           u16(static_cast<unsigned>(record.data.size())) + record.data;
            }
            if (silent_ && !known)
                continue;
            const auto reply = std::string{bytes, 2} + u16(known ? 0x8180 : 0x8183) + u16(1) + u16(count) +
                               u32(0) + std::string{question.substr(0, at + 5)} + answers;
            sendto(socket_.get(), reply.data(), reply.size(), 0, &peer.any, size);
        }
    }
    const std::vector<Record> records_;
    const bool silent_;
    Descriptor socket_;
    std::mutex mutex_;
    std::map<std::pair<std::string, int>, int> asked_;
    std::thread thread_;
};

Resolver::Settings ask(const FakeDns& dns)
{
    Resolver::Settings settings;
    settings.servers = {dns.address()};
    return settings;
}

} // namespace

TEST_CASE("addresses of a name, IPv4 first, from the cache until they are old", "[net]")
{
    std::string v6(16, '\0');
    v6[0] = 0x20;
    v6[15] = 1;
    FakeDns dns{
        {{"two.test", type_aaaa, 100, v6}, {"two.test", type_a, 100, a(1)}, {"two.test", type_a, 50, a(2)}}};
    Loopback here;
    Resolver resolver{ask(dns), here.runtime};
    here.start();
    const auto look = [&](std::string_view name) {
        std::vector<std::string> all;
        here.runtime.run_on_fiber([&] {
            const auto found = resolver.addresses(name, 5060);
            INFO(why(found));
            REQUIRE(found);
            for (const auto& one : *found)
                all.push_back(one.text());
        });
        return all;
    };
    const std::vector<std::string> expected{"10.0.0.1:5060", "10.0.0.2:5060", "[2000::1]:5060"};
    CHECK(look("two.test") == expected);
    CHECK(look("TWO.test") == expected);
    CHECK(resolver.cached() == 1);
    CHECK(dns.questions("two.test", type_a) == 1);
    here.clock.advance(here.runtime, 49s);
    look("two.test");
    CHECK(dns.questions("two.test", type_a) == 1);
    here.clock.advance(here.runtime, 2s);
    look("two.test");
    CHECK(dns.questions("two.test", type_a) == 2);
    resolver.flush();
    CHECK(resolver.cached() == 0);
    look("two.test");
    CHECK(dns.questions("two.test", type_a) == 3);
    CHECK(look("192.0.2.1") == std::vector<std::string>{"192.0.2.1:5060"});
    CHECK(look("[::1]") == std::vector<std::string>{"[::1]:5060"});
}

TEST_CASE("a name that does not exist is remembered for a minute", "[net]")
{
    FakeDns dns{{}};
    Loopback here;
    Resolver resolver{ask(dns), here.runtime};
    here.start();
    const auto look = [&] {
        here.runtime.run_on_fiber([&] {
            const auto found = resolver.srv("_sip._udp.nowhere.test");
            REQUIRE_FALSE(found);
            CHECK(found.error().kind == ErrorKind::not_found);
            CHECK(found.error().text.find("nowhere.test") != std::string::npos);
        });
        return dns.questions("_sip._udp.nowhere.test", type_srv);
    };
    CHECK(look() == 1);
    here.clock.advance(here.runtime, 59s);
    CHECK(look() == 1);
    here.clock.advance(here.runtime, 2s);
    CHECK(look() == 2);
}

TEST_CASE("many fibers, one question", "[net]")
{
    FakeDns dns{{{"one.test", type_a, 100, a(1)}}};
    Loopback here;
    Resolver resolver{ask(dns), here.runtime};
    here.start();
    Seen<bool> seen;
    for (std::size_t i = 0; i < 100; ++i)
        here.runtime.worker(i % 2).spawn_always(
            [&] { seen.add(resolver.addresses("one.test", 1).has_value()); });
    for (int i = 0; i < 100; ++i)
        CHECK(seen.next());
    CHECK(dns.questions("one.test", type_a) == 1);
}

TEST_CASE("services in the order of RFC 2782 and RFC 3403", "[net]")
{
    const auto srv = [](unsigned priority, unsigned weight, unsigned port, std::string_view target) {
        return u16(priority) + u16(weight) + u16(port) + dns_name(target);
    };
    const auto naptr = [](unsigned order, unsigned preference, std::string_view service,
                          std::string_view replacement) {
        return u16(order) + u16(preference) + label("s") + label(service) + label("") + dns_name(replacement);
    };
    const std::string name = "_sip._tcp.a.test";
    FakeDns dns{{{name, type_srv, 30, srv(20, 1, 5062, "last.test")},
                 {name, type_srv, 30, srv(10, 90, 5060, "often.test")},
                 {name, type_srv, 30, srv(10, 10, 5061, "seldom.test")},
                 {"a.test", type_naptr, 30, naptr(20, 1, "SIP+D2U", "_sip._udp.a.test")},
                 {"a.test", type_naptr, 30, naptr(10, 7, "SIPS+D2T", "_sips._tcp.a.test")},
                 {"a.test", type_naptr, 30, naptr(10, 2, "SIP+D2T", name)}}};
    Loopback here;
    Resolver resolver{ask(dns), here.runtime};
    here.start();
    here.runtime.run_on_fiber([&] {
        int often_first = 0;
        for (int i = 0; i < 1000; ++i) {
            const auto all = resolver.srv(name);
            REQUIRE(all);
            REQUIRE(all->size() == 3);
            CHECK(all->at(2).target == "last.test");
            CHECK(all->at(2).port == 5062);
            often_first += all->at(0).target == "often.test";
        }
        CHECK(often_first > 800); // 90 of 100 on average; 800 is 10 standard deviations away
        CHECK(often_first < 980);
        const auto services = resolver.naptr("a.test");
        REQUIRE(services);
        REQUIRE(services->size() == 3);
        CHECK(services->at(0).service == "SIP+D2T");
        CHECK(services->at(0).replacement == name);
        CHECK(services->at(0).flags == "s");
        CHECK(services->at(1).service == "SIPS+D2T");
        CHECK(services->at(2).service == "SIP+D2U");
    });
    CHECK(dns.questions(name, type_srv) == 1);
}

TEST_CASE("a silent server blocks the one who asks, until his time is up", "[net]")
{
    FakeDns dns{{{"known.test", type_a, 100, a(1)}}, true};
    Loopback here;
    Resolver resolver{ask(dns), here.runtime};
    here.start();
    Seen<Result<std::vector<Address>>> seen;
    here.runtime.worker(0).spawn_always([&] { seen.add(resolver.addresses("silent.test", 1)); });
    here.runtime.worker(0).spawn_always([&] { seen.add(resolver.addresses("known.test", 1)); });
    CHECK(seen.next());
    here.clock.advance(here.runtime, 60s);
    const auto late = seen.next();
    REQUIRE_FALSE(late);
    CHECK(late.error().kind == ErrorKind::timeout);
}

TEST_CASE("stopping answers whoever still waits", "[net]")
{
    FakeDns dns{{}, true};
    Loopback here;
    Seen<Result<std::vector<Srv>>> seen;
    {
        Resolver resolver{ask(dns), here.runtime};
        here.start();
        here.runtime.worker(1).spawn_always([&] { seen.add(resolver.srv("silent.test")); });
        REQUIRE(here.comes_true([&] { return dns.questions("silent.test", type_srv) > 0; }));
        here.runtime.stop(5s);
        const auto stopped = seen.next();
        REQUIRE_FALSE(stopped);
        CHECK(stopped.error().kind == ErrorKind::stopping);
    }
}

TEST_CASE("off a fiber, and before the workers run, the thread waits", "[net]")
{
    FakeDns dns{{{"one.test", type_a, 100, a(7)}}};
    Loopback here;
    Resolver resolver{ask(dns), here.runtime};
    const auto found = resolver.addresses("one.test", 5061);
    REQUIRE(found);
    CHECK(found->at(0).text() == "10.0.0.7:5061");
    CHECK(resolver.addresses("localhost", 1)->at(0).is_any() == false); // from the hosts file
}

} // namespace sipyard::net
