// modules/db_unixodbc/call.h - one job of an asker: what to do, until when, and where the answer goes
#pragma once

#include "core/base/clock.h"
#include "core/db/database.h"
#include "core/task/fiber.h"

#include <memory>
#include <utility>

namespace sipyard::db_unixodbc {

class Session;

// Shared by the asker and the thread that does it; the asker may have left when it is done.
struct Call {
    enum class Kind : unsigned char { read, statement, transaction };
    db::Work<void> work;
    Kind kind = Kind::read;
    Instant deadline{};
    bool probe = false; // of an open breaker: nobody waits for it
    task::Event done{};
    Result<void> result{}; // written before `done`, read after it

    void finish(Result<void> with)
    {
        result = std::move(with);
        done.signal();
    }
};
using CallPtr = std::shared_ptr<Call>;

// Runs the work; what it throws, and an error it swallowed inside a transaction, become its error.
Result<void> run_work(Session& session, const Call& call);

// A whole job on a connection of its own. Reads are repeated after a lost connection and while the database
// is busy; a transaction is repeated when it was lost before its commit or was a deadlock's victim; a single
// statement that changes is not: it may have been executed before the connection broke.
Result<void> perform(Session& session, const Call& call);

} // namespace sipyard::db_unixodbc
