// modules/pv/params.h - name=value lists with a separator of the script's choice: {param.*},
// xavp_params_explode
#pragma once

#include "core/base/text.h"

#include <string_view>

namespace sipyard::pv {

struct NamedValue {
    std::string_view name;
    std::string_view value; // without its quotes
};

// Takes the next parameter; false at the end. Separators inside quotes do not count, blanks around name, '='
// and value are skipped; empty parameters too. A quote left open runs to the end.
inline bool next_param(std::string_view& rest, char separator, NamedValue& out)
{
    while (!rest.empty() && (rest.front() == separator || is_space(rest.front())))
        rest.remove_prefix(1);
    if (rest.empty())
        return false;
    char quote = '\0';
    std::size_t end = 0, equal = std::string_view::npos;
    for (; end < rest.size(); ++end) {
        const char c = rest[end];
        if (quote != '\0') {
            if (c == '\\' && end + 1 < rest.size())
                ++end;
            else if (c == quote)
                quote = '\0';
        } else if (c == separator) {
            break;
        } else if (c == '=' && equal == std::string_view::npos) {
            equal = end;
        } else if ((c == '"' || c == '\'') && equal != std::string_view::npos &&
                   trim(rest.substr(equal + 1, end - equal - 1)).empty()) {
            quote = c; // quotes count only where a value begins
        }
    }
    const auto text = rest.substr(0, end);
    rest.remove_prefix(end);
    out.name = trim(text.substr(0, equal));
    out.value = equal == std::string_view::npos ? std::string_view{} : trim(text.substr(equal + 1));
    if (out.value.size() >= 2 && (out.value.front() == '"' || out.value.front() == '\'') &&
        out.value.back() == out.value.front())
        out.value = out.value.substr(1, out.value.size() - 2);
    return true;
}

} // namespace sipyard::pv
