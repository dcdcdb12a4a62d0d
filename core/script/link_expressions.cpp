// core/script/link_expressions.cpp - operators: constants folded, the kind of comparison chosen (spec/script
// 11, 12)
#include "core/script/linker.h"

#include "core/script/operands.h"

namespace sipyard::script {

using ast::BinaryOp;

const Expr* Linker::nothing() { return &make<Constant>(Value{}); }

const Expr* Linker::variable(const ast::Variable& v, Position at)
{
    Trouble trouble;
    if (const Expr* const found = names_.variable(v.text, trouble))
        return found;
    report(at, trouble);
    return nothing();
}

const Pattern* Linker::pattern(std::string_view text, Regex::Case letters, Position at)
{
    auto compiled = Pattern::compile(text, letters);
    if (!compiled) {
        diagnostics_.error(at, format("bad regular expression \"{}\": {}", text, compiled.error().text));
        return nullptr;
    }
    return &make<Pattern>(std::move(*compiled));
}

const Expr* Linker::expression(const ast::Expression& e)
{
    if (const auto* number = std::get_if<ast::Number>(&e.node))
        return constant(number->value);
    if (const auto* text = std::get_if<ast::String>(&e.node))
        return constant(std::string_view{text->text}); // not interpolated by the language (spec/script 1)
    if (const auto* v = std::get_if<ast::Variable>(&e.node))
        return variable(*v, e.at);
    if (const auto* u = std::get_if<ast::Unary>(&e.node))
        return unary(*u);
    if (const auto* b = std::get_if<ast::Binary>(&e.node))
        return binary(e, *b);
    if (const auto* s = std::get_if<ast::Selval>(&e.node)) {
        const Expr* const condition = expression(*s->condition);
        const Expr* const yes = expression(*s->yes);
        return &make<Selval>(*condition, *yes, *expression(*s->no));
    }
    if (const auto* t = std::get_if<ast::Test>(&e.node))
        return test(e, *t);
    if (const auto* assign = std::get_if<std::unique_ptr<ast::Assign>>(&e.node)) {
        const Action* const made = assignment(**assign);
        return made ? &make<AssignValue>(*made) : nothing();
    }
    return &make<CallValue>(*callee(e), program_.raw_codes);
}

const Expr* Linker::unary(const ast::Unary& u)
{
    using ast::UnaryOp;
    const Expr* const operand = expression(*u.operand);
    if (u.op == UnaryOp::defined) {
        // Meaningful for a single variable; anything compound counts as defined (spec/script 11).
        const bool single = std::holds_alternative<ast::Variable>(u.operand->node);
        return single ? &make<Unary>(u.op, *operand) : constant(1);
    }
    if (const Value* known = operand->constant(); known && known->is_integer()) {
        switch (u.op) {
        case UnaryOp::logic_not: return constant(known->number() == 0 ? 1 : 0);
        case UnaryOp::bit_not: return constant(~known->number());
        case UnaryOp::negate: return constant(*Arithmetic::apply(BinaryOp::minus, 0, known->number()));
        case UnaryOp::to_int: return operand;
        default: break;
        }
    }
    if (const Value* known = operand->constant(); known && known->is_text() && u.op == UnaryOp::to_text)
        return operand;
    return &make<Unary>(u.op, *operand);
}

const Expr* Linker::binary(const ast::Expression& e, const ast::Binary& b)
{
    switch (b.op) {
    case BinaryOp::logic_or:
    case BinaryOp::logic_and: return logic(b);
    case BinaryOp::plus: return plus(e);
    case BinaryOp::match: return match(b);
    case BinaryOp::equal:
    case BinaryOp::not_equal:
    case BinaryOp::text_equal:
    case BinaryOp::text_not_equal:
    case BinaryOp::int_equal:
    case BinaryOp::int_not_equal: return comparison(b);
    default: break;
    }
    const Expr* const left = expression(*b.left);
    const Expr* const right = expression(*b.right);
    const Value *l = left->constant(), *r = right->constant();
    if (l && r && l->is_integer() && r->is_integer())
        if (const auto result = Arithmetic::apply(b.op, l->number(), r->number()))
            return constant(*result); // division by zero stays, to be told of when it happens
    return &make<Arithmetic>(b.op, *left, *right, e.at);
}

// X && <true constant> is X, and so is X || 0: visible for negative X (spec/script 12).
const Expr* Linker::logic(const ast::Binary& b)
{
    const bool is_and = b.op == BinaryOp::logic_and;
    const Expr* const left = expression(*b.left);
    const Expr* const right = expression(*b.right);
    const Value *l = left->constant(), *r = right->constant();
    if (l && l->is_integer()) {
        const bool known = l->number() != 0;
        if (known != is_and)
            return constant(known ? 1 : 0);
        if (r && r->is_integer())
            return constant(r->number() != 0 ? 1 : 0);
    } else if (r && r->is_integer() && (r->number() != 0) == is_and) {
        return left;
    }
    return &make<Logic>(is_and, *left, *right);
}

// a + b + c as one node: the leftmost decides, so only chains on the left join.
const Expr* Linker::plus(const ast::Expression& e)
{
    std::vector<const ast::Expression*> chain;
    const ast::Expression* at = &e;
    for (;;) {
        const auto* b = std::get_if<ast::Binary>(&at->node);
        if (!b || b->op != BinaryOp::plus)
            break;
        chain.push_back(b->right.get());
        at = b->left.get();
    }
    std::vector<const Expr*> operands{expression(*at)};
    for (auto it = chain.rbegin(); it != chain.rend(); ++it) {
        const Expr* const next = expression(**it);
        const Value *l = operands.back()->constant(), *r = next->constant();
        // Only the first two: what comes later is added to something of a type not known yet.
        if (operands.size() == 1 && l && r && !l->is_null() && !r->is_null())
            operands.back() = constant(Plus::fold(*l, *r, program_.arena));
        else
            operands.push_back(next);
    }
    return operands.size() == 1 ? operands.front() : &make<Plus>(names_.copy(operands));
}

const Expr* Linker::comparison(const ast::Binary& b)
{
    const Expr* const left = expression(*b.left);
    const Expr* const right = expression(*b.right);
    const bool negated =
        b.op == BinaryOp::not_equal || b.op == BinaryOp::text_not_equal || b.op == BinaryOp::int_not_equal;
    Equal::By by = Equal::By::left;
    if (b.op == BinaryOp::text_equal || b.op == BinaryOp::text_not_equal)
        by = Equal::By::text;
    else if (b.op == BinaryOp::int_equal || b.op == BinaryOp::int_not_equal)
        by = Equal::By::integer;
    else if (const Value* known = left->constant(); known && !known->is_null())
        by = known->is_integer() ? Equal::By::integer : Equal::By::text;
    else if (b.left->type == ast::Type::integer)
        by = Equal::By::integer;
    else if (b.left->type == ast::Type::text)
        by = Equal::By::text;
    return &make<Equal>(by, negated, *left, *right);
}

const Expr* Linker::match(const ast::Binary& b)
{
    const Expr* const left = expression(*b.left);
    const Expr* const right = expression(*b.right);
    if (const Value* known = right->constant(); known && known->is_text())
        return &make<Match>(*left, pattern(known->text(), Regex::Case::insensitive, b.right->at), nullptr);
    return &make<Match>(*left, nullptr, right);
}

const Expr* Linker::test(const ast::Expression& e, const ast::Test& t)
{
    using ast::Operand;
    const bool negated = t.op == BinaryOp::not_equal || t.op == BinaryOp::text_not_equal;
    const bool matches = t.op == BinaryOp::match;
    if (std::holds_alternative<ast::Myself>(t.right))
        return &make<MyselfTest>(t.operand, negated);
    const auto* const network = std::get_if<ast::Network>(&t.right);
    const auto* const given = std::get_if<ast::ExpressionPtr>(&t.right);
    const Expr* const right = given ? expression(**given) : nullptr;
    const Value* const known = right ? right->constant() : nullptr;
    const Pattern* const compiled = matches && known && known->is_text()
                                        ? pattern(known->text(), Regex::Case::insensitive, (*given)->at)
                                        : nullptr;
    switch (t.operand) {
    case Operand::method:
    case Operand::uri:
    case Operand::from_uri:
    case Operand::to_uri: return &make<TextTest>(t.operand, t.status, negated, right, compiled, matches);
    case Operand::src_ip:
    case Operand::dst_ip:
    case Operand::snd_ip:
    case Operand::to_ip: {
        const ast::Network* kept = network ? &make<ast::Network>(*network) : nullptr;
        if (!kept && known && known->is_text() && !matches)
            if (const auto constant_network = network_of(known->text()))
                kept = &make<ast::Network>(*constant_network);
        return &make<AddressTest>(t.operand, negated, kept, right, compiled, matches);
    }
    default: break;
    }
    const Expr& number = make<MessageNumber>(t.operand);
    if (!right)
        return nothing();
    if (t.op == BinaryOp::less || t.op == BinaryOp::greater || t.op == BinaryOp::less_equal ||
        t.op == BinaryOp::greater_equal)
        return &make<Arithmetic>(t.op, number, *right, e.at);
    return &make<Equal>(Equal::By::integer, negated, number, *right);
}

} // namespace sipyard::script
