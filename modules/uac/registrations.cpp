// modules/uac/registrations.cpp - REGISTER before the last one expires, answers to challenges, tries after
// failures (RFC 3261 10)
#include "modules/uac/uac.h"

#include "core/base/text.h"
#include "core/crypto/random.h"
#include "core/sip/message.h"

#include <algorithm>

namespace sipyard::uac {
namespace {

constexpr Duration early =
    std::chrono::seconds{3}; // Kamailio's margin before an expiry, beside the interval of the timer

} // namespace

void Uac::start_registrations()
{
    task::Worker& worker = host_.runtime().worker(0);
    timer_ = std::make_unique<task::Timer>(worker, [this, &worker] {
        worker.spawn_always([this] { on_timer(); });
        timer_->arm_in(std::chrono::seconds{std::max(settings_.reg_timer_interval, 1)});
    });
    worker.post([this, &worker] {
        worker.spawn_always([this] {
            if (const auto loaded = load_all(); !loaded)
                log_.error("registrations are not loaded: {}", loaded.error().text);
            on_timer();
        });
        timer_->arm_in(std::chrono::seconds{std::max(settings_.reg_timer_interval, 1)});
    });
}

void Uac::put(Account account)
{
    if (const auto good = account.check(); !good) {
        log_.error("{}", good.error().text);
        return;
    }
    std::int64_t delay = account.reg_delay;
    if (delay == 0 && settings_.reg_random_delay > 0)
        delay = static_cast<std::int64_t>(
            crypto::random_below(static_cast<std::uint64_t>(settings_.reg_random_delay) + 1));
    const Instant due = host_.clock().now() + std::chrono::seconds{std::max<std::int64_t>(delay, 0)};
    const bool kept = registrations_.with([&](Registrations& all) {
        const auto known = all.find(account.l_uuid);
        if (known == all.end() && all.size() >= static_cast<std::size_t>(std::max(settings_.reg_max, 1)))
            return false;
        Registration next;
        next.state = initialised | (account.flags & disabled ? disabled : 0u);
        next.due = due;
        next.due_unix = host_.clock().unix_seconds() + delay;
        if (known != all.end())
            next.serial = known->second.serial + 1; // an answer to what is under way means nothing any more
        const std::string uuid = account.l_uuid;
        next.account = std::move(account);
        all.insert_or_assign(uuid, std::move(next));
        return true;
    });
    if (!kept)
        log_.error("more than {} registrations", settings_.reg_max);
}

Result<std::size_t> Uac::load_all()
{
    if (!database_)
        return Error{ErrorKind::not_found, "reg_db_url is not set"};
    TRY(const auto table, db::identifier(settings_.reg_db_table));
    std::string columns;
    for (const auto& column : Account::columns())
        columns += (columns.empty() ? "" : ", ") + column;
    TRY(const db::Rows rows, database_->read("SELECT " + columns + " FROM " + table));
    // What is gone from the table is gone here; what stays the same keeps its state.
    std::vector<Account> accounts;
    for (std::size_t i = 0; i < rows.size(); ++i)
        accounts.push_back(Account::of(rows[i]));
    registrations_.with([&](Registrations& all) {
        std::erase_if(all, [&](const auto& entry) {
            return std::none_of(accounts.begin(), accounts.end(),
                                [&](const Account& a) { return a.l_uuid == entry.first; });
        });
    });
    for (Account& account : accounts)
        put(std::move(account));
    count_registrations();
    return rows.size();
}

Result<void> Uac::load_one(std::string_view uuid)
{
    if (!database_)
        return Error{ErrorKind::not_found, "reg_db_url is not set"};
    TRY(const auto table, db::identifier(settings_.reg_db_table));
    std::string columns;
    for (const auto& column : Account::columns())
        columns += (columns.empty() ? "" : ", ") + column;
    TRY(const db::Rows rows,
        database_->read("SELECT " + columns + " FROM " + table + " WHERE l_uuid=?", {db::Value{uuid}}));
    if (rows.empty())
        return Error{ErrorKind::not_found, format("no row with l_uuid '{}'", uuid)};
    put(Account::of(rows[0]));
    count_registrations();
    return {};
}

void Uac::on_timer()
{
    if (!active_.load())
        return;
    const Instant soon = host_.clock().now();
    std::vector<std::string> due;
    registrations_.with([&](Registrations& all) {
        for (const auto& [uuid, registration] : all)
            if (!(registration.state & (disabled | ongoing)) && registration.due <= soon)
                due.push_back(uuid);
    });
    for (const std::string& uuid : due)
        attempt(uuid);
    count_registrations();
}

void Uac::attempt(const std::string& uuid)
{
    struct Ready {
        Account account;
        std::string call_id, from_tag;
        std::uint32_t cseq, serial;
        bool unregistering;
        std::shared_ptr<DigestSession> digest; // shared with the registration
    };
    const auto ready = registrations_.with([&](Registrations& all) -> std::optional<Ready> {
        const auto at = all.find(uuid);
        if (at == all.end())
            return {};
        Registration& r = at->second;
        const bool repeated = (r.state & auth_sent) != 0;
        if (!repeated) { // a new attempt; RFC 3261 10.2.4 wants one Call-ID, Kamailio keeps it only when told
                         // to
            if (r.call_id.empty() || !settings_.reg_keep_callid || !(r.state & online)) {
                r.call_id = crypto::random_token(26);
                r.cseq = 0;
            }
            r.from_tag = crypto::random_token(13);
            const bool ha1 = !r.account.auth_ha1.empty();
            r.digest = std::make_shared<DigestSession>(
                std::vector<Credential>{{r.account.realm, r.account.auth_username,
                                         ha1 ? r.account.auth_ha1 : r.account.auth_password, ha1}});
            ++r.serial;
        }
        ++r.cseq;
        r.state |= ongoing;
        r.last_unix = host_.clock().unix_seconds();
        return Ready{r.account, r.call_id, r.from_tag, r.cseq, r.serial, r.unregistering, r.digest};
    });
    if (!ready)
        return;
    const Account& a = ready->account;
    const std::string registrar = "sip:" + a.r_domain, aor = "<sip:" + a.r_username + "@" + a.r_domain + ">";
    const std::string from = aor + ";tag=" + ready->from_tag;
    std::string headers = "Contact: <sip:" + a.l_uuid + "@" +
                          (a.contact_addr.empty() ? settings_.reg_contact_addr : a.contact_addr) + ">\r\n";
    headers += format("Expires: {}\r\n", ready->unregistering ? 0 : a.expires);
    headers += ready->digest->lines({"REGISTER", registrar, {}});
    tm::Outgoing out;
    out.method = "REGISTER";
    out.request_uri = registrar;
    out.next_hop = a.auth_proxy;
    out.from = from;
    out.to = aor;
    out.call_id = ready->call_id;
    out.cseq = ready->cseq;
    out.headers = headers;
    const std::string& wanted = a.socket.empty() ? settings_.default_socket : a.socket;
    out.socket = socket(wanted);
    if (!wanted.empty() && !out.socket)
        log_.warn("registration {}: no socket '{}', another one is taken", uuid, wanted);
    const auto sent = tm_.send(out, [this, uuid, serial = ready->serial](const tm::Incoming& in) {
        if (in.code >= 200 && !in.repeated)
            reg_answered(uuid, serial, in);
    });
    if (!sent) {
        log_.error("registration {}: {}", uuid, sent.error().text);
        registrations_.with([&](Registrations& all) {
            if (const auto at = all.find(uuid); at != all.end() && at->second.serial == ready->serial)
                failed(at->second, 503);
        });
    }
}

// Under the lock of the registrations.
void Uac::failed(Registration& r, int code)
{
    counts_.regs_failed.add();
    r.state &= ~(ongoing | online | auth_sent);
    r.unregistering = false;
    r.call_id.clear();
    if (settings_.reg_retry_interval <= 0) {
        r.state |= disabled;
        log_.error("registration {} failed with {} and is disabled (reg_retry_interval is 0)",
                   r.account.l_uuid, code);
        return;
    }
    r.due = host_.clock().now() + std::chrono::seconds{settings_.reg_retry_interval};
    r.due_unix = host_.clock().unix_seconds() + settings_.reg_retry_interval;
    log_.warn("registration {} failed with {}, tried again in {} s", r.account.l_uuid, code,
              settings_.reg_retry_interval);
}

void Uac::reg_answered(const std::string& uuid, std::uint32_t serial, const tm::Incoming& in)
{
    const sip::Message* const message = in.reply ? &in.reply->message() : nullptr;
    const bool again = registrations_.with([&](Registrations& all) {
        const auto at = all.find(uuid);
        if (at == all.end() || at->second.serial != serial)
            return false;
        Registration& r = at->second;
        if (message && (in.code == 401 || in.code == 407)) {
            if (const auto taken = r.digest->challenged(*message); taken) {
                r.state |= auth_sent;
                return true;
            } else {
                log_.error("registration {}: {}", uuid, taken.error().text);
            }
        }
        if (message && in.code == 423 && !r.min_expires_tried) { // RFC 3261 10.2.8
            std::uint32_t least = 0;
            if (sip::read(message->value(sip::HeaderName::min_expires), least).empty() &&
                least > r.account.expires) {
                r.account.expires = least;
                r.min_expires_tried = true;
                r.state |= auth_sent; // the same attempt goes on
                return true;
            }
        }
        if (in.code < 200 || in.code >= 300 || !message) {
            failed(r, in.code);
            return false;
        }
        r.state &= ~(ongoing | auth_sent);
        r.min_expires_tried = false;
        if (r.unregistering) {
            r.unregistering = false;
            r.state = (r.state & ~static_cast<unsigned>(online)) | disabled;
            r.call_id.clear();
            return false;
        }
        const auto asked = static_cast<std::uint32_t>(r.account.expires);
        const auto seconds = granted(*message, r.account.l_uuid, asked);
        if (!seconds || *seconds == 0) {
            log_.warn("registration {}: the registrar does not keep our contact", uuid);
            failed(r, in.code);
            return false;
        }
        r.state |= online;
        const Duration life = std::chrono::seconds{*seconds};
        const Duration margin = std::min<Duration>(
            std::chrono::seconds{std::max(settings_.reg_timer_interval, 1)} + early, life / 2);
        r.due = host_.clock().now() + life - margin;
        r.due_unix = host_.clock().unix_seconds() + *seconds;
        return false;
    });
    if (again)
        attempt(uuid);
    count_registrations();
}

template <class F>
std::size_t Uac::for_matching(std::string_view attribute, std::string_view value, F&& f)
{
    return registrations_.with([&](Registrations& all) {
        std::size_t found = 0;
        for (auto& [uuid, registration] : all) {
            const std::string* const text = registration.account.attribute(attribute);
            if (text && *text == value) {
                f(registration);
                ++found;
            }
        }
        return found;
    });
}

void Uac::count_registrations()
{
    std::int64_t total = 0, up = 0;
    registrations_.with([&](const Registrations& all) {
        total = static_cast<std::int64_t>(all.size());
        for (const auto& [uuid, registration] : all)
            up += (registration.state & online) != 0;
    });
    gauges_.with([&](Gauges& g) {
        counts_.regs.add(total - std::exchange(g.total, total));
        counts_.regs_active.add(up - std::exchange(g.active, up));
    });
}

// --- what scripts and operators ask --------------------------------------------------------------

bool Uac::set_disabled(std::string_view attribute, std::string_view value, bool off)
{
    return for_matching(attribute, value, [&](Registration& r) {
               if (off) {
                   r.state = (r.state & initialised) | disabled;
                   ++r.serial;
               } else {
                   r.state &= ~static_cast<unsigned>(disabled);
                   r.due = host_.clock().now();
                   r.due_unix = host_.clock().unix_seconds();
               }
           }) != 0;
}

bool Uac::unregister(std::string_view attribute, std::string_view value)
{
    std::vector<std::string> chosen;
    for_matching(attribute, value, [&](Registration& r) {
        r.unregistering = true;
        r.state &= ~static_cast<unsigned>(disabled | auth_sent | ongoing);
        chosen.push_back(r.account.l_uuid);
    });
    for (const auto& uuid : chosen)
        attempt(uuid);
    return !chosen.empty();
}

std::vector<Registration> Uac::matching(std::string_view attribute, std::string_view value)
{
    std::vector<Registration> found;
    if (attribute.empty())
        registrations_.with([&](const Registrations& all) {
            for (const auto& [uuid, registration] : all)
                found.push_back(registration);
        });
    else
        for_matching(attribute, value, [&](Registration& r) { found.push_back(r); });
    return found;
}

} // namespace sipyard::uac
