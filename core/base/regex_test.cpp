// core/base/regex_test.cpp - patterns in both syntaxes, limits, substitutions
#include "core/base/regex.h"

#include "test/support/catch.h"

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

using namespace sipyard;
using namespace std::string_literals;
using Case = Regex::Case;
using Syntax = Regex::Syntax;

TEST_CASE("POSIX extended patterns mean what regcomp takes them for", "[base][regex]")
{
    const struct {
        const char* story;
        std::string_view pattern, subject;
        bool expected;
    } rows[] = {
        {"anywhere in the text", "bob", "sip:bob@x", true},
        {"anchored", "^sip:[0-9]+@", "sip:12@x", true},
        {"an empty pattern matches", "", "x", true},
        {"an empty alternative", "a(b|)c", "ac", true},
        {"a dot takes a line end", "a.b", "a\nb", true},
        {"the end is the very end", "a$", "a\n", false},
        {"a backslash in brackets is plain", "^[\\d]+$", "d\\d", true},
        {"so a digit is not in it", "^[\\d]$", "1", false},
        {"and it cannot protect a bracket", "^[\\]]$", "\\]", true},
        {"\\d is the letter", "^\\d$", "d", true},
        {"\\d is no digit", "^\\d$", "1", false},
        {"a bracket first in brackets", "^[]a]+$", "]a]", true},
        {"negated with a bracket first", "^[^]a]$", "b", true},
        {"a minus last", "^[a-]+$", "a-a", true},
        {"a range from minus", "^[--/]+$", "./-", true},
        {"a class", "^[[:digit:][:upper:]_]+$", "A1_", true},
        {"a class is exact", "^[[:alpha:]]$", "\xe4", false},
        {"blank is no line end", "^[[:blank:]]$", "\n", false},
        {"a collating symbol", "^[[.-.]a]+$", "-a", true},
        {"an equivalence class", "^[[=a=]]$", "a", true},
        {"bounds", "^a{2,3}$", "aaa", true},
        {"a bound from nothing", "^a{,2}$", "aaa", false},
        {"an open bound", "^a{2,}$", "aaaa", true},
        {"a brace that is no bound", "^a{x}$", "a{x}", true},
        {"an escaped brace", "^\\{a\\}$", "{a}", true},
        {"a closing brace", "^a}$", "a}", true},
        {"two repetitions", "^a**$", "aaa", true},
        {"a repetition is not possessive", "^a*+a$", "aaa", true},
        {"a bound on a bound", "^(a{2}){2}$", "aaaa", true},
        {"a bound behind a bound", "^a{2}{2}$", "aaaa", true},
        {"a closing parenthesis alone", "^a)$", "a)", true},
        {"a back-reference", "^(a|b)\\1$", "bb", true},
        {"a back-reference and a digit", "^(a)\\10$", "aa0", true},
        {"the start of a word", "\\<bob", "sip:bob", true},
        {"the end of a word", "bob\\>", "bobby", false},
        {"a hash and blanks are plain", "a #b", "a #b", true},
        {"a verb of Perl is no verb", "\\(*UTF)", "((UTF)", true},
        {"\\Q is a letter", "^\\Q$", "Q", true},
        {"bytes, not characters", "^..$", "\xc3\xa4", true},
    };
    for (const auto& row : rows) {
        INFO(row.story << ": " << row.pattern);
        const auto regex = Regex::compile(row.pattern, Syntax::posix_extended, Case::sensitive);
        INFO(why(regex));
        REQUIRE(regex);
        CHECK(regex->matches(row.subject) == row.expected);
        CHECK(regex->pattern() == row.pattern);
    }
}

TEST_CASE("wrong patterns are refused with the pattern in the message", "[base][regex]")
{
    const struct {
        const char* story;
        std::string pattern;
        Syntax syntax;
    } rows[] = {
        {"not closed", "(a", Syntax::posix_extended},
        {"bracket not closed", "[a", Syntax::posix_extended},
        {"class not closed", "[[:alpha", Syntax::posix_extended},
        {"no such class", "[[:foo:]]", Syntax::posix_extended},
        {"a range backwards", "[z-a]", Syntax::posix_extended},
        {"a range of ranges", "[a-c-e]", Syntax::posix_extended},
        {"a range from a class", "[[:alpha:]-z]", Syntax::posix_extended},
        {"nothing to repeat", "*a", Syntax::posix_extended},
        {"nothing to repeat in a group", "(*a)", Syntax::posix_extended},
        {"nothing to repeat after a bar", "a|+", Syntax::posix_extended},
        {"an anchor repeated", "^*", Syntax::posix_extended},
        {"a bound backwards", "a{3,2}", Syntax::posix_extended},
        {"a bound too large", "a{32768}", Syntax::posix_extended},
        {"a bound beyond numbers", "a{99999999999999999999}", Syntax::posix_extended},
        {"a backslash at the end", "a\\", Syntax::posix_extended},
        {"no such group", "(a)\\2", Syntax::posix_extended},
        {"a group inside itself", "(a\\1)", Syntax::posix_extended},
        {"not closed in Perl", "(a", Syntax::perl},
        {"UTF mode asked for", "(*UTF)a", Syntax::perl},
        {"nested too deep for a fiber", std::string(40, '(') + std::string(40, ')'), Syntax::perl},
        {"too long", std::string(70'000, 'a'), Syntax::perl},
        {"too large when repeated", "((a{1000}){1000}){1000}", Syntax::posix_extended},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const auto regex = Regex::compile(row.pattern, row.syntax, Case::sensitive);
        CHECK_FALSE(regex);
        if (!regex && row.pattern.size() < 1000)
            CHECK(regex.error().text.find(row.pattern) != std::string::npos);
    }
}

TEST_CASE("letters of either case, also in brackets", "[base][regex]")
{
    const auto regex = Regex::compile("^[a-c]+[^x]$", Syntax::posix_extended, Case::insensitive);
    REQUIRE(regex);
    CHECK(regex->matches("AbCd"));
    CHECK_FALSE(regex->matches("AbCX"));
}

TEST_CASE("lines count when asked for", "[base][regex]")
{
    const auto lines = Regex::compile("^b.*c$", Syntax::posix_extended, Case::sensitive, LineEnds::separates);
    REQUIRE(lines);
    CHECK(lines->matches("a\nbxc\nd"));
    CHECK_FALSE(lines->matches("b\nc"));
    const auto other = Regex::compile("a[^x]b", Syntax::posix_extended, Case::sensitive, LineEnds::separates);
    REQUIRE(other);
    CHECK_FALSE(other->matches("a\nb"));
}

TEST_CASE("Perl syntax is Perl's", "[base][regex]")
{
    const auto regex = Regex::compile("^(?i:sip):(\\d+)(?=@)", Syntax::perl, Case::sensitive);
    REQUIRE(regex);
    Regex::Match match;
    REQUIRE(regex->find("SIP:42@x", 0, match));
    CHECK(match.text("SIP:42@x", 1) == "42");
    CHECK_FALSE(regex->find("SIP:@x", 0, match));
    CHECK(match.groups == 0);
}

TEST_CASE("find tells where and which groups", "[base][regex]")
{
    const std::string_view subject = "k=v;kk=;x";
    const auto regex = Regex::compile("(k+)=(v)?", Syntax::posix_extended, Case::sensitive);
    REQUIRE(regex);
    Regex::Match match;
    REQUIRE(regex->find(subject, 1, match));
    CHECK(match.group[0].begin == 4);
    CHECK(match.group[0].end == 7);
    CHECK(match.text(subject, 1) == "kk");
    CHECK(match.text(subject, 2).empty());
    CHECK(match.text(subject, 9).empty());
    CHECK_FALSE(regex->find(subject, 7, match));
    CHECK_FALSE(regex->find(subject, subject.size() + 1, match));
    CHECK(regex->find("k=", 0, match));
    CHECK_FALSE(regex->find({}, 0, match));

    const auto many =
        Regex::compile("(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)\\9", Syntax::posix_extended, Case::sensitive);
    REQUIRE(many);
    REQUIRE(many->find("abcdefghijki", 0, match));
    CHECK(match.groups == Regex::max_groups);
    CHECK(match.text("abcdefghijki", 9) == "i");
    CHECK_FALSE(Regex{}.matches("x"));
}

TEST_CASE("no pattern stalls a worker", "[base][regex]")
{
    const std::string many(30'000, 'a');
    for (const auto pattern : {"(a+)+$", "(a|aa)+$", "a.*a.*a.*a!c", "(*NO_JIT)(a+)+$"}) {
        INFO(pattern);
        const auto regex = Regex::compile(pattern, Syntax::perl, Case::sensitive);
        REQUIRE(regex);
        const auto hits = Regex::limit_hits();
        const auto start = std::chrono::steady_clock::now();
        CHECK_FALSE(regex->matches(many + "!b c"));
        CHECK(Regex::limit_hits() == hits + 1);
        CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds{2}); // about 1 ms of work
    }
}

TEST_CASE("one pattern serves many threads", "[base][regex]")
{
    const auto regex = Regex::compile("^([a-z]+)([0-9]+)$", Syntax::posix_extended, Case::insensitive);
    REQUIRE(regex);
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            const std::string number = std::to_string(t * 1000);
            const std::string subject = "user" + number;
            Regex::Match match;
            for (int i = 0; i < 2000; ++i)
                if (!regex->find(subject, 0, match) || match.text(subject, 2) != number)
                    ++wrong;
        });
    for (auto& thread : threads)
        thread.join();
    CHECK(wrong == 0);
}

TEST_CASE("substitutions", "[base][regex]")
{
    const struct {
        const char* story;
        std::string_view text, subject, expected;
        std::size_t count;
    } rows[] = {
        {"the first match only", "/a/b/", "aa", "ba", 1},
        {"all of them", "/a/b/g", "aXa", "bXb", 2},
        {"another separator", "!a/b!c!", "a/b", "c", 1},
        {"either case", "/sip:(.*)@/\\1-/i", "SIP:bob@x", "bob-x", 1},
        {"the whole match", "/b+/<\\0>/", "abbc", "a<bb>c", 1},
        {"an ampersand is plain", "/b/&/", "abc", "a&c", 1},
        {"an escaped separator on both sides", "/a\\/b/c\\/d/", "a/b", "c/d", 1},
        {"escapes", "/x/\\r\\n\\t\\\\\\$/", "x", "\r\n\t\\$", 1},
        {"nothing matches", "/x/y/g", "abc", "abc", 0},
        {"a group that took no part", "/a(b)?/[\\1]/", "ac", "[]c", 1},
        {"a digit behind a group", "/(a)/\\10/", "a", "a0", 1},
        {"empty matches", "/x*/-/g", "abc", "-a-b-c-", 4},
        {"an empty match next to a full one", "/x*/-/g", "axb", "-a-b-", 3},
        {"the start is there once", "/^a//g", "aaa", "aa", 1},
        {"the start of each line", "/^/> /g", "a\nb", "> a\n> b", 2},
        {"the whole text with s", "/a.b/x/s", "a\nb", "x", 1},
        {"one line without", "/a.b/x/", "a\nb", "a\nb", 0},
        {"an empty replacement", "/b//g", "abcb", "ac", 2},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const auto substitution = Substitution::parse(row.text);
        INFO(why(substitution));
        REQUIRE(substitution);
        std::string out = "left over";
        CHECK(substitution->apply(row.subject, substitution->replacement, out) == row.count);
        CHECK(out == row.expected);
    }
    for (const auto wrong :
         {"", "/", "/a/", "/a", "/a/b", "/a/b\\/", "\\a\\b\\", "/a/b/x", "/a/b/gg/", "/(/b/"}) {
        INFO(wrong);
        CHECK_FALSE(Substitution::parse(wrong));
    }
}

TEST_CASE("a value in a replacement stays what it is", "[base][regex]")
{
    const auto substitution = Substitution::parse("/x/?/");
    REQUIRE(substitution);
    std::string out;
    substitution->apply("x", Substitution::literal("a\\1\\n"), out);
    CHECK(out == "a\\1\\n");
}
