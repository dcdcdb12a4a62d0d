// modules/db_unixodbc/freshness.h - has an SQLite file changed? One look answers everybody who asked before
// it began
#pragma once

#include "core/base/guarded.h"
#include "modules/db_unixodbc/line.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace sipyard::db_unixodbc {

// PRAGMA data_version tells a connection whether others have committed since it last asked. It means
// something on one connection only, so this line has one thread, and the number is joined with that of its
// connection.
class Freshness : public std::enable_shared_from_this<Freshness> {
public:
    explicit Freshness(std::shared_ptr<Line> line) : line_{std::move(line)} {}
    Result<std::uint64_t> ask(Duration deadline);

private:
    struct Look { // shared by its askers and the job
        std::vector<task::Event> waiting;
        Result<std::uint64_t> answer = Error{ErrorKind::timeout, "no answer"}; // written before the events
    };
    std::shared_ptr<Look> begin(); // from here on askers make a new one
    void look(task::PoolThread& thread, Instant deadline);
    void finish(Look& look, Result<std::uint64_t> answer);

    const std::shared_ptr<Line> line_;    // see Line
    Guarded<std::shared_ptr<Look>> next_; // has not begun; its askers are added under the lock
};

} // namespace sipyard::db_unixodbc
