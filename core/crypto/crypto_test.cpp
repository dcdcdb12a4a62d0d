// core/crypto/crypto_test.cpp - digests and HMACs against published vectors, random text
#include "core/crypto/digest.h"
#include "core/crypto/digest_response.h"
#include "core/crypto/hmac.h"
#include "core/crypto/random.h"

#include "core/base/text.h"
#include "test/support/catch.h"

#include <array>
#include <set>
#include <thread>
#include <vector>

using namespace sipyard;
using namespace sipyard::crypto;

TEST_CASE("responses of digest authentication", "[crypto]")
{
    const struct {
        const char* story;
        Algorithm hash;
        bool session;
        const char *realm, *password;
        DigestParts parts;
        const char* expected;
    } rows[] = {
        {"RFC 2617 3.5",
         Algorithm::md5,
         false,
         "testrealm@host.com",
         "Circle Of Life",
         {"dcd98b7102dd2f0e8b11d0f600bfb0c093", "00000001", "0a4f113b", "auth", "GET", "/dir/index.html", ""},
         "6629fae49393a05397450978507c4ef1"},
        {"RFC 2069, by its erratum 749",
         Algorithm::md5,
         false,
         "testrealm@host.com",
         "CircleOfLife",
         {"dcd98b7102dd2f0e8b11d0f600bfb0c093", "", "", {}, "GET", "/dir/index.html", ""},
         "1949323746fe6a43ef61f9606e7febea"},
        {"RFC 7616 3.9.1",
         Algorithm::sha256,
         false,
         "http-auth@example.org",
         "Circle of Life",
         {"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "00000001",
          "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "auth", "GET", "/dir/index.html", ""},
         "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const Hex secret = ha1(row.hash, "Mufasa", row.realm, row.password);
        CHECK(digest_response(row.hash, row.session, secret, row.parts).view() == row.expected);
        // A session's A1 is made of the plain one; the body counts with auth-int.
        DigestParts parts = row.parts;
        const std::string derived =
            hex_digest(row.hash, {secret.view(), ":", row.parts.nonce, ":", row.parts.cnonce});
        CHECK(digest_response(row.hash, true, secret, parts) ==
              digest_response(row.hash, false, derived, parts));
        parts.qop = "Auth-Int";
        const Hex empty = digest_response(row.hash, false, secret, parts);
        parts.body = "body";
        CHECK_FALSE(digest_response(row.hash, false, secret, parts) == empty);
    }
}

TEST_CASE("digests of published vectors", "[crypto]")
{
    const struct {
        Algorithm algorithm;
        std::string_view text, expected;
    } rows[] = {
        {Algorithm::md5, "", "d41d8cd98f00b204e9800998ecf8427e"},
        {Algorithm::md5, "abc", "900150983cd24fb0d6963f7d28e17f72"},
        {Algorithm::sha1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
        {Algorithm::sha224, "abc", "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"},
        {Algorithm::sha256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {Algorithm::sha384, "abc",
         "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
         "8086072ba1e7cc2358baeca134c825a7"},
        {Algorithm::sha512, "abc",
         "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
         "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
        {Algorithm::sha512_256, "abc", "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"},
        {Algorithm::sha3_256, "abc", "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"},
    };
    for (const auto& row : rows) {
        INFO(to_text(row.algorithm) << " of '" << row.text << "'");
        CHECK(hex_digest(row.algorithm, row.text) == row.expected);
        CHECK(digest(row.algorithm, row.text).size == digest_size(row.algorithm));
        CHECK(algorithm_named(lower(to_text(row.algorithm))) == row.algorithm);
        Digest by_letters{row.algorithm};
        for (int round = 0; round < 2; ++round) {
            for (const char& c : row.text)
                by_letters.add({&c, 1});
            CHECK(by_letters.finish().hex() == row.expected);
        }
    }
    CHECK_FALSE(algorithm_named("SHA-257"));
}

TEST_CASE("pieces count as one text", "[crypto]")
{
    // RFC 2617 3.5: H(A1) of the example
    CHECK(hex_digest(Algorithm::md5, {"Mufasa", ":", "testrealm@host.com", ":", "Circle Of Life"}) ==
          "939e7578ed9e3c518a452acee763bce9");
    // short texts are put together first, long ones are not: the edge between them is at a few hundred bytes
    std::string text;
    for (std::size_t size = 0; size < 600; ++size, text += static_cast<char>('a' + size % 26)) {
        INFO(size << " bytes");
        const std::string_view whole = text;
        const auto first = whole.substr(0, size / 3), rest = whole.substr(size / 3);
        REQUIRE(hex_digest(Algorithm::sha256, {first, "", rest}) == hex_digest(Algorithm::sha256, whole));
    }
}

TEST_CASE("HMACs of RFC 2202 and RFC 4231", "[crypto]")
{
    const struct {
        const char* story;
        Algorithm algorithm;
        std::string key, text;
        std::string_view expected;
    } rows[] = {
        {"RFC 2202 MD5 2", Algorithm::md5, "Jefe", "what do ya want for nothing?",
         "750c783e6ab0b503eaa86e310a5db738"},
        {"RFC 2202 SHA-1 1", Algorithm::sha1, std::string(20, '\x0b'), "Hi There",
         "b617318655057264e28bc0b6fb378c8ef146be00"},
        {"RFC 4231 2", Algorithm::sha256, "Jefe", "what do ya want for nothing?",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {"RFC 4231 6: a key longer than a block", Algorithm::sha256, std::string(131, '\xaa'),
         "Test Using Larger Than Block-Size Key - Hash Key First",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        {"RFC 4231 2, SHA-512", Algorithm::sha512, "Jefe", "what do ya want for nothing?",
         "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
         "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        CHECK(hmac(row.algorithm, row.key, row.text).hex() == row.expected);
        const std::string_view text = row.text;
        CHECK(hmac(row.algorithm, row.key, {text.substr(0, 3), text.substr(3)}).hex() == row.expected);
    }
}

TEST_CASE("secrets are compared whole", "[crypto]")
{
    CHECK(equal_secrets("abc", "abc"));
    CHECK(equal_secrets("", {}));
    CHECK_FALSE(equal_secrets("abc", "abd"));
    CHECK_FALSE(equal_secrets("abc", "ab"));
}

TEST_CASE("random text has its length and its letters, and does not repeat", "[crypto]")
{
    std::set<std::string> seen;
    for (int i = 0; i < 2000; ++i) {
        const auto token = random_token(16);
        CHECK(token.size() == 16);
        CHECK(token.find_first_not_of("abcdefghijklmnopqrstuvwxyz234567") == std::string::npos);
        seen.insert(token);
        seen.insert(random_hex(16));
        seen.insert(random_bytes(16));
    }
    CHECK(seen.size() == 6000);
    CHECK(random_hex(3).size() == 6);
    CHECK(random_hex(5000).size() == 10'000); // more than a thread keeps
    CHECK(random_bytes(0).empty());
}

TEST_CASE("numbers below a limit use the whole range", "[crypto]")
{
    std::array<int, 6> count{};
    for (int i = 0; i < 6000; ++i)
        ++count.at(random_below(6));
    for (const int n : count)
        CHECK((n > 800 && n < 1200)); // seven standard deviations
    CHECK(random_below(1) == 0);
}

TEST_CASE("threads do not share what they draw", "[crypto]")
{
    std::array<std::vector<std::uint64_t>, 4> drawn;
    std::vector<std::thread> threads;
    for (auto& list : drawn)
        threads.emplace_back([&list] {
            for (int i = 0; i < 2000; ++i)
                list.push_back(random_number());
            for (int i = 0; i < 200; ++i)
                if (hex_digest(Algorithm::md5, "abc") != "900150983cd24fb0d6963f7d28e17f72")
                    list.clear();
        });
    for (auto& thread : threads)
        thread.join();
    std::set<std::uint64_t> all;
    for (const auto& list : drawn)
        all.insert(list.begin(), list.end());
    CHECK(all.size() == 8000);
}
