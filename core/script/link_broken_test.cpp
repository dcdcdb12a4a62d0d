// core/script/link_broken_test.cpp - joins linking to the broken configurations: test/broken/30_ and up parse
// and do not link
#include "core/script/link_fakes.h"
#include "core/script/parser_broken.h"
#include "test/support/fake_host.h"

#include "core/script/engine.h"

namespace sipyard::script {

namespace {

void link_as_server(const ast::Config& config, Diagnostics& diagnostics)
{
    test::FakeHost host;
    Engine engine{host};
    // The fake modules have functions; variables and transformations come from the probe.
    static const AnyManifest probe = erase(Probe::manifest());
    engine.declare({{&probe, nullptr}});
    std::vector<ModuleInstance> modules;
    for (const ast::ModuleUse& use : config.modules)
        modules.push_back({use.manifest, nullptr});
    (void)engine.link(config, modules, diagnostics);
}

[[maybe_unused]] const bool joined = (fakes::link_stage() = link_as_server, true);

} // namespace

} // namespace sipyard::script
