// modules/tm/blocks.cpp - size-classed free lists and the bump allocator over them
#include "modules/tm/blocks.h"

#include <algorithm>
#include <new>

namespace sipyard::tm {

Blocks::Blocks(task::Runtime& runtime) : mine_{runtime} {}

Blocks::~Blocks() = default;

std::size_t Blocks::class_of(std::size_t size)
{
    return static_cast<std::size_t>(std::lower_bound(sizes.begin(), sizes.end(), size) - sizes.begin());
}

Block Blocks::get(std::size_t size)
{
    const std::size_t which = class_of(size);
    if (which == sizes.size())
        return {static_cast<char*>(::operator new(size)), static_cast<std::uint32_t>(size)};
    return mine_.with([&](Mine& mine) -> Block {
        List& list = mine.lists[which];
        if (!list.first)
            refill(list, which);
        Free* const taken = list.first;
        list.first = taken->next;
        --list.count;
        return {reinterpret_cast<char*>(taken), sizes[which]};
    });
}

void Blocks::put(Block& block)
{
    if (!block.data)
        return;
    const std::size_t which = class_of(block.size);
    if (which == sizes.size()) {
        ::operator delete(block.data);
        block = {};
        return;
    }
    mine_.with([&](Mine& mine) {
        List& list = mine.lists[which];
        if (list.count >= 64 * batch) { // another worker makes them and this one frees them: hand a half over
            List half;
            while (half.count < 32 * batch) {
                Free* const moved = list.first;
                list.first = moved->next;
                --list.count;
                moved->next = half.first;
                half.first = moved;
                ++half.count;
            }
            common_.with([&](Common& common) { common.batches[which].push_back(half); });
        }
        auto* const freed = reinterpret_cast<Free*>(block.data);
        freed->next = list.first;
        list.first = freed;
        ++list.count;
    });
    block = {};
}

void Blocks::refill(List& list, std::size_t which)
{
    common_.with([&](Common& common) {
        if (!common.batches[which].empty()) {
            list = common.batches[which].back();
            common.batches[which].pop_back();
            return;
        }
        common.slabs.push_back(std::make_unique_for_overwrite<char[]>(slab));
        char* const start = common.slabs.back().get();
        for (std::size_t at = 0; at + sizes[which] <= slab; at += sizes[which]) {
            auto* const piece = reinterpret_cast<Free*>(start + at);
            piece->next = list.first;
            list.first = piece;
            ++list.count;
        }
    });
}

std::size_t Blocks::bytes() const
{
    return common_.with([](const Common& common) { return common.slabs.size() * slab; });
}

char* Store::allocate(Blocks& blocks, std::size_t size, std::size_t first_block)
{
    size = (size + 15) & ~std::size_t{15};
    if (!last_ || used_ + size > last_.size) {
        const std::size_t wanted = std::max(size, last_ ? std::size_t{496} : first_block) + sizeof(Head);
        const Block fresh = blocks.get(wanted);
        new (fresh.data) Head{last_};
        last_ = fresh;
        used_ = sizeof(Head);
    }
    char* const at = last_.data + used_;
    used_ += static_cast<std::uint32_t>(size);
    return at;
}

void Store::clear(Blocks& blocks)
{
    while (last_) {
        const Block before = reinterpret_cast<Head*>(last_.data)->before;
        blocks.put(last_);
        last_ = before;
    }
    used_ = 0;
}

std::size_t Store::bytes() const
{
    std::size_t sum = 0;
    for (Block b = last_; b; b = reinterpret_cast<Head*>(b.data)->before)
        sum += b.size;
    return sum;
}

} // namespace sipyard::tm
