// core/script/pvar.cpp - reading the text of a pseudo-variable
#include "core/script/pvar.h"

#include "core/base/format.h"
#include "core/base/text.h"

namespace sipyard::script {

namespace {

constexpr bool is_name_char(char c) { return is_alnum(c) || c == '_' || c == '.' || c == '?'; }

Error bad(std::string_view text, std::string_view what)
{
    return invalid(format("{} in pvar \"{}\"", what, text));
}

// Where the parenthesis opened at `from` closes; npos when it does not.
std::size_t closing(std::string_view text, std::size_t from)
{
    int depth = 0;
    for (std::size_t i = from; i < text.size(); ++i) {
        if (text[i] == '(')
            ++depth;
        else if (text[i] == ')' && --depth == 0)
            return i;
    }
    return std::string_view::npos;
}

// Where the brace opened at `from` closes. Braces inside "$(...)" arguments belong to them; a '}' that is
// itself a one-character argument stands between a comma and another '}'.
std::size_t closing_brace(std::string_view text, std::size_t from)
{
    int parens = 0;
    for (std::size_t i = from + 1; i < text.size(); ++i) {
        if (text[i] == '$' && i + 1 < text.size() && text[i + 1] == '(') {
            ++parens;
            ++i;
        } else if (parens > 0 && text[i] == '(') {
            ++parens;
        } else if (parens > 0 && text[i] == ')') {
            --parens;
        } else if (parens == 0 && text[i] == '}') {
            if (text[i - 1] == ',' && i + 1 < text.size() && text[i + 1] == '}')
                continue;
            return i;
        }
    }
    return std::string_view::npos;
}

// The part of `text` inside the outer parentheses of "$(...)", or name(inner) of the short form.
Result<std::string_view> take_inner(std::string_view whole, std::string_view text, std::size_t& at)
{
    const std::size_t end = closing(text, at);
    if (end == std::string_view::npos)
        return bad(whole, "missing ')'");
    const auto inner = text.substr(at + 1, end - at - 1);
    at = end + 1;
    return inner;
}

} // namespace

Result<PvarText> read_pvar(std::string_view text)
{
    if (text.size() < 2 || text[0] != '$')
        return bad(text, "missing name");
    PvarText read;
    const bool long_form = text[1] == '(';
    std::size_t at = long_form ? 2 : 1;
    std::size_t end = text.size();
    if (long_form) {
        end = closing(text, 1);
        if (end == std::string_view::npos)
            return bad(text, "missing ')'");
    }
    const std::string_view area = text.substr(0, end);
    while (long_form && at < end && is_space(area[at]))
        ++at;
    const std::size_t name_at = at;
    while (at < end && is_name_char(area[at]))
        ++at;
    read.name = area.substr(name_at, at - name_at);
    if (read.name.empty())
        return bad(text.substr(0, long_form ? end + 1 : 2), "missing name");
    if (at < end && area[at] == '(') {
        TRY(read.inner, take_inner(text, area, at));
    }
    if (!long_form) {
        read.text = text.substr(0, at);
        return read;
    }
    if (at < end && area[at] == '[') {
        const auto close = area.find(']', at);
        if (close == std::string_view::npos)
            return bad(text, "missing ']'");
        read.index = area.substr(at + 1, close - at - 1);
        at = close + 1;
    }
    if (at < end && area[at] == '{') {
        read.steps = area.substr(at);
        at = end;
    }
    while (at < end && is_space(area[at]))
        ++at;
    if (at != end)
        return bad(text.substr(0, end + 1), format("unexpected '{}'", area.substr(at)));
    read.text = text.substr(0, end + 1);
    return read;
}

Result<StepText> take_step(std::string_view& steps,
                           bool (*is_raw)(const void*, std::string_view, std::string_view), const void* who)
{
    if (steps.empty() || steps[0] != '{')
        return invalid(format("expected '{{' of a transformation at '{}'", steps));
    StepText step;
    std::size_t at = 1;
    while (at < steps.size() && is_space(steps[at]))
        ++at;
    const std::size_t start = at;
    while (at < steps.size() && steps[at] != ',' && steps[at] != '}')
        ++at;
    if (at == steps.size())
        return invalid(format("missing '}}' in transformation '{}'", steps));
    const auto name = trim(steps.substr(start, at - start));
    const auto dot = name.find('.');
    if (dot == std::string_view::npos || dot == 0)
        return invalid(format("transformation '{}' is not class.operation", name));
    step.class_name = name.substr(0, dot);
    step.op = name.substr(dot + 1);
    if (steps[at] == '}') {
        steps.remove_prefix(at + 1);
        return step;
    }
    std::size_t close = std::string_view::npos;
    if (is_raw(who, step.class_name, step.op)) {
        // Patterns may hold braces: /a{2}/b/ ends where the text ends, or where another transformation
        // begins.
        for (std::size_t i = steps.find('}', at); i != std::string_view::npos; i = steps.find('}', i + 1)) {
            const auto rest = steps.substr(i + 1);
            const bool next_step = rest.size() > 2 && rest[0] == '{' && is_alpha(rest[1]);
            if (rest.empty() || next_step) {
                close = i;
                break;
            }
        }
    } else {
        close = closing_brace(steps, 0);
    }
    if (close == std::string_view::npos || close < at)
        return invalid(format("missing '}}' in transformation '{}'", steps));
    step.arguments = steps.substr(at + 1, close - at - 1);
    steps.remove_prefix(close + 1);
    return step;
}

std::vector<std::string_view> split_arguments(std::string_view arguments)
{
    std::vector<std::string_view> found;
    std::size_t at = 0;
    for (;;) {
        if (at < arguments.size() && arguments[at] == ',') { // the separator character as an argument
            found.push_back(arguments.substr(at, 1));
            ++at;
        } else {
            const std::size_t start = at;
            int parens = 0;
            for (; at < arguments.size() && (arguments[at] != ',' || parens > 0); ++at) {
                if (arguments[at] == '(' && (parens > 0 || (at > start && arguments[start] == '$')))
                    ++parens;
                else if (arguments[at] == ')' && parens > 0)
                    --parens;
            }
            found.push_back(arguments.substr(start, at - start));
        }
        if (at >= arguments.size())
            return found;
        ++at;                         // the comma between two
        if (at == arguments.size()) { // "a," has an empty second argument
            found.push_back({});
            return found;
        }
    }
}

} // namespace sipyard::script
