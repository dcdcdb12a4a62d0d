// core/script/ifexp.cpp - evaluating the expressions of #!ifexp and #!defexp
#include "core/script/ifexp.h"

#include "core/base/format.h"
#include "core/base/text.h"

#include <array>

namespace sipyard::script {

namespace {

constexpr int deepest = 64; // parentheses and signs

struct Operator {
    std::string_view text;
    int level;
};
// Two-character operators first, so that `<=` is not read as `<`.
constexpr std::array operators = {
    Operator{"||", 1}, Operator{"&&", 2}, Operator{"==", 3}, Operator{"!=", 3}, Operator{"<=", 4},
    Operator{">=", 4}, Operator{"<", 4},  Operator{">", 4},  Operator{"+", 5},  Operator{"-", 5},
    Operator{"*", 6},  Operator{"/", 6},  Operator{"%", 6},
};

std::string as_text(const IfexpValue& value)
{
    if (const auto* number = std::get_if<std::int64_t>(&value))
        return std::to_string(*number);
    return std::get<std::string>(value);
}

// Arithmetic wraps as the 64-bit integers of the language do.
std::int64_t wrap(std::uint64_t bits) { return static_cast<std::int64_t>(bits); }

Result<IfexpValue> arithmetic(std::string_view op, std::int64_t a, std::int64_t b)
{
    const auto ua = static_cast<std::uint64_t>(a), ub = static_cast<std::uint64_t>(b);
    if (op == "+")
        return IfexpValue{wrap(ua + ub)};
    if (op == "-")
        return IfexpValue{wrap(ua - ub)};
    if (op == "*")
        return IfexpValue{wrap(ua * ub)};
    if (b == 0)
        return invalid(format("division by zero in '{} {} 0'", a, op));
    if (b == -1) // INT64_MIN / -1 overflows
        return IfexpValue{op == "/" ? wrap(0 - ua) : 0};
    return IfexpValue{op == "/" ? a / b : a % b};
}

template <class T>
IfexpValue compare(std::string_view op, const T& a, const T& b)
{
    const bool yes = op == "=="   ? a == b
                     : op == "!=" ? a != b
                     : op == "<"  ? a < b
                     : op == "<=" ? a <= b
                     : op == ">"  ? a > b
                                  : a >= b;
    return std::int64_t{yes};
}

Result<IfexpValue> combine(std::string_view op, const IfexpValue& a, const IfexpValue& b)
{
    if (op == "||")
        return IfexpValue{std::int64_t{is_true(a) || is_true(b)}};
    if (op == "&&")
        return IfexpValue{std::int64_t{is_true(a) && is_true(b)}};
    const auto* na = std::get_if<std::int64_t>(&a);
    const auto* nb = std::get_if<std::int64_t>(&b);
    const bool is_arithmetic = std::string_view{"+-*/%"}.find(op) != std::string_view::npos;
    if (na && nb)
        return is_arithmetic ? arithmetic(op, *na, *nb) : Result<IfexpValue>{compare(op, *na, *nb)};
    if (op == "+")
        return IfexpValue{as_text(a) + as_text(b)};
    if (is_arithmetic)
        return invalid(
            format("'{}' needs numbers on both sides, found '{}' and '{}'", op, as_text(a), as_text(b)));
    return compare(op, as_text(a), as_text(b));
}

class Reader {
public:
    Reader(std::string_view text, const IfexpNames& names) : in_{text}, names_{names} {}

    Result<IfexpValue> whole()
    {
        TRY(auto value, binary(1));
        in_.skip_blanks();
        if (!in_.at_end())
            return invalid(format("unexpected '{}'", in_.rest()));
        return value;
    }

private:
    Result<IfexpValue> binary(int least)
    {
        TRY(auto left, unary());
        for (;;) {
            in_.skip_blanks();
            const Operator* found = nullptr;
            for (const Operator& op : operators)
                if (!found && in_.rest().starts_with(op.text))
                    found = &op;
            if (!found || found->level < least)
                return left;
            in_.accept(found->text);
            TRY(auto right, binary(found->level + 1));
            TRY(left, combine(found->text, left, right));
        }
    }

    Result<IfexpValue> unary()
    {
        if (++depth_ > deepest)
            return invalid("the expression nests too deep");
        in_.skip_blanks();
        Result<IfexpValue> value = IfexpValue{};
        if (in_.accept('!')) {
            TRY(auto inner, unary());
            value = IfexpValue{std::int64_t{!is_true(inner)}};
        } else if (in_.accept('-')) {
            TRY(auto inner, unary());
            value = combine("-", IfexpValue{std::int64_t{0}}, inner);
        } else if (in_.accept('(')) {
            TRY(auto inner, binary(1));
            in_.skip_blanks();
            if (!in_.accept(')'))
                return invalid(format("')' is missing at '{}'", in_.rest()));
            value = inner;
        } else {
            value = operand();
        }
        --depth_;
        return value;
    }

    Result<IfexpValue> operand()
    {
        const char first = in_.peek();
        if (first == '"' || first == '\'') {
            in_.next();
            const std::string text{in_.take_until(first)};
            if (!in_.accept(first))
                return invalid("a string is not closed");
            return IfexpValue{text};
        }
        const std::string_view word = in_.take_while([](char c) { return is_alnum(c) || c == '_'; });
        if (word.empty())
            return invalid(in_.at_end() ? std::string{"the expression ends too early"}
                                        : format("unexpected '{}'", in_.rest()));
        if (is_digit(first)) {
            const auto number = parse_int(word);
            if (!number)
                return invalid(format("'{}' is not a number", word));
            return IfexpValue{*number};
        }
        const auto defined = names_(word);
        if (!defined)
            return IfexpValue{std::int64_t{0}};
        if (defined->empty())
            return IfexpValue{std::int64_t{1}};
        if (const auto number = parse_int(*defined))
            return IfexpValue{*number};
        // A define that holds a quoted string stands for the text in the quotes.
        const char quote = defined->front();
        if (defined->size() >= 2 && (quote == '"' || quote == '\'') && defined->back() == quote)
            return IfexpValue{defined->substr(1, defined->size() - 2)};
        return IfexpValue{*defined};
    }

    Cursor in_;
    const IfexpNames& names_;
    int depth_ = 0;
};

} // namespace

Result<IfexpValue> evaluate_ifexp(std::string_view text, const IfexpNames& names)
{
    return Reader{text, names}.whole();
}

bool is_true(const IfexpValue& value)
{
    if (const auto* number = std::get_if<std::int64_t>(&value))
        return *number != 0;
    return !std::get<std::string>(value).empty();
}

} // namespace sipyard::script
