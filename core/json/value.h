// core/json/value.h - JSON values in the order they were written (RFC 8259): RPC, statistics, web hooks
#pragma once

#include "core/base/result.h"

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sipyard::json {

enum class Type : unsigned char { null, boolean, integer, real, string, array, object };
std::string_view to_text(Type type);

struct Member;

// A value type. Questions of the wrong type get the fallback, so that reading a stranger's document needs no
// ladder of ifs: `doc["params"]["limit"].integer(50)`. Integers are 64 bits signed; a larger whole number is
// read as a real.
class Value {
public:
    using Array = std::vector<Value>;
    using Object = std::vector<Member>; // in order; names are unique

    Value() = default; // null
    Value(std::nullptr_t) {}
    Value(bool value) : state_{value} {}
    template <std::integral T>
    Value(T value) : state_{static_cast<std::int64_t>(value)}
    {
    }
    Value(double value) : state_{value} {}
    Value(const char* text) : state_{std::string{text}} {}
    Value(std::string_view text) : state_{std::string{text}} {}
    Value(std::string text) : state_{std::move(text)} {}
    static Value array(Array items = {});
    static Value object(); // fill it with set()

    Type type() const { return static_cast<Type>(state_.index()); }
    bool is_null() const { return type() == Type::null; }
    bool is_string() const { return type() == Type::string; }
    bool is_integer() const { return type() == Type::integer; }
    bool is_array() const { return type() == Type::array; }
    bool is_object() const { return type() == Type::object; }

    bool boolean(bool otherwise = false) const;
    std::int64_t integer(std::int64_t otherwise = 0) const;       // also of a real that is whole and in range
    double real(double otherwise = 0) const;                      // also of an integer
    std::string_view text(std::string_view otherwise = {}) const; // lives as long as the value

    const Array& items() const;                           // none when it is no array
    const Object& members() const;                        // none when it is no object
    std::size_t size() const;                             // items or members
    const Value* find(std::string_view name) const;       // nullptr when absent
    const Value& operator[](std::string_view name) const; // null when absent
    const Value& operator[](std::size_t index) const;     // null when absent

    Value& set(std::string_view name,
               Value value); // replaces one of that name; null becomes an object; returns *this
    Value& add(Value value); // null becomes an array; returns *this

    // Bytes that are no UTF-8 become U+FFFD, NaN and infinities null.
    std::string dump() const;        // on one line, without blanks
    std::string dump_pretty() const; // four columns a level

    friend bool operator==(const Value& a, const Value& b); // members in any order; 1 and 1.0 differ

private:
    friend class Builder;
    std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> state_;
};

struct Member {
    std::string name;
    Value value;
};

// One whole document. Fails with `invalid` and the position: wrong syntax or UTF-8, a name twice in an object
// (RFC 7493 2.3: else two readers may see two documents), a number beyond a double, more than `depth` levels.
// Memory is some 40 bytes for each byte of text at worst: the caller limits the text.
Result<Value> parse(std::string_view text, std::size_t depth = 64);

} // namespace sipyard::json
