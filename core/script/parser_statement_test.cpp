// core/script/parser_statement_test.cpp - statements, blocks, routes (spec/script 9, 10)
#include "core/script/parser_fakes.h"

#include "test/support/catch.h"

using namespace sipyard;
using namespace sipyard::script;
using fakes::Parsed;
using fakes::print;

namespace {

const char* const modules = "loadmodule \"xlog\" loadmodule \"textops\" loadmodule \"tm\"\n";

std::string body(const std::string& text)
{
    const Parsed parsed{modules + ("route {\n" + text + "\n}\n")};
    return parsed.config ? print(parsed.config->routes.front().body) : "error " + parsed.first_error();
}

} // namespace

TEST_CASE("statements", "[script][statement]")
{
    const struct {
        const char* story;
        const char* text;
        const char* tree;
    } rows[] = {
        {"assignment", "$var(x) = 1;", "$var(x) = 1;"},
        {"nothing", ";", ";"},
        {"call", "xlog(\"L_INFO\", \"x\");", "xlog(\"L_INFO\", \"x\");"},
        {"bare core calls", "force_rport; add_local_rport(); revert_uri;",
         "force_rport(); add_local_rport(); revert_uri();"},
        {"leaving", "return; return -1; return(2); return(); drop; drop(); exit; exit(); break;",
         "return; return -1; return 2; return; drop; drop; exit; exit; break;"},
        {"if without parentheses", "if $rU == \"x\" exit;", "if (== $rU \"x\") { exit; }"},
        {"if with a block", "if ($a) { exit; };", "if $a { exit; }; ;"},
        {"else if", "if ($a) exit; else if ($b) drop; else return;",
         "if $a { exit; } else { if $b { drop; } else { return; }; };"},
        {"else binds to the nearest", "if ($a) if ($b) exit; else drop;",
         "if $a { if $b { exit; } else { drop; }; };"},
        {"while", "while ($a < 5) $a = $a + 1;", "while (< $a 5) { $a = (+ $a 1); };"},
        {"routes", "route(A); route(\"B c\"); route(1); route(\"A\" + $b); route($b);",
         "route[A]; route[B c]; route[1]; route((+ \"A\" $b)); route($b);"},
        {"a constant name is computed", "route(\"A\" + \"B\");", "route[AB];"},
        {"a text with a variable is constant (traps, 9)", "route(\"R$var(x)\");", "route[R$var(x)];"},
        {"switch", "switch ($a) { case 1: case 1+1: exit; default: drop; }",
         "switch $a { 1:  2: exit; default: drop; };"},
        {"switch on texts", "switch ($a) { case \"x\": break; case /\"^y\": exit; }",
         "switch $a { \"x\": break; /\"^y\": exit; };"},
        {"default anywhere", "switch ($a) { default: drop; case 5: exit; }",
         "switch $a { default: drop; 5: exit; };"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        std::string expected = row.tree;
        CHECK(body(row.text) ==
              (row.story == std::string{"if without parentheses"} ? expected + ";" : expected));
    }
}

TEST_CASE("mistakes in statements", "[script][statement]")
{
    const struct {
        const char* story;
        const char* text;
        const char* error;
    } rows[] = {
        {"an empty block (traps, 16)", "if ($a) {}", "3:10: syntax error: unexpected '}': an empty block"},
        {"a bare block (traps, 16)", "{ exit; }",
         "3:1: syntax error: unexpected '{': a block stands after if, else and while only"},
        {"a block as case body", "switch ($a) { case 1: { exit; } }",
         "3:23: syntax error: unexpected '{': a block stands after if, else and while only"},
        {"a missing ; is seen at the next token (traps, 16)", "$var(x) = 1\n$var(y) = 2;",
         "4:1: syntax error: unexpected '$var(y)'"},
        {"a missing ; at the end", "exit", "4:1: syntax error: unexpected '}'"},
        {"mixed labels", "switch ($a) { case 1: exit; case \"x\": exit; }",
         "3:34: wrong type of case label: int and string labels cannot be mixed"},
        {"a label that varies", "switch ($a) { case $b: exit; }", "3:20: bad case label: not a constant"},
        {"a number as pattern", "switch ($a) { case /1: exit; }",
         "3:21: bad case label: a regular expression is a string"},
        {"two defaults", "switch ($a) { default: exit; default: drop; }",
         "3:30: duplicate default: only one is allowed in a switch"},
        {"case without switch", "case 1: exit;", "3:1: syntax error: unexpected 'case' outside of a switch"},
        {"else without if", "else exit;", "3:1: syntax error: unexpected 'else'"},
        {"a value as statement", "strlen($a);",
         "3:1: syntax error: unexpected 'strlen': it gives a value and is no statement"},
        {"a text returned", "return \"x\";",
         "3:8: bad expression: type mismatch: str instead of int at (3,8)"},
        {"an unknown word", "forse_rport;", "3:1: unknown command forse_rport, missing loadmodule?"},
        {"a module function without ()", "t_newtran;", "3:10: syntax error: unexpected ';'"},
        {"an assignment to a select", "@via[1].host = \"x\";",
         "3:1: read only pvar in assignment left side: $sel(via[1].host)"},
        {"a reserved route name", "route(port);", "3:7: syntax error: 'port' is a reserved word"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        CHECK(body(row.text) == "error " + std::string{row.error});
    }
    CHECK(Parsed{"route { }"}.first_error() == "1:9: syntax error: unexpected '}': an empty block");
    CHECK(Parsed{"route { ; }"}.config);
}

TEST_CASE("every mistake is told, not only the first", "[script][statement]")
{
    const Parsed parsed{
        "debug=x\nnosuch=1\nroute {\n  $var(a) = ;\n  if ($x) { nosuch(); drop }\n  exit;\n}\n"
        "route[port] { ; }\nroute[A] { exit; }\nroute[A] { exit; }\n"};
    std::string places;
    for (const Diagnostic& d : parsed.diagnostics.all())
        places += format("{}:{} ", d.at.line, d.at.column);
    CHECK(places == "1:7 2:1 4:13 5:13 5:28 8:7 10:1 ");
    CHECK(parsed.diagnostics.report().ends_with("ERROR: bad config file (7 errors)\n"));
}

TEST_CASE("the else of a statement given up is no mistake of its own", "[script][statement]")
{
    CHECK(Parsed{"route {\nif (nosuch()) { exit; } else { drop; }\nif (nosuch()) exit; else drop;\n}"}
              .diagnostics.errors() == 2);
}

TEST_CASE("a forgotten brace does not swallow the next route", "[script][statement]")
{
    const Parsed parsed{"route {\n  if ($x) {\n    exit;\n}\nroute[A] {\n  nosuch();\n}\n"};
    CHECK(parsed.first_error() == "5:1: syntax error: unexpected 'route'");
    CHECK(parsed.diagnostics.errors() == 2);
}

TEST_CASE("routes of every kind", "[script][route]")
{
    const Parsed parsed{
        "request_route { exit; }\nroute { drop; }\nroute[A] { ; }\nroute[1] { ; }\nroute[\"b c\"] { ; }\n"
        "reply_route { ; }\nonreply_route[R] { ; }\nonreply_route { drop; }\nbranch_route[B] { ; }\n"
        "failure_route[F] { ; }\nonsend_route { ; }\nevent_route[xhttp:request] { ; }\n"
        "event_route[tm:branch-failure:x_1] { ; }\n"};
    REQUIRE(parsed.config);
    std::string all;
    for (const ast::RouteBlock& block : parsed.config->routes)
        all += format("{}[{}] ", static_cast<int>(block.kind), block.name);
    CHECK(all ==
          "1[0] 1[A] 1[1] 1[b c] 16[0] 8[R] 4[B] 2[F] 32[0] 64[xhttp:request] 64[tm:branch-failure:x_1] ");
    CHECK(print(parsed.config->route(Route::request, "0")->body) == "exit; drop;");
    CHECK(print(parsed.config->route(Route::core_reply, "0")->body) == "; drop;");

    const struct {
        const char* text;
        const char* error;
    } rows[] = {
        {"route[A] { ; }\nroute[A] { ; }", "2:1: route[A] is already defined at t.cfg:1"},
        {"failure_route[A] { ; } failure_route[A] { ; }",
         "1:24: failure_route[A] is already defined at t.cfg:1"},
        {"event_route[request] { ; }", "1:13: syntax error: 'request' is no event name"},
        {"event_route { ; }", "1:13: syntax error: unexpected '{'"},
        {"route[method] { ; }", "1:7: syntax error: 'method' is a reserved word"},
        {"request_route[A] { ; }", "1:14: syntax error: unexpected '['"},
        {"route[A { ; }", "1:9: syntax error: unexpected '{'"},
    };
    for (const auto& row : rows) {
        INFO(row.text);
        CHECK(Parsed{row.text}.first_error() == row.error);
    }
}

TEST_CASE("conditions are warned about", "[script][statement]")
{
    CHECK(Parsed{"route { if (\"x\" + $a) exit; }"}.warnings() ==
          "non-int expression (you might want to use casts)");
    CHECK(Parsed{"route { if (1) exit; while (0) exit; }"}.warnings() ==
          "constant value in if(...); constant value in while(...)");
}
