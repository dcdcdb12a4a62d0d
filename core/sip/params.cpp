// core/sip/params.cpp - parameters, walked where they stand
#include "core/sip/params.h"

#include "core/base/text.h"
#include "core/sip/lists.h"

namespace sipyard::sip {

bool ParamsView::next(std::string_view& rest, Param& out)
{
    std::size_t at = 0;
    const auto size = rest.size();
    while (at < size && (rest[at] == ';' || is_space(rest[at])))
        ++at;
    if (at == size) {
        rest = {};
        return false;
    }
    const std::size_t name_begin = at;
    while (at < size && rest[at] != '=' && rest[at] != ';')
        ++at;
    out.name = trim_right(rest.substr(name_begin, at - name_begin));
    out.has_value = at < size && rest[at] == '=';
    out.value = {};
    if (out.has_value) {
        ++at;
        while (at < size && is_space(rest[at]))
            ++at;
        const std::size_t value_begin = at;
        if (at < size && rest[at] == '"') {
            const auto end = skip_quoted(rest, at);
            at = end == std::string_view::npos ? size : end;
        }
        while (at < size && rest[at] != ';')
            ++at;
        out.value = trim_right(rest.substr(value_begin, at - value_begin));
    }
    rest.remove_prefix(at);
    return true;
}

std::optional<Param> ParamsView::get(std::string_view name) const
{
    Param param;
    for (auto rest = text_; next(rest, param);)
        if (iequals(param.name, name))
            return param;
    return {};
}

std::optional<std::string_view> ParamsView::find(std::string_view name) const
{
    Param param;
    for (auto rest = text_; next(rest, param);)
        if (iequals(param.name, name))
            return unquote(param.value);
    return {};
}

bool ParamsView::has(std::string_view name) const { return get(name).has_value(); }

bool ParamsView::is_closed() const
{
    if (text_.find('"') == std::string_view::npos)
        return true;
    Param param;
    for (auto rest = text_; next(rest, param);)
        if (!param.value.empty() && param.value.front() == '"' &&
            skip_quoted(param.value, 0) == std::string_view::npos)
            return false;
    return true;
}

Complaint ParamsView::check() const
{
    Param param;
    for (auto rest = text_; next(rest, param);) {
        if (!is_token(param.name))
            return "a parameter name has characters that no token may have";
        if (!param.has_value)
            continue;
        if (param.value.empty())
            return "a parameter has '=' and no value";
        if (param.value.front() == '"') {
            if (skip_quoted(param.value, 0) != param.value.size())
                return "a quoted parameter value is not closed or has text behind it";
        } else {
            for (const char c : param.value)
                if (!is_token_char(c) && c != '[' && c != ']' && c != ':')
                    return "a parameter value is neither token, host nor quoted string";
        }
    }
    return {};
}

} // namespace sipyard::sip
