// core/task/task_test_support.h - a runtime with a journal that keeps its lines, for this room's tests
#pragma once

#include "core/base/guarded.h"
#include "core/task/runtime.h"

#include <memory>
#include <string>
#include <vector>

namespace sipyard::task {

struct KeptLines final : log::Sink {
    explicit KeptLines(Guarded<std::vector<std::string>>& where) : lines{where} {}
    void write(log::Level, std::string_view line) override
    {
        lines.with([&](auto& kept) { kept.emplace_back(line); });
    }
    Guarded<std::vector<std::string>>& lines;
};

struct Bench {
    explicit Bench(Runtime::Settings settings = {}, const Clock* other_clock = nullptr)
        : runtime{settings, other_clock ? *other_clock : system_clock, journal}
    {
        runtime.start();
    }
    bool logged(std::string_view text)
    {
        return lines.with([&](auto& kept) {
            for (const auto& line : kept)
                if (line.find(text) != std::string::npos)
                    return true;
            return false;
        });
    }
    Guarded<std::vector<std::string>> lines;
    SystemClock system_clock;
    log::Journal journal{std::make_unique<KeptLines>(lines)};
    Runtime runtime;
};

#if defined(__SANITIZE_THREAD__)
inline constexpr std::size_t many_fibers = 500; // a fiber costs ThreadSanitizer nearly a megabyte
#else
inline constexpr std::size_t many_fibers = 5000;
#endif

} // namespace sipyard::task
