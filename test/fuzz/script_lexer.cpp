// test/fuzz/script_lexer.cpp - any bytes as a configuration: tokens, directives, defines, substitutions
#include "core/script/lexer.h"

#include <cassert>
#include <cstddef>
#include <cstdint>

using namespace sipyard;
using namespace sipyard::script;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size > 4096)
        return 0;
    Diagnostics diagnostics;
    Preprocessor preprocessor{expand_environment};
    // Every file includes the input itself: the depth limit must hold.
    const std::string text{reinterpret_cast<const char*>(data), size};
    std::size_t opened = 0;
    Lexer lexer{preprocessor, diagnostics, [&](const std::string&) -> Result<std::string> {
                    if (++opened > 64)
                        return Error{ErrorKind::not_found, "enough"};
                    return text;
                }};
    lexer.open("fuzz.cfg", text);
    for (std::size_t tokens = 0; tokens < 200'000; ++tokens) {
        const Token token = lexer.next();
        if (token.is_end())
            break;
        assert(token.at.line >= 1 && token.at.column >= 1);
    }
    (void)diagnostics.report();
    return 0;
}
