// core/base/format.cpp - format() on top of fmt
#include "core/base/format.h"

#include <fmt/args.h>
#include <fmt/format.h>

#include <iterator>

namespace sipyard {

void format_to(std::string& out, std::string_view text, std::span<const FormatArg> args)
{
    using Context = fmt::format_context;
    constexpr std::size_t most = 24;
    fmt::basic_format_arg<Context> list[most];
    const std::size_t count = args.size() < most ? args.size() : most;
    for (std::size_t i = 0; i < count; ++i) {
        const FormatArg& arg = args[i];
        switch (arg.kind) {
        case FormatArg::Kind::integer:
            list[i] = fmt::detail::make_arg<Context>(static_cast<long long>(arg.integer));
            break;
        case FormatArg::Kind::natural:
            list[i] = fmt::detail::make_arg<Context>(static_cast<unsigned long long>(arg.natural));
            break;
        case FormatArg::Kind::real: list[i] = fmt::detail::make_arg<Context>(arg.real); break;
        case FormatArg::Kind::text:
            list[i] = fmt::detail::make_arg<Context>(fmt::string_view{arg.text.data(), arg.text.size()});
            break;
        case FormatArg::Kind::character:
            list[i] = fmt::detail::make_arg<Context>(static_cast<char>(arg.integer));
            break;
        }
    }
    fmt::vformat_to(std::back_inserter(out), fmt::string_view{text.data(), text.size()},
                    fmt::basic_format_args<Context>{list, static_cast<int>(count)});
}

} // namespace sipyard
