// modules/rr/rr.h - Record-Route and Route: the module's state and functions
#pragma once

#include "core/module/module.h"
#include "core/sip/edits.h"
#include "core/sip/message.h"
#include "modules/rr/api.h"
#include "modules/rr/route_set.h"

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sipyard::rr {

class RecordRoute final : public Api {
public:
    struct Settings {
        bool enable_full_lr = false;
        bool append_fromtag = true;
        int enable_double_rr = 1; // 0 never, 1 when the sockets differ, 2 always
        bool add_username = false;
        bool enable_socket_mismatch_warning = true;
        std::string custom_user_avp;
        bool force_send_socket = false;
        bool ignore_sips = false;
        bool sockname_mode = false;
    };
    static Manifest<RecordRoute> manifest();
    RecordRoute(const Settings& settings, Host& host);

    Result<void> add_param(Request& request, std::string_view text) override;
    std::optional<std::string_view> route_param(Request& request, std::string_view param) override;
    Direction direction(Request& request) override;
    void add_listener(Listener& listener) override;
    void set_flow_tokens(FlowTokens& tokens) override;

private:
    // What we know about the request in hand.
    struct Seen {
        std::string_view pending_params; // add_rr_param() before record_route()
        const sip::Message* of =
            nullptr;         // the message the rest is about: msg_apply_changes() makes another one
        bool looked = false; // own_params is settled
        bool done = false;   // loose_route() has run
        bool next_is_route = false;
        int code = -1; // what it answered
        sip::ParamsView own_params;
    };

    // record.cpp
    Verdict record_route(Request& request, std::optional<std::string_view> params);
    Verdict record_route_preset(Request& request, std::string_view first,
                                std::optional<std::string_view> second);
    Verdict record_route_advertised_address(Request& request, std::string_view address);
    Verdict remove_record_route(Request& request);
    Verdict add_rr_param(Request& request, std::string_view text);
    bool may_record(Request& request) const;
    std::string_view uri_start(Request& request) const;                                 // "sip:user@"
    std::string_view uri_end(Request& request, std::string_view params, bool lr_first); // ";lr;ftag=...>CRLF"
    std::string_view user_part(Request& request) const;
    std::string_view dialog_tag(Request& request);
    std::size_t place(const Request& request) const;

    // rr.cpp
    Verdict loose_route(Request& request) { return Verdict{route(request, RuriMeaning::may_be_our_route)}; }
    Verdict loose_route_preloaded(Request& request);
    Verdict loose_route_mode(Request& request, std::int64_t mode);
    Verdict check_route_param(Request& request, const Regex& pattern);
    Verdict is_direction(Request& request, Literal direction);
    Verdict rr_next_hop_route(Request& request);
    int route(Request& request, RuriMeaning meaning);
    int carry_out(Request& request, const Plan& plan, bool preloaded);
    bool follow_flow(Request& request, const Plan& plan, int& code);
    void edit_routes(Request& request, const Plan& plan) const;
    void choose_socket(Request& request, const Plan& plan) const;
    bool is_mine(Request& request, const sip::Uri& uri) const;
    const net::Listener* socket_of(const sip::Uri& uri) const;
    Seen& seen(Request& request);
    sip::ParamsView own_params(Request& request);

    Value route_uri(Request& request);
    Value direction_part(Request& request, std::string_view part);
    Value first_tag(Request& request);
    Value second_tag(Request& request);

    const Settings settings_;
    Host& host_;
    const log::Logger log_;
    const Slot<Seen> slot_;
    const std::shared_ptr<const VariableRef> custom_user_; // null without custom_user_avp
    // Written while modules are constructed, read-only afterwards.
    Guarded<std::array<Listener*, 8>> listeners_;
    Guarded<FlowTokens*> flow_tokens_;
};

} // namespace sipyard::rr
