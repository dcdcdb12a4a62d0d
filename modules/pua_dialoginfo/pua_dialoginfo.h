// modules/pua_dialoginfo/pua_dialoginfo.h - the calls of module dialog, published as dialog state (RFC 4235)
#pragma once

#include "core/module/module.h"
#include "modules/dialog/api.h"
#include "modules/pua/api.h"
#include "modules/pua_dialoginfo/call.h"
#include "modules/pua_dialoginfo/settings.h"
#include "modules/tm/api.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sipyard::pua_dialoginfo {

class PuaDialoginfo final : public tm::Watcher {
public:
    using Settings = pua_dialoginfo::Settings;
    static Manifest<PuaDialoginfo> manifest();
    PuaDialoginfo(const Settings& settings, Host& host);

    // tm::Watcher
    tm::Moments wants(Request& request, std::uint64_t& note) override;
    void on(const tm::Happening& happening) override;

private:
    // --- watching.cpp: what happens to a call ---
    void on_dialog(const dialog::DialogChanged& event);
    void on_reply(const CallPtr& call, const tm::Happening& happening);
    CallPtr find(std::uint32_t entry, std::uint32_t id);
    CallPtr begin(Request& request, const dialog::Dialog& dialog);
    void publish(const CallPtr& call, Facts& facts, const AllNews& news); // under the call's lock

    // --- parties.cpp: whose documents, and what they say of whom ---
    struct Parties {
        Identity caller, callee; // written as identities
        std::vector<Identity> callers, callees;
        Sides shown;
        bool hide = false;
        std::string contact, local_identity;
    };
    Parties parties_of(Request& request, const dialog::Dialog& dialog);
    void take(Facts& facts, Parties parties);
    void refresh_entities(const CallPtr& call, Request& request);
    std::vector<Identity> entities(Request& request, std::string_view avp, const VariableRef* variable,
                                   const Identity& otherwise);
    Identity callee_of(Request& request, const dialog::Dialog& dialog) const;
    bool is_served(std::string_view uri) const;
    bool has_flag(Request& request, int flag) const
    {
        return flag >= 0 && (request.flags & (1u << flag)) != 0;
    }

    // --- keeping.cpp: calls of an earlier run ---
    void keep(const CallPtr& call, const Facts& facts);
    bool restore(const dialog::Dialog& dialog);
    void restore_all();

    // --- the script's ---
    Verdict set(Request& request, std::optional<std::string_view> sides);
    Verdict set_branch_callee(Request& request, std::string_view callee);
    Verdict mute_branch(Request& request, std::optional<std::string_view> sides);
    std::optional<Sides> sides_of(std::optional<std::string_view> text) const;
    CallPtr of(Request& request);

    using Calls = std::unordered_map<std::uint64_t, CallPtr>;
    const Settings settings_;
    Host& host_;
    const log::Logger log_;
    const Slot<Wish> slot_;
    tm::Api& tm_;
    tm::Extras& tm_extras_;
    dialog::Api& dialogs_;
    pua::Api& pua_;
    const Rules rules_;
    const Includes includes_;
    const std::shared_ptr<const VariableRef> caller_variable_, callee_variable_; // null: not given
    Counter &active_, &published_;
    Guarded<Calls> calls_; // by entry and id
};

} // namespace sipyard::pua_dialoginfo
