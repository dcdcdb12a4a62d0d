// modules/ctl/ctl_test.cpp - old control parameters are taken, with a warning where nothing listens
#include "core/json/value.h"
#include "core/module/module.h"
#include "test/support/catch.h"
#include "test/support/run_script.h"

extern "C" const sipyard::ModuleEntry* sipyard_module();

namespace sipyard::ctl {

TEST_CASE("a configuration for binrpc starts and is told", "[ctl]")
{
    test::FakeHost host;
    const AnyManifest manifest = sipyard_module()->manifest();
    test::ScriptFixture script{host, {manifest}};
    const bool loaded = script.load(
        "loadmodule \"ctl.so\"\nmodparam(\"ctl\", \"binrpc\", \"unix:/tmp/x\")\n"
        "modparam(\"ctl\", \"mode\", 0600)\nmodparam(\"ctl\", \"user\", \"nobody\")\nrequest_route { ; }\n");
    INFO(script.errors());
    REQUIRE(loaded);
    CHECK(host.log_lines().count("nothing listens at unix:/tmp/x") == 1);
    for (const auto& command : manifest.commands) {
        const auto answer = command.run(script.module("ctl"), json::Value{});
        REQUIRE(answer);
        CHECK(answer->dump() == (command.name == "ctl.connections" ? "0"
                                 : command.name == "ctl.who"       ? "[]"
                                                                   : answer->dump()));
    }
}

} // namespace sipyard::ctl
