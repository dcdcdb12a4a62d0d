// core/base/function_test.cpp - Function: inline and heap bodies, moves, destruction
#include "core/base/function.h"

#include "test/support/catch.h"

#include <array>
#include <memory>

using namespace sipyard;

namespace {

// Counts how many of its kind are alive.
struct Alive {
    explicit Alive(int& n) : count{&n} { ++*count; }
    Alive(const Alive& other) : count{other.count} { ++*count; }
    Alive(Alive&& other) noexcept : count{other.count} { ++*count; }
    Alive& operator=(const Alive&) = delete;
    ~Alive() { --*count; }
    int* count;
};

} // namespace

TEST_CASE("a function calls its body wherever that lives", "[base][function]")
{
    int alive = 0;
    {
        Function<int(int)> small = [guard = Alive{alive}](int n) { return n + 1; };
        Function<int(int)> large = [guard = Alive{alive}, room = std::array<int, 40>{5}](int n) {
            return n + room[0];
        };
        CHECK(small(1) == 2);
        CHECK(large(1) == 6);
        CHECK(alive == 2);

        Function<int(int)> moved = std::move(large);
        CHECK_FALSE(large);
        CHECK(moved(2) == 7);
        CHECK(alive == 2);

        moved = std::move(small); // the large body is destroyed
        CHECK(alive == 1);
        CHECK(moved(1) == 2);
        auto& same = moved;
        moved = std::move(same);
        CHECK(moved(4) == 5);
    }
    CHECK(alive == 0);
}

TEST_CASE("a function holds what can only be moved", "[base][function]")
{
    Function<int()> f = [p = std::make_unique<int>(9)] { return *p; };
    Function<int()> g = std::move(f);
    CHECK(g() == 9);
    CHECK_FALSE(Function<int()>{});
}

TEST_CASE("arguments arrive as they were given", "[base][function]")
{
    Function<std::size_t(std::unique_ptr<int>, std::string&)> f = [](std::unique_ptr<int> p, std::string& s) {
        s += "!";
        return static_cast<std::size_t>(*p) + s.size();
    };
    std::string text = "ab";
    CHECK(f(std::make_unique<int>(10), text) == 13);
    CHECK(text == "ab!");
}
