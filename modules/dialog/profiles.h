// modules/dialog/profiles.h - named sets of dialogs: how many calls of this user, of this trunk?
#pragma once

#include "core/base/guarded.h"
#include "core/base/result.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sipyard::dialog {

// Thread-safe. Only counts are kept here; which dialog is where is written in the dialog.
class Profiles {
public:
    // "inbound; outbound": letters, digits and '_'. Throws StartupError for other names and for a name given
    // twice.
    Profiles(std::string_view with_value, std::string_view without_value);

    std::optional<std::size_t> find(std::string_view name) const;
    const std::string& name(std::size_t profile) const { return all_[profile]->name; }
    bool has_value(std::size_t profile) const { return all_[profile]->has_value; }

    void add(std::size_t profile, const std::string& value);
    void remove(std::size_t profile, const std::string& value);
    // Without a value all of the profile. Remote ones that have expired by `now` (seconds since 1970) are
    // forgotten.
    std::size_t size(std::size_t profile, std::optional<std::string_view> value, std::int64_t now) const;

    // Dialogs of other servers, told by the script.
    void add_remote(std::size_t profile, std::string_view value, std::string_view uid, std::int64_t expires);
    bool remove_remote(std::size_t profile, std::string_view uid);
    static constexpr std::size_t most_remote = 1'000'000; // of one profile; more are refused by doing nothing

private:
    struct Hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    struct Remote {
        std::string value;
        std::int64_t expires;
    };
    struct Counts {
        std::size_t total = 0;
        std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>> by_value;
        std::unordered_map<std::string, Remote, Hash, std::equal_to<>> remote; // by uid
    };
    struct Profile {
        std::string name;
        bool has_value;
        mutable Guarded<Counts> counts;
        Profile(std::string n, bool v) : name{std::move(n)}, has_value{v} {}
    };
    void define(std::string_view names, bool has_value);
    std::vector<std::unique_ptr<Profile>> all_;
};

} // namespace sipyard::dialog
