// core/script/function_call.cpp - arguments and return codes of module functions
#include "core/script/function_call.h"

namespace sipyard::script {

// False: the value is not what the function takes; that is logged and the function fails without being
// called.
bool FunctionCall::evaluate(Run& run, const Argument& argument, std::size_t number, Arg& arg) const
{
    arg.present = true;
    // Kept in the arena where it may be a view of a variable: the function may write that variable, or wait.
    Value value = argument.expr->value(run);
    if (argument.expr->reads_slot())
        value = keep(run, value);
    switch (argument.kind) {
    case ArgSpec::Kind::value: arg.value = value; return true;
    case ArgSpec::Kind::text:
    case ArgSpec::Kind::literal:
        arg.value = value.is_text() ? value : value.is_null() ? Value{""} : Value{keep_text(run, value)};
        return true;
    case ArgSpec::Kind::integer: {
        if (!value.is_text()) {
            arg.value = value.number(); // null is 0
            return true;
        }
        const auto n = integer_of(value.text());
        if (!n) {
            log_of(run).error("{}(): argument {} is \"{}\", expected an integer ({})", spec_.name, number,
                              value.text(), place(run, at_.file, at_.line));
            return false;
        }
        arg.value = *n;
        return true;
    }
    case ArgSpec::Kind::parsed: {
        auto parsed = argument.parse(value.is_text() ? value.text() : keep_text(run, value));
        if (!parsed) {
            log_of(run).error("{}(): argument {}: {} ({})", spec_.name, number, parsed.error().text,
                              place(run, at_.file, at_.line));
            return false;
        }
        arg.parsed = run.request.arena().make<std::shared_ptr<const void>>(std::move(*parsed)).get();
        return true;
    }
    case ArgSpec::Kind::variable: break; // always ready
    }
    return true;
}

int FunctionCall::call(Run& run) const
{
    Few<Arg, most_args> args;
    for (std::size_t i = 0; i < args_.size(); ++i) {
        const Argument& argument = args_[i];
        Arg& arg = args.add(argument.ready);
        if (argument.expr && !evaluate(run, argument, i + 1, arg)) {
            run.request.return_code = -1;
            return -1;
        }
    }
    if (run.pending != nothing) { // an argument had no value, or ended the script
        run.request.return_code = run.pending & leave_script ? run.last : -1;
        return run.request.return_code;
    }
    const int code = spec_.call(cell_.object, run.request, args.items()).code;
    run.request.return_code = code;
    if (code == 0) {
        run.last = 0;
        run.pending |= leave_script;
    }
    return code;
}

} // namespace sipyard::script
