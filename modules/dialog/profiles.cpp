// modules/dialog/profiles.cpp - named sets of dialogs
#include "modules/dialog/profiles.h"

#include "core/base/format.h"
#include "core/base/text.h"

#include <algorithm>

namespace sipyard::dialog {

Profiles::Profiles(std::string_view with_value, std::string_view without_value)
{
    define(with_value, true);
    define(without_value, false);
}

void Profiles::define(std::string_view names, bool has_value)
{
    for (const std::string_view piece : split(names, ';')) {
        // "name/b" asks Kamailio's other modules to carry it; here there are none.
        std::string_view rest = trim(piece);
        const std::string_view profile = trim(cut(rest, '/'));
        if (profile.empty())
            continue;
        if (!std::all_of(profile.begin(), profile.end(), [](char c) { return is_alnum(c) || c == '_'; }))
            throw StartupError{format("dialog: bad profile name '{}'", profile)};
        if (find(profile))
            throw StartupError{format("dialog: the profile '{}' is defined twice", profile)};
        all_.push_back(std::make_unique<Profile>(std::string{profile}, has_value));
    }
}

std::optional<std::size_t> Profiles::find(std::string_view name) const
{
    for (std::size_t n = 0; n < all_.size(); ++n)
        if (all_[n]->name == name)
            return n;
    return {};
}

void Profiles::add(std::size_t profile, const std::string& value)
{
    all_[profile]->counts.with([&](Counts& counts) {
        ++counts.total;
        if (all_[profile]->has_value)
            ++counts.by_value[value];
    });
}

void Profiles::remove(std::size_t profile, const std::string& value)
{
    all_[profile]->counts.with([&](Counts& counts) {
        --counts.total;
        if (const auto found = counts.by_value.find(value);
            found != counts.by_value.end() && --found->second == 0)
            counts.by_value.erase(found);
    });
}

std::size_t Profiles::size(std::size_t profile, std::optional<std::string_view> value, std::int64_t now) const
{
    if (!all_[profile]->has_value)
        value = {};
    return all_[profile]->counts.with([&](Counts& counts) {
        std::erase_if(counts.remote, [&](const auto& item) { return item.second.expires <= now; });
        const auto remote = std::count_if(counts.remote.begin(), counts.remote.end(), [&](const auto& item) {
            return !value || item.second.value == *value;
        });
        std::size_t local = counts.total;
        if (value) {
            const auto found = counts.by_value.find(*value);
            local = found == counts.by_value.end() ? 0 : found->second;
        }
        return local + static_cast<std::size_t>(remote);
    });
}

void Profiles::add_remote(std::size_t profile, std::string_view value, std::string_view uid,
                          std::int64_t expires)
{
    all_[profile]->counts.with([&](Counts& counts) {
        if (counts.remote.size() < most_remote)
            counts.remote.insert_or_assign(std::string{uid}, Remote{std::string{value}, expires});
    });
}

bool Profiles::remove_remote(std::size_t profile, std::string_view uid)
{
    return all_[profile]->counts.with([&](Counts& counts) {
        const auto found = counts.remote.find(uid);
        if (found == counts.remote.end())
            return false;
        counts.remote.erase(found);
        return true;
    });
}

} // namespace sipyard::dialog
