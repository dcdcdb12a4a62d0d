// core/base/regex.h - a regular expression compiled once (PCRE2 with JIT), in Perl or POSIX extended syntax
#pragma once

#include "core/base/posix_regex.h"
#include "core/base/result.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace sipyard {

// Immutable and shared between threads; texts are bytes, not characters. A match has a work limit: a text
// that exceeds it does not match and `limit_hits()` counts it, so no pattern stalls a worker. Matching takes
// nothing from the heap and never suspends. One difference to regcomp stays in POSIX syntax: among
// alternatives the first that matches is taken, not the longest
// (`a|ab` finds "a" in "ab"). Whether there is a match is the same; what find() and a Substitution cover may
// be shorter.
class Regex {
public:
    enum class Syntax : unsigned char { posix_extended, perl }; // posix: translated at compilation
    enum class Case : unsigned char { sensitive, insensitive };
    static constexpr std::size_t max_groups = 10;

    // Offsets of the whole match (0) and of its groups; npos for a group that took no part.
    struct Match {
        struct Range {
            std::size_t begin = std::string_view::npos, end = std::string_view::npos;
        };
        std::array<Range, max_groups> group;
        std::size_t groups = 0;
        std::string_view text(std::string_view subject, std::size_t n) const
        {
            return n < groups && group[n].begin != std::string_view::npos
                       ? subject.substr(group[n].begin, group[n].end - group[n].begin)
                       : std::string_view{};
        }
    };

    // Fails with `invalid` and a sentence that holds the pattern. LineEnds counts in POSIX syntax only: Perl
    // patterns say (?s) and (?m) themselves. Groups nest at most 30 deep (compiling must fit a fiber's
    // stack).
    static Result<Regex> compile(std::string_view pattern, Syntax syntax, Case letters,
                                 LineEnds line_ends = LineEnds::ordinary);

    bool matches(std::string_view subject) const;                            // anywhere in the subject
    bool find(std::string_view subject, std::size_t from, Match& out) const; // first match at or after `from`
    std::string_view pattern() const;
    static std::uint64_t limit_hits();

private:
    struct Compiled;
    std::shared_ptr<const Compiled> compiled_; // shared by copies of this value
};

// /pattern/replacement/flags as textops, #!subst and {re.subst} write it: POSIX syntax, any separator but a
// backslash,
// `\` in front of a separator that belongs to the text. Flags: g (all matches, not only the first), i
// (letters of either case), s (`.` and [^...] take line ends, ^ and $ are those of the whole text; without it
// those of a line). In the replacement \0 is the match, \1..\9 its groups, \n \r \t the controls, any other
// \c is c; & is nothing special.
struct Substitution {
    Regex pattern;
    std::string replacement; // as written, escapes included: who uses it expands its variables
    bool global = false;
    static Result<Substitution> parse(std::string_view text);
    // The subject with its matches replaced goes into `out` (which must not hold the subject or the
    // replacement). `replacement` is already expanded, escapes still in it; returns how many were replaced.
    std::size_t apply(std::string_view subject, std::string_view replacement, std::string& out) const;
    // A value as a replacement that gives exactly that value.
    static std::string literal(std::string_view value);
};

} // namespace sipyard
