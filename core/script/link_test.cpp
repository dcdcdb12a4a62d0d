// core/script/link_test.cpp - what is found wrong before the first message; variables' texts; patterns
// (spec/script 13 to 16, 22)
#include "core/script/link_fakes.h"
#include "core/script/operands.h"
#include "core/script/pattern.h"
#include "core/script/pvar.h"
#include "core/script/uri_rewrite.h"
#include "test/support/catch.h"
#include "test/support/run_script.h"

using namespace sipyard;
using test::FakeHost;
using test::ScriptFixture;

TEST_CASE("what cannot work is reported with its place", "[script]")
{
    const struct {
        const char* story;
        const char* body;
        const char* message;
    } rows[] = {
        {"an unknown variable", "$var(x) = $nosuch;",
         "test.cfg:2:27: error: error searching pvar \"nosuch\""},
        {"and the one it resembles", "$var(x) = $avq(x);", "did you mean 'avp'?"},
        {"trap 10: a dot belongs to the name", "note(\"to $rU.\");", "error searching pvar \"rU.\""},
        {"a variable in a format", "note(\"$nosuch(x) y\");",
         "note(): parameter 1: error searching pvar \"nosuch\""},
        {"trap 26: a missing route", "route(NOPE);", "route \"NOPE\" not found at test.cfg:2"},
        {"trap 9: a name is not interpolated", "route(\"R$var(x)\");", "route \"R$var(x)\" not found"},
        {"a bad pattern", "if ($rU =~ \"a(\") { ; }", "bad regular expression \"a(\""},
        {"a bad pattern of a switch", "switch ($rU) { case /\"a(\": break; }", "bad regular expression"},
        {"a bad pattern as argument", "pick(\"a(\", \"b\");", "pick(): parameter 1"},
        {"a number that is none", "code(\"abc\");", "code(): parameter 1: \"abc\" is not a number"},
        {"an argument that is no variable", "put(\"x\", \"y\");", "put(): parameter 1 is not a variable"},
        {"assigning what can only be read", "$rU = \"x\";", "read only pvar in assignment left side"},
        {"assigning through a transformation", "$(ru{s.len}) = \"x\";",
         "read only pvar in assignment left side"},
        {"assigning $rc", "$rc = 1;", "read only pvar in assignment left side"},
        {"an unknown class", "$var(x) = $(ru{z.len});", "unknown transformation class \"z\""},
        {"an unknown op", "$var(x) = $(ru{s.lem});", "unknown transformation {s.lem}"},
        {"and the one it resembles", "$var(x) = $(ru{s.lem});", "did you mean 'len'?"},
        {"too few arguments", "$var(x) = $(ru{s.substr,1});", "{s.substr} has 1 arguments"},
        {"too many", "$var(x) = $(ru{s.len,1});", "{s.len} has 1 arguments"},
        {"a bad substitution", "$var(x) = $(ru{re.subst,/a[/b/});", "{re.subst}:"},
        {"an undeclared global", "$var(x) = $sel(cfg_get.my.nothing);", "unknown variable: my.nothing"},
        {"an unknown select", "$var(x) = $sel(nonsense.of.it);", "unknown select \"nonsense.of.it\""},
        {"a variable without its name", "$var(x) = $var;", "needs a name"},
        {"an inner that does not parse", "$var(x) = $half(abc);", "pvar \"$half(abc)\""},
        {"a bad index", "$var(x) = $(avp(y)[z]);", "bad index"},
    };
    FakeHost host;
    ScriptFixture script{host, {erase(script::Probe::manifest())}};
    for (const auto& row : rows) {
        INFO(row.story << ": " << row.body);
        CHECK_FALSE(script.load(format("loadmodule \"probe.so\"\nrequest_route {{ {} }}\n", row.body)));
        INFO(script.errors());
        CHECK(script.errors().find(row.message) != std::string::npos);
        CHECK(script.errors().find("ERROR: bad config file (1 errors)") != std::string::npos);
    }
    INFO("all of them at once");
    CHECK_FALSE(script.load(
        "loadmodule \"probe.so\"\nrequest_route { route(A); $var(x) = $nosuch; }\nroute[B] { route(C); }"));
    CHECK(script.errors().find("(3 errors)") != std::string::npos);
}

TEST_CASE("a pvar's text is taken apart", "[script]")
{
    const struct {
        const char *text, *whole, *name, *inner, *index, *steps;
    } rows[] = {
        {"$ru", "$ru", "ru", "-", "-", ""},
        {"$rU. x", "$rU.", "rU.", "-", "-", ""},
        {"$(rU). x", "$(rU)", "rU", "-", "-", ""},
        {"$var(a) b", "$var(a)", "var", "a", "-", ""},
        {"$(hdr(X-Y)[2]{s.len}{s.rm, })", "$(hdr(X-Y)[2]{s.len}{s.rm, })", "hdr", "X-Y", "2",
         "{s.len}{s.rm, }"},
        {"$avp($(hdr(a)[1]))!", "$avp($(hdr(a)[1]))", "avp", "$(hdr(a)[1])", "-", ""},
        {"$(ct[*])", "$(ct[*])", "ct", "-", "*", ""},
        {"$?", "$?", "?", "-", "-", ""},
        {"$(x{s.select,$(var(i){s.len}),;})y", "$(x{s.select,$(var(i){s.len}),;})", "x", "-", "-",
         "{s.select,$(var(i){s.len}),;}"},
    };
    for (const auto& row : rows) {
        INFO(row.text);
        const auto read = script::read_pvar(row.text);
        INFO(why(read));
        REQUIRE(read);
        CHECK(read->text == row.whole);
        CHECK(read->name == row.name);
        CHECK(read->inner.value_or("-") == row.inner);
        CHECK(read->index.value_or("-") == row.index);
        CHECK(read->steps == row.steps);
    }
    for (const char* bad : {"$", "$(", "$()", "$(a", "$(a[1)", "$var(a", "$(a b)", "$!", ""}) {
        INFO(bad);
        CHECK_FALSE(script::read_pvar(bad));
    }
}

TEST_CASE("arguments of a transformation are split at commas", "[script]")
{
    const struct {
        const char* text;
        std::vector<std::string> expected;
    } rows[] = {
        {"1", {"1"}},
        {"1,;", {"1", ";"}},
        {"0,,", {"0", ","}},
        {",", {","}},
        {"a,", {"a", ""}},
        {"", {""}},
        {"$(avp(a,b)),c", {"$(avp(a,b))", "c"}},
    };
    for (const auto& row : rows) {
        INFO(row.text);
        const auto split = script::split_arguments(row.text);
        CHECK(std::vector<std::string>(split.begin(), split.end()) == row.expected);
    }
}

TEST_CASE("short cuts of patterns find what the expression finds", "[script]")
{
    const char* patterns[] = {"^00",
                              "^\\+",
                              "^49(15|16|17)",
                              "^ab*",
                              "^a|b",
                              "friendly",
                              "a.c",
                              "^abc$",
                              "^",
                              "$",
                              "",
                              "^a{2}",
                              "^[a-z]|x",
                              "^(10\\.|192\\.)",
                              "ab?",
                              "^ab+c",
                              "b\\.c",
                              "^\\*[0-9]",
                              "x\\|y"};
    const char* subjects[] = {"",
                              "00",
                              "0049",
                              "+49",
                              "4915x",
                              "49",
                              "4920",
                              "a",
                              "ab",
                              "abb",
                              "b",
                              "xb",
                              "FRIENDLY-scanner",
                              "unfriendly",
                              "abc",
                              "ABC",
                              "abcd",
                              "aa",
                              "aab",
                              "10.1",
                              "192.1",
                              "1092",
                              "abbc",
                              "b.c",
                              "bxc",
                              "*12",
                              "x|y",
                              "xy",
                              "^00"};
    for (const char* pattern : patterns) {
        for (const auto letters : {Regex::Case::sensitive, Regex::Case::insensitive}) {
            const auto quick = script::Pattern::compile(pattern, letters);
            const auto plain = Regex::compile(pattern, Regex::Syntax::posix_extended, letters);
            REQUIRE(quick);
            REQUIRE(plain);
            for (const char* subject : subjects) {
                INFO(pattern << " on " << subject);
                CHECK(quick->matches(subject) == plain->matches(subject));
            }
        }
    }
}

TEST_CASE("networks are read from text", "[script]")
{
    const struct {
        const char* text;
        int bits; // -1: no network
    } rows[] = {{"10.0.0.0/8", 8}, {"10.0.0.0/255.0.0.0", 8}, {"10.1.2.3", 32},
                {"::1", 128},      {"2001:db8::/32", 32},     {"10.0.0.0/33", -1},
                {"host", -1},      {"10.0.0.0/x", -1},        {"", -1}};
    for (const auto& row : rows) {
        INFO(row.text);
        const auto network = script::network_of(row.text);
        CHECK((network ? network->bits : -1) == row.bits);
    }
}

TEST_CASE("parts of a request URI are replaced and the rest stays", "[script]")
{
    using script::UriPart;
    const struct {
        const char* uri;
        UriPart part;
        const char* text;
        std::size_t count;
        const char* expected;
    } rows[] = {
        {"sip:u:p@h:5070;transport=tcp;x=1?a=b", UriPart::host, "n", 0,
         "sip:u:p@n:5070;transport=tcp;x=1?a=b"},
        {"sip:u@h:5070;transport=tcp;x=1", UriPart::host_port, "n:1", 0, "sip:u@n:1;transport=tcp;x=1"},
        {"sip:u@h:5070;transport=tcp;x=1", UriPart::host_port_trans, "n:1;transport=tls", 0,
         "sip:u@n:1;transport=tls;x=1"},
        {"sips:h", UriPart::user, "u", 0, "sips:u@h"},
        {"sip:u:p@h", UriPart::user_password, "a:b", 0, "sip:a:b@h"},
        {"sip:u@h", UriPart::port, "9", 0, "sip:u@h:9"},
        {"sip:u@h:5", UriPart::port, "", 0, "sip:u@h"},
        {"sip:123@h", UriPart::strip, "", 2, "sip:3@h"},
        {"sip:123@h", UriPart::strip_tail, "", 5, "sip:h"},
        {"sip:123@[::1]", UriPart::user_phone, "", 0, "sip:123@[::1];user=phone"},
        {"tel:+123", UriPart::host, "n", 0, ""},
    };
    for (const auto& row : rows) {
        INFO(row.uri);
        Arena arena;
        const auto uri = sip::parse_uri(row.uri);
        REQUIRE(uri);
        CHECK(script::rewrite(*uri, row.part, row.text, row.count, arena) == row.expected);
    }
}
