// core/module/via_params.cpp - fields of an xavp as Via parameters
#include "core/module/via_params.h"

#include "core/base/text.h"
#include "core/module/host.h"

#include <algorithm>

namespace sipyard {

namespace {

bool is_token(std::string_view text) // RFC 3261 25.1
{
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return is_alnum(c) || std::string_view{"-.!%*_+`'~"}.find(c) != std::string_view::npos;
    });
}

// A token, a host, or a quoted string: nothing else may stand behind the '=' (RFC 3261 25.1, gen-value).
bool is_value(std::string_view text)
{
    const bool quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
    if (quoted)
        text = text.substr(1, text.size() - 2);
    return std::all_of(text.begin(), text.end(), [quoted](char c) {
        return quoted ? static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\' && c != 0x7f
                      : is_token({&c, 1}) || c == '[' || c == ']' || c == ':';
    });
}

std::string_view params_of(Request& request, const std::string& xavp)
{
    if (xavp.empty()) // nearly always
        return {};
    std::string text, refused;
    request.with_avps([&](AvpStore& store) {
        const XavpList::Root* const root = store.xavps.root(xavp);
        if (!root)
            return;
        for (auto field = root->fields.rbegin(); field != root->fields.rend(); ++field) {
            const Value value = field->second.view();
            const std::string shown =
                value.is_integer() ? std::to_string(value.number()) : std::string{value.text()};
            if (!is_token(field->first) || !is_value(shown)) {
                refused += " " + field->first;
                continue;
            }
            text += ';';
            text += field->first;
            if (!shown.empty())
                text += "=" + shown;
        }
    });
    if (!refused.empty())
        request.host().logger("core").error("of $xavp({}) these cannot be Via parameters:{}", xavp, refused);
    return request.arena().copy(text);
}

} // namespace

std::string_view via_params(Request& request)
{
    return params_of(request, request.host().core().xavp_via_params);
}

std::string_view reply_via_params(Request& request)
{
    return params_of(request, request.host().core().xavp_via_reply_params);
}

ViaFields via_fields(Request& request)
{
    const std::string& xavp = request.host().core().xavp_via_fields;
    if (xavp.empty())
        return {};
    return request.with_avps([&](AvpStore& store) {
        ViaFields fields;
        const Value address = store.xavps.get(xavp, 0, "address", 0),
                    port = store.xavps.get(xavp, 0, "port", 0);
        if (address.is_text() && is_value(address.text()) && !address.text().starts_with('"'))
            fields.address = request.arena().copy(address.text());
        const auto number = port.is_integer() ? std::optional{port.number()} : parse_int(port.text());
        if (number && *number > 0 && *number < 65'536)
            fields.port = static_cast<std::uint16_t>(*number);
        return fields;
    });
}

} // namespace sipyard
