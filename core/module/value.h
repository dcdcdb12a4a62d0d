// core/module/value.h - what a script handles: an integer, a text or null; and the index of $(name[index])
#pragma once

#include <cstdint>
#include <string_view>

namespace sipyard {

// Trivially copyable. A text points into the message, the request's arena or the program: it is valid until
// the request ends, and who keeps it longer copies it.
class Value {
public:
    enum class Type : unsigned char { null, integer, text };

    constexpr Value() = default; // null
    constexpr Value(std::int64_t number) : number_{number}, type_{Type::integer} {}
    constexpr Value(int number) : Value{static_cast<std::int64_t>(number)} {}
    constexpr Value(std::string_view text) : text_{text}, type_{Type::text} {}
    constexpr Value(const char* text) : Value{std::string_view{text}} {}

    constexpr Type type() const { return type_; }
    constexpr bool is_null() const { return type_ == Type::null; }
    constexpr bool is_integer() const { return type_ == Type::integer; }
    constexpr bool is_text() const { return type_ == Type::text; }
    constexpr std::int64_t number() const { return number_; } // 0 unless it is an integer
    constexpr std::string_view text() const { return text_; } // empty unless it is a text

    friend constexpr bool operator==(const Value& a, const Value& b)
    {
        return a.type_ == b.type_ && a.number_ == b.number_ && a.text_ == b.text_;
    }

private:
    std::string_view text_{};
    std::int64_t number_ = 0;
    Type type_ = Type::null;
};

// The n of $(hdr(X)[n]): negative counts from the end, `all` is [*]. `none` when there is no index.
struct Index {
    enum class Kind : unsigned char { none, at, all };
    Kind kind = Kind::none;
    std::int64_t at = 0;
    // The element meant in a list of `count`, -1 when it is outside.
    constexpr std::int64_t resolve(std::int64_t count) const
    {
        const std::int64_t i = kind == Kind::at ? (at < 0 ? count + at : at) : 0;
        return i >= 0 && i < count ? i : -1;
    }
};

} // namespace sipyard
