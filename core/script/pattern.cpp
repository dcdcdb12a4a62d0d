// core/script/pattern.cpp - which patterns need no regular expression at all
#include "core/script/pattern.h"

#include "core/base/text.h"

#include <algorithm>

namespace sipyard::script {

namespace {

constexpr std::string_view special = ".[]()*+?{}|^$\\";

// What stands at the start of a pattern and means itself.
struct Plain {
    std::string text;
    bool anchored = false;
    bool whole = false;  // nothing else follows
    bool to_end = false; // "$" follows and nothing else
};

Plain plain_start(std::string_view pattern)
{
    Plain plain;
    std::size_t at = 0;
    plain.anchored = !pattern.empty() && pattern[0] == '^';
    at += plain.anchored;
    while (at < pattern.size()) {
        char c = pattern[at];
        std::size_t used = 1;
        if (c == '\\') {
            if (at + 1 >= pattern.size() || is_alnum(pattern[at + 1]))
                break; // \b, \1 ... have meanings of their own
            c = pattern[at + 1];
            used = 2;
        } else if (special.find(c) != std::string_view::npos) {
            break;
        }
        const char after = at + used < pattern.size() ? pattern[at + used] : '\0';
        if (after == '*' || after == '?' || after == '{' || after == '+')
            break; // it may be missing, or repeat: not plain any more
        plain.text += c;
        at += used;
    }
    plain.whole = at == pattern.size();
    plain.to_end = at + 1 == pattern.size() && pattern[at] == '$';
    return plain;
}

bool has_alternatives(
    std::string_view pattern) // outside of groups, roughly: any unescaped '|' outside parentheses
{
    int depth = 0;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i] == '\\')
            ++i;
        else if (pattern[i] == '[')
            return true; // brackets may hold anything; give up rather than parse them twice
        else if (pattern[i] == '(')
            ++depth;
        else if (pattern[i] == ')')
            --depth;
        else if (pattern[i] == '|' && depth <= 0)
            return true;
    }
    return false;
}

// A '|' outside brackets and groups makes the plain start one alternative of several. Brackets without any
// '|' are harmless.
bool start_is_required(std::string_view pattern)
{
    return pattern.find('|') == std::string_view::npos || !has_alternatives(pattern);
}

} // namespace

Result<Pattern> Pattern::compile(std::string_view pattern, Regex::Case letters)
{
    TRY(Regex regex, Regex::compile(pattern, Regex::Syntax::posix_extended, letters));
    Pattern made{std::move(regex)};
    made.any_case_ = letters == Regex::Case::insensitive;
    const Plain plain = plain_start(pattern);
    made.literal_ = made.any_case_ ? lower(plain.text) : plain.text;
    const bool has_high_bytes =
        std::any_of(plain.text.begin(), plain.text.end(), [](char c) { return (c & 0x80) != 0; });
    if (has_high_bytes || plain.text.find('\0') != std::string::npos)
        return made;
    if (plain.whole && plain.anchored)
        made.kind_ = Kind::prefix;
    else if (plain.whole && !plain.text.empty())
        made.kind_ = Kind::contains;
    else if (plain.to_end && plain.anchored)
        made.kind_ = Kind::equal;
    else
        made.has_prefix_ = plain.anchored && !plain.text.empty() && start_is_required(pattern);
    return made;
}

bool Pattern::starts(std::string_view subject) const
{
    if (subject.size() < literal_.size())
        return false;
    for (std::size_t i = 0; i < literal_.size(); ++i)
        if ((any_case_ ? to_lower(subject[i]) : subject[i]) != literal_[i])
            return false;
    return true;
}

bool Pattern::matches(std::string_view subject) const
{
    switch (kind_) {
    case Kind::prefix: return starts(subject);
    case Kind::equal: return subject.size() == literal_.size() && starts(subject);
    case Kind::contains:
        if (!any_case_)
            return subject.find(literal_) != std::string_view::npos;
        for (std::size_t at = 0; at + literal_.size() <= subject.size(); ++at)
            if (to_lower(subject[at]) == literal_[0] && starts(subject.substr(at)))
                return true;
        return false;
    case Kind::regex: break;
    }
    return (!has_prefix_ || starts(subject)) && regex_.matches(subject);
}

} // namespace sipyard::script
