// test/scenario/slow_database_test.cpp - a database that hangs stops what needs it, and nothing else
#include "test/support/catch.h"
#include "test/support/running_server.h"

#include <chrono>

using namespace sipyard;
using namespace sipyard::test;
using Catch::Matchers::StartsWith;

namespace {

// MESSAGE and the page /slow need the database, OPTIONS and every other page do not.
const std::string slow_script = R"cfg(
auto_aliases=no
listen=udp:127.0.0.1:PORT
listen=tcp:127.0.0.1:PORT
tcp_accept_no_cl=yes
#!ifdef FIBERS
max_fibers=FIBERS
#!endif
loadmodule "db_sqlite.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "sqlops.so"
loadmodule "xhttp.so"
modparam("sqlops", "sqlcon", DATABASE)

request_route {
	if (is_method("OPTIONS")) {
		sl_send_reply("200", "OK");
		exit;
	}
	if (is_method("MESSAGE")) {
		$var(r) = sql_query("db", "update slow set n = n + 1 where id = 1");
		if ($var(r) < 0) {
			sl_send_reply("500", "Database Error");
			exit;
		}
		sl_send_reply("200", "Stored");
		exit;
	}
	sl_send_reply("405", "Method Not Allowed");
}

event_route[xhttp:request] {
	if ($hu == "/slow") {
		$var(r) = sql_query("db", "update slow set n = n + 1 where id = 1");
		if ($var(r) < 0) {
			xhttp_reply("500", "Database Error", "text/plain", "no\n");
			exit;
		}
	}
	xhttp_reply("200", "OK", "text/plain", "done\n");
}
)cfg";

struct SlowServer {
    TempDir folder;
    std::string database = folder.file("slow.db");
    RunningServer server;
    explicit SlowServer(int fibers = 0) : server{prepared(), options(fibers)} {}
    std::string prepared()
    {
        sqlite(database, "pragma journal_mode=wal; create table slow (id integer primary key, n integer); "
                         "insert into slow values (1, 0)");
        return folder.write("slow.cfg", slow_script);
    }
    RunningServer::Options options(int fibers)
    {
        RunningServer::Options options;
        options.defines = {{"DATABASE", "\"db=>sqlite://" + database + "\""}};
        if (fibers > 0)
            options.defines.emplace("FIBERS", std::to_string(fibers));
        return options;
    }
    // Requests that are suspended or running. Read from the workers themselves: an RPC call would be one more
    // request, and near the limit it would take the place of one that is counted on.
    std::int64_t waiting()
    {
        std::size_t live = 0;
        for (std::size_t i = 0; i < server.server().runtime().workers(); ++i)
            live += server.server().runtime().worker(i).stats().fibers_live;
        return static_cast<std::int64_t>(live);
    }
    std::string rows() { return sqlite(database, "select n from slow"); }
};

const std::string uri = "sip:127.0.0.1";

} // namespace

SCENARIO("a locked database stops nothing that does not need it", "[database]")
{
    SlowServer slow;
    SqliteLock lock{slow.database};
    UdpClient writer{slow.server.port()}, asker{slow.server.port()};
    TcpClient page{slow.server.port()};

    GIVEN("64 messages and a web request that wait for the database")
    {
        for (int i = 0; i < 64; ++i)
            writer.send(sip_request("MESSAGE", uri, "wait-" + std::to_string(i), writer.port()));
        page.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
        REQUIRE(wait_until([&] { return slow.waiting() >= 65; }));

        WHEN("others ask for what needs no database")
        {
            const int questions = scaled(2000, 200);
            for (int i = 0; i < questions; ++i)
                REQUIRE_THAT(asker.ask(sip_request("OPTIONS", uri, "ask-" + std::to_string(i), asker.port())),
                             StartsWith("SIP/2.0 200 OK"));
            REQUIRE(http(slow.server.port(), "GET", "/fast").status == 200);
            THEN("they were answered, the others still wait, and get their answers when the lock is gone")
            {
                CHECK(writer.receive(0).empty());
                lock.release();
                for (int i = 0; i < 64; ++i)
                    REQUIRE_THAT(writer.receive(), StartsWith("SIP/2.0 200 Stored"));
                CHECK(read_answer(page).status == 200);
                CHECK(slow.rows() == "65\n");
            }
        }
    }
}

SCENARIO("thousands wait at once", "[database]")
{
    SlowServer slow;
    SqliteLock lock{slow.database};
    const int connections = 10, each = scaled(500, 20);
    std::vector<std::unique_ptr<TcpClient>> clients;
    for (int c = 0; c < connections; ++c) {
        clients.push_back(std::make_unique<TcpClient>(slow.server.port()));
        for (int i = 0; i < each; ++i)
            clients.back()->send(sip_request(
                "MESSAGE", uri, "many-" + std::to_string(c) + "-" + std::to_string(i), 1, {}, "TCP"));
    }
    REQUIRE(wait_until([&] { return slow.waiting() >= connections * each; }));

    UdpClient asker{slow.server.port()};
    for (int i = 0; i < scaled(500, 50); ++i)
        REQUIRE_THAT(asker.ask(sip_request("OPTIONS", uri, "ask-" + std::to_string(i), asker.port())),
                     StartsWith("SIP/2.0 200 OK"));

    lock.release();
    int stored = 0;
    for (const auto& client : clients)
        for (int i = 0; i < each; ++i)
            stored += client->read_message().starts_with("SIP/2.0 200 Stored");
    CHECK(stored == connections * each);
    CHECK(slow.rows() == std::to_string(connections * each) + "\n");
    CHECK(wait_until([&] { return slow.waiting() == 0; }));
}

SCENARIO("beyond the limit of waiting requests the answer is 503, at once", "[database]")
{
    const int limit = 32;
    SlowServer slow{limit};
    SqliteLock lock{slow.database};
    UdpClient writer{slow.server.port()};
    for (int i = 0; i < limit; ++i)
        writer.send(sip_request("MESSAGE", uri, "full-" + std::to_string(i), writer.port()));
    REQUIRE(wait_until([&] { return slow.waiting() >= limit; }));

    UdpClient late{slow.server.port()};
    const auto before = std::chrono::steady_clock::now();
    const std::string refused = late.ask(sip_request("MESSAGE", uri, "late", late.port()));
    CHECK_THAT(refused, StartsWith("SIP/2.0 503 Service Unavailable"));
    CHECK(refused.find("\r\nRetry-After: ") != std::string::npos);
    CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds{2});
    CHECK(http(slow.server.port(), "GET", "/fast").status == 503);
    CHECK(slow.server.counted("core.overloaded") == 1);
    // An ACK is never answered, whatever is the matter (RFC 3261 17.1.1.3).
    late.send(sip_request("ACK", uri, "late-ack", late.port()));

    lock.release();
    for (int i = 0; i < limit; ++i)
        REQUIRE_THAT(writer.receive(), StartsWith("SIP/2.0 200 Stored"));
    REQUIRE(wait_until([&] { return slow.waiting() == 0; }));
    CHECK_THAT(late.ask(sip_request("MESSAGE", uri, "later", late.port())), StartsWith("SIP/2.0 200 Stored"));
    CHECK(slow.rows() == std::to_string(limit + 1) + "\n");
}
