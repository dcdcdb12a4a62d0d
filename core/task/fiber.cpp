// core/task/fiber.cpp - stacks and the switch between a fiber and its worker's loop
#include "core/task/fiber.h"

#include "core/base/guarded.h"
#include "core/task/fiber_parts.h"
#include "core/task/worker_parts.h"

#include <boost/context/detail/fcontext.hpp>

#include <cassert>
#include <cxxabi.h>
#include <new>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace sipyard::task {
namespace {

namespace context = boost::context::detail;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t stack_size = 256 * 1024; // instrumented frames are three to four times as large
#else
constexpr std::size_t stack_size = 64 * 1024;
#endif
constexpr std::size_t guard_size = 4096;
constexpr std::size_t mapping_size = stack_size + guard_size;

// What __cxa_get_globals() points to (Itanium C++ ABI, 2.2.2).
struct ExceptionState {
    void* caught;
    unsigned int uncaught;
};

struct Jump {
    Side* from;
    Side* to;
};

void finish_switch([[maybe_unused]] Side& from, [[maybe_unused]] void* fake_stack)
{
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(fake_stack, &from.stack, &from.stack_size);
#endif
}

// Never returns: after a job it waits at its first frame for the next one, so a pooled fiber starts with one
// jump.
[[gnu::no_sanitize("address")]] void root(context::transfer_t transfer)
{
    const Jump jump = *static_cast<Jump*>(transfer.data);
    jump.from->context = transfer.fctx;
    finish_switch(*jump.from, nullptr);
    auto& me = *reinterpret_cast<Fiber::Parts*>(jump.to); // its first member
    for (;;) {
        me.run();
        switch_sides(me.side, *me.loop, true);
    }
}

} // namespace

void begin_side([[maybe_unused]] Side& loop)
{
#if defined(__SANITIZE_THREAD__)
    loop.tsan = __tsan_get_current_fiber();
#endif
}

[[gnu::no_sanitize("address"), gnu::noinline]] void switch_sides(Side& from, Side& to,
                                                                 [[maybe_unused]] bool leaves_nothing)
{
    auto* const exceptions = reinterpret_cast<ExceptionState*>(abi::__cxa_get_globals());
    from.caught = exceptions->caught;
    from.uncaught = exceptions->uncaught;
    exceptions->caught = to.caught;
    exceptions->uncaught = to.uncaught;
    Jump jump{&from, &to};
#if defined(__SANITIZE_ADDRESS__)
    from.fake_stack = nullptr;
    __sanitizer_start_switch_fiber(leaves_nothing ? nullptr : &from.fake_stack, to.stack, to.stack_size);
#endif
#if defined(__SANITIZE_THREAD__)
    __tsan_switch_to_fiber(to.tsan, 0);
#endif
    const context::transfer_t back = context::jump_fcontext(to.context, &jump);
    Side& other = *static_cast<Jump*>(back.data)->from;
    other.context = back.fctx;
    finish_switch(other, from.fake_stack);
}

Fiber* Fiber::current()
{
    Worker* const worker = Worker::current();
    return worker && worker->parts().current ? &worker->parts().current->fiber : nullptr;
}

Arena& Fiber::arena() { return parts_->arena; }

Worker& Fiber::worker() { return *parts_->worker->self; }

SuspendHook* Fiber::set_hook(SuspendHook* hook) { return std::exchange(parts_->hook, hook); }

void Fiber::Parts::suspend()
{
    assert(NoSuspend::depth() == 0 && "no suspension inside Guarded::with or PerWorker::with");
    if (hook)
        hook->suspending();
    worker->suspensions.store(worker->suspensions.load(std::memory_order_relaxed) + 1,
                              std::memory_order_relaxed);
    switch_sides(side, *loop, false);
    if (hook)
        hook->resumed();
}

void Fiber::Parts::run()
{
    worker->protect(job);
    assert(strand == nullptr && "the job ended holding a strand");
    job = {};
    hook = nullptr;
    arena.reset();
    finished = true;
}

Fiber::Parts* FiberPool::take()
{
    if (!idle_.empty()) {
        Fiber::Parts* const fiber = idle_.back();
        idle_.pop_back();
        fiber->finished = false;
        return fiber;
    }
    void* const mapping = mmap(nullptr, mapping_size, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (mapping == MAP_FAILED)
        return nullptr;
    if (mprotect(mapping, guard_size, PROT_NONE) != 0) {
        munmap(mapping, mapping_size);
        return nullptr;
    }
    char* const bottom = static_cast<char*>(mapping) + guard_size;
    const auto top =
        (reinterpret_cast<std::uintptr_t>(bottom) + stack_size - sizeof(Fiber::Parts)) & ~std::uintptr_t{63};
    auto* const fiber = new (reinterpret_cast<void*>(top)) Fiber::Parts;
    fiber->mapping = static_cast<char*>(mapping);
    fiber->side.stack = bottom;
    fiber->side.stack_size = static_cast<std::size_t>(reinterpret_cast<char*>(fiber) - bottom);
    fiber->side.context = context::make_fcontext(fiber, fiber->side.stack_size, root);
#if defined(__SANITIZE_THREAD__)
    fiber->side.tsan = __tsan_create_fiber(0); // a third of a millisecond: it stays with the stack
#endif
    return fiber;
}

namespace {

void destroy(Fiber::Parts& fiber)
{
    char* const mapping = fiber.mapping;
#if defined(__SANITIZE_THREAD__)
    __tsan_destroy_fiber(fiber.side.tsan);
#endif
    fiber.~Parts();
#if defined(__SANITIZE_ADDRESS__)
    __asan_unpoison_memory_region(mapping, mapping_size); // the next mapping here starts clean
#endif
    munmap(mapping, mapping_size);
}

} // namespace

void FiberPool::give_back(Fiber::Parts& fiber)
{
    if (idle_.size() < most_idle)
        idle_.push_back(&fiber);
    else
        destroy(fiber);
}

FiberPool::~FiberPool()
{
    for (Fiber::Parts* fiber : idle_)
        destroy(*fiber);
}

} // namespace sipyard::task
