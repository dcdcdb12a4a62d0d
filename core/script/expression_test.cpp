// core/script/expression_test.cpp - operators, coercions, null: spec/script 11 and traps 1 to 3, 8, 11, 12,
// 20 to 24
#include "core/script/link_fakes.h"
#include "test/support/catch.h"
#include "test/support/run_script.h"

using namespace sipyard;
using test::FakeHost;
using test::ScriptFixture;

namespace {

// Loads `loadmodule "probe.so"` and the statements as request_route.
struct Probed {
    FakeHost host;
    ScriptFixture script{host, {erase(script::Probe::manifest())}};
    bool body(std::string_view statements, std::string_view rest = {})
    {
        return script.load(format("loadmodule \"probe.so\"\nrequest_route {{\n{}\n}}\n{}", statements, rest));
    }
};

struct Row {
    const char* story;
    const char* expression;
    const char* expected; // of $var(r)
};

} // namespace

TEST_CASE("an expression has the value the language gives it", "[script]")
{
    const Row rows[] = {
        {"precedence: * over +", "1 + 2 * 3", "7"},
        {"~ is a unary operator", "~1", "-2"},
        {"trap 11: leading 0 is octal", "010", "8"},
        {"trap 11: b is binary", "10b", "2"},
        {"trap 11: << is lower than ==", "1<<2==4", "1"},
        {"trap 11: & is lower than ==", "6&3==3", "0"},
        {"trap 11: ^ binds tighter than &", "5^1&1", "0"},
        {"mod keeps the sign of the dividend", "-7 mod 3", "-1"},
        {"division truncates", "-7 / 2", "-3"},
        {"shifts of a variable", "$var(two) << 3", "16"},
        {"overflow wraps", "9223372036854775807 + $var(one)", "-9223372036854775808"},
        {"the smallest number divided by -1 is no crash", "$var(smallest) / $var(minus)",
         "-9223372036854775808"},
        {"modulo by -1 is 0", "$var(smallest) mod $var(minus)", "0"},
        {"trap 12: a string on the left concatenates", "\"a\" + 1", "a1"},
        {"from left to right", "\"a\"+1+2", "a12"},
        {"variables decide at run time: int first", "$var(two) + $var(s3)", "5"},
        {"variables decide at run time: string first", "$var(s3) + $var(two)", "32"},
        {"a chain of them", "$var(two) + 1 + $var(two)", "5"},
        {"null + 5 is 5", "$null + 5", "5"},
        {"null + text is the text", "$null + \"d\"", "d"},
        {"null in the middle adds nothing", "\"a\" + $avp(none) + \"b\"", "ab"},
        {"parentheses on the right", "\"x\" + ($var(one) + $var(two))", "x3"},
        {"the left operand decides: text", "\"05\" == 5", "0"},
        {"the left operand decides: int", "5 == $var(s05)", "1"},
        {"trap 8: an unset avp equals the empty text", "$avp(none) == \"\"", "1"},
        {"trap 8: and 0", "$avp(none) == 0", "1"},
        {"trap 8: and is not x", "$avp(none) != \"x\"", "1"},
        {"trap 8: and matches everything", "$avp(none) =~ \".*\"", "1"},
        {"trap 8: $null on the right asks whether it is set", "$avp(none) == $null", "1"},
        {"trap 8: a set one is not", "$avp(set) == $null", "0"},
        {"$null on the left is an ordinary comparison", "$null == $avp(none)", "1"},
        {"trap 7: $var is never null", "$var(unset) == $null", "0"},
        {"trap 7: it reads 0", "$var(unset)", "0"},
        {"$vn is null", "$vn(unset) == $null", "1"},
        {"defined of a compound is 1", "defined ($avp(none) + 1)", "1"},
        {"trap 1: =~ ignores case", "\"ABC\" =~ \"^abc$\"", "1"},
        {"trap 1: == does not", "\"ABC\" == \"abc\"", "0"},
        {"=~ is unanchored", "$var(text) =~ \"el+o\"", "1"},
        {"a pattern from a variable", "$var(text) =~ $var(re)", "1"},
        {"eq compares texts", "5 eq $var(s5)", "1"},
        {"ieq compares numbers", "$var(s05) ieq 5", "1"},
        {"trap 2: there is no !~", "!($var(text) =~ \"x\")", "1"},
        {"&& gives 0 or 1", "$var(two) && $var(two)", "1"},
        {"trap 24: X && 1 is X", "$var(minus) && 1", "-1"},
        {"X || 0 is X", "$var(minus) || 0", "-1"},
        {"1 && X is 0 or 1", "1 && $var(minus)", "1"},
        {"(int) of a text", "(int)\"0x1F\"", "31"},
        {"(str) of a number concatenates", "(str)5 + 6", "56"},
        {"a number in quotes", "(int)$var(s3) + 1", "4"},
        {"strlen", "strlen($var(text))", "5"},
        {"strempty", "strempty(\"\")", "1"},
        {"selval: yes", "selval(1 == 1, \"a\", \"b\")", "a"},
        {"selval: no", "selval($var(minus), \"a\", \"b\")", "b"},
        {"an assignment is an operand: 1 when it worked", "($var(y) = 0)", "1"},
        {"keyword operand: any case", "method == \"invite\"", "1"},
        {"keyword operand: bare word", "method == INVITE", "1"},
        {"src_ip in a network", "src_ip == 192.0.2.0/24", "1"},
        {"src_ip in another", "src_ip == 10.0.0.0/8", "0"},
        {"src_ip as a text", "src_ip == \"192.0.2.7\"", "1"},
        {"src_port", "src_port == 5070", "1"},
        {"src_port compares", "src_port > 5071", "0"},
        {"proto", "proto == UDP", "1"},
        {"af", "af == INET", "1"},
        {"uri matches a pattern", "uri =~ \"^SIP:bob\"", "1"},
        {"from_uri", "from_uri == \"sip:ALICE@example.org\"", "1"},
        {"a function in an expression is 1 or 0", "(code(5) == 1)", "1"},
        {"trap 3: f() == -1 is never true", "(code(-1) == -1)", "0"},
        {"alone on the right it is the raw code", "code(-7)", "-7"},
    };
    Probed probed;
    const std::string setup =
        "$var(one)=1; $var(two)=2; $var(minus)=-1; $var(s3)=\"3\"; $var(s05)=\"05\"; $var(s5)=\"5\";"
        "$var(text)=\"hello\"; $var(re)=\"^HE\"; $avp(set)=\"v\"; $var(smallest)=1<<63;";
    for (const Row& row : rows) {
        INFO(row.story << ": " << row.expression);
        const bool loaded = probed.body(setup + "$var(r) = \"untouched\"; $var(r) = " + row.expression + ";");
        INFO(probed.script.errors());
        CHECK(loaded);
        if (loaded) {
            probed.script.run();
            CHECK(probed.script.value("$var(r)") == row.expected);
        }
    }
}

TEST_CASE("a condition holds when it is greater than 0", "[script]") // trap 3, spec/script 12
{
    const struct {
        const char* story;
        const char* condition;
        bool holds;
    } rows[] = {
        {"1", "$var(one)", true},
        {"0", "$var(unset)", false},
        {"a negative number does not", "$var(minus)", false},
        {"nor does its negation", "!$var(minus)", false},
        {"operators use C truth", "$var(minus) && $var(one)", true},
        {"and ||", "$var(minus) || $var(unset)", true},
        {"trap 24", "$var(minus) && 1", false},
        {"a failing function", "code(-1)", false},
        {"and its negation", "!code(-1)", true},
        {"no parentheses needed", "$var(one) == 1", true},
        {"an assignment of 0 worked", "($var(y) = 0)", true},
        {"division by zero is false", "1 / $var(unset) == 0", false},
    };
    Probed probed;
    for (const auto& row : rows) {
        INFO(row.story);
        REQUIRE(probed.body(
            format("$var(one)=1; $var(minus)=-1; $var(r)=\"no\"; if ({}) $var(r)=\"yes\";", row.condition)));
        probed.script.run();
        CHECK(probed.script.value("$var(r)") == (row.holds ? "yes" : "no"));
    }
}

TEST_CASE("return_mode makes conditions C-like and keeps return codes", "[script]")
{
    Probed probed;
    REQUIRE(probed.script.load(
        "return_mode=1\nloadmodule \"probe.so\"\nrequest_route {\n"
        "$var(n)=-1; if ($var(n)) $var(a)=1; else $var(a)=2; if (code(-3) == -3) $var(b)=1; }"));
    probed.script.run();
    CHECK(probed.script.value("$var(a)") == "1");
    CHECK(probed.script.value("$var(b)") == "1");
}

TEST_CASE("division by zero skips the assignment and the script goes on", "[script]") // trap 22
{
    Probed probed;
    REQUIRE(
        probed.body("$var(x) = 7; $var(x) = 1 / $var(zero); $var(y) = 5 mod $var(zero); $var(after) = 1;"));
    CHECK(probed.script.run().code == 1);
    CHECK(probed.script.value("$var(x)") == "7");
    CHECK(probed.script.value("$var(after)") == "1");
    CHECK(probed.host.log_lines().count("division by 0") == 2);
}

TEST_CASE("a text that is no number warns and counts as 0", "[script]")
{
    Probed probed;
    REQUIRE(probed.body("$var(s) = \"abc\"; $var(n) = $var(s) * 2;"));
    probed.script.run();
    CHECK(probed.script.value("$var(n)") == "0");
    CHECK(probed.host.log_lines().has("automatic string to int conversion for \"abc\" failed"));
}

TEST_CASE("a bad pattern from a variable is logged and does not match", "[script]")
{
    Probed probed;
    REQUIRE(probed.body("$var(re) = \"a(\"; $var(r) = \"a\" =~ $var(re);"));
    probed.script.run();
    CHECK(probed.script.value("$var(r)") == "0");
    CHECK(probed.host.log_lines().has("bad regular expression"));
}

TEST_CASE("uri == myself asks the host, with the port", "[script]") // trap 29
{
    const struct {
        const char* story;
        const char* uri;
        const char* expected;
    } rows[] = {
        {"our name on the default port", "sip:bob@here.example", "1"},
        {"the same, spelt out", "sip:bob@HERE.example:5060", "1"},
        {"another port", "sip:bob@here.example:5070", "0"},
        {"another name", "sip:bob@there.example", "0"},
    };
    Probed probed;
    probed.host.add_myself("here.example", 5060);
    REQUIRE(probed.body("$var(r) = uri == myself; $var(not) = uri != myself; $var(other) = myself == uri;"));
    for (const auto& row : rows) {
        INFO(row.story);
        probed.script.run(test::sample_request("INVITE", row.uri));
        CHECK(probed.script.value("$var(r)") == row.expected);
        CHECK(probed.script.value("$var(not)") != row.expected);
        CHECK(probed.script.value("$var(other)") == row.expected);
    }
}
