// core/script/link_calls.cpp - functions with their arguments, core functions, routes (spec/script 12 to 14)
#include "core/script/linker.h"

#include "core/base/text.h"
#include "core/script/core_call.h"
#include "core/script/reference.h"
#include "core/script/traced.h"

namespace sipyard::script {

namespace {

class NoCall final : public Callee { // stands in after an error
public:
    int call(Run&) const override { return -1; }
};

} // namespace

// A call within an expression.
const Callee* Linker::callee(const ast::Expression& e)
{
    const Callee* const made = plain_callee(e);
    if (!made || !tracer_ || std::holds_alternative<ast::BlockValue>(e.node))
        return made;
    const auto* const call = std::get_if<ast::Call>(&e.node);
    const auto* const core = std::get_if<ast::CoreCall>(&e.node);
    const std::string_view word = call   ? std::string_view{call->name}
                                  : core ? script::to_text(core->function)
                                         : "route";
    return &make<TracedCall>(*made, *tracer_,
                             step(e.at, word, call != nullptr, call ? call->args.size() : 0));
}

const Callee* Linker::plain_callee(const ast::Expression& e)
{
    if (const auto* call = std::get_if<ast::Call>(&e.node))
        return function(*call, e.at);
    if (const auto* call = std::get_if<ast::CoreCall>(&e.node))
        return core(*call);
    if (const auto* call = std::get_if<ast::RouteCall>(&e.node))
        return route(*call, e.at);
    if (const auto* body = std::get_if<ast::BlockValue>(&e.node))
        return &make<BlockCall>(block(body->body));
    return nullptr;
}

const Callee* Linker::route(const ast::RouteCall& call, Position at)
{
    if (!call.constant)
        return &make<RouteCall>(nullptr, expression(*call.name));
    if (const RouteCode* const found = program_.route(Route::request, *call.constant))
        return &make<RouteCall>(found, nullptr);
    std::vector<std::string_view> known;
    for (const ast::RouteBlock& r : config_.routes)
        if (r.kind == Route::request)
            known.push_back(r.name);
    diagnostics_.error(
        at,
        format("route \"{}\" not found at {}:{}", *call.constant, diagnostics_.file_name(at.file), at.line),
        {}, nearest(*call.constant, known));
    return &make<NoCall>();
}

const Callee* Linker::core(const ast::CoreCall& call)
{
    const bool takes_avp = call.function == CoreFunction::setavpflag ||
                           call.function == CoreFunction::resetavpflag ||
                           call.function == CoreFunction::isavpflagset;
    std::vector<const Expr*> args;
    for (const ast::ExpressionPtr& arg : call.args) {
        const auto* v = std::get_if<ast::Variable>(&arg->node);
        if (!takes_avp || !v || !args.empty()) {
            args.push_back(expression(*arg));
            continue;
        }
        // $avp(x): the name counts, not the value.
        const auto pvar = read_pvar(v->text);
        Trouble trouble;
        const Expr* const name =
            pvar && pvar->name == "avp" && pvar->inner ? names_.format(*pvar->inner, trouble) : nullptr;
        if (!name)
            diagnostics_.error(arg->at,
                               trouble.message.empty() ? format("{} is no avp", v->text) : trouble.message,
                               "$avp(name)");
        args.push_back(name ? name : nothing());
    }
    return &make<CoreCall>(call.function, names_.copy(args));
}

const Callee* Linker::function(const ast::Call& call, Position at)
{
    const FunctionSpec& spec = *call.function;
    if (spec.args.size() > FunctionCall::most_args) {
        diagnostics_.error(at,
                           format("{}() has more than {} parameters", call.name, FunctionCall::most_args));
        return &make<NoCall>();
    }
    std::vector<FunctionCall::Argument> args(spec.args.size());
    bool good = true;
    for (std::size_t i = 0; i < spec.args.size(); ++i) {
        args[i].kind = spec.args[i].kind;
        args[i].parse = spec.args[i].parse;
        if (i < call.args.size())
            good = argument(spec.args[i], *call.args[i], call.name, i + 1, args[i]) && good;
    }
    if (!good)
        return &make<NoCall>();
    const ModuleCell& cell = parts_.catalogue.cell(modules_[call.module].manifest);
    if (spec.check && cell.object && !arguments_known(spec, cell.object, call, args))
        return &make<NoCall>();
    return &make<FunctionCall>(spec, cell, names_.copy(args), at);
}

// What the module itself has to say about the texts that are known now.
bool Linker::arguments_known(const FunctionSpec& spec, void* module, const ast::Call& call,
                             std::span<const FunctionCall::Argument> args)
{
    bool good = true;
    for (std::size_t i = 0; i < call.args.size() && i < args.size(); ++i) {
        const auto* const text = std::get_if<ast::String>(&call.args[i]->node);
        KnownText known;
        if (args[i].ready.present && args[i].ready.value.is_text())
            known.text = args[i].ready.value.text();
        else if (text && args[i].expr)
            known = {VariableLinker::before_variables(text->text), false};
        else
            continue;
        if (const auto refusal = spec.check(module, i, known)) {
            diagnostics_.error(call.args[i]->at,
                               format("{}(): parameter {}: {}", call.name, i + 1, refusal->message), {},
                               refusal->nearest);
            good = false;
        }
    }
    return good;
}

bool Linker::argument(const ArgSpec& spec, const ast::Expression& e, const std::string& function,
                      std::size_t number, FunctionCall::Argument& made)
{
    const std::string where = format("{}(): parameter {}", function, number);
    const auto* const text = std::get_if<ast::String>(&e.node);
    const auto* const var = std::get_if<ast::Variable>(&e.node);
    if (spec.kind == ArgSpec::Kind::variable) {
        const std::string_view written = text  ? std::string_view{text->text}
                                         : var ? std::string_view{var->text}
                                               : "";
        if (!VariableLinker::is_one_variable(written)) {
            diagnostics_.error(e.at, format("{} is not a variable", where), "a variable such as $var(x)");
            return false;
        }
        Trouble trouble;
        const Expr* const expr = names_.variable(written, trouble);
        if (!expr) {
            report(e.at, trouble);
            return false;
        }
        Trouble ignored; // one that can only be read is good enough for a function that reads
        made.ready.variable = &make<Reference>(parts_, *expr, names_.place(written, ignored), written);
        made.ready.present = true;
        return true;
    }
    if (text)
        return text_argument(spec, e, text->text, made, where);
    const Expr* const expr = expression(e);
    const Value* const known = expr->constant();
    if (!known) {
        made.expr = expr;
        return true;
    }
    made.ready.present = true;
    switch (spec.kind) {
    case ArgSpec::Kind::integer:
        if (known->is_integer() || known->is_null())
            made.ready.value = known->number();
        else
            return text_argument(spec, e, known->text(), made, where);
        return true;
    case ArgSpec::Kind::value: made.ready.value = *known; return true;
    default: break;
    }
    NumberText room;
    const auto as_text = program_.arena.copy(to_text(*known, room));
    if (spec.kind == ArgSpec::Kind::parsed)
        return text_argument(spec, e, as_text, made, where);
    made.ready.value = as_text;
    return true;
}

// A constant string: interpolated or not, parsed or not, as the function declares it (spec/script 13).
bool Linker::text_argument(const ArgSpec& spec, const ast::Expression& e, std::string_view text,
                           FunctionCall::Argument& made, const std::string& where)
{
    made.ready.present = true;
    const bool one_variable = VariableLinker::is_one_variable(text);
    if (spec.kind == ArgSpec::Kind::literal) {
        made.ready.value = program_.arena.copy(text);
        return true;
    }
    if (spec.kind == ArgSpec::Kind::parsed && !one_variable) { // patterns hold '$' of their own
        auto parsed = spec.parse(text);
        if (!parsed) {
            diagnostics_.error(e.at, format("{}: {}", where, parsed.error().text),
                               std::string{spec.expected});
            return false;
        }
        made.ready.parsed = program_.arena.make<std::shared_ptr<const void>>(std::move(*parsed)).get();
        return true;
    }
    Trouble trouble;
    const Expr* const expr = names_.format(text, trouble);
    if (!expr) {
        trouble.message = format("{}: {}", where, trouble.message);
        report(e.at, trouble);
        return false;
    }
    const Value* const known = expr->constant();
    if (!known) {
        made.expr = expr;
        return true;
    }
    if (spec.kind == ArgSpec::Kind::integer) {
        const auto number = known->is_text() ? integer_of(known->text()) : std::optional{known->number()};
        if (!number || (known->is_text() && known->text().empty())) {
            diagnostics_.error(e.at, format("{}: \"{}\" is not a number", where, text),
                               std::string{spec.expected});
            return false;
        }
        made.ready.value = *number;
        return true;
    }
    made.ready.value = known->is_null() && spec.kind != ArgSpec::Kind::value ? Value{""} : *known;
    if (made.ready.value.is_integer() && spec.kind == ArgSpec::Kind::text) {
        NumberText room;
        made.ready.value = program_.arena.copy(to_text(*known, room));
    }
    return true;
}

} // namespace sipyard::script
