// modules/pv/transform_value.cpp - {val.*}, {num.*}, {line.*} and {re.subst}
#include "modules/pv/transform.h"

#include "core/base/regex.h"

#include <string>

namespace sipyard::pv {

namespace {

// --- val. ----------------------------------------------------------------------------------------

Value null_is_0(Request&, const Value& in, Args) { return in.is_null() ? Value{0} : in; }
Value null_is_empty(Request&, const Value& in, Args) { return in.is_null() ? Value{""} : in; }

// The text as it stands between the quotes of a JSON string (RFC 8259 7).
std::string_view json_text(Request& r, const Value& in)
{
    const auto text = in_text(r, in);
    char* const out = r.arena().array<char>(text.size() * 6);
    std::size_t size = 0;
    for (const char c : text) {
        constexpr std::string_view special = "\"\\\b\f\n\r\t", codes = "\"\\bfnrt";
        if (const auto at = special.find(c); at != std::string_view::npos) {
            out[size++] = '\\';
            out[size++] = codes[at];
        } else if (static_cast<unsigned char>(c) < 0x20) {
            size += std::string_view{"\\u00"}.copy(out + size, 4);
            out[size++] = "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
            out[size++] = "0123456789abcdef"[c & 15];
        } else {
            out[size++] = c;
        }
    }
    return {out, size};
}
Value json(Request& r, const Value& in, Args) { return json_text(r, in); }
Value json_quoted(Request& r, const Value& in, Args)
{
    return r.arena().concat("\"", json_text(r, in), "\"");
}

// --- num. ----------------------------------------------------------------------------------------

Value first_digit(Request& r, const Value& in, Args)
{
    const auto text = in_text(r, in);
    const auto at = text.starts_with('-') || text.starts_with('+') ? 1u : 0u;
    return parse_int(text) ? Value{text[at] - '0'} : refuse(r, "num.fdigit", "not a number", text);
}
Value last_digit(Request& r, const Value& in, Args)
{
    const auto text = in_text(r, in);
    return parse_int(text) ? Value{text.back() - '0'} : refuse(r, "num.ldigit", "not a number", text);
}

// --- line. ---------------------------------------------------------------------------------------

// Takes the next line without its end; false when there is none. The end of the last line does not begin
// another.
bool next_line(std::string_view& rest, std::string_view& line)
{
    if (rest.empty())
        return false;
    line = cut(rest, '\n');
    if (line.ends_with('\r'))
        line.remove_suffix(1);
    return true;
}
std::int64_t lines(std::string_view text)
{
    std::int64_t n = 0;
    for (std::string_view line; next_line(text, line);)
        ++n;
    return n;
}
Value line_count(Request& r, const Value& in, Args) { return lines(in_text(r, in)); }
Value line_at(Request& r, const Value& in, Args args)
{
    auto text = in_text(r, in);
    auto index = arg_number(args, 0);
    if (!index)
        return refuse(r, "line.at", "not an index", arg_text(r, args, 0));
    if (*index < 0 && (*index += lines(text)) < 0)
        return "";
    for (std::string_view line; next_line(text, line);)
        if ((*index)-- == 0)
            return line;
    return "";
}
Value line_starting(Request& r, const Value& in, Args args)
{
    auto text = in_text(r, in);
    const auto prefix = arg_text(r, args, 0);
    for (std::string_view line; next_line(text, line);)
        if (line.starts_with(prefix))
            return line;
    return "";
}

// --- re.subst ------------------------------------------------------------------------------------

Value substitute(Request& r, const Value& in, const Substitution& how)
{
    const auto text = in_text(r, in);
    std::string changed;
    return how.apply(text, how.replacement, changed) == 0 ? Value{text} : Value{r.arena().copy(changed)};
}

} // namespace

Transformations value_transformations()
{
    return {
        transformation("val", "n0", 0, 0, null_is_0, "0 in place of null"),
        transformation("val", "ne", 0, 0, null_is_empty, "\"\" in place of null"),
        transformation("val", "json", 0, 0, json, "As the inside of a JSON string"),
        transformation("val", "jsonqe", 0, 0, json_quoted, "As a JSON string, quotes included"),
        transformation("num", "fdigit", 0, 0, first_digit, "First digit of a number"),
        transformation("num", "ldigit", 0, 0, last_digit, "Last digit of a number"),
        transformation("line", "count", 0, 0, line_count, "Number of lines"),
        checked(transformation("line", "at", 1, 1, line_at, "Line by index, from 0, negative from the end"),
                numbers_at<0>),
        transformation("line", "sw", 1, 1, line_starting, "First line with that prefix"),
        transformation<Substitution>("re", "subst", substitute, "A substitution /pattern/replacement/flags"),
    };
}

} // namespace sipyard::pv
