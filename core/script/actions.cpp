// core/script/actions.cpp - running statements (spec/script 10 and 12)
#include "core/script/actions.h"

namespace sipyard::script {

void CallAction::run(Run& run) const
{
    const int code = callee_.call(run);
    run.last = code;
    run.pending &= static_cast<unsigned char>(~no_value);
}

void TimedAction::run(Run& run) const
{
    const Clock& clock = run.program.host.clock();
    const Instant start = clock.now();
    action_.run(run);
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(clock.now() - start).count();
    if (took >= run.program.latency_limit_action)
        run.program.log.line(run.program.latency_log, {},
                             format("alert - action [{}] cfg [{}] took too long [{} us]", word_,
                                    place(run, at_.file, at_.line), took));
}

// --- assignment ----------------------------------------------------------------------------------

namespace {

// After an expression: was there a value? Forgets that there was none; the statement that asks has dealt with
// it.
bool had_value(Run& run)
{
    if (!(run.pending & no_value)) [[likely]]
        return true;
    run.pending &= static_cast<unsigned char>(~no_value);
    return false;
}

} // namespace

void AssignVar::run(Run& run) const
{
    value_.store(run, run.context.vars->at(slot_));
    if (run.pending == nothing) [[likely]]
        run.last = 1;
    else if (!had_value(run))
        run.last = -1;
}

void AssignPlace::run(Run& run) const
{
    const Value value = value_.value(run);
    if (run.pending != nothing) [[unlikely]] {
        if (!had_value(run))
            run.last = -1;
        return;
    }
    run.last = 1;
    // A setter may run other code; what it is given must not be a view of a variable that this changes.
    if (place_.assign(run, value_.reads_slot() ? keep(run, value) : value))
        return;
    log_of(run).error("assignment to {} failed ({})", text_, place(run, at_.file, at_.line));
    run.last = -1;
}

Value AssignValue::value(Run& run) const
{
    const int before = run.last;
    assignment_.run(run);
    const bool worked = run.last > 0;
    if (!(run.pending & leave_script))
        run.last = before;
    return worked ? 1 : 0;
}

// --- conditions ----------------------------------------------------------------------------------

bool holds(Run& run, const Expr& condition)
{
    const std::int64_t n = condition.integer(run);
    if (run.pending == nothing) [[likely]]
        return run.program.is_true(n);
    return had_value(run) && run.program.is_true(n);
}

void IfAction::run(Run& run) const
{
    const bool yes = holds(run, condition_);
    if (run.pending != nothing)
        return;
    run.last = 1;
    const Block& chosen = yes ? yes_ : no_;
    if (chosen.count > 0)
        run_block(run, chosen);
}

void WhileAction::run(Run& run) const
{
    // What a loop leaves in the arena stays until the request ends, so an endless loop would eat the machine.
    constexpr std::size_t most_memory = 64 * 1024 * 1024;
    const std::size_t at_start = run.request.arena().bytes_used();
    const int most = run.program.max_loops;
    std::int64_t rounds = 0;
    run.last = 1;
    while (holds(run, condition_)) {
        if (run.pending != nothing)
            return;
        const bool too_many = most > 0 && rounds >= most;
        if (too_many || run.request.arena().bytes_used() - at_start > most_memory) {
            log_of(run).error("runaway while ({}, {}): more than {} {}", at_.line, at_.column,
                              too_many ? std::int64_t{most} : static_cast<std::int64_t>(most_memory),
                              too_many ? "loops" : "bytes");
            run.last = -1;
            return;
        }
        ++rounds;
        run_block(run, body_);
        if (run.pending != nothing) {
            if (run.pending & leave_loop) {
                run.pending &= static_cast<unsigned char>(~leave_loop);
                run.last = 1;
            }
            return;
        }
    }
}

std::size_t SwitchAction::start_of(Run& run) const
{
    if (numbers_) {
        const std::int64_t n = value_.integer(run);
        if (had_value(run))
            for (const Label& label : labels_)
                if (label.number == n)
                    return label.start;
        return fallback_;
    }
    NumberText room;
    const Value value = value_.value(run);
    if (!had_value(run))
        return fallback_;
    const std::string_view text = to_text(value, room);
    for (const Label& label : labels_)
        if (label.pattern ? label.pattern->matches(text) : label.text == text)
            return label.start;
    return fallback_;
}

void SwitchAction::run(Run& run) const
{
    const std::size_t start = start_of(run);
    if (run.pending != nothing)
        return;
    run.last = 1;
    if (start == no_fallback || start >= bodies_.count)
        return;
    run_block(run, {bodies_.actions + start, bodies_.count - start});
    if (run.pending & leave_loop) {
        run.pending &= static_cast<unsigned char>(~leave_loop);
        run.last = 1; // `break` out of a switch is no failure
    }
}

// --- leaving -------------------------------------------------------------------------------------

void LeaveAction::run(Run& run) const
{
    using Kind = ast::Leave::Kind;
    int code = kind_ == Kind::exit || kind_ == Kind::return_ ? 1 : 0;
    if (value_) {
        const std::int64_t n = value_->integer(run);
        if (run.pending != nothing && (had_value(run), run.pending != nothing))
            return; // the expression itself ended the script
        code = static_cast<int>(n);
    }
    run.last = code;
    switch (kind_) {
    case Kind::break_: run.pending |= leave_loop; break;
    case Kind::return_:
        // `return 0` ends the whole script (spec/script 12).
        run.pending |= code == 0 ? leave_route | leave_script : leave_route;
        break;
    case Kind::drop: run.dropped = true; [[fallthrough]];
    case Kind::exit: run.pending |= leave_script; break;
    }
}

// --- what is called ------------------------------------------------------------------------------

int run_route_code(Run& run, const RouteCode& route)
{
    run.last = 1;
    run_block(run, route.body);
    if (run.pending & leave_loop)
        run.last = 0;
    run.pending &= static_cast<unsigned char>(~(leave_loop | leave_route));
    return run.last;
}

int RouteCall::call(Run& run) const
{
    const RouteCode* route = route_;
    if (!route) {
        NumberText room;
        const Value name = name_->value(run);
        if (run.pending != nothing)
            return run.last;
        route = run.program.route(Route::request, to_text(name, room));
        if (!route) {
            log_of(run).error("route \"{}\" not found", to_text(name, room));
            return -1;
        }
    }
    const int code = run_route_code(run, *route);
    run.request.return_code = code;
    return code;
}

int BlockCall::call(Run& run) const
{
    run.last = 1;
    run_block(run, body_);
    run.pending &= static_cast<unsigned char>(~(leave_loop | leave_route));
    return run.last;
}

} // namespace sipyard::script
