// core/task/fiber_parts.h - the inside of a fiber: stack, saved state and the pool it returns to; for this
// room only
#pragma once

#include "core/task/fiber.h"

#include <cstddef>
#include <vector>

namespace sipyard::task {

class Strand;

// One side of a switch: a fiber, or the loop of its worker.
struct Side {
    void* context = nullptr;     // where it goes on
    void* caught = nullptr;      // the C++ runtime's two words: exceptions being handled,
    unsigned int uncaught = 0;   // exceptions in flight
    const void* stack = nullptr; // for AddressSanitizer
    std::size_t stack_size = 0;
    void* fake_stack = nullptr;
    void* tsan = nullptr; // ThreadSanitizer's idea of the fiber
};
void begin_side(Side& loop); // on the thread whose loop it is
// `leaves_nothing`: no instrumented frame of `from` will be used again.
void switch_sides(Side& from, Side& to, bool leaves_nothing);

// A fiber's place in the list of waits that stop() ends.
struct Waiting {
    virtual void give_up() = 0;
    Waiting* next = nullptr;
    Waiting** link = nullptr;

protected:
    ~Waiting() = default;
};

// Lives at the top of the fiber's own stack.
struct Fiber::Parts {
    Parts() { fiber.parts_ = this; }

    Side side;
    Side* loop = nullptr;
    Worker::Parts* worker = nullptr;
    Fiber fiber;
    Arena arena;
    Job job;
    SuspendHook* hook = nullptr;
    const Strand* strand = nullptr; // the one it holds
    Parts* next = nullptr;          // in the ready list
    bool finished = false;
    char* mapping = nullptr;

    void suspend(); // on this fiber: back to the loop until somebody makes it ready
    void run();
};

// Stacks and what is kept with them. Idle ones beyond 256 are returned to the system.
class FiberPool {
public:
    FiberPool() = default;
    FiberPool(const FiberPool&) = delete;
    FiberPool& operator=(const FiberPool&) = delete;
    ~FiberPool();
    Fiber::Parts* take(); // null: no memory
    void give_back(Fiber::Parts& fiber);
    static constexpr std::size_t most_idle = 256;

private:
    std::vector<Fiber::Parts*> idle_;
};

} // namespace sipyard::task
