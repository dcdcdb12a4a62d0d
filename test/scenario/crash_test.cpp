// test/scenario/crash_test.cpp - what was acknowledged is there after kill -9; two servers on one database
#include "test/support/catch.h"
#include "test/support/running_server.h"

#include <atomic>
#include <barrier>
#include <csignal>
#include <thread>

using namespace sipyard;
using namespace sipyard::test;

namespace {

const std::string type = "Content-Type: application/resource-lists+xml\r\n";
const std::string root = "/xcap-root/resource-lists/users/sip:101@127.0.0.1/";

std::string document(const std::string& mark)
{
    return "<resource-lists xmlns=\"urn:ietf:params:xml:ns:resource-lists\"><list name=\"" + mark +
           "\"/></resource-lists>";
}

std::map<std::string, std::string> on_database(const TempDir& folder)
{
    return {{"DBURL", "\"sqlite://" + folder.file("xcap.db") + "\""}};
}

struct Acknowledged {
    std::string name, etag, body;
};

} // namespace

SCENARIO("every acknowledged document survives kill -9", "[crash]")
{
    TempDir folder;
    ServerProcess server{
        "etc/xcap_server.cfg", on_database(folder), {"--modparam=xcap_server:max_docs_per_user:i:0"}};
    constexpr int writers = 4, rounds = 3;
    std::vector<Acknowledged> all;              // documents that were written once
    std::vector<int> last_version(writers, -1); // of the one document a writer writes again and again

    for (int round = 0; round < rounds; ++round) {
        std::vector<std::vector<Acknowledged>> acknowledged(writers);
        std::atomic<int> count{0}, odd{0}; // odd: a status nobody expected; 0 is the death of the server
        std::vector<std::thread> threads;
        for (int w = 0; w < writers; ++w)
            threads.emplace_back([&, w] {
                TcpClient client{server.port()};
                for (int i = 0;; ++i) {
                    const std::string name =
                        "d" + std::to_string(round) + "-" + std::to_string(w) + "-" + std::to_string(i);
                    const std::string body = document(name);
                    const HttpAnswer once = http(client, "PUT", root + name, type, body);
                    if (once.status != 201) {
                        odd = once.status;
                        return;
                    }
                    acknowledged[static_cast<std::size_t>(w)].push_back({name, once.header("ETag"), body});
                    const int version = last_version[static_cast<std::size_t>(w)] + 1;
                    const HttpAnswer again = http(client, "PUT", root + "index" + std::to_string(w), type,
                                                  document("v" + std::to_string(version)));
                    if (again.status != 200 && again.status != 201) {
                        odd = again.status;
                        return;
                    }
                    last_version[static_cast<std::size_t>(w)] = version;
                    ++count;
                }
            });
        CHECK(wait_until([&] { return count >= scaled(100, 20) || odd != 0; }, 20'000));
        server.kill(SIGKILL);
        for (std::thread& thread : threads)
            thread.join();
        CHECK(odd == 0);
        CHECK(server.wait() == 128 + SIGKILL);

        server.start();
        INFO(server.output());
        TcpClient reader{server.port()};
        for (const auto& list : acknowledged)
            all.insert(all.end(), list.begin(), list.end());
        REQUIRE(all.size() >= static_cast<std::size_t>(count));
        for (const Acknowledged& one : all) {
            const HttpAnswer got = http(reader, "GET", root + one.name);
            INFO(one.name);
            REQUIRE(got.status == 200);
            REQUIRE(got.header("ETag") == one.etag);
            REQUIRE(got.body == one.body);
        }
        for (int w = 0; w < writers; ++w) {
            const HttpAnswer got = http(reader, "GET", root + "index" + std::to_string(w));
            REQUIRE(got.status == 200);
            const auto at = got.body.find("name=\"v");
            REQUIRE(at != std::string::npos);
            // The write that was under way may have been done or not; what was acknowledged was.
            const int version = std::atoi(got.body.c_str() + at + 7);
            CHECK(version >= last_version[static_cast<std::size_t>(w)]);
            CHECK(version <= last_version[static_cast<std::size_t>(w)] + 1);
            last_version[static_cast<std::size_t>(w)] = version;
        }
    }
}

SCENARIO("two server processes share a database, and writers do not lose updates", "[crash]")
{
    TempDir folder;
    ServerProcess one{"etc/xcap_server.cfg", on_database(folder)},
        two{"etc/xcap_server.cfg", on_database(folder)};
    constexpr int writers = 8;
    const auto port_of = [&](int w) { return w % 2 == 0 ? one.port() : two.port(); };

    // All at once, half of them at each server; how many got which status.
    const auto race = [&](const std::string& name, const std::string& condition) {
        std::map<int, int> statuses;
        std::mutex mutex;
        std::barrier start{writers};
        std::vector<std::thread> threads;
        for (int w = 0; w < writers; ++w)
            threads.emplace_back([&, w] {
                TcpClient client{port_of(w)};
                start.arrive_and_wait();
                const int status = http(client, "PUT", root + name, type + condition + "\r\n",
                                        document("w" + std::to_string(w)))
                                       .status;
                const std::lock_guard<std::mutex> lock{mutex};
                ++statuses[status];
            });
        for (std::thread& thread : threads)
            thread.join();
        return statuses;
    };

    for (int round = 0; round < scaled(10, 3); ++round) {
        const std::string name = "doc" + std::to_string(round);
        INFO("round " << round << "\n" << one.output() << two.output());
        CHECK(race(name, "If-None-Match: *") == std::map<int, int>{{201, 1}, {412, writers - 1}});
        for (int step = 0; step < 2; ++step) {
            const HttpAnswer now = http(port_of(step), "GET", root + name);
            REQUIRE(now.status == 200);
            CHECK(http(port_of(step + 1), "GET", root + name).header("ETag") == now.header("ETag"));
            CHECK(race(name, "If-Match: " + now.header("ETag")) ==
                  std::map<int, int>{{200, 1}, {412, writers - 1}});
        }
    }

    // A document changed over there is never read stale over here.
    for (int i = 0; i < scaled(50, 10); ++i) {
        const std::string body = document("turn" + std::to_string(i));
        REQUIRE(http(port_of(i), "PUT", root + "turns", type, body).status == (i == 0 ? 201 : 200));
        REQUIRE(http(port_of(i + 1), "GET", root + "turns").body == body);
    }
    for (ServerProcess* server : {&one, &two}) {
        server->kill(SIGTERM);
        CHECK(server->wait() == 0);
    }
}

SCENARIO("writers who read, change and write again add up", "[crash]")
{
    TempDir folder;
    ServerProcess one{"etc/xcap_server.cfg", on_database(folder)},
        two{"etc/xcap_server.cfg", on_database(folder)};
    REQUIRE(http(one.port(), "PUT", root + "index", type, document("family")).status == 201);
    constexpr int writers = 8, lists = 5;
    std::vector<std::thread> threads;
    std::atomic<int> done{0}, lost_races{0};
    for (int w = 0; w < writers; ++w)
        threads.emplace_back([&, w] {
            TcpClient client{w % 2 == 0 ? one.port() : two.port()};
            for (int i = 0; i < lists;) {
                const HttpAnswer now = http(client, "GET", root + "index");
                std::string changed = now.body;
                const auto end = changed.find("</resource-lists>");
                if (now.status != 200 || end == std::string::npos)
                    return;
                changed.insert(end, "<list name=\"w" + std::to_string(w) + "-" + std::to_string(i) + "\"/>");
                const int status = http(client, "PUT", root + "index",
                                        type + "If-Match: " + now.header("ETag") + "\r\n", changed)
                                       .status;
                if (status == 412) { // somebody was faster: look again
                    ++lost_races;
                    continue;
                }
                if (status != 200)
                    return;
                ++i;
                ++done;
            }
        });
    for (std::thread& thread : threads)
        thread.join();
    INFO(lost_races << " races lost");
    CHECK(done == writers * lists);
    const std::string body = http(two.port(), "GET", root + "index").body;
    for (int w = 0; w < writers; ++w)
        for (int i = 0; i < lists; ++i)
            CHECK(body.find("\"w" + std::to_string(w) + "-" + std::to_string(i) + "\"") != std::string::npos);
}
