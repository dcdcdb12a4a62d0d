// modules/xhttp/protocol_test.cpp - what clients send and what they get (RFC 9110, RFC 9112)
#include "modules/xhttp/client_test.h"

namespace sipyard::xhttp {

TEST_CASE("a request reaches the script as sent, and its reply the client", "[xhttp]")
{
    const std::string long_target = "/" + std::string(10'000, 'a');
    const struct {
        const char* story;
        std::string request;
        int code;
        std::string body;
    } rows[] = {
        {"plain GET", "GET /a HTTP/1.1\r\nHost: a\r\n\r\n", 200, "GET /a|"},
        {"query and escapes stay raw", "GET /a%20b?x=%41+b HTTP/1.1\r\nHost: a\r\n\r\n", 200,
         "GET /a%20b?x=%41+b|"},
        {"raw quotes, brackets and bars", "GET /r/~~/list[@name=\"friends\"]|x HTTP/1.1\r\nHost: a\r\n\r\n",
         200, "GET /r/~~/list[@name=\"friends\"]|x|"},
        {"10 kB of target", "GET " + long_target + " HTTP/1.1\r\nHost: a\r\n\r\n", 200,
         "GET " + long_target + "|"},
        {"8 KiB of target, in the credentials too",
         "GET /" + std::string(8191, 'a') + " HTTP/1.1\r\nHost: a\r\nAuthorization: Digest uri=\"/" +
             std::string(8191, 'a') + "\"\r\n\r\n",
         200, "GET /" + std::string(8191, 'a') + "|"},
        {"absolute-form", "GET http://h.example:80/p?q HTTP/1.1\r\nHost: h.example\r\n\r\n", 200,
         "GET /p?q|"},
        {"absolute-form without path", "GET http://h.example HTTP/1.1\r\nHost: h.example\r\n\r\n", 200,
         "GET /|"},
        {"OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 200, "OPTIONS *|"},
        {"a method nobody knows", "BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n", 200, "BREW /pot|"},
        {"PUT with length", "PUT /d HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", 200,
         "PUT /d|hello"},
        {"PUT of nothing", "PUT /d HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 200, "PUT /d|"},
        {"PUT in chunks",
         "PUT /d HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
         200, "PUT /d|hello"},
        {"no Host", "GET /a HTTP/1.1\r\n\r\n", 400, ""},
        {"HTTP/1.0 needs none", "GET /a HTTP/1.0\r\n\r\n", 200, "GET /a|"},
        {"header flood", "GET /a HTTP/1.1\r\nHost: a\r\n" + std::string(60'000, 'X') + ": y\r\n\r\n", 431,
         ""},
    };
    Server server{mirror};
    for (const auto& row : rows) {
        INFO(row.story);
        Client client{server};
        const auto answer = client.ask(row.request);
        CHECK(answer.code == row.code);
        if (row.code == 200) {
            CHECK(answer.body == row.body);
            CHECK(answer.header("X-Seen") == "yes");
            CHECK(answer.header("Content-Type") == "text/plain");
        }
    }
}

TEST_CASE("one connection carries many requests", "[xhttp]")
{
    Server server{mirror};
    Client client{server};
    SECTION("one after the other")
    {
        for (int i = 0; i < 50; ++i) {
            const auto n = std::to_string(i);
            CHECK(client.ask("GET /" + n + " HTTP/1.1\r\nHost: a\r\n\r\n").body == "GET /" + n + "|");
        }
    }
    SECTION("pipelined")
    {
        std::string all;
        for (int i = 0; i < 100; ++i)
            all += "PUT /" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
        client.send(all);
        for (int i = 0; i < 100; ++i)
            CHECK(client.answer().body == "PUT /" + std::to_string(i) + "|abc");
    }
    SECTION("HEAD has no body")
    {
        CHECK(client.ask("HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n", "HEAD").code == 200);
        CHECK(client.ask("GET /b HTTP/1.1\r\nHost: a\r\n\r\n").body == "GET /b|");
    }
    SECTION("garbage behind a request")
    {
        client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n\x01\x02 not http at all\r\n\r\n");
        CHECK(client.answer().body == "GET /a|");
        CHECK(client.is_closed());
    }
    SECTION("Connection: close")
    {
        CHECK(client.ask("GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").code == 200);
        CHECK(client.is_closed());
    }
    SECTION("a client that has said all it has to say")
    {
        client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
        client.half_close();
        CHECK(client.answer().body == "GET /a|");
    }
    SECTION("byte by byte")
    {
        for (const char c : std::string{"PUT /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"})
            client.send({&c, 1});
        CHECK(client.answer().body == "PUT /slow|body");
    }
    SECTION("Expect: 100-continue")
    {
        client.send("PUT /e HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
        CHECK(client.answer().code == 100);
        client.send("body");
        CHECK(client.answer().body == "PUT /e|body");
    }
}

TEST_CASE("a client that waits for a 100 may be answered without it", "[xhttp]")
{
    std::atomic<int> asked{0}, served{0};
    Server server{[&](Request& request) {
        ++served;
        return mirror(request);
    }};
    bool waits = false;
    server.host.on_event_route("xhttp:expect", [&](Request& request) {
        ++asked;
        CHECK(request.message().body().empty());
        if (waits) // as a look into a database would
            CHECK(task::blocking(server.host.runtime().pool(), std::chrono::seconds{5}, [] { return 1; }));
        if (request.message().value(sip::HeaderName::authorization).empty())
            return Verdict::of(
                request.reply({401, "Unauthorized", "WWW-Authenticate: Digest x\r\n", {}, {}}).has_value());
        return Verdict::yes();
    });
    const std::string head = "PUT /e HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n";
    for (const bool slow : {false, true}) {
        waits = slow;
        INFO((slow ? "the script waits" : "the script answers at once"));
        asked = served = 0;
        Client stranger{server};
        CHECK(stranger.ask(head + "\r\n").code == 401); // the first thing that comes: no 100
        CHECK(stranger.is_closed());
        Client known{server};
        CHECK(known.ask(head + "Authorization: Digest y\r\n\r\n").code == 100);
        known.send("body");
        CHECK(known.answer().body == "PUT /e|body");
        CHECK(known.ask("GET /next HTTP/1.1\r\nHost: a\r\n\r\n").body == "GET /next|");
        CHECK(asked == 2);
        CHECK(served == 2);
    }
}

TEST_CASE("a body that is too large is refused with a 413 the client can read", "[xhttp]")
{
    std::atomic<int> scripts{0};
    Server server{[&](Request& request) {
                      ++scripts;
                      return mirror(request);
                  },
                  {{"max_body_size", "1000"}}};
    const std::string body(100'000, 'b');
    SECTION("announced")
    {
        Client client{server};
        CHECK(client.ask("PUT /d HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + body).code == 413);
        CHECK(client.ask("GET /next HTTP/1.1\r\nHost: a\r\n\r\n").code == 200); // the connection goes on
    }
    SECTION("in chunks")
    {
        Client client{server};
        CHECK(client
                  .ask("PUT /d HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n186a0\r\n" + body +
                       "\r\n0\r\n\r\n")
                  .code == 413);
    }
    SECTION("far beyond any limit, announced")
    {
        Client client{server};
        client.send("PUT /d HTTP/1.1\r\nHost: a\r\nContent-Length: 12000000\r\n\r\n");
        for (int i = 0; i < 120; ++i)
            REQUIRE(client.send(body));
        CHECK(client.answer().code == 413);
        CHECK(client.ask("GET /next HTTP/1.1\r\nHost: a\r\n\r\n").code == 200);
    }
    SECTION("far beyond any limit, in chunks")
    {
        Client client{server};
        client.send("PUT /d HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (int i = 0; i < 120; ++i)
            REQUIRE(client.send("186a0\r\n" + body + "\r\n"));
        client.send("0\r\n\r\n");
        CHECK(client.answer().code == 413);
    }
    SECTION("a client that asks first does not send it")
    {
        Client client{server};
        CHECK(
            client.ask("PUT /d HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\nExpect: 100-continue\r\n\r\n")
                .code == 413);
    }
    SECTION("just right")
    {
        Client client{server};
        CHECK(client.ask("PUT /d HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" + body.substr(0, 1000))
                  .code == 200);
        CHECK(scripts == 1);
        return;
    }
    CHECK(server.host.counted("xhttp", "too_large") == 1);
}

TEST_CASE("what the script does decides the reply", "[xhttp]")
{
    const struct {
        const char* story;
        Server::Script script;
        int code;
    } rows[] = {
        {"no reply", [](Request&) { return Verdict::yes(); }, 500},
        {"two replies: the first counts",
         [](Request& r) {
             (void)r.reply({201, "Created", {}, {}, {}});
             return Verdict::of(r.reply({404, "Not Found", {}, {}, {}}).has_value());
         },
         201},
        {"an exception", [](Request&) -> Verdict { throw std::runtime_error{"oops"}; }, 500},
        {"304 has no body",
         [](Request& r) {
             return Verdict::of(r.reply({304, "Not Modified", "ETag: \"x\"\r\n", {}, {}}).has_value());
         },
         304},
        {"header lines that would break the framing",
         [](Request& r) {
             return Verdict::of(
                 r.reply({200, "OK", "Content-Length: 5\r\nno colon\r\n: x\r\nX-Good: 1\r\n", {}, "ok"})
                     .has_value());
         },
         200},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Server server{row.script};
        Client client{server};
        for (int i = 0; i < 2; ++i) {
            const auto answer = client.ask("GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
            CHECK(answer.code == row.code);
            CHECK(answer.complete);
        }
    }
}

TEST_CASE("url_match and url_skip choose what is served", "[xhttp]")
{
    Server server{mirror, {{"url_match", "^/(xcap|api)"}, {"url_skip", "^/api/private"}}};
    Client client{server};
    CHECK(client.ask("GET /xcap/a HTTP/1.1\r\nHost: a\r\n\r\n").code == 200);
    CHECK(client.ask("GET /api/private HTTP/1.1\r\nHost: a\r\n\r\n").code == 404);
    CHECK(client.ask("GET /other HTTP/1.1\r\nHost: a\r\n\r\n").code == 404);
}

TEST_CASE("xhttp_reply and $hu", "[xhttp]")
{
    Server* there = nullptr;
    std::string seen;
    Server server{[&](Request& request) {
        const auto& f = there->manifest.functions.at(0);
        seen = there->manifest.variables.at(0).get(there->module.get(), request, {}).text();
        Arg args[4];
        args[0].value = 418;
        args[1].value = "I'm a teapot";
        args[2].value = "text/html";
        args[3].value = "<p>";
        return f.call(there->module.get(), request, args);
    }};
    there = &server;
    Client client{server};
    const auto answer = client.ask("GET /hu?x HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(answer.code == 418);
    CHECK(answer.header("Content-Type") == "text/html");
    CHECK(answer.body == "<p>");
    CHECK(seen == "/hu?x");
}

} // namespace sipyard::xhttp
