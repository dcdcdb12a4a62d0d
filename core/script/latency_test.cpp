// core/script/latency_test.cpp - slow actions and routes are named in the log; check_via
#include "test/support/catch.h"
#include "test/support/run_script.h"

#include "core/module/manifest.h"

using namespace sipyard;
using test::FakeHost;
using test::Messenger;
using test::ScriptFixture;

namespace {

// An action takes as long as the script says.
class Slow {
public:
    struct Settings {};
    Slow(const Settings&, Host& host) : host_{host} {}
    Verdict take(Request&, std::int64_t us)
    {
        dynamic_cast<FakeHost&>(host_).advance(std::chrono::microseconds{us});
        return Verdict::yes();
    }
    static Manifest<Slow> manifest()
    {
        return {.name = "slow", .functions = {function("take", &Slow::take, "time")}};
    }

private:
    Host& host_;
};

} // namespace

TEST_CASE("actions and routes that take too long are named", "[script]")
{
    const struct {
        const char* story;
        const char* settings;
        const char* body;
        const char* expected; // in the log
        bool there;
    } rows[] = {
        {"above the limit", "latency_limit_action=1000", "take(1500);",
         "action [take] cfg [test.cfg:3] took too long [1500 us]", true},
        {"below it", "latency_limit_action=1000", "take(900);", "took too long", false},
        {"without a limit", "debug=3", "take(5000000);", "took too long", false},
        {"the block around it too", "latency_limit_action=1000", "if ($rc == 1 || 1) { take(2000); }",
         "action [if]", true},
        {"at the level asked for", "latency_limit_action=1000 latency_log=2", "take(1500);",
         "INFO: <core>: alert - action [take]", true},
        {"a level that is not printed", "latency_limit_action=1000 latency_log=3", "take(1500);",
         "took too long", false},
        {"the whole route", "latency_cfg_log=1", "take(1500);", "request-route executed in: 1500 usec", true},
        {"only from its limit on", "latency_cfg_log=1 latency_limit_cfg=2000", "take(1500);",
         "request-route executed", false},
        {"at debug by default", "", "take(1500);", "request-route executed", false},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        FakeHost host;
        ScriptFixture script{host, {erase(Slow::manifest())}};
        REQUIRE(script.load(std::string{row.settings} + "\nloadmodule \"slow.so\"\nrequest_route { " +
                            row.body + " }"));
        script.run();
        INFO(host.log_lines().text());
        const std::string expected = row.expected;
        const auto cfg = expected.find("test.cfg");
        // The fixture chooses the file's name.
        CHECK(host.log_lines().has(cfg == std::string::npos ? expected : expected.substr(0, cfg)) ==
              row.there);
        if (cfg != std::string::npos)
            CHECK(host.log_lines().has(expected.substr(cfg + 8)) == row.there);
    }
}

TEST_CASE("check_via lets only replies to our own Via pass", "[script]")
{
    const struct {
        const char* story;
        const char* settings;
        bool ours, dropped;
    } rows[] = {
        {"nobody asked for the check", "", false, false},
        {"a Via that is ours", "check_via=yes", true, false},
        {"somebody else's", "check_via=yes", false, true},
    };
    for (const auto& row : rows) {
        for (const char* const route : {"", "reply_route { $var(seen) = 1; }"}) {
            INFO(row.story << " " << route);
            FakeHost host;
            ScriptFixture script{host};
            Messenger reply{host, test::sample_reply(), Route::core_reply};
            if (row.ours)
                host.add_myself(std::string{reply->message().top_via()->host});
            REQUIRE(script.load(std::string{row.settings} + "\nrequest_route { ; }\n" + route));
            CHECK(script.engine().run_reply(*reply).dropped == row.dropped);
            CHECK(host.log_lines().has("host in first via!=me") == row.dropped);
        }
    }
}
