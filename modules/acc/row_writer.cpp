// modules/acc/row_writer.cpp - accounting rows on their way to the database
#include "modules/acc/row_writer.h"

#include <algorithm>

namespace sipyard::acc {
namespace {

std::string insert_sql(const Row& row)
{
    std::string names, marks;
    for (const auto& column : row.shape->columns) {
        names += (names.empty() ? "" : ", ") + column;
        marks += marks.empty() ? "?" : ", ?";
    }
    return format("INSERT INTO {} ({}) VALUES ({})", row.table, names, marks);
}

// It is the row's fault (or its table's): trying again would not help and keep the others waiting.
bool refused(const Error& error)
{
    switch (error.kind) {
    case ErrorKind::unique:
    case ErrorKind::constraint:
    case ErrorKind::syntax:
    case ErrorKind::invalid:
    case ErrorKind::unsupported:
    case ErrorKind::not_found:
    case ErrorKind::other: return true;
    default: return false;
    }
}

} // namespace

RowWriter::RowWriter(Host& host, db::Database& database, std::size_t limit)
    : log_{host.logger("acc")}, clock_{host.clock()}, runtime_{host.runtime()}, database_{database},
      limit_{limit}, written_{host.counter("acc", "rows_written", "Accounting rows stored")},
      dropped_{host.counter("acc", "rows_dropped",
                            "Accounting rows lost: refused, no room in the queue, or left at the end")}
{
}

RowWriter::~RowWriter()
{
    state_.with([this](State& s) {
        for (const Row& row : s.rows)
            lose(row, "the server has ended");
    });
}

bool RowWriter::put(Row row)
{
    enum class Next : unsigned char { nothing, start, first_refusal, refusal };
    const Next next = state_.with([&](State& s) {
        if (s.rows.size() >= limit_)
            return s.refused++ == 0 ? Next::first_refusal : Next::refusal;
        s.rows.push_back(std::move(row));
        return std::exchange(s.writing, true) ? Next::nothing : Next::start;
    });
    if (next == Next::first_refusal)
        log_.error("the queue for {} is full ({} rows), rows are lost", database_.url().safe_text(), limit_);
    if (next == Next::first_refusal || next == Next::refusal) {
        lose(row, "the queue is full");
        return false;
    }
    if (next == Next::start) {
        task::Worker* const worker = task::Worker::current();
        if (worker)
            worker->spawn_always([this] { run(); });
        else
            run();
    }
    return true;
}

std::size_t RowWriter::queued() const
{
    return state_.with([](const State& s) { return s.rows.size(); });
}

void RowWriter::run()
{
    Duration pause = 1s;
    for (;;) {
        Batch batch;
        std::size_t missed = 0;
        const auto done = state_.with([&](State& s) -> std::optional<task::Event> {
            const std::size_t n = std::min(s.rows.size(), batch_size);
            batch.assign(std::make_move_iterator(s.rows.begin()),
                         std::make_move_iterator(s.rows.begin() + static_cast<std::ptrdiff_t>(n)));
            s.rows.erase(s.rows.begin(), s.rows.begin() + static_cast<std::ptrdiff_t>(n));
            if (n == 0) {
                s.writing = false;
                missed = std::exchange(s.refused, 0);
                return std::exchange(s.done, std::nullopt);
            }
            return std::nullopt;
        });
        if (batch.empty()) {
            if (missed > 0)
                log_.error("the queue for {} is empty again, {} rows were lost", database_.url().safe_text(),
                           missed);
            if (done)
                done->signal();
            return;
        }
        if (const auto stored = write(batch); stored) {
            written_.add(static_cast<std::int64_t>(batch.size()));
            pause = 1s;
        } else if (!settle(std::move(batch), stored.error())) {
            log_.error("rows cannot be stored in {} now: {}", database_.url().safe_text(),
                       stored.error().text);
            if (stored.error().kind == ErrorKind::stopping || !rest(pause)) {
                const auto last = state_.with([](State& s) {
                    s.writing = false;
                    return std::exchange(s.done, std::nullopt);
                });
                if (last)
                    last->signal();
                return;
            }
            pause = std::min<Duration>(pause * 2, 10s);
        }
    }
}

// A batch that is refused is tried row by row, so that a bad one takes no other along. What may come right
// goes back.
bool RowWriter::settle(Batch batch, const Error& why)
{
    bool later = !refused(why);
    Batch back;
    if (later) {
        back = std::move(batch);
    } else if (batch.size() == 1) {
        lose(batch.front(), why.text);
    } else {
        for (Row& row : batch) {
            Batch one;
            one.push_back(std::move(row));
            if (later) {
                back.push_back(std::move(one.front()));
            } else if (const auto stored = write(one); stored) {
                written_.add();
            } else if (refused(stored.error())) {
                lose(one.front(), stored.error().text);
            } else {
                later = true;
                back.push_back(std::move(one.front()));
            }
        }
    }
    if (!back.empty())
        state_.with([&back](State& s) {
            s.rows.insert(s.rows.begin(), std::make_move_iterator(back.begin()),
                          std::make_move_iterator(back.end()));
        });
    return !later;
}

Result<void> RowWriter::write(const Batch& batch)
{
    struct Insert {
        std::string sql;
        std::vector<db::Value> values;
    };
    const auto inserts =
        std::make_shared<std::vector<Insert>>(); // shared with the job, which may outlive this call
    inserts->reserve(batch.size());
    for (const Row& row : batch) {
        make_table(row);
        inserts->push_back({insert_sql(row), row.values});
    }
    return database_.transaction<void>([inserts](db::Connection& connection) -> Result<void> {
        for (const Insert& insert : *inserts)
            TRYV(connection.run(insert.sql, insert.values));
        return {};
    });
}

// The embedded database needs no preparation: a table it has not yet is made at the first row (DESIGN 7).
void RowWriter::make_table(const Row& row)
{
    if (database_.dialect() != db::Dialect::sqlite ||
        known_.with([&row](std::set<std::string>& known) { return known.contains(row.table); }))
        return;
    db::Table layout = row.shape->layout;
    layout.name = row.table;
    const auto made = db::create_if_missing(database_, layout);
    if (!made) {
        log_.error("table {} cannot be made: {}", row.table, made.error().text);
        return; // the row will say what is wrong, and the next one tries again
    }
    if (*made)
        log_.info("table {} has been created in {}", row.table, database_.url().safe_text());
    known_.with([&row](std::set<std::string>& known) { return known.insert(row.table).second; });
}

bool RowWriter::rest(Duration pause)
{
    const auto nap = state_.with([](State& s) -> std::optional<task::Event> {
        if (s.stopping)
            return std::nullopt;
        return s.nap.emplace();
    });
    if (!nap)
        return false;
    nap->wait(clock_.now() + pause);
    state_.with([](State& s) { s.nap.reset(); });
    return !runtime_.stopping(); // woken by flush() it tries once more
}

void RowWriter::flush()
{
    bool start = false;
    const auto done = state_.with([&start](State& s) -> std::optional<task::Event> {
        s.stopping = true;
        if (s.nap)
            s.nap->signal();
        if (s.rows.empty() && !s.writing)
            return std::nullopt;
        start = !std::exchange(s.writing, true);
        return s.done.emplace();
    });
    if (!done)
        return;
    if (start)
        run();
    done->wait(clock_.now() + 15s);
}

void RowWriter::lose(const Row& row, std::string_view why)
{
    dropped_.add();
    std::string values;
    for (std::size_t i = 0; i < row.values.size() && i < row.shape->columns.size(); ++i)
        values += format("{}{}={}", i == 0 ? "" : ";", row.shape->columns[i], row.values[i].print());
    log_.error("row lost ({}): {}: {}", why, row.table, values);
}

} // namespace sipyard::acc
