// modules/presence/publish.cpp - a PUBLISH taken apart and checked
#include "modules/presence/publish.h"

#include "core/base/text.h"

namespace sipyard::presence {
namespace {

using sip::HeaderName;

std::optional<Refusal> check_rest(const sip::Message& request, const Traits& traits,
                                  const PublishRules& rules, PublishOrder& order)
{
    auto expires = granted_expires(request, rules.lifetimes, rules.short_expires);
    if (auto* const refusal = std::get_if<Refusal>(&expires))
        return std::move(*refusal);
    order.expires = std::get<std::uint32_t>(expires);
    const bool initial = order.if_match.empty();
    if (order.expires == 0)
        return {}; // removes, or stores nothing: a body does not matter
    if (initial && order.body.empty())
        return Refusal{400, "Invalid request", {}};
    if (order.body.size() > rules.max_body)
        return Refusal{413, "Request Entity Too Large", {}};
    if (order.body.empty())
        return {};
    const auto encoding = trim(request.value(HeaderName::content_encoding));
    const auto type = request.value(HeaderName::content_type);
    if (!encoding.empty() && !iequals(encoding, "identity"))
        return unsupported_type(traits.publish_types);
    if (type.empty())
        order.content_type = traits.publish_types.empty() ? "" : lower(traits.publish_types.front());
    else if (is_listed(type, traits.publish_types))
        order.content_type = lower(trim(type.substr(0, type.find(';'))));
    else
        return unsupported_type(traits.publish_types);
    return {};
}

} // namespace

std::variant<PublishOrder, Refusal> read_publish(const sip::Message& request, const Traits& traits,
                                                 const PublishRules& rules)
{
    if (auto refusal = check_require(request, {}))
        return std::move(*refusal);
    PublishOrder order;
    if (const auto* const header = request.first(HeaderName::sip_if_match)) {
        order.if_match = trim(header->value);
        if (request.next(*header) || order.if_match.empty() ||
            order.if_match.find(',') != std::string_view::npos)
            return Refusal{400, "Invalid parameters", {}};
    }
    order.body = request.body();
    order.refusal = check_rest(request, traits, rules, order);
    return order;
}

} // namespace sipyard::presence
