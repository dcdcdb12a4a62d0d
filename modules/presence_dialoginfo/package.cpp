// modules/presence_dialoginfo/package.cpp - settings, phone and script decide the view
#include "modules/presence_dialoginfo/package.h"

#include "modules/presence_dialoginfo/read.h"

#include <utility>

namespace sipyard::presence_dialoginfo {

namespace {

const State& state_of(const presence::Composite& composite) { return static_cast<const State&>(composite); }

presence::Traits traits_of(const Settings& settings)
{
    const auto seconds = [](std::string_view name, int value) {
        if (value < 1)
            throw StartupError{format("{}: {} is not a number of seconds of at least 1", name, value)};
        return static_cast<std::uint32_t>(value);
    };
    const std::uint32_t standard = seconds("default_expires", settings.default_expires),
                        least = seconds("min_expires", settings.min_expires),
                        most = seconds("max_expires", settings.max_expires),
                        publish_least = seconds("min_publish_expires", settings.min_publish_expires);
    if (least > 3600) // 423 must not be sent for more than an hour (RFC 6665 4.2.1.1)
        throw StartupError{format("min_expires: {} is more than 3600", least)};
    if (least > most || publish_least > most)
        throw StartupError{format("max_expires: {} is less than the minimum", most)};
    presence::Traits traits;
    traits.name = "dialog";
    traits.publish_types = {std::string{sip::dialog_info_type}};
    traits.notify_types = traits.publish_types;
    traits.subscribe = {.standard = standard, .least = least, .most = most};
    traits.publish = {.standard = standard, .least = publish_least, .most = most};
    traits.notify_interval = std::chrono::milliseconds{settings.notify_interval_ms.count};
    return traits;
}

// A Contact's URI without what does not tell dialogs apart: name, brackets, header parameters.
std::string_view uri_of(std::string_view contact)
{
    contact = trim(contact);
    const auto open = contact.find('<');
    if (open == std::string_view::npos)
        return contact;
    contact.remove_prefix(open + 1);
    return contact.substr(0, contact.find('>'));
}

} // namespace

DialogPackage::DialogPackage(const Settings& settings, Counters counters)
    : settings_{settings}, traits_{traits_of(settings)}, quirks_{settings.quirks ? settings.quirk_rules
                                                                                 : std::vector<QuirkRule>{},
                                                                 settings.quirks},
      counters_{counters}
{
}

std::variant<presence::DocumentPtr, presence::Refusal>
DialogPackage::parse(const presence::PublishView& publish)
{
    const auto document =
        read_dialog_info(publish.body, settings_.lax_namespace ? Namespace::lax : Namespace::strict,
                         static_cast<const Published*>(publish.before.get()));
    if (!document) {
        counters_.refused.add();
        return presence::Refusal{400, document.error().text, {}};
    }
    counters_.documents.add();
    return presence::DocumentPtr{*document};
}

presence::CompositePtr DialogPackage::merge(std::string_view,
                                            std::span<const presence::Publication> publications,
                                            const presence::CompositePtr& before)
{
    counters_.merges.add();
    return presence_dialoginfo::merge(publications, static_cast<const State*>(before.get()));
}

presence::Variant DialogPackage::variant(const presence::SubscribeView& subscribe)
{
    View view;
    view.privacy = settings_.dialog_privacy;
    view.single = settings_.force_single_dialog;
    view.idle = settings_.force_dummy_dialog && settings_.idle_body == IdleBody::empty ? IdleBody::dummy
                                                                                       : settings_.idle_body;
    quirks_.of(subscribe.user_agent).apply(view);
    // What the user's own devices see of his calls is his (RFC 4235 3.7.2).
    if (subscribe.watcher == subscribe.presentity)
        view.privacy = Privacy::full;
    read_quirks(subscribe.quirks).apply(view); // words of the presence server itself are among them
    if (const auto privacy = FromText<Privacy>::parse(subscribe.privacy); privacy)
        view.privacy = *privacy;
    read_event_params(subscribe.event_params, view);
    if (settings_.suppress_own_dialogs && view.filter.is_empty())
        view.own_contact = uri_of(subscribe.contact);
    return view.variant();
}

presence::BodyPtr DialogPackage::render(std::string_view presentity, const presence::Composite& composite,
                                        const presence::Variant& variant)
{
    counters_.renderings.add();
    return render_full(presentity, state_of(composite), View::of(variant), settings_.dummy_id);
}

presence::BodyPtr DialogPackage::partial(std::string_view presentity, const presence::Composite& before,
                                         const presence::Composite& now, const presence::Variant& variant)
{
    if (!settings_.partial_notify)
        return {};
    return render_partial(presentity, state_of(before), state_of(now), View::of(variant), settings_.dummy_id);
}

bool DialogPackage::is_over(const presence::Composite& composite, const presence::Variant& variant)
{
    return presence_dialoginfo::is_over(state_of(composite), View::of(variant));
}

presence::BodyPtr DialogPackage::render_blocked(std::string_view presentity, const presence::Variant& variant)
{
    return render_full(presentity, State{}, View::of(variant), settings_.dummy_id);
}

} // namespace sipyard::presence_dialoginfo
