// core/base/posix_regex.cpp - POSIX extended syntax, as glibc's regcomp reads it, turned into PCRE2's
#include "core/base/posix_regex.h"

#include "core/base/format.h"
#include "core/base/text.h"

#include <bitset>
#include <optional>
#include <vector>

namespace sipyard {

namespace {

constexpr std::size_t no_atom = std::string::npos;
constexpr std::uint64_t most_repeats = 0x7fff; // RE_DUP_MAX

using Bytes = std::bitset<256>;

constexpr std::size_t byte_of(char c) { return static_cast<unsigned char>(c); }

constexpr bool visible(unsigned c) { return c > ' ' && c < 127; }

// A [:class:] in the C locale, which is what a server's regcomp sees.
std::optional<Bytes> named_class(std::string_view name)
{
    struct Row {
        std::string_view name;
        bool (*holds)(unsigned c);
    };
    static constexpr Row rows[] = {
        {"alpha", [](unsigned c) { return is_alpha(static_cast<char>(c)); }},
        {"digit", [](unsigned c) { return is_digit(static_cast<char>(c)); }},
        {"alnum", [](unsigned c) { return is_alnum(static_cast<char>(c)); }},
        {"upper", [](unsigned c) { return c >= 'A' && c <= 'Z'; }},
        {"lower", [](unsigned c) { return c >= 'a' && c <= 'z'; }},
        {"space", [](unsigned c) { return c == ' ' || (c >= '\t' && c <= '\r'); }},
        {"blank", [](unsigned c) { return c == ' ' || c == '\t'; }},
        {"punct", [](unsigned c) { return visible(c) && !is_alnum(static_cast<char>(c)); }},
        {"print", [](unsigned c) { return c == ' ' || visible(c); }},
        {"graph", [](unsigned c) { return visible(c); }},
        {"cntrl", [](unsigned c) { return c < ' ' || c == 127; }},
        {"xdigit", [](unsigned c) { return c < 128 && hex_digit(static_cast<char>(c)) >= 0; }},
    };
    for (const auto& row : rows) {
        if (row.name != name)
            continue;
        Bytes bytes;
        for (unsigned c = 0; c < 128; ++c)
            bytes[c] = row.holds(c);
        return bytes;
    }
    return {};
}

void put_literal(std::string& out, char c)
{
    if (byte_of(c) < 128 && !is_alnum(c) && byte_of(c) >= 32)
        out += '\\';
    out += c;
}

void put_in_class(std::string& out, std::size_t c)
{
    if (is_alnum(static_cast<char>(c)))
        out += static_cast<char>(c);
    else
        out += format("\\x{:02x}", static_cast<unsigned>(c));
}

class Translation {
public:
    Translation(std::string_view pattern, LineEnds line_ends) : pattern_{pattern}, line_ends_{line_ends} {}

    Result<std::string> run()
    {
        out_.reserve(pattern_.size() + pattern_.size() / 2 + 16);
        while (at_ < pattern_.size())
            TRYV(step(pattern_[at_++]));
        if (!open_.empty())
            return wrong("'(' is not closed");
        return std::move(out_);
    }

private:
    struct Group {
        std::size_t start; // of its '(' in out_
        std::size_t number;
    };

    Error wrong(std::string_view what) const
    {
        return invalid(format("{} in regular expression '{}'", what, pattern_));
    }

    Result<void> step(char c)
    {
        switch (c) {
        case '\\': return escape();
        case '[': return bracket();
        case '(':
            open_.push_back({out_.size(), finished_.size()});
            finished_.push_back(false);
            out_ += '(';
            atom_ = no_atom;
            return {};
        case ')': return close();
        case '|':
        case '^':
        case '$':
            out_ += c; // `^` and `$` are anchors wherever they stand; nothing may repeat them
            atom_ = no_atom;
            return {};
        case '*':
        case '+':
        case '?': return repeat({&c, 1});
        case '{': return bound();
        case '.':
            atom_ = out_.size();
            out_ += c; // takes a line end or not by the compile options
            return {};
        default: literal(c); return {};
        }
    }

    void literal(char c)
    {
        atom_ = out_.size();
        put_literal(out_, c);
    }

    Result<void> close()
    {
        if (open_.empty()) {
            literal(')');
            return {};
        }
        out_ += ')';
        atom_ = open_.back().start;
        finished_[open_.back().number] = true;
        open_.pop_back();
        return {};
    }

    Result<void> repeat(std::string_view quantifier)
    {
        if (atom_ == no_atom)
            return wrong(format("'{}' has nothing to repeat", quantifier));
        // `a+?` and `a*+` mean lazy and possessive to Perl: a second repetition goes around a group.
        if (repeated_at_ == out_.size()) {
            out_.insert(atom_, "(?:");
            out_ += ')';
        }
        out_ += quantifier;
        repeated_at_ = out_.size();
        return {};
    }

    // {n} {n,} {n,m} {,m}; anything else after '{' makes it a plain character.
    Result<void> bound()
    {
        Cursor cursor{pattern_.substr(at_)};
        const auto first = cursor.take_while(is_digit);
        const bool comma = cursor.accept(',');
        const auto second = comma ? cursor.take_while(is_digit) : std::string_view{};
        if (!cursor.accept('}') || (first.empty() && !comma)) {
            literal('{');
            return {};
        }
        at_ += cursor.position();
        const auto least = first.empty() ? std::optional<std::uint64_t>{0} : parse_uint(first);
        const auto most = second.empty() ? least : parse_uint(second);
        if (!least || !most || *least > most_repeats || *most > most_repeats)
            return wrong("a bound is too large");
        if (*most < *least)
            return wrong("a bound ends before it begins");
        if (!comma)
            return repeat(format("{{{}}}", *least));
        return second.empty() ? repeat(format("{{{},}}", *least))
                              : repeat(format("{{{},{}}}", *least, *most));
    }

    Result<void> escape()
    {
        if (at_ == pattern_.size())
            return wrong("a backslash ends the text");
        const char c = pattern_[at_++];
        switch (c) { // what glibc adds to POSIX
        case 'b':
        case 'B': return assertion(c == 'b' ? "\\b" : "\\B");
        case '<': return assertion("\\b(?=\\w)");
        case '>': return assertion("\\b(?<=\\w)");
        case '`': return assertion("\\A");
        case '\'': return assertion("\\z");
        case 'w':
        case 'W':
        case 's':
        case 'S':
            atom_ = out_.size();
            out_ += '\\';
            out_ += c;
            return {};
        default: break;
        }
        if (c < '1' || c > '9') {
            literal(c);
            return {};
        }
        const auto number = static_cast<std::size_t>(c - '1');
        if (number >= finished_.size() || !finished_[number])
            return wrong(format("\\{} names no finished group", c));
        atom_ = out_.size();
        out_ += format("\\g{{{}}}", c);
        return {};
    }

    Result<void> assertion(std::string_view perl)
    {
        out_ += perl;
        atom_ = no_atom;
        return {};
    }

    // One end of a range or a member by itself: a byte, [.x.] or [=x=].
    Result<char> bracket_byte()
    {
        const char c = pattern_[at_++];
        if (c != '[' || at_ == pattern_.size() || (pattern_[at_] != '.' && pattern_[at_] != '='))
            return c;
        const char kind = pattern_[at_];
        if (pattern_.size() - at_ < 4 || pattern_[at_ + 2] != kind || pattern_[at_ + 3] != ']')
            return wrong("a collating element of more than one character");
        const char member = pattern_[at_ + 1];
        at_ += 4;
        return member;
    }

    Result<void> bracket()
    {
        const bool negated = at_ < pattern_.size() && pattern_[at_] == '^';
        if (negated)
            ++at_;
        Bytes bytes;
        const std::size_t first = at_;
        for (;;) {
            if (at_ >= pattern_.size())
                return wrong("'[' is not closed");
            if (pattern_[at_] == ']' && at_ != first)
                break;
            if (pattern_.substr(at_).starts_with("[:")) {
                const auto end = pattern_.find(":]", at_ + 2);
                if (end == std::string_view::npos)
                    return wrong("'[:' is not closed");
                const auto members = named_class(pattern_.substr(at_ + 2, end - at_ - 2));
                if (!members)
                    return wrong(format("no class is named '{}'", pattern_.substr(at_ + 2, end - at_ - 2)));
                bytes |= *members;
                at_ = end + 2;
                if (is_range_ahead())
                    return wrong("a range starts with a class");
                continue;
            }
            TRY(const char low, bracket_byte());
            char high = low;
            if (is_range_ahead()) {
                ++at_;
                if (pattern_.substr(at_).starts_with("[:"))
                    return wrong("a range ends with a class");
                TRY(high, bracket_byte());
                if (is_range_ahead())
                    return wrong("a range starts where another ends");
            }
            if (byte_of(high) < byte_of(low))
                return wrong("a range ends before it begins");
            for (std::size_t c = byte_of(low); c <= byte_of(high); ++c)
                bytes.set(c);
        }
        ++at_;
        if (negated && line_ends_ == LineEnds::separates)
            bytes.set('\n');
        put_class(bytes, negated);
        return {};
    }

    // A '-' that is not the last member.
    bool is_range_ahead() const
    {
        return pattern_.size() - at_ >= 2 && pattern_[at_] == '-' && pattern_[at_ + 1] != ']';
    }

    // The set stays as written and '^' in front: letters of either case must be left out together.
    void put_class(const Bytes& bytes, bool negated)
    {
        atom_ = out_.size();
        out_ += negated ? "[^" : "[";
        for (std::size_t c = 0; c < 256; ++c) {
            if (!bytes[c])
                continue;
            std::size_t end = c;
            while (end < 255 && bytes[end + 1])
                ++end;
            put_in_class(out_, c);
            if (end > c) {
                if (end > c + 1)
                    out_ += '-';
                put_in_class(out_, end);
            }
            c = end;
        }
        out_ += ']';
    }

    std::string_view pattern_;
    LineEnds line_ends_;
    std::size_t at_ = 0;
    std::string out_;
    std::size_t atom_ = no_atom;        // where in out_ the thing begins that a quantifier would repeat
    std::size_t repeated_at_ = no_atom; // out_'s length just after a quantifier
    std::vector<Group> open_;
    std::vector<bool> finished_; // per group: its ')' was seen
};

} // namespace

Result<std::string> perl_from_posix(std::string_view pattern, LineEnds line_ends)
{
    return Translation{pattern, line_ends}.run();
}

} // namespace sipyard
