// core/script/values.cpp - operators, with the coercions of the routing language
#include "core/script/values.h"

#include "core/base/text.h"
#include "core/script/program.h"
#include "core/script/worker_state.h"

#include <limits>

namespace sipyard::script {

using ast::BinaryOp;
using ast::UnaryOp;

namespace {

// Wraps around like the 64-bit integers they are: a script must not be able to cause undefined behaviour.
std::int64_t add(std::int64_t a, std::int64_t b)
{
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
std::int64_t negate(std::int64_t a) { return static_cast<std::int64_t>(0 - static_cast<std::uint64_t>(a)); }

// Removes what was added to the scratch text when it goes out of scope.
class Scratch {
public:
    explicit Scratch(Run& run) : text_{run.context.vars->scratch}, start_{text_.size()} {}
    ~Scratch() { text_.resize(start_); }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    std::string& text() { return text_; }
    std::string_view made() const { return std::string_view{text_}.substr(start_); }

private:
    std::string& text_;
    const std::size_t start_;
};

} // namespace

// --- plus ----------------------------------------------------------------------------------------

Plus::Plus(std::span<const Expr* const> operands) : operands_{operands}
{
    for (const Expr* operand : operands_)
        calls_ = calls_ || operand->calls();
}

std::int64_t Plus::sum_from(Run& run, std::int64_t first, std::size_t n) const
{
    for (++n; n < operands_.size(); ++n)
        first = add(first, operands_[n]->integer(run));
    return first;
}

std::optional<std::int64_t> Plus::evaluate(Run& run, Value first, std::size_t n, std::string& out) const
{
    const std::size_t start = out.size();
    for (;;) {
        if (first.is_null()) {
            if (++n == operands_.size())
                break;
            first = operands_[n]->value(run);
            continue;
        }
        if (first.is_integer())
            return sum_from(run, first.number(), n);
        out.append(first.text());
        for (++n; n < operands_.size(); ++n)
            operands_[n]->append(run, out);
        break;
    }
    // A hostile message must not grow a variable without end: what does not fit a message has no use.
    if (out.size() - start > most_text) {
        log_of(run).error("a string of {} bytes is too long", out.size() - start);
        run.pending |= no_value;
        out.resize(start);
    }
    return std::nullopt;
}

Value Plus::value(Run& run) const
{
    Scratch scratch{run};
    if (const auto number = evaluate(run, scratch.text()))
        return *number;
    return run.request.arena().copy(scratch.made());
}

std::int64_t Plus::integer(Run& run) const
{
    const Value first = operands_[0]->value(run);
    if (first.is_integer())
        return sum_from(run, first.number(), 0);
    Scratch scratch{run};
    if (const auto number = evaluate(run, first, 0, scratch.text()))
        return *number;
    return to_integer(run, scratch.made());
}

void Plus::append(Run& run, std::string& out) const
{
    if (const auto number = evaluate(run, out)) {
        NumberText room;
        out += to_text(Value{*number}, room);
    }
}

void Plus::store(Run& run, VarSlot& slot) const
{
    const Value first = operands_[0]->value(run);
    if (first.is_integer()) { // $var(n) = $var(n) + 1: no text is made
        const std::int64_t sum = sum_from(run, first.number(), 0);
        if (!(run.pending & no_value))
            slot.set(sum);
        return;
    }
    Scratch scratch{run};
    const auto number = evaluate(run, first, 0, scratch.text());
    if (run.pending & no_value)
        return;
    if (number)
        slot.set(*number);
    else
        slot.set(scratch.made());
}

Value Plus::fold(const Value& left, const Value& right, Arena& arena)
{
    if (left.is_integer())
        return add(left.number(), right.is_text() ? integer_of(right.text()).value_or(0) : right.number());
    NumberText room;
    return arena.concat(left.text(), to_text(right, room));
}

// --- integers ------------------------------------------------------------------------------------

std::optional<std::int64_t> Arithmetic::apply(BinaryOp op, std::int64_t a, std::int64_t b)
{
    const auto ua = static_cast<std::uint64_t>(a), ub = static_cast<std::uint64_t>(b);
    switch (op) {
    case BinaryOp::bit_or: return a | b;
    case BinaryOp::bit_and: return a & b;
    case BinaryOp::bit_xor: return a ^ b;
    case BinaryOp::shift_left: return static_cast<std::int64_t>(ua << (ub & 63));
    case BinaryOp::shift_right: return a >> (ub & 63);
    case BinaryOp::less: return a < b;
    case BinaryOp::greater: return a > b;
    case BinaryOp::less_equal: return a <= b;
    case BinaryOp::greater_equal: return a >= b;
    case BinaryOp::minus: return static_cast<std::int64_t>(ua - ub);
    case BinaryOp::times: return static_cast<std::int64_t>(ua * ub);
    case BinaryOp::divide: return b == 0 ? std::nullopt : std::optional{b == -1 ? negate(a) : a / b};
    case BinaryOp::modulo: return b == 0 ? std::nullopt : std::optional{b == -1 ? 0 : a % b};
    default: return add(a, b);
    }
}

std::int64_t Arithmetic::integer(Run& run) const
{
    const std::int64_t left = left_.integer(run);
    const std::int64_t right = right_.integer(run);
    switch (op_) { // the busy ones without the detour
    case BinaryOp::minus: return add(left, negate(right));
    case BinaryOp::less: return left < right;
    case BinaryOp::greater: return left > right;
    case BinaryOp::less_equal: return left <= right;
    case BinaryOp::greater_equal: return left >= right;
    default: break;
    }
    if (const auto result = apply(op_, left, right))
        return *result;
    log_of(run).error("division by 0 ({}, column {})", place(run, at_.file, at_.line), at_.column);
    run.pending |= no_value;
    return 0;
}

std::int64_t Logic::integer(Run& run) const
{
    const bool left = left_.integer(run) != 0;
    if (left != is_and_ || run.pending != nothing)
        return left;
    return right_.integer(run) != 0;
}

// --- comparison ----------------------------------------------------------------------------------

bool Equal::same_text(Run& run, const Value& left) const
{
    NumberText left_room, right_room;
    std::string_view text = to_text(left, left_room);
    if (const Value* const known = right_.constant())
        return text == to_text(*known, right_room);
    if (left_.reads_slot() && right_.calls())
        text = run.request.arena().copy(text);
    const Value right = right_.value(run);
    return text == to_text(right, right_room);
}

bool Equal::same(Run& run) const
{
    if (by_ == By::integer)
        return left_.integer(run) == right_.integer(run);
    const Value left = left_.value(run);
    if (by_ == By::text || left.is_text())
        return same_text(run, left);
    if (left.is_integer())
        return left.number() == right_.integer(run);
    // A null on the left takes the type of the right: 0 or "" (spec/script 11), so it equals both.
    const Value right = right_.value(run);
    return right.is_integer() ? right.number() == 0 : right.text().empty();
}

std::int64_t Match::integer(Run& run) const
{
    NumberText room;
    Value left = left_.value(run);
    if (pattern_)
        return pattern_->matches(to_text(left, room));
    if (left_.reads_slot() && text_->calls())
        left = keep(run, left);
    NumberText pattern_room;
    const Value text = text_->value(run);
    const auto pattern = dynamic_pattern(run, to_text(text, pattern_room));
    return pattern && pattern->matches(to_text(left, room));
}

std::shared_ptr<const Pattern> dynamic_pattern(Run& run, std::string_view text)
{
    auto& known = run.context.worker->patterns;
    if (const auto found = known.find(text); found != known.end())
        return found->second;
    auto compiled = Pattern::compile(text, Regex::Case::insensitive);
    if (!compiled) {
        log_of(run).error("bad regular expression \"{}\": {}", text, compiled.error().text);
        return nullptr;
    }
    if (known.size() >= Worker::most_patterns)
        known.clear();
    auto pattern = std::make_shared<const Pattern>(std::move(*compiled));
    known.emplace(std::string{text}, pattern);
    return pattern;
}

// --- one operand ---------------------------------------------------------------------------------

std::int64_t Unary::integer(Run& run) const
{
    switch (op_) {
    case UnaryOp::logic_not: return operand_.integer(run) == 0;
    case UnaryOp::bit_not: return ~operand_.integer(run);
    case UnaryOp::negate: return negate(operand_.integer(run));
    case UnaryOp::defined: return !operand_.value(run).is_null();
    case UnaryOp::to_int: return operand_.integer(run);
    case UnaryOp::to_text: return to_integer(run, value(run));
    case UnaryOp::strlen:
    case UnaryOp::strempty: {
        NumberText room;
        const Value v = operand_.value(run);
        const auto size = to_text(v, room).size();
        return op_ == UnaryOp::strlen ? static_cast<std::int64_t>(size) : size == 0;
    }
    }
    return 0;
}

Value Unary::value(Run& run) const
{
    if (op_ != UnaryOp::to_text)
        return integer(run);
    const Value v = operand_.value(run);
    return v.is_text() ? v : Value{keep_text(run, v)};
}

void Unary::append(Run& run, std::string& out) const
{
    if (op_ == UnaryOp::to_text)
        operand_.append(run, out);
    else
        Expr::append(run, out);
}

} // namespace sipyard::script
