// modules/db_unixodbc/session.h - a thread's connection: opened when needed, statements prepared once and
// kept
#pragma once

#include "core/base/clock.h"
#include "core/db/database.h"
#include "modules/db_unixodbc/driver.h"
#include "modules/db_unixodbc/odbc.h"
#include "modules/db_unixodbc/target.h"
#include "modules/db_unixodbc/watchdog.h"

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sipyard::db_unixodbc {

// What every session of a database shares; outlives them, a lost thread's too.
struct Common {
    Common(Target its_target, const Clock& its_clock, const DriverSettings& settings, log::Logger its_log)
        : target{std::move(its_target)}, clock{its_clock}, slow{settings.slow},
          slow_level{settings.slow_level}, log{its_log}
    {
    }
    const Target target;
    const Clock& clock;
    const Duration slow; // see DriverSettings
    const log::Level slow_level;
    const log::Logger log;
    std::unique_ptr<Watchdog> watchdog;
    std::atomic<std::uint64_t> connections{0}, reconnects{0}, reads{0}, writes{0}, batches{0}, failures{0},
        timeouts{0}, refused{0};
};

class Session final : public db::Connection {
public:
    enum class Role : unsigned char { both, reader };
    Session(std::shared_ptr<Common> common, Role role) : common_{std::move(common)}, role_{role} {}
    ~Session() override { drop(); }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    // Begins a job: statements end by then, and nothing has failed yet.
    void set_deadline(Instant deadline);
    Result<void> connect_if_needed();
    bool connected() const { return connection_.is_open(); }
    void drop(); // handles and connection; the next use connects again

    // What a job's code calls. A statement that controls transactions is refused: they are begun and ended
    // out here.
    Result<db::Rows> run(std::string_view sql, const std::vector<db::Value>& values = {}) override;
    db::Dialect dialect() const override { return common_->target.dialect; }

    Result<db::Rows> run_prepared(std::string_view sql, const std::vector<db::Value>& values);
    Result<void> run_plain(std::string_view sql); // BEGIN IMMEDIATE and the like
    Result<void> begin();
    Result<void> commit();
    void roll_back(); // drops the connection when that fails
    // Tests the connection with a round trip when it has rested so long that the server may have closed it.
    void freshen();

    const std::optional<Error>& first_error() const { return first_error_; } // since set_deadline()
    void forget_error() { first_error_.reset(); }
    Duration remaining() const { return deadline_ - common_->clock.now(); }
    std::uint64_t connection_number() const
    {
        return number_;
    } // differs between all connections of the database

private:
    struct Kept {
        std::string sql;
        std::unique_ptr<odbc::Statement> statement;
    };
    static constexpr std::size_t most_kept = 64;

    Result<void> learn_to_cancel();
    Result<db::Rows> direct(std::string_view sql);
    void report_slow(std::string_view sql, Instant since) const;
    Result<odbc::Statement*> prepared(std::string_view sql);
    void forget(std::string_view sql);
    Error note(Error error);

    const std::shared_ptr<Common> common_; // shared by the sessions and their database
    const Role role_;
    odbc::Connection connection_;
    std::shared_ptr<Watchdog::Slot> slot_;                                   // shared with the watchdog
    std::list<Kept> kept_;                                                   // most recently used first
    std::unordered_map<std::string_view, std::list<Kept>::iterator> by_sql_; // keys live in kept_
    std::unique_ptr<odbc::Statement> direct_;
    std::unique_ptr<odbc::Statement> spare_; // SQLite: never runs, the watchdog's
    std::vector<char> scratch_;
    std::optional<Error> first_error_;
    Instant deadline_{};
    Instant last_used_{};
    std::uint64_t number_ = 0;
};

} // namespace sipyard::db_unixodbc
