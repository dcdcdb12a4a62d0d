// modules/tls/profiles.cpp - making contexts of profiles, and finding them
#include "modules/tls/profiles.h"

#include "core/base/format.h"

namespace sipyard::tls {

Result<std::shared_ptr<const Profiles>> Profiles::load(std::vector<Profile> profiles)
{
    struct Named {
        const Profile* profile;
        std::shared_ptr<crypto::TlsContext> context;
    };
    auto loaded = std::make_shared<Profiles>();
    std::vector<Named> named;
    for (const auto& profile : profiles) {
        const bool any = profile.address.family == net::Address::Family::none;
        if (profile.settings.side == crypto::TlsSide::server && any && profile.server_name.empty() &&
            profile.settings.certificate.empty())
            continue;
        auto context = crypto::TlsContext::make(profile.settings);
        if (!context)
            return Error{context.error().kind, format("{}: {}", profile.text(), context.error().text)};
        if (profile.settings.side == crypto::TlsSide::server && !profile.server_name.empty())
            named.push_back({&profile, std::move(*context)});
        else
            loaded->rows_.push_back({profile.settings.side, profile.address, std::move(*context)});
    }
    // Only now, for a name may stand before the address it belongs to. An address known by names only gets
    // the first of them for clients that ask for none.
    for (const auto& one : named) {
        const auto own = [&] {
            for (const auto& row : loaded->rows_)
                if (row.side == crypto::TlsSide::server && row.address == one.profile->address)
                    return true;
            return false;
        }();
        if (own)
            continue;
        // A context of its own: two that know each other by name would keep each other alive.
        TRY(auto context, crypto::TlsContext::make(one.profile->settings));
        loaded->rows_.push_back({crypto::TlsSide::server, one.profile->address, std::move(context)});
    }
    for (auto& row : loaded->rows_)
        for (const auto& one : named) {
            const bool fits = one.profile->address == row.address ||
                              one.profile->address.family == net::Address::Family::none;
            if (row.side != crypto::TlsSide::server || !fits)
                continue;
            if (!one.profile->only_subdomains)
                row.context->add_name(one.profile->server_name, one.context);
            if (one.profile->subdomains)
                row.context->add_name("*." + one.profile->server_name, one.context);
        }
    loaded->profiles_ = std::move(profiles);
    return std::shared_ptr<const Profiles>{std::move(loaded)};
}

std::shared_ptr<crypto::TlsContext> Profiles::of(crypto::TlsSide side, const net::Address& address) const
{
    std::shared_ptr<crypto::TlsContext> fallback;
    for (const auto& row : rows_) {
        if (row.side != side)
            continue;
        if (row.address == address)
            return row.context;
        if (row.address.family == net::Address::Family::none)
            fallback = row.context; // a later default replaces an earlier one
    }
    return fallback;
}

} // namespace sipyard::tls
