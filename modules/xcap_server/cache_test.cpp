// modules/xcap_server/cache_test.cpp - what the cache keeps, and what it must not learn
#include "modules/xcap_server/cache.h"

#include "test/support/catch.h"

using namespace sipyard;
using namespace sipyard::xcap_server;

namespace {

DocumentPtr document(std::string uri, std::string etag, std::size_t size = 10)
{
    return std::make_shared<const Document>(
        Document{std::move(uri), "u", "d", std::move(etag), std::string(size, 'x'), 4});
}

} // namespace

TEST_CASE("a slow reader does not cover a newer version", "[xcap_server]")
{
    Cache cache{{1 << 20, 1 << 16}};
    const auto ticket = cache.ticket("a"); // the reader goes to the store and finds v1 ...
    cache.wrote(document("a", "v2"), {});  // ... while v2 is committed
    cache.learn("a", document("a", "v1"), 7, {}, ticket);
    REQUIRE(cache.find("a"));
    CHECK(cache.find("a")->document->etag == "v2");

    const auto second = cache.ticket("b");
    cache.forget("b"); // deleted meanwhile
    cache.learn("b", document("b", "v1"), 7, {}, second);
    CHECK_FALSE(cache.find("b"));
}

TEST_CASE("a confirmation is for the version it was about", "[xcap_server]")
{
    Cache cache{{1 << 20, 1 << 16}};
    const auto first = document("a", "v1");
    cache.wrote(first, {});
    cache.confirm(first, 7, Instant{5});
    CHECK(cache.find("a")->verified == 7);
    cache.wrote(document("a", "v2"), {});
    cache.confirm(first, 8, Instant{6});
    CHECK_FALSE(cache.find("a")->verified);
}

TEST_CASE("the least used documents make room", "[xcap_server]")
{
    Cache cache{{1 << 20, 1 << 16}}; // 64 KiB a shard
    for (int i = 0; i < 1000; ++i) {
        cache.wrote(document("doc" + std::to_string(i), "v", 4000), {});
        CHECK(cache.find("doc0").has_value()); // used all the time
    }
    CHECK(cache.stats().bytes <= (1u << 20));
    CHECK(cache.stats().documents > 100);
    CHECK(cache.stats().documents < 300);
    cache.clear();
    CHECK(cache.stats().documents == 0);
    CHECK(cache.stats().bytes == 0);

    Cache off{{0, 1 << 16}};
    off.wrote(document("a", "v"), {});
    CHECK_FALSE(off.find("a"));
}
