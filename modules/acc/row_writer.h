// modules/acc/row_writer.h - rows for a database that may be slow or away: a bounded queue, written in
// batches behind the calls
#pragma once

#include "core/base/guarded.h"
#include "core/db/database.h"
#include "core/module/host.h"
#include "core/task/fiber.h"

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sipyard::acc {

// The columns of a kind of row; lives as long as the writer.
struct RowShape {
    std::vector<std::string> columns;
    db::Table layout; // to make a missing table of SQLite; its name is the row's
};

struct Row {
    const RowShape* shape = nullptr;
    std::string table; // checked: db::identifier
    std::vector<db::Value> values;
};

// put() never waits. One fiber at a time writes what is queued, up to 200 rows in a transaction. While the
// database is away rows wait and are tried again (1 s, later up to 10 s apart): what was not confirmed is
// repeated, so a row can be there twice after a timeout, but it is not lost. A row the database refuses is
// dropped, counted and written to the log as text; so is what does not fit the queue, and what is left when
// the server ends.
class RowWriter {
public:
    RowWriter(Host& host, db::Database& database, std::size_t limit);
    ~RowWriter(); // the workers have ended
    RowWriter(const RowWriter&) = delete;
    RowWriter& operator=(const RowWriter&) = delete;

    bool put(Row row); // false: the queue is full
    // At the end: writes what there is, without patience for a database that is away. On a fiber.
    void flush();
    std::size_t queued() const;
    std::int64_t written() const { return written_.value(); }
    std::int64_t dropped() const { return dropped_.value(); }

private:
    static constexpr std::size_t batch_size = 200;
    struct State {
        std::deque<Row> rows;
        bool writing = false, stopping = false;
        std::size_t refused = 0;              // rows since the queue became full
        std::optional<task::Event> nap, done; // the writer sleeps; who waits in flush()
    };
    using Batch = std::vector<Row>;

    void run();
    Result<void> write(const Batch& batch);
    bool settle(Batch batch, const Error& why); // false: to be tried again later
    bool rest(Duration pause);                  // false: the server stops
    void make_table(const Row& row);
    void lose(const Row& row, std::string_view why);

    const log::Logger log_;
    const Clock& clock_;
    task::Runtime& runtime_;
    db::Database& database_;
    const std::size_t limit_;
    Counter& written_;
    Counter& dropped_;
    Guarded<State> state_;
    Guarded<std::set<std::string>> known_; // tables that need not be made any more
};

} // namespace sipyard::acc
