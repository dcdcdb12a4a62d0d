// modules/pua/pua.cpp - the presence user agent: manifest, the table of publications and their times
#include "modules/pua/pua.h"

#include "core/base/text.h"
#include "core/crypto/random.h"
#include "core/sip/uri.h"

#include <algorithm>
#include <functional>
#include <optional>

namespace sipyard::pua {

namespace {

Mode mode_of(const Settings& settings, bool presence_is_loaded)
{
    if (settings.mode == "auto")
        return Mode::automatic;
    if (settings.mode == "sip")
        return Mode::sip;
    if (settings.mode != "local")
        throw StartupError{format("pua: mode '{}' is none of auto, local, sip", settings.mode)};
    if (!presence_is_loaded)
        throw StartupError{"pua: mode is local, so module presence must be loaded"};
    return Mode::local;
}

std::unique_ptr<Store> store_of(const Settings& settings, Host& host)
{
    if (settings.db_url.empty())
        return nullptr;
    return std::make_unique<Store>(*must(host.database(must(db::Url::parse(settings.db_url)))),
                                   settings.db_table);
}

void warn_of(const Settings& s, const log::Logger& log)
{
    const Settings defaults;
    const auto warn = [&](bool set, std::string_view param) {
        if (set)
            log.warn("parameter {} has no effect here", param);
    };
    warn(s.hash_size != defaults.hash_size, "hash_size");
    warn(s.update_period != defaults.update_period, "update_period");
    warn(s.dlginfo_increase_version != 0, "dlginfo_increase_version");
    warn(s.reginfo_increase_version != 0, "reginfo_increase_version");
    warn(s.db_mode != 0, "db_mode");
    warn(s.db_table_lock_write != defaults.db_table_lock_write, "db_table_lock_write");
    warn(s.check_remote_contact != defaults.check_remote_contact, "check_remote_contact");
    warn(s.fetch_rows != defaults.fetch_rows, "fetch_rows");
}

bool is_line(std::string_view text)
{
    return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; });
}

bool are_lines(std::string_view headers)
{
    return headers.empty() ||
           (headers.ends_with("\r\n") && headers.find("\r\n\r\n") == std::string_view::npos);
}

} // namespace

Pua::Pua(const Settings& settings, Host& host)
    : settings_{settings}, host_{host}, log_{host.logger("pua")}, tm_{host.service<tm::Api>()},
      presence_{host.try_service<presence::Api>()}, uac_{host.try_service<uac::Api>()},
      mode_{mode_of(settings, presence_ != nullptr)}, store_{store_of(settings, host)},
      publications_{host.counter("pua", "publications", "Documents published now")},
      sent_{host.counter("pua", "sent", "Publications sent, refreshed and taken back")},
      failed_{host.counter("pua", "failed", "Of these tried again later")}, refused_{host.counter(
                                                                                "pua", "refused",
                                                                                "Of these refused for good")}
{
    if (settings.default_expires <= 0 || settings.min_expires < 0)
        throw StartupError{"pua: default_expires and min_expires are seconds, default_expires not 0"};
    if (sip::Uri proxy;
        !settings.outbound_proxy.empty() && !sip::read(settings.outbound_proxy, proxy).empty())
        throw StartupError{format("pua: outbound_proxy '{}' is no URI", settings.outbound_proxy)};
    warn_of(settings, log_);
    start_keeping();
}

Pua::~Pua()
{
    task::Runtime& runtime = host_.runtime();
    runtime.on_every_worker([this](task::Worker& worker) {
        if (worker.index() == 0) {
            closing_ = true;
            timer_.reset();
        }
    });
    std::optional<task::Event> idle;
    fibers_.with([&](Fibers& fibers) {
        if (fibers.running > 0 && runtime.started() && !runtime.stopping())
            fibers.idle.push_back(idle.emplace());
    });
    if (idle)
        idle->wait();
    runtime.on_every_worker([](task::Worker&) {}); // what they posted last is done
}

Function<void()> Pua::counted(Function<void()> job)
{
    fibers_.with([](Fibers& fibers) { ++fibers.running; });
    return [this, job = std::move(job)]() mutable {
        job();
        ended();
    };
}

void Pua::ended()
{
    const auto idle = fibers_.with([](Fibers& fibers) {
        return --fibers.running == 0 ? std::exchange(fibers.idle, {}) : std::vector<task::Event>{};
    });
    for (const auto& event : idle)
        event.signal();
}

// --- what publishers ask -------------------------------------------------------------------------

Result<void> Pua::publish(const Publication& p)
{
    sip::Uri uri;
    if (!sip::read(p.presentity, uri).empty() || !uri.is_sip() || p.event.empty() || !is_line(p.event) ||
        !is_line(p.id) || !is_line(p.content_type) || !are_lines(p.headers) || p.body.empty())
        return Error{ErrorKind::invalid, format("'{}' cannot be published for '{}'", p.event, p.presentity)};
    auto document = std::make_shared<Document>();
    document->content_type = p.content_type;
    document->body = p.body;
    document->headers = p.headers;
    document->expires =
        std::max(p.expires > 0 ? p.expires : static_cast<std::uint32_t>(settings_.default_expires),
                 static_cast<std::uint32_t>(settings_.min_expires));
    document->renew = p.renew == Renew::yes;
    const Key key{std::string{p.presentity}, std::string{p.event}, std::string{p.id}};
    const auto next = table_.with([&](Table& table) -> Result<Next> {
        auto at = table.entries.find(key);
        if (at == table.entries.end()) {
            if (table.entries.size() >= static_cast<std::size_t>(std::max(settings_.max_publications, 1)))
                return Error{ErrorKind::overloaded,
                             format("there are {} publications", settings_.max_publications)};
            at = table.entries.try_emplace(key).first;
            publications_.add();
        }
        at->second.left_over = false;
        return settle(table, at, at->second.record.update(std::move(document), host_.clock().now()));
    });
    if (!next)
        return next.error();
    go_on(*next, key);
    return {};
}

void Pua::remove(std::string_view presentity, std::string_view event, std::string_view id)
{
    const Key key{std::string{presentity}, std::string{event}, std::string{id}};
    const Next next = table_.with([&](Table& table) -> Next {
        const auto at = table.entries.find(key);
        if (at == table.entries.end())
            return {};
        at->second.left_over = false;
        return settle(table, at, at->second.record.remove(host_.clock().now()));
    });
    go_on(next, key);
}

std::vector<Known> Pua::left_over(std::string_view event)
{
    return table_.with([&](const Table& table) {
        std::vector<Known> all;
        for (const auto& [key, entry] : table.entries)
            if (entry.left_over && key.event == event)
                all.push_back({key.presentity, key.id});
        return all;
    });
}

// --- the table -----------------------------------------------------------------------------------

Pua::Next Pua::settle(Table& table, std::map<Key, Entry>::iterator at, const Order& order)
{
    Entry& entry = at->second;
    Next next;
    const bool over = order.what == Order::What::forget;
    const Instant due = over ? no_time : entry.record.due();
    if (due != entry.due) {
        if (entry.due != no_time)
            table.due.erase({entry.due, &at->first});
        if (due != no_time)
            table.due.insert({due, &at->first});
        entry.due = due;
    }
    if (due < table.armed) {
        table.armed = due;
        next.arm = true;
    }
    const std::string& etag = entry.record.etag();
    next.write =
        etag != entry.noted_etag || (!etag.empty() && entry.record.expires_at() != entry.noted_expiry);
    entry.noted_etag = etag;
    entry.noted_expiry = entry.record.expires_at();
    if (over) {
        table.entries.erase(at);
        publications_.add(-1);
        return next;
    }
    if (order.what == Order::What::nothing)
        return next;
    if (entry.call_id.empty()) {
        entry.call_id = crypto::random_token(26);
        entry.from_tag = crypto::random_token(13);
        if (uac_ && !uac_->own_credentials().empty())
            entry.digest = std::make_shared<DigestSession>(uac_->own_credentials());
    }
    next.sending = std::make_shared<Sending>();
    next.sending->key = at->first;
    next.sending->order = order;
    next.sending->call_id = entry.call_id;
    next.sending->from = "<" + at->first.presentity + ">;tag=" + entry.from_tag;
    next.sending->to = "<" + at->first.presentity + ">";
    next.sending->cseq = ++entry.cseq;
    next.sending->digest = entry.digest;
    return next;
}

void Pua::go_on(const Next& next, const Key& key)
{
    if (host_.checking())
        return;
    if (next.sending)
        start(next.sending);
    if (next.write)
        stored_later(key);
    if (next.arm)
        host_.runtime().worker(0).post([this] { arm(); });
}

// The sender may wait for a name server or a database: a fiber of its own.
void Pua::start(const SendingPtr& sending)
{
    task::Worker* const here = task::Worker::current();
    (here ? *here : host_.runtime().worker(0)).spawn_always(counted([this, sending] { send(sending); }));
}

void Pua::arm()
{
    const Instant first = table_.with(
        [](const Table& table) { return table.due.empty() ? no_time : table.due.begin()->first; });
    if (first == no_time || closing_)
        return;
    if (!timer_)
        timer_ = std::make_unique<task::Timer>(host_.runtime().worker(0), [this] {
            host_.runtime().worker(0).spawn_always(counted([this] { on_time(); }));
        });
    timer_->arm(first);
}

void Pua::on_time()
{
    constexpr std::size_t at_once = 256; // of one fiber, so that others get the worker in between
    std::vector<std::pair<Key, Next>> all;
    table_.with([&](Table& table) {
        const Instant now = host_.clock().now();
        while (!table.due.empty() && table.due.begin()->first <= now && all.size() < at_once) {
            const auto at = table.entries.find(*table.due.begin()->second);
            const Key key = at->first;
            all.emplace_back(key, settle(table, at, at->second.record.on_time(now)));
        }
    });
    for (const auto& [key, next] : all)
        go_on(next, key);
    host_.runtime().worker(0).post([this] { arm(); });
}

// --- for operators -------------------------------------------------------------------------------

Result<json::Value> Pua::list_command(const json::Value& params)
{
    const json::Value& wanted = params.is_object() ? params["presentity"] : params[std::size_t{0}];
    json::Value all = json::Value::array();
    const Instant now = host_.clock().now();
    const auto seconds = [&](Instant when) {
        return std::max<std::int64_t>((when - now).count() / 1'000'000'000, 0);
    };
    table_.with([&](const Table& table) {
        for (const auto& [key, entry] : table.entries) {
            if (!wanted.text().empty() && wanted.text() != key.presentity)
                continue;
            const Record& r = entry.record;
            all.add(json::Value::object()
                        .set("presentity", key.presentity)
                        .set("event", key.event)
                        .set("id", key.id)
                        .set("state", std::string{entry.left_over ? "left over" : r.state()})
                        .set("etag", r.etag())
                        .set("expires", seconds(r.expires_at()))
                        .set("due", r.due() == no_time ? json::Value{} : json::Value{seconds(r.due())})
                        .set("last_code", std::int64_t{r.last_code()})
                        .set("failures", std::int64_t{r.failures()})
                        .set("body", r.document() ? r.document()->body : std::string{}));
        }
    });
    return all;
}

Manifest<Pua> Pua::manifest()
{
    using M = Pua;
    using S = Settings;
    return {
        .name = "pua",
        .about = "Presence user agent: publishes for other modules, by SIP or in this process (RFC 3903)",
        .offers = {offer_of<Api, M>()},
        .needs = {need<tm::Api>(), may_need<presence::Api>(), may_need<uac::Api>()},
        .params =
            {
                param(
                    "mode", &S::mode,
                    "auto: in this process for our domains when presence is loaded and outbound_proxy is not "
                    "set, else by SIP; local, sip: always"),
                param("outbound_proxy", &S::outbound_proxy, "SIP URI that every PUBLISH is sent to"),
                param("default_expires", &S::default_expires,
                      "Seconds asked for when a publisher does not say"),
                param("min_expires", &S::min_expires, "Fewest seconds asked for"),
                param("db_url", &S::db_url, "Database that keeps publications over a restart"),
                param("db_table", &S::db_table, "Their table"),
                param("max_publications", &S::max_publications, "Most documents at a time"),
                param("hash_size", &S::hash_size, "Without effect"),
                param("update_period", &S::update_period, "Without effect"),
                param("dlginfo_increase_version", &S::dlginfo_increase_version, "Without effect"),
                param("reginfo_increase_version", &S::reginfo_increase_version, "Without effect"),
                param("db_mode", &S::db_mode, "Without effect"),
                param("db_table_lock_write", &S::db_table_lock_write, "Without effect"),
                param("check_remote_contact", &S::check_remote_contact, "Without effect"),
                param("fetch_rows", &S::fetch_rows, "Without effect"),
            },
        .commands = {command("pua.list", &M::list_command, "What is published: [PRESENTITY]")},
    };
}

} // namespace sipyard::pua

SIPYARD_MODULE(sipyard::pua::Pua)
