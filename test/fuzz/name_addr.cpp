// test/fuzz/name_addr.cpp - any bytes as a comma list of addresses
#include "core/sip/name_addr.h"
#include "core/sip/lists.h"
#include "core/sip/uri.h"

#include <cstdint>
#include <cstdlib>

using namespace sipyard;
using namespace sipyard::sip;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view rest{reinterpret_cast<const char*>(data), size}, element;
    std::size_t total = 0;
    while (next_in_list(rest, element)) {
        total += element.size();
        NameAddr address;
        if (!read(element, address).empty())
            continue;
        Uri uri;
        (void)read(address.uri, uri);
        (void)address.q();
        (void)address.expires();
        (void)address.tag();
        (void)address.display_plain();
        (void)address.params.check();
    }
    if (total > size)
        std::abort();
    return 0;
}
