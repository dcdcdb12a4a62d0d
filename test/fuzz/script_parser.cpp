// test/fuzz/script_parser.cpp - any bytes as a configuration: the parser reports or gives a tree, and never
// crashes
#include "core/script/parser_fakes.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

using namespace sipyard;
using namespace sipyard::script;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size > 4096)
        return 0;
    const std::string text{reinterpret_cast<const char*>(data), size};
    const fakes::Parsed parsed{text, {}, {{"self.cfg", text.substr(0, 64)}}};
    // A tree is given exactly when nothing was wrong, and it can be walked.
    if (parsed.config.has_value() == parsed.diagnostics.failed())
        std::abort();
    if (parsed.config)
        for (const ast::RouteBlock& route : parsed.config->routes)
            (void)fakes::print(route.body);
    (void)parsed.diagnostics.report();
    return 0;
}
