// modules/tm/blocks.h - memory of transactions: blocks of a few sizes, recycled per worker instead of going
// to the heap
#pragma once

#include "core/base/guarded.h"
#include "core/task/per_worker.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace sipyard::tm {

// A piece of memory of one size class. `size` is what it holds.
struct Block {
    char* data = nullptr;
    std::uint32_t size = 0;
    explicit operator bool() const { return data != nullptr; }
};

// Thread-safe: each worker has lists of its own, and a common one takes what a worker has too much of (a
// worker may free what another one made). Memory is kept for the next transaction and returned at the end.
class Blocks {
public:
    static constexpr std::size_t largest = 16 * 1024; // larger texts come from the heap

    explicit Blocks(task::Runtime& runtime);
    ~Blocks();
    Block get(std::size_t size); // at least that size
    void put(Block& block);      // null afterwards
    std::size_t bytes() const;   // taken from the system so far, oversized ones excepted

private:
    static constexpr std::array<std::uint32_t, 12> sizes = {128,  256,  512,  768,  1024, 1536,
                                                            2048, 3072, 4096, 6144, 8192, largest};
    static constexpr std::size_t slab = 64 * 1024;
    static constexpr std::uint32_t batch = 64;
    struct Free {
        Free* next;
    };
    struct List {
        Free* first = nullptr;
        std::uint32_t count = 0;
    };
    struct Mine {
        std::array<List, sizes.size()> lists;
    };
    struct Common {
        std::array<std::vector<List>, sizes.size()> batches;
        std::vector<std::unique_ptr<char[]>> slabs;
    };
    static std::size_t class_of(std::size_t size);
    void refill(List& list, std::size_t which);

    task::PerWorker<Mine> mine_;
    Guarded<Common> common_;
};

// Texts and small structures of one transaction, freed all at once. Bump allocation over a few blocks. Not
// thread-safe.
class Store {
public:
    char* allocate(Blocks& blocks, std::size_t size, std::size_t first_block = 0);
    std::string_view copy(Blocks& blocks, std::string_view text)
    {
        if (text.empty())
            return {};
        char* const at = allocate(blocks, text.size());
        std::memcpy(at, text.data(), text.size());
        return {at, text.size()};
    }
    template <class T>
    T* make(Blocks& blocks, std::size_t first_block = 0) // destructors are the caller's business
    {
        return new (allocate(blocks, sizeof(T), first_block)) T{};
    }
    void clear(Blocks& blocks);
    bool empty() const { return !last_; }
    std::size_t bytes() const;

private:
    struct Head {
        Block before;
    };
    Block last_;
    std::uint32_t used_ = 0;
};

} // namespace sipyard::tm
