// modules/avpops/expression.cpp - operators of avp_check and avp_op
#include "modules/avpops/expression.h"

#include "core/base/text.h"

#include <fnmatch.h>

#include <algorithm>
#include <limits>

namespace sipyard {

namespace avpops {

std::vector<std::string_view> pieces(std::string_view text)
{
    std::vector<std::string_view> found;
    std::size_t start = 0, depth = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '(')
            ++depth;
        else if (text[i] == ')' && depth > 0)
            --depth;
        else if (text[i] == '/' && depth == 0) {
            found.push_back(text.substr(start, i - start));
            start = i + 1;
        }
    }
    found.push_back(text.substr(start));
    return found;
}

std::optional<Flags> Flags::parse(std::string_view letters, std::string_view allowed)
{
    Flags flags;
    for (const char letter : letters) {
        const char c = to_lower(letter);
        if (allowed.find(c) == std::string_view::npos)
            return std::nullopt;
        switch (c) {
        case 'g': flags.all = true; break;
        case 'd': flags.remove = true; break;
        case 'i': flags.fold = true; break;
        case 'n': flags.number = true; break;
        case 's': flags.text = true; break;
        case 'e': flags.empty = true; break;
        default: return std::nullopt;
        }
    }
    return flags;
}

Result<Operand> Operand::parse(std::string_view text)
{
    if (text.starts_with('$'))
        return Operand{Kind::variable, std::string{text}, 0};
    if (text.starts_with("s:"))
        return Operand{Kind::text, std::string{text.substr(2)}, 0};
    if (!text.starts_with("i:"))
        return Operand{Kind::text, std::string{text}, 0};
    const std::string_view digits = text.substr(2);
    std::optional<std::int64_t> number;
    if (istarts_with(digits, "0x") && digits.size() > 2 && digits.size() <= 17) {
        std::int64_t value = 0;
        for (const char c : digits.substr(2)) {
            if (hex_digit(c) < 0)
                return invalid(format("'{}' is not a number", text));
            value = value * 16 + hex_digit(c);
        }
        number = value;
    } else {
        number = parse_int(digits);
    }
    if (!number)
        return invalid(format("'{}' is not a number", text));
    return Operand{Kind::number, {}, *number};
}

namespace {

int compare(std::string_view a, std::string_view b, bool fold)
{
    if (!fold)
        return a.compare(b);
    const std::size_t n = std::min(a.size(), b.size());
    for (std::size_t i = 0; i < n; ++i)
        if (to_lower(a[i]) != to_lower(b[i]))
            return to_lower(a[i]) < to_lower(b[i]) ? -1 : 1;
    return a.size() == b.size() ? 0 : a.size() < b.size() ? -1 : 1;
}

bool ordered(CheckValue::Op op, int order)
{
    switch (op) {
    case CheckValue::Op::eq: return order == 0;
    case CheckValue::Op::ne: return order != 0;
    case CheckValue::Op::lt: return order < 0;
    case CheckValue::Op::le: return order <= 0;
    case CheckValue::Op::gt: return order > 0;
    case CheckValue::Op::ge: return order >= 0;
    default: return false;
    }
}

} // namespace

bool holds(const CheckValue& check, const Value& left, const Value& right)
{
    using Op = CheckValue::Op;
    if (left.is_null() || left.type() != right.type())
        return false;
    if (left.is_integer()) {
        const std::int64_t a = left.number(), b = right.number();
        switch (check.op) {
        case Op::bit_and: return (a & b) != 0;
        case Op::bit_or: return (a | b) != 0;
        case Op::bit_xor: return (a ^ b) != 0;
        default: return ordered(check.op, a == b ? 0 : a < b ? -1 : 1);
        }
    }
    switch (check.op) {
    case Op::re: {
        if (check.pattern)
            return check.pattern->matches(left.text());
        const auto pattern = FromText<Regex>::parse(right.text());
        return pattern && pattern->matches(left.text());
    }
    case Op::fm: // the flag i does not count here, as in Kamailio
        return fnmatch(std::string{right.text()}.c_str(), std::string{left.text()}.c_str(), 0) == 0;
    default: return ordered(check.op, compare(left.text(), right.text(), check.flags.fold));
    }
}

std::optional<std::int64_t> result(OpValue::Op op, std::int64_t left, std::int64_t right)
{
    using Op = OpValue::Op;
    const auto a = static_cast<std::uint64_t>(left),
               b = static_cast<std::uint64_t>(right); // these wrap around
    const bool overflow = left == std::numeric_limits<std::int64_t>::min() && right == -1;
    switch (op) {
    case Op::add: return static_cast<std::int64_t>(a + b);
    case Op::sub: return static_cast<std::int64_t>(a - b);
    case Op::mul: return static_cast<std::int64_t>(a * b);
    case Op::div: return right == 0 ? std::nullopt : std::optional{overflow ? left : left / right};
    case Op::mod: return right == 0 ? std::nullopt : std::optional{overflow ? 0 : left % right};
    case Op::bit_and: return left & right;
    case Op::bit_or: return left | right;
    case Op::bit_xor: return left ^ right;
    case Op::bit_not: return ~right;
    }
    return std::nullopt;
}

} // namespace avpops

namespace {

template <class Op>
struct OpName {
    std::string_view name;
    Op op;
};

// operator '/' value ['/' flags]
template <class Whole, std::size_t n>
Result<Whole> read_expression(std::string_view text, const OpName<typename Whole::Op> (&names)[n],
                              std::string_view allowed)
{
    const auto parts = avpops::pieces(text);
    Whole whole;
    bool known = false;
    for (const auto& row : names)
        if (iequals(row.name, parts[0])) {
            whole.op = row.op;
            known = true;
        }
    if (!known || parts.size() < 2 || parts.size() > 3 || parts[1].empty())
        return invalid(format("'{}' is not {}", text, FromText<Whole>::expected));
    TRY(whole.operand, avpops::Operand::parse(parts[1]));
    const auto flags = avpops::Flags::parse(parts.size() == 3 ? parts[2] : std::string_view{}, allowed);
    if (!flags)
        return invalid(format("'{}': bad flags, expected some of {}", text, allowed));
    whole.flags = *flags;
    return whole;
}

} // namespace

Result<avpops::CheckValue> FromText<avpops::CheckValue>::parse(std::string_view text)
{
    using Op = avpops::CheckValue::Op;
    static constexpr OpName<Op> names[] = {{"eq", Op::eq},     {"ne", Op::ne},      {"lt", Op::lt},
                                           {"le", Op::le},     {"gt", Op::gt},      {"ge", Op::ge},
                                           {"re", Op::re},     {"fm", Op::fm},      {"and", Op::bit_and},
                                           {"or", Op::bit_or}, {"xor", Op::bit_xor}};
    TRY(auto check, read_expression<avpops::CheckValue>(text, names, "gi"));
    if (check.op == Op::re && check.operand.kind == avpops::Operand::Kind::text) {
        TRY(auto pattern, FromText<Regex>::parse(check.operand.text));
        check.pattern = std::move(pattern);
    }
    return check;
}

Result<avpops::OpValue> FromText<avpops::OpValue>::parse(std::string_view text)
{
    using Op = avpops::OpValue::Op;
    static constexpr OpName<Op> names[] = {{"add", Op::add},   {"sub", Op::sub},     {"mul", Op::mul},
                                           {"div", Op::div},   {"mod", Op::mod},     {"and", Op::bit_and},
                                           {"or", Op::bit_or}, {"xor", Op::bit_xor}, {"not", Op::bit_not}};
    TRY(auto op, read_expression<avpops::OpValue>(text, names, "gd"));
    if (op.operand.kind == avpops::Operand::Kind::text)
        return invalid(format("'{}': expected a variable or i:NUMBER", text));
    return op;
}

} // namespace sipyard
