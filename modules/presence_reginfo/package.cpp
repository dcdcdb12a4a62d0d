// modules/presence_reginfo/package.cpp - documents and contacts in, one document of full state out
#include "modules/presence_reginfo/package.h"

#include "core/base/format.h"
#include "modules/presence_reginfo/reginfo.h"

#include <memory>
#include <utility>

namespace sipyard::presence_reginfo {
namespace {

presence::Traits traits_of(const Settings& settings)
{
    const auto standard = settings.default_expires, least = settings.min_expires, most = settings.max_expires;
    if (standard < 1 || least < 1 || most < 1)
        throw StartupError{"default_expires, min_expires and max_expires are seconds, at least 1"};
    if (least > most || least > 3600) // 423 must not be sent for more than an hour (RFC 6665 4.2.1.1)
        throw StartupError{format("min_expires: {} is more than max_expires or 3600", least)};
    presence::Traits traits;
    traits.name = "reg";
    traits.publish_types = {std::string{reginfo_type}};
    traits.notify_types = traits.publish_types;
    traits.subscribe = {.standard = static_cast<std::uint32_t>(standard),
                        .least = static_cast<std::uint32_t>(least),
                        .most = static_cast<std::uint32_t>(most)};
    traits.publish = traits.subscribe;
    return traits;
}

} // namespace

RegPackage::RegPackage(const Settings& settings, const Clock& clock, LocalContacts* local)
    : aggregate_{settings.aggregate_presentities ? Aggregate::all : Aggregate::newest},
      refresh_{settings.reg_notify_refresh ? RefreshIsNews::yes : RefreshIsNews::no},
      traits_{traits_of(settings)}, clock_{clock}, local_{local}
{
}

std::variant<presence::DocumentPtr, presence::Refusal> RegPackage::parse(const presence::PublishView& publish)
{
    const auto* const before = static_cast<const Published*>(publish.before.get());
    auto read = parse_reginfo(publish.body, clock_.unix_seconds(),
                              before ? std::span<const Registration>{before->registrations}
                                     : std::span<const Registration>{});
    if (!read)
        return presence::Refusal{400, "Malformed body: " + read.error().text, {}};
    return presence::DocumentPtr{std::make_shared<const Published>(std::move(*read))};
}

void RegPackage::prepare(const presence::SubscribeView& subscribe)
{
    if (local_)
        local_->look(subscribe.presentity);
}

presence::CompositePtr RegPackage::merge(std::string_view presentity,
                                         std::span<const presence::Publication> publications,
                                         const presence::CompositePtr&)
{
    const auto local = local_ ? local_->contacts(presentity) : std::vector<Contact>{};
    return merge_state(presentity, publications, local, aggregate_, refresh_);
}

presence::BodyPtr RegPackage::render(std::string_view, const presence::Composite& composite,
                                     const presence::Variant&)
{
    const auto& state = static_cast<const State&>(composite);
    auto written = write_reginfo(state.registrations, clock_.unix_seconds());
    auto body = std::make_shared<presence::Body>();
    body->content_type = reginfo_type;
    body->before = std::move(written.before);
    body->after = std::move(written.after);
    body->has_version = true;
    body->hash = state.hash;
    body->essence = state.essence;
    body->ended = state.ended;
    return body;
}

presence::BodyPtr RegPackage::render_blocked(std::string_view presentity, const presence::Variant& variant)
{
    return render(presentity, *merge_state(presentity, {}, {}, aggregate_, refresh_), variant);
}

} // namespace sipyard::presence_reginfo
