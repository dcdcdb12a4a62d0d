// modules/auth/auth_test.cpp - the script's view: challenges and verdicts over SIP and HTTP
#include "modules/auth/signed_test.h"

#include "core/sip/edits.h"

namespace sipyard::auth {
namespace {

struct Bench {
    explicit Bench(const Auth::Settings& settings = {}) : auth{settings, host} {}
    std::string nonce()
    {
        Asked asked{host, sip_text("REGISTER", "")};
        REQUIRE(auth.www_challenge(asked.request, "example.com", 1) == Verdict::yes());
        return nonce_in(host.responder.replies.back().headers);
    }
    int check(const std::string& text, std::string_view realm = "example.com",
              std::string_view password = "secret", std::int64_t flags = 0)
    {
        Asked asked{host, text};
        return auth.pv_www_authenticate(asked.request, realm, password, flags, {}).code;
    }
    test::FakeHost host;
    Auth auth;
};

Phone with(Phone phone, void (*change)(Phone&))
{
    change(phone);
    return phone;
}

} // namespace

TEST_CASE("verdicts are Kamailio's", "[auth]")
{
    const struct {
        const char* story;
        void (*change)(Phone&);
        int expected;
    } rows[] = {
        {"right", [](Phone&) {}, 1},
        {"without qop", [](Phone& p) { p.qop = ""; }, 1},
        {"auth-int", [](Phone& p) { p.qop = "auth-int"; }, 1},
        {"MD5-sess", [](Phone& p) { p.algorithm = "MD5-sess"; }, 1},
        {"user@domain", [](Phone& p) { p.username = "alice@example.com"; }, 1},
        {"wrong password", [](Phone& p) { p.password = "guess"; }, -2},
        {"signed for another method", [](Phone& p) { p.method = "INVITE"; }, -2},
        {"another realm", [](Phone& p) { p.realm = "elsewhere"; }, -5},
        {"proxy credentials do not count", [](Phone& p) { p.header = "Proxy-Authorization"; }, -5},
        {"a nonce that was never ours", [](Phone& p) { p.nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093"; }, -4},
        {"no nonce", [](Phone& p) { p.nonce = ""; }, -1},
        {"no user", [](Phone& p) { p.username = ""; }, -1},
        {"qop nobody knows", [](Phone& p) { p.qop = "auth-conf"; }, -1},
        {"an algorithm that was not offered", [](Phone& p) { p.algorithm = "SHA-256"; }, -1},
        {"nonce count zero", [](Phone& p) { p.nc = 0; }, -1},
        {"-sess without cnonce",
         [](Phone& p) {
             p.algorithm = "MD5-sess";
             p.qop = "";
         },
         -1},
    };
    Bench bench;
    Phone phone;
    phone.nonce = bench.nonce();
    for (const auto& row : rows) {
        INFO(row.story);
        CHECK(bench.check(sip_text("REGISTER", with(phone, row.change).sign())) == row.expected);
    }
    CHECK(bench.check(sip_text("REGISTER", "")) == -5);
    CHECK(bench.check(sip_text("REGISTER", phone.sign()), "") == -1);
    CHECK(bench.check(sip_text("REGISTER", phone.sign()), "example.com", "") == -1);
    CHECK(bench.check(sip_text("ACK", "")) == 1);
    CHECK(bench.check(sip_text("REGISTER", "Authorization: Basic YTpi\r\n" + phone.sign())) == 1);
    CHECK(bench.check(sip_text("REGISTER", phone.sign()), "example.com",
                      std::string{ha1(crypto::Algorithm::md5, "alice", "example.com", "secret").view()},
                      1) == 1);
}

TEST_CASE("hostile headers are no credentials and no crash", "[auth]")
{
    Bench bench;
    for (const std::string value :
         {"Digest", "Digest ", "Digest username", "Digest username=\"a",
          "Digest =,=,=", "Digest realm=\"example.com\"",
          "Digest realm=\"example.com\", realm=\"example.com\"", "\"", "Digest realm=example.com, nonce=\"\\",
          "Digest realm=\"example.com\", username=\"a\", nonce=\"b\", uri=\"c\", response=\"\"",
          "Digest realm=\"example.com\", username*=UTF-8''%zz, nonce=b, uri=c, response=d"}) {
        INFO(value);
        const int code = bench.check(sip_text("REGISTER", "Authorization: " + value + "\r\n"));
        CHECK((code == -1 || code == -5));
    }
    CHECK(bench.check(sip_text("REGISTER", "Authorization: Digest realm=\"" + std::string(30'000, 'a') +
                                               "\"\r\n")) == -5);
}

TEST_CASE("nonces age, and a stale one is said to be stale", "[auth]")
{
    Bench bench;
    Phone phone;
    phone.nonce = bench.nonce();
    bench.host.advance(std::chrono::seconds{300});
    CHECK(bench.check(sip_text("REGISTER", phone.sign())) == 1);
    bench.host.advance(std::chrono::seconds{1});
    Asked asked{bench.host, sip_text("REGISTER", phone.sign())};
    CHECK(bench.auth.pv_www_authenticate(asked.request, "example.com", "secret", 0, {}).code == -4);
    CHECK(bench.auth.www_challenge(asked.request, "example.com", 1) == Verdict::yes());
    const auto& again = bench.host.responder.replies.back();
    CHECK(again.code == 401);
    CHECK(again.headers.find("stale=true") != std::string::npos);
    phone.nonce = nonce_in(again.headers);
    CHECK(bench.check(sip_text("REGISTER", phone.sign())) == 1);
}

TEST_CASE("with nonce_count a request cannot be sent again", "[auth]")
{
    Auth::Settings settings;
    settings.nonce_count = true;
    settings.secret = "fixed";
    Bench bench{settings};
    Phone phone;
    phone.nonce = bench.nonce();
    const auto first = sip_text("REGISTER", phone.sign());
    phone.password = "guess";
    CHECK(bench.check(sip_text("REGISTER", phone.sign())) == -2); // a guesser does not use it up
    CHECK(bench.check(first) == 1);
    CHECK(bench.check(first) == -6);
    phone.password = "secret";
    phone.nc = 3;
    CHECK(bench.check(sip_text("REGISTER", phone.sign())) == 1);
    phone.nc = 2;
    CHECK(bench.check(sip_text("REGISTER", phone.sign())) == 1);
    CHECK(bench.check(sip_text("REGISTER", phone.sign())) == -6);
    Bench restarted{settings}; // the same secret, but nobody knows any more what was used
    CHECK(restarted.check(first) == -4);
}

TEST_CASE("with one_time_nonce a nonce serves once", "[auth]")
{
    Auth::Settings settings;
    settings.one_time_nonce = true;
    Bench bench{settings};
    Phone phone;
    phone.nonce = bench.nonce();
    phone.qop = "";
    CHECK(bench.check(sip_text("REGISTER", phone.sign())) == 1);
    CHECK(bench.check(sip_text("REGISTER", phone.sign())) == -6);
}

TEST_CASE("challenges", "[auth]")
{
    Bench bench;
    auto& replies = bench.host.responder.replies;
    const struct {
        const char* story;
        std::string text;
        Verdict (Auth::*challenge)(Request&, std::string_view, std::int64_t);
        std::int64_t flags;
        int code;
        const char *header, *part;
    } rows[] = {
        {"www", sip_text("INVITE", ""), &Auth::www_challenge, 0, 401,
         "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"", "algorithm=MD5"},
        {"proxy, qop", sip_text("INVITE", ""), &Auth::proxy_challenge, 1, 407, "Proxy-Authenticate: Digest",
         "qop=\"auth\""},
        {"auth-int", sip_text("INVITE", ""), &Auth::proxy_challenge, 3, 407, "Proxy-Authenticate: Digest",
         "qop=\"auth-int\""},
        {"stale by flag", sip_text("INVITE", ""), &Auth::www_challenge, 17, 401, "WWW-Authenticate",
         "stale=true"},
        {"auth: REGISTER", sip_text("REGISTER", ""), &Auth::auth_challenge, 0, 401, "WWW-Authenticate",
         "realm"},
        {"auth: others", sip_text("SUBSCRIBE", ""), &Auth::auth_challenge, 0, 407, "Proxy-Authenticate",
         "realm"},
        {"auth: HTTP", http_text("GET", "/a", ""), &Auth::auth_challenge, 0, 401, "WWW-Authenticate",
         "realm"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        replies.clear();
        Asked asked{bench.host, row.text};
        CHECK((bench.auth.*row.challenge)(asked.request, "example.com", row.flags) == Verdict::yes());
        REQUIRE(replies.size() == 1);
        CHECK(replies[0].code == row.code);
        CHECK(replies[0].headers.starts_with(row.header));
        CHECK(replies[0].headers.find(row.part) != std::string::npos);
        if (row.flags == 0)
            CHECK(replies[0].headers.find("qop") == std::string::npos);
    }
    replies.clear();
    Asked ack{bench.host, sip_text("ACK", "")};
    CHECK(bench.auth.auth_challenge(ack.request, "example.com", 0) == Verdict::yes());
    CHECK(replies.empty());
    Asked nameless{bench.host, sip_text("INVITE", "")};
    CHECK(bench.auth.www_challenge(nameless.request, "", 0).code < 0);
    CHECK(bench.host.responder.last_code() == 500);
    Asked unlucky{bench.host, sip_text("INVITE", "")};
    bench.auth.store_failed(unlucky.request);
    CHECK(bench.auth.www_challenge(unlucky.request, "example.com", 0) == Verdict::yes());
    CHECK(bench.host.responder.last_code() == 503);
    CHECK(replies.back().headers == "Retry-After: 1\r\n");
}

TEST_CASE("HTTP requests are signed for their target", "[auth]")
{
    const struct {
        const char *story, *target, *uri;
        int expected;
    } rows[] = {
        {"the same", "/xcap/a", "/xcap/a", 1},
        {"raw quotes in both", "/x/~~/list[@name=\"friends\"]", "/x/~~/list[@name=\"friends\"]", 1},
        {"absolute in the header", "/xcap/a", "http://example.com/xcap/a", 1},
        {"somebody's signature moved to another document", "/xcap/b", "/xcap/a", -1},
    };
    Bench bench;
    Phone phone;
    phone.nonce = bench.nonce();
    phone.method = "PUT";
    for (const auto& row : rows) {
        INFO(row.story);
        phone.uri = row.uri;
        CHECK(bench.check(http_text("PUT", row.target, phone.sign())) == row.expected);
    }
}

TEST_CASE("SHA-256 and several algorithms", "[auth]")
{
    Auth::Settings settings;
    settings.algorithm = "SHA-256,MD5";
    Bench bench{settings};
    Phone phone;
    phone.nonce = bench.nonce();
    const auto& headers = bench.host.responder.replies.back().headers;
    CHECK(headers.find("algorithm=SHA-256\r\nWWW-Authenticate: Digest") !=
          std::string::npos); // the better one first
    CHECK(headers.find("algorithm=MD5\r\n") != std::string::npos);
    CHECK(bench.check(sip_text("REGISTER", phone.sign())) == 1);
    phone.algorithm = "SHA-256";
    CHECK(bench.check(sip_text("REGISTER", phone.sign())) == 1);
    phone.algorithm = "SHA-512-256";
    CHECK(bench.check(sip_text("REGISTER", phone.sign())) == -1);
    settings.algorithm = "ROT13";
    test::FakeHost host;
    CHECK_THROWS_AS(Auth(settings, host), StartupError);
}

TEST_CASE("accepted credentials can be taken away", "[auth]")
{
    Bench bench;
    Phone phone;
    phone.nonce = bench.nonce();
    Asked asked{bench.host, sip_text("REGISTER", "Authorization: Digest realm=\"other\"\r\n" + phone.sign())};
    CHECK(bench.auth.consume_credentials(asked.request).code == -1);
    CHECK(bench.auth.has_credentials(asked.request, "example.com") == Verdict::yes());
    CHECK(bench.auth.has_credentials(asked.request, "nowhere").code == -1);
    REQUIRE(bench.auth.pv_www_authenticate(asked.request, "example.com", "secret", 0, {}) == Verdict::yes());
    CHECK(bench.auth.consume_credentials(asked.request) == Verdict::yes());
    const std::string sent{sip::apply(asked.request.message(), asked.request.edits(), asked.arena)};
    CHECK(sent.find("alice\", realm") == std::string::npos);
    CHECK(sent.find("realm=\"other\"") != std::string::npos);
}

TEST_CASE("who signed must be who acts", "[auth]")
{
    const struct {
        const char *story, *method, *user;
        std::int64_t checks;
        int expected;
    } rows[] = {
        {"his own", "REGISTER", "alice", 1, 1},
        {"somebody else's registration", "REGISTER", "bob", 1, -8},
        {"not asked", "REGISTER", "bob", 0, 1},
        {"a call in somebody else's name", "INVITE", "bob", 1, -8},
        {"his own call", "INVITE", "alice", 1, 1},
        {"his own state", "PUBLISH", "alice", 1, 1},
        {"escaped user part", "REGISTER", "%61lice", 1, 1},
    };
    Bench bench;
    for (const auto& row : rows) {
        INFO(row.story);
        Phone phone;
        phone.nonce = bench.nonce();
        phone.method = row.method;
        phone.header = std::string_view{row.method} == "REGISTER" ? "Authorization" : "Proxy-Authorization";
        Asked asked{bench.host, sip_text(row.method, phone.sign(), "", row.user)};
        CHECK(bench.auth.pv_auth_check(asked.request, "example.com", "secret", 0, row.checks).code ==
              row.expected);
    }
}

TEST_CASE("extra checks bind a nonce to where it went", "[auth]")
{
    Auth::Settings settings;
    settings.auth_checks_register = 2; // Call-ID
    Bench bench{settings};
    Phone phone;
    phone.nonce = bench.nonce();
    auto text = sip_text("REGISTER", phone.sign());
    CHECK(bench.check(text) == 1);
    text.replace(text.find("Call-ID: c"), 10, "Call-ID: d");
    CHECK(bench.check(text) == -4);
}

TEST_CASE("Authentication-Info and the AVP challenge", "[auth]")
{
    Auth::Settings settings;
    settings.add_authinfo_hdr = true;
    Bench bench{settings};
    Phone phone;
    phone.nonce = bench.nonce();
    Asked asked{bench.host, sip_text("REGISTER", phone.sign())};
    REQUIRE(bench.auth.pv_www_authenticate(asked.request, "example.com", "secret", 0, {}) == Verdict::yes());
    CHECK(asked.request.reply_headers().starts_with("Authentication-Info: qop=auth, rspauth=\""));
    Asked wrong{bench.host, sip_text("REGISTER", "")};
    CHECK(bench.auth.pv_www_authenticate(wrong.request, "example.com", "secret", 4, {}).code == -5);
    const auto kept = wrong.request.with_avps(
        [](AvpStore& store) { return store.avps.get(AvpList::Name::parse("digest_challenge")).text(); });
    CHECK(kept.starts_with("WWW-Authenticate: Digest realm=\"example.com\""));
    CHECK(kept.find("qop=\"auth\"") != std::string::npos);
}

} // namespace sipyard::auth
