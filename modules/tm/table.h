// modules/tm/table.h - transactions by key: chains of cells under sharded locks
#pragma once

#include "modules/tm/cell.h"

#include <array>
#include <cstddef>
#include <cstdlib>
#include <memory>

namespace sipyard::tm {

// Thread-safe. Which member of a cell holds the key and the chain is the table's business, so a cell may be
// in two of them. A table's lock is taken before a cell's.
class Table {
public:
    Table(std::size_t expected, Key Cell::*key, Cell* Cell::*next);

    Cell* find_and_hold(const Key& key); // held for the caller; null when there is none
    // Puts the cell in; or, when there is one with its key already, holds and returns that one.
    Cell* insert_or_hold(Cell& cell);
    void insert(Cell& cell);
    void remove(Cell& cell);
    // Another cell with the same key than `than`?
    bool has_other(const Key& key, const Cell* than);

private:
    struct Free {
        void operator()(Cell** p) const { std::free(p); }
    };
    static constexpr std::size_t locks = 1024;
    Cell** bucket(const Key& key) { return buckets_.get() + (key.a & mask_); }
    SmallLock& lock_of(const Key& key) { return locks_[key.a & mask_ & (locks - 1)]; }

    Key Cell::*key_;
    Cell* Cell::*next_;
    std::size_t mask_;
    std::unique_ptr<Cell*[], Free> buckets_; // zero pages until they are used
    std::array<SmallLock, locks> locks_;
};

} // namespace sipyard::tm
