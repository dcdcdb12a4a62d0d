// test/scenario/reload_test.cpp - the script is changed while the server works
#include "test/support/catch.h"
#include "test/support/running_server.h"

#include <atomic>
#include <thread>

using namespace sipyard;
using namespace sipyard::test;
using Catch::Matchers::StartsWith;

namespace {

const std::string head =
    "auto_aliases=no\nlisten=udp:127.0.0.1:PORT\n"
    "loadmodule \"db_sqlite.so\"\nloadmodule \"sl.so\"\nloadmodule \"pv.so\"\nloadmodule \"textops.so\"\n"
    "loadmodule \"siputils.so\"\nloadmodule \"sqlops.so\"\n";
const std::string params = "modparam(\"sqlops\", \"sqlcon\", DATABASE)\n";

std::string routes(const std::string& name)
{
    return "request_route {\n"
           "\tif (is_method(\"MESSAGE\")) {\n"
           "\t\t$var(r) = sql_query(\"db\", \"update slow set n = n + 1 where id = 1\");\n"
           "\t\troute(DONE);\n"
           "\t}\n"
           "\t$var(n) = $var(n) + 1;\n"
           "\tsl_send_reply(\"200\", \"" +
           name +
           " $var(n)\");\n"
           "}\n"
           "route[DONE] {\n"
           "\tsl_send_reply(\"200\", \"Stored by " +
           name +
           "\");\n"
           "\texit;\n"
           "}\n";
}

struct Reloading {
    TempDir folder;
    std::string database = folder.file("r.db");
    RunningServer server;
    UdpClient client;

    explicit Reloading(int workers = 2) : server{prepared(), options(workers)}, client{server.port()} {}
    std::string prepared()
    {
        sqlite(database, "pragma journal_mode=wal; create table slow (id integer primary key, n integer); "
                         "insert into slow values (1, 0)");
        return folder.write("r.cfg", head + params + routes("old"));
    }
    RunningServer::Options options(int workers)
    {
        RunningServer::Options options;
        options.defines = {{"DATABASE", "\"db=>sqlite://" + database + "\""}};
        options.workers = workers;
        return options;
    }
    std::string reload(const std::string& text)
    {
        folder.write("r.cfg", text);
        return server.rpc("core.reload");
    }
    std::string ask(const std::string& method = "OPTIONS")
    {
        return client.ask(
            sip_request(method, "sip:127.0.0.1", "r-" + std::to_string(++count), client.port()));
    }
    int count = 0;
};

} // namespace

SCENARIO("a reload changes what the script does", "[reload]")
{
    Reloading one{1};
    REQUIRE_THAT(one.ask(), StartsWith("SIP/2.0 200 old 1\r\n"));
    const std::string answer = one.reload(head + params + routes("new"));
    INFO(answer);
    CHECK(answer.find("\"result\":\"reloaded ") != std::string::npos);
    CHECK_THAT(one.ask(), StartsWith("SIP/2.0 200 new 2\r\n")); // $var is found by its name
    CHECK_THAT(one.ask("MESSAGE"), StartsWith("SIP/2.0 200 Stored by new\r\n"));
}

SCENARIO("a request in hand ends with the script it began with", "[reload]")
{
    Reloading one;
    SqliteLock lock{one.database};
    UdpClient waiting{one.server.port()};
    waiting.send(sip_request("MESSAGE", "sip:127.0.0.1", "in-hand", waiting.port()));
    const auto suspended = [&] {
        return one.server.counted("worker0.fibers_live") + one.server.counted("worker1.fibers_live") >=
               2; // it and who asks
    };
    REQUIRE(wait_until(suspended));
    CHECK(one.reload(head + params + routes("new")).find("reloaded") != std::string::npos);
    CHECK_THAT(one.ask(), StartsWith("SIP/2.0 200 new "));
    lock.release();
    CHECK_THAT(waiting.receive(), StartsWith("SIP/2.0 200 Stored by old\r\n"));
    CHECK_THAT(one.ask("MESSAGE"), StartsWith("SIP/2.0 200 Stored by new\r\n"));
}

SCENARIO("no request is lost while scripts change", "[reload]")
{
    Reloading one;
    std::atomic<bool> stop{false};
    std::atomic<int> asked{0}, answered{0}, old{0}, fresh{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t)
        threads.emplace_back([&, t] {
            UdpClient client{one.server.port()};
            for (int i = 0; !stop; ++i) {
                ++asked;
                const std::string reply = client.ask(
                    sip_request(i % 5 == 0 ? "MESSAGE" : "OPTIONS", "sip:127.0.0.1",
                                "busy-" + std::to_string(t) + "-" + std::to_string(i), client.port()));
                answered += reply.starts_with("SIP/2.0 200 ");
                old += reply.find("old") != std::string::npos;
                fresh += reply.find("new") != std::string::npos;
            }
        });
    int reloaded = 0;
    for (int i = 0; i < scaled(20, 6); ++i) {
        const int seen = answered;
        reloaded += one.reload(head + params + routes(i % 2 == 0 ? "new" : "old")).find("reloaded") !=
                    std::string::npos;
        CHECK(wait_until([&] { return answered > seen + 5; }));
    }
    stop = true;
    for (std::thread& thread : threads)
        thread.join();
    CHECK(reloaded == scaled(20, 6));
    CHECK(answered == asked);
    CHECK(old > 0);
    CHECK(fresh > 0);
    CHECK(old + fresh == answered);
}

SCENARIO("several people may reload at once", "[reload]")
{
    Reloading one;
    std::atomic<int> reloaded{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < scaled(10, 3); ++i)
                reloaded += one.server.rpc("core.reload").find("reloaded") != std::string::npos;
        });
    for (int i = 0; i < scaled(100, 20); ++i)
        CHECK_THAT(one.ask(), StartsWith("SIP/2.0 200 old "));
    for (std::thread& thread : threads)
        thread.join();
    CHECK(reloaded == 4 * scaled(10, 3));
}

SCENARIO("a reload that cannot be is refused, and the old script goes on", "[reload]")
{
    Reloading one;
    std::string other_listen = head + params + routes("new"),
                other_module = head + "loadmodule \"xlog.so\"\n" + params + routes("new"),
                fewer_modules = head + params + routes("new"), other_param = head + params + routes("new");
    other_listen.insert(0, "listen=tcp:127.0.0.1:PORT\n");
    fewer_modules.erase(fewer_modules.find("loadmodule \"pv.so\"\n"), 19);
    other_param.insert(other_param.find("request_route"), "modparam(\"sl\", \"default_code\", 501)\n");
    const struct {
        const char* story;
        std::string text;
        std::vector<std::string> expected;
    } rows[] = {
        {"a socket more", other_listen, {"listen"}},
        {"a module more", other_module, {"xlog"}},
        {"a module less", fewer_modules, {"pv"}},
        {"a parameter more", other_param, {"modparam", "sl", "default_code"}},
        {"a statement nobody knows",
         head + params + "request_route {\n\tno_such_thing();\n}\n",
         {"r.cfg:", "no_such_thing"}},
        {"a brace that is missing", head + params + "request_route {\n\texit;\n", {"r.cfg:"}},
        {"an empty file", "", {}},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const std::string answer = one.reload(row.text);
        INFO(answer);
        CHECK(answer.find("\"error\"") != std::string::npos);
        for (const std::string& part : row.expected)
            CHECK(answer.find(part) != std::string::npos);
        CHECK_THAT(one.ask(), StartsWith("SIP/2.0 200 old "));
    }
    CHECK(one.reload(head + params + routes("new")).find("reloaded") != std::string::npos);
    CHECK_THAT(one.ask(), StartsWith("SIP/2.0 200 new "));
}

SCENARIO("scripts that are still needed are kept, as many as fit", "[reload]")
{
    Reloading one;
    SqliteLock lock{one.database};
    std::vector<std::unique_ptr<UdpClient>> waiting;
    std::string name = "old";
    int accepted = 0;
    std::string refused;
    // Each script is left with a request in it; when all places are taken the next reload says so.
    for (int i = 0; i < 6 && refused.empty(); ++i) {
        waiting.push_back(std::make_unique<UdpClient>(one.server.port()));
        waiting.back()->send(
            sip_request("MESSAGE", "sip:127.0.0.1", "kept-" + std::to_string(i), waiting.back()->port()));
        REQUIRE(wait_until([&] {
            return one.server.counted("worker0.fibers_live") + one.server.counted("worker1.fibers_live") >=
                   i + 2;
        }));
        const std::string answer = one.reload(head + params + routes("s" + std::to_string(i)));
        if (answer.find("reloaded") != std::string::npos)
            ++accepted;
        else
            refused = answer;
    }
    CHECK(accepted >= 2);
    CHECK(refused.find("still running") != std::string::npos);
    CHECK_THAT(one.ask(), StartsWith("SIP/2.0 200 s" + std::to_string(accepted - 1)));
    lock.release();
    for (std::size_t i = 0; i < waiting.size(); ++i)
        CHECK_THAT(waiting[i]->receive(),
                   StartsWith("SIP/2.0 200 Stored by " + (i == 0 ? name : "s" + std::to_string(i - 1))));
    CHECK(wait_until([&] { return one.server.rpc("core.reload").find("reloaded") != std::string::npos; }));
}
