// modules/presence/event_header.cpp - which package an Event header means, and which usage
#include "modules/presence/event_header.h"

#include "core/base/text.h"
#include "core/sip/params.h"

#include <algorithm>

namespace sipyard::presence {
namespace {

using sip::Param;
using sip::ParamsView;

bool is_rate(std::string_view name)
{
    return iequals(name, "max-rate") || iequals(name, "min-rate") || iequals(name, "adaptive-min-rate");
}

std::vector<std::string> filters_of(std::string_view params)
{
    std::vector<std::string> all;
    Param param;
    for (auto rest = params; ParamsView::next(rest, param);)
        if (!is_rate(param.name))
            all.push_back(lower(param.name) + (param.has_value ? "=" : "") + std::string{param.value});
    std::sort(all.begin(), all.end());
    return all;
}

// "0.05": NOTIFYs per second, up to ten digits behind the point (RFC 6446 9).
std::uint32_t gap_of(std::string_view params, std::string_view name)
{
    const auto text = ParamsView{params}.find(name);
    if (!text || text->empty() || text->size() > 20)
        return 0;
    double value = 0, step = 1;
    bool behind = false;
    for (const char c : *text) {
        if (c == '.' && !behind) {
            behind = true;
        } else if (is_digit(c)) {
            if (behind)
                value += (step /= 10) * (c - '0');
            else
                value = value * 10 + (c - '0');
        } else {
            return 0;
        }
    }
    if (value <= 0)
        return 0;
    return static_cast<std::uint32_t>(std::min(600'000.0, 1000.0 / value));
}

} // namespace

std::string identity_of(const Traits& traits)
{
    std::vector<std::string> params;
    for (const auto& param : traits.identity_params)
        params.push_back(lower(param));
    std::sort(params.begin(), params.end());
    std::string name = lower(traits.name);
    for (const auto& param : params)
        name += ";" + param;
    return name;
}

bool is_meant(const Traits& traits, std::string_view type, std::string_view params)
{
    if (!iequals(traits.name, type))
        return false;
    const ParamsView view{params};
    return std::all_of(traits.identity_params.begin(), traits.identity_params.end(),
                       [&](const std::string& name) { return view.has(name); });
}

std::string_view event_id(std::string_view params)
{
    const auto id = ParamsView{params}.get("id");
    return id ? id->value : std::string_view{};
}

std::string event_line(std::string_view type, std::string_view params)
{
    std::string line{type};
    if (const auto id = ParamsView{params}.get("id")) {
        line += ";id";
        if (id->has_value)
            line.append("=").append(id->value);
    }
    return line;
}

bool is_same_usage(std::string_view params, std::string_view others)
{
    return params == others || filters_of(params) == filters_of(others);
}

Pace pace_of(std::string_view params)
{
    if (params.empty())
        return {};
    return {gap_of(params, "max-rate"), gap_of(params, "min-rate")};
}

} // namespace sipyard::presence
