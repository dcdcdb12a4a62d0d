// modules/presence_reginfo/state.cpp - contacts brought together, and what of it watchers would miss
#include "modules/presence_reginfo/state.h"

#include "core/base/text.h"
#include "core/crypto/digest.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <tuple>
#include <utility>

namespace sipyard::presence_reginfo {
namespace {

// Pieces count with their lengths: "ab" "c" is not "a" "bc".
class Hasher {
public:
    Hasher& add(std::string_view piece)
    {
        text_ += std::to_string(piece.size());
        text_ += ':';
        text_ += piece;
        return *this;
    }
    Hasher& add(std::int64_t number) { return add(std::to_string(number)); }
    presence::ContentHash finish() const
    {
        const auto digest = crypto::digest(crypto::Algorithm::sha256, text_);
        presence::ContentHash hash;
        std::memcpy(&hash.high, digest.bytes.data(), sizeof hash.high);
        std::memcpy(&hash.low, digest.bytes.data() + sizeof hash.high, sizeof hash.low);
        return hash;
    }

private:
    std::string text_;
};

void add(Hasher& hasher, const Contact& contact, RefreshIsNews refresh)
{
    const bool ended = contact.state == ContactState::terminated;
    hasher.add("contact").add(contact.id).add(to_text(contact.state)).add(contact.uri).add(contact.q);
    hasher.add(contact.display_name).add(contact.display_lang);
    hasher.add(std::int64_t{contact.retry_after.value_or(0)});
    for (const auto& [name, value] : contact.unknown_params)
        hasher.add("param").add(name).add(value);
    // A shorter life is news of its own: the watcher may want to see to it (RFC 3680 5.3).
    const bool tells = ended || contact.event == ContactEvent::shortened || refresh == RefreshIsNews::yes;
    hasher.add(tells ? to_text(contact.event) : std::string_view{});
    if (refresh == RefreshIsNews::yes)
        hasher.add(contact.expires_at).add(contact.call_id).add(std::int64_t{contact.cseq.value_or(0)});
}

std::vector<presence::Publication> chosen(std::span<const presence::Publication> publications,
                                          Aggregate aggregate)
{
    std::vector<presence::Publication> sorted{publications.begin(), publications.end()};
    // Hard state holds when nobody says anything else (RFC 3903 6), so it comes before the others.
    std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
        return std::tuple{!a.hard_state, a.commit} < std::tuple{!b.hard_state, b.commit};
    });
    if (aggregate == Aggregate::newest && sorted.size() > 1)
        sorted.erase(sorted.begin(), sorted.end() - 1);
    return sorted;
}

using Contacts = std::map<std::string, Contact>; // by id

} // namespace

std::shared_ptr<const State> merge_state(std::string_view presentity,
                                         std::span<const presence::Publication> publications,
                                         std::span<const Contact> local, Aggregate aggregate,
                                         RefreshIsNews refresh)
{
    std::map<std::string, std::pair<RegistrationState, Contacts>, std::less<>> by_aor;
    for (const auto& publication : chosen(publications, aggregate))
        for (const Registration& one : static_cast<const Published&>(*publication.document).registrations) {
            auto& [state, contacts] = by_aor[one.aor];
            state = one.state;
            for (const Contact& contact : one.contacts)
                contacts.insert_or_assign(contact.id, contact);
        }
    if (by_aor.empty() || !local.empty()) {
        auto& contacts = by_aor[std::string{presentity}].second;
        for (const Contact& contact : local)
            contacts.insert_or_assign(contact.id, contact);
    }

    auto result = std::make_shared<State>();
    for (auto& [aor, of] : by_aor) {
        Registration registration;
        registration.aor = aor;
        // Our own: publishers would each have another one, and it must not change while the watcher looks.
        const auto digest = crypto::digest(crypto::Algorithm::sha256, aor);
        registration.id = "r" + hex(digest.view().substr(0, 8));
        registration.state = of.first;
        for (auto& [id, contact] : of.second)
            registration.contacts.push_back(std::move(contact));
        const auto place = aor == presentity ? result->registrations.begin() : result->registrations.end();
        result->registrations.insert(place, std::move(registration));
    }

    Hasher all, essence;
    for (const Registration& registration : result->registrations) {
        // init and terminated differ only in what has ended.
        const bool active = state_of(registration) == RegistrationState::active;
        for (Hasher* const one : {&all, &essence})
            one->add("registration").add(registration.aor).add(active ? "active" : "not");
        all.add(to_text(state_of(registration)));
        for (const Contact& contact : registration.contacts) {
            add(all, contact, refresh);
            if (contact.state == ContactState::active)
                add(essence, contact, refresh);
            else
                result->ended.push_back(
                    Hasher{}.add(registration.aor).add(contact.id).add(to_text(contact.event)).finish().high);
        }
    }
    std::sort(result->ended.begin(), result->ended.end());
    result->hash = all.finish();
    result->essence = essence.finish();
    return result;
}

} // namespace sipyard::presence_reginfo
