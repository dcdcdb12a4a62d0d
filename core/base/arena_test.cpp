// core/base/arena_test.cpp - Arena: alignment, large pieces, destructors, reuse
#include "core/base/arena.h"

#include "test/support/catch.h"

#include <cstdint>
#include <string>
#include <vector>

using namespace sipyard;

TEST_CASE("pieces are aligned and do not overlap", "[base][arena]")
{
    Arena arena;
    const struct {
        const char* story;
        std::size_t size, alignment;
    } rows[] = {
        {"a byte", 1, 1},
        {"a word after a byte", 8, 8},
        {"nothing at all", 0, 1},
        {"wide", 48, 64},
        {"most of a block", 15 * 1024, 16},
        {"more than a block", 100'000, 16},
        {"a byte after the large one", 1, 1},
    };
    std::vector<std::pair<char*, std::size_t>> pieces;
    for (const auto& row : rows) {
        INFO(row.story);
        char* const at = static_cast<char*>(arena.allocate(row.size, row.alignment));
        CHECK(reinterpret_cast<std::uintptr_t>(at) % row.alignment == 0);
        std::memset(at, static_cast<int>(pieces.size()), row.size);
        pieces.emplace_back(at, row.size);
    }
    for (std::size_t i = 0; i < pieces.size(); ++i)
        for (std::size_t k = 0; k < pieces[i].second; ++k)
            if (pieces[i].first[k] != static_cast<char>(i))
                FAIL("piece " << i << " was overwritten at " << k);
    CHECK(arena.bytes_used() >= 115'000);
}

TEST_CASE("objects end last made first, once", "[base][arena]")
{
    struct Noisy {
        Noisy(std::string& to, char c) : log{to}, name{c} {}
        ~Noisy() { log += name; }
        std::string& log;
        char name;
    };
    std::string log;
    {
        Arena arena;
        arena.make<Noisy>(log, 'a');
        arena.make<Noisy>(log, 'b');
        arena.reset();
        CHECK(log == "ba");
        arena.make<Noisy>(log, 'c');
    }
    CHECK(log == "bac");
}

TEST_CASE("text is copied and joined", "[base][arena]")
{
    Arena arena;
    std::string source = "volatile";
    const auto copy = arena.copy(source);
    source.assign("replaced");
    CHECK(copy == "volatile");
    CHECK(arena.copy("").empty());
    CHECK(arena.concat("sip:", std::string{"bob"}, std::string_view{}, "@example.org") ==
          "sip:bob@example.org");
}

TEST_CASE("the first block is kept over reset()", "[base][arena]")
{
    Arena arena;
    const void* first = arena.allocate(10);
    arena.allocate(50'000);
    arena.reset();
    CHECK(arena.bytes_used() == 0);
    CHECK(arena.allocate(10) == first);
    arena.reset();
    arena.reset();
    CHECK(arena.bytes_used() == 0);
}
