// core/script/traced.cpp - telling a debugger
#include "core/script/traced.h"

namespace sipyard::script {

void TracedAction::run(Run& run) const
{
    if (tracer_.tracing())
        tracer_.on_step(run.request, step_);
    action_.run(run);
}

int TracedCall::call(Run& run) const
{
    if (tracer_.tracing())
        tracer_.on_step(run.request, step_);
    return callee_.call(run);
}

int action_number(std::string_view word, bool of_module, std::size_t args)
{
    if (of_module)
        return args <= 6 ? 24 + static_cast<int>(args) : 31;
    static constexpr struct {
        std::string_view word;
        int number;
    } known[] = {{"exit", 2},       {"log", 3},         {"route", 5},        {"if", 16},    {"prefix", 17},
                 {"strip", 18},     {"strip_tail", 19}, {"case", 22},        {"while", 23}, {"setflag", 39},
                 {"resetflag", 40}, {"isflagset", 41},  {"force_rport", 55}, {"assign", 63}};
    for (const auto& row : known)
        if (row.word == word)
            return row.number;
    return 0;
}

} // namespace sipyard::script
