// core/base/format.h - format("{} of {:x}", a, b): text with values put in; the library stays in format.cpp
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace sipyard {

class FormatArg {
public:
    enum class Kind : unsigned char { integer, natural, real, text, character };
    template <class T>
    static FormatArg of(const T& value)
    {
        FormatArg arg;
        if constexpr (std::is_same_v<T, char>) {
            arg.kind = Kind::character;
            arg.integer = value;
        } else if constexpr (std::is_enum_v<T>) {
            arg.kind = Kind::text;
            arg.text = to_text(value); // every enum that is printed has one
        } else if constexpr (std::is_same_v<T, bool>) {
            arg.kind = Kind::text;
            arg.text = value ? "true" : "false";
        } else if constexpr (std::signed_integral<T>) {
            arg.kind = Kind::integer;
            arg.integer = value;
        } else if constexpr (std::unsigned_integral<T>) {
            arg.kind = Kind::natural;
            arg.natural = value;
        } else if constexpr (std::floating_point<T>) {
            arg.kind = Kind::real;
            arg.real = value;
        } else {
            arg.kind = Kind::text;
            arg.text = std::string_view{value};
        }
        return arg;
    }

    Kind kind = Kind::integer;
    union {
        std::int64_t integer = 0;
        std::uint64_t natural;
        double real;
    };
    std::string_view text{};
};

// A format text whose number of {} is compared with the number of values when it is compiled.
template <class... Args>
class FormatText {
public:
    consteval FormatText(const char* text) : text_{text}
    {
        std::size_t fields = 0;
        for (std::size_t i = 0; i < text_.size(); ++i) {
            if (text_[i] == '{') {
                if (i + 1 < text_.size() && text_[i + 1] == '{')
                    ++i;
                else
                    ++fields;
            }
        }
        if (fields != sizeof...(Args))
            throw "the number of {} differs from the number of values";
    }
    constexpr std::string_view text() const { return text_; }

private:
    std::string_view text_;
};

void format_to(std::string& out, std::string_view text, std::span<const FormatArg> args);

template <class... Args>
std::string format(FormatText<std::type_identity_t<Args>...> text, const Args&... args)
{
    const FormatArg list[sizeof...(Args) + 1] = {FormatArg::of(args)...};
    std::string out;
    format_to(out, text.text(), {list, sizeof...(Args)});
    return out;
}

} // namespace sipyard
