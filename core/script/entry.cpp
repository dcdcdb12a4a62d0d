// core/script/entry.cpp - the way into a script: programs kept while they run, variables that follow a
// suspended script
#include "core/script/engine_parts.h"

namespace sipyard::script {

namespace {

// Fibers have 64 KiB of stack. What a script nests may take this much of it, the rest is for the functions it
// calls.
constexpr std::size_t fiber_stack_for_script = 34 * 1024;
constexpr std::size_t thread_stack_for_script = 1024 * 1024;

} // namespace

// --- programs ------------------------------------------------------------------------------------

Engine::Parts::Parts(Host& h) : host{h}, bare{h}
{
    for (std::size_t i = 0; i < h.runtime().workers() + 1; ++i)
        workers.push_back(std::make_unique<Worker>());
}

Worker& Engine::Parts::worker()
{
    const task::Worker* const mine = task::Worker::current();
    return *workers[mine ? mine->index() : workers.size() - 1];
}

std::int64_t Engine::Parts::running(std::size_t place) const
{
    std::int64_t sum = 0;
    for (const auto& w : workers)
        sum += w->running[place].load();
    return sum;
}

Pin::Pin(Engine::Parts& parts) : worker_{parts.worker()}
{
    for (;;) {
        place_ = parts.current.load();
        if (place_ < 0)
            return;
        auto& count = worker_.running[static_cast<std::size_t>(place_)];
        count.fetch_add(1);
        if (parts.current.load() ==
            place_) { // still in force, so the place cannot have been reused before we counted
            program_ = parts.programs[static_cast<std::size_t>(place_)].get();
            return;
        }
        count.fetch_sub(1);
    }
}

Pin::~Pin()
{
    if (program_)
        worker_.running[static_cast<std::size_t>(place_)].fetch_sub(1);
}

// --- entry ---------------------------------------------------------------------------------------

Entry::Entry(Engine::Parts& parts, const Program& program, Request& request)
    : parts_{parts}, worker_{parts.worker()}, fiber_{worker_.active ? nullptr : task::Fiber::current()},
      outermost_{worker_.active == nullptr}, run_{request, outermost_ ? own_ : *worker_.active, program}
{
    if (!outermost_)
        return;
    own_.worker = &worker_;
    own_.vars = worker_.vars.get();
    own_.vars->scratch.clear(); // a script that ended with an exception may have left something
    own_.stack_start = reinterpret_cast<const char*>(this);
    own_.stack_limit = fiber_ ? fiber_stack_for_script : thread_stack_for_script;
    if (own_.vars->slots.size() < parts_.catalogue.vars.count())
        own_.vars->slots.resize(parts_.catalogue.vars.count());
    worker_.active = &own_;
    if (fiber_)
        before_ = fiber_->set_hook(this);
}

Entry::~Entry()
{
    if (!outermost_)
        return;
    worker_.active = nullptr;
    if (fiber_)
        fiber_->set_hook(before_);
    if (taken_ && worker_.spare.size() < Worker::most_spare)
        worker_.spare.push_back(std::move(taken_));
}

void Entry::suspending()
{
    if (!taken_) {
        std::unique_ptr<VarTable> copy;
        if (worker_.spare.empty()) {
            copy = std::make_unique<VarTable>();
        } else {
            copy = std::move(worker_.spare.back());
            worker_.spare.pop_back();
        }
        copy->slots = worker_.vars->slots;
        copy->scratch.clear();
        taken_ = std::exchange(worker_.vars, std::move(copy));
    }
    worker_.active = nullptr;
    if (before_)
        before_->suspending();
}

void Entry::resumed()
{
    if (before_)
        before_->resumed();
    worker_.active = &own_;
}

// --- log_prefix ----------------------------------------------------------------------------------

std::string_view log_prefix_of(Run& run)
{
    Context& context = run.context;
    if (!run.program.prefix || context.in_prefix)
        return {};
    if (!context.has_prefix || run.program.prefix_each_action) {
        context.in_prefix = true;
        NumberText room;
        context.prefix = to_text(run.program.prefix->value(run), room);
        context.in_prefix = false;
        context.has_prefix = true;
    }
    return context.prefix;
}

} // namespace sipyard::script
