// test/scenario/process_test.cpp - the programs themselves: options, exit statuses, daemon mode, signals,
// sipyardctl
#include "core/json/value.h"
#include "test/support/catch.h"
#include "test/support/running_server.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <unistd.h>

using namespace sipyard;
using namespace sipyard::test;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

const std::string simple =
    "auto_aliases=no\nlisten=udp:127.0.0.1:PORT\nlisten=tcp:127.0.0.1:PORT\n"
    "loadmodule \"sl.so\"\nloadmodule \"pv.so\"\nloadmodule \"xlog.so\"\n"
    "request_route {\n\txlog(\"L_INFO\", \"a talkative line\\n\");\n\tsl_send_reply(\"200\", \"OK\");\n}\n";

std::string sipyard_program() { return build_folder() + "/sipyard"; }

Ran sipyard_with(std::vector<std::string> arguments)
{
    arguments.insert(arguments.begin(), sipyard_program());
    return run_program(arguments);
}

bool answers(std::uint16_t port)
{
    UdpClient client{port};
    return client.ask(sip_request("OPTIONS", "sip:127.0.0.1", "alive", client.port()))
        .starts_with("SIP/2.0 200");
}

std::string contents(const std::string& path)
{
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

// A process that is gone, or only waits for its parent to notice.
bool ended(int pid)
{
    const std::string stat = contents("/proc/" + std::to_string(pid) + "/stat");
    const auto name_end = stat.rfind(')');
    return name_end == std::string::npos || stat.substr(name_end + 2, 1) == "Z";
}

} // namespace

SCENARIO("the command line answers questions", "[process]")
{
    TempDir folder;
    const struct {
        const char* story;
        std::vector<std::string> arguments;
        int status;
        std::string expected;
    } rows[] = {
        {"which version", {"-v"}, 0, "version: sipyard "},
        {"the same in long", {"--version"}, 0, "version: sipyard "},
        {"what can it do", {"-h"}, 0, "usage: sipyard"},
        {"what is in it", {"-I"}, 0, "xcap_server"},
        {"what does a module offer", {"--describe", "xhttp"}, 0, "xhttp_reply"},
        {"a module that is not there", {"--describe", "nosuch"}, 255, "nosuch"},
        {"an option nobody knows", {"-Z"}, 255, "unknown option"},
        {"a long one nobody knows", {"--surprise"}, 255, "--surprise"},
        {"an option without its value", {"-f"}, 255, "-f"},
        {"a number that is none", {"--worker-threads=many"}, 255, "many"},
        {"a word too many", {"now"}, 255, "now"},
        {"a file that is not there", {"-c", "-f", folder.file("absent.cfg")}, 255, "absent.cfg"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const Ran ran = sipyard_with(row.arguments);
        CHECK(ran.status == row.status);
        CHECK_THAT(ran.output, Contains(row.expected));
    }
}

SCENARIO("-c tells a good file from a bad one", "[process]")
{
    TempDir folder;
    const Ran good = sipyard_with({"-c", "-f", folder.write("good.cfg", simple), "-A", "PORT=5060"});
    INFO(good.output);
    CHECK(good.status == 0);
    CHECK_THAT(good.output, Contains("config file ok, exiting...\n"));
    CHECK_THAT(good.output, Contains("udp:127.0.0.1:5060"));

    const std::string path = folder.write("bad.cfg", "loadmodule \"sl.so\"\n"
                                                     "modparam(\"sl\", \"no_such_parameter\", 1)\n"
                                                     "request_route {\n"
                                                     "\tno_such_function(\"x\");\n"
                                                     "}\n");
    const Ran bad = sipyard_with({"-c", "-f", path});
    INFO(bad.output);
    CHECK(bad.status == 255);
    CHECK_THAT(bad.output, Contains(path + ":2:"));
    CHECK_THAT(bad.output, Contains("no_such_parameter"));
    CHECK_THAT(bad.output, Contains(path + ":4:2: error: "));
    CHECK_THAT(bad.output, Contains("no_such_function(\"x\");\n"));
    CHECK_THAT(bad.output, Contains("^"));
    CHECK_THAT(bad.output, Contains("ERROR: bad config file (2 errors)"));

    // The examples that come with it are good.
    for (const char* const example : {"etc/quickstart.cfg", "etc/xcap_server.cfg"}) {
        INFO(example);
        CHECK(sipyard_with({"-c", "-f", example, "-A", "DBURL=\"sqlite://" + folder.file("c.db") + "\""})
                  .status == 0);
        CHECK_FALSE(std::filesystem::exists(folder.file("c.db"))); // looking at a file changes nothing
    }
}

SCENARIO("as a daemon it leaves when it is ready, and stops on TERM", "[process]")
{
    TempDir folder;
    const std::uint16_t port = free_port();
    const std::string pid_file = folder.file("sipyard.pid"), config = folder.write("d.cfg", simple);
    const std::vector<std::string> arguments = {"-f", config,        "-P", pid_file,
                                                "-Y", folder.path(), "-A", "PORT=" + std::to_string(port)};
    const Ran started = sipyard_with(arguments);
    INFO(started.output);
    REQUIRE(started.status == 0);
    const int pid = std::atoi(contents(pid_file).c_str());
    REQUIRE(pid > 1);
    struct Killer {
        int pid;
        ~Killer() { ::kill(pid, SIGKILL); }
    } killer{pid};
    CHECK(answers(port)); // from the first moment
    THEN("a second one on the same port says why it does not start")
    {
        const Ran second =
            sipyard_with({"-f", config, "-Y", folder.file("other"), "-A", "PORT=" + std::to_string(port)});
        CHECK(second.status == 255);
        CHECK_THAT(second.output, Contains("127.0.0.1:" + std::to_string(port)));
        CHECK_THAT(second.output, Contains("in use"));
        const Ran third = sipyard_with(
            {"-D", "-E", "-f", config, "-Y", folder.file("other"), "-A", "PORT=" + std::to_string(port)});
        CHECK(third.status == 255);
        CHECK(answers(port));
    }
    THEN("TERM ends it and takes the pid file away")
    {
        ::kill(pid, SIGTERM);
        CHECK(wait_until([&] { return ended(pid); }, 15'000));
        CHECK_FALSE(std::filesystem::exists(pid_file));
        CHECK_FALSE(std::filesystem::exists(folder.file("sipyard_rpc.sock")));
    }
    THEN("sipyardctl stop does the same")
    {
        CHECK(run_program({build_folder() + "/sipyardctl", "-s", folder.file("sipyard_rpc.sock"), "stop"})
                  .status == 0);
        CHECK(wait_until([&] { return ended(pid); }, 15'000));
    }
}

SCENARIO("with fork=no it stays with the shell that started it", "[process]")
{
    TempDir folder;
    const std::uint16_t port = free_port();
    const std::string config = folder.write("d.cfg", "fork=no\n" + std::string{simple});
    Program program{{build_folder() + "/sipyard", "-f", config, "-Y", folder.path(), "-A",
                     "PORT=" + std::to_string(port)}};
    CHECK(wait_until([&] { return !rpc(folder.file("sipyard_rpc.sock"), "core.uptime").empty(); }));
    CHECK(answers(port));
    program.kill(SIGTERM);
    CHECK(program.wait() == 0);
    CHECK_FALSE(std::filesystem::exists(folder.file("sipyard_rpc.sock")));
}

SCENARIO("TERM lets a request in hand finish", "[process]")
{
    TempDir folder;
    const std::string database = folder.file("t.db");
    sqlite(database, "pragma journal_mode=wal; create table slow (id integer primary key, n integer); insert "
                     "into slow values (1, 0)");
    ServerProcess server{
        folder.write("t.cfg",
                     "auto_aliases=no\nlisten=udp:127.0.0.1:PORT\n"
                     "loadmodule \"db_sqlite.so\"\nloadmodule \"sl.so\"\nloadmodule \"pv.so\"\nloadmodule "
                     "\"sqlops.so\"\n"
                     "modparam(\"sqlops\", \"sqlcon\", \"db=>sqlite://" +
                         database +
                         "\")\n"
                         "request_route {\n"
                         "\tsl_send_reply(\"100\", \"Trying\");\n"
                         "\t$var(r) = sql_query(\"db\", \"update slow set n = n + 1 where id = 1\");\n"
                         "\tsl_send_reply(\"200\", \"Result $var(r)\");\n"
                         "}\n"),
        {},
        {"--debug=2"}};
    SqliteLock lock{database};
    UdpClient client{server.port()};
    CHECK_THAT(client.ask(sip_request("MESSAGE", "sip:127.0.0.1", "in-hand", client.port())),
               StartsWith("SIP/2.0 100 Trying"));
    server.kill(SIGTERM);
    REQUIRE(
        wait_until([&] { return server.output().find("finishing what is in hand") != std::string::npos; }));
    CHECK(server.wait(0) == -1); // still there
    lock.release();
    CHECK_THAT(client.receive(), StartsWith("SIP/2.0 200 Result 2"));
    CHECK(server.wait() == 0);
    CHECK(sqlite(database, "select n from slow") == "1\n");
}

SCENARIO("HUP, and the log level at run time", "[process]")
{
    TempDir folder;
    ServerProcess server{folder.write("h.cfg", simple), {}, {"--debug=1"}};
    REQUIRE(answers(server.port()));
    server.kill(SIGHUP);
    CHECK(wait_until([&] { return server.output().find("log reopened") != std::string::npos; }));
    CHECK(answers(server.port()));
    CHECK(server.output().find("a talkative line") == std::string::npos);
    CHECK_THAT(server.rpc("core.log_level", "[2]"), Contains("\"debug\":2"));
    CHECK(answers(server.port()));
    CHECK(wait_until([&] { return server.output().find("a talkative line") != std::string::npos; }));
    CHECK_THAT(server.rpc("core.log_level", "[\"loud\"]"), Contains("expected a level"));
    server.kill(SIGTERM);
    CHECK(server.wait() == 0);
}

SCENARIO("started as root it need not stay root", "[process]")
{
    if (::getuid() != 0) {
        WARN("not root: nothing to give up");
        return;
    }
    TempDir folder;
    ::chmod(folder.path().c_str(), 0755);
    ServerProcess server{folder.write("u.cfg", simple), {}, {"-u", "nobody", "-g", "nogroup"}};
    REQUIRE(wait_until([&] { // the socket answers a moment before the user is changed
        return contents("/proc/" + std::to_string(server.pid()) + "/status")
                   .find("\nUid:\t65534\t65534\t65534") != std::string::npos;
    }));
    const std::string status = contents("/proc/" + std::to_string(server.pid()) + "/status");
    CHECK_THAT(status, Contains("\nGid:\t65534\t65534\t65534"));
    CHECK_THAT(status, Contains("\nGroups:\t65534 \n"));
    for (const auto& thread :
         std::filesystem::directory_iterator{"/proc/" + std::to_string(server.pid()) + "/task"})
        CHECK_THAT(contents(thread.path().string() + "/status"), Contains("\nUid:\t65534\t"));
    CHECK(answers(server.port()));
    struct stat socket {};
    REQUIRE(::stat(server.rpc_path().c_str(), &socket) == 0);
    CHECK(socket.st_uid == 65534);
    CHECK((socket.st_mode & 07) == 0); // nobody else may command it
    CHECK(server.rpc("core.uptime").find("up_since") != std::string::npos);
    server.kill(SIGTERM);
    CHECK(server.wait() == 0);

    CHECK_THAT(sipyard_with({"-D", "-E", "-f", folder.file("u.cfg"), "-Y", folder.path(), "-A",
                             "PORT=" + std::to_string(free_port()), "-u", "no-such-user"})
                   .output,
               Contains("user 'no-such-user' does not exist"));
}

SCENARIO("sipyardctl talks to the server, in tables and in JSON", "[process]")
{
    TempDir folder;
    ServerProcess server{folder.write("c.cfg", simple), {}};
    const auto ctl = [&](std::vector<std::string> words) {
        words.insert(words.begin(), {build_folder() + "/sipyardctl", "-s", server.rpc_path()});
        return run_program(words);
    };
    const Ran uptime = ctl({"uptime"});
    CHECK(uptime.status == 0);
    CHECK_THAT(uptime.output, Contains("up_since"));
    const Ran modules = ctl({"modules"});
    CHECK_THAT(modules.output, Contains("xlog"));
    CHECK_THAT(ctl({"sockets"}).output, Contains("udp:127.0.0.1:" + std::to_string(server.port())));

    REQUIRE(answers(server.port()));
    const auto stats = json::parse(ctl({"stats", "core", "--json"}).output);
    REQUIRE(stats);
    CHECK((*stats)["core.rcv_requests"].integer() == 1);
    const auto info = json::parse(ctl({"info", "--json"}).output);
    REQUIRE(info);
    CHECK((*info)["pid"].integer() == server.pid());

    const Ran unknown = ctl({"no.such_command"});
    CHECK(unknown.status == 1);
    CHECK_THAT(unknown.output, StartsWith("sipyardctl: "));
    const Ran nobody =
        run_program({build_folder() + "/sipyardctl", "-s", folder.file("absent.sock"), "uptime"});
    CHECK(nobody.status == 1);
    CHECK_THAT(nobody.output, Contains("no server answers"));
    CHECK_THAT(run_program({build_folder() + "/sipyardctl", "help"}).output, Contains("xcap list"));

    // The completion is a script that bash reads, and it offers commands.
    const Ran completion = run_program({build_folder() + "/sipyardctl", "completion"});
    CHECK(completion.status == 0);
    CHECK(completion.output.size() > 100);
    const std::string script = folder.write("completion", completion.output);
    CHECK(run_program({"bash", "-n", script}).status == 0);
    CHECK_THAT(run_program({"bash", "-c", "source " + script + " && complete -p sipyardctl"}).output,
               Contains("complete"));
}
