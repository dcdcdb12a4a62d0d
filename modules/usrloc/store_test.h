// modules/usrloc/store_test.h - short words for the tests of the location store
#pragma once

#include "modules/usrloc/usrloc.h"
#include "test/support/fake_host.h"

#include <string>
#include <string_view>
#include <vector>

namespace sipyard::usrloc {

// Inserts, or replaces the one of the same URI.
struct Put final : Writer {
    const Api& api;
    ContactView view;
    explicit Put(const Api& a) : api{a} {}
    Result<void> plan(std::span<const ContactView> there, std::vector<Change>& changes) override
    {
        const ContactView* const same = api.match(there, view);
        if (same)
            changes.push_back({Change::Step::update, static_cast<std::size_t>(same - there.data()), view});
        else
            changes.push_back({Change::Step::insert, 0, view});
        return {};
    }
};

// What a reader saw.
struct Names final : Reader {
    std::vector<std::string> list, call_ids, ruids;
    void read(std::span<const ContactView> contacts) override
    {
        for (const ContactView& c : contacts) {
            list.emplace_back(c.contact);
            call_ids.emplace_back(c.call_id);
            ruids.emplace_back(c.ruid);
        }
    }
};

// `seconds` from the start of MovableClock's wall clock, 0: for ever. Times of a test are given from its
// start.
inline constexpr std::int64_t start_of_clock = 1'767'225'600;

inline Result<void> try_put(Api& store, std::string_view aor, std::string_view contact, int seconds,
                            int q = -1, std::string_view call_id = "c", std::string_view table = "location")
{
    Put writer{store};
    writer.view.contact = contact;
    writer.view.call_id = call_id;
    writer.view.user_agent = "a phone of a test 1.2.3";
    writer.view.expires = seconds == 0 ? 0 : start_of_clock + seconds;
    writer.view.last_modified = start_of_clock;
    writer.view.q = q;
    writer.view.cseq = 1;
    return store.change(table, aor, Api::Storage::as_configured, writer);
}
inline void put(Api& store, std::string_view aor, std::string_view contact, int seconds, int q = -1,
                std::string_view call_id = "c")
{
    must(try_put(store, aor, contact, seconds, q, call_id));
}

// "sip:a@h sip:b@h"
inline std::string contacts(Api& store, std::string_view aor)
{
    Names names;
    must(store.lookup("location", aor, names));
    std::string text;
    for (const std::string& name : names.list)
        text += (text.empty() ? "" : " ") + name;
    return text;
}
inline std::string ruid_of(Api& store, std::string_view aor)
{
    Names names;
    must(store.lookup("location", aor, names));
    return names.ruids.empty() ? std::string{} : names.ruids.front();
}

} // namespace sipyard::usrloc
