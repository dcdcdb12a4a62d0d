// core/base/posix_regex.h - POSIX extended syntax, as glibc's regcomp reads it, turned into PCRE2's
#pragma once

#include "core/base/result.h"

#include <string>
#include <string_view>

namespace sipyard {

// Whether a line end separates lines: `separates` is regcomp's REG_NEWLINE, where neither `.` nor a [^...]
// takes one.
enum class LineEnds : unsigned char { ordinary, separates };

// The same pattern in Perl syntax, or why regcomp would refuse it. Differences that matter to those who write
// patterns: a backslash in [...] is a plain character, `\d` is the letter d, `{` that starts no bound is
// itself,
// `)` without `(` is itself, `a**` repeats a repetition and is not possessive.
Result<std::string> perl_from_posix(std::string_view pattern, LineEnds line_ends);

} // namespace sipyard
