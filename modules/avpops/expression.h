// modules/avpops/expression.h - "lt/i:345/g", "add/$avp(n)/d" and what they mean; pure
#pragma once

#include "core/base/from_text.h"
#include "core/module/value.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::avpops {

// Pieces between '/' outside parentheses: "$avp(a)/$avp(b)/g" has three.
std::vector<std::string_view> pieces(std::string_view text);

// Letters behind the last '/', in either case.
struct Flags {
    bool all = false;    // g: every value, not only the newest
    bool remove = false; // d: the source goes
    bool fold = false;   // i: letters of either case
    bool number = false; // n
    bool text = false;   // s
    bool empty = false;  // e
    bool bad = false;    // there was another letter
    static std::optional<Flags> parse(std::string_view letters, std::string_view allowed);
};

// A value as written: $variable, i:NUMBER (0x too), s:TEXT or TEXT.
struct Operand {
    enum class Kind : unsigned char { variable, number, text };
    Kind kind = Kind::text;
    std::string text; // of a variable: with its $
    std::int64_t number = 0;
    static Result<Operand> parse(std::string_view text);
};

// The second argument of avp_check.
struct CheckValue {
    enum class Op : unsigned char { eq, ne, lt, le, gt, ge, re, fm, bit_and, bit_or, bit_xor };
    Op op = Op::eq;
    Operand operand;
    Flags flags;
    std::optional<Regex> pattern; // of a constant with `re`
};
// Is it so for these two? Values of different kinds never match; `re` without a pattern compiles the operand.
bool holds(const CheckValue& check, const Value& left, const Value& right);

// The second argument of avp_op.
struct OpValue {
    enum class Op : unsigned char { add, sub, mul, div, mod, bit_and, bit_or, bit_xor, bit_not };
    Op op = Op::add;
    Operand operand;
    Flags flags;
};
// Wraps around; nothing for a division by 0. `not` looks at the right side alone.
std::optional<std::int64_t> result(OpValue::Op op, std::int64_t left, std::int64_t right);

} // namespace sipyard::avpops

template <>
struct sipyard::FromText<sipyard::avpops::CheckValue> {
    static constexpr bool integer = false;
    static constexpr std::string_view expected = "an operator, a value and flags: \"eq/i:5/g\"";
    static Result<avpops::CheckValue> parse(std::string_view text);
};
template <>
struct sipyard::FromText<sipyard::avpops::OpValue> {
    static constexpr bool integer = false;
    static constexpr std::string_view expected = "an operator, a number and flags: \"add/i:5/g\"";
    static Result<avpops::OpValue> parse(std::string_view text);
};
