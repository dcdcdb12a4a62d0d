// modules/presence/subscribe.cpp - a SUBSCRIBE taken apart and checked
#include "modules/presence/subscribe.h"

#include "core/base/text.h"

namespace sipyard::presence {
namespace {

using sip::HeaderName;

std::optional<Refusal> check_rest(const sip::Message& request, const Traits& traits,
                                  const SubscribeRules& rules, SubscribeOrder& order)
{
    auto expires = granted_expires(request, rules.lifetimes, rules.short_expires);
    if (auto* const refusal = std::get_if<Refusal>(&expires))
        return std::move(*refusal);
    order.expires = std::get<std::uint32_t>(expires);
    if (!trim(order.accept).empty() && !rules.accept_anything &&
        !accepts_any(order.accept, traits.notify_types))
        return Refusal{406, "Not Acceptable", "Accept: " + join(traits.notify_types, ", ") + "\r\n"};
    if (!order.body.empty() && !is_listed(order.content_type, traits.subscribe_types))
        return unsupported_type(traits.subscribe_types);
    return {};
}

} // namespace

std::variant<SubscribeOrder, Refusal> read_subscribe(const sip::Message& request, const Traits& traits,
                                                     const SubscribeRules& rules, std::string& storage)
{
    if (auto refusal = check_require(request, {}))
        return std::move(*refusal);
    SubscribeOrder order;
    order.call_id = request.call_id();
    order.from_tag = request.from_tag();
    order.to_tag = request.to_tag();
    if (order.call_id.empty())
        return Refusal{400, "Missing Call-ID", {}};
    if (order.from_tag.empty())
        return Refusal{400, "Missing From tag", {}};
    if (!request.cseq())
        return Refusal{400, "Invalid CSeq", {}};
    order.cseq = request.cseq()->number;
    const auto contacts = request.contacts();
    sip::Uri target;
    if (!contacts.complaint.empty() || contacts.size() != 1 || contacts[0].is_star)
        return Refusal{400, "Invalid Contact", {}};
    order.contact = contacts[0].uri;
    if (!sip::read(order.contact, target).empty() || !target.is_sip() || target.host.empty())
        return Refusal{400, "Invalid Contact", {}};
    const auto* const event = request.event();
    if (!event)
        return Refusal{489, "Bad Event", {}};
    order.event = event->package;
    order.params = event->params.text();
    order.accept = joined(request, HeaderName::accept, storage);
    order.user_agent = request.value(HeaderName::user_agent);
    order.suppress = trim(request.value(HeaderName::suppress_if_match));
    order.content_type = request.value(HeaderName::content_type);
    order.body = request.body();
    order.refusal = check_rest(request, traits, rules, order);
    return order;
}

} // namespace sipyard::presence
