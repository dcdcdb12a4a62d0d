// modules/pv/transform_string.cpp - {s.*}: cutting, joining and rewriting texts; results are views wherever
// they can be
#include "modules/pv/transform.h"

#include <algorithm>
#include <ctime>

namespace sipyard::pv {

namespace {

constexpr auto npos = std::string_view::npos;
constexpr std::size_t most_output = 1024 * 1024; // of what grows with its arguments

// --- numbers -------------------------------------------------------------------------------------

Value len(Request& r, const Value& in, Args) { return number(in_text(r, in).size()); }

Value to_int(Request& r, const Value& in, Args)
{
    const auto value = parse_int(trim(in_text(r, in)));
    return value ? Value{*value} : Value{};
}

// The number the text begins with, 0 when it begins with none.
Value leading_int(Request& r, const Value& in, Args)
{
    auto text = trim_left(in_text(r, in));
    std::size_t size = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
    while (size < text.size() && is_digit(text[size]))
        ++size;
    return parse_int(text.substr(0, size)).value_or(0);
}

Value digits_only(Request& r, const Value& in, Args)
{
    const auto text = in_text(r, in);
    char* const out = r.arena().array<char>(text.size());
    return std::string_view{
        out, static_cast<std::size_t>(std::copy_if(text.begin(), text.end(), out, is_digit) - out)};
}

// --- letters and blanks --------------------------------------------------------------------------

template <char (*change)(char)>
Value each(Request& r, const Value& in, Args)
{
    const auto text = in_text(r, in);
    char* const out = r.arena().array<char>(text.size());
    std::transform(text.begin(), text.end(), out, change);
    return std::string_view{out, text.size()};
}
Value trim_both(Request& r, const Value& in, Args) { return trim(in_text(r, in)); }
Value trim_start(Request& r, const Value& in, Args) { return trim_left(in_text(r, in)); }
Value trim_end(Request& r, const Value& in, Args) { return trim_right(in_text(r, in)); }

Value remove_blanks(Request& r, const Value& in, Args)
{
    const auto text = in_text(r, in);
    char* const out = r.arena().array<char>(text.size());
    return std::string_view{
        out, static_cast<std::size_t>(std::remove_copy_if(text.begin(), text.end(), out, is_space) - out)};
}

// A folded header on one line: a line end with the blanks behind it becomes `with`.
Value unfold(Request& r, const Value& in, std::string_view with)
{
    const auto text = in_text(r, in);
    char* const out = r.arena().array<char>(text.size());
    std::size_t size = 0;
    for (std::size_t i = 0; i < text.size();) {
        if (text[i] != '\r' && text[i] != '\n') {
            out[size++] = text[i++];
            continue;
        }
        while (i < text.size() && is_space(text[i]))
            ++i;
        for (const char c : with)
            out[size++] = c;
    }
    return std::string_view{out, size};
}
Value remove_folds(Request& r, const Value& in, Args) { return unfold(r, in, ""); }
Value remove_fold_ends(Request& r, const Value& in, Args) { return unfold(r, in, " "); }

Value replaced(Request& r, const Value& in, std::string_view what, std::string_view with)
{
    const auto text = in_text(r, in);
    if (what.empty())
        return text;
    std::size_t count = 0;
    for (auto at = text.find(what); at != npos; at = text.find(what, at + what.size()))
        ++count;
    if (count == 0)
        return text;
    const auto size = text.size() - count * what.size() + count * with.size();
    if (size > most_output)
        return refuse(r, "s.replace", "the result is too long", what);
    char* const out = r.arena().array<char>(size);
    char* to = out;
    std::size_t from = 0;
    for (auto at = text.find(what); at != npos; from = at + what.size(), at = text.find(what, from)) {
        to = std::copy(text.begin() + static_cast<std::ptrdiff_t>(from),
                       text.begin() + static_cast<std::ptrdiff_t>(at), to);
        to = std::copy(with.begin(), with.end(), to);
    }
    std::copy(text.begin() + static_cast<std::ptrdiff_t>(from), text.end(), to);
    return std::string_view{out, size};
}
Value remove_all(Request& r, const Value& in, Args args) { return replaced(r, in, arg_text(r, args, 0), ""); }
Value replace(Request& r, const Value& in, Args args)
{
    return replaced(r, in, arg_text(r, args, 0), arg_text(r, args, 1));
}

// --- parts ---------------------------------------------------------------------------------------

Value substr(Request& r, const Value& in, Args args)
{
    const auto text = in_text(r, in);
    const auto size = static_cast<std::int64_t>(text.size());
    const auto offset = arg_number(args, 0),
               length = args.size() > 1 ? arg_number(args, 1) : std::optional<std::int64_t>{0};
    if (!offset || !length)
        return refuse(r, "s.substr", "offset or length is no number", text);
    if (*length < 0)
        return refuse(r, "s.substr", "substr negative offset", text);
    // Compared before it is added, so that no offset overflows.
    if (*offset >= size || *offset < -size)
        return refuse(r, "s.substr", "substr out of range", text);
    const auto from = static_cast<std::size_t>(*offset < 0 ? size + *offset : *offset);
    return *length == 0 ? text.substr(from) : text.substr(from, static_cast<std::size_t>(*length));
}

Value select(Request& r, const Value& in, Args args)
{
    auto text = in_text(r, in);
    const auto index = arg_number(args, 0);
    const auto separator = arg_char(r, args, 1, ',');
    if (!index || !separator)
        return refuse(r, "s.select", "index or separator cannot be used", text);
    if (*index < 0) {
        for (auto n = *index;; ++n) {
            const auto at = text.rfind(*separator);
            if (n == -1)
                return text.substr(at + 1); // npos + 1 is 0
            if (at == npos)
                return "";
            text = text.substr(0, at);
        }
    }
    for (auto n = *index; n > 0; --n) {
        const auto at = text.find(*separator);
        if (at == npos)
            return "";
        text.remove_prefix(at + 1);
    }
    return text.substr(0, text.find(*separator));
}

// The first element with that prefix.
Value select_prefix(Request& r, const Value& in, Args args)
{
    auto text = in_text(r, in);
    const auto prefix = arg_text(r, args, 0);
    const auto separator = arg_char(r, args, 1, ',');
    if (!separator)
        return refuse(r, "s.selectsw", "the separator cannot be used", text);
    while (!text.empty())
        if (const auto element = cut(text, *separator); element.starts_with(prefix))
            return element;
    return "";
}

template <bool tail>
Value strip(Request& r, const Value& in, Args args)
{
    const auto text = in_text(r, in);
    const auto count = arg_number(args, 0);
    if (!count || *count < 0)
        return refuse(r, tail ? "s.striptail" : "s.strip", "not a number of at least 0",
                      arg_text(r, args, 0));
    if (static_cast<std::uint64_t>(*count) >= text.size())
        return "";
    const auto n = static_cast<std::size_t>(*count);
    return tail ? text.substr(0, text.size() - n) : text.substr(n);
}

Value strip_to(Request& r, const Value& in, Args args)
{
    const auto text = in_text(r, in);
    const auto at = text.find(arg_text(r, args, 0));
    return at == npos ? Value{""} : Value{text.substr(at)};
}

// before: all of it when there is no match; after: nothing of it
template <bool last>
std::size_t place(std::string_view text, std::string_view what)
{
    return what.empty() ? npos : last ? text.rfind(what) : text.find(what);
}
template <bool last>
Value before(Request& r, const Value& in, Args args)
{
    const auto text = in_text(r, in);
    return text.substr(0, place<last>(text, arg_text(r, args, 0)));
}
template <bool last>
Value after(Request& r, const Value& in, Args args)
{
    const auto text = in_text(r, in), what = arg_text(r, args, 0);
    const auto at = place<last>(text, what);
    return at == npos ? Value{""} : Value{text.substr(at + what.size())};
}

Value count(Request& r, const Value& in, Args args)
{
    const auto text = in_text(r, in), what = arg_text(r, args, 0);
    std::int64_t found = 0;
    if (!what.empty())
        for (auto at = text.find(what); at != npos; at = text.find(what, at + what.size()))
            ++found;
    return found;
}

std::optional<std::size_t> position(Args args, std::size_t size)
{
    const auto index = arg_number(args, 0);
    if (!index)
        return {};
    const auto at = Index{Index::Kind::at, *index}.resolve(static_cast<std::int64_t>(size));
    return at < 0 ? std::nullopt : std::optional{static_cast<std::size_t>(at)};
}
Value char_at(Request& r, const Value& in, Args args)
{
    const auto text = in_text(r, in);
    const auto at = position(args, text.size());
    return at ? Value{text.substr(*at, 1)}
              : refuse(r, "s.charat", "index out of range", arg_text(r, args, 0));
}
Value byte_at(Request& r, const Value& in, Args args)
{
    const auto text = in_text(r, in);
    const auto at = position(args, text.size());
    return at ? number(static_cast<unsigned char>(text[*at]))
              : refuse(r, "s.byteat", "index out of range", arg_text(r, args, 0));
}

// "1,12,123"; at most n of them when n is given.
template <bool quoted>
Value prefixes(Request& r, const Value& in, Args args)
{
    const auto text = in_text(r, in);
    const auto most = args.empty() ? std::optional<std::int64_t>{0} : arg_number(args, 0);
    if (!most || *most < 0)
        return refuse(r, quoted ? "s.prefixes.quoted" : "s.prefixes", "not a number of at least 0",
                      arg_text(r, args, 0));
    const auto n = *most == 0 ? text.size() : std::min(text.size(), static_cast<std::size_t>(*most));
    if (n > 1024)
        return refuse(r, "s.prefixes", "the text is too long", text.substr(0, 32));
    char* const out = r.arena().array<char>(n * (n + 1) / 2 + n * (quoted ? 3 : 1));
    std::size_t size = 0;
    for (std::size_t length = 1; length <= n; ++length) {
        if (length > 1)
            out[size++] = ',';
        if (quoted)
            out[size++] = '\'';
        size += text.copy(out + size, length);
        if (quoted)
            out[size++] = '\'';
    }
    return std::string_view{out, size};
}

// --- dressing ------------------------------------------------------------------------------------

Value unquote(Request& r, const Value& in, Args)
{
    const auto text = in_text(r, in);
    const bool quoted =
        text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front();
    return quoted ? text.substr(1, text.size() - 2) : text;
}
Value unbracket(Request& r, const Value& in, Args)
{
    const auto text = in_text(r, in);
    if (text.size() < 2)
        return text;
    const auto kind = std::string_view{"<([{"}.find(text.front());
    return kind != npos && text.back() == ">)]}"[kind] ? text.substr(1, text.size() - 2) : text;
}

// Lines of n characters, each but the first behind m times `indent`.
Value lines_of(Request& r, const Value& in, Args args, std::string_view name, char indent)
{
    const auto text = in_text(r, in);
    const auto width = arg_number(args, 0), margin = arg_number(args, 1);
    if (!width || !margin || *width < 1 || *margin < 0 || *margin > 1024)
        return refuse(r, name, "width or margin cannot be used", arg_text(r, args, 0));
    const auto n =
        static_cast<std::size_t>(std::min<std::int64_t>(*width, static_cast<std::int64_t>(text.size()) + 1));
    const auto m = static_cast<std::size_t>(*margin);
    const auto breaks = text.empty() ? 0 : (text.size() - 1) / n;
    const auto size = text.size() + breaks * (2 + m);
    if (size > most_output)
        return refuse(r, name, "the result is too long", arg_text(r, args, 1));
    char* const out = r.arena().array<char>(size);
    char* to = out;
    for (std::size_t at = 0; at < text.size(); at += n) {
        if (at > 0) {
            *to++ = '\r';
            *to++ = '\n';
            to = std::fill_n(to, m, indent);
        }
        to += text.copy(to, n, at);
    }
    return std::string_view{out, size};
}
Value lines_blanks(Request& r, const Value& in, Args args)
{
    return lines_of(r, in, args, "s.fmtlines", ' ');
}
Value lines_tabs(Request& r, const Value& in, Args args) { return lines_of(r, in, args, "s.fmtlinet", '\t'); }

Value format_time(Request& r, const Value& in, Args args)
{
    const auto seconds = in.is_integer() ? std::optional{in.number()} : parse_int(in.text());
    if (!seconds)
        return refuse(r, "s.ftime", "not a time", in.text());
    const std::time_t at = static_cast<std::time_t>(*seconds);
    std::tm parts{};
    if (!::localtime_r(&at, &parts))
        return refuse(r, "s.ftime", "not a time", in_text(r, in));
    constexpr std::size_t most = 1024;
    const char* const format = r.arena().concat(arg_text(r, args, 0), std::string_view{"\0", 1}).data();
    char* const out = r.arena().array<char>(most);
    return std::string_view{out, std::strftime(out, most, format, &parts)};
}

} // namespace

Transformations string_transformations()
{
    const auto s = [](std::string op, std::size_t least, std::size_t most, auto apply, std::string about) {
        return transformation("s", std::move(op), least, most, apply, std::move(about));
    };
    return {
        s("len", 0, 0, len, "Length in bytes"),
        s("int", 0, 0, to_int, "The text as a number; null when it is none"),
        s("intv", 0, 0, leading_int, "The number the text begins with, or 0"),
        s("numeric", 0, 0, digits_only, "Its digits"),
        s("tolower", 0, 0, each<to_lower>, "Lower case"),
        s("toupper", 0, 0, each<to_upper>, "Upper case"),
        s("trim", 0, 0, trim_both, "Without blanks and line ends around it"),
        s("ltrim", 0, 0, trim_start, "Without blanks and line ends in front"),
        s("rtrim", 0, 0, trim_end, "Without blanks and line ends behind"),
        s("rm", 1, 1, remove_all, "Without any occurrence of the argument"),
        s("rmws", 0, 0, remove_blanks, "Without any blanks and line ends"),
        s("rmhdws", 0, 0, remove_folds, "A folded header without its folds"),
        s("rmhlws", 0, 0, remove_fold_ends, "A folded header with a blank for each fold"),
        checked(s("substr", 1, 2, substr,
                  "Part from an offset (negative: from the end), of a length (0: to the end)"),
                numbers_at<0, 1>),
        checked(s("select", 1, 2, select, "Element by index (negative: from the end) and separator"),
                index_and_separator),
        s("selectsw", 1, 2, select_prefix, "First element with that prefix"),
        checked(s("strip", 1, 1, strip<false>, "Without the first n characters"), numbers_at<0>),
        checked(s("striptail", 1, 1, strip<true>, "Without the last n characters"), numbers_at<0>),
        s("stripto", 1, 1, strip_to, "From the first occurrence on"),
        s("prefixes", 0, 1, prefixes<false>, "All prefixes, shortest first, separated by commas"),
        s("prefixes.quoted", 0, 1, prefixes<true>, "The same, each in single quotes"),
        s("replace", 2, 2, replace, "With all occurrences replaced"),
        s("before", 1, 1, before<false>, "What stands before the first occurrence"),
        s("after", 1, 1, after<false>, "What stands behind the first occurrence"),
        s("rbefore", 1, 1, before<true>, "What stands before the last occurrence"),
        s("rafter", 1, 1, after<true>, "What stands behind the last occurrence"),
        s("count", 1, 1, count, "Number of occurrences"),
        checked(s("charat", 1, 1, char_at, "Character at an index"), numbers_at<0>),
        checked(s("byteat", 1, 1, byte_at, "Byte at an index as a number"), numbers_at<0>),
        s("ftime", 1, 1, format_time, "Seconds since 1970 as local time by a strftime format"),
        s("unquote", 0, 0, unquote, "Without the quotes around it"),
        s("unbracket", 0, 0, unbracket, "Without the brackets around it"),
        checked(
            s("fmtlines", 2, 2, lines_blanks, "In lines of n characters, each but the first behind m blanks"),
            numbers_at<0, 1>),
        checked(s("fmtlinet", 2, 2, lines_tabs, "In lines of n characters, each but the first behind m tabs"),
                numbers_at<0, 1>),
    };
}

} // namespace sipyard::pv
