// modules/presence_mwi/package.cpp - summaries come, the newest is shown
#include "modules/presence_mwi/package.h"

#include "core/crypto/digest.h"

#include <cstring>
#include <memory>
#include <tuple>
#include <utility>

namespace sipyard::presence_mwi {
namespace {

constexpr std::string_view type = "application/simple-message-summary";

struct Published final : presence::Document {
    explicit Published(Summary its_summary) : summary{std::move(its_summary)} {}
    const Summary summary;
};

struct State final : presence::Composite {
    std::string text; // empty: a NOTIFY without a body
};

std::shared_ptr<const State> state_of(std::string text, std::string_view same)
{
    auto state = std::make_shared<State>();
    state->text = std::move(text);
    const auto digest = crypto::digest(crypto::Algorithm::sha256, same);
    std::memcpy(&state->hash.high, digest.bytes.data(), sizeof state->hash.high);
    std::memcpy(&state->hash.low, digest.bytes.data() + sizeof state->hash.high, sizeof state->hash.low);
    return state;
}
std::shared_ptr<const State> state_of(const Summary& summary)
{
    return state_of(print_summary(summary), canonical(summary));
}

presence::Traits traits_of(const Settings& settings)
{
    const auto standard = settings.default_expires, least = settings.min_expires, most = settings.max_expires;
    if (standard < 1 || least < 1 || most < 1)
        throw StartupError{"default_expires, min_expires and max_expires are seconds, at least 1"};
    if (least > most || least > 3600) // 423 must not be sent for more than an hour (RFC 6665 4.2.1.1)
        throw StartupError{format("min_expires: {} is more than max_expires or 3600", least)};
    presence::Traits traits;
    traits.name = "message-summary";
    traits.publish_types = {std::string{type}};
    traits.notify_types = traits.publish_types;
    traits.subscribe = {.standard = static_cast<std::uint32_t>(standard),
                        .least = static_cast<std::uint32_t>(least),
                        .most = static_cast<std::uint32_t>(most)};
    traits.publish = traits.subscribe;
    return traits;
}

} // namespace

SummaryPackage::SummaryPackage(const Settings& settings)
    : traits_{traits_of(settings)}, idle_{settings.mwi_idle == IdleBody::none ? state_of({}, {})
                                                                              : state_of(Summary{})}
{
}

std::variant<presence::DocumentPtr, presence::Refusal>
SummaryPackage::parse(const presence::PublishView& publish)
{
    auto summary = parse_summary(publish.body);
    if (!summary)
        return presence::Refusal{400, "Malformed body: " + summary.error().text, {}};
    return presence::DocumentPtr{std::make_shared<const Published>(std::move(*summary))};
}

presence::CompositePtr SummaryPackage::merge(std::string_view,
                                             std::span<const presence::Publication> publications,
                                             const presence::CompositePtr&)
{
    const presence::Publication* newest = nullptr;
    const auto rank = [](const presence::Publication& p) { return std::tuple{!p.hard_state, p.commit}; };
    for (const presence::Publication& one : publications)
        if (!newest || rank(one) >= rank(*newest))
            newest = &one;
    return newest ? state_of(static_cast<const Published&>(*newest->document).summary) : idle_;
}

presence::BodyPtr SummaryPackage::render(std::string_view, const presence::Composite& composite,
                                         const presence::Variant&)
{
    const auto& state = static_cast<const State&>(composite);
    if (state.text.empty())
        return nullptr;
    auto body = std::make_shared<presence::Body>();
    body->content_type = type;
    body->before = state.text;
    body->hash = body->essence = state.hash;
    return body;
}

presence::BodyPtr SummaryPackage::render_blocked(std::string_view presentity,
                                                 const presence::Variant& variant)
{
    return render(presentity, *idle_, variant);
}

} // namespace sipyard::presence_mwi
