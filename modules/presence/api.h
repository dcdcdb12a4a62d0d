// modules/presence/api.h - what event packages and in-process publishers may ask of the presence server
//
// A resource is (package, presentity). Its publications are parsed once each, merged into one immutable
// composite, and rendered once for each variant that some watcher needs. All of it runs on the resource's
// strand: no hook is called twice at once for one resource, and none may suspend, send or ask a database.
#pragma once

#include "core/base/clock.h"
#include "core/base/function.h"
#include "core/base/result.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sipyard::presence {

// --- documents -----------------------------------------------------------------------------------

// What a package made of one published body. Immutable; kept with the publication, never parsed again.
struct Document {
    virtual ~Document() = default;
};
using DocumentPtr = std::shared_ptr<const Document>; // owners: the publication and who merges

// A hash over canonical content: version, white space and order of attributes do not count.
struct ContentHash {
    std::uint64_t high = 0, low = 0;
    friend bool operator==(ContentHash, ContentHash) = default;
};

// The state of a resource: all its live publications in one. Immutable.
struct Composite {
    virtual ~Composite() = default;
    ContentHash hash;
};
using CompositePtr =
    std::shared_ptr<const Composite>; // owners: the resource, subscriptions with partial state

// One serialised form of a composite, shared by all watchers of a variant. The version, when the format has
// one, is written between `before` and `after` for each watcher; without it all is in `before`.
struct Body {
    std::string content_type;
    std::string before, after;
    bool has_version = false;
    ContentHash hash; // of what is said, the version left out; also the SIP-ETag of RFC 5839
    // What may go from the document without a watcher being told (dialogs that were terminated already): the
    // rest has `essence`, and each such element one number in `ended`, ascending.
    ContentHash essence;
    std::vector<std::uint64_t> ended;
};
using BodyPtr = std::shared_ptr<const Body>; // null: a NOTIFY without a body

// Has a watcher whose last document was `last` anything to learn from `now`? (spec presence 3.4, 6.5)
inline bool is_news(const BodyPtr& last, const BodyPtr& now)
{
    if (!last || !now)
        return static_cast<bool>(last) != static_cast<bool>(now);
    if (last->hash == now->hash && last->content_type == now->content_type)
        return false;
    const bool only_fewer =
        last->essence == now->essence && now->ended.size() < last->ended.size() &&
        std::includes(last->ended.begin(), last->ended.end(), now->ended.begin(), now->ended.end());
    return !only_fewer;
}

// Which rendering a watcher gets: equal variants share a body. `bits` and `filter` are the package's own.
struct Variant {
    std::uint32_t bits = 0;
    std::string filter;
    friend bool operator==(const Variant&, const Variant&) = default;
};

// --- what hooks see; views are read during the call ----------------------------------------------

struct PublishView {
    std::string_view presentity;   // canonical key: "sip:bob@example.com"
    std::string_view content_type; // without parameters, lower case
    std::string_view body;
    DocumentPtr before; // of the same publication, when this is a modification
};
struct Publication {
    std::string_view etag, sender;
    DocumentPtr document;
    std::uint64_t commit = 0; // number of the commit that brought this document; grows in a resource
    std::uint64_t first_commit = 0;
    std::int64_t received = 0; // epoch seconds
    int priority = 0;
    bool hard_state = false;
};
struct SubscribeView {
    std::string_view presentity, watcher; // both as canonical keys
    std::string_view event_params;        // of the Event header, raw, from the first ';'
    std::string_view accept, user_agent, contact;
    std::string_view content_type, body; // of the SUBSCRIBE, of a type in Traits::subscribe_types; kept with
                                         // the subscription, so a refresh without one brings the old one
    std::string_view privacy, quirks;    // $xavp(pres=>dialog_privacy), $xavp(pres=>quirks)
};

// A refusal in the protocol's words.
struct Refusal {
    int code = 400;
    std::string reason;
    std::string headers; // whole lines, each with CRLF
};

enum class Status : unsigned char { active, pending, waiting, terminated };
inline std::string_view to_text(Status status)
{
    switch (status) {
    case Status::active: return "active";
    case Status::pending: return "pending";
    case Status::waiting: return "waiting";
    case Status::terminated: break;
    }
    return "terminated";
}
struct Decision {
    Status status = Status::active;
    std::string reason;            // of terminated: rejected, noresource, probation, giveup
    std::uint32_t retry_after = 0; // seconds; 0: none
    bool polite_block = false;     // active, but shown as offline
    friend bool operator==(const Decision&, const Decision&) = default;
};

// --- an event package ----------------------------------------------------------------------------

struct Lifetimes { // seconds
    std::uint32_t standard = 3600, least = 60, most = 3600;
};

struct Traits {
    std::string name;                         // "dialog"
    std::vector<std::string> identity_params; // {"sla"}: "dialog;sla" is another package than "dialog"
    std::vector<std::string> publish_types;   // the first is assumed when a body has no Content-Type
    std::vector<std::string> notify_types;    // the first is the default without Accept
    std::vector<std::string> subscribe_types; // of bodies in SUBSCRIBE; others get 415
    Lifetimes subscribe, publish;
    Duration notify_interval{0}; // least time between two NOTIFYs of a subscription; 0: none
    bool etag_keep = false;      // a refresh keeps its entity tag
    bool allow_no_user = false;  // presentities without a user part
    std::string winfo_peer;      // "presence.winfo" of "presence"; empty: none
};

// Implemented by a module, alive as long as it. See the head of this file for when hooks run.
class EventPackage {
public:
    virtual ~EventPackage() = default;
    virtual const Traits& traits() const = 0;

    // A published body. Malformed: 400 with a reason.
    virtual std::variant<DocumentPtr, Refusal> parse(const PublishView& publish) = 0;
    // Pure: the same publications make the same composite. In the order of spec presence 2.5; none: the idle
    // state, which is a composite too. `before`: the last one, null at first.
    virtual CompositePtr merge(std::string_view presentity, std::span<const Publication> publications,
                               const CompositePtr& before) = 0;
    // A SUBSCRIBE is at hand, on its fiber and before the strand: may suspend, to fetch what merge() and
    // authorize() will want. Not called for what takes nothing from it (unsubscribing).
    virtual void prepare(const SubscribeView&) {}
    // The SUBSCRIBE is not acceptable, in the package's own terms (a body that is not understood).
    virtual std::optional<Refusal> refuse(const SubscribeView&) { return {}; }
    // Chosen at each SUBSCRIBE, kept with the subscription.
    virtual Variant variant(const SubscribeView&) { return {}; }
    // The body of a variant; called once for each composite and variant. Null: no body.
    virtual BodyPtr render(std::string_view presentity, const Composite& composite,
                           const Variant& variant) = 0;
    // What changed between two composites as a document of partial state; null: send the whole.
    virtual BodyPtr partial(std::string_view, const Composite&, const Composite&, const Variant&)
    {
        return {};
    }
    // Called for SUBSCRIBEs and again after rules_changed(). A package that must ask elsewhere first says
    // pending and calls rules_changed() when it knows.
    virtual Decision authorize(const SubscribeView&) { return {}; }
    // The subscription has nothing more to see: it ends with noresource once that has been told.
    virtual bool is_over(const Composite&, const Variant&) { return false; }
    // What is shown to a watcher that is politely blocked; null: a NOTIFY without body.
    virtual BodyPtr render_blocked(std::string_view, const Variant&) { return {}; }
};

// --- the presence server -------------------------------------------------------------------------

struct SubscriptionInfo {
    std::string presentity, watcher, contact, call_id, to_tag, from_tag, event_params, user_agent;
    std::string reason; // of the last change of status
    Status status = Status::active;
    std::int64_t expires_in = 0, subscribed_for = 0; // seconds
    std::uint64_t id = 0;                            // never reused
    // sipyardctl presence why: the engine's state
    std::uint32_t cseq = 0, version = 0;
    int last_code = 0; // final answer to the last NOTIFY; 0: none yet
    bool in_flight = false, dirty = false;
    int failures = 0;
};

// Announced when a subscription came, changed its status or went; for watcher information (RFC 3858).
struct WatcherChanged {
    std::string package;
    std::string event; // subscribe, approved, deactivated, probation, rejected, timeout, giveup, noresource
    SubscriptionInfo subscription;
};

// A publication made in this process: no SIP, same watchers, same rules.
struct LocalPublication {
    std::string package, presentity; // canonical key
    std::string id;                  // the publisher's own name for it; the next one with that id replaces it
    std::string content_type, body;  // body empty: it goes
    std::uint32_t expires = 3600;    // seconds
    std::string sender;
};

// Thread-safe. Where it says so, on a fiber that holds no strand, and may suspend.
struct Api {
    static constexpr std::string_view name = "presence";
    virtual ~Api() = default;

    // In a module's constructor. A second package of the same identity is a StartupError.
    virtual void add(EventPackage& package) = 0;
    virtual EventPackage* find(std::string_view package) = 0; // by name and identity: "dialog", "dialog;sla"

    // The canonical key of a URI; not_found when there is none (spec presence 1.2).
    virtual Result<std::string> presentity_of(std::string_view uri, const Traits& traits) const = 0;

    // Takes effect in the order of the calls for one resource. On a fiber; returns after the commit. Errors:
    // invalid (the package refused the body: its reason), not_found (no such package), overloaded, and those
    // of the database where nothing else keeps the state.
    virtual Result<void> publish(const LocalPublication& publication) = 0;
    // Merges anew: state from elsewhere has changed. Returns at once.
    virtual void resource_changed(std::string_view package, std::string_view presentity) = 0;
    // Asks authorize() again for each subscription of the presentity and tells watchers. Returns at once.
    virtual void rules_changed(std::string_view package, std::string_view presentity) = 0;
    // Ends subscriptions: `reason` as in Subscription-State.
    virtual void terminate(std::string_view package, std::string_view presentity, std::string_view reason,
                           std::uint32_t retry_after) = 0;

    // The resource as it is now. On a fiber.
    virtual CompositePtr composite(std::string_view package, std::string_view presentity) = 0;
    virtual std::vector<SubscriptionInfo> subscriptions(std::string_view package,
                                                        std::string_view presentity) = 0;
};

} // namespace sipyard::presence
