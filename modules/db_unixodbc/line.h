// modules/db_unixodbc/line.h - a way to a database: its threads, its queue and its circuit breaker
#pragma once

#include "core/log/log.h"
#include "core/task/pool.h"
#include "modules/db_unixodbc/breaker.h"
#include "modules/db_unixodbc/call.h"
#include "modules/db_unixodbc/session.h"

#include <memory>
#include <string_view>

namespace sipyard::db_unixodbc {

// A server has one line; an SQLite file has one for reads and one for writes. Shared by the database and the
// jobs on their way, which may outlive it on a lost thread.
struct Line {
    Line(std::shared_ptr<Common> its_common, task::Pool& its_pool, Session::Role its_role,
         log::Logger its_log)
        : common{std::move(its_common)}, pool{its_pool}, role{its_role}, log{its_log}
    {
    }
    const std::shared_ptr<Common> common; // see Common
    task::Pool& pool; // the runtime's; its jobs end before it does, or their thread is lost
    const Session::Role role;
    const log::Logger log;
    Breaker breaker;

    // The connection of a pool thread.
    Session& session(task::PoolThread& thread) const;
    // Lost and late answers open the breaker, others close it.
    void account(const Result<void>& result);
    // Error while the breaker is open.
    Result<void> admit();
    // Waits for the call on the asker's side and counts how it went.
    Result<void> answer(Call& call);
};

inline Error no_answer() { return {ErrorKind::timeout, "the database gave no answer within the deadline"}; }
inline Error broken()
{
    return {ErrorKind::overloaded, "the database does not answer, calls fail at once until it does"};
}

// Hands the call to a thread of the line and waits.
Result<void> ask(const std::shared_ptr<Line>& line, const CallPtr& call);
// The same without waiting, for probes.
Result<void> send(const std::shared_ptr<Line>& line, const CallPtr& call);

} // namespace sipyard::db_unixodbc
