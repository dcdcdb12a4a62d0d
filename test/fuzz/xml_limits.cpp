// test/fuzz/xml_limits.cpp - any bytes as the body of a PUT: refused with an error document, or within the
// limits
#include "core/xml/check.h"
#include "modules/xcap_server/body.h"

#include <cstdint>
#include <cstdlib>

using namespace sipyard;
using namespace sipyard::xcap_server;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static const Usages usages = must(Usages::make({}, {}));
    const std::string_view body{reinterpret_cast<const char*>(data), size};
    const xml::Limits limits{8, 100, 16, 32};
    const auto problem = examine(without_mark(body), *usages.find("resource-lists"), {}, limits);
    if (problem) {
        // Whatever the phrase quotes, the answer is a document.
        if (!xml::check(error_document(*problem)))
            std::abort();
        return 0;
    }
    const auto checked = xml::check(body, limits);
    if (!checked || checked.facts.depth > limits.depth || checked.facts.elements > limits.elements ||
        checked.facts.root_name != "resource-lists")
        std::abort();
    return 0;
}
