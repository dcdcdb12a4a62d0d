// modules/registrar/registrar_test.cpp - REGISTER and lookup through the real location store
#include "modules/registrar/registrar.h"

#include "modules/pv/pv.h"
#include "modules/usrloc/usrloc.h"
#include "test/support/catch.h"
#include "test/support/run_script.h"

#include <memory>
#include <string>
#include <vector>

using namespace sipyard;
using namespace sipyard::registrar;

namespace {

std::string register_text(std::string_view user, std::string_view headers, std::string_view call_id = "c1",
                          int cseq = 1)
{
    return format("REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7:5070;branch=z9hG4bK{}\r\n"
                  "From: <sip:{}@example.com>;tag=1\r\nTo: <sip:{}@example.com>\r\nCall-ID: {}\r\nCSeq: {} "
                  "REGISTER\r\n{}"
                  "Content-Length: 0\r\n\r\n",
                  cseq, user, user, call_id, cseq, headers);
}

// A registrar on a location store, without a script.
struct Bench {
    explicit Bench(const Settings& settings = {}, const usrloc::Settings& store_settings = {})
        : store{std::make_unique<usrloc::Usrloc>(store_settings, host)}
    {
        host.offer<usrloc::Api>(*store);
        registrar = std::make_unique<Registrar>(settings, host);
    }
    // The code of save(); the reply is in host.responder.
    int save(std::string_view user, std::string_view headers, std::string_view call_id = "c1", int cseq = 1,
             std::string_view flags = {}, std::uint32_t branch_flags = 0)
    {
        host.responder.clear();
        test::Messenger m{host, register_text(user, headers, call_id, cseq)};
        m->branch_flags = branch_flags;
        return registrar->save(*m, "location", flags, std::nullopt).code;
    }
    std::string contacts() const // of the last reply
    {
        const auto& headers = host.responder.replies.back().headers;
        const auto at = headers.find("Contact: ");
        return at == std::string::npos ? std::string{}
                                       : headers.substr(at + 9, headers.find("\r\n", at) - at - 9);
    }
    bool answered_with(std::string_view part) const
    {
        return host.responder.replies.back().headers.find(part) != std::string::npos;
    }
    // "code ru du" and then each branch's "uri|du"
    std::string lookup(std::string_view uri, std::string_view method = "INVITE")
    {
        test::Messenger m{host, test::sample_request(method, uri)};
        const int code = registrar->lookup(*m, "location", std::nullopt).code;
        std::string text = format("{} {}", code, m->ruri());
        if (!m->dst_uri().empty())
            text += format(" via {}", m->dst_uri());
        for (const Branch& branch : m->branches()) {
            text += format(", {}", branch.uri);
            if (!branch.dst_uri.empty())
                text += format(" via {}", branch.dst_uri);
        }
        return text;
    }
    void wait(int seconds) { host.movable_clock().jump(std::chrono::seconds{seconds}); }

    test::FakeHost host;
    std::unique_ptr<usrloc::Usrloc> store;
    std::unique_ptr<Registrar> registrar;
};

} // namespace

TEST_CASE("what save() answers and returns", "[registrar]")
{
    struct Step {
        const char *story, *headers, *call_id;
        int cseq, returns, code;
        const char* contacts;
    };
    const Step steps[] = {
        {"the first", "Contact: <sip:a@192.0.2.1:5070>\r\n", "x", 1, 1, 200,
         "<sip:a@192.0.2.1:5070>;expires=3600"},
        {"its retransmission changes nothing", "Contact: <sip:a@192.0.2.1:5070>;q=0.1\r\n", "x", 1, 1, 200,
         "<sip:a@192.0.2.1:5070>;expires=3600"},
        {"a refresh with a time and a q", "Contact: <sip:a@192.0.2.1:5070>;expires=100;q=0.7\r\n", "x", 3, 2,
         200, "<sip:a@192.0.2.1:5070>;q=0.7;expires=100"},
        {"an older CSeq", "Contact: <sip:a@192.0.2.1:5070>\r\n", "x", 2, -1, 400,
         "<sip:a@192.0.2.1:5070>;q=0.7;expires=100"},
        {"the same URI, written otherwise", "Contact: <sip:a@192.0.2.1:5070;ob>;expires=200;q=0.5\r\n", "y",
         1, 2, 200, "<sip:a@192.0.2.1:5070;ob>;q=0.5;expires=200"},
        {"another one with more q comes first", "Contact: <sip:b@192.0.2.2>;q=0.9\r\nExpires: 77\r\n", "z", 1,
         1, 200, "<sip:b@192.0.2.2>;q=0.9;expires=77, <sip:a@192.0.2.1:5070;ob>;q=0.5;expires=200"},
        {"a question", "", "q", 1, 4, 200,
         "<sip:b@192.0.2.2>;q=0.9;expires=77, <sip:a@192.0.2.1:5070;ob>;q=0.5;expires=200"},
        {"one good and one outdated: nothing happens",
         "Contact: <sip:c@192.0.2.3>, <sip:a@192.0.2.1:5070>\r\n", "y", 1, 1, 200,
         "<sip:b@192.0.2.2>;q=0.9;expires=77, <sip:a@192.0.2.1:5070;ob>;q=0.5;expires=200, "
         "<sip:c@192.0.2.3>;expires=3600"},
        {"one goes", "Contact: <sip:b@192.0.2.2>;expires=0\r\n", "z", 2, 3, 200,
         "<sip:a@192.0.2.1:5070;ob>;q=0.5;expires=200, <sip:c@192.0.2.3>;expires=3600"},
        {"star needs Expires", "Contact: *\r\n", "s", 1, -1, 400, ""},
        {"of zero", "Contact: *\r\nExpires: 10\r\n", "s", 1, -1, 400, ""},
        {"and stands alone", "Contact: *\r\nContact: <sip:b@c>\r\nExpires: 0\r\n", "s", 1, -1, 400, ""},
        {"star of an older CSeq", "Contact: *\r\nExpires: 0\r\n", "y", 0, -1, 400,
         "<sip:a@192.0.2.1:5070;ob>;q=0.5;expires=200, <sip:c@192.0.2.3>;expires=3600"},
        {"star", "Contact: *\r\nExpires: 0\r\n", "s", 1, 3, 200, ""},
        {"nothing is left", "", "q", 1, 4, 200, ""},
        {"removal of what is not there", "Contact: <sip:a@192.0.2.1>;expires=0\r\n", "x", 9, 1, 200, ""},
        {"garbage beside a good one", "Contact: <sip:a@192.0.2.1>, garbage <<\r\n", "x", 10, -1, 400, ""},
        {"a bad q", "Contact: <sip:a@192.0.2.1>;q=2\r\n", "x", 11, -1, 400, ""},
        {"a malformed time is as if absent", "Contact: <sip:a@192.0.2.1>;expires=abc\r\n", "x", 12, 1, 200,
         "<sip:a@192.0.2.1>;expires=3600"},
        {"a telephone", "Contact: <tel:+123>\r\n", "t", 1, 1, 200,
         "<sip:a@192.0.2.1>;expires=3600, <tel:+123>;expires=3600"},
        {"a short time is lengthened", "Contact: <tel:+123>;expires=5\r\n", "t", 2, 2, 200,
         "<sip:a@192.0.2.1>;expires=3600, <tel:+123>;expires=60"},
    };
    Bench bench;
    for (const Step& step : steps) {
        INFO(step.story);
        CHECK(bench.save("alice", step.headers, step.call_id, step.cseq) == step.returns);
        CHECK(bench.host.responder.last_code() == step.code);
        CHECK(bench.contacts() == step.contacts);
    }
}

TEST_CASE("refused for what it is", "[registrar]")
{
    const struct {
        const char *story, *headers;
        int returns, code;
        const char* header; // of the answer
    } rows[] = {
        {"more than max_contacts", "Contact: <sip:a@h>, <sip:b@h>, <sip:c@h>, <sip:d@h>\r\n", -2, 503,
         "Retry-After: 30\r\n"},
        {"as many", "Contact: <sip:a@h>, <sip:b@h>, <sip:c@h>\r\n", 1, 200, ""},
        {"too short a time", "Contact: <sip:a@h>;expires=5\r\n", -1, 423, "Min-Expires: 60\r\n"},
        {"none of a list when one is too short", "Contact: <sip:a@h>;expires=500, <sip:b@h>;expires=5\r\n",
         -1, 423, "Min-Expires: 60\r\n"},
        {"too long a URI",
         "Contact: <sip:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@h>\r\n", -1, 400,
         "too long"},
        {"outbound is required, and not spoken", "Contact: <sip:a@h>\r\nRequire: outbound\r\n", -1, 420,
         "Unsupported: outbound\r\n"},
        {"a Path nobody asked for", "Contact: <sip:a@h>\r\nPath: <sip:p;lr>\r\n", -1, 420,
         "Unsupported: path\r\n"},
        {"a Path that is asked for",
         "Contact: <sip:a@h>\r\nPath: <sip:p;lr>, <sip:p2;lr>\r\nPath: <sip:p3;lr>\r\nSupported: path\r\n", 1,
         200, "Path: <sip:p;lr>, <sip:p2;lr>,<sip:p3;lr>\r\n"},
        {"a Path that is none", "Contact: <sip:a@h>\r\nPath: nonsense\r\nSupported: path\r\n", -1, 400,
         "P-Registrar-Error: "},
        {"an instance that breaks its quotes", "Contact: <sip:a@h>;+sip.instance=\"a\\\"b\"\r\n", -1, 400,
         "P-Registrar-Error: "},
        {"a reg-id that is none", "Contact: <sip:a@h>;reg-id=0;+sip.instance=\"<x>\"\r\n", -1, 400,
         "P-Registrar-Error: "},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Settings settings;
        settings.max_contacts = 3;
        settings.retry_after = 30;
        settings.min_expires_mode = 1;
        settings.contact_max_size = 64;
        settings.use_path = true;
        Bench bench{settings};
        CHECK(bench.save("alice", row.headers) == row.returns);
        CHECK(bench.host.responder.last_code() == row.code);
        CHECK(bench.answered_with(row.header));
        if (row.code != 200)
            CHECK(bench.lookup("sip:alice@example.com") == "-1 sip:alice@example.com"); // nothing happened
    }
}

TEST_CASE("garbage is answered", "[registrar]")
{
    const char* const contacts[] = {"Contact:\r\n",
                                    "Contact: \r\n",
                                    "Contact: ,\r\n",
                                    "Contact: <\r\n",
                                    "Contact: <>\r\n",
                                    "Contact: \"\r\n",
                                    "Contact: \"x\" <sip:a@h\r\n",
                                    "Contact: sip:\r\n",
                                    "Contact: <sip:a@h>;expires=\r\n",
                                    "Contact: <sip:a@h>;q=\r\n",
                                    "Contact: <sip:a@h>;q=-1\r\n",
                                    "Contact: <sip:a@h>;;;;\r\n",
                                    "Contact: *;expires=0\r\n",
                                    "Contact: *, *\r\nExpires: 0\r\n",
                                    "Contact: <sip:@>\r\n",
                                    "Contact: <sip:a@h>;x=\"\r\n",
                                    "Contact: <http://a>\r\n",
                                    "Contact: <sip:%zz@h>\r\n",
                                    "Contact: <sip:a@[::1>\r\n",
                                    "Contact: <sip:a@h>;expires=99999999999999999999\r\n",
                                    "Expires: -1\r\nContact: <sip:a@h>\r\n",
                                    "Contact: <sip:a@h?x=y>\r\n",
                                    "Contact: \xff\xfe\r\n"};
    for (const char* const contact : contacts) {
        INFO(contact);
        Bench bench;
        const int returned = bench.save("alice", contact);
        const int code = bench.host.responder.last_code();
        CHECK((returned > 0 ? code == 200 : code == 400));
        for (const auto& reply : bench.host.responder.replies) // whole lines only
            CHECK((reply.headers.empty() || reply.headers.ends_with("\r\n")));
        bench.lookup("sip:alice@example.com");
    }
}

TEST_CASE("how long", "[registrar]")
{
    const struct {
        const char *story, *headers;
        int min, max, fallback, expected; // seconds granted
    } rows[] = {
        {"the default", "Contact: <sip:a@h>\r\n", 60, 0, 1800, 1800},
        {"the header's", "Contact: <sip:a@h>\r\nExpires: 300\r\n", 60, 0, 1800, 300},
        {"the parameter's", "Contact: <sip:a@h>;expires=200\r\nExpires: 300\r\n", 60, 0, 1800, 200},
        {"lengthened", "Contact: <sip:a@h>;expires=20\r\n", 60, 0, 1800, 60},
        {"shortened", "Contact: <sip:a@h>;expires=20000\r\n", 60, 7200, 1800, 7200},
        {"no least", "Contact: <sip:a@h>;expires=1\r\n", 0, 0, 1800, 1},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Settings settings;
        settings.min_expires = row.min;
        settings.max_expires = row.max;
        settings.default_expires = row.fallback;
        Bench bench{settings};
        CHECK(bench.save("alice", row.headers) == 1);
        CHECK(bench.contacts() == "<sip:a@h>;expires=" + std::to_string(row.expected));
    }
    Settings spread;
    spread.expires_range = 50;
    spread.expires_max_deviation = 100;
    for (int i = 0; i < 50; ++i) {
        Bench bench{spread};
        REQUIRE(bench.save("alice", "Contact: <sip:a@h>;expires=1000\r\n") == 1);
        const int seconds = std::stoi(bench.contacts().substr(bench.contacts().rfind('=') + 1));
        CHECK((seconds >= 900 && seconds <= 1000));
        REQUIRE(bench.save("bob", "Contact: <sip:a@h>;expires=1000\r\n", "c", 1, "0x08") == 1);
        CHECK(bench.contacts() == "<sip:a@h>;expires=1000");
    }
}

TEST_CASE("the way to a user", "[registrar]")
{
    Bench bench;
    bench.save("alice", "Contact: <sip:a@192.0.2.1:5070>;q=0.2, <sip:b@192.0.2.2>;q=0.9;expires=100, "
                        "<sip:c@192.0.2.3>;q=0.5\r\n");
    CHECK(bench.lookup("sip:alice@example.com") ==
          "1 sip:b@192.0.2.2, sip:c@192.0.2.3, sip:a@192.0.2.1:5070");
    CHECK(bench.lookup("sip:ALICE@elsewhere") == "1 sip:b@192.0.2.2, sip:c@192.0.2.3, sip:a@192.0.2.1:5070");
    CHECK(bench.lookup("sip:al%69ce@x") == "1 sip:b@192.0.2.2, sip:c@192.0.2.3, sip:a@192.0.2.1:5070");
    CHECK(bench.lookup("sip:bob@example.com") == "-1 sip:bob@example.com");
    CHECK(bench.lookup("sip:example.com") == "-1 sip:example.com");
    bench.wait(101);
    CHECK(bench.lookup("sip:alice@example.com") ==
          "1 sip:c@192.0.2.3, sip:a@192.0.2.1:5070"); // before any timer
    bench.store->expire();
    CHECK(bench.lookup("sip:alice@example.com") == "1 sip:c@192.0.2.3, sip:a@192.0.2.1:5070");
    bench.wait(4000);
    CHECK(bench.lookup("sip:alice@example.com") == "-1 sip:alice@example.com");
}

TEST_CASE("only the best, only those that know the method, at most max_branches", "[registrar]")
{
    Settings settings;
    settings.append_branches = false;
    settings.method_filtering = true;
    Bench bench{settings};
    bench.save("alice", "Contact: <sip:a@h>;q=0.5\r\nAllow: INVITE, ACK, BYE\r\n", "x");
    bench.save("alice", "Contact: <sip:b@h>;q=0.1\r\nAllow: MESSAGE\r\n", "y");
    CHECK(bench.lookup("sip:alice@e") == "1 sip:a@h");
    CHECK(bench.lookup("sip:alice@e", "MESSAGE") == "1 sip:b@h");
    CHECK(bench.lookup("sip:alice@e", "PUBLISH") == "-2 sip:alice@e");
    Bench many;
    many.host.settings.max_branches = 3;
    many.save("bob", "Contact: <sip:1@h>, <sip:2@h>, <sip:3@h>, <sip:4@h>\r\n");
    CHECK(many.lookup("sip:bob@e") == "1 sip:1@h, sip:2@h, sip:3@h");
}

TEST_CASE("one contact only, memory only, no reply", "[registrar]")
{
    Bench bench;
    bench.save("alice", "Contact: <sip:a@h>, <sip:b@h>\r\n", "x");
    CHECK(bench.save("alice", "Contact: <sip:c@h>\r\n", "y", 1, "0x04") == 1);
    CHECK(bench.contacts() == "<sip:c@h>;expires=3600");
    CHECK(bench.save("alice", "Contact: <sip:c@h>\r\n", "y", 2, "4") == 2);
    CHECK(bench.contacts() == "<sip:c@h>;expires=3600");
    CHECK(bench.save("alice", "Contact: <sip:d@h>\r\n", "z", 1, "0x03") == 1);
    CHECK(bench.host.responder.replies.empty());
    CHECK(bench.lookup("sip:alice@e") == "1 sip:c@h, sip:d@h");

    test::Messenger m{bench.host, register_text("alice", "Contact: <sip:d@h>\r\n", "z", 2)};
    CHECK(bench.registrar->send_reply(*m).code == -1); // nothing prepared
    CHECK(bench.registrar->save(*m, "location", "2", std::nullopt).code == 2);
    CHECK(bench.registrar->send_reply(*m).code == 1);
    CHECK(bench.host.responder.last_code() == 200);
    CHECK(bench.registrar->send_reply(*m).code == -1);
}

TEST_CASE("GRUUs", "[registrar]")
{
    Settings settings;
    Bench bench{settings};
    const std::string contact =
        "Contact: <sip:a@192.0.2.1>;+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000A95A0E128>\"\r\n";
    CHECK(bench.save("alice", contact + "Supported: gruu\r\n") == 1);
    const std::string answer = bench.contacts();
    CHECK(
        answer.find("pub-gruu=\"sip:alice@example.com;gr=urn:uuid:00000000-0000-1000-8000-000A95A0E128\"") !=
        std::string::npos);
    const auto at = answer.find("temp-gruu=\"") + 11;
    const std::string temporary = answer.substr(at, answer.find('"', at) - at);
    bench.save("alice", "Contact: <sip:other@192.0.2.2>\r\n", "o");
    CHECK(bench.lookup("sip:alice@example.com") == "1 sip:a@192.0.2.1, sip:other@192.0.2.2");
    CHECK(bench.lookup("sip:alice@example.com;gr=urn:uuid:00000000-0000-1000-8000-000A95A0E128") ==
          "1 sip:a@192.0.2.1");
    CHECK(bench.lookup("sip:alice@example.com;gr=urn:uuid:1").starts_with("-1"));
    CHECK(bench.lookup(temporary) == "1 sip:a@192.0.2.1");
    CHECK(bench.lookup("sip:" + temporary.substr(4, temporary.find('@') - 4) + "-f6@example.com;gr") ==
          "1 sip:a@192.0.2.1"); // Kamailio's
    CHECK(bench.lookup("sip:nobody-1@example.com;gr").starts_with("-1"));
    // It moves; both GRUUs lead there.
    CHECK(
        bench.save("alice",
                   "Contact: "
                   "<sip:a@192.0.2.9>;+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000A95A0E128>\"\r\n",
                   "n") == 2);
    CHECK(bench.contacts().find("gruu") == std::string::npos); // not asked for
    CHECK(bench.lookup(temporary) == "1 sip:a@192.0.2.9");
}

TEST_CASE("flows of one device", "[registrar]")
{
    Settings settings;
    settings.outbound_mode = 1;
    settings.flow_timer = 25;
    Bench bench{settings};
    const auto contact = [](int flow, const char* more = "Supported: outbound\r\n") {
        return format("Contact: <sip:a@192.0.2.1>;+sip.instance=\"<urn:uuid:1>\";reg-id={}\r\n{}", flow,
                      more);
    };
    CHECK(bench.save("alice", contact(1), "f1") == 1);
    CHECK(bench.answered_with("Require: outbound\r\n"));
    CHECK(bench.answered_with("Flow-Timer: 25\r\n"));
    CHECK(bench.contacts().ends_with("+sip.instance=\"<urn:uuid:1>\";reg-id=1"));
    CHECK(bench.save("alice", contact(2), "f2") == 1);
    CHECK(bench.save("alice", contact(1), "f3") == 2);
    // Each goes back where its REGISTER came from, whatever the Contact says (RFC 5626 5.3).
    CHECK(bench.lookup("sip:alice@e") ==
          "1 sip:a@192.0.2.1 via sip:192.0.2.7:5070, sip:a@192.0.2.1 via sip:192.0.2.7:5070");
    CHECK(bench.save("alice",
                     "Contact: <sip:a@h>;+sip.instance=\"<u>\";reg-id=1, "
                     "<sip:b@h>;+sip.instance=\"<u>\";reg-id=2\r\nSupported: outbound\r\n",
                     "f4") == -1);
    CHECK(bench.host.responder.last_code() == 400);
    CHECK(bench.save("bob", contact(1, ""), "f5") == 1); // without outbound the number is not looked at
    CHECK(bench.contacts().find("reg-id") == std::string::npos);
    settings.outbound_mode = 2;
    Bench strict{settings};
    CHECK(strict.save("alice", contact(1, "")) == -1);
    CHECK(strict.host.responder.last_code() == 421);
    CHECK(strict.answered_with("Require: outbound\r\n"));
}

TEST_CASE("Path leads there", "[registrar]")
{
    Settings settings;
    settings.use_path = true;
    settings.path_mode = 0;
    settings.path_use_received = true;
    settings.path_check_local = true;
    usrloc::Settings store;
    store.nat_bflag = 6;
    Bench bench{settings, store};
    bench.host.add_myself("me.example.com");
    CHECK(bench.save("alice", "Contact: <sip:a@10.0.0.1>\r\nPath: "
                              "<sip:me.example.com;lr>,<sip:edge@192.0.2.8;lr;received=sip:192.0.2.7:5070%"
                              "3Btransport%3Dtcp>\r\n") == 1);
    CHECK_FALSE(bench.answered_with("Path:"));
    CHECK(bench.contacts() == "<sip:a@10.0.0.1>;expires=3600");
    test::Messenger m{bench.host, test::sample_request("INVITE", "sip:alice@example.com")};
    REQUIRE(bench.registrar->lookup(*m, "location", std::nullopt).code == 1);
    CHECK(m->dst_uri() == "sip:edge@192.0.2.8;lr;received=sip:192.0.2.7:5070%3Btransport%3Dtcp");
    CHECK(m->path() == "<sip:edge@192.0.2.8;lr;received=sip:192.0.2.7:5070%3Btransport%3Dtcp>");
    CHECK(m->branch_flags == 0);
    bench.save("bob",
               "Contact: <sip:a@10.0.0.1>\r\nPath: <sip:edge@192.0.2.8;lr;received=sip:192.0.2.7:5070>\r\n");
    CHECK(bench.contacts() == "<sip:a@10.0.0.1>;expires=3600;received=\"sip:192.0.2.7:5070\"");
    REQUIRE(bench.registrar->lookup(*m, "location", "sip:bob@example.com").code == 1);
    CHECK(m->branch_flags == 1U << 6);
}

TEST_CASE("branch flags come back", "[registrar]")
{
    Bench bench;
    bench.save("alice", "Contact: <sip:a@h>\r\n", "x", 1, {}, 0x50);
    bench.save("alice", "Contact: <sip:b@h>\r\n", "y", 1, {}, 0x20);
    test::Messenger m{bench.host, test::sample_request("INVITE", "sip:alice@example.com")};
    m->set_dst_uri("sip:192.0.2.99"); // of an earlier decision
    REQUIRE(bench.registrar->lookup(*m, "location", std::nullopt).code == 1);
    CHECK(m->branch_flags == 0x50);
    CHECK(m->dst_uri().empty());
    REQUIRE(m->branches().size() == 1);
    CHECK(m->branches()[0].flags == 0x20);
    CHECK(m->branches()[0].ruid.starts_with("uloc-"));
}

TEST_CASE("in a script", "[registrar]")
{
    const struct {
        const char *story, *params, *statements, *shown, *expected;
    } rows[] = {
        {"registered", "", "$var(r) = registered(\"location\", \"sip:alice@e\");", "$var(r)", "1"},
        {"not registered", "", "$var(r) = registered(\"location\", \"sip:bob@e\");", "$var(r)", "-1"},
        {"unregister", "",
         "$var(r) = unregister(\"location\", \"sip:alice@e\"); $var(s) = registered(\"location\", "
         "\"sip:alice@e\");",
         "$var(r) $var(s)", "1 -1"},
        {"unregister nobody", "", "$var(r) = unregister(\"location\", \"sip:bob@e\");", "$var(r)", "-3"},
        {"unregister garbage", "", "$var(r) = unregister(\"location\", \"bob\");", "$var(r)", "-1"},
        {"unregister by id", "",
         "reg_fetch_contacts(\"location\", \"sip:alice@e\", \"p\"); "
         "$var(r) = unregister(\"location\", \"\", \"$ulc(p=>ruid)\");",
         "$var(r)", "1"},
        {"a profile", "", "reg_fetch_contacts(\"location\", \"sip:alice@e\", \"p\");",
         "$ulc(p=>count) $(ulc(p=>addr)[0]) $(ulc(p=>addr)[1]) $(ulc(p=>q)[0]) $ulc(p=>aor) "
         "$(ulc(p=>expires)[1]) $(ulc(p=>addr)[2])",
         "2 sip:a@192.0.2.1 sip:b@192.0.2.2 700 alice 3600 <null>"},
        {"freed", "", "reg_fetch_contacts(\"location\", \"sip:alice@e\", \"p\"); reg_free_contacts(\"p\");",
         "$ulc(p=>addr)", ""},
        {"lookup notes what it found",
         "modparam(\"registrar\", \"xavp_rcd\", \"rcd\")\nmodparam(\"registrar\", \"xavp_rcd_mask\", 1)\n",
         "lookup(\"location\", \"sip:alice@e\");",
         "$xavp(rcd[0]=>contact) $xavp(rcd[1]=>contact) $xavp(rcd[0]=>expires) $xavp(rcd[0]=>ruid)",
         "sip:a@192.0.2.1 sip:b@192.0.2.2 3600 <null>"},
        {"registered with a Call-ID", "modparam(\"registrar\", \"xavp_cfg\", \"cfg\")\n",
         "$xavp(cfg=>match_callid) = \"second\"; $var(r) = registered(\"location\", \"sip:alice@e\", 1);",
         "$var(r)", "1"},
        {"with another", "modparam(\"registrar\", \"xavp_cfg\", \"cfg\")\n",
         "$xavp(cfg=>match_callid) = \"third\"; $var(r) = registered(\"location\", \"sip:alice@e\", 1);",
         "$var(r)", "-1"},
        {"with a contact", "modparam(\"registrar\", \"xavp_cfg\", \"cfg\")\n",
         "$xavp(cfg=>match_contact) = \"sip:b@192.0.2.2\"; $var(r) = registered(\"location\", "
         "\"sip:alice@e\", 4);",
         "$var(r)", "1"},
        {"lookup", "", "$var(r) = lookup(\"location\", \"sip:alice@e\");", "$var(r) $ru",
         "1 sip:a@192.0.2.1"},
        {"branches, and the request URI stays", "", "lookup_to_dset(\"location\", \"sip:alice@e\");", "$ru",
         "sip:bob@example.com"},
        {"lookup keeps attributes", "modparam(\"usrloc\", \"xavp_contact\", \"ua\")\n",
         "lookup(\"location\", \"sip:alice@e\");", "$xavp(ua=>colour) $xavp(ua=>size)", "green 7"},
        {"settings of one call", "modparam(\"registrar\", \"xavp_cfg\", \"cfg\")\n",
         "reg_fetch_contacts(\"location\", \"sip:short@e\", \"p\");",
         "$ulc(p=>expires) $ulc(p=>q) $ulc(p=>socket)", "90 333 udp:192.0.2.200:5060"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        test::FakeHost host;
        test::ScriptFixture fixture{
            host,
            {erase(pv::Pv::manifest()), erase(usrloc::Usrloc::manifest()), erase(Registrar::manifest())}};
        // ScriptFixture knows modules, not what they offer: the store is made first.
        usrloc::Settings store_settings;
        if (std::string_view{row.params}.find("xavp_contact") != std::string_view::npos)
            store_settings.xavp_contact = "ua";
        usrloc::Usrloc store{store_settings, host};
        host.offer<usrloc::Api>(store);
        const bool loaded = fixture.load(
            "loadmodule \"pv.so\"\nloadmodule \"usrloc.so\"\nloadmodule \"registrar.so\"\n" +
            std::string{row.params} +
            "request_route {\n if (method == \"REGISTER\") { $xavp(ua=>colour) = \"green\"; "
            "$xavp(ua[0]=>size) = 7;\n"
            "if ($tU == \"short\") { $xavp(cfg=>expires) = 90; $xavp(cfg[0]=>q) = 333; "
            "$xavp(cfg[0]=>socket) = \"udp:192.0.2.200:5060\"; }\n save(\"location\"); exit; }\n" +
            row.statements + "\n}\n");
        INFO(fixture.errors());
        REQUIRE(loaded);
        fixture.run(register_text("alice", "Contact: <sip:a@192.0.2.1>;q=0.7\r\n", "first"));
        fixture.run(register_text("alice", "Contact: <sip:b@192.0.2.2>;q=0.2\r\n", "second"));
        fixture.run(register_text("short", "Contact: <sip:s@192.0.2.3>\r\n", "third"));
        test::Messenger m{host, test::sample_request()};
        fixture.engine().run_request(*m);
        CHECK(must(fixture.compile_format(row.shown))->expand(*m) == row.expected);
    }
}

TEST_CASE("lookup of all branches", "[registrar]")
{
    Bench bench;
    bench.save("alice", "Contact: <sip:a@192.0.2.1>, <sip:b@192.0.2.2>\r\n");
    bench.save("bob", "Contact: <sip:c@192.0.2.3>\r\n");
    test::Messenger m{bench.host, test::sample_request("INVITE", "sip:alice@example.com")};
    const std::string_view uris[] = {"sip:bob@example.com", "sip:stranger@example.net"};
    for (const auto uri : uris) {
        Branch branch;
        branch.uri = uri;
        m->branches().push_back(branch);
    }
    CHECK(bench.registrar->lookup_branches(*m, "location").code == 1);
    CHECK(m->ruri() == "sip:a@192.0.2.1");
    std::string all;
    for (const Branch& branch : m->branches())
        all += format("{} ", branch.uri);
    CHECK(all == "sip:b@192.0.2.2 sip:c@192.0.2.3 sip:stranger@example.net ");
}

TEST_CASE("received_avp says where a client is", "[registrar]")
{
    test::FakeHost host;
    usrloc::Usrloc store{{}, host};
    host.offer<usrloc::Api>(store);
    test::ScriptFixture fixture{host, {erase(pv::Pv::manifest()), erase(Registrar::manifest())}};
    host.set_script(&fixture);
    const bool loaded = fixture.load(
        "loadmodule \"pv.so\"\nloadmodule \"registrar.so\"\nmodparam(\"registrar\", \"received_avp\", "
        "\"$avp(rcv)\")\n"
        "request_route { if (method == \"REGISTER\") { $avp(rcv) = \"sip:198.51.100.7:40000;transport=tcp\"; "
        "save(\"location\"); exit; } lookup(\"location\", \"sip:alice@e\"); }\n");
    INFO(fixture.errors());
    REQUIRE(loaded);
    fixture.run(register_text("alice", "Contact: <sip:a@10.0.0.1>\r\n"));
    CHECK(host.responder.replies.back().headers.find(";received=\"sip:198.51.100.7:40000;transport=tcp\"") !=
          std::string::npos);
    test::Messenger m{host, test::sample_request()};
    fixture.engine().run_request(*m);
    CHECK(m->ruri() == "sip:a@10.0.0.1");
    CHECK(m->dst_uri() == "sip:198.51.100.7:40000;transport=tcp");
}

TEST_CASE("event_route[usrloc:contact-expired]", "[registrar]")
{
    Bench bench;
    std::string seen;
    bench.host.on_event_route("usrloc:contact-expired", [&](Request& request) {
        seen += format("{} {} ", bench.registrar->ulc(request, "exp=>aor", {}).text(),
                       bench.registrar->ulc(request, "exp=>addr", {}).text());
        return Verdict::yes();
    });
    bench.save("alice", "Contact: <sip:a@h>;expires=60, <sip:b@h>;expires=100\r\n");
    bench.wait(61);
    bench.store->expire();
    CHECK(seen == "alice sip:a@h ");
}

TEST_CASE("a reply's contacts are stored, and nothing is answered", "[registrar]")
{
    Bench bench;
    test::Messenger m{bench.host,
                      "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\r\nVia: SIP/2.0/UDP "
                      "192.0.2.7:5070;branch=z9hG4bK2\r\n"
                      "From: <sip:alice@example.com>;tag=1\r\nTo: <sip:alice@example.com>;tag=2\r\nCall-ID: "
                      "r\r\nCSeq: 1 REGISTER\r\n"
                      "Contact: <sip:a@192.0.2.1>;expires=100\r\nContent-Length: 0\r\n\r\n",
                      Route::core_reply};
    CHECK(bench.registrar->save(*m, "location", std::nullopt, std::nullopt).code == 1);
    CHECK(bench.host.responder.replies.empty());
    CHECK(bench.lookup("sip:alice@example.com") == "1 sip:a@192.0.2.1");
}

TEST_CASE("a store that is full is a 503 that says when to come back", "[registrar]")
{
    usrloc::Settings store;
    store.max_stored = 1;
    Bench bench{{}, store};
    CHECK(bench.save("alice", "Contact: <sip:a@h>\r\n") == 1);
    CHECK(bench.save("bob", "Contact: <sip:b@h>\r\n") == -1);
    CHECK(bench.host.responder.last_code() == 503);
    CHECK(bench.answered_with("Retry-After: 10\r\n"));
    CHECK(bench.save("alice", "Contact: <sip:a@h>\r\n", "c1", 2) == 2); // a refresh takes no more room
    CHECK(bench.host.counted("registrar", "rejected_regs") == 1);
}
