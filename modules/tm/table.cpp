// modules/tm/table.cpp - lookup, insertion and removal in the chains
#include "modules/tm/table.h"

#include <bit>
#include <new>

namespace sipyard::tm {

Table::Table(std::size_t expected, Key Cell::*key, Cell* Cell::*next)
    : key_{key}, next_{next}, mask_{std::bit_ceil(std::max<std::size_t>(expected / 2, 1024)) - 1},
      buckets_{static_cast<Cell**>(std::calloc(mask_ + 1, sizeof(Cell*)))}
{
    if (!buckets_)
        throw std::bad_alloc{};
}

Cell* Table::find_and_hold(const Key& key)
{
    const Locked locked{lock_of(key)};
    for (Cell* cell = *bucket(key); cell; cell = cell->*next_) {
        if (cell->*key_ == key) {
            const Locked inner{cell->lock};
            if (cell->gone)
                continue;
            ++cell->holds;
            return cell;
        }
    }
    return nullptr;
}

Cell* Table::insert_or_hold(Cell& fresh)
{
    const Key& key = fresh.*key_;
    const Locked locked{lock_of(key)};
    for (Cell* cell = *bucket(key); cell; cell = cell->*next_) {
        if (cell->*key_ == key) {
            const Locked inner{cell->lock};
            if (cell->gone)
                continue;
            ++cell->holds;
            return cell;
        }
    }
    fresh.*next_ = *bucket(key);
    *bucket(key) = &fresh;
    return nullptr;
}

void Table::insert(Cell& cell)
{
    const Key& key = cell.*key_;
    const Locked locked{lock_of(key)};
    cell.*next_ = *bucket(key);
    *bucket(key) = &cell;
}

void Table::remove(Cell& cell)
{
    const Key& key = cell.*key_;
    const Locked locked{lock_of(key)};
    for (Cell** at = bucket(key); *at; at = &((*at)->*next_)) {
        if (*at == &cell) {
            *at = cell.*next_;
            cell.*next_ = nullptr;
            return;
        }
    }
}

bool Table::has_other(const Key& key, const Cell* than)
{
    const Locked locked{lock_of(key)};
    for (Cell* cell = *bucket(key); cell; cell = cell->*next_)
        if (cell != than && cell->*key_ == key)
            return true;
    return false;
}

} // namespace sipyard::tm
