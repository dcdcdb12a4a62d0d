// modules/xlog/xlog_test.cpp - log lines of the script
#include "core/module/module.h"
#include "test/support/catch.h"
#include "test/support/run_script.h"

namespace sipyard::xlog {
namespace {

using test::Loaded;

} // namespace

TEST_CASE("a line is written at its level", "[xlog]")
{
    const struct {
        const char* story;
        const char* body;
        const char* line;
        bool written;
    } rows[] = {
        {"without a level: an error", "$var(u) = \"bob\"; xlog(\"to $var(u)\\n\");",
         "ERROR: <script>: to bob", true},
        {"by name", "xlog(\"L_INFO\", \"x=$var(u)\");", "x=", true},
        {"by number", "xlog(\"-1\", \"one\");", "one", true},
        {"with a facility", "xlog(\"LOG_LOCAL1\", \"L_ERR\", \"two\");", "two", true},
        {"below the threshold", "xlog(\"L_DBG\", \"three\");", "three", false},
        {"xdbg", "xdbg(\"four\");", "four", false},
        {"xinfo", "xinfo(\"five\");", "five", true},
        {"no level", "xlog(\"L_LOUD\", \"six\");", "'L_LOUD' is no log level", true},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Loaded f{row.body};
        f.script.run();
        INFO(f.host.log_lines().text());
        CHECK(f.host.log_lines().has(row.line) == row.written);
    }
}

TEST_CASE("a text is cut at buf_size", "[xlog]")
{
    Loaded f{"xlog(\"0123456789\");",
             "modparam(\"xlog\", \"buf_size\", 4)\nmodparam(\"xlog\", \"prefix\", \"> \")"};
    f.script.run();
    CHECK(f.host.log_lines().has("<script>: > 0123"));
    CHECK_FALSE(f.host.log_lines().has("01234"));
}

TEST_CASE("log_prefix stands before every line, with the message's values", "[xlog]")
{
    test::FakeHost host;
    host.settings.log_prefix = "rc=$rc ";
    test::ScriptFixture script{host, {sipyard_module()->manifest()}};
    REQUIRE(script.load("loadmodule \"xlog.so\"\nrequest_route {\n\txlog(\"here\");\n}\n"));
    script.run();
    INFO(host.log_lines().text());
    CHECK(host.log_lines().has("rc=1 <script>: here"));
}

} // namespace sipyard::xlog
