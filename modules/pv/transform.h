// modules/pv/transform.h - what the transformations share: arguments, refusals
#pragma once

#include "modules/pv/lists.h"

#include <optional>
#include <span>
#include <string_view>

namespace sipyard::pv {

using Args = std::span<const Value>;

// The input as text; callers see a null input only in {val.*}, but the tests of a single row may pass one.
inline std::string_view in_text(Request& r, const Value& in) { return text_of(r, in); }

inline std::string_view arg_text(Request& r, Args args, std::size_t n)
{
    return n < args.size() ? text_of(r, args[n]) : std::string_view{};
}

// An integer argument: a number or a text that is one; nothing when it is neither.
inline std::optional<std::int64_t> arg_number(Args args, std::size_t n)
{
    if (n >= args.size())
        return {};
    return args[n].is_integer() ? std::optional{args[n].number()} : parse_int(trim(args[n].text()));
}

// One separator character; nothing when the argument is not exactly one.
inline std::optional<char> arg_char(Request& r, Args args, std::size_t n, char otherwise)
{
    if (n >= args.size())
        return otherwise;
    const auto text = arg_text(r, args, n);
    return text.size() == 1 ? std::optional{text[0]} : std::nullopt;
}

// The same at load, for the ops that take an index and then a separator.
inline Result<void> index_and_separator(Args constants)
{
    if (constants.size() > 1 && constants[1].is_text() && constants[1].text().size() != 1)
        return Error{ErrorKind::invalid,
                     format("\"{}\" is not one separator character", constants[1].text())};
    return numbers_at<0>(constants);
}

// Null, with the reason in the log.
inline Value refuse(Request& r, std::string_view transformation, std::string_view why, std::string_view input)
{
    logger(r).error("{{{}}}: {}: '{}'", transformation, why, input);
    return {};
}

} // namespace sipyard::pv
