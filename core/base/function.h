// core/base/function.h - a move-only callable with 48 bytes of its own, so posting a job needs no heap
#pragma once

#include <cassert>
#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace sipyard {

template <class Signature>
class Function;

template <class R, class... Args>
class Function<R(Args...)> {
public:
    Function() = default;
    template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, Function> && std::is_invocable_r_v<R, F&, Args...>)
        Function(F&& callable)
    {
        using Body = std::remove_cvref_t<F>;
        if constexpr (fits<Body>) {
            new (room_) Body(std::forward<F>(callable));
            table_ = &inline_table<Body>;
        } else {
            new (room_) Body*(new Body(std::forward<F>(callable)));
            table_ = &heap_table<Body>;
        }
    }
    Function(Function&& other) noexcept { take(other); }
    Function& operator=(Function&& other) noexcept
    {
        if (this != &other) {
            reset();
            take(other);
        }
        return *this;
    }
    ~Function() { reset(); }

    explicit operator bool() const { return table_ != nullptr; }
    R operator()(Args... args)
    {
        assert(table_);
        return table_->call(room_, std::forward<Args>(args)...);
    }

private:
    struct Table {
        R (*call)(void*, Args&&...);
        void (*move)(void* from, void* to);
        void (*destroy)(void*);
    };
    static constexpr std::size_t room_size = 48;
    template <class Body>
    static constexpr bool
        fits = sizeof(Body) <= room_size &&
               alignof(Body) <= alignof(std::max_align_t) && std::is_nothrow_move_constructible_v<Body>;
    template <class Body>
    static constexpr Table inline_table{
        [](void* p, Args&&... args) -> R { return (*static_cast<Body*>(p))(std::forward<Args>(args)...); },
        [](void* from, void* to) {
            new (to) Body(std::move(*static_cast<Body*>(from)));
            static_cast<Body*>(from)->~Body();
        },
        [](void* p) { static_cast<Body*>(p)->~Body(); }};
    template <class Body>
    static constexpr Table heap_table{
        [](void* p, Args&&... args) -> R { return (**static_cast<Body**>(p))(std::forward<Args>(args)...); },
        [](void* from, void* to) { new (to) Body*(*static_cast<Body**>(from)); },
        [](void* p) { delete *static_cast<Body**>(p); }};

    void take(Function& other)
    {
        table_ = other.table_;
        if (table_)
            table_->move(other.room_, room_);
        other.table_ = nullptr;
    }
    void reset()
    {
        if (table_)
            table_->destroy(room_);
        table_ = nullptr;
    }

    const Table* table_ = nullptr;
    alignas(std::max_align_t) std::byte room_[room_size];
};

} // namespace sipyard
