// core/script/var_table.cpp - slot numbers of script variables
#include "core/script/var_table.h"

namespace sipyard::script {

std::size_t VarNames::slot_of(VarFamily family, std::string_view name)
{
    return names_.with([&](auto& names) {
        auto& mine = names[static_cast<std::size_t>(family)];
        const auto found = mine.find(name);
        if (found != mine.end())
            return found->second;
        const std::size_t slot = count_.load(std::memory_order_relaxed);
        mine.emplace(std::string{name}, slot);
        count_.store(slot + 1, std::memory_order_release);
        return slot;
    });
}

} // namespace sipyard::script
