// modules/tm/slabs.cpp - chunks of cells, recycled for ever
#include "modules/tm/slabs.h"

#include <algorithm>

namespace sipyard::tm {

Leg* leg_by_serial(Cell& cell, std::uint16_t serial)
{
    for (Leg* leg = cell.saved ? cell.saved->legs : nullptr; leg; leg = leg->next)
        if (leg->serial == serial)
            return leg;
    return nullptr;
}

Leg* leg_by_branch(Cell& cell, int branch)
{
    Leg* found = nullptr; // the newest: the ones before were other servers of the same branch
    for (Leg* leg = cell.saved ? cell.saved->legs : nullptr; leg; leg = leg->next)
        if (leg->branch == branch)
            found = leg;
    return found;
}

bool has_pending(const Cell& cell)
{
    for (const Leg* leg = cell.saved ? cell.saved->legs : nullptr; leg; leg = leg->next)
        if (leg->is_pending() || leg->in_hand)
            return true;
    return false;
}

Slabs::Slabs(task::Runtime& runtime, std::size_t most, std::function<void(Cell&)> on_time)
    : most_{std::max<std::size_t>(most, 1)}, on_time_{std::move(on_time)},
      chunks_(most_ / per_chunk + 2 * runtime.workers() + 2), mine_{runtime}
{
}

Slabs::~Slabs()
{
    for (auto& slot : chunks_)
        if (Cell* const cells = slot.load())
            for (std::size_t i = 0; i < per_chunk; ++i)
                cells[i].~Cell();
}

bool Slabs::grow(task::Worker& worker, Mine& mine)
{
    const std::uint32_t number = chunks_made_.fetch_add(1);
    if (number >= chunks_.size()) {
        chunks_made_.fetch_sub(1);
        return false;
    }
    Chunk chunk;
    chunk.memory = std::make_unique_for_overwrite<std::byte[]>(per_chunk * sizeof(Cell) + alignof(Cell));
    void* at = chunk.memory.get();
    std::size_t room = per_chunk * sizeof(Cell) + alignof(Cell);
    chunk.cells = static_cast<Cell*>(std::align(alignof(Cell), per_chunk * sizeof(Cell), at, room));
    mine.free.reserve(mine.free.capacity() + per_chunk);
    for (std::size_t i = per_chunk; i-- > 0;) {
        Cell* const cell = chunk.cells + i;
        new (cell) Cell{static_cast<std::uint32_t>(number * per_chunk + i), worker,
                        [this, cell] { on_time_(*cell); }};
        mine.free.push_back(cell);
    }
    chunks_[number].store(chunk.cells, std::memory_order_release);
    owned_.with([&](auto& all) { all.push_back(std::move(chunk)); });
    return true;
}

Cell* Slabs::take(task::Worker& worker)
{
    if (live_.fetch_add(1, std::memory_order_relaxed) >= most_) {
        live_.fetch_sub(1, std::memory_order_relaxed);
        return nullptr;
    }
    return mine_.with([&](Mine& mine) -> Cell* {
        if (mine.free.empty() && !grow(worker, mine)) {
            live_.fetch_sub(1, std::memory_order_relaxed);
            return nullptr;
        }
        Cell* const cell = mine.free.back();
        mine.free.pop_back();
        return cell;
    });
}

void Slabs::give_back(Cell& cell)
{
    live_.fetch_sub(1, std::memory_order_relaxed);
    mine_.with([&](Mine& mine) { mine.free.push_back(&cell); });
}

Cell* Slabs::at(std::uint32_t index) const
{
    const std::size_t chunk = index / per_chunk;
    if (chunk >= chunks_.size())
        return nullptr;
    Cell* const cells = chunks_[chunk].load(std::memory_order_acquire);
    return cells ? cells + index % per_chunk : nullptr;
}

void Slabs::each(const std::function<void(Cell&)>& f) const
{
    for (const auto& slot : chunks_)
        if (Cell* const cells = slot.load(std::memory_order_acquire))
            for (std::size_t i = 0; i < per_chunk; ++i)
                f(cells[i]);
}

} // namespace sipyard::tm
