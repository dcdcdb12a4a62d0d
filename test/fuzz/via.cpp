// test/fuzz/via.cpp - any bytes as a Via value: read it, complete it, read it again
#include "core/sip/build.h"

#include <cstdint>
#include <cstdlib>

using namespace sipyard;
using namespace sipyard::sip;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    Via via;
    if (!read({reinterpret_cast<const char*>(data), size}, via).empty())
        return 0;
    Arena arena;
    const auto text = with_source(via, {.address = "2001:db8::1", .port = 65535, .force_rport = true}, arena);
    Via again;
    if (!read(text, again).empty() || again.rport != 65535 || again.received != "2001:db8::1" ||
        again.host != via.host)
        std::abort();
    return 0;
}
