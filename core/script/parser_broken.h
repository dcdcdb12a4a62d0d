// core/script/parser_broken.h - for tests: what reading test/broken/*.cfg says, and how linking joins in
#pragma once

#include "core/script/parser_fakes.h"

#include <functional>

namespace sipyard::script::fakes {

// Files up to 29_ are wrong for the parser; later ones parse, and the link stage refuses them. Whoever has a
// link stage sets it before the tests run; without one the later files are not checked.
using LinkStage = std::function<void(const ast::Config& config, Diagnostics& diagnostics)>;
inline LinkStage& link_stage()
{
    static LinkStage stage;
    return stage;
}

// The report for a file, its path relative to the root of the tree.
inline std::string broken_report(const std::string& path)
{
    Loader loader;
    Diagnostics diagnostics;
    const auto config = parse_config(path, {}, loader, diagnostics);
    if (config && link_stage())
        link_stage()(*config, diagnostics);
    return diagnostics.report();
}

} // namespace sipyard::script::fakes
