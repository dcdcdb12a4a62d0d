// modules/presence/resource.h - one resource: what is published about it and who watches it (spec presence 1)
#pragma once

#include "core/task/strand.h"
#include "modules/presence/common.h"
#include "modules/presence/effects.h"
#include "modules/presence/publish.h"
#include "modules/presence/subscribe.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sipyard::presence {

// What is kept of a publication.
struct Kept {
    std::string etag, sender, content_type, body;
    std::string ruid;     // of a publication made in this process; the unique column of its row
    DocumentPtr document; // null: quarantined, it could not be read when it came back from the database
    std::uint64_t commit = 0, first_commit = 0;
    std::int64_t received = 0; // epoch seconds
    Instant expires{};         // INT64_MAX: never
    int priority = 0;
};

struct Granted { // a PUBLISH
    std::string etag;
    std::uint32_t expires = 0;
};
struct Accepted { // a SUBSCRIBE
    int code = 200;
    std::uint32_t expires = 0;
    SubscriptionPtr
        subscription; // held: call Resource::replied() when the reply has left. Null: 204 at its end
    std::string local_contact;
    bool is_new = false; // goes into the index before the reply leaves
};

// What a watcher's request says about the way back to it.
struct Arrival {
    Way way;                                   // contact not filled in
    std::string_view routes;                   // Record-Route values, in order
    std::string_view local_contact;            // URI
    std::string_view local, remote, local_tag; // To and From without tags
    std::string_view watcher;                  // canonical key
    std::string_view privacy, quirks;
};

// Pure logic: time comes in, what is to be done goes out in Effects. Everything is called with the strand
// held (or by one thread, in tests) unless it is const data.
class Resource : public std::enable_shared_from_this<Resource> {
public:
    Resource(std::shared_ptr<Common> common, EventPackage& of, std::string package_identity,
             std::string presentity)
        : shared_{std::move(common)}, common_{*shared_}, package_{of}, identity{std::move(package_identity)},
          key{std::move(presentity)}
    {
    }
    ~Resource();
    Resource(const Resource&) = delete;
    Resource& operator=(const Resource&) = delete;

private:
    const std::shared_ptr<Common> shared_; // owners: all resources and the server
    Common& common_;
    EventPackage& package_;

public:
    const std::string identity; // of the package: "dialog;sla"
    const std::string key;      // of the presentity
    task::Strand strand{1'000'000};
    bool dead = false;                         // it has left the table: look it up again
    Instant appointed{INT64_MAX};              // when the server will call tick()
    std::atomic<std::size_t> watcher_count{0}; // read by anybody

    EventPackage& package() const { return package_; }
    // Nothing lives here and nothing is under way.
    bool is_idle() const { return kept_.empty() && subscriptions_.empty(); }

    // --- publications ---
    std::variant<Granted, Refusal> publish(const PublishOrder& order, std::string_view sender,
                                           std::optional<int> priority, Now now, Effects& effects);
    // By the publisher's own id; no body: it goes. Errors as Api::publish.
    Result<void> publish_local(const LocalPublication& publication, std::string_view ruid, Now now,
                               Effects& effects);
    void changed(Now now, Effects& effects); // merges anew
    const CompositePtr& composite();         // made when there is none yet

    // --- subscriptions ---
    std::variant<Accepted, Refusal> subscribe(const SubscribeOrder& order, const Arrival& arrival, Now now,
                                              Effects& effects);
    std::variant<Accepted, Refusal> resubscribe(Subscription& subscription, const SubscribeOrder& order,
                                                const Arrival& arrival, Now now, Effects& effects);
    void replied(Subscription& subscription, Now now, Effects& effects);
    void answered(Subscription& subscription, std::uint32_t cseq, const Outcome& outcome, Now now,
                  Effects& effects);
    void rules_changed(Now now, Effects& effects);
    void terminate(std::string_view reason, std::uint32_t retry_after, Now now, Effects& effects);
    void terminate(Subscription& subscription, std::string_view reason, std::uint32_t retry_after, Now now,
                   Effects& effects);
    void drop(Subscription& subscription, std::string_view event, Effects& effects, Now now); // silently

    // --- time ---
    // The next slice of a fan-out: at most 256 NOTIFYs.
    void turn(Now now, Effects& effects);
    void tick(Now now, Effects& effects); // what is due at that time
    Instant next_wake() const;

    // --- restart ---
    void restore(const StoredPublication& row, Now now);
    // Null: the row makes no sense. It is sent its state by kick().
    SubscriptionPtr restore(const StoredSubscription& row, const Arrival& arrival, Now now);
    void kick(Subscription& subscription, Now now, Effects& effects);

    void forget(); // all watchers, silently, when the server ends: they and the resource keep each other

    // --- questions ---
    const std::vector<Kept>& publications() const { return kept_; }
    const std::vector<SubscriptionPtr>& watchers() const { return subscriptions_; }
    SubscriptionInfo info(const Subscription& subscription, Now now) const;
    StoredSubscription row_of(const Subscription& subscription, Now now) const; // as it is now
    std::uint64_t commits() const { return commit_; }

private:
    struct Appointment {
        Instant when;
        std::weak_ptr<Subscription> who;
        bool expiry = false; // else the end of a pause
        friend bool operator<(const Appointment& a, const Appointment& b) { return b.when < a.when; }
    };
    // publications: resource_publish.cpp
    Kept* find_tag(std::string_view etag);
    void merge();
    std::vector<Publication> ordered() const;
    void commit(Now now, std::string_view skip, Effects& effects);
    void write(const Kept& kept, std::string_view old_etag, Now now, Effects& effects) const;
    void erase(Kept& kept, Effects& effects);
    std::variant<Granted, Refusal> create(const PublishOrder& order, std::string_view sender,
                                          std::optional<int> priority, Now now, Effects& effects);
    // subscriptions: resource_subscribe.cpp
    SubscribeView view_of(const Subscription& s) const;
    Rendered* rendered_for(Variant variant);
    void let_go(Rendered*& rendered);
    bool set_status(Subscription& s, const Decision& decision);
    SubscriptionPtr make(const SubscribeOrder& order, const Arrival& arrival);
    void admit(const SubscriptionPtr& s);
    void remove(Subscription& s, Effects& effects);
    void replace_same(const SubscribeOrder& order, Now now, Effects& effects);
    Notifier::Target take(Subscription& s, const SubscribeOrder& order, const Arrival& arrival);
    void tell(const Subscription& s, std::string_view event, Now now, Effects& effects) const;
    void write(Subscription& s, Now now, Effects& effects);
    void condition(Subscription& s, std::string_view suppress, Kind kind, bool status_changed,
                   Accepted& accepted);
    // NOTIFYs: resource_notify.cpp
    BodyPtr current(Subscription& s); // what this watcher should know now
    BodyPtr shown(Subscription& s);   // the same as its status allows
    void enqueue(Subscription& s);
    void unqueue(Subscription& s);
    void attend(Subscription& s, Now now, Effects& effects); // sends what is due
    void send(Subscription& s, Now now, Effects& effects);
    void end(Subscription& s, std::string_view reason, std::uint32_t retry_after, Now now, Effects& effects);
    void appoint_expiry(Subscription& s);
    void appoint_later(Subscription& s, Instant when);
    void come_due(Subscription& s, Now now, Effects& effects);
    std::string headers_of(const Subscription& s, const BodyPtr& full, bool tagged, Now now) const;

    CompositePtr composite_;
    std::uint64_t commit_ = 0;           // commits so far
    std::uint64_t composite_commit_ = 0; // the one whose composite differed last
    std::vector<Kept> kept_;
    std::vector<std::unique_ptr<Rendered>> rendered_;
    std::vector<SubscriptionPtr> subscriptions_;
    std::vector<Appointment> appointments_; // a heap, earliest first; superseded ones stay in it
    Subscription* queue_first_ = nullptr;
    Subscription* queue_last_ = nullptr;
};
using ResourcePtr = std::shared_ptr<Resource>; // owners: the table, its subscriptions, jobs under way

} // namespace sipyard::presence
