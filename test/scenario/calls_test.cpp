// test/scenario/calls_test.cpp - etc/sip_router.cfg with real peers: sipp's phones register and call each
// other through it
#include "test/support/catch.h"
#include "test/support/running_server.h"
#include "test/support/sql_server.h"

#include <cstdio>
#include <fstream>
#include <sstream>

using namespace sipyard;
using namespace sipyard::test;
using Catch::Matchers::Contains;

namespace {

struct Router {
    TempDir folder;
    RunningServer server;
    explicit Router(std::map<std::string, std::string> defines = {})
        : server{"etc/sip_router.cfg", options(std::move(defines))}
    {
    }
    RunningServer::Options options(std::map<std::string, std::string> defines)
    {
        defines.emplace("DOMAIN", "\"example.test\"");
        defines.emplace("DBURL", "\"sqlite://" + folder.file("router.db") + "\"");
        RunningServer::Options options;
        options.defines = std::move(defines);
        options.debug = 2;
        return options;
    }
};

// Does some socket of this machine have that port?
bool is_bound(std::uint16_t port)
{
    char hex[8];
    std::snprintf(hex, sizeof hex, ":%04X ", port);
    for (const char* const table : {"/proc/net/udp", "/proc/net/tcp", "/proc/net/udp6", "/proc/net/tcp6"}) {
        std::stringstream text;
        text << std::ifstream{table}.rdbuf();
        if (text.str().find(hex) != std::string::npos)
            return true;
    }
    return false;
}

// A sipp process with one of test/sipp's scenarios; @NAME@ in it is replaced first.
class Sipp {
public:
    struct Options {
        std::map<std::string, std::string> keys, replace;
        int calls = 1;
        std::string transport = "u1", address = "127.0.0.1";
        std::vector<std::string> more;
    };
    Sipp(Router& router, const std::string& scenario, std::uint16_t own_port, bool to_server, Options options)
        : name_{scenario}, output_{router.folder.file(scenario + std::to_string(own_port) + ".out")}
    {
        std::ifstream file{"test/sipp/" + scenario + ".xml"};
        std::stringstream text;
        text << file.rdbuf();
        std::string xml = text.str();
        REQUIRE(!xml.empty());
        options.replace.emplace("LOST", "0");     // per cent of the INVITEs
        options.replace.emplace("LINGER", "100"); // ms in which a phone still answers repetitions
        for (const auto& [from, to] : options.replace)
            for (std::size_t at; (at = xml.find("@" + from + "@")) != std::string::npos;)
                xml.replace(at, from.size() + 2, to);
        const std::string path = router.folder.write(scenario + std::to_string(own_port) + ".xml", xml);
        errors_ = path + ".errors";
        std::vector<std::string> command{"sipp",
                                         "-sf",
                                         path,
                                         "-i",
                                         options.address,
                                         "-p",
                                         std::to_string(own_port),
                                         "-m",
                                         std::to_string(options.calls),
                                         "-t",
                                         options.transport,
                                         "-nostdin",
                                         "-timeout",
                                         "30s",
                                         "-trace_err",
                                         "-error_file",
                                         errors_,
                                         "-r",
                                         "50"};
        options.keys.emplace("domain", "example.test");
        for (const auto& [key, value] : options.keys)
            command.insert(command.end(), {"-key", key, value});
        command.insert(command.end(), options.more.begin(), options.more.end());
        if (to_server)
            command.push_back((options.address == "::1" ? "[::1]:" : options.address + ":") +
                              std::to_string(router.server.port()));
        program_ = std::make_unique<Program>(command, output_);
        if (!to_server) // ready to be called?
            REQUIRE(wait_until([&] { return is_bound(own_port); }));
    }
    int wait() { return program_->wait(40'000); }
    std::string errors() const
    {
        std::stringstream text;
        text << name_ << ": " << std::ifstream{errors_}.rdbuf();
        return text.str();
    }

private:
    std::string name_, output_, errors_;
    std::unique_ptr<Program> program_;
};

std::map<std::string, std::string> phone(const std::string& user, std::uint16_t port,
                                         const std::string& parameters = {},
                                         const std::string& address = "127.0.0.1")
{
    return {
        {"user", user}, {"contact", address + ":" + std::to_string(port) + parameters}, {"expires", "600"}};
}

const std::map<std::string, std::string> alice_calls_bob{{"user", "bob"}, {"caller", "alice"}};

void enroll(Router& router, std::uint16_t phone_port, const std::string& parameters = {})
{
    Sipp registration{router,
                      "register",
                      free_port(),
                      true,
                      {phone("bob", phone_port, parameters), {}, 1, "u1", "127.0.0.1", {}}};
    const int status = registration.wait();
    INFO(registration.errors());
    REQUIRE(status == 0);
}

// One side calls, the other answers as `phone_scenario` says; both must have seen every message they wait
// for.
void expect_calls(Router& router, const std::string& caller, const std::string& callee,
                  Sipp::Options caller_options, Sipp::Options callee_options, std::uint16_t callee_port)
{
    callee_options.calls = caller_options.calls;
    Sipp called{router, callee, callee_port, false, std::move(callee_options)};
    Sipp calling{router, caller, free_port(), true, std::move(caller_options)};
    const int caller_status = calling.wait(), callee_status = called.wait();
    INFO(calling.errors() << "\n" << called.errors() << "\n" << router.server.log());
    CHECK(caller_status == 0);
    CHECK(callee_status == 0);
}

} // namespace

SCENARIO("sipp's phones register, call, talk and hang up", "[calls]")
{
    Router router;
    const std::uint16_t bob = free_port();
    enroll(router, bob);
    expect_calls(router, "caller", "phone_answers", {alice_calls_bob, {}, 20, "u1", "127.0.0.1", {}}, {},
                 bob);
    CHECK_THAT(router.server.log(), Contains("ACC: transaction answered:") && Contains("method=INVITE") &&
                                        Contains("method=BYE") && Contains("src_user=alice") &&
                                        Contains("dst_user=bob"));
    // Nothing is left over but transactions in their wait state.
    CHECK_THAT(router.server.rpc("tm.stats"), Contains("\"current\""));
}

SCENARIO("a refusal reaches the caller, and is accounted as missed", "[calls]")
{
    const struct {
        const char* status;
        const char* code;
    } rows[] = {
        {"486 Busy Here", "486"},
        {"404 Not Found", "404"},
        {"603 Decline", "603"},
        {"302 Moved Temporarily", "302"},
    };
    Router router;
    const std::uint16_t bob = free_port();
    enroll(router, bob);
    for (const auto& row : rows) {
        INFO(row.status);
        expect_calls(router, "caller_refused", "phone_refuses",
                     {alice_calls_bob, {{"CODE", row.code}}, 3, "u1", "127.0.0.1", {}},
                     {{}, {{"STATUS", row.status}}, 3, "u1", "127.0.0.1", {}}, bob);
    }
    CHECK_THAT(router.server.log(), Contains("ACC: call missed:") && Contains("code=486"));
}

SCENARIO("nobody is registered: 404", "[calls]")
{
    Router router;
    Sipp calling{router,
                 "caller_refused",
                 free_port(),
                 true,
                 {alice_calls_bob, {{"CODE", "404"}}, 3, "u1", "127.0.0.1", {}}};
    const int status = calling.wait();
    INFO(calling.errors());
    CHECK(status == 0);
}

SCENARIO("the caller gives up while it rings", "[calls]")
{
    Router router;
    const std::uint16_t bob = free_port();
    enroll(router, bob);
    expect_calls(router, "caller_cancels", "phone_rings",
                 {alice_calls_bob, {{"WHEN", "180"}}, 10, "u1", "127.0.0.1", {}}, {}, bob);
}

SCENARIO("calls over TCP", "[calls]")
{
    Router router;
    const std::uint16_t bob = free_port();
    enroll(router, bob, ";transport=tcp");
    expect_calls(router, "caller", "phone_answers", {alice_calls_bob, {}, 10, "t1", "127.0.0.1", {}},
                 {{}, {}, 10, "t1", "127.0.0.1", {}}, bob);
}

SCENARIO("calls over IPv6", "[calls]")
{
    Router router{{{"LISTEN", "\"[::1]\""}}};
    const std::uint16_t bob = free_port();
    Sipp registration{
        router, "register", free_port(), true, {phone("bob", bob, {}, "[::1]"), {}, 1, "u1", "::1", {}}};
    const int registered = registration.wait();
    INFO(registration.errors() << router.server.log());
    REQUIRE(registered == 0);
    expect_calls(router, "caller", "phone_answers", {alice_calls_bob, {}, 5, "u1", "::1", {}},
                 {{}, {}, 5, "u1", "::1", {}}, bob);
}

SCENARIO("a call between UDP and TCP", "[calls]")
{
    Router router;
    const std::uint16_t bob = free_port();
    enroll(router, bob, ";transport=tcp");
    expect_calls(router, "caller", "phone_answers", {alice_calls_bob, {}, 10, "u1", "127.0.0.1", {}},
                 {{}, {}, 10, "t1", "127.0.0.1", {}}, bob);
}

// sipp's phone gives up on an INVITE repeated after its 200, and on a BYE without an ACK: these are not lost.
SCENARIO("one message in ten of the caller's is lost, one INVITE in five on its way to the phone: every call "
         "succeeds",
         "[calls]")
{
    Router router;
    const std::uint16_t bob = free_port();
    enroll(router, bob);
    expect_calls(router, "caller", "phone_answers",
                 {alice_calls_bob, {}, 20, "u1", "127.0.0.1", {"-lost", "10"}},
                 {{}, {{"LINGER", "5000"}, {"LOST", "20"}}, 20, "u1", "127.0.0.1", {}}, bob);
}

SCENARIO("two phones of one user ring, one answers, the other is cancelled", "[calls]")
{
    Router router;
    const std::uint16_t first = free_port(), second = free_port();
    enroll(router, first);
    enroll(router, second);
    Sipp rings{router, "phone_rings", first, false, {{}, {}, 5, "u1", "127.0.0.1", {}}};
    Sipp answers{router, "phone_answers", second, false, {{}, {}, 5, "u1", "127.0.0.1", {}}};
    Sipp calling{router, "caller", free_port(), true, {alice_calls_bob, {}, 5, "u1", "127.0.0.1", {}}};
    const int caller_status = calling.wait(), answer_status = answers.wait(), ring_status = rings.wait();
    INFO(calling.errors() << "\n" << answers.errors() << "\n" << rings.errors());
    CHECK(caller_status == 0);
    CHECK(answer_status == 0);
    CHECK(ring_status == 0);
}

SCENARIO("with WITH_AUTH phones prove who they are; with the database, bindings and accounting are kept",
         "[calls]")
{
    Router router{{{"WITH_AUTH", ""},
                   {"WITH_USRLOCDB", ""},
                   {"WITH_ACCDB", ""},
                   {"WITH_JSONRPC", ""},
                   {"WITH_DEBUG", ""}}};
    router.server.rpc("subscriber.add", R"(["bob@example.test","bobs"])");
    router.server.rpc("subscriber.add", R"(["alice@example.test","alices"])");
    const std::uint16_t bob = free_port();
    Sipp registration{router,
                      "register_digest",
                      free_port(),
                      true,
                      {phone("bob", bob), {}, 1, "u1", "127.0.0.1", {"-au", "bob", "-ap", "bobs"}}};
    const int registered = registration.wait();
    INFO(registration.errors());
    REQUIRE(registered == 0);
    expect_calls(router, "caller_digest", "phone_answers",
                 {alice_calls_bob, {}, 5, "u1", "127.0.0.1", {"-au", "alice", "-ap", "alices"}}, {}, bob);
    const std::string database = router.folder.file("router.db");
    CHECK_THAT(router.server.log(), Contains("cfgtrace"));
    REQUIRE(router.server.stop());
    CHECK(sqlite(database, "select username, contact from location") ==
          "bob|sip:bob@127.0.0.1:" + std::to_string(bob) + "\n");
    CHECK(sqlite(database,
                 "select count(*) from acc where method='INVITE' and sip_code='200' and src_user='alice'") ==
          "5\n");
    CHECK(sqlite(database, "select count(*) from acc where method='BYE'") == "5\n");
}

SCENARIO("the database may be MariaDB: a restarted server knows the phones and has accounted the calls",
         "[calls]")
{
    SqlServer database{SqlServer::Kind::mysql};
    const auto query = [&](const std::string& sql) {
        return run_program({"mariadb", "--protocol=tcp", "-h127.0.0.1",
                            "-P" + std::to_string(database.port()), "-usipyard",
                            "-p" + SqlServer::plain_password(), "-N", "sipyard", "-e", sql})
            .output;
    };
    const std::map<std::string, std::string> defines{{"WITH_AUTH", ""},
                                                     {"WITH_USRLOCDB", ""},
                                                     {"WITH_ACCDB", ""},
                                                     {"DBMODULE", "\"db_mysql.so\""},
                                                     {"DBURL", "\"" + database.url() + "\""}};
    const std::uint16_t bob = free_port();
    const Sipp::Options alice{alice_calls_bob, {}, 3, "u1", "127.0.0.1", {"-au", "alice", "-ap", "alices"}};
    {
        Router router{defines};
        const std::string made = router.server.rpc("db.create", "[\"" + database.url() + "\"]");
        router.server.rpc("subscriber.add", R"(["bob@example.test","bobs"])");
        router.server.rpc("subscriber.add", R"(["alice@example.test","alices"])");
        Sipp registration{router,
                          "register_digest",
                          free_port(),
                          true,
                          {phone("bob", bob), {}, 1, "u1", "127.0.0.1", {"-au", "bob", "-ap", "bobs"}}};
        const int registered = registration.wait();
        INFO(made << registration.errors() << router.server.log());
        REQUIRE(registered == 0);
        expect_calls(router, "caller_digest", "phone_answers", alice, {}, bob);
        REQUIRE(router.server.stop());
    }
    Router again{defines};
    expect_calls(again, "caller_digest", "phone_answers", alice, {}, bob);
    REQUIRE(again.server.stop());
    CHECK(query("select count(*) from acc where method='INVITE' and sip_code='200' and src_user='alice'") ==
          "6\n");
}

SCENARIO("sipsak's ping is answered", "[calls]")
{
    Router router{{{"DOMAIN", "\"localhost\""}}};
    const Ran ran =
        run_program({"sipsak", "-vv", "-s", "sip:localhost", "-r", std::to_string(router.server.port())});
    INFO(ran.output);
    CHECK(ran.status == 0);
    CHECK_THAT(ran.output, Contains("200 Keepalive"));
}
