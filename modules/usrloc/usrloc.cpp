// modules/usrloc/usrloc.cpp - manifest, start and stop of the location store
#include "modules/usrloc/usrloc.h"

#include "core/base/format.h"
#include "core/crypto/random.h"

#include <algorithm>
#include <cstring>
#include <unistd.h>

namespace sipyard::usrloc {

namespace {

std::uint64_t random_seed()
{
    std::uint64_t seed;
    const std::string bytes = crypto::random_bytes(sizeof seed);
    std::memcpy(&seed, bytes.data(), sizeof seed);
    return seed;
}

std::string hexadecimal(std::uint64_t value)
{
    char text[16];
    std::size_t at = sizeof text;
    do {
        text[--at] = "0123456789abcdef"[value & 15];
        value >>= 4;
    } while (value);
    return {text + at, sizeof text - at};
}

// Start and process make it unlike any other; a server_id keeps machines apart that share a table.
std::string prefix_of(int server_id, const Clock& clock)
{
    return "uloc-" +
           (server_id != 0 ? hexadecimal(static_cast<std::uint32_t>(server_id)) + "-" : std::string{}) +
           hexadecimal(static_cast<std::uint64_t>(clock.unix_seconds())) + "-" +
           hexadecimal(static_cast<std::uint64_t>(::getpid())) + crypto::random_hex(2) + "-";
}

} // namespace

Usrloc::Usrloc(const Settings& settings, Host& host)
    : settings_{settings}, host_{host}, log_{host.logger("usrloc")}, mode_{static_cast<Mode>(
                                                                         settings.db_mode)},
      nat_flag_{settings.nat_bflag >= 0 && settings.nat_bflag < 32 ? 1U << settings.nat_bflag : 0},
      seed_{random_seed()}, ruid_prefix_{prefix_of(host.core().server_id, host.clock())},
      registered_users_{host.counter("usrloc", "registered_users", "Addresses of record of all tables")}
{
    if (settings.db_mode < 0 || settings.db_mode > 4)
        throw StartupError{format("usrloc: db_mode {} is not one of 0 to 4", settings.db_mode)};
    if (settings.matching_mode < 0 || settings.matching_mode > 3)
        throw StartupError{format("usrloc: matching_mode {} is not one of 0 to 3", settings.matching_mode)};
    if (settings.nat_bflag > 31)
        throw StartupError{format("usrloc: nat_bflag {} is no branch flag, 0 to 31", settings.nat_bflag)};
    const struct {
        std::string_view name, why;
        bool set;
    } idle[] = {
        {"timer_procs", "there are no timer processes here", settings.timer_procs != 0},
        {"db_check_update", "rows are always inserted or updated, whichever is right",
         settings.db_check_update != 0},
        {"db_insert_update", "rows are always inserted or updated, whichever is right",
         settings.db_insert_update != 0},
        {"db_update_as_insert", "rows are always inserted or updated, whichever is right",
         settings.db_update_as_insert != 0},
        {"db_ops_ruid", "rows are always found by their ruid", settings.db_ops_ruid != 1},
        {"db_raw_fetch_type", "Oracle's SQL is not spoken", settings.db_raw_fetch_type != 0},
        {"db_insert_null", "null values are always written", settings.db_insert_null != 0},
        {"load_rank", "there are no ranks here", settings.load_rank != 1},
        {"ka_mode", "keepalives are nathelper's", settings.ka_mode != 0},
        {"ka_filter", "keepalives are nathelper's", settings.ka_filter != 0},
        {"ka_timeout", "keepalives are nathelper's", settings.ka_timeout != 0},
        {"ka_loglevel", "keepalives are nathelper's", settings.ka_loglevel != 255},
        {"ka_method", "keepalives are nathelper's", settings.ka_method != Settings{}.ka_method},
        {"ka_from", "keepalives are nathelper's", settings.ka_from != Settings{}.ka_from},
        {"ka_domain", "keepalives are nathelper's", settings.ka_domain != Settings{}.ka_domain},
        {"ka_logmsg", "keepalives are nathelper's", settings.ka_logmsg != Settings{}.ka_logmsg},
    };
    for (const auto& one : idle)
        if (one.set)
            log_.warn("parameter {} has no effect: {}", one.name, one.why);
    if (!settings.xavp_contact.empty() && mode_ != Mode::memory)
        log_.warn("xavp_contact: the attributes are kept in memory only, db_mode {} does not store them",
                  settings.db_mode);

    if (mode_ != Mode::memory) {
        storage_.emplace(*must(host.database(settings.db_url)), settings, host.core().server_id);
        host.add_table(usrloc::Storage::layout("location", settings));
    }
    if (host.checking())
        return;
    // With a table in memory it is read before the first phone calls; a database that is away delays it to
    // the first use.
    std::vector<std::string> first = settings.preload;
    if (first.empty() && mode_ != Mode::memory)
        first.emplace_back("location");
    for (const std::string& table : first)
        if (const auto there = domain(table); !there)
            log_.warn("table {} is not loaded yet: {}", table, there.error().text);
    start_timers();
}

Usrloc::~Usrloc()
{
    if (expiry_timer_ || storage_timer_)
        host_.runtime().on_every_worker([this](task::Worker& worker) {
            if (worker.index() == 0) {
                expiry_timer_.reset();
                storage_timer_.reset();
            }
        });
}

std::string Usrloc::new_ruid()
{
    return ruid_prefix_ + hexadecimal(ruids_.fetch_add(1, std::memory_order_relaxed) + 1);
}

// --- domains
// -------------------------------------------------------------------------------------------------

Domain* Usrloc::known(std::string_view table) const
{
    for (const auto& place : domains_) {
        Domain* const one = place.load(std::memory_order_acquire);
        if (!one || one->name() == table)
            return one;
    }
    return nullptr;
}

Result<Domain*> Usrloc::domain(std::string_view table)
{
    Domain* found = known(table);
    if (!found) {
        if (table.empty() || table.size() > 64)
            return invalid(format("'{}' is no name of a location table", table));
        if (mode_ != Mode::memory)
            if (const auto checked = db::identifier(table); !checked)
                return checked.error();
        found = owned_.with([&](std::vector<std::unique_ptr<Domain>>& owned) -> Domain* {
            if (Domain* const meanwhile = known(table))
                return meanwhile;
            if (owned.size() == most_domains)
                return nullptr;
            const auto count = [&](std::string_view what, std::string_view about) -> Counter& {
                return host_.counter("usrloc",
                                     format("{}{}{}", table, host_.core().stats_name_separator, what), about);
            };
            const std::size_t wanted = std::size_t{1} << std::clamp(settings_.hash_size, 1, 20);
            std::size_t buckets = 1;
            while (buckets * Domain::shards < wanted)
                buckets *= 2;
            owned.push_back(std::make_unique<Domain>(
                std::string{table},
                Domain::Options{settings_.desc_time_order ? Order::newest_first : Order::by_q, buckets,
                                seed_},
                Domain::Counters{count("users", "Addresses of record in memory"),
                                 count("contacts", "Contacts in memory"),
                                 count("expires", "Contacts that have expired"), registered_users_}));
            domains_[owned.size() - 1].store(owned.back().get(), std::memory_order_release);
            return owned.back().get();
        });
        if (!found)
            return Error{ErrorKind::overloaded, format("more than {} location tables", most_domains)};
    }
    if (!found->loaded.load(std::memory_order_acquire))
        TRYV(load(*found));
    return found;
}

// Rows become contacts. One fiber loads, others wait for it.
Result<void> Usrloc::load(Domain& domain)
{
    if (mode_ == Mode::memory) {
        domain.loaded.store(true, std::memory_order_release);
        return {};
    }
    task::HeldLocks lock;
    TRYV(lock.acquire(locks_, "load " + domain.name(), host_.clock().now() + db::default_read_deadline * 4));
    if (domain.loaded.load(std::memory_order_acquire))
        return {};
    TRYV(storage_->prepare(domain.name()));
    if (mode_ != Mode::database_only && (settings_.db_load || mode_ == Mode::read_only)) {
        const std::int64_t now = host_.clock().unix_seconds();
        const auto most = static_cast<std::size_t>(std::clamp(settings_.fetch_rows, 1, 100'000));
        std::string after;
        std::size_t loaded = 0;
        std::vector<std::string> useless;
        for (std::size_t got = most; got == most;) {
            Snapshot page;
            TRY(got, storage_->read_page(domain.name(), after, most, page));
            for (const ContactView& row : page.views()) {
                const ContactView view = with_listener(row);
                if (!fits(view))
                    continue;
                if (view.is_expired(now)) { // while no server ran
                    useless.emplace_back(view.ruid);
                    continue;
                }
                if (settings_.skip_remote_socket && !view.listener && !view.socket.empty())
                    continue;
                if (settings_.db_clean_tcp &&
                    (view.contact.find("transport=") != std::string_view::npos &&
                     view.contact.find("transport=udp") == std::string_view::npos)) {
                    useless.emplace_back(view.ruid);
                    continue;
                }
                const auto place = domain.place(view.aor);
                const bool added = domain.with(place.shard, [&](Shard& shard) {
                    // A load that broke off has left some here already.
                    if (shard.find_ruid(domain.ruid_hash(view.ruid), view.ruid))
                        return false;
                    Contact& contact = shard.insert(place.hash, view.aor, view, domain.ruid_hash(view.ruid));
                    contact.stored = Contact::Stored::clean;
                    contact.had_row = true;
                    return true;
                });
                loaded += added ? 1 : 0;
            }
        }
        if (!useless.empty() && mode_ != Mode::read_only)
            TRYV(storage_->write(domain.name(), {{}, std::move(useless)}));
        log_.info("{} contacts loaded from table {}", loaded, domain.name());
    }
    if (settings_.version_table) {
        const auto version = db::table_version(*must(host_.database(settings_.db_url)),
                                               host_.core().version_table, domain.name());
        if (version && *version && **version != 9)
            log_.warn("table {} has version {}, not 9", domain.name(), **version);
    }
    domain.loaded.store(true, std::memory_order_release);
    return {};
}

// Rows know a socket by its text; ours is found again, whichever process wrote it.
ContactView Usrloc::with_listener(ContactView view) const
{
    view.listener = listener(view.socket);
    if (view.listener && view.listener->text() == view.socket)
        view.socket = {};
    return view;
}

const net::Listener* Usrloc::listener(std::string_view socket) const
{
    if (socket.empty())
        return nullptr;
    for (const auto& one : host_.network().listeners()) {
        if (one->text() == socket)
            return one.get();
        if (format("{}:{}:{}", net::to_text(one->protocol), one->host(), one->port()) == socket)
            return one.get();
    }
    return nullptr;
}

Manifest<Usrloc> Usrloc::manifest()
{
    using M = Usrloc;
    using S = Settings;
    return {
        .name = "usrloc",
        .about = "The location store: contacts of registered users, in memory and in a database",
        .offers = {offer_of<Api, M>()},
        .params =
            {
                param("db_url", &S::db_url, "Where the contacts are kept with a db_mode"),
                param("db_mode", &S::db_mode,
                      "0 memory, 1 write-through, 2 write-back, 3 database only, 4 loaded and never written"),
                param("timer_interval", &S::timer_interval, "Seconds between two flushes to the database"),
                param("use_domain", &S::use_domain, "Users of different domains are different users"),
                param("desc_time_order", &S::desc_time_order,
                      "Contacts are ordered by time, newest first, instead of q"),
                param("matching_mode", &S::matching_mode,
                      "What makes two contacts the same: 0 URI, 1 and Call-ID, 2 and Path, 3 Call-ID"),
                param("cseq_delay", &S::cseq_delay, "Seconds within which the same CSeq is a retransmission"),
                param("nat_bflag", &S::nat_bflag, "Branch flag of contacts behind a NAT; -1: none"),
                param("hash_size", &S::hash_size, "2^n buckets at the start; the table grows by itself"),
                param("preload", &S::preload, "Table to load at the start; may be repeated"),
                param("xavp_contact", &S::xavp_contact, "XAVP whose fields are kept with a contact"),
                param("handle_lost_tcp", &S::handle_lost_tcp,
                      "Contacts whose connection is gone are removed"),
                param("close_expired_tcp", &S::close_expired_tcp,
                      "The connection of an expired contact is closed"),
                param("db_load", &S::db_load, "0: the table is not read at the start"),
                param("db_timer_clean", &S::db_timer_clean,
                      "Expired rows are deleted by the timer in db_mode 1 and 2"),
                param("db_clean_tcp", &S::db_clean_tcp,
                      "Contacts of streams are deleted at the start instead of loaded"),
                param("skip_remote_socket", &S::skip_remote_socket,
                      "Contacts of other servers' sockets are not loaded"),
                param("server_id_filter", &S::server_id_filter,
                      "Only rows of this server_id are loaded and cleaned"),
                param("version_table", &S::version_table, "Warn when the table has another version"),
                param("expires_type", &S::expires_type, "0: times are DATETIME columns, 1: BIGINT"),
                param("fetch_rows", &S::fetch_rows, "Rows read at once at the start"),
                param("rm_expired_delay", &S::rm_expired_delay, "Seconds an expired row stays in db_mode 3"),
                param("max_stored", &S::max_stored, "Contacts one table may hold in memory"),
                param("user_column", &S::user_column, "Column of the user"),
                param("domain_column", &S::domain_column, "Column of the domain"),
                param("contact_column", &S::contact_column, "Column of the contact"),
                param("expires_column", &S::expires_column, "Column of the end"),
                param("q_column", &S::q_column, "Column of the quality"),
                param("callid_column", &S::callid_column, "Column of the Call-ID"),
                param("cseq_column", &S::cseq_column, "Column of the CSeq"),
                param("methods_column", &S::methods_column, "Column of the methods"),
                param("flags_column", &S::flags_column, "Column of the record's flags"),
                param("cflags_column", &S::cflags_column, "Column of the branch flags"),
                param("user_agent_column", &S::user_agent_column, "Column of the User-Agent"),
                param("received_column", &S::received_column, "Column of the address it came from"),
                param("socket_column", &S::socket_column, "Column of the socket it came to"),
                param("path_column", &S::path_column, "Column of the Path"),
                param("ruid_column", &S::ruid_column, "Column of the record's id"),
                param("instance_column", &S::instance_column, "Column of +sip.instance"),
                param("reg_id_column", &S::reg_id_column, "Column of reg-id"),
                param("server_id_column", &S::server_id_column, "Column of the server's id"),
                param("connection_id_column", &S::connection_id_column, "Column of the connection"),
                param("keepalive_column", &S::keepalive_column, "Column that says a contact is to be pinged"),
                param("partition_column", &S::partition_column,
                      "Column of the partition, when the table is made here"),
                param("last_modified_column", &S::last_modified_column, "Column of the last change"),
                param("timer_procs", &S::timer_procs, "No effect"),
                param("db_check_update", &S::db_check_update, "No effect"),
                param("db_insert_update", &S::db_insert_update, "No effect"),
                param("db_update_as_insert", &S::db_update_as_insert, "No effect"),
                param("db_ops_ruid", &S::db_ops_ruid, "No effect"),
                param("db_raw_fetch_type", &S::db_raw_fetch_type, "No effect"),
                param("db_insert_null", &S::db_insert_null, "No effect"),
                param("load_rank", &S::load_rank, "No effect"),
                param("ka_mode", &S::ka_mode, "No effect"),
                param("ka_filter", &S::ka_filter, "No effect"),
                param("ka_timeout", &S::ka_timeout, "No effect"),
                param("ka_loglevel", &S::ka_loglevel, "No effect"),
                param("ka_method", &S::ka_method, "No effect"),
                param("ka_from", &S::ka_from, "No effect"),
                param("ka_domain", &S::ka_domain, "No effect"),
                param("ka_logmsg", &S::ka_logmsg, "No effect"),
            },
        .commands =
            {
                command("ul.dump", &M::dump_command, "[brief]: all contacts"),
                command("ul.show", &M::show_command, "[TABLE [MOST]]: contacts as a list"),
                command("ul.lookup", &M::lookup_command, "TABLE AOR: the contacts of a user"),
                command("ul.rm", &M::rm_command, "TABLE AOR: removes a user's contacts"),
                command("ul.rm_contact", &M::rm_contact_command, "TABLE AOR CONTACT: removes one contact"),
                command("ul.add", &M::add_command,
                        "TABLE AOR CONTACT EXPIRES Q PATH FLAGS CFLAGS METHODS [RECEIVED [SOCKET]]: adds a "
                        "contact"),
                command("ul.flush", &M::flush_command, "Writes what the database does not know yet"),
                command("ul.db_users", &M::db_users_command, "TABLE: users with contacts in the database"),
                command("ul.db_contacts", &M::db_contacts_command, "TABLE: contacts in the database"),
                command("ul.db_expired_contacts", &M::db_expired_command,
                        "TABLE: expired contacts in the database"),
            },
    };
}

} // namespace sipyard::usrloc

SIPYARD_MODULE(sipyard::usrloc::Usrloc)
