// core/script/traced.h - actions and calls that tell a debugger before they run
#pragma once

#include "core/module/script_tracer.h"
#include "core/script/ast.h"
#include "core/script/node.h"

#include <string_view>

namespace sipyard::script {

class TracedAction final : public Action {
public:
    TracedAction(const Action& action, ScriptTracer& tracer, const ScriptStep& step)
        : action_{action}, tracer_{tracer}, step_{step}
    {
    }
    void run(Run& run) const override;

private:
    const Action& action_;
    ScriptTracer& tracer_;
    const ScriptStep step_;
};

class TracedCall final : public Callee { // within an expression
public:
    TracedCall(const Callee& callee, ScriptTracer& tracer, const ScriptStep& step)
        : callee_{callee}, tracer_{tracer}, step_{step}
    {
    }
    int call(Run& run) const override;

private:
    const Callee& callee_;
    ScriptTracer& tracer_;
    const ScriptStep step_;
};

// The number Kamailio prints as a=: functions of modules by their arguments, the usual core actions; 0 for
// others.
int action_number(std::string_view word, bool of_module, std::size_t args);

} // namespace sipyard::script
