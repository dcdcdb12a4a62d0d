// test/fuzz/uri.cpp - any bytes as a URI: read, print, read again, compare, escape
#include "core/sip/uri.h"

#include <cstdint>
#include <cstdlib>

using namespace sipyard;
using namespace sipyard::sip;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    Uri uri;
    if (read(text, uri).empty()) {
        Arena arena;
        Uri again;
        if (!read(print(uri, arena), again).empty() || !same_uri(uri, again))
            std::abort();
        (void)uri.host_port();
        (void)uri.user_part();
        (void)uri.transport();
        (void)uri.params.check();
    }
    if (unescape(escape_user(text)) != text || unescape(escape_param(text)) != text)
        std::abort();
    return 0;
}
