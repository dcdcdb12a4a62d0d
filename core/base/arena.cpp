// core/base/arena.cpp - blocks of the arena
#include "core/base/arena.h"

#include <algorithm>
#include <cstdint>

namespace sipyard {

Arena::~Arena() { reset(); }

void Arena::reset()
{
    for (Finalizer* f = last_; f != nullptr; f = f->before)
        f->run(f->object);
    last_ = nullptr;
    more_.clear();
    used_in_full_ = 0;
    begin_ = next_ = first_.get();
    end_ = begin_ ? begin_ + first_block : nullptr;
}

void* Arena::allocate_slow(std::size_t size, std::size_t alignment)
{
    if (begin_)
        used_in_full_ += static_cast<std::size_t>(next_ - begin_);
    if (!first_ && size + alignment <= first_block) {
        first_.reset(new char[first_block]);
        begin_ = first_.get();
        end_ = begin_ + first_block;
    } else {
        const std::size_t block = std::max(first_block, size + alignment);
        more_.emplace_back(new char[block]);
        begin_ = more_.back().get();
        end_ = begin_ + block;
    }
    next_ = begin_;
    return allocate(size, alignment);
}

void Arena::at_end(void* object, void (*run)(void*))
{
    void* const place = allocate(sizeof(Finalizer), alignof(Finalizer));
    last_ = new (place) Finalizer{run, object, last_};
}

} // namespace sipyard
