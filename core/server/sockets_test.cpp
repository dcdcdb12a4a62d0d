// core/server/sockets_test.cpp - the names DNS gives to our addresses, and a name server that does not answer
#include "core/server/sockets.h"

#include "test/support/catch.h"

#include <condition_variable>
#include <mutex>

using namespace sipyard;

namespace {

// Shared with lookups that may still wait when their test is over.
std::mutex gate_mutex;
std::condition_variable gate_changed;
bool gate_open = false;

std::optional<std::string> stuck_on_second(const net::Address& address)
{
    if (address.ip() == "192.0.2.1")
        return "one.example.com";
    std::unique_lock lock{gate_mutex};
    gate_changed.wait(lock, [] { return gate_open; });
    return "two.example.com";
}

std::string print(const std::vector<AliasLine>& names)
{
    std::string text;
    for (const AliasLine& name : names)
        text += (text.empty() ? "" : " ") + std::string{name.protocol ? net::to_text(*name.protocol) : "*"} +
                ":" + name.host + ":" + std::to_string(name.port);
    return text;
}

} // namespace

TEST_CASE("names of our addresses are asked for, with patience", "[server]")
{
    const std::vector<AliasLine> ours = {{net::Protocol::udp, "192.0.2.1", 5060},
                                         {net::Protocol::tcp, "192.0.2.1", 5062},
                                         {std::nullopt, "sip.example.com", 0},
                                         {net::Protocol::udp, "192.0.2.2", 5060}};
    // Two sockets of one address get its name each; a name is not asked about.
    const auto quick = server::reverse_names(ours, std::chrono::seconds{20}, [](const net::Address& address) {
        return address.ip() == "192.0.2.1" ? std::optional<std::string>{"one"} : std::nullopt;
    });
    CHECK(print(quick) == "udp:one:5060 tcp:one:5062");

    const auto partly = server::reverse_names(ours, std::chrono::milliseconds{50}, stuck_on_second);
    CHECK(print(partly) == "udp:one.example.com:5060 tcp:one.example.com:5062");
    const std::lock_guard lock{gate_mutex};
    gate_open = true; // the thread that was left behind may end
    gate_changed.notify_all();
}
