// core/module/digest_answer_test.cpp - answers of the RFCs' examples, which challenge is answered, when to
// give up
#include "core/module/digest_answer.h"

#include "core/base/text.h"
#include "core/sip/message.h"
#include "test/support/catch.h"

namespace sipyard {
namespace {

sip::DigestView view_of(std::string_view text)
{
    sip::DigestView view;
    REQUIRE(sip::read(text, view) == "");
    return view;
}

sip::Message& challenge(Arena& arena, std::string_view fields)
{
    return **sip::Message::parse(
        arena.concat(
            "SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n"
            "To: <sip:a@b>;tag=2\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n",
            fields, "Content-Length: 0\r\n\r\n"),
        arena);
}

// "8ca5..." of `response="8ca5..."`; unquoted values too.
std::string_view field(std::string_view answer, std::string_view name)
{
    const auto view_text = answer.substr(answer.find("Digest"));
    auto rest = view_text;
    while (!rest.empty()) {
        auto piece = trim(cut(rest, ','));
        if (istarts_with(piece, "Digest "))
            piece.remove_prefix(7);
        const auto key = cut(piece, '=');
        if (key == name) {
            piece = trim(piece);
            if (piece.starts_with('"'))
                piece = piece.substr(1, piece.size() - 2);
            return piece;
        }
    }
    return {};
}

constexpr std::string_view rfc7616_nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
constexpr std::string_view rfc7616_cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";

} // namespace

TEST_CASE("the examples of the RFCs come out", "[module][digest]")
{
    const std::string challenge_7616 =
        std::string{"Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", nonce=\""} +
        std::string{rfc7616_nonce} +
        "\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\", algorithm=";
    const std::string challenge_2617 =
        "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", "
        "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
    const struct {
        const char* story;
        std::string challenge;
        Credential who;
        const char* cnonce;
        const char* response;
    } rows[] = {
        {"RFC 7616 3.9.1, MD5",
         challenge_7616 + "MD5",
         {"", "Mufasa", "Circle of Life", false},
         rfc7616_cnonce.data(),
         "8ca523f5e9506fed4657c9700eebdbec"},
        {"RFC 7616 3.9.1, SHA-256",
         challenge_7616 + "SHA-256",
         {"", "Mufasa", "Circle of Life", false},
         rfc7616_cnonce.data(),
         "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"},
        {"RFC 2617 3.5",
         challenge_2617,
         {"", "Mufasa", "Circle Of Life", false},
         "0a4f113b",
         "6629fae49393a05397450978507c4ef1"},
        {"the same from a stored HA1",
         challenge_2617,
         {"", "Mufasa", "939e7578ed9e3c518a452acee763bce9", true},
         "0a4f113b",
         "6629fae49393a05397450978507c4ef1"},
        {"without qop, as RFC 2069 (RFC 2617 3.2.2.1)",
         "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"",
         {"", "Mufasa", "Circle Of Life", false},
         "",
         "670fd8c2df070c60b045671b8b24ff02"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const auto answer =
            digest_answer(view_of(row.challenge), row.who, {"GET", "/dir/index.html", {}}, row.cnonce, 1);
        REQUIRE(answer);
        CHECK(field(*answer, "response") == row.response);
    }
}

TEST_CASE("all fields of the answer are those the challenge asks for", "[module][digest]")
{
    const Credential who{"", "b\"ob", "x", false};
    const auto plain =
        digest_answer(view_of("Digest realm=\"a\", nonce=\"n\""), who, {"INVITE", "sip:a", {}}, "c", 1);
    REQUIRE(plain);
    CHECK(plain->find("qop") == std::string::npos);
    CHECK(plain->find("cnonce") == std::string::npos);
    CHECK(plain->find("algorithm") == std::string::npos);
    CHECK(plain->find("username=\"b\\\"ob\"") != std::string::npos);

    const auto counted = digest_answer(
        view_of("Digest realm=\"a\", nonce=\"n\", qop=\"auth-int\", algorithm=SHA-256-sess, opaque=\"o\""),
        who, {"INVITE", "sip:a", "body"}, "c", 0x1f);
    REQUIRE(counted);
    CHECK(field(*counted, "qop") == "auth-int");
    CHECK(field(*counted, "nc") == "0000001f");
    CHECK(field(*counted, "algorithm") == "SHA-256-sess");
    CHECK(field(*counted, "opaque") == "o");
    const auto other_body = digest_answer(
        view_of("Digest realm=\"a\", nonce=\"n\", qop=\"auth-int\", algorithm=SHA-256-sess, opaque=\"o\""),
        who, {"INVITE", "sip:a", "other"}, "c", 0x1f);
    CHECK(field(*counted, "response") != field(*other_body, "response"));

    const auto hidden =
        digest_answer(view_of("Digest realm=\"a\", nonce=\"n\", algorithm=SHA-256, userhash=true"), who,
                      {"A", "b", {}}, "c", 1);
    REQUIRE(hidden);
    CHECK(hidden->find("ob\"") == std::string::npos);
    CHECK(field(*hidden, "userhash") == "true");
}

TEST_CASE("a realm's first challenge that can be answered is taken", "[module][digest]")
{
    Arena arena;
    const struct {
        const char* story;
        const char* fields;
        Credential who;
        const char* algorithm; // null: no answer
        ErrorKind error;
    } rows[] = {
        {"the server's order counts (RFC 8760 2.4)",
         "WWW-Authenticate: Digest realm=\"r\", nonce=\"a\", algorithm=SHA-256\r\nWWW-Authenticate: Digest "
         "realm=\"r\", nonce=\"a\", algorithm=MD5\r\n",
         {"r", "u", "p", false},
         "SHA-256",
         {}},
        {"an unknown algorithm is passed over",
         "WWW-Authenticate: Digest realm=\"r\", nonce=\"a\", algorithm=XYZ\r\nWWW-Authenticate: Digest "
         "realm=\"r\", nonce=\"a\", algorithm=MD5\r\n",
         {"r", "u", "p", false},
         "MD5",
         {}},
        {"a stored MD5 digest cannot answer SHA-256",
         "WWW-Authenticate: Digest realm=\"r\", nonce=\"a\", algorithm=SHA-256\r\nWWW-Authenticate: Digest "
         "realm=\"r\", nonce=\"a\", algorithm=MD5\r\n",
         {"r", "u", "0123456789abcdef0123456789abcdef", true},
         "MD5",
         {}},
        {"another scheme is passed over",
         "WWW-Authenticate: Basic realm=\"r\"\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"a\", "
         "algorithm=SHA-512-256\r\n",
         {"*", "u", "p", false},
         "SHA-512-256",
         {}},
        {"somebody else's realm",
         "WWW-Authenticate: Digest realm=\"other\", nonce=\"a\"\r\n",
         {"r", "u", "p", false},
         nullptr,
         ErrorKind::not_found},
        {"no challenge at all", "", {"r", "u", "p", false}, nullptr, ErrorKind::invalid},
        {"nothing we speak",
         "WWW-Authenticate: Digest realm=\"r\", nonce=\"a\", algorithm=AKAv1-MD5\r\n",
         {"r", "u", "p", false},
         nullptr,
         ErrorKind::unsupported},
        {"a qop we do not know",
         "WWW-Authenticate: Digest realm=\"r\", nonce=\"a\", qop=\"auth-conf\"\r\n",
         {"r", "u", "p", false},
         nullptr,
         ErrorKind::unsupported},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        DigestSession session{{row.who}};
        const auto taken = session.challenged(challenge(arena, row.fields));
        REQUIRE(taken.has_value() == (row.algorithm != nullptr));
        if (!taken) {
            CHECK(taken.error().kind == row.error);
            CHECK(session.lines({"INVITE", "sip:x", {}}) == "");
            continue;
        }
        const auto lines = session.lines({"INVITE", "sip:x", {}});
        CHECK(field(trim(lines), "algorithm") == row.algorithm);
        CHECK(lines.starts_with("Authorization: Digest "));
        CHECK(lines.ends_with("\r\n"));
    }
}

TEST_CASE("two realms are answered side by side, and the counts go up", "[module][digest]")
{
    Arena arena;
    DigestSession session{{{"a", "u", "p", false}, {"b", "v", "q", false}}};
    REQUIRE(session.challenged(
        challenge(arena, "Proxy-Authenticate: Digest realm=\"a\", nonce=\"1\", qop=\"auth\"\r\n"
                         "WWW-Authenticate: Digest realm=\"b\", nonce=\"2\", qop=\"auth\"\r\n")));
    const auto first = session.lines({"INVITE", "sip:x", {}});
    CHECK(first.find("Proxy-Authorization: Digest username=\"u\", realm=\"a\"") != std::string::npos);
    CHECK(first.find("\r\nProxy-") != std::string::npos);
    CHECK(first.find("Authorization: Digest username=\"v\", realm=\"b\"") != std::string::npos);
    CHECK(first.find("nc=00000001") != std::string::npos);
    session.new_request(); // the BYE of the dialog brings them unasked
    CHECK(session.lines({"BYE", "sip:x", {}}).find("nc=00000002") != std::string::npos);
}

TEST_CASE("a refused answer is not repeated, a stale nonce is", "[module][digest]")
{
    Arena arena;
    const auto with = [&](std::string_view more) {
        return &challenge(arena,
                          arena.concat("WWW-Authenticate: Digest realm=\"r\", qop=\"auth\", ", more, "\r\n"));
    };
    DigestSession session{{{"r", "u", "p", false}}};
    REQUIRE(session.challenged(*with("nonce=\"1\"")));
    (void)session.lines({"INVITE", "sip:x", {}});
    SECTION("the same nonce again")
    {
        const auto again = session.challenged(*with("nonce=\"1\""));
        REQUIRE(!again);
        CHECK(again.error().kind == ErrorKind::constraint);
    }
    SECTION("another nonce, not stale: the password is wrong")
    {
        CHECK(!session.challenged(*with("nonce=\"2\"")));
    }
    SECTION("stale: once more with the new nonce, its count from 1")
    {
        REQUIRE(session.challenged(*with("nonce=\"2\", stale=true")));
        const auto lines = session.lines({"INVITE", "sip:x", {}});
        CHECK(lines.find("nonce=\"2\"") != std::string::npos);
        CHECK(lines.find("nc=00000001") != std::string::npos);
        REQUIRE(session.challenged(*with("nonce=\"3\", stale=true")));
        (void)session.lines({"INVITE", "sip:x", {}});
        CHECK(!session.challenged(*with("nonce=\"4\", stale=true"))); // and not for ever
    }
    SECTION("the next request may be challenged again")
    {
        session.new_request();
        (void)session.lines({"BYE", "sip:x", {}});
        CHECK(!session.challenged(*with("nonce=\"1\"")));
        CHECK(session.challenged(*with("nonce=\"9\""))); // what came unasked with an old nonce is no try
        CHECK(!session.challenged(*with("nonce=\"10\"")));
    }
}

} // namespace sipyard
