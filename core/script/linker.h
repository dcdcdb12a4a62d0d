// core/script/linker.h - turns a checked tree into a program: names, patterns, formats and constants are
// settled here
#pragma once

#include "core/module/script_tracer.h"
#include "core/script/actions.h"
#include "core/script/ast.h"
#include "core/script/engine_parts.h"
#include "core/script/function_call.h"
#include "core/script/values.h"
#include "core/script/variable_linker.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::script {

// One per link(). Goes on after an error, so that all of them are reported; what it returns then is thrown
// away.
class Linker {
public:
    Linker(Engine::Parts& parts, Program& program, const ast::Config& config,
           const std::vector<ModuleInstance>& modules, Diagnostics& diagnostics);
    void link();

private:
    // --- statements: link_statements.cpp ---
    Block block(const ast::Block& statements);
    void add(const ast::Block& statements, std::vector<const Action*>& to);
    const Action* statement(const ast::Statement& statement); // null for ;
    const Action* assignment(const ast::Assign& assign);
    const Action* switch_over(const ast::Switch& node);

    // --- expressions: link_expressions.cpp ---
    const Expr* expression(const ast::Expression& e);
    const Expr* variable(const ast::Variable& v, Position at);
    const Expr* unary(const ast::Unary& u);
    const Expr* binary(const ast::Expression& e, const ast::Binary& b);
    const Expr* plus(const ast::Expression& e);
    const Expr* logic(const ast::Binary& b);
    const Expr* comparison(const ast::Binary& b);
    const Expr* match(const ast::Binary& b);
    const Expr* test(const ast::Expression& e, const ast::Test& t);
    const Pattern* pattern(std::string_view text, Regex::Case letters, Position at);
    const Expr* constant(const Value& value) { return names_.constant(value); }
    const Expr* nothing(); // stands in after an error

    // --- calls: link_calls.cpp ---
    const Callee* callee(const ast::Expression& e); // null when the expression is no call
    const Callee* function(const ast::Call& call, Position at);
    const Callee* core(const ast::CoreCall& call);
    const Callee* route(const ast::RouteCall& call, Position at);
    bool argument(const ArgSpec& spec, const ast::Expression& e, const std::string& function,
                  std::size_t number, FunctionCall::Argument& made);
    bool arguments_known(const FunctionSpec& spec, void* module, const ast::Call& call,
                         std::span<const FunctionCall::Argument> args);
    bool text_argument(const ArgSpec& spec, const ast::Expression& e, std::string_view text,
                       FunctionCall::Argument& made, const std::string& where);

    const Action* plain_statement(const ast::Statement& statement);
    ScriptStep step(Position at, std::string_view word, bool of_module, std::size_t args);
    const Callee* plain_callee(const ast::Expression& e);
    void report(Position at, const Trouble& trouble)
    {
        diagnostics_.error(at, trouble.message, trouble.expected, trouble.nearest);
    }
    template <class T, class... Args>
    const T& make(Args&&... args)
    {
        return program_.arena.make<T>(std::forward<Args>(args)...);
    }

    Engine::Parts& parts_;
    Program& program_;
    const ast::Config& config_;
    const std::vector<ModuleInstance>& modules_;
    Diagnostics& diagnostics_;
    VariableLinker names_;
    ScriptTracer* const tracer_;  // null: nobody traces
    std::string_view route_name_; // of the block being linked, for $cfg(route)
};

} // namespace sipyard::script
