// core/script/lexer_test.cpp - tokens: comments, numbers, strings, variables, defines (spec/script 1, 2)
#include "core/script/lexer.h"

#include "core/base/format.h"
#include "test/support/catch.h"

#include <cstdlib>
#include <map>

using namespace sipyard;
using namespace sipyard::script;

namespace {

struct Lexed {
    std::string tokens, errors, warnings;
    Preprocessor pre{expand_environment};

    explicit Lexed(std::string text, std::map<std::string, std::string> files = {})
    {
        Diagnostics diagnostics;
        Lexer lexer{pre, diagnostics, [&](const std::string& path) -> Result<std::string> {
                        const auto found = files.find(path);
                        if (found == files.end())
                            return Error{ErrorKind::not_found, "no such file"};
                        return found->second;
                    }};
        lexer.open("dir/t.cfg", std::move(text));
        for (Token token = lexer.next(); !token.is_end(); token = lexer.next()) {
            tokens += tokens.empty() ? "" : " ";
            if (token.kind == Token::Kind::number)
                tokens += std::to_string(token.number);
            else if (token.kind == Token::Kind::string)
                tokens += (token.quotes == ast::String::Quotes::single ? "'" : "\"") + token.text + "\"";
            else if (token.kind == Token::Kind::num_id)
                tokens += "?" + token.text;
            else
                tokens += token.text;
        }
        for (const Diagnostic& d : diagnostics.all())
            (d.severity == Severity::error ? errors : warnings) +=
                format("{}:{} {};", d.at.line, d.at.column, d.message);
    }
};

struct Row {
    const char* story;
    const char* text;
    const char* tokens;
};

void check(const Row& row)
{
    INFO(row.story);
    const Lexed lexed{row.text};
    CHECK(lexed.tokens == row.tokens);
    CHECK(lexed.errors == "");
}

} // namespace

TEST_CASE("numbers are decimal, hexadecimal, octal and binary", "[script][lexer]")
{
    const Row rows[] = {
        {"decimal", "0 5060 9223372036854775807", "0 5060 9223372036854775807"},
        {"hexadecimal", "0x1F 0XfF", "31 255"},
        {"a leading 0 is octal", "010 0777", "8 511"},
        {"zeros and ones before b are binary", "10b 0b 1b", "2 0 1"},
        {"digits that continue as letters are part of a host name", "12ab 08 2b 0xg", "?12ab ?08 ?2b ?0xg"},
        {"a sign is an operator", "-5 +5", "- 5 + 5"},
    };
    for (const Row& row : rows)
        check(row);
    CHECK(Lexed{"99999999999999999999"}.errors == "1:1 number 99999999999999999999 is too large;");
}

TEST_CASE("comments go, directives inside of them too", "[script][lexer]")
{
    const Row rows[] = {
        {"to the end of the line", "a # b\nc // d\ne", "a c e"},
        {"over lines", "a /* b\n c */ d", "a d"},
        {"nested", "a /* b /* c */ d */ e", "a e"},
        {"an unknown #!word is a comment", "a #!nosuch b\nc", "a c"},
        {"a commented directive does nothing", "##!define a b\na", "a"},
        {"the last line may have no end", "a # b", "a"},
        {"a backslash joins lines outside of strings", "a \\\nb", "a b"},
        {"the dialect line", "#!KAMAILIO\na", "a"},
        {"carriage returns are blanks", "a\r\nb\r\n", "a b"},
    };
    for (const Row& row : rows)
        check(row);
    // A file complete up to an open comment still loads (traps, 19).
    const Lexed open{"a /* b /* c */"};
    CHECK(open.tokens == "a");
    CHECK(open.errors == "");
    CHECK(open.warnings == "1:3 unexpected EOF: 1 comments open;");
    CHECK(Lexed{"#!SER\n"}.errors == "1:1 the SER dialect is not supported;");
}

TEST_CASE("double quotes know escapes and concatenate", "[script][lexer]")
{
    const Row rows[] = {
        {"controls", R"("a\n\r\t\a\\\"")", "\"a\n\r\t\a\\\"\""},
        {"hexadecimal with one or two digits", R"("\x41\x4g")", "\"A\x04g\""},
        {"octal with two or three digits", R"("\101\60")", "\"A0\""},
        {"one octal digit is a back-reference", R"("\1x\9")", "\"\\1x\\9\""},
        {"other escapes stay as they are", R"("\d\.\$")", "\"\\d\\.\\$\""},
        {"backslash and line end vanish", "\"a\\\nb\"", "\"ab\""},
        {"a raw line end stays", "\"a\nb\"", "\"a\nb\""},
        {"neighbours are one string", "\"a\" \"b\"\n  \"c\"", "\"abc\""},
        {"a comment between them keeps them apart", "\"a\" /* */ \"b\"", "\"a\" \"b\""},
        {"single quotes are raw", R"('a\n$x')", "'a\\n$x\""},
        {"single quotes do not join", "'a' 'b'", "'a\" 'b\""},
        {"nothing is interpolated", "\"a $rU\"", "\"a $rU\""},
    };
    for (const Row& row : rows)
        check(row);
    CHECK(Lexed{"x \"abc\n"}.errors == "1:3 unexpected EOF: unclosed string;");
    CHECK(Lexed{"x 'abc\n"}.errors == "1:3 unexpected EOF: unclosed string;");
}

TEST_CASE("variables are one token with balanced parentheses", "[script][lexer]")
{
    const Row rows[] = {
        {"a name", "$ru == $rU", "$ru == $rU"},
        {"with inner", "$var(x)+$hdr(X-Y)", "$var(x) + $hdr(X-Y)"},
        {"the return code", "$? $rc", "$? $rc"},
        {"wrapped", "$(hdr(X)[1]{s.len})", "$(hdr(X)[1]{s.len})"},
        {"nested", "$xavp(a[$var(i)]=>b)", "$xavp(a[$var(i)]=>b)"},
        {"a transformation without parentheses is a block", "$ru{s.len}", "$ru { s . len }"},
        {"an index too", "$x[1]", "$x [ 1 ]"},
        {"a name ends at a dot", "$from.user", "$from . user"},
        {"a select is $sel", "@via[1].host", "$sel(via[1].host)"},
    };
    for (const Row& row : rows)
        check(row);
    CHECK(Lexed{"$var(x"}.errors == "1:1 unexpected EOF: variable $var(x is not closed;");
    CHECK(Lexed{"$ x"}.errors == "1:1 a variable's name is missing after '$';");
}

TEST_CASE("operators, longest first", "[script][lexer]")
{
    check({"pairs", "||&&==!==~<=>=<<>>", "|| && == != =~ <= >= << >>"});
    check({"two nots are no directive", "!!$x", "! ! $x"});
    check({"casts are single tokens", "(int)$x (str)1 ( int )", "(int) $x (str) 1 ( int )"});
    CHECK(Lexed{"a ? b"}.errors == "1:3 syntax error: unexpected character '?';");
    CHECK(Lexed{std::string{"\x01"}}.errors == "1:1 syntax error: unexpected byte 0x01;");
}

TEST_CASE("defines are pushed back and read again", "[script][preprocessor]")
{
    const Row rows[] = {
        {"several tokens", "#!define E $var(i) + 1\nE", "$var(i) + 1"},
        {"in each other", "#!define A B 2\n#!define B 1\nA", "1 2"},
        {"without value it is nothing", "#!define A\nx A y", "x y"},
        {"never in strings", "#!define A b\n\"A\" 'A'", "\"A\" 'A\""},
        {"both prefixes", "!!define A b\nA", "b"},
        {"the short name", "#!def A b\nA", "b"},
        {"a value goes on after a backslash", "#!define A 1 \\\n + 2\nA", "1 + 2"},
        {"try keeps, redef replaces", "#!define A 1\n#!trydef A 2\nA\n#!redef A 3\nA", "1 3"},
        {"undef forgets", "#!define A 1\n#!undef A\n#!tryundef B\nA", "A"},
        {"keywords stay words", "#!define route x\nroute", "route"},
        {"the value's comment takes the rest of the line", "#!define A 1 # one\nA 2\n3", "1 3"},
        {"a variable made of two parts", "#!define V $var\nV(x)", "$var(x)"},
        {"an address keeps together", "#!define IP 10.0.0.1\nIP:5060", "10 . 0 . 0 . 1 : 5060"},
        {"a directive inside of a statement", "a\n#!define B c\nB", "a c"},
    };
    for (const Row& row : rows)
        check(row);
    CHECK(Lexed{"#!define A 1\n#!define A 2\n"}.errors == "2:10 already defined: A;");
    CHECK(Lexed{"#!define A-B 1\n"}.errors == "1:11 '-' not allowed;");
    CHECK(Lexed{"#!ifdef A-B\n#!endif\n"}.errors == "1:10 '-' not allowed;");
    CHECK(Lexed{"#!undef A\n"}.errors == "1:9 not defined: A;");
    CHECK(Lexed{"#!define A A\nA"}.errors == "2:1 define A expands without end;");
    CHECK(Lexed{"#!define A B B\n#!define B A A\nA"}.errors.find("expands without end") != std::string::npos);
    std::string many;
    for (int i = 0; i < 513; ++i)
        many += format("#!define D{}\n", i);
    CHECK(Lexed{many}.errors == "513:10 too many defines, at most 512 are allowed;");
}

TEST_CASE("conditions choose text without looking at the rest", "[script][preprocessor]")
{
    const Row rows[] = {
        {"true", "#!define A\n#!ifdef A\nx\n#!else\ny\n#!endif\nz", "x z"},
        {"false", "#!ifdef A\nx\n#!else\ny\n#!endif\nz", "y z"},
        {"negated", "#!ifndef A\nx\n#!endif\n", "x"},
        {"nested in a false part", "#!ifdef A\n#!ifdef B\nx\n#!else\ny\n#!endif\nz\n#!endif\nw", "w"},
        {"garbage in a false part", "#!ifdef A\n\"it's $(\n/*\n#!endif\nz", "z"},
        {"an expression", "#!define A 5\n#!ifexp A > 4 && B == 0\nx\n#!else\ny\n#!endif\n", "x"},
        {"our names", "#!ifdef SIPYARD\nx\n#!endif\n#!ifdef KAMAILIO_5_8\ny\n#!endif\n", "x y"},
        {"our version", "#!ifexp KAMAILIO_VERSION >= 5006000\nx\n#!endif\nOS_NAME", "x \"linux\""},
        {"a defined expression", "#!define A 4\n#!defexp B A * 2 + 1\n#!defexps C \"x\" + A\nB C",
         "9 \"x4\""},
        {"a define in a false part is not made", "#!ifdef A\n#!define B c\n#!endif\nB", "B"},
    };
    for (const Row& row : rows)
        check(row);
    CHECK(Lexed{"#!ifdef A\n#!ifdef B\n#!endif\n"}.errors ==
          "1:1 different number of preprocessor directives: 1 more #!if[n]def as #!endif;");
    // The line end after #!endif is needed even at the end of the file (traps, 19).
    CHECK(Lexed{"#!ifdef A\n#!endif"}.errors ==
          "1:1 different number of preprocessor directives: 1 more #!if[n]def as #!endif;");
    CHECK(Lexed{"x\n#!endif\n"}.warnings ==
          "2:1 invalid position for preprocessor directive 'endif' - at dir/t.cfg line 2;");
    CHECK(Lexed{"#!else\n"}.warnings ==
          "1:1 invalid position for preprocessor directive 'else' - at dir/t.cfg line 1;");
    CHECK(Lexed{"#!ifexp 1 +\n#!endif\n"}.errors == "1:9 bad #!ifexp: the expression ends too early;");
}

TEST_CASE("substitutions change strings, variables and include names", "[script][preprocessor]")
{
    ::setenv("SIPYARD_TEST_NAME", "berlin", 1);
    const Row rows[] = {
        {"later strings only", "\"AB\"\n#!subst \"/AB/x/g\"\n\"AB AB\" 'AB' AB", "\"AB\" \"x x\" 'x\" AB"},
        {"the first hit without g", "#!subst \"!A!x!\"\n\"AA\"", "\"xA\""},
        {"letters of either case with i", "#!subst \"!ab!x!i\"\n\"AB\"", "\"x\""},
        {"variables", "#!subst \"/NAME/x/\"\n$var(NAME)", "$var(x)"},
        {"in order", "#!subst \"/A/B/\"\n#!subst \"/B/C/\"\n\"A\"", "\"C\""},
        {"substdef defines as well", "#!substdef \"!DB!mysql!g\"\n\"DB\" DB", "\"mysql\" mysql"},
        {"substdefs defines a string", "#!substdefs \"!DB!mysql!g\"\n\"DB\" DB", "\"mysql\" \"mysql\""},
        {"earlier rules rewrite later ones", "#!substdef \"!AB!x!g\"\n#!substdef \"!ABC!y!g\"\nxC ABC",
         "y ABC"},
        {"the environment", "#!subst \"/HOST/$env(SIPYARD_TEST_NAME)/\"\n\"HOST\"", "\"berlin\""},
        {"defines from the environment",
         "#!defenv SIPYARD_TEST_NAME\n#!defenvs N=SIPYARD_TEST_NAME\nSIPYARD_TEST_NAME N",
         "berlin \"berlin\""},
        {"a missing variable may be tolerated", "#!trydefenv NOSUCH_VARIABLE_HERE\nx", "x"},
    };
    for (const Row& row : rows)
        check(row);
    CHECK(Lexed{"#!defenv NOSUCH_VARIABLE_HERE\n"}.errors ==
          "1:10 environment variable NOSUCH_VARIABLE_HERE is not set;");
    CHECK(Lexed{"#!subst \"/A\"\n"}.errors.starts_with("1:9 bad #!subst: "));
    CHECK(Lexed{"#!subst A\n"}.errors == "1:9 bad #!subst;");
}

TEST_CASE("files are included beside the one that asks", "[script][preprocessor]")
{
    const std::map<std::string, std::string> files{
        {"dir/a.cfg", "a1\ninclude_file \"b.cfg\"\na2"},
        {"dir/b.cfg", "b"},
        {"plain.cfg", "p"},
        {"dir/self.cfg", "include_file \"self.cfg\"\n"},
        {"dir/half.cfg", "#!ifdef NO\nx"},
    };
    CHECK(Lexed{"x include_file \"a.cfg\" y", files}.tokens == "x a1 b a2 y");
    CHECK(Lexed{"#!include_file \"plain.cfg\"\nx", files}.tokens == "p x");
    CHECK(Lexed{"import_file \"nosuch.cfg\" x", files}.tokens == "x");
    CHECK(Lexed{"import_file \"nosuch.cfg\" x", files}.errors == "");
    CHECK(Lexed{"include_file \"nosuch.cfg\"", files}.errors == "1:14 include file not found: nosuch.cfg;");
    CHECK(Lexed{"include_file 'a.cfg'", files}.errors.starts_with(
        "1:14 include_file: the file name is missing;"));
    CHECK(Lexed{"include_file \"" + std::string(128, 'x') + "\"", files}.errors ==
          "1:14 include_file: the file name is empty or too long;");
    CHECK(Lexed{"include_file \"self.cfg\"", files}.errors.find("too many includes in each other") !=
          std::string::npos);
    CHECK(Lexed{"#!subst \"/WHICH/b/\"\ninclude_file \"WHICH.cfg\"", files}.tokens == "b");
    CHECK(Lexed{"include_file \"half.cfg\"\ny\n#!endif\nz", files}.tokens == "z");
}
