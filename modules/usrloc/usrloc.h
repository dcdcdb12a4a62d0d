// modules/usrloc/usrloc.h - the location store: who is reachable where (RFC 3261 10), in memory and in a
// database
#pragma once

#include "core/json/value.h"
#include "core/module/module.h"
#include "core/task/keyed_lock.h"
#include "modules/usrloc/api.h"
#include "modules/usrloc/domain.h"
#include "modules/usrloc/matching.h"
#include "modules/usrloc/settings.h"
#include "modules/usrloc/storage.h"

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::usrloc {

class Usrloc final : public Api {
public:
    using Settings = usrloc::Settings;
    static Manifest<Usrloc> manifest();

    Usrloc(const Settings& settings, Host& host);
    ~Usrloc() override;

    // --- Api ---
    Result<void> change(std::string_view domain, std::string_view aor, Storage storage,
                        Writer& writer) override;
    Result<bool> lookup(std::string_view domain, std::string_view aor, Reader& reader) override;
    Result<bool> lookup_ruid(std::string_view domain, std::string_view ruid, Reader& reader) override;
    Result<void> remove_ruid(std::string_view domain, std::string_view ruid) override;
    Result<void> for_each(std::string_view domain, std::uint32_t cflags, Reader& reader) override;
    const ContactView* match(std::span<const ContactView> there, const ContactView& wanted) const override
    {
        return usrloc::match(there, wanted, static_cast<Matching>(settings_.matching_mode));
    }
    bool uses_domain() const override { return settings_.use_domain; }
    std::uint32_t nat_flag() const override { return nat_flag_; }
    std::int64_t cseq_delay() const override { return settings_.cseq_delay; }
    std::string_view attributes_name() const override { return settings_.xavp_contact; }
    const net::Listener* listener(std::string_view socket) const override;
    void announce_changes() override { announce_.store(true, std::memory_order_relaxed); }
    void add_expiry_hook(ExpiryHook& hook) override { expiry_hooks_.push_back(&hook); }

    // --- upkeep, also for tests ---
    void expire();        // what is over now
    Result<void> flush(); // what the database does not know yet; Error: it is tried again
    Result<void> clean(); // rows that are over

private:
    enum class Mode : unsigned char {
        memory,
        write_through,
        write_back,
        database_only,
        read_only
    }; // db_mode 0 to 4
    static constexpr std::size_t most_domains = 32;

    struct Events {
        std::vector<ContactChanged> list;
        bool wanted = false;
        void add(What what, const Domain& domain, const ContactView& view);
    };

    Result<Domain*> domain(std::string_view name); // made and loaded
    Domain* known(std::string_view name) const;    // null: not made yet
    Result<void> load(Domain& domain);
    ContactView with_listener(ContactView view) const;

    Result<void> change_memory(Domain& domain, std::string_view aor, Storage storage, Writer& writer);
    Result<void> change_through(Domain& domain, std::string_view aor, Writer& writer);
    Result<void> change_rows(std::string_view domain, std::string_view aor, Writer& writer);
    Result<void> room_for(const Domain& domain, const std::vector<Change>& changes) const;
    void tell(Events& events);
    void tell_expired(Domain& domain, Snapshot& gone);
    std::string new_ruid();

    void start_timers();
    Result<void> flush_domain(Domain& domain);
    Result<void> write_or_single_out(Domain& domain, Batch batch);
    void drop_lost(Domain& domain);

    // --- commands ---
    Result<json::Value> dump_command(const json::Value& params);
    Result<json::Value> show_command(const json::Value& params);
    Result<json::Value> lookup_command(const json::Value& params);
    Result<json::Value> rm_command(const json::Value& params);
    Result<json::Value> rm_contact_command(const json::Value& params);
    Result<json::Value> add_command(const json::Value& params);
    Result<json::Value> flush_command(const json::Value& params);
    Result<json::Value> db_users_command(const json::Value& params);
    Result<json::Value> db_contacts_command(const json::Value& params);
    Result<json::Value> db_expired_command(const json::Value& params);
    Result<Domain*> table_of(const json::Value& params);
    Result<usrloc::Storage::Counts> counts_of(const json::Value& params);
    json::Value contact_of(const ContactView& view, Contact::Stored stored) const;

    const Settings settings_;
    Host& host_;
    const log::Logger log_;
    const Mode mode_;
    const std::uint32_t nat_flag_;
    const std::uint64_t seed_;
    const std::string ruid_prefix_;
    std::atomic<std::uint64_t> ruids_{0};
    std::atomic<bool> announce_{false};
    std::vector<ExpiryHook*> expiry_hooks_;  // set while modules are constructed
    std::optional<usrloc::Storage> storage_; // with a db_mode; thread-safe
    task::KeyedLock locks_; // of addresses of record in db_mode 1 and 3, of tables being loaded
    // Domains are made once and never go: a reader needs no lock.
    std::array<std::atomic<Domain*>, most_domains> domains_{};
    Guarded<std::vector<std::unique_ptr<Domain>>> owned_;
    Counter& registered_users_;
    std::unique_ptr<task::Timer> expiry_timer_, storage_timer_; // of worker 0
};

} // namespace sipyard::usrloc
