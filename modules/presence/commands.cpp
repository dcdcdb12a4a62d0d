// modules/presence/commands.cpp - presence.* for operators: who watches whom, and why a lamp is as it is
#include "core/base/text.h"
#include "modules/presence/event_header.h"
#include "modules/presence/presence.h"

#include <algorithm>

namespace sipyard::presence {
namespace {

using JsonValue = json::Value;
constexpr std::size_t most_rows = 10'000; // of one answer

std::string text_of(const JsonValue& params, std::size_t index, std::string_view field)
{
    const JsonValue& value = params.is_object() ? params[field] : params[index];
    return value.is_integer() ? std::to_string(value.integer()) : std::string{value.text()};
}

JsonValue described(const Resource& resource, const Kept& kept, Now now, bool full)
{
    JsonValue row = JsonValue::object();
    row.set("presentity", resource.key).set("event", resource.identity).set("etag", kept.etag);
    if (kept.expires == Instant{INT64_MAX})
        row.set("expires_in", nullptr); // hard state
    else
        row.set("expires_in", std::max<std::int64_t>((kept.expires - now.at) / std::chrono::seconds{1}, 0));
    row.set("sender", kept.sender)
        .set("received", kept.received)
        .set("local", !kept.ruid.empty())
        .set("readable", kept.document != nullptr);
    if (full)
        row.set("priority", kept.priority).set("content_type", kept.content_type).set("body", kept.body);
    return row;
}

JsonValue described(std::string_view event, const SubscriptionInfo& info)
{
    JsonValue row = JsonValue::object();
    return row.set("id", info.id)
        .set("presentity", info.presentity)
        .set("event", event)
        .set("watcher", info.watcher)
        .set("status", to_text(info.status))
        .set("expires_in", info.expires_in)
        .set("contact", info.contact)
        .set("version", info.version)
        .set("last_code", info.last_code)
        .set("in_flight", info.in_flight)
        .set("dirty", info.dirty)
        .set("failures", info.failures);
}

JsonValue in_full(std::string_view event, const SubscriptionInfo& info)
{
    return described(event, info)
        .set("reason", info.reason)
        .set("call_id", info.call_id)
        .set("to_tag", info.to_tag)
        .set("from_tag", info.from_tag)
        .set("event_params", info.event_params)
        .set("user_agent", info.user_agent)
        .set("cseq", info.cseq)
        .set("subscribed_for", info.subscribed_for);
}

// In words, for who asks why a lamp does not change.
std::string explained(const SubscriptionInfo& info)
{
    if (info.status == Status::pending || info.status == Status::waiting)
        return "waits for its authorisation: sees no state until then";
    if (info.status == Status::terminated)
        return format("ends ({}): its last NOTIFY is under way", info.reason);
    if (info.in_flight && info.dirty)
        return "a NOTIFY waits for its answer; newer state follows when that has come";
    if (info.in_flight)
        return "a NOTIFY waits for its answer";
    if (info.failures > 0)
        return format("the last NOTIFY was answered with {}; it is sent again after a pause (failure {})",
                      info.last_code, info.failures);
    if (info.dirty)
        return "newer state is about to be sent";
    if (info.last_code == 0)
        return "nothing has been sent yet since the start";
    return "has been told the newest state";
}

} // namespace

Result<std::pair<const Presence::Known*, std::string>> Presence::resource_of(const Json& params)
{
    const std::string uri = text_of(params, 0, "uri"), event = text_of(params, 1, "event");
    if (uri.empty() || event.empty())
        return invalid("needs the URI of a presentity and an event package");
    const Known* const known = named(event);
    if (!known)
        return Error{ErrorKind::not_found, format("no event package '{}'", event)};
    TRY(std::string key,
        presentity_of(uri.starts_with("sip:") || uri.find(':') != std::string::npos ? uri : "sip:" + uri,
                      known->package->traits()));
    return std::pair{known, std::move(key)};
}

std::vector<std::pair<std::string, SubscriptionInfo>> Presence::all_watchers(std::string_view presentity,
                                                                             std::string_view package)
{
    std::vector<std::pair<std::string, SubscriptionInfo>> all;
    resources_.each([&](const ResourcePtr& resource) {
        if (all.size() >= most_rows || (!presentity.empty() && resource->key != presentity) ||
            (!package.empty() && resource->identity != package))
            return;
        (void)on(resource, Fanout::now, [&](Resource& r, Now now, Effects&) {
            for (const auto& s : r.watchers())
                if (all.size() < most_rows)
                    all.emplace_back(r.identity, r.info(*s, now));
        });
    });
    return all;
}

Result<json::Value> Presence::cmd_show(const Json& params)
{
    std::string uri = text_of(params, 0, "uri");
    const std::string event = text_of(params, 1, "event");
    if (uri.empty())
        return invalid("needs the URI of a presentity");
    if (uri.find(':') == std::string::npos)
        uri = "sip:" + uri;
    Json found = Json::array();
    std::vector<const Known*> packages;
    packages_.with([&](const auto& all) {
        for (const auto& one : all)
            if (event.empty() || iequals(one->identity, event))
                packages.push_back(one.get());
    });
    for (const Known* const known : packages) {
        const auto key = presentity_of(uri, known->package->traits());
        if (!key)
            continue;
        (void)on(*known, *key, Missing::leave, Fanout::now, [&](Resource& r, Now now, Effects&) {
            Json one = Json::object(), publications = Json::array(), watchers = Json::array();
            for (const Kept& kept : r.publications())
                publications.add(described(r, kept, now, true));
            for (const auto& s : r.watchers())
                if (watchers.size() < most_rows)
                    watchers.add(described(r.identity, r.info(*s, now)));
            one.set("presentity", r.key).set("event", r.identity).set("commits", r.commits());
            const BodyPtr body = r.package().render(r.key, *r.composite(), {});
            one.set("state",
                    body ? Json{body->before + (body->has_version ? "0" : "") + body->after} : Json{});
            found.add(std::move(
                one.set("publications", std::move(publications)).set("watchers", std::move(watchers))));
        });
    }
    if (found.size() == 0)
        return Error{ErrorKind::not_found, format("nothing is known about {}", uri)};
    return found;
}

Result<json::Value> Presence::cmd_subscriptions(const Json& params)
{
    Json rows = Json::array();
    for (const auto& [event, info] : all_watchers({}, lower(text_of(params, 0, "event"))))
        rows.add(described(event, info));
    return rows;
}

Result<json::Value> Presence::cmd_publications(const Json& params)
{
    const bool full = text_of(params, 0, "mode") == "full";
    Json rows = Json::array();
    resources_.each([&](const ResourcePtr& resource) {
        if (rows.size() < most_rows)
            (void)on(resource, Fanout::now, [&](Resource& r, Now now, Effects&) {
                for (const Kept& kept : r.publications())
                    rows.add(described(r, kept, now, full));
            });
    });
    return rows;
}

Result<json::Value> Presence::cmd_presentity_list(const Json& params) { return cmd_publications(params); }

Result<json::Value> Presence::cmd_watcher_list(const Json& params)
{
    TRY(const auto resource, resource_of(params));
    Json rows = Json::array();
    for (const auto& [event, info] : all_watchers(resource.second, resource.first->identity))
        rows.add(described(event, info));
    return rows;
}

Result<json::Value> Presence::cmd_subscription_show(const Json& params)
{
    const std::string id = text_of(params, 0, "id");
    for (const auto& [event, info] : all_watchers({}, {}))
        if (std::to_string(info.id) == id || info.call_id == id)
            return in_full(event, info).set("why", explained(info));
    return Error{ErrorKind::not_found, format("no subscription with id or Call-ID '{}'", id)};
}

Result<json::Value> Presence::cmd_why(const Json& params)
{
    const std::string watcher = text_of(params, 0, "watcher");
    if (watcher.empty())
        return invalid("needs a watcher: its URI, or its user");
    Json rows = Json::array();
    for (const auto& [event, info] : all_watchers({}, {})) {
        const bool by_user = watcher.find('@') == std::string::npos;
        const auto who = std::string_view{info.watcher}.substr(info.watcher.starts_with("sip:") ? 4 : 0);
        if (info.watcher == watcher || who == watcher || (by_user && who.substr(0, who.find('@')) == watcher))
            rows.add(in_full(event, info).set("why", explained(info)));
    }
    if (rows.size() == 0)
        return Error{ErrorKind::not_found, format("'{}' has no subscriptions", watcher)};
    return rows;
}

Result<json::Value> Presence::cmd_cleanup(const Json&)
{
    // In memory things expire at their time; what is left to do is in the database.
    Json answer = Json::object();
    if (!store_)
        return answer.set("store", "none");
    const bool written = store_->flush();
    return answer.set("written", written).set("waiting", store_->waiting());
}

Result<json::Value> Presence::cmd_refresh_watchers(const Json& params)
{
    TRY(const auto resource, resource_of(params));
    const std::string type = text_of(params, 2, "type");
    if (type == "0")
        rules_changed(resource.first->identity, resource.second);
    else if (type == "1" || type.empty())
        resource_changed(resource.first->identity, resource.second);
    else
        return Error{ErrorKind::unsupported, format("type {} is not supported", type)};
    return Json{"ok"};
}

Result<json::Value> Presence::cmd_update_watchers(const Json& params)
{
    TRY(const auto resource, resource_of(params));
    rules_changed(resource.first->identity, resource.second);
    return Json{"ok"};
}

// All watchers are told to subscribe anew (elsewhere), at the pace of a restart.
Result<json::Value> Presence::cmd_drain(const Json& params)
{
    const bool off = text_of(params, 0, "mode") == "off";
    draining_ = !off;
    std::int64_t ended = 0;
    if (!off) {
        const auto rate = static_cast<std::int64_t>(std::max(settings_.restore_notify_rate, 10));
        std::int64_t in_this_second = 0;
        resources_.each([&](const ResourcePtr& resource) {
            (void)on(resource, Fanout::now, [&](Resource& r, Now now, Effects& effects) {
                in_this_second += static_cast<std::int64_t>(r.watchers().size());
                ended += static_cast<std::int64_t>(r.watchers().size());
                r.terminate("deactivated", 0, now, effects);
            });
            if (in_this_second >= rate && draining_ && !host_.runtime().stopping()) {
                in_this_second = 0;
                task::sleep_until(host_.clock().now() + 1s);
            }
        });
    }
    return Json::object().set("draining", !off).set("ended", ended);
}

Result<json::Value> Presence::cmd_stats(const Json&)
{
    const Counts& c = common_->counts;
    Json answer = Json::object();
    answer.set("resources", resources_.size())
        .set("publications", c.publications.value())
        .set("subscriptions", dialogs_.size())
        .set("texts", common_->texts.live())
        .set("loaded", loaded())
        .set("draining", draining_.load())
        .set("waiting_for_database", store_ ? store_->waiting() : 0);
    for (const Counter* const counter : {&c.publish_ok,
                                         &c.publish_refused,
                                         &c.conditional_failed,
                                         &c.subscribe_ok,
                                         &c.subscribe_refused,
                                         &c.unknown_dialog,
                                         &c.sent,
                                         &c.coalesced,
                                         &c.suppressed,
                                         &c.failed,
                                         &c.timeouts,
                                         &c.flow_lost,
                                         &c.oversize,
                                         &c.in_flight,
                                         &c.merges,
                                         &c.renders,
                                         &c.expired_publications,
                                         &c.expired_subscriptions,
                                         &c.removed,
                                         &c.commit_late})
        answer.set(counter->name(), counter->value());
    return answer;
}

} // namespace sipyard::presence
