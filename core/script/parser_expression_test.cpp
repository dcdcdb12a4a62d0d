// core/script/parser_expression_test.cpp - precedence, types, folding and tests with keywords (spec/script
// 11)
#include "core/script/parser_fakes.h"

#include "test/support/catch.h"

#include <cstdlib>

using namespace sipyard;
using namespace sipyard::script;
using fakes::Parsed;
using fakes::print;

namespace {

const char* const modules = "loadmodule \"xlog\" loadmodule \"textops\" loadmodule \"tm\"\n";

// The expression on the right of `$var(r) =` in a request route.
std::string tree(const std::string& expression, const std::string& block = "route")
{
    const Parsed parsed{modules + block + " {\n$var(r) =\n" + expression + "\n;}\n"};
    if (!parsed.config)
        return "error " + parsed.first_error();
    const auto& body = parsed.config->routes.front().body;
    return print(*std::get<ast::Assign>(body.front().node).value);
}

} // namespace

TEST_CASE("operators bind as the language says", "[script][expression]")
{
    const struct {
        const char* story;
        const char* text;
        const char* tree;
    } rows[] = {
        {"or below and", "$a || $b && $c", "(|| $a (&& $b $c))"},
        {"words for signs", "$a or not $b and $c", "(|| $a (&& (! $b) $c))"},
        {"& binds tighter than |", "$a | $b & $c", "(| $a (& $b $c))"},
        {"^ binds tighter than & (traps, 11)", "$a ^ $b & $c", "(& (^ $a $b) $c)"},
        {"== below shifts (traps, 11)", "$a << $b == $c", "(<< $a (== $b $c))"},
        {">> above <<", "$a << $b >> $c", "(<< $a (>> $b $c))"},
        {"& is weaker than == (traps, 11)", "$a & $b == $c", "(& $a (== $b $c))"},
        {"order above equality", "$a == $b < $c", "(== $a (< $b $c))"},
        {"sums above order", "$a < $b + $c", "(< $a (+ $b $c))"},
        {"products above sums", "$a + $b * $c mod $d", "(+ $a (mod (* $b $c) $d))"},
        {"left to right", "$a - $b - $c", "(- (- $a $b) $c)"},
        {"parentheses", "($a || $b) && $c", "(&& (|| $a $b) $c)"},
        {"signs above products", "-$a * ~$b", "(* (- $a) (~ $b))"},
        {"defined above comparison", "defined $a == 1", "(== (defined $a) 1)"},
        {"not of defined", "!defined $a", "(! (defined $a))"},
        {"casts are tightest", "(str)$a + -(int)$b", "(+ ((str) $a) (- ((int) $b)))"},
        {"word comparisons", "$a eq \"x\" && $b ieq 1", "(&& (eq $a \"x\") (ieq $b 1))"},
        {"ne and ine", "$a ne \"x\" || $b ine 1", "(|| (ne $a \"x\") (ine $b 1))"},
        {"strlen and strempty", "strlen($a) + strempty($b)", "(+ (strlen $a) (strempty $b))"},
        {"selval", "selval($a, $b, \"\")", "(selval $a $b \"\")"},
        {"a match", "$a =~ '^a\\.b'", "(=~ $a '^a\\.b')"},
        {"a function as operand", "is_method(\"INVITE\") && $a", "(&& is_method(\"INVITE\") $a)"},
        {"a route as operand", "route(X) || $a", "(|| route[X] $a)"},
        {"a core function as operand", "isflagset(5) && $a", "(&& isflagset(5) $a)"},
        {"an assignment as operand", "($var(y) = 0)", "($var(y) = 0)"},
        {"a block as operand", "{ xlog(\"x\"); $var(i) = 1; }", "{ xlog(\"x\"); $var(i) = 1; }"},
        {"booleans and address families are numbers", "$a == yes || $b == INET6",
         "(|| (== $a 1) (== $b 10))"},
        {"a select", "@via[1].host == \"x\"", "(== $sel(via[1].host) \"x\")"},
        {"two nots", "!!$a", "(! (! $a))"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        CHECK(tree(row.text) == row.tree);
    }
}

TEST_CASE("constants are computed while parsing", "[script][expression]")
{
    const struct {
        const char* story;
        const char* text;
        const char* tree;
    } rows[] = {
        {"octal and binary (traps, 11)", "010 + 10b", "10"},
        {"1<<2==4 is 1<<(2==4) (traps, 11)", "1<<2==4", "1"},
        {"6&3==3 is 6&(3==3) (traps, 11)", "6&3==3", "0"},
        {"5^1&1 is (5^1)&1 (traps, 11)", "5^1&1", "0"},
        {"mod keeps the dividend's sign", "-7 mod 3", "-1"},
        {"division truncates", "-7 / 2", "-3"},
        {"texts and numbers, left to right", "\"a\"+1+2", "\"a12\""},
        {"division by zero is left to run time", "5 / 0", "(/ 5 0)"},
        {"so is modulo", "5 mod 0", "(mod 5 0)"},
        {"the smallest number is not divided by -1 in vain", "(-9223372036854775807 - 1) / -1",
         "-9223372036854775808"},
        {"a text equals a number as text", "\"05\" == 5", "0"},
        {"x && 1 is x (traps, 24)", "$x && 1", "$x"},
        {"x && a true constant expression", "$x && 2 > 1", "$x"},
        {"x || 0 is x", "$x || 0", "$x"},
        {"x && 0 stays", "$x && 0", "(&& $x 0)"},
        {"1 && x stays", "1 && $x", "(&& 1 $x)"},
        {"== $null on the right asks defined (traps, 8)", "$avp(x) == $null", "(! (defined $avp(x)))"},
        {"!= $null too", "$avp(x) != $null", "(defined $avp(x))"},
        {"$null on the left is a value", "$null == $avp(x)", "(== $null $avp(x))"},
        {"strlen of a constant", "strlen(\"abc\")", "3"},
        {"a sign and its number", "-5", "-5"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        CHECK(tree(row.text) == row.tree);
    }
}

TEST_CASE("a text where an integer is wanted is refused", "[script][expression]")
{
    const struct {
        const char* story;
        const char* text;
        const char* at;
    } rows[] = {
        {"1 + text (traps, 12)", "1 + \"x\"", "4,5"},
        {"text - 1", "\"x\" - 1", "4,1"},
        {"ieq with a text", "$v ieq \"010\"", "4,8"},
        {"an integer compared with a text", "5 == \"x\"", "4,6"},
        {"an integer operator's result too", "strlen($a) == \"x\"", "4,15"},
        {"texts have no order", "$v < \"b\"", "4,6"},
        {"nor truth", "\"a\" && $v", "4,1"},
        {"nor a sign", "!\"a\"", "4,2"},
        {"a cast text", "(str)$a * 2", "4,1"},
        {"a sum that begins with a text", "(\"a\" + $b) - 1", "4,6"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const std::string at = row.at;
        const std::string place = at.substr(0, at.find(',')) + ":" + at.substr(at.find(',') + 1);
        CHECK(tree(row.text) ==
              "error " + place + ": bad expression: type mismatch: str instead of int at (" + at + ")");
    }
    // The left operand decides: these are fine.
    CHECK(tree("\"x\" + 1") == "\"x1\"");
    CHECK(tree("\"x\" == 5") == "0");
    CHECK(tree("$v + \"x\"") == "(+ $v \"x\")");
    CHECK(tree("$v == \"x\"") == "(== $v \"x\")");
    CHECK(tree("\"a\" + $v") == "(+ \"a\" $v)");
}

TEST_CASE("both sides of a wrong operator are told", "[script][expression]")
{
    const Parsed parsed{"route { $var(x) = \"a\" * \"b\"; }"};
    CHECK(parsed.diagnostics.errors() == 2);
}

TEST_CASE("there is no operator of that kind", "[script][expression]")
{
    const struct {
        const char* text;
        const char* error;
    } rows[] = {
        // traps, 2
        {"$x !~ \"re\"", "4:4: syntax error: '!~' is no operator"},
        {"$a . $b", "4:4: syntax error: unexpected '.'"},
        {"$from.user", "4:6: syntax error: unexpected '.'"},
        {"$ru{s.len}", "4:4: syntax error: unexpected '{'"},
        {"$a ++", "4:5: syntax error: unexpected '+'"},
        {"$a ? 1 : 2", "4:4: syntax error: unexpected character '?'"},
        {"INVITE", "4:1: syntax error: unexpected 'INVITE'"},
        {"= 1", "4:1: syntax error: unexpected '='"},
        {"()", "4:2: syntax error: unexpected ')'"},
        {"($a", "5:1: syntax error: unexpected ';'"},
        {"strlen $a", "4:8: syntax error: unexpected '$a'"},
        {"selval($a, $b)", "4:14: syntax error: unexpected ')'"},
    };
    for (const auto& row : rows) {
        INFO(row.text);
        CHECK(tree(row.text) == "error " + std::string{row.error});
    }
    CHECK(Parsed{"route { $var(x) += 1; }"}.first_error() == "1:17: syntax error: '+=' is no operator");
}

TEST_CASE("keywords stand on the left of a test", "[script][expression]")
{
    const struct {
        const char* story;
        const char* text;
        const char* tree;
    } rows[] = {
        {"a method", "method == \"INVITE\"", "<method == \"INVITE\">"},
        {"a bare method", "method == INVITE && $a", "(&& <method == `INVITE`> $a)"},
        {"a pattern", "method =~ \"INV|ACK\"", "<method =~ \"INV|ACK\">"},
        {"myself", "uri == myself", "<uri == myself>"},
        {"myself on the left", "myself != from_uri", "<from_uri != myself>"},
        {"a status", "status =~ \"2..\"", "<status =~ \"2..\">"},
        {"a value", "to_uri eq $var(x) + \"y\"", "<to_uri eq (+ $var(x) \"y\")>"},
        {"an address", "src_ip == 10.0.0.1", "<src_ip == 10.0.0.1/32>"},
        {"a network", "src_ip == 10.0.0.0/8 || $a", "(|| <src_ip == 10.0.0.0/8> $a)"},
        {"a mask", "dst_ip != 192.168.0.0/255.255.0.0", "<dst_ip != 192.168.0.0/16>"},
        {"IPv6", "src_ip == [2001:db8::1]", "<src_ip == 2001:db8::1/128>"},
        {"an IPv6 network", "(src_ip == 2001:db8::/32)", "<src_ip == 2001:db8::/32>"},
        {"a host", "src_ip == gw.example.com", "<src_ip == `gw.example.com`>"},
        {"a quoted host", "src_ip == \"gw.example.com\"", "<src_ip == \"gw.example.com\">"},
        {"a variable", "src_ip == $var(ip)", "<src_ip == $var(ip)>"},
        {"a port", "src_port == 5060 && dst_port < 1024", "(&& <src_port == 5060> <dst_port < 1024>)"},
        {"the length", "msg:len >= 2048", "<msg:len >= 2048>"},
        {"the family", "af == INET6", "<af == 10>"},
        {"the protocol", "proto == UDP or proto != tls", "(|| <proto == 1> <proto != 3>)"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        CHECK(tree(row.text) == row.tree);
    }
    CHECK(tree("snd_ip == 10.0.0.1 && snd_proto == TCP", "onsend_route") ==
          "(&& <snd_ip == 10.0.0.1/32> <snd_proto == 2>)");
    const struct {
        const char* text;
        const char* error;
    } wrong[] = {
        {"snd_ip == 10.0.0.1", "4:1: snd_ip allowed only in onsend_routes"},
        {"src_ip == 10.0.0.0/33", "4:11: bad network mask '33'"},
        {"src_ip == 10.0.0.0/255.0.255.0", "4:11: bad network mask '255.0.255.0'"},
        {"src_ip == 10.0.0", "4:11: bad address '10.0.0'"},
        {"src_port =~ \"5\"", "4:10: syntax error: unexpected '=~'"},
        {"src_port == \"5060\"", "4:13: bad expression: type mismatch: str instead of int at (4,13)"},
        {"proto == http", "4:10: syntax error: unexpected 'http'"},
        {"method == myself", "4:11: syntax error: unexpected 'myself'"},
        {"method", "5:1: syntax error: unexpected ';'"},
        {"uri == 5", "4:8: string value expected, found the number 5"},
    };
    for (const auto& row : wrong) {
        INFO(row.text);
        CHECK(tree(row.text) == "error " + std::string{row.error});
    }
}

TEST_CASE("depth is limited, length is not", "[script][expression]")
{
    std::string open(1000, '('), signs(1000, '!'), sum = "$a";
    for (int i = 0; i < 1000; ++i)
        sum += " + $a";
    CHECK(tree(open + "1").find("nested too deep") != std::string::npos);
    CHECK(tree(signs + "1").find("nested too deep") != std::string::npos);
    CHECK(tree(sum).find("too complex") != std::string::npos);
    std::string blocks, values;
    for (int i = 0; i < 1000; ++i)
        blocks += "if ($a) {\n";
    CHECK(Parsed{"route {" + blocks}.first_error().find("nested too deep") != std::string::npos);
    for (int i = 0; i < 20; ++i)
        values += "$var(x) = {";
    CHECK(Parsed{"route {" + values}.first_error().find("nested too deep") != std::string::npos);
    std::string chain = "if ($a) exit;";
    for (int i = 0; i < 90; ++i)
        chain += " else if ($a) exit;";
    CHECK(Parsed{"route {" + chain + "}"}.first_error() == "");
}
