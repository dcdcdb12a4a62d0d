// modules/presence/presence.h - the presence server: script functions, the api, and what carries out what
// resources decide
#pragma once

#include "core/json/value.h"
#include "core/module/module.h"
#include "core/task/fiber.h"
#include "modules/presence/agenda.h"
#include "modules/presence/api.h"
#include "modules/presence/common.h"
#include "modules/presence/notify_request.h"
#include "modules/presence/settings.h"
#include "modules/presence/table.h"
#include "modules/presence/writer.h"
#include "modules/tm/api.h"

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::presence {

// $subs(...) and $notify_reply(...): the subscription a request has led to.
struct Handled {
    std::optional<StoredSubscription> row;
    SubscriptionInfo info;
    std::string quirks;
    bool no_reply = false; // in presence:notify-reply: none came
};

class Presence final : public Api {
public:
    using Settings = presence::Settings;
    static Manifest<Presence> manifest();

    Presence(const Settings& settings, Host& host) : Presence{settings, host, make_store(settings, host)} {}
    // With a store of the caller's; null: nothing is stored.
    Presence(const Settings& settings, Host& host, std::unique_ptr<Store> store);
    ~Presence() override;

    // --- Api ---
    void add(EventPackage& package) override;
    EventPackage* find(std::string_view package) override;
    Result<std::string> presentity_of(std::string_view uri, const Traits& traits) const override;
    Result<void> publish(const LocalPublication& publication) override;
    void resource_changed(std::string_view package, std::string_view presentity) override;
    void rules_changed(std::string_view package, std::string_view presentity) override;
    void terminate(std::string_view package, std::string_view presentity, std::string_view reason,
                   std::uint32_t retry_after) override;
    CompositePtr composite(std::string_view package, std::string_view presentity) override;
    std::vector<SubscriptionInfo> subscriptions(std::string_view package,
                                                std::string_view presentity) override;

    // --- script functions ---
    Verdict handle_publish(Request& request, std::optional<std::string_view> sender);
    Verdict handle_subscribe(Request& request, std::optional<std::string_view> watcher);
    Verdict auth_status(Request& request, std::string_view watcher, std::string_view presentity);
    Verdict has_subscribers(Request& request, std::string_view presentity, std::string_view event);
    Verdict refresh_watchers(Request& request, std::string_view presentity, std::string_view event,
                             std::int64_t type, std::optional<std::string_view> file_uri,
                             std::optional<std::string_view> filename);
    Verdict update_watchers(Request& request, std::string_view presentity, std::string_view event);
    Value subs(Request& request, std::string_view attribute);
    Value notify_reply(Request& request, std::string_view value);
    std::optional<VariableSpec::Refusal> check_subs(std::string_view attribute) const;

    // --- restart ---
    void restore(); // on a fiber; returns when all has been read, or the server stops

private:
    using Json = json::Value;
    struct Known {
        std::string identity;
        EventPackage* package;
    };
    enum class Missing : unsigned char { make, leave };
    enum class Fanout : unsigned char { now, later };

    static std::unique_ptr<Store> make_store(const Settings& settings, Host& host);
    static std::shared_ptr<Common> make_common(const Settings& settings, Host& host, bool stored);
    void check_settings() const;

    // --- packages ---
    const Known* meant(const sip::Message& request) const;
    const Known* named(std::string_view identity) const;
    std::string allow_events() const;
    Lifetimes lifetimes(const Lifetimes& of_package) const; // with the operator's limits
    std::string_view config_xavp() const;                   // name of the xavp with priority, quirks ...

    // --- jobs of resources (jobs.cpp) ---
    // f(Resource&, Now, Effects&) on the strand of the resource, on this fiber; then its effects. Error
    // not_found (Missing::leave), overloaded.
    template <class F>
    Result<Writer::Ticket> on(const Known& known, std::string_view key, Missing missing, Fanout fanout, F&& f)
    {
        for (;;) {
            const ResourcePtr resource =
                missing == Missing::make ? get(known, key) : resources_.find(known.identity, key);
            if (!resource)
                return missing == Missing::make ? Error{ErrorKind::overloaded, "too many resources"}
                                                : Error{ErrorKind::not_found, "no such resource"};
            if (auto done = on(resource, fanout, f); done || done.error().kind != ErrorKind::lost)
                return done;
        }
    }
    template <class F>
    Result<Writer::Ticket> on(const ResourcePtr& resource, Fanout fanout, F&& f) // lost: it is dead
    {
        Writer::Ticket ticket;
        bool dead = false;
        TRYV(resource->strand.run([&] {
            dead = resource->dead;
            if (dead)
                return;
            Effects effects;
            f(*resource, Now::of(host_.clock()), effects);
            ticket = settle(resource, effects, fanout);
        }));
        if (dead)
            return Error{ErrorKind::lost, "gone"};
        return ticket;
    }
    // The same some time later, on another fiber.
    template <class F>
    void post(const ResourcePtr& resource, F f)
    {
        (void)resource->strand.post([this, resource, f = std::move(f)]() mutable {
            if (resource->dead)
                return;
            Effects effects;
            f(*resource, Now::of(host_.clock()), effects);
            (void)settle(resource, effects, Fanout::now);
        });
    }
    ResourcePtr get(const Known& known, std::string_view key);
    Writer::Ticket settle(const ResourcePtr& resource, Effects& effects, Fanout fanout);
    void fan_out(const ResourcePtr& resource);
    void wait_written(const Writer::Ticket& ticket);

    // --- NOTIFYs (deliver.cpp) ---
    void deliver(std::vector<Notification> notifications);
    void send(const Notification& notification);
    void on_reply(const SubscriptionPtr& subscription, std::uint32_t cseq, const Way& way,
                  const tm::Incoming& incoming);
    void offer_to_script(const SubscriptionPtr& subscription, std::uint32_t cseq, Outcome outcome,
                         std::string bytes, net::Received from);

    // --- requests ---
    enum class Begun : unsigned char { go_on, stop };
    Begun begin(Request& request, Counter& refused, Verdict& verdict);
    Verdict refuse(Request& request, const Refusal& refusal, Counter& counter);
    bool loaded() const { return loaded_.load(std::memory_order_acquire); }
    void wait_loaded();
    std::string local_contact(const Request& request) const;
    Verdict subscribe_new(Request& request, const Known& known, const SubscribeOrder& order,
                          const Arrival& arrival);
    Verdict subscribe_again(Request& request, const SubscribeOrder& order, const Arrival& arrival);
    Verdict conclude(Request& request, const ResourcePtr& resource, std::variant<Accepted, Refusal>& outcome,
                     const Writer::Ticket& ticket);
    void note_handled(Request& request, Resource& resource, const Subscription& subscription, Now now);

    // --- restart (restore.cpp) ---
    bool load(std::vector<SubscriptionPtr>& watchers);
    void restore_row(const StoredPublication& row);
    SubscriptionPtr restore_row(const StoredSubscription& row);
    const net::Listener* socket_named(std::string_view text);
    void pace(const std::vector<SubscriptionPtr>& watchers);

    // --- commands (commands.cpp) ---
    Result<Json> cmd_show(const Json& params);
    Result<Json> cmd_subscriptions(const Json& params);
    Result<Json> cmd_publications(const Json& params);
    Result<Json> cmd_presentity_list(const Json& params);
    Result<Json> cmd_watcher_list(const Json& params);
    Result<Json> cmd_subscription_show(const Json& params);
    Result<Json> cmd_why(const Json& params);
    Result<Json> cmd_cleanup(const Json& params);
    Result<Json> cmd_refresh_watchers(const Json& params);
    Result<Json> cmd_update_watchers(const Json& params);
    Result<Json> cmd_drain(const Json& params);
    Result<Json> cmd_stats(const Json& params);
    std::vector<std::pair<std::string, SubscriptionInfo>> all_watchers(std::string_view presentity,
                                                                       std::string_view package);
    Result<std::pair<const Known*, std::string>> resource_of(const Json& params);

    const Settings settings_;
    Host& host_;
    const log::Logger log_;
    tm::Api& tm_;
    const Slot<Handled> slot_;
    const std::shared_ptr<Common> common_;                        // owners: this and the resources
    const std::unique_ptr<Store> store_;                          // null: nothing is stored
    const std::unique_ptr<Writer> writer_;                        // null with it
    Guarded<std::vector<std::unique_ptr<const Known>>> packages_; // only grows, before the workers run
    ResourceTable resources_;
    DialogIndex dialogs_;
    WatcherCounts watchers_;
    const std::unique_ptr<Agenda> agenda_;
    std::atomic<bool> loaded_{false}, draining_{false};
};

// For rows and commands: an AVP-free look at what a request says about the way back.
bool leads_through_flow(const sip::Message& request, const net::Received& received);

} // namespace sipyard::presence
