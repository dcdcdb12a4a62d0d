// core/base/arena.h - memory of one request: bump allocation, freed all at once
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace sipyard {

// Not thread-safe: an arena belongs to one fiber. Memory stays valid until reset() or destruction.
// The first block (16 KiB) is kept over reset(), larger ones are returned to the heap.
class Arena {
public:
    static constexpr std::size_t first_block = 16 * 1024;

    Arena() = default;
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;
    ~Arena();

    void* allocate(std::size_t size, std::size_t alignment = alignof(std::max_align_t))
    {
        const auto at = (reinterpret_cast<std::uintptr_t>(next_) + alignment - 1) & ~(alignment - 1);
        if (next_ != nullptr && at + size <= reinterpret_cast<std::uintptr_t>(end_)) {
            next_ = reinterpret_cast<char*>(at + size);
            return reinterpret_cast<void*>(at);
        }
        return allocate_slow(size, alignment);
    }

    // An object in the arena. If T has a destructor it runs at reset(), last made first.
    template <class T, class... Args>
    T& make(Args&&... args)
    {
        T* object = new (allocate(sizeof(T), alignof(T))) T(std::forward<Args>(args)...);
        if constexpr (!std::is_trivially_destructible_v<T>)
            at_end(object, [](void* p) { static_cast<T*>(p)->~T(); });
        return *object;
    }

    // An uninitialised array of a trivial type.
    template <class T>
    T* array(std::size_t count)
    {
        static_assert(std::is_trivially_destructible_v<T>);
        return static_cast<T*>(allocate(sizeof(T) * count, alignof(T)));
    }

    std::string_view copy(std::string_view text)
    {
        char* at = static_cast<char*>(allocate(text.size(), 1));
        if (!text.empty())
            std::memcpy(at, text.data(), text.size());
        return {at, text.size()};
    }

    // Joins the pieces into one text.
    template <class... Pieces>
    std::string_view concat(const Pieces&... pieces)
    {
        const std::size_t size = (std::string_view{pieces}.size() + ... + 0);
        char* const start = static_cast<char*>(allocate(size, 1));
        char* at = start;
        ((at = append(at, std::string_view{pieces})), ...);
        return {start, size};
    }

    void reset();
    std::size_t bytes_used() const
    {
        return used_in_full_ + (next_ ? static_cast<std::size_t>(next_ - begin_) : 0);
    }

private:
    struct Finalizer {
        void (*run)(void*);
        void* object;
        Finalizer* before;
    };
    static char* append(char* at, std::string_view text)
    {
        if (!text.empty())
            std::memcpy(at, text.data(), text.size());
        return at + text.size();
    }
    void* allocate_slow(std::size_t size, std::size_t alignment);
    void at_end(void* object, void (*run)(void*));

    char* begin_ = nullptr; // of the current block
    char* next_ = nullptr;
    char* end_ = nullptr;
    Finalizer* last_ = nullptr;
    std::size_t used_in_full_ = 0;
    std::unique_ptr<char[]> first_;
    std::vector<std::unique_ptr<char[]>> more_;
};

} // namespace sipyard
