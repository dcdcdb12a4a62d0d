// core/script/checker.cpp - type rules and constant folding of expressions
#include "core/script/checker.h"

#include "core/base/format.h"
#include "core/base/text.h"

#include <algorithm>
#include <optional>

namespace sipyard::script {

using namespace ast;

namespace {

const std::int64_t* number_in(const Expression& e)
{
    const auto* number = std::get_if<Number>(&e.node);
    return number ? &number->value : nullptr;
}
const std::string* text_in(const Expression& e)
{
    const auto* text = std::get_if<String>(&e.node);
    return text ? &text->text : nullptr;
}

bool is_null_variable(const Expression& e)
{
    const auto* variable = std::get_if<Variable>(&e.node);
    return variable && (variable->text == "$null" || variable->text == "$(null)");
}

// A text where an integer is wanted. "at (L,C)" is the wording scripts' tests know.
bool wants_integer(const Expression& e, Diagnostics& diagnostics)
{
    if (e.type != Type::text)
        return true;
    diagnostics.error(
        e.at, format("bad expression: type mismatch: str instead of int at ({},{})", e.at.line, e.at.column),
        "an integer");
    return false;
}

std::int64_t wrap(std::uint64_t bits) { return static_cast<std::int64_t>(bits); }

// Both operands are integers. Nothing when it has to fail at run time: division by zero.
std::optional<std::int64_t> compute(BinaryOp op, std::int64_t a, std::int64_t b)
{
    const auto ua = static_cast<std::uint64_t>(a), ub = static_cast<std::uint64_t>(b);
    switch (op) {
    case BinaryOp::logic_or: return a != 0 || b != 0;
    case BinaryOp::logic_and: return a != 0 && b != 0;
    case BinaryOp::bit_or: return a | b;
    case BinaryOp::bit_and: return a & b;
    case BinaryOp::bit_xor: return a ^ b;
    case BinaryOp::shift_left: return wrap(ua << (ub & 63));
    case BinaryOp::shift_right: return a >> (ub & 63);
    case BinaryOp::equal:
    case BinaryOp::int_equal: return a == b;
    case BinaryOp::not_equal:
    case BinaryOp::int_not_equal: return a != b;
    case BinaryOp::less: return a < b;
    case BinaryOp::greater: return a > b;
    case BinaryOp::less_equal: return a <= b;
    case BinaryOp::greater_equal: return a >= b;
    case BinaryOp::plus: return wrap(ua + ub);
    case BinaryOp::minus: return wrap(ua - ub);
    case BinaryOp::times: return wrap(ua * ub);
    case BinaryOp::divide:
        if (b == 0)
            return std::nullopt;
        return b == -1 ? wrap(0 - ua) : a / b;
    case BinaryOp::modulo:
        if (b == 0)
            return std::nullopt;
        return b == -1 ? 0 : a % b;
    default: return std::nullopt;
    }
}

Type result_type(BinaryOp op, Type left) { return op == BinaryOp::plus ? left : Type::integer; }

// Which operands must not be texts.
bool check_types(BinaryOp op, const Expression& left, const Expression& right, Diagnostics& diagnostics)
{
    switch (op) {
    case BinaryOp::match:
    case BinaryOp::text_equal:
    case BinaryOp::text_not_equal: return true;
    case BinaryOp::equal:
    case BinaryOp::not_equal:
    case BinaryOp::plus:
        return left.type != Type::integer || wants_integer(right, diagnostics); // the left one decides
    default:
        // Both are told, the left one first.
        return static_cast<int>(wants_integer(left, diagnostics)) +
                   static_cast<int>(wants_integer(right, diagnostics)) ==
               2;
    }
}

ExpressionPtr fold(BinaryOp op, const Expression& left, const Expression& right)
{
    const Position at = left.at;
    const auto* a = number_in(left);
    const auto* b = number_in(right);
    if (a && b) {
        if (op == BinaryOp::match || op == BinaryOp::text_equal || op == BinaryOp::text_not_equal)
            return nullptr;
        const auto value = compute(op, *a, *b);
        return value ? make_expression(Number{*value}, at, Type::integer) : nullptr;
    }
    const auto* text = text_in(left);
    if (!text || (!b && !text_in(right)))
        return nullptr;
    const std::string other = b ? std::to_string(*b) : *text_in(right);
    switch (op) {
    case BinaryOp::plus: return make_expression(String{*text + other, String::Quotes::twin}, at, Type::text);
    case BinaryOp::equal:
    case BinaryOp::text_equal: return make_expression(Number{*text == other}, at, Type::integer);
    case BinaryOp::not_equal:
    case BinaryOp::text_not_equal: return make_expression(Number{*text != other}, at, Type::integer);
    default: return nullptr;
    }
}

int depth_of(const ExpressionPtr& e) { return e ? e->depth : 0; }

ExpressionPtr with_depth(ExpressionPtr e, int below, Diagnostics& diagnostics)
{
    e->depth = below + 1;
    if (e->depth <= Expression::deepest)
        return e;
    diagnostics.error(e->at,
                      format("the expression is too complex, at most {} operators in each other are allowed",
                             Expression::deepest));
    return nullptr;
}

} // namespace

ExpressionPtr make_expression(Expression::Node node, Position at, Type type)
{
    auto expression = std::make_unique<Expression>();
    expression->node = std::move(node);
    expression->at = at;
    expression->type = type;
    return expression;
}

bool is_constant(const Expression& e) { return number_in(e) != nullptr || text_in(e) != nullptr; }

ExpressionPtr join(BinaryOp op, ExpressionPtr left, ExpressionPtr right, Position at,
                   Diagnostics& diagnostics)
{
    if (!left || !right)
        return nullptr;
    // `x == $null` asks whether there is a value; only the right side is special (spec/script 11).
    if ((op == BinaryOp::equal || op == BinaryOp::not_equal) && is_null_variable(*right)) {
        auto test = apply(UnaryOp::defined, std::move(left), at, diagnostics);
        return op == BinaryOp::equal ? apply(UnaryOp::logic_not, std::move(test), at, diagnostics)
                                     : std::move(test);
    }
    if (!check_types(op, *left, *right, diagnostics))
        return nullptr;
    if (auto constant = fold(op, *left, *right))
        return constant;
    // The optimiser of the original drops a neutral right side, which shows when the left one is negative
    // (12, trap 24).
    if (const auto* b = number_in(*right))
        if ((op == BinaryOp::logic_and && *b != 0) || (op == BinaryOp::logic_or && *b == 0))
            return left;
    const int below = std::max(depth_of(left), depth_of(right));
    const Type type = result_type(op, left->type);
    return with_depth(make_expression(Binary{op, std::move(left), std::move(right)}, at, type), below,
                      diagnostics);
}

ExpressionPtr apply(UnaryOp op, ExpressionPtr operand, Position at, Diagnostics& diagnostics)
{
    if (!operand)
        return nullptr;
    const bool on_integer = op == UnaryOp::logic_not || op == UnaryOp::bit_not || op == UnaryOp::negate;
    if (on_integer && !wants_integer(*operand, diagnostics))
        return nullptr;
    const auto* number = number_in(*operand);
    const auto* text = text_in(*operand);
    switch (op) {
    case UnaryOp::logic_not:
        if (number)
            return make_expression(Number{*number == 0}, at, Type::integer);
        break;
    case UnaryOp::bit_not:
        if (number)
            return make_expression(Number{~*number}, at, Type::integer);
        break;
    case UnaryOp::negate:
        if (number)
            return make_expression(Number{wrap(0 - static_cast<std::uint64_t>(*number))}, at, Type::integer);
        break;
    case UnaryOp::to_int:
        if (number)
            return operand;
        break;
    case UnaryOp::to_text:
        if (text)
            return operand;
        if (number)
            return make_expression(String{std::to_string(*number), String::Quotes::twin}, at, Type::text);
        break;
    case UnaryOp::strlen:
        if (text)
            return make_expression(Number{static_cast<std::int64_t>(text->size())}, at, Type::integer);
        break;
    case UnaryOp::strempty:
        if (text)
            return make_expression(Number{text->empty()}, at, Type::integer);
        break;
    case UnaryOp::defined:
        if (number || text)
            return make_expression(Number{1}, at, Type::integer);
        break;
    }
    const int below = depth_of(operand);
    const Type type = op == UnaryOp::to_text ? Type::text : Type::integer;
    return with_depth(make_expression(Unary{op, std::move(operand)}, at, type), below, diagnostics);
}

ExpressionPtr choose(ExpressionPtr condition, ExpressionPtr yes, ExpressionPtr no, Position at,
                     Diagnostics& diagnostics)
{
    if (!condition || !yes || !no || !wants_integer(*condition, diagnostics))
        return nullptr;
    const int below = std::max({depth_of(condition), depth_of(yes), depth_of(no)});
    const Type type = yes->type == no->type ? yes->type : Type::dynamic;
    return with_depth(make_expression(Selval{std::move(condition), std::move(yes), std::move(no)}, at, type),
                      below, diagnostics);
}

void check_condition(const Expression& condition, std::string_view statement, Diagnostics& diagnostics)
{
    if (condition.type == Type::text)
        diagnostics.warn(condition.at, "non-int expression (you might want to use casts)");
    if (is_constant(condition))
        diagnostics.warn(condition.at, format("constant value in {}(...)", statement));
}

} // namespace sipyard::script
