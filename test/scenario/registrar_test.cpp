// test/scenario/registrar_test.cpp - phones register with a whole server, are found, and are still there
// after a restart
#include "test/support/catch.h"
#include "test/support/running_server.h"

#include <atomic>
#include <csignal>
#include <set>
#include <thread>

using namespace sipyard;
using namespace sipyard::test;

namespace {

// REGISTER is saved; anything else is answered 404 with what lookup() made of it in X-Found, or forwarded
// when it says so.
const std::string modules = R"(
loadmodule "db_sqlite.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
#!ifdef DBMODE
modparam("usrloc", "db_url", DBURL)
modparam("usrloc", "db_mode", DBMODE)
modparam("usrloc", "timer_interval", 3600)
#!endif
)";
const std::string config_text = R"(
listen=udp:127.0.0.1:PORT
listen=tcp:127.0.0.1:PORT
)" + modules + R"(
request_route {
    if (method == "REGISTER") {
        save("location");
        exit;
    }
    $var(r) = lookup("location");
    if (method == "MESSAGE" && $var(r) == 1) {
        forward();
        exit;
    }
    append_to_reply("X-Found: $var(r) $ru $du\r\n");
    sl_send_reply("404", "Looked up");
}
)";

std::string request(std::string_view method, std::string_view user, std::uint16_t port,
                    std::string_view headers, int cseq = 1, std::string_view transport = "UDP")
{
    static std::atomic<int> count{0};
    return std::string{method} + " sip:" + (method == "REGISTER" ? std::string{} : std::string{user} + "@") +
           "127.0.0.1 SIP/2.0\r\n" + "Via: SIP/2.0/" + std::string{transport} +
           " 127.0.0.1:" + std::to_string(port) + ";branch=z9hG4bK" + std::to_string(++count) +
           "\r\nFrom: <sip:" + std::string{user} + "@127.0.0.1>;tag=t\r\nTo: <sip:" + std::string{user} +
           "@127.0.0.1>\r\nCall-ID: call-" + std::string{user} + "\r\nCSeq: " + std::to_string(cseq) + " " +
           std::string{method} + "\r\nMax-Forwards: 70\r\n" + std::string{headers} +
           "Content-Length: 0\r\n\r\n";
}

std::string contact(std::string_view user, std::uint16_t port, std::string_view more = {})
{
    return "Contact: <sip:" + std::string{user} + "@127.0.0.1:" + std::to_string(port) + std::string{more} +
           ">\r\n";
}

bool says(const std::string& message, std::string_view part)
{
    return message.find(part) != std::string::npos;
}

} // namespace

SCENARIO("a phone registers, is found, and leaves", "[registrar]")
{
    TempDir folder;
    RunningServer server{folder.write("registrar.cfg", config_text)};
    UdpClient phone{server.port()}, caller{server.port()};
    const auto where = contact("alice", phone.port());

    const std::string first = phone.ask(request("REGISTER", "alice", phone.port(), where));
    CHECK(first.starts_with("SIP/2.0 200 OK"));
    CHECK(says(first, ";expires=3600"));
    CHECK(says(phone.ask(request("REGISTER", "alice", phone.port(), where, 2)), "200 OK"));
    CHECK(says(caller.ask(request("OPTIONS", "alice", caller.port(), {})),
               "X-Found: 1 sip:alice@127.0.0.1:" + std::to_string(phone.port())));
    CHECK(says(caller.ask(request("OPTIONS", "nobody", caller.port(), {})), "X-Found: -1"));
    caller.send(request("MESSAGE", "alice", caller.port(), {}));
    CHECK(says(phone.receive(), "MESSAGE sip:alice@127.0.0.1:" + std::to_string(phone.port())));
    CHECK(says(server.rpc("ul.lookup", R"(["location","alice"])"),
               "\"Address\":\"sip:alice@127.0.0.1:" + std::to_string(phone.port())));
    CHECK(server.counted("usrloc.location_contacts") == 1);

    const std::string gone =
        phone.ask(request("REGISTER", "alice", phone.port(), "Contact: *\r\nExpires: 0\r\n", 3));
    CHECK(gone.starts_with("SIP/2.0 200 OK"));
    CHECK_FALSE(says(gone, "Contact:"));
    CHECK(says(caller.ask(request("OPTIONS", "alice", caller.port(), {})), "X-Found: -1"));
    CHECK(server.counted("registrar.accepted_regs") == 3);
}

SCENARIO("a phone behind TCP is reached over its connection", "[registrar]")
{
    TempDir folder;
    RunningServer server{folder.write("registrar.cfg", config_text)};
    TcpClient phone{server.port()};
    UdpClient caller{server.port()};
    // The ephemeral port of the connection is not known to the phone: its flow is what counts (the reply
    // tells nothing).
    phone.send(request("REGISTER", "bob", 5060, contact("bob", 9, ";transport=tcp"), 1, "TCP"));
    CHECK(says(phone.read_message(), "200 OK"));
    CHECK(says(server.rpc("ul.lookup", R"(["location","bob"])"),
               "\"Socket\":\"tcp:127.0.0.1:" + std::to_string(server.port())));
    CHECK_FALSE(says(server.rpc("ul.lookup", R"(["location","bob"])"), "\"Tcpconn-Id\":-1"));
    CHECK(
        says(caller.ask(request("OPTIONS", "bob", caller.port(), {})), "sip:bob@127.0.0.1:9;transport=tcp"));
}

SCENARIO("a lost connection takes its contact along, an expired contact its connection", "[registrar]")
{
    TempDir folder;
    const auto extra = std::string{
        "modparam(\"usrloc\", \"handle_lost_tcp\", 1)\nmodparam(\"usrloc\", \"close_expired_tcp\", 1)\n"
        "modparam(\"usrloc\", \"timer_interval\", 1)\nmodparam(\"registrar\", \"min_expires\", 1)\n"};
    const auto at = config_text.find("request_route");
    RunningServer server{
        folder.write("registrar.cfg", config_text.substr(0, at) + extra + config_text.substr(at))};
    {
        TcpClient phone{server.port()};
        phone.send(request("REGISTER", "bob", 5060, contact("bob", 9, ";transport=tcp"), 1, "TCP"));
        CHECK(says(phone.read_message(), "200 OK"));
        CHECK(server.counted("usrloc.location_contacts") == 1);
    }
    CHECK(wait_until([&] { return server.counted("usrloc.location_contacts") == 0; }));

    TcpClient phone{server.port()};
    phone.send(request("REGISTER", "carol", 5060, contact("carol", 9, ";transport=tcp") + "Expires: 1\r\n", 1,
                       "TCP"));
    CHECK(says(phone.read_message(), "200 OK"));
    CHECK(phone.closed_by_peer());
    CHECK(server.counted("usrloc.location_contacts") == 0);
}

SCENARIO("many phones register at once, some of them as one user", "[registrar]")
{
    TempDir folder;
    RunningServer server{folder.write("registrar.cfg", config_text)};
    constexpr int phones = 8, rounds = 25;
    std::vector<std::thread> threads;
    std::atomic<int> refused{0};
    for (int p = 0; p < phones; ++p)
        threads.emplace_back([&, p] {
            UdpClient phone{server.port()};
            for (int r = 1; r <= rounds; ++r) {
                const std::string text =
                    "REGISTER sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:" +
                    std::to_string(phone.port()) + ";branch=z9hG4bKm" + std::to_string(p) + "-" +
                    std::to_string(r) +
                    "\r\nFrom: <sip:team@127.0.0.1>;tag=t\r\nTo: <sip:team@127.0.0.1>\r\nCall-ID: m" +
                    std::to_string(p) + "\r\nCSeq: " + std::to_string(r) + " REGISTER\r\n" +
                    contact("team", phone.port()) + "Content-Length: 0\r\n\r\n";
                if (!says(phone.ask(text), "200 OK"))
                    ++refused;
            }
        });
    for (std::thread& thread : threads)
        thread.join();
    CHECK(refused == 0);
    CHECK(server.counted("usrloc.location_contacts") == phones);
    CHECK(server.counted("usrloc.location_users") == 1);
}

SCENARIO("every acknowledged registration survives kill -9", "[registrar][crash]")
{
    for (const char* mode : {"1", "3"}) {
        INFO("db_mode " << mode);
        TempDir folder;
        ServerProcess server{folder.write("registrar.cfg", config_text),
                             {{"DBURL", "\"sqlite://" + folder.file("ul.db") + "\""}, {"DBMODE", mode}}};
        constexpr int phones = 3;
        std::atomic<int> count{0};
        std::set<std::string> acknowledged[phones];
        std::vector<std::thread> threads;
        for (int p = 0; p < phones; ++p)
            threads.emplace_back([&, p] {
                UdpClient phone{server.port()};
                for (int i = 0;; ++i) {
                    const std::string user = "u" + std::to_string(p) + "-" + std::to_string(i);
                    phone.send(request("REGISTER", user, phone.port(), contact(user, phone.port())));
                    const std::string answer = phone.receive(1500);
                    if (!says(answer, "200 OK"))
                        return; // the server is dead
                    acknowledged[p].insert(user);
                    ++count;
                }
            });
        CHECK(wait_until([&] { return count >= scaled(60, 20); }, 20'000));
        server.kill(SIGKILL);
        for (std::thread& thread : threads)
            thread.join();
        CHECK(server.wait() == 128 + SIGKILL);
        server.start();
        INFO(server.output());
        UdpClient caller{server.port()};
        for (const auto& users : acknowledged)
            for (const std::string& user : users)
                CHECK(says(caller.ask(request("OPTIONS", user, caller.port(), {})),
                           "X-Found: 1 sip:" + user + "@"));
    }
}

SCENARIO("write-back keeps what an orderly stop finds", "[registrar]")
{
    TempDir folder;
    ServerProcess server{folder.write("registrar.cfg", config_text),
                         {{"DBURL", "\"sqlite://" + folder.file("ul.db") + "\""}, {"DBMODE", "2"}}};
    UdpClient phone{server.port()};
    CHECK(says(phone.ask(request("REGISTER", "alice", phone.port(), contact("alice", 5070))), "200 OK"));
    CHECK(says(phone.ask(request("REGISTER", "bob", phone.port(), contact("bob", 5070))), "200 OK"));
    server.kill(SIGTERM);
    CHECK(server.wait() == 0);
    server.start();
    INFO(server.output());
    UdpClient again{server.port()};
    CHECK(says(again.ask(request("OPTIONS", "alice", again.port(), {})),
               "X-Found: 1 sip:alice@127.0.0.1:5070"));
    // A removal is remembered, too.
    CHECK(says(again.ask(request("REGISTER", "alice", again.port(), "Contact: *\r\nExpires: 0\r\n", 2)),
               "200 OK"));
    server.kill(SIGTERM);
    CHECK(server.wait() == 0);
    server.start();
    UdpClient third{server.port()};
    CHECK(says(third.ask(request("OPTIONS", "alice", third.port(), {})), "X-Found: -1"));
    CHECK(says(third.ask(request("OPTIONS", "bob", third.port(), {})), "X-Found: 1"));
}
