// test/support/catch.h - Catch2 2.13 as our tests use it: enums and Result print as words
#pragma once

#include "core/base/result.h"

#define CATCH_CONFIG_FAST_COMPILE
#include <catch2/catch.hpp>

#include <string>

namespace Catch {

template <class E>
requires(std::is_enum_v<E>&& requires(E e) { std::string{to_text(e)}; }) struct StringMaker<E> {
    static std::string convert(E value) { return std::string{to_text(value)}; }
};

} // namespace Catch

namespace sipyard {

// The error's sentence, or nothing: `INFO(why(result))` explains a failed CHECK(result).
template <class T>
std::string why(const Result<T>& result)
{
    return result ? std::string{} : std::string{to_text(result.error().kind)} + ": " + result.error().text;
}

} // namespace sipyard
