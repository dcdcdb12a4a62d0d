// test/fuzz/framing.cpp - a stream in pieces must be cut as it is in one piece
#include "core/sip/framing.h"

#include <cstdint>
#include <cstdlib>
#include <string>

using namespace sipyard;
using namespace sipyard::sip;

namespace {

// The ends of the messages found; pings and single CRLFs depend on the pieces and are left out.
std::string cut(std::string_view stream, std::size_t step)
{
    Framer framer{{.max_headers = 4096, .max_message = 8192, .require_content_length = false}};
    std::string seen;
    std::size_t begin = 0, end = 0;
    while (end < stream.size()) {
        end = std::min(end + step, stream.size());
        for (;;) {
            const auto frame = framer.next(stream.substr(begin, end - begin));
            if (frame.kind == Framer::Kind::more)
                break;
            if (frame.kind == Framer::Kind::garbage || frame.kind == Framer::Kind::too_large)
                return seen + "!";
            if (frame.size == 0 || frame.size > end - begin)
                std::abort();
            begin += frame.size;
            if (frame.kind == Framer::Kind::message)
                seen += std::to_string(begin) + " ";
        }
    }
    return seen;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0)
        return 0;
    const std::string_view stream{reinterpret_cast<const char*>(data) + 1, size - 1};
    if (cut(stream, stream.size() + 1) != cut(stream, 1 + data[0] % 64))
        std::abort();
    return 0;
}
