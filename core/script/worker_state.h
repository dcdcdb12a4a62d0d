// core/script/worker_state.h - what each worker keeps for its scripts: variables, the script under way,
// recent patterns
#pragma once

#include "core/script/node.h"
#include "core/script/pattern.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sipyard::script {

inline constexpr std::size_t most_text = 4 * 1024 * 1024; // of a string a script builds

// One per worker; only its own thread touches it, but for the counts.
struct alignas(64) Worker {
    static constexpr std::size_t most_patterns = 256, most_spare = 64;

    std::unique_ptr<VarTable> vars = std::make_unique<VarTable>();
    std::vector<std::unique_ptr<VarTable>> spare; // of scripts that were suspended and have ended
    Context* active = nullptr;                    // the script running on this worker now
    std::map<std::string, std::shared_ptr<const Pattern>, std::less<>>
        patterns; // of =~ with a variable pattern
    std::array<std::atomic<std::int64_t>, 8>
        running{}; // scripts per program place; summed by whoever reloads
};

} // namespace sipyard::script
