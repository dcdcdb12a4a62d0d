// modules/presence/presence.cpp - presence server: PUBLISH, SUBSCRIBE, NOTIFY for event packages (RFC
// 6665, 3903, 5839)
#include "modules/presence/presence.h"

#include "core/base/text.h"
#include "modules/presence/event_header.h"
#include "modules/presence/key.h"
#include "modules/presence/sql_store.h"

#include <algorithm>

namespace sipyard::presence {
namespace {

struct Modes {
    StoreMode publications = StoreMode::memory, subscriptions = StoreMode::memory;
};

StoreMode mode_of(int number, std::string_view parameter)
{
    switch (number) {
    case 0: return StoreMode::memory;
    case 2: return StoreMode::back;
    case 1:
    case 3: return StoreMode::through; // 3: memory is the truth here all the same
    default: throw StartupError{format("presence: {} must be 0, 1, 2 or 3, not {}", parameter, number)};
    }
}

Modes modes_of(const Settings& settings)
{
    Modes modes;
    modes.subscriptions = mode_of(settings.subs_db_mode, "subs_db_mode");
    const bool cached = settings.publ_cache == 2;
    if (cached && settings.publ_db_mode > 0)
        throw StartupError{
            format("presence: publ_cache 2 keeps publications in memory, publ_db_mode {} stores them: which?",
                   settings.publ_db_mode)};
    modes.publications = settings.publ_db_mode < 0 ? (cached ? StoreMode::memory : StoreMode::through)
                                                   : mode_of(settings.publ_db_mode, "publ_db_mode");
    return modes;
}

constexpr std::string_view sub_names[] = {
    "uri",         "pres_uri",         "to_user",        "to_domain",   "from_user",
    "from_domain", "watcher_username", "watcher_domain", "event",       "event_id",
    "to_tag",      "from_tag",         "callid",         "remote_cseq", "local_cseq",
    "contact",     "local_contact",    "record_route",   "expires",     "status",
    "reason",      "version",          "flags",          "user_agent",  "last_code",
    "quirks",      "socket_info"};

} // namespace

std::unique_ptr<Store> Presence::make_store(const Settings& settings, Host& host)
{
    const Modes modes = modes_of(settings);
    if (settings.db_url.empty() ||
        (modes.publications == StoreMode::memory && modes.subscriptions == StoreMode::memory))
        return nullptr;
    SqlStore::Settings store;
    store.publications = modes.publications;
    store.subscriptions = modes.subscriptions;
    store.presentity_table = settings.presentity_table;
    store.active_watchers_table = settings.active_watchers_table;
    store.watchers_table = settings.watchers_table;
    store.version_table = host.core().version_table;
    store.commit_timeout =
        std::chrono::milliseconds{std::max<std::int64_t>(settings.db_commit_timeout.count, 1)};
    store.update_period = std::chrono::seconds{std::max(settings.db_update_period, 1)};
    if (settings.clean_period > 0)
        store.clean_period = std::chrono::seconds{settings.clean_period};
    store.page = static_cast<std::size_t>(std::max(settings.fetch_rows, 1));
    db::Database* const database = must(host.database(must(db::Url::parse(settings.db_url))));
    for (const db::Table& table : SqlStore::tables(store))
        host.add_table(table);
    auto made =
        std::make_unique<SqlStore>(*database, store, host.runtime(), host.logger("presence"),
                                   [&host](std::string_view name, std::string_view about) -> Counter& {
                                       return host.counter("presence", name, about);
                                   });
    if (!host.checking())
        if (const auto ready = made->prepare(); !ready && ready.error().kind == ErrorKind::unsupported)
            throw StartupError{"presence: " + ready.error().text};
    return made;
}

std::shared_ptr<Common> Presence::make_common(const Settings& s, Host& host, bool stored)
{
    const Modes modes = modes_of(s);
    auto common =
        std::make_shared<Common>(s.server_id, host.clock().unix_seconds(),
                                 [&host](std::string_view name, std::string_view about) -> Counter& {
                                     return host.counter("presence", name, about);
                                 });
    const auto natural = [](int number) { return static_cast<std::uint32_t>(std::max(number, 0)); };
    common->failures.policy = s.notify_error_policy == "strict" ? ErrorPolicy::strict : ErrorPolicy::tolerant;
    common->failures.remove_on_timeout = s.timeout_rm_subs;
    common->failures.most_failures = static_cast<std::uint8_t>(std::clamp(s.notify_fail_limit, 1, 100));
    common->order = s.retrieve_order == 1 ? Order::priority : Order::received;
    common->max_publications = static_cast<std::size_t>(std::max(s.max_publications, 1));
    common->max_subscriptions = s.max_subscriptions_per_resource > 0
                                    ? static_cast<std::size_t>(s.max_subscriptions_per_resource)
                                    : SIZE_MAX;
    common->expires_offset = natural(s.expires_offset);
    common->cseq_offset = natural(s.cseq_offset);
    common->grace = natural(s.subs_expiry_grace);
    common->pending_lifetime = natural(s.pending_lifetime);
    common->expire_body = s.expire_body;
    common->replace_same_callid = s.replace_same_callid;
    common->hide_block = s.hide_block;
    common->conditional = s.conditional_notify;
    common->version_every = s.version_policy == "every";
    common->version_start = natural(s.version_start);
    common->ok_code = s.subs_respond_200 ? 200 : 202;
    common->store_publications = stored && modes.publications != StoreMode::memory;
    common->store_subscriptions = stored && modes.subscriptions != StoreMode::memory;
    for (std::string_view rest = s.notify_headers; !rest.empty();) { // "X-A: 1|X-B: 2"
        const std::string_view line = trim(cut(rest, '|'));
        if (line.find(':') == std::string_view::npos || line.find_first_of("\r\n") != std::string_view::npos)
            throw StartupError{format("presence: notify_headers: '{}' is no header field", line)};
        common->notify_headers.append(line).append("\r\n");
    }
    return common;
}

Presence::Presence(const Settings& settings, Host& host, std::unique_ptr<Store> store)
    : settings_{settings}, host_{host}, log_{host.logger("presence")}, tm_{host.service<tm::Api>()},
      slot_{host.slot<Handled>()}, common_{make_common(settings, host, store != nullptr)},
      store_{std::move(store)}, writer_{store_ ? std::make_unique<Writer>(*store_) : nullptr},
      resources_{static_cast<std::size_t>(std::max(settings.max_resources, 1))},
      agenda_{std::make_unique<Agenda>(host.runtime(), [this](const ResourcePtr& resource) {
          post(resource, [](Resource& r, Now now, Effects& effects) {
              r.appointed = Instant{INT64_MAX};
              r.tick(now, effects);
          });
      })}
{
    check_settings();
    if (!store_) {
        loaded_ = true;
        return;
    }
    if (host.checking())
        return;
    host.at_stop([this] { (void)store_->flush(); });
    // Packages register in the constructors of their modules; fibers run when all are there.
    host.runtime().worker(0).spawn_always([this] { restore(); });
}

Presence::~Presence()
{
    // A subscription and its resource keep each other.
    resources_.each([](const ResourcePtr& resource) {
        (void)resource->strand.run([&] {
            resource->dead = true;
            resource->forget();
        });
    });
    dialogs_.clear();
    resources_.clear();
}

void Presence::check_settings() const
{
    const Settings& s = settings_;
    if (s.min_expires > 3600) // RFC 6665 4.2.1.1: 423 is for less than an hour
        throw StartupError{format("presence: min_expires {} is more than an hour", s.min_expires)};
    if (s.max_expires > 0 && s.min_expires > s.max_expires)
        throw StartupError{"presence: min_expires is above max_expires"};
    if (s.min_expires_action != 1 && s.min_expires_action != 2)
        throw StartupError{"presence: min_expires_action must be 1 or 2"};
    if (s.accept_policy != "strict" && s.accept_policy != "lenient")
        throw StartupError{format("presence: accept_policy is strict or lenient, not '{}'", s.accept_policy)};
    if (s.notify_error_policy != "tolerant" && s.notify_error_policy != "strict")
        throw StartupError{
            format("presence: notify_error_policy is tolerant or strict, not '{}'", s.notify_error_policy)};
    if (s.version_policy != "change" && s.version_policy != "every")
        throw StartupError{format("presence: version_policy is change or every, not '{}'", s.version_policy)};
    if (s.retrieve_order == 1 && s.retrieve_order_by != "priority")
        throw StartupError{
            format("presence: retrieve_order_by can be priority only, not '{}'", s.retrieve_order_by)};
    const Settings defaults;
    std::string idle;
    for (const auto& [parameter, field] : {std::pair{"waitn_time", &Settings::waitn_time},
                                           {"notifier_poll_rate", &Settings::notifier_poll_rate},
                                           {"notifier_processes", &Settings::notifier_processes},
                                           {"startup_mode", &Settings::startup_mode},
                                           {"send_fast_notify", &Settings::send_fast_notify},
                                           {"db_table_lock_type", &Settings::db_table_lock_type},
                                           {"subs_remove_match", &Settings::subs_remove_match},
                                           {"timer_mode", &Settings::timer_mode},
                                           {"pres_subs_mode", &Settings::pres_subs_mode}})
        if (s.*field != defaults.*field)
            idle.append(idle.empty() ? "" : ", ").append(parameter);
    if (!idle.empty())
        log_.notice("without meaning here: {}", idle);
    for (const auto& [parameter, field] : {std::pair{"force_delete", &Settings::force_delete},
                                           {"enable_sphere_check", &Settings::enable_sphere_check},
                                           {"local_log_level", &Settings::local_log_level},
                                           {"enable_dmq", &Settings::enable_dmq},
                                           {"delete_same_subs", &Settings::delete_same_subs}})
        if (s.*field != defaults.*field)
            log_.warn("parameter {} has no effect here", parameter);
    if (!s.local_log_facility.empty())
        log_.warn("parameter local_log_facility has no effect here");
    if (s.subs_db_mode == 3 || s.publ_db_mode == 3)
        log_.warn("database mode 3 is 1 here: memory is the truth, the database its copy");
}

Lifetimes Presence::lifetimes(const Lifetimes& of_package) const
{
    Lifetimes mine = of_package;
    if (settings_.max_expires > 0)
        mine.most = static_cast<std::uint32_t>(settings_.max_expires);
    if (settings_.min_expires > 0)
        mine.least = static_cast<std::uint32_t>(settings_.min_expires);
    mine.least = std::min(mine.least, mine.most);
    mine.standard = std::clamp(mine.standard, mine.least, mine.most);
    return mine;
}

// --- packages ------------------------------------------------------------------------------------

void Presence::add(EventPackage& package)
{
    const std::string identity = identity_of(package.traits());
    packages_.with([&](auto& all) {
        for (const auto& one : all)
            if (one->identity == identity)
                throw StartupError{format("presence: two modules offer the event package '{}'", identity)};
        all.push_back(std::make_unique<const Known>(Known{identity, &package}));
    });
}

const Presence::Known* Presence::named(std::string_view identity) const
{
    return packages_.with([&](const auto& all) -> const Known* {
        for (const auto& one : all)
            if (iequals(one->identity, identity))
                return one.get();
        return nullptr;
    });
}

EventPackage* Presence::find(std::string_view package)
{
    const Known* const known = named(package);
    return known ? known->package : nullptr;
}

Result<std::string> Presence::presentity_of(std::string_view uri, const Traits& traits) const
{
    return key_of(uri, {settings_.tel_domain, settings_.sip_uri_match, traits.allow_no_user});
}

// --- script functions ----------------------------------------------------------------------------

Verdict Presence::auth_status(Request&, std::string_view watcher, std::string_view presentity)
{
    const Known* const known = named("presence");
    if (!known) {
        log_.error("pres_auth_status: no module offers the event package 'presence'");
        return Verdict::no();
    }
    const auto key = presentity_of(presentity, known->package->traits());
    const auto who = key_of(watcher, {settings_.tel_domain, settings_.sip_uri_match, true});
    if (!key || !who)
        return Verdict::no();
    Decision decision;
    SubscribeView view{*key, *who, {}, {}, {}, {}, {}, {}, {}, {}};
    if (!on(*known, *key, Missing::make, Fanout::now,
            [&](Resource& r, Now, Effects&) { decision = r.package().authorize(view); }))
        return Verdict::no();
    switch (decision.status) {
    case Status::active: return {1};
    case Status::pending: return {2};
    case Status::terminated: return {3};
    case Status::waiting: return {4};
    }
    return Verdict::no();
}

Verdict Presence::has_subscribers(Request&, std::string_view presentity, std::string_view event)
{
    const Known* const known = named(event);
    const auto key =
        known ? presentity_of(presentity, known->package->traits()) : Result<std::string>{Error{}};
    // Without the strand: this may be called in routes that hold one.
    const ResourcePtr resource = key ? resources_.find(known->identity, *key) : ResourcePtr{};
    return Verdict::of(resource && resource->watcher_count.load(std::memory_order_relaxed) > 0);
}

Verdict Presence::refresh_watchers(Request& request, std::string_view presentity, std::string_view event,
                                   std::int64_t type, std::optional<std::string_view>,
                                   std::optional<std::string_view>)
{
    if (type == 0)
        return update_watchers(request, presentity, event);
    if (type != 1) {
        log_.error("pres_refresh_watchers: type {} is not supported", type);
        return Verdict::no();
    }
    const Known* const known = named(event);
    const auto key =
        known ? presentity_of(presentity, known->package->traits()) : Result<std::string>{Error{}};
    if (!key)
        return Verdict::no();
    resource_changed(known->identity, *key);
    return Verdict::yes();
}

Verdict Presence::update_watchers(Request&, std::string_view presentity, std::string_view event)
{
    const Known* const known = named(event);
    const auto key =
        known ? presentity_of(presentity, known->package->traits()) : Result<std::string>{Error{}};
    if (!key)
        return Verdict::no();
    rules_changed(known->identity, *key);
    return Verdict::yes();
}

// --- variables -----------------------------------------------------------------------------------

std::optional<VariableSpec::Refusal> Presence::check_subs(std::string_view attribute) const
{
    const std::vector<std::string_view> known{std::begin(sub_names), std::end(sub_names)};
    if (std::find(known.begin(), known.end(), attribute) != known.end())
        return {};
    return VariableSpec::Refusal{format("unknown attribute '{}' of $subs(...)", attribute),
                                 std::string{nearest(attribute, known)}};
}

Value Presence::subs(Request& request, std::string_view attribute)
{
    const Handled* const handled = request.find(slot_);
    if (!handled || !handled->row)
        return {};
    const StoredSubscription& row = *handled->row;
    const auto at = std::find(std::begin(sub_names), std::end(sub_names), attribute) - std::begin(sub_names);
    switch (at) {
    case 0:
    case 1: return std::string_view{row.presentity};
    case 2: return std::string_view{row.to_user};
    case 3: return std::string_view{row.to_domain};
    case 4: return std::string_view{row.from_user};
    case 5: return std::string_view{row.from_domain};
    case 6: return std::string_view{row.watcher_user};
    case 7: return std::string_view{row.watcher_domain};
    case 8: return std::string_view{row.event};
    case 9: return std::string_view{row.event_id};
    case 10: return std::string_view{row.to_tag};
    case 11: return std::string_view{row.from_tag};
    case 12: return std::string_view{row.call_id};
    case 13: return static_cast<std::int64_t>(row.remote_cseq);
    case 14: return static_cast<std::int64_t>(row.local_cseq);
    case 15: return std::string_view{row.contact};
    case 16: return std::string_view{row.local_contact};
    case 17: return std::string_view{row.record_route};
    case 18: return handled->info.expires_in;
    case 19: return row.status;
    case 20: return std::string_view{row.reason};
    case 21: return static_cast<std::int64_t>(row.version);
    case 22: return static_cast<std::int64_t>(row.flags);
    case 23: return std::string_view{row.user_agent};
    case 24: return handled->info.last_code;
    case 25: return std::string_view{handled->quirks};
    case 26: return std::string_view{row.socket};
    default: return {};
    }
}

// The request of event_route[presence:notify-reply] is the reply itself, so what stands in the brackets has
// been read from it already.
Value Presence::notify_reply(Request& request, std::string_view value)
{
    const Handled* const handled = request.find(slot_);
    if (!handled || handled->no_reply || request.route() != Route::event)
        return {};
    return value;
}

} // namespace sipyard::presence
