// modules/presence_reginfo/local.h - contacts of watched users in this server's own location table
//
// merge() may not suspend, a look into the table may: what is watched is remembered here, looked up when a
// SUBSCRIBE comes and again with each change that usrloc announces. Users nobody watches cost a probe.
#pragma once

#include "core/base/clock.h"
#include "core/base/guarded.h"
#include "core/log/log.h"
#include "modules/presence/api.h"
#include "modules/presence_reginfo/registration.h"
#include "modules/usrloc/api.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sipyard::presence_reginfo {

// Thread-safe.
class LocalContacts {
public:
    static constexpr std::size_t most_watched = 1'000'000;
    static constexpr std::int64_t ended_for = 32; // seconds a contact that has ended is shown

    LocalContacts(usrloc::Api& location, std::string table, presence::Api& presence, const Clock& clock,
                  log::Logger log);

    // Somebody is about to watch. On a fiber; suspends.
    void look(std::string_view presentity);
    // What is known. For a user nobody has looked up yet (a subscription that survived a restart): nothing,
    // then the package merges again.
    std::vector<Contact> contacts(std::string_view presentity);
    // usrloc's event. On a fiber; suspends.
    void changed(const usrloc::ContactChanged& event);
    std::size_t watched() const;

private:
    struct Watched {
        std::vector<std::string> presentities; // several where usrloc knows no domains
        std::vector<Contact> active, ended;
        std::vector<std::int64_t> ended_at;                   // of each in `ended`
        std::unordered_map<std::string, ContactEvent> events; // by ruid; without: registered
        std::uint64_t version = 0;                            // grows with each change
        Instant asked{};
        bool known = false;
    };
    struct All {
        std::unordered_map<std::string, Watched> by_aor;
        Instant swept{};
        bool full = false;
    };
    std::string aor_of(std::string_view presentity) const;
    void read(const std::string& aor);
    void sweep();

    usrloc::Api& location_;
    const std::string table_;
    presence::Api& presence_;
    const Clock& clock_;
    const log::Logger log_;
    Guarded<All> all_;
};

} // namespace sipyard::presence_reginfo
