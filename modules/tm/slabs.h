// modules/tm/slabs.h - where the cells are: chunks that belong to a worker, found by index from any
#pragma once

#include "modules/tm/cell.h"

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

namespace sipyard::tm {

// Thread-safe, but take() and give_back() are for the worker the cell belongs to.
class Slabs {
public:
    static constexpr std::size_t per_chunk = 128;

    // `on_time` runs on the loop of the cell's worker.
    Slabs(task::Runtime& runtime, std::size_t most, std::function<void(Cell&)> on_time);
    ~Slabs();
    Cell* take(task::Worker& worker);    // null when there are `most`
    void give_back(Cell& cell);          // under nobody's lock; no one else knows it any more
    Cell* at(std::uint32_t index) const; // null when there never was one
    std::size_t live() const { return live_.load(std::memory_order_relaxed); }
    std::size_t most() const { return most_; }
    void each(const std::function<void(Cell&)>& f) const; // all that were ever made

private:
    struct Chunk {
        std::unique_ptr<std::byte[]> memory;
        Cell* cells;
    };
    struct Mine {
        std::vector<Cell*> free;
    };
    bool grow(task::Worker& worker, Mine& mine);

    const std::size_t most_;
    const std::function<void(Cell&)> on_time_;
    std::atomic<std::size_t> live_{0};
    std::atomic<std::uint32_t> chunks_made_{0};
    std::vector<std::atomic<Cell*>> chunks_;
    Guarded<std::vector<Chunk>> owned_;
    task::PerWorker<Mine> mine_;
};

} // namespace sipyard::tm
