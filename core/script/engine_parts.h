// core/script/engine_parts.h - the inside of the engine: workers, programs in force, and entering a script
#pragma once

#include "core/script/catalogue.h"
#include "core/script/engine.h"
#include "core/script/program.h"
#include "core/script/worker_state.h"
#include "core/task/fiber.h"

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

namespace sipyard::script {

struct Engine::Parts {
    explicit Parts(Host& h);

    Host& host;
    // Linking changes the catalogue; formats may be compiled meanwhile by scripts that run. Never held across
    // a suspension.
    std::recursive_mutex linking;
    Catalogue catalogue;
    Program bare;                                 // for formats that belong to no program
    std::vector<std::unique_ptr<Worker>> workers; // the last is of threads that are no workers
    // Programs never move between places, and a place is reused only when nobody runs in it: a worker counts
    // itself in, then looks again whether that place is still in force.
    std::array<std::shared_ptr<Program>, most_programs> programs; // shared with whoever linked them
    std::atomic<int> current{-1};

    Worker& worker();
    std::int64_t running(std::size_t place) const;
};

// Keeps the program in force alive while a script runs in it.
class Pin {
public:
    explicit Pin(Engine::Parts& parts);
    ~Pin();
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;
    const Program* program() const { return program_; } // null: none is installed

private:
    Worker& worker_;
    int place_ = -1;
    const Program* program_ = nullptr;
};

// The way into a script: finds or makes the context of this fiber. The outermost one takes the worker's
// variables along when the fiber is suspended and leaves a copy; what it took is dropped at the end (DESIGN
// 3).
class Entry final : public task::SuspendHook {
public:
    Entry(Engine::Parts& parts, const Program& program, Request& request);
    ~Entry();
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    Run& run() { return run_; }

    void suspending() override;
    void resumed() override;

private:
    Engine::Parts& parts_;
    Worker& worker_;
    task::Fiber* fiber_;
    Context own_;
    std::unique_ptr<VarTable> taken_; // the table that came along
    task::SuspendHook* before_ = nullptr;
    const bool outermost_;
    Run run_;
};

// log_prefix of the message in hand; the text lives until the prefix is evaluated again.
std::string_view log_prefix_of(Run& run);

} // namespace sipyard::script
