// modules/registrar/registrar.h - REGISTER requests and the way to registered users (RFC 3261 10.3, 16.5)
#pragma once

#include "core/module/module.h"
#include "core/sip/message.h"
#include "modules/registrar/aor.h"
#include "modules/registrar/answer.h"
#include "modules/registrar/plan.h"
#include "modules/registrar/settings.h"
#include "modules/usrloc/api.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::registrar {

class Registrar final : public usrloc::ExpiryHook {
public:
    using Settings = registrar::Settings;
    static Manifest<Registrar> manifest();

    Registrar(const Settings& settings, Host& host);

    // --- script ---
    Verdict save(Request& request, std::string_view table, std::optional<std::string_view> flags,
                 std::optional<std::string_view> uri);
    Verdict send_reply(Request& request);
    Verdict lookup(Request& request, std::string_view table, std::optional<std::string_view> uri);
    Verdict lookup_to_dset(Request& request, std::string_view table, std::optional<std::string_view> uri);
    Verdict lookup_branches(Request& request, std::string_view table);
    Verdict registered(Request& request, std::string_view table, std::optional<std::string_view> uri,
                       std::optional<std::int64_t> match, std::optional<std::int64_t> action);
    Verdict unregister(Request& request, std::string_view table, std::string_view uri,
                       std::optional<std::string_view> ruid);
    Verdict add_sock_hdr(Request& request, std::string_view name);
    Verdict fetch_contacts(Request& request, std::string_view table, std::string_view uri,
                           std::string_view profile);
    Verdict free_contacts(Request& request, std::string_view profile);
    Value ulc(Request& request, std::string_view text, Index index);

    // --- usrloc::ExpiryHook ---
    bool wants() const override { return host_.has_event_route(expired_route); }
    void expired(std::string_view domain, const usrloc::ContactView& contact) override;

private:
    static constexpr std::string_view expired_route = "usrloc:contact-expired";
    enum Flag : std::int64_t {
        memory_only = 1,
        no_reply = 2,
        only_one = 4,
        exact_expires = 8,
        headers_for_reply = 16
    };
    static constexpr std::size_t most_profiles = 16; // of one request

    // A set of contacts a script looks at, $ulc(name=>...).
    struct Profile {
        std::string_view name, domain, aor;
        std::vector<usrloc::ContactView> contacts; // texts in the request's arena
    };
    struct State {    // of one request
        Reply answer; // of save() with flag 0x02; code 0: none
        std::vector<Profile> profiles;
        State() { answer.code = 0; }
    };
    // What a save works on.
    struct Saving;
    class Change;
    friend class Change;

    AorRules rules() const
    {
        return {usrloc_.uses_domain(), settings_.case_sensitive, settings_.realm_prefix};
    }
    Refusal prepare(Request& request, std::int64_t flags, std::optional<std::string_view> uri,
                    Saving& saving);
    Refusal prepare_extensions(const sip::Message& message, Saving& saving) const;
    Refusal read_path(Request& request, Saving& saving) const;
    void decide(Request& request, std::int64_t flags, Saving& saving);
    std::int64_t granted(std::optional<std::uint32_t> asked, bool exact, bool& too_brief) const; // seconds
    std::string_view received_of(Request& request, const Saving& saving) const;
    void socket_of(Request& request, usrloc::ContactView& view) const;
    void answer(Request& request, std::int64_t flags, const Saving& saving, Refusal refusal,
                std::string_view contacts);
    std::optional<std::int64_t> configured(Request& request,
                                           std::string_view field) const; // $xavp(cfg=>field), an integer
    Value configured_value(Request& request, std::string_view field) const;
    std::string_view configured_text(Request& request, std::string_view field) const;

    enum class Into : unsigned char { ruri, branches };
    Verdict find(Request& request, std::string_view table, std::string_view uri, Into into);
    Result<bool> collect(Request& request, std::string_view table, std::string_view aor,
                         std::vector<usrloc::ContactView>& to) const;
    void note(Request& request, const usrloc::ContactView& contact) const;    // xavp_rcd
    void restore(Request& request, const usrloc::ContactView& contact) const; // xavp_contact
    std::string_view next_hop(Request& request, const usrloc::ContactView& contact,
                              std::string_view& path) const;
    bool passes_filters(Request& request, const usrloc::ContactView& contact) const;
    Profile* profile(Request& request, std::string_view name, bool make);

    const Settings settings_;
    Host& host_;
    const log::Logger log_;
    usrloc::Api& usrloc_;
    const Slot<State> state_;
    std::shared_ptr<const VariableRef> received_,
        callid_; // received_avp, reg_callid_avp; shared with the host
    Counter& accepted_;
    Counter& rejected_;
};

} // namespace sipyard::registrar
