// core/base/substitution.cpp - /pattern/replacement/flags: read and apply
#include "core/base/format.h"
#include "core/base/regex.h"
#include "core/base/text.h"

namespace sipyard {

namespace {

// The text up to the next separator that no backslash precedes; nothing when there is none.
std::optional<std::string_view> take_part(std::string_view& rest, char separator)
{
    for (std::size_t i = 0; i < rest.size(); ++i) {
        if (rest[i] == '\\') {
            ++i;
            continue;
        }
        if (rest[i] != separator)
            continue;
        const auto part = rest.substr(0, i);
        rest.remove_prefix(i + 1);
        return part;
    }
    return {};
}

void put_replacement(std::string& out, std::string_view replacement, std::string_view subject,
                     const Regex::Match& match)
{
    for (std::size_t i = 0; i < replacement.size(); ++i) {
        if (replacement[i] != '\\' || i + 1 == replacement.size()) {
            out += replacement[i];
            continue;
        }
        const char c = replacement[++i];
        switch (c) {
        case 'n': out += '\n'; break;
        case 'r': out += '\r'; break;
        case 't': out += '\t'; break;
        default:
            if (is_digit(c))
                out += match.text(subject, static_cast<std::size_t>(c - '0'));
            else
                out += c;
        }
    }
}

} // namespace

Result<Substitution> Substitution::parse(std::string_view text)
{
    if (text.size() < 3 || text.front() == '\\')
        return invalid(format("'{}' is not a substitution /re/replacement/flags", text));
    const char separator = text.front();
    std::string_view rest = text.substr(1);
    const auto pattern = take_part(rest, separator);
    const auto replacement = pattern ? take_part(rest, separator) : std::nullopt;
    if (!replacement)
        return invalid(format("substitution '{}' needs the separator '{}' three times", text, separator));

    Substitution result;
    auto letters = Regex::Case::sensitive;
    auto line_ends = LineEnds::separates;
    for (const char flag : rest) {
        switch (flag) {
        case 'g': result.global = true; break;
        case 'i': letters = Regex::Case::insensitive; break;
        case 's': line_ends = LineEnds::ordinary; break;
        default: return invalid(format("unknown flag '{}' in substitution '{}'", flag, text));
        }
    }
    TRY(result.pattern, Regex::compile(*pattern, Regex::Syntax::posix_extended, letters, line_ends));
    result.replacement = *replacement;
    return result;
}

std::size_t Substitution::apply(std::string_view subject, std::string_view with, std::string& out) const
{
    out.clear();
    std::size_t count = 0;
    std::size_t copied = 0; // of the subject, into out
    std::size_t from = 0;
    Regex::Match match;
    while (pattern.find(subject, from, match)) {
        const auto [begin, end] = match.group[0];
        const bool empty = begin == end;
        // "x*" after a match that took all the x: the empty rest of it is no match of its own.
        if (!(empty && count > 0 && begin == copied)) {
            out += subject.substr(copied, begin - copied);
            put_replacement(out, with, subject, match);
            ++count;
            copied = end;
            if (!global)
                break;
        }
        from = empty ? end + 1 : end;
        if (from > subject.size())
            break;
    }
    out += subject.substr(copied);
    return count;
}

std::string Substitution::literal(std::string_view value) { return replace_all(value, "\\", "\\\\"); }

} // namespace sipyard
