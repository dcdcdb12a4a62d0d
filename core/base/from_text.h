// core/base/from_text.h - the one door from an operator's text to a value
#pragma once

#include "core/base/clock.h"
#include "core/base/format.h"
#include "core/base/regex.h"
#include "core/base/result.h"
#include "core/base/text.h"
#include "core/base/units.h"

#include <concepts>
#include <string>

namespace sipyard {

// FromText<T>::parse(text) reads a T or says what was expected. `expected` names the type for messages,
// `integer` tells a modparam whether the operator writes a number or a string (Kamailio keeps them apart).
template <class T>
struct FromText;

template <>
struct FromText<std::string> {
    static constexpr bool integer = false;
    static constexpr std::string_view expected = "a string";
    static Result<std::string> parse(std::string_view text) { return std::string{text}; }
    static std::string print(const std::string& value) { return value; }
};

template <class T>
requires(std::integral<T> && !std::same_as<T, bool>) struct FromText<T> {
    static constexpr bool integer = true;
    static constexpr std::string_view expected = "an integer";
    static Result<T> parse(std::string_view text)
    {
        const auto number = parse_int(text);
        if (!number || static_cast<std::int64_t>(static_cast<T>(*number)) != *number)
            return invalid(format("'{}' is not an integer in range", text));
        return static_cast<T>(*number);
    }
    static std::string print(T value) { return std::to_string(value); }
};

template <>
struct FromText<bool> {
    static constexpr bool integer = true;
    static constexpr std::string_view expected = "a boolean (0 or 1)";
    static Result<bool> parse(std::string_view text)
    {
        const auto number = parse_int(text);
        if (!number)
            return invalid(format("'{}' is not a boolean", text));
        return *number != 0;
    }
    static std::string print(bool value) { return value ? "1" : "0"; }
};

template <class Unit, auto Member>
struct FromCount {
    static constexpr bool integer = true;
    static Result<Unit> parse(std::string_view text)
    {
        const auto number = parse_int(text);
        if (!number || *number < 0)
            return invalid(format("'{}' is not a number of at least 0", text));
        Unit unit;
        unit.*Member = static_cast<std::remove_reference_t<decltype(unit.*Member)>>(*number);
        return unit;
    }
    static std::string print(const Unit& value) { return std::to_string(value.*Member); }
};
template <>
struct FromText<ByteCount> : FromCount<ByteCount, &ByteCount::bytes> {
    static constexpr std::string_view expected = "a number of bytes";
};
template <>
struct FromText<Seconds> : FromCount<Seconds, &Seconds::count> {
    static constexpr std::string_view expected = "a number of seconds";
};
template <>
struct FromText<Milliseconds> : FromCount<Milliseconds, &Milliseconds::count> {
    static constexpr std::string_view expected = "a number of milliseconds";
};

template <>
struct FromText<Regex> { // as `=~`: POSIX extended, letters of either case
    static constexpr bool integer = false;
    static constexpr std::string_view expected = "a regular expression";
    static Result<Regex> parse(std::string_view text)
    {
        return Regex::compile(text, Regex::Syntax::posix_extended, Regex::Case::insensitive);
    }
};

template <>
struct FromText<Substitution> {
    static constexpr bool integer = false;
    static constexpr std::string_view expected = "a substitution /re/replacement/flags";
    static Result<Substitution> parse(std::string_view text) { return Substitution::parse(text); }
};

} // namespace sipyard
