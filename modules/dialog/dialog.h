// modules/dialog/dialog.h - calls that pass through, followed from INVITE to BYE: the module's state and
// functions
#pragma once

#include "core/json/value.h"
#include "core/module/module.h"
#include "modules/dialog/agenda.h"
#include "modules/dialog/api.h"
#include "modules/dialog/profiles.h"
#include "modules/dialog/settings.h"
#include "modules/dialog/state.h"
#include "modules/dialog/store.h"
#include "modules/dialog/table.h"
#include "modules/rr/api.h"
#include "modules/tm/api.h"

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::dialog {

class Dialogs;

// What a request in hand has to do with dialogs; in its request slot.
struct Context {
    Context() = default;
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;
    ~Context(); // a dialog for which no transaction was made is forgotten

    Dialogs* owner = nullptr;
    CallPtr call;
    Direction direction = Direction::none;
    const sip::Message* looked = nullptr; // the message its dialog was looked for
    bool made_here = false, followed = false;
    // $dlg_ctx and $dlg_var, set before there is a dialog
    std::int64_t on = 0, timeout = 0, cpid = 0;
    std::uint32_t flags = 0;
    bool timeout_bye = false;
    std::string timeout_route;
    std::vector<std::pair<std::string, std::string>> variables;
};

class Dialogs final : public Api, public tm::Watcher, public rr::Listener {
public:
    using Settings = dialog::Settings;
    static Manifest<Dialogs> manifest();
    Dialogs(const Settings& settings, Host& host);
    ~Dialogs() override;

    // Api
    std::optional<Dialog> find(std::string_view call_id, std::string_view from_tag,
                               std::string_view to_tag) override;
    std::optional<Dialog> of(Request& request) override;
    std::vector<Dialog> list(std::size_t most) override;
    std::optional<Dialog> at(std::uint32_t entry, std::uint32_t id) override;
    std::int64_t remaining(std::uint32_t entry, std::uint32_t id) override;
    std::int64_t lifetime(std::uint32_t entry, std::uint32_t id) override;
    std::optional<std::string> variable_of(std::uint32_t entry, std::uint32_t id,
                                           std::string_view key) override;
    bool set_variable(std::uint32_t entry, std::uint32_t id, std::string_view key,
                      std::string_view value) override;
    void add_listener(EndListener& listener) override
    {
        end_listeners_.push_back(&listener);
    } // at construction only
    Result<void> terminate(std::uint32_t entry, std::uint32_t id, Side side,
                           std::string_view headers) override;
    // tm::Watcher
    tm::Moments wants(Request& request, std::uint64_t& note) override;
    void on(const tm::Happening& happening) override;
    // rr::Listener
    void on_loose_route(Request& request, sip::ParamsView params) override;

private:
    friend struct Context;

    // --- following.cpp: messages to states ---
    Verdict manage(Request& request);
    CallPtr create(Request& request, Context& context);
    void follow(Request& request, Context& context); // a request within its dialog
    void on_reply(const CallPtr& call, const tm::Happening& happening);
    void tell_script(const CallPtr& call, const tm::Happening& happening);
    void on_refresh(const CallPtr& call, const tm::Happening& happening);
    Context& context(Request& request);
    CallPtr current(Request& request); // of any message; null when it belongs to none
    std::int64_t lifetime(Request& request, const Context& context) const;
    struct Change {
        State from, to;
        Dialog now;
    };
    // Applies the event and `more` under the dialog's lock; nothing when the state stays.
    std::optional<Change> advance(const CallPtr& call, Event event,
                                  const std::function<void(Facts&)>& more = {});
    void changed(const CallPtr& call, const Dialog& now, End end = End::none);
    void forget(const CallPtr& call);
    void set_deadline(const CallPtr& call, Facts& facts, Instant when);
    Instant after(std::int64_t seconds) const { return host_.clock().now() + std::chrono::seconds{seconds}; }
    void run_event(std::string_view event, Request& request, EndListener::How how = EndListener::How::ended);
    void run_event(std::string_view event, const CallPtr& call,
                   EndListener::How how = EndListener::How::ended); // no message in hand
    void with_made_up(const CallPtr& call, const std::function<void(Request&)>& f);

    // --- ending.cpp: timeouts and requests of our own ---
    void due(const Agenda::Item& item);
    void on_deadline(const CallPtr& call);
    void on_keepalive(const CallPtr& call);
    void begin_keepalive(const CallPtr& call);
    bool send(const CallPtr& call, Side to, std::string_view method, std::string_view headers,
              tm::OnReply on_reply);
    void bye(const CallPtr& call, Side side, std::string_view headers);

    // --- functions.cpp ---
    Verdict dlg_bye(Request& request, std::string_view side);
    Verdict dlg_get(Request& request, std::string_view call_id, std::string_view from_tag,
                    std::string_view to_tag);
    Verdict is_known_dlg(Request& request);
    Verdict dlg_isflagset(Request& request, std::int64_t flag);
    Verdict dlg_setflag(Request& request, std::int64_t flag);
    Verdict dlg_resetflag(Request& request, std::int64_t flag);
    Verdict set_profile(Request& request, std::string_view profile, std::optional<std::string_view> value);
    Verdict unset_profile(Request& request, std::string_view profile, std::optional<std::string_view> value);
    Verdict is_in_profile(Request& request, std::string_view profile, std::optional<std::string_view> value);
    Verdict profile_size(Request& request, std::string_view profile, const VariableRef& size);
    Verdict profile_value_size(Request& request, std::string_view profile, std::string_view value,
                               const VariableRef& size);
    Verdict set_timeout(Request& request, std::int64_t seconds, std::optional<std::int64_t> entry,
                        std::optional<std::int64_t> id);
    Verdict set_timeout_by_profile(Request& request, std::string_view profile, std::int64_t seconds);
    Verdict set_timeout_by_profile_value(Request& request, std::string_view profile, std::string_view value,
                                         std::int64_t seconds);
    Verdict set_property(Request& request, std::string_view property)
    {
        return put_property(request, property, true);
    }
    Verdict reset_property(Request& request, std::string_view property)
    {
        return put_property(request, property, false);
    }
    Verdict put_property(Request& request, std::string_view property, bool value);
    Verdict remote_profile(Request& request, std::string_view command, std::string_view profile,
                           std::string_view value, std::string_view uid, std::int64_t expires);
    Verdict set_ruri(Request& request);
    Verdict db_load_callid(Request& request, std::string_view call_id);
    Verdict db_load_extra(Request& request);
    std::optional<std::size_t> profile_named(std::string_view profile) const;
    void new_timeout(const CallPtr& call, std::int64_t seconds);

    // --- variables.cpp ---
    Value count_value(Request& request);
    Value status_value(Request& request);
    Value lifetime_value(Request& request);
    Value part_value(Request& request, std::string_view part);
    Value context_value(Request& request, std::string_view part);
    bool set_context_value(Request& request, std::string_view part, const sipyard::Value& value);
    Value variable_value(Request& request, std::string_view variable);
    bool set_variable_value(Request& request, std::string_view variable, const sipyard::Value& value);
    using Variables = std::vector<std::pair<std::string, std::string>>;
    bool put_variable(Variables& list, std::string_view key, std::optional<std::string_view> value);
    bool put_variable(const CallPtr& call, std::string_view key, std::optional<std::string_view> value);
    std::optional<VariableSpec::Refusal> check_part(std::string_view part) const;
    std::optional<VariableSpec::Refusal> check_context(std::string_view part) const;

    // --- commands.cpp ---
    using Json = Result<json::Value>;
    Json list_command(const json::Value& params);
    Json match_command(const json::Value& params);
    Json one_command(const json::Value& params);
    Json briefing_command(const json::Value& params);
    Json end_command(const json::Value& params);
    Json terminate_command(const json::Value& params);
    Json set_state_command(const json::Value& params);
    Json profile_size_command(const json::Value& params);
    Json profile_list_command(const json::Value& params);
    Json stats_command(const json::Value& params);
    Json alive_command(const json::Value& params);
    Json set_var_command(const json::Value& params);
    json::Value described(const Facts& facts) const;

    // --- keeping.cpp: the database ---
    void start_keeping();
    void stored_later(const CallPtr& call);
    void write(const CallPtr& call);
    void write_all();
    enum class Tell : unsigned char { yes, no };
    std::size_t restore(std::vector<Facts> rows, Tell tell);

    const Settings settings_;
    Host& host_;
    const log::Logger log_;
    const Slot<Context> slot_;
    tm::Api& tm_;
    rr::Api& rr_;
    Table table_;
    Profiles profiles_;
    const std::shared_ptr<const VariableRef> timeout_variable_; // timeout_avp; null without one
    const std::unique_ptr<Store> store_;                        // null with db_mode 0
    Counter &active_, &early_, &processed_, &expired_, &failed_;
    Agenda agenda_;
    std::vector<EndListener*> end_listeners_; // fixed once the server runs
    static constexpr std::size_t write_lanes = 16;
    std::array<task::Strand, write_lanes> writes_; // of one dialog in order
    std::unique_ptr<task::Timer> write_timer_;     // db_mode 2; worker 0's
};

} // namespace sipyard::dialog
