// modules/auth/parts_test.cpp - the arithmetic, the nonces and the memory of nonce counts
#include "modules/auth/challenge.h"
#include "modules/auth/nonce.h"
#include "modules/auth/replay.h"
#include "modules/auth/response.h"
#include "test/support/catch.h"

#include <atomic>
#include <thread>
#include <vector>

namespace sipyard::auth {

TEST_CASE("responses are those of the RFCs' examples", "[auth]")
{
    const struct {
        const char *story, *credentials, *password, *method;
    } rows[] = {
        {"RFC 7616 3.9.1, MD5",
         "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", "
         "algorithm=MD5, "
         "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, "
         "cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, "
         "response=\"8ca523f5e9506fed4657c9700eebdbec\"",
         "Circle of Life", "GET"},
        {"RFC 7616 3.9.1, SHA-256",
         "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", "
         "algorithm=SHA-256, "
         "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, "
         "cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, "
         "response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\"",
         "Circle of Life", "GET"},
        {"RFC 2617 3.5",
         "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", "
         "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", "
         "uri=\"/dir/index.html\", qop=auth, nc=00000001, cnonce=\"0a4f113b\", "
         "response=\"6629fae49393a05397450978507c4ef1\"",
         "Circle Of Life", "GET"},
        {"RFC 2069 style, no qop (its erratum 749)",
         "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", "
         "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", "
         "uri=\"/dir/index.html\", response=\"1949323746FE6A43EF61F9606E7FEBEA\"",
         "CircleOfLife", "GET"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        sip::DigestView digest;
        REQUIRE(sip::read(row.credentials, digest).empty());
        const auto scheme = Scheme::named(digest.algorithm);
        REQUIRE(scheme);
        const auto known = ha1(scheme->hash, digest.username, digest.realm, row.password);
        CHECK(fits(*scheme, known, digest, {row.method, ""}));
        CHECK_FALSE(fits(*scheme, known, digest, {"PUT", ""}));
        CHECK_FALSE(fits(*scheme, ha1(scheme->hash, digest.username, digest.realm, "other"), digest,
                         {row.method, ""}));
    }
}

TEST_CASE("algorithm names", "[auth]")
{
    const struct {
        const char* text;
        bool known, session;
    } rows[] = {{"", true, false},
                {"MD5", true, false},
                {"md5", true, false},
                {"MD5-sess", true, true},
                {"SHA-256", true, false},
                {"sha-256-SESS", true, true},
                {"SHA-512-256", true, false},
                {"SHA-1", false, false},
                {"-sess", false, false},
                {"AKAv1-MD5", false, false},
                {"none", false, false}};
    for (const auto& row : rows) {
        INFO(row.text);
        const auto scheme = Scheme::named(row.text);
        CHECK(scheme.has_value() == row.known);
        CHECK((scheme && scheme->session) == row.session);
    }
}

TEST_CASE("-sess and auth-int change what is digested", "[auth]")
{
    sip::DigestView d;
    d.nonce = "n";
    d.cnonce = "c";
    d.nc = "00000001";
    d.uri = "/x";
    d.qop = "auth-int";
    d.has_qop = true;
    const Scheme plain, session{crypto::Algorithm::md5, true};
    const std::string h{ha1(crypto::Algorithm::md5, "u", "r", "p").view()};
    const auto a1 = crypto::hex_digest(crypto::Algorithm::md5, h + ":n:c");
    CHECK(response(session, h, d, {"PUT", "body"}) == response(plain, a1, d, {"PUT", "body"}));
    CHECK(response(plain, h, d, {"PUT", "body"}) != response(plain, h, d, {"PUT", "bodY"}));
    const auto a2 = crypto::hex_digest(crypto::Algorithm::md5,
                                       "PUT:/x:" + crypto::hex_digest(crypto::Algorithm::md5, "body"));
    CHECK(response(plain, h, d, {"PUT", "body"}).view() ==
          crypto::hex_digest(crypto::Algorithm::md5, h + ":n:00000001:c:auth-int:" + a2));
}

TEST_CASE("the credentials' uri and the request's target", "[auth]")
{
    const struct {
        const char *story, *uri, *target;
        bool same;
    } rows[] = {
        {"the same", "/a?b", "/a?b", true},
        {"raw quotes", "/l[@name=\"friends\"]", "/l[@name=\"friends\"]", true},
        {"quotes escaped in the header", "/l[@name=\\\"friends\\\"]", "/l[@name=\"friends\"]", true},
        {"absolute in the header", "http://h:8080/a", "/a", true},
        {"absolute in the request", "/a", "https://h/a", true},
        {"escaped on one side only", "/l%5b@name=%22f%22%5d", "/l[@name=\"f\"]", true},
        {"no path", "http://h", "/", true},
        {"another document", "/b", "/a", false},
        {"another query", "/a?c", "/a?b", false},
        {"a prefix", "/a", "/ab", false},
        {"a broken escape", "/%zz", "/%zy", false},
        {"OPTIONS *", "*", "*", true},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        CHECK(same_target(row.uri, row.target) == row.same);
    }
}

TEST_CASE("nonces prove themselves", "[auth]")
{
    const Nonces ours{"key"}, theirs{"another key"}, random{""}, random2{""};
    const auto nonce = ours.make(1'700'000'000, 77, "bound");
    CHECK(nonce.size() == Nonces::length);
    const auto parts = ours.open(nonce, "bound");
    REQUIRE(parts);
    CHECK(parts->made == 1'700'000'000);
    CHECK(parts->serial == 77);
    CHECK_FALSE(ours.open(nonce, "other"));
    CHECK_FALSE(theirs.open(nonce, "bound"));
    CHECK(random.open(random.make(1, 1, ""), ""));
    CHECK_FALSE(random2.open(random.make(1, 1, ""), ""));
    for (const char* hostile :
         {"", "x", "????????????????????????????????", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"})
        CHECK_FALSE(ours.open(hostile, "bound"));
    for (std::size_t i = 0; i < nonce.size(); ++i) {
        std::string altered = nonce;
        altered[i] = altered[i] == 'A' ? 'B' : 'A';
        CHECK_FALSE(ours.open(altered, "bound"));
    }
}

TEST_CASE("a nonce count is accepted once", "[auth]")
{
    using enum Replay::Answer;
    const struct {
        const char* story;
        std::uint64_t serial;
        std::uint32_t count;
        Replay::Answer expected;
    } steps[] = {
        {"the first", 5, 1, fresh},
        {"the same again", 5, 1, reused},
        {"the next", 5, 2, fresh},
        {"two connections: a later one first", 5, 4, fresh},
        {"then the one before it", 5, 3, fresh},
        {"which is used up too", 5, 3, reused},
        {"far ahead", 5, 1000, fresh},
        {"within the window", 5, 1000 - 63, fresh},
        {"within the window, again", 5, 1000 - 63, reused},
        {"behind the window", 5, 1000 - 64, reused},
        {"another nonce", 6, 1, fresh},
        {"which does not disturb", 5, 1001, fresh},
        {"one that takes the place of 5", 5 + 16, 1, fresh},
        {"5 is stale from now on", 5, 2000, forgotten},
        {"the highest count there is", 6, 0xffffffff, fresh},
        {"and again", 6, 0xffffffff, reused},
    };
    Replay replay{16};
    REQUIRE(replay.size() == 16);
    for (const auto& step : steps) {
        INFO(step.story);
        CHECK(replay.look(step.serial, step.count) == step.expected);
        CHECK(replay.look(step.serial, step.count) == step.expected); // looking changes nothing
        CHECK(replay.use(step.serial, step.count) == step.expected);
    }
}

TEST_CASE("of many connections with the same count one is accepted", "[auth]")
{
    constexpr std::uint32_t counts = 2000;
    Replay replay{1024};
    std::atomic<std::uint32_t> fresh{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            for (std::uint32_t count = 1; count <= counts; ++count)
                if (replay.use(9, count) == Replay::Answer::fresh)
                    ++fresh;
        });
    for (auto& thread : threads)
        thread.join();
    CHECK(fresh <= counts); // a thread that fell behind the window was refused, never accepted twice
    CHECK(replay.look(9, counts) == Replay::Answer::reused);
}

TEST_CASE("challenges as text", "[auth]")
{
    Arena arena;
    CHECK(print({"WWW-Authenticate", "example.com", "N", "", false, crypto::Algorithm::md5}, arena) ==
          "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"N\", algorithm=MD5\r\n");
    CHECK(print({"Proxy-Authenticate", "r", "N", "auth", true, crypto::Algorithm::sha256}, arena) ==
          "Proxy-Authenticate: Digest realm=\"r\", nonce=\"N\", qop=\"auth\", stale=true, "
          "algorithm=SHA-256\r\n");
    CHECK(print({"W", "a\"b\\c\r\nX: y", "N", "", false, crypto::Algorithm::md5}, arena) ==
          "W: Digest realm=\"a\\\"b\\\\cX: y\", nonce=\"N\", algorithm=MD5\r\n");
}

} // namespace sipyard::auth
