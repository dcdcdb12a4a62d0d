// core/db/value.h - what a column holds, and the rows a query answers with
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace sipyard::db {

struct Null {
    friend bool operator==(Null, Null) = default;
};
// Binary bytes, bound as long binary. Text is UTF-8 and bound as characters.
struct Blob {
    std::string bytes;
    friend bool operator==(const Blob&, const Blob&) = default;
};

class Value {
public:
    Value() = default;
    Value(Null) {}
    Value(std::int64_t number) : held_{number} {}
    Value(int number) : held_{std::int64_t{number}} {}
    Value(double number) : held_{number} {}
    Value(std::string text) : held_{std::move(text)} {}
    Value(std::string_view text) : held_{std::string{text}} {}
    Value(const char* text) : held_{std::string{text}} {}
    Value(Blob blob) : held_{std::move(blob)} {}

    bool is_null() const { return std::holds_alternative<Null>(held_); }
    bool is_integer() const { return std::holds_alternative<std::int64_t>(held_); }
    bool is_real() const { return std::holds_alternative<double>(held_); }
    bool is_text() const { return std::holds_alternative<std::string>(held_); }
    bool is_blob() const { return std::holds_alternative<Blob>(held_); }

    std::int64_t integer() const; // text is read as a decimal number; null and what is no number give 0
    double real() const;
    std::string_view text() const; // of text and blob; empty for the others
    std::string print() const;     // any value as text; null is ""
    friend bool operator==(const Value&, const Value&) = default;

private:
    std::variant<Null, std::int64_t, double, std::string, Blob> held_;
};

struct Rows {
    std::vector<std::string> columns;
    std::vector<std::vector<Value>> rows;
    std::uint64_t affected = 0; // by a statement that changes

    bool empty() const { return rows.empty(); }
    std::size_t size() const { return rows.size(); }
    const std::vector<Value>& operator[](std::size_t row) const { return rows[row]; }
};

} // namespace sipyard::db
