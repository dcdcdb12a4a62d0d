// core/script/parser_traps_test.cpp - the traps of the language that the parser meets, one test each
// (spec/script 23)
#include "core/script/parser_fakes.h"

#include "test/support/catch.h"

using namespace sipyard;
using namespace sipyard::script;
using fakes::Parsed;
using fakes::print;

namespace {

std::string body(const std::string& text)
{
    const Parsed parsed{"loadmodule \"xlog\" loadmodule \"textops\" loadmodule \"tm\"\nroute { " + text +
                        " }"};
    return parsed.config ? print(parsed.config->routes[0].body) : "error " + parsed.first_error();
}

} // namespace

TEST_CASE("trap 1: =~, == and keyword tests are different nodes, a switch keeps regex and text apart",
          "[script][traps]")
{
    CHECK(body("if ($rm =~ \"invite\") exit;") == "if (=~ $rm \"invite\") { exit; };");
    CHECK(body("if (method == \"invite\") exit;") == "if <method == \"invite\"> { exit; };");
    CHECK(body("switch ($rm) { case /\"inv\": exit; case \"inv\": drop; }") ==
          "switch $rm { /\"inv\": exit; \"inv\": drop; };");
}

TEST_CASE("trap 2: no !~, += or . operators", "[script][traps]")
{
    CHECK(body("if ($x !~ \"re\") exit;") == "error 2:16: syntax error: '!~' is no operator");
    CHECK(body("$var(x) += 1;") == "error 2:17: syntax error: '+=' is no operator");
    CHECK(body("$var(x) = \"a\" . \"b\";") == "error 2:23: syntax error: unexpected '.'");
    CHECK(body("if (!($x =~ \"re\")) exit;") == "if (! (=~ $x \"re\")) { exit; };");
}

TEST_CASE("trap 3: a comparison of a function's code is kept as written", "[script][traps]")
{
    CHECK(body("if (is_method(\"A\") == -1) exit;") == "if (== is_method(\"A\") -1) { exit; };");
    CHECK(body("if (!(-1)) exit;") == "if 0 { exit; };");
}

TEST_CASE("trap 4: return without a value has none in the tree, return 0 is kept", "[script][traps]")
{
    CHECK(body("return; return 0;") == "return; return 0;");
    CHECK(body("if ($x) return 0; else return;") == "if $x { return 0; } else { return; };");
}

TEST_CASE("trap 8: only == $null on the right asks for a value", "[script][traps]")
{
    CHECK(body("if ($avp(x) == $null) exit;") == "if (! (defined $avp(x))) { exit; };");
    CHECK(body("if ($avp(x) == \"\") exit;") == "if (== $avp(x) \"\") { exit; };");
    CHECK(body("if ($null == $avp(x)) exit;") == "if (== $null $avp(x)) { exit; };");
    CHECK(body("$avp(x) = $null;") == "$avp(x) = $null;");
}

TEST_CASE("trap 9: strings are not interpolated by the language", "[script][traps]")
{
    CHECK(body("$var(x) = \"a $rU\";") == "$var(x) = \"a $rU\";");
    CHECK(body("route(\"R$var(x)\");") == "route[R$var(x)];");
    CHECK(body("route(\"R\" + $var(x));") == "route((+ \"R\" $var(x)));");
}

TEST_CASE("trap 10: in code $rU. is $rU and a dot, $(rU) is whole", "[script][traps]")
{
    CHECK(body("$var(x) = $rU.;") == "error 2:22: syntax error: unexpected '.'");
    CHECK(body("$var(x) = $(rU) + \".\";") == "$var(x) = (+ $(rU) \".\");");
}

TEST_CASE("trap 11: octal, binary and the odd precedence", "[script][traps]")
{
    CHECK(body("$var(x) = 010;") == "$var(x) = 8;");
    CHECK(body("$var(x) = 10b;") == "$var(x) = 2;");
    CHECK(body("$var(x) = 1<<2==4;") == "$var(x) = 1;");
    CHECK(body("$var(x) = 6&3==3;") == "$var(x) = 0;");
    CHECK(body("$var(x) = 5^1&1;") == "$var(x) = 0;");
}

TEST_CASE("trap 12: the left operand of + decides", "[script][traps]")
{
    CHECK(body("$var(x) = \"a\"+1;") == "$var(x) = \"a1\";");
    CHECK(body("$var(x) = 1+\"a\";") ==
          "error 2:21: bad expression: type mismatch: str instead of int at (2,21)");
    CHECK(body("$var(x) = $var(i)+$var(s);") == "$var(x) = (+ $var(i) $var(s));");
}

TEST_CASE("trap 16: empty and bare blocks, the place of a missing ;", "[script][traps]")
{
    CHECK(body("if ($x) {}") == "error 2:18: syntax error: unexpected '}': an empty block");
    CHECK(body("{ exit; }").starts_with("error 2:9: syntax error: unexpected '{'"));
    CHECK(body("exit\n\ndrop;") == "error 4:1: syntax error: unexpected 'drop'");
    CHECK(body("if ($x) { ; };") == "if $x { ; }; ;");
}

TEST_CASE("trap 17: the type of a modparam is exact, its module pattern anchored", "[script][traps]")
{
    const auto error = [](const std::string& text) {
        return Parsed{"loadmodule \"xlog\"\n" + text}.first_error();
    };
    CHECK(error("modparam(\"xlog\", \"buf_size\", \"4096\")") ==
          "2:30: parameter <buf_size> of type <string> not found in module <xlog>");
    CHECK(error("modparam(\"log\", \"buf_size\", 1)") == "2:10: No module matching <log> found");
    CHECK(error("modparam(\"XLOG\", \"buf_size\", yes)") == "");
}

TEST_CASE("trap 19: nested comments, line ends of directives, comments in values", "[script][traps]")
{
    CHECK(Parsed{"/* /* */ debug=nonsense */ debug=1"}.first_error() == "");
    CHECK(Parsed{"#!ifdef X\n#!endif"}.first_error() ==
          "1:1: different number of preprocessor directives: 1 more #!if[n]def as #!endif");
    CHECK(Parsed{"#!define V 3 # three\ndebug=V\nport=5061"}.config->settings.debug == 3);
    CHECK(Parsed{"#!define V 3 # three\n"}.config->defines.at("V") == "3 # three");
}

TEST_CASE("trap 24: X && 1 is X, e || 0 is e", "[script][traps]")
{
    CHECK(body("if ($x && 1) exit;") == "if $x { exit; };");
    CHECK(body("if ($x || 0) exit;") == "if $x { exit; };");
    CHECK(body("if ($x && yes && $y || no) exit;") == "if (&& $x $y) { exit; };");
}

TEST_CASE("trap 26: static and dynamic routes are told apart", "[script][traps]")
{
    CHECK(body("route(X); route(\"X\"); route(5); route($var(x));") ==
          "route[X]; route[X]; route[5]; route($var(x));");
}

TEST_CASE("trap 27: a second define is fatal unless guarded", "[script][traps]")
{
    LoadOptions options;
    options.defines = {{"PORT", "5070"}};
    CHECK(Parsed{"#!define PORT 5060\n", options}.first_error() == "1:10: already defined: PORT");
    const Parsed guarded{"#!ifndef PORT\n#!define PORT 5060\n#!endif\n#!trydef PORT 1\nport=PORT", options};
    REQUIRE(guarded.config);
    CHECK(guarded.config->settings.port == 5070);
}

TEST_CASE("trap 30: the enclosing block's text decides about a call", "[script][traps]")
{
    const std::string tm = "loadmodule \"tm\"\n";
    CHECK(Parsed{tm + "route[X] { t_relay(); }\nbranch_route[B] { route(X); }"}.first_error() == "");
    CHECK(Parsed{tm + "branch_route[B] { t_relay(); }"}.first_error() ==
          "2:19: misused command t_relay: Command cannot be used in the block");
}

TEST_CASE("trap 31: return f() keeps the call whole", "[script][traps]")
{
    CHECK(body("return is_method(\"A\");") == "return is_method(\"A\");");
    CHECK(body("$var(r) = is_method(\"A\"); return $var(r);") ==
          "$var(r) = is_method(\"A\"); return $var(r);");
}
