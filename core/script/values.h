// core/script/values.h - constants, script variables, arithmetic, logic and comparison (spec/script 11, 12)
#pragma once

#include "core/script/ast.h"
#include "core/script/node.h"
#include "core/script/pattern.h"

#include <memory>
#include <optional>
#include <span>

namespace sipyard::script {

class Constant final : public Expr {
public:
    explicit Constant(const Value& v) : value_{v} {}
    Value value(Run&) const override { return value_; }
    std::int64_t integer(Run& run) const override
    {
        return value_.is_text() ? to_integer(run, value_) : value_.number();
    }
    void append(Run&, std::string& out) const override
    {
        NumberText room;
        out += to_text(value_, room);
    }
    const Value* constant() const override { return &value_; }

private:
    const Value value_; // a text lies in the program's arena
};

// $var(x), $vn(x), $vz(x)
class ScriptVar final : public Expr {
public:
    ScriptVar(std::size_t slot, VarFamily family) : slot_{slot}, family_{family} {}
    Value value(Run& run) const override
    {
        const VarSlot& slot = run.context.vars->at(slot_);
        if (slot.is_null() && family_ != VarFamily::vn) [[unlikely]]
            return Value{0};
        return slot.value();
    }
    std::int64_t integer(Run& run) const override
    {
        const VarSlot& slot = run.context.vars->at(slot_);
        return slot.is_text() ? to_integer(run, slot.value()) : slot.number();
    }
    bool reads_slot() const override { return true; }
    std::size_t slot() const { return slot_; }

private:
    const std::size_t slot_;
    const VarFamily family_;
};

// a + b + c: the first operand that is not null decides between sum and concatenation.
class Plus final : public Expr {
public:
    explicit Plus(std::span<const Expr* const> operands);
    Value value(Run& run) const override;
    std::int64_t integer(Run& run) const override;
    void append(Run& run, std::string& out) const override;
    void store(Run& run, VarSlot& slot) const override;
    bool calls() const override { return calls_; }
    // What a + b gives when both are known.
    static Value fold(const Value& left, const Value& right, Arena& arena);

private:
    // The number, or nothing and the text is at the end of `out`. `first` is the value of operand n.
    std::optional<std::int64_t> evaluate(Run& run, Value first, std::size_t n, std::string& out) const;
    std::optional<std::int64_t> evaluate(Run& run, std::string& out) const
    {
        return evaluate(run, operands_[0]->value(run), 0, out);
    }
    std::int64_t sum_from(Run& run, std::int64_t first,
                          std::size_t n) const; // with the operands behind the n-th
    std::span<const Expr* const> operands_;
    bool calls_ = false;
};

// The operators whose operands are integers, but for && and ||.
class Arithmetic final : public Expr {
public:
    Arithmetic(ast::BinaryOp op, const Expr& left, const Expr& right, Position at)
        : op_{op}, left_{left}, right_{right}, at_{at}
    {
    }
    Value value(Run& run) const override { return integer(run); }
    std::int64_t integer(Run& run) const override;
    bool calls() const override { return left_.calls() || right_.calls(); }
    // Nothing: division by zero.
    static std::optional<std::int64_t> apply(ast::BinaryOp op, std::int64_t left, std::int64_t right);

private:
    const ast::BinaryOp op_;
    const Expr& left_;
    const Expr& right_;
    const Position at_;
};

class Logic final : public Expr {
public:
    Logic(bool is_and, const Expr& left, const Expr& right) : is_and_{is_and}, left_{left}, right_{right} {}
    Value value(Run& run) const override { return integer(run); }
    std::int64_t integer(Run& run) const override;
    bool calls() const override { return left_.calls() || right_.calls(); }

private:
    const bool is_and_;
    const Expr& left_;
    const Expr& right_;
};

// == != eq ne ieq ine
class Equal final : public Expr {
public:
    enum class By : unsigned char { left, integer, text };
    Equal(By by, bool negated, const Expr& left, const Expr& right)
        : by_{by}, negated_{negated}, left_{left}, right_{right}
    {
    }
    Value value(Run& run) const override { return integer(run); }
    std::int64_t integer(Run& run) const override { return same(run) != negated_; }
    bool calls() const override { return left_.calls() || right_.calls(); }

private:
    bool same(Run& run) const;
    bool same_text(Run& run, const Value& left) const;
    const By by_;
    const bool negated_;
    const Expr& left_;
    const Expr& right_;
};

// =~ with a pattern known when linked, or a text compiled per use (each worker remembers the recent ones).
class Match final : public Expr {
public:
    Match(const Expr& left, const Pattern* pattern, const Expr* text)
        : left_{left}, pattern_{pattern}, text_{text}
    {
    }
    Value value(Run& run) const override { return integer(run); }
    std::int64_t integer(Run& run) const override;
    bool calls() const override { return left_.calls() || (text_ && text_->calls()); }

private:
    const Expr& left_;
    const Pattern* pattern_;
    const Expr* text_;
};
// Null when the text is no pattern; that is logged.
std::shared_ptr<const Pattern> dynamic_pattern(Run& run,
                                               std::string_view text); // shared with the worker's cache

class Unary final : public Expr {
public:
    Unary(ast::UnaryOp op, const Expr& operand) : op_{op}, operand_{operand} {}
    Value value(Run& run) const override;
    std::int64_t integer(Run& run) const override;
    void append(Run& run, std::string& out) const override;
    bool calls() const override { return operand_.calls(); }
    bool reads_slot() const override { return op_ == ast::UnaryOp::to_text && operand_.reads_slot(); }

private:
    const ast::UnaryOp op_;
    const Expr& operand_;
};

class Selval final : public Expr {
public:
    Selval(const Expr& condition, const Expr& yes, const Expr& no) : condition_{condition}, yes_{yes}, no_{no}
    {
    }
    Value value(Run& run) const override
    {
        const Value v = (condition_.integer(run) > 0 ? yes_ : no_).value(run);
        return v.is_null() ? Value{""} : v;
    }
    bool calls() const override { return condition_.calls() || yes_.calls() || no_.calls(); }
    bool reads_slot() const override { return yes_.reads_slot() || no_.reads_slot(); }

private:
    const Expr& condition_;
    const Expr& yes_;
    const Expr& no_;
};

// f() inside an expression: 1 or 0, or its code as it is.
class CallValue final : public Expr {
public:
    CallValue(const Callee& callee, bool raw) : callee_{callee}, raw_{raw} {}
    Value value(Run& run) const override { return integer(run); }
    std::int64_t integer(Run& run) const override
    {
        const int code = callee_.call(run);
        return raw_ ? code : code > 0;
    }
    bool calls() const override { return true; }

private:
    const Callee& callee_;
    const bool raw_;
};

} // namespace sipyard::script
