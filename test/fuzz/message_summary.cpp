// test/fuzz/message_summary.cpp - any bytes as a message summary: what passes is clean and stays what it is
#include "modules/presence_mwi/summary.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace sipyard::presence_mwi;

namespace {

void promise(bool kept)
{
    if (!kept)
        std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto summary = parse_summary({reinterpret_cast<const char*>(data), size});
    if (!summary)
        return 0;
    promise(summary->classes.size() <= most_classes);
    // What goes into every NOTIFY has no line a stranger has slipped in, and reads as what was meant.
    const auto text = print_summary(*summary);
    std::size_t lines = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        promise(static_cast<unsigned char>(text[i]) >= ' ' || text[i] == '\r' || text[i] == '\n');
        promise((text[i] == '\n') == (i > 0 && text[i - 1] == '\r'));
        lines += text[i] == '\n' ? 1 : 0;
    }
    promise(lines == 1 + (summary->account.empty() ? 0 : 1) + summary->classes.size());
    const auto again = parse_summary(text);
    promise(again && *again == *summary);
    promise(canonical(*again) == canonical(*summary) && parse_summary(canonical(*summary)));
    return 0;
}
