// core/base/regex.h - a regular expression compiled once (PCRE2 with JIT), in Perl or POSIX extended syntax
#pragma once

#include "core/base/result.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace sipyard {

// Immutable and shared between threads. A match has a work limit: a text that exceeds it does not match and
// `limit_hits()` counts it, so no pattern stalls a worker.
class Regex {
public:
    enum class Syntax : unsigned char { posix_extended, perl };   // posix: translated at compilation
    enum class Case : unsigned char { sensitive, insensitive };
    static constexpr std::size_t max_groups = 10;

    // Offsets of the whole match (0) and of its groups; npos for a group that took no part.
    struct Match {
        struct Range { std::size_t begin = std::string_view::npos, end = std::string_view::npos; };
        std::array<Range, max_groups> group;
        std::size_t groups = 0;
        std::string_view text(std::string_view subject, std::size_t n) const
        {
            return n < groups && group[n].begin != std::string_view::npos
                       ? subject.substr(group[n].begin, group[n].end - group[n].begin) : std::string_view{};
        }
    };

    static Result<Regex> compile(std::string_view pattern, Syntax syntax, Case letters);

    bool matches(std::string_view subject) const;                          // anywhere in the subject
    bool find(std::string_view subject, std::size_t from, Match& out) const; // first match at or after `from`
    std::string_view pattern() const;
    static std::uint64_t limit_hits();

private:
    struct Compiled;
    std::shared_ptr<const Compiled> compiled_; // shared by copies of this value
};

// s/pattern/replacement/flags as textops, #!subst and {re.subst} write it: any separator, flags g and i,
// \0..\9 and & nothing special; the replacement keeps its text, who uses it expands variables.
struct Substitution {
    Regex       pattern;
    std::string replacement;
    bool        global = false;
    static Result<Substitution> parse(std::string_view text);
    // Applies it with `replacement` (already expanded); returns how many were replaced.
    std::size_t apply(std::string_view subject, std::string_view replacement, std::string& out) const;
};

} // namespace sipyard
