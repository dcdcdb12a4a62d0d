// core/script/function_call.h - calling a module's function with its arguments evaluated (spec/script 13)
#pragma once

#include "core/module/manifest.h"
#include "core/script/ast.h"
#include "core/script/node.h"
#include "core/script/program.h"

#include <span>

namespace sipyard::script {

class FunctionCall final : public Callee {
public:
    struct Argument {
        ArgSpec::Kind kind = ArgSpec::Kind::text;
        const Expr* expr = nullptr;     // null: `ready` holds all there is
        ArgSpec::Parse parse = nullptr; // of what is known at run time only
        Arg ready;
    };
    static constexpr std::size_t most_args = 12;

    FunctionCall(const FunctionSpec& spec, const ModuleCell& cell, std::span<const Argument> args,
                 Position at)
        : spec_{spec}, cell_{cell}, args_{args}, at_{at}
    {
    }
    int call(Run& run) const override;

private:
    bool evaluate(Run& run, const Argument& argument, std::size_t number, Arg& arg) const;
    const FunctionSpec& spec_;
    const ModuleCell& cell_;
    const std::span<const Argument> args_;
    const Position at_;
};

} // namespace sipyard::script
