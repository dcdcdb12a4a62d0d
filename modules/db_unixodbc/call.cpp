// modules/db_unixodbc/call.cpp - doing a job on a connection, and when to try again
#include "modules/db_unixodbc/call.h"

#include "core/base/format.h"
#include "modules/db_unixodbc/session.h"

#include <exception>
#include <thread>

namespace sipyard::db_unixodbc {
namespace {

constexpr int most_deadlocks = 3;
constexpr auto pause =
    std::chrono::milliseconds{5}; // between tries for a busy database; the driver waits 100 ms itself

Result<void> read(Session& session, const Call& call)
{
    for (bool repeated = false;;) {
        const bool was_connected = session.connected();
        session.set_deadline(call.deadline);
        auto result = run_work(session, call);
        if (result || session.remaining() <= Duration{0})
            return result;
        if (result.error().kind == ErrorKind::lost && was_connected && !repeated)
            repeated = true; // the connection had died while it rested
        else if (result.error().kind == ErrorKind::busy)
            std::this_thread::sleep_for(pause);
        else
            return result;
    }
}

Result<void> transaction(Session& session, const Call& call)
{
    bool repeated = false;
    for (int deadlocks = 0;;) {
        const bool was_connected = session.connected();
        session.set_deadline(call.deadline);
        auto result = session.begin();
        if (result) {
            result = run_work(session, call);
            if (result) {
                result = session.commit();
                if (!result)
                    session.drop(); // whether it happened is unknown, so it is not repeated
                return result;
            }
            session.roll_back();
        }
        if (session.remaining() <= Duration{0})
            return result;
        if (result.error().kind == ErrorKind::lost && was_connected && !repeated)
            repeated = true;
        else if (result.error().kind != ErrorKind::busy || ++deadlocks > most_deadlocks)
            return result;
    }
}

} // namespace

Result<void> run_work(Session& session, const Call& call)
{
    auto result = Result<void>{};
    try {
        result = call.work(session);
    } catch (const std::exception& thrown) {
        result = Error{ErrorKind::other, format("a database job threw: {}", std::string_view{thrown.what()})};
    } catch (...) {
        result = Error{ErrorKind::other, "a database job threw something"};
    }
    if (result && session.first_error())
        return *session.first_error();
    return result;
}

Result<void> perform(Session& session, const Call& call)
{
    switch (call.kind) {
    case Call::Kind::read: return read(session, call);
    case Call::Kind::transaction: return transaction(session, call);
    case Call::Kind::statement: break;
    }
    session.freshen();
    session.set_deadline(call.deadline);
    return run_work(session, call);
}

} // namespace sipyard::db_unixodbc
