// modules/presence/store_lane.cpp - batches, failures, rows the database refuses, and who waits for what
#include "modules/presence/store_lane.h"

#include "core/base/format.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <optional>
#include <utility>

namespace sipyard::presence {
namespace {

constexpr std::size_t most_in_batch = 256;
constexpr unsigned patience_with_row = 2; // attempts alone while other rows of the table are taken
constexpr std::size_t most_strange = 8;   // rows in a row that fail for no known reason: it is the database

// Rows these errors name are at fault themselves; with others it is the database.
bool is_of_row(ErrorKind kind)
{
    return kind == ErrorKind::unique || kind == ErrorKind::constraint || kind == ErrorKind::invalid;
}

// Signalled when the last of a caller's changes is written.
struct Waiter {
    explicit Waiter(std::size_t changes) : left{changes} {}
    std::atomic<std::size_t> left;
    std::atomic<bool> refused{false};
    task::Event all;
};

// A transaction's data. It may run on after its asker has given up, while the next attempt is under way on
// another connection: then it must not commit. Past its last look it holds its rows' locks, so what comes
// later for the same rows is executed later.
struct Job {
    std::vector<std::shared_ptr<const RowWork>> works; // owners: the queue and this job
    std::shared_ptr<const StoreStatements> sql;
    Careful careful = Careful::no;
    std::atomic<bool> given_up{false};

    Result<void> run(db::Connection& connection) const
    {
        for (const auto& work : works) {
            if (given_up)
                break;
            TRYV(execute(*sql, connection, *work, careful));
        }
        if (given_up)
            return Error{ErrorKind::timeout, "given up"};
        return {};
    }
};

} // namespace

struct StoreLane::Timers {
    task::Timer again, clean;
};

StoreLane::StoreLane(std::string table, StoreMode mode, StoreStatements sql, const LaneSettings& settings,
                     db::Database& database, task::Runtime& runtime, log::Logger log, LaneCounters counters,
                     std::function<Result<void>()> prepare)
    : table_{std::move(table)}, mode_{mode}, sql_{std::make_shared<const StoreStatements>(std::move(sql))},
      settings_{settings}, database_{database}, runtime_{runtime}, log_{log}, counters_{counters},
      prepare_{std::move(prepare)}, state_{settings.limits}
{
    if (mode_ == StoreMode::memory)
        return;
    task::Worker& worker = runtime_.worker(0);
    timers_.reset(new Timers{{worker,
                              [this] {
                                  state_.with([](State& s) { s.armed = false; });
                                  on_time();
                              }},
                             {worker, [this] {
                                  state_.with([](State& s) { s.clean_due = true; });
                                  on_time();
                                  timers_->clean.arm_in(settings_.clean_period);
                              }}});
    worker.post([this] { timers_->clean.arm_in(settings_.clean_period); });
}

StoreLane::~StoreLane()
{
    if (!timers_)
        return;
    std::optional<task::Event> idle;
    state_.with([&](State& s) {
        s.stopping = true; // nothing is armed or started from here on
        if (s.draining && runtime_.started() && !runtime_.stopping())
            s.idle.push_back(idle.emplace());
    });
    runtime_.on_every_worker([this](task::Worker& worker) {
        if (worker.index() == 0)
            timers_.reset();
    });
    if (idle)
        idle->wait();
}

std::size_t StoreLane::waiting() const
{
    return state_.with([](const State& s) { return s.queue.size(); });
}

bool StoreLane::add(std::vector<StoreChange> changes, Store::Wait wait)
{
    if (mode_ == StoreMode::memory || changes.empty())
        return true;
    if (database_.dialect() != db::Dialect::sqlite) // which stores whatever it is given
        std::erase_if(changes, [this](StoreChange& change) {
            const auto fits = make_fit(change);
            if (fits)
                return false;
            note_refusal(fits.error());
            return true;
        });

    const auto waiter = mode_ == StoreMode::through && wait == Store::Wait::yes && !changes.empty()
                            ? std::make_shared<Waiter>(changes.size())
                            : nullptr; // shared by the caller and the queue, whichever ends last
    StoreQueue::Told told;
    bool start = false, worth_waiting = false;
    state_.with([&](State& s) {
        const auto lost = s.queue.lost(), coalesced = s.queue.coalesced();
        for (StoreChange& change : changes) {
            StoreQueue::Written written;
            if (waiter)
                written = [waiter](bool well) {
                    if (!well)
                        waiter->refused = true;
                    if (waiter->left.fetch_sub(1) == 1)
                        waiter->all.signal();
                };
            s.queue.add(std::move(change), std::move(written), told);
        }
        counters_.lost.add(static_cast<std::int64_t>(s.queue.lost() - lost));
        counters_.coalesced.add(static_cast<std::int64_t>(s.queue.coalesced() - coalesced));
        worth_waiting = !s.away && !s.behind;
        if (s.queue.waiting() == 0 || s.draining || s.stopping)
            return;
        if (mode_ == StoreMode::back || s.away)
            arm(s, mode_ == StoreMode::back ? settings_.update_period : settings_.retry_period);
        else
            start = s.draining = true;
    });
    for (auto& tell : told)
        tell(true);
    if (start)
        start_drain();
    if (!waiter)
        return true;
    if (waiter->all.signalled() ||
        (worth_waiting && waiter->all.wait(runtime_.clock().now() + settings_.commit_timeout)))
        return !waiter->refused;
    counters_.late.add();
    if (!worth_waiting)
        return false;
    std::size_t waiting = 0;
    const bool first = state_.with([&](State& s) {
        waiting = s.queue.size();
        s.behind = waiting > 0; // it may have been written this very moment
        return s.behind && alarm(s);
    });
    if (first)
        complain("it takes longer than db_commit_timeout", waiting);
    return false;
}

// --- the fiber that writes -----------------------------------------------------------------------

// `draining` has been set by the caller.
void StoreLane::start_drain()
{
    if (!runtime_.started()) { // a test or tool without workers
        drain();
        return;
    }
    task::Worker* const here = task::Worker::current();
    (here ? *here : runtime_.worker(0)).spawn_always([this] { drain(); });
}

// On worker 0's loop.
void StoreLane::on_time()
{
    const bool start = state_.with([](State& s) {
        const bool wanted = !s.draining && !s.stopping && (s.queue.waiting() > 0 || s.clean_due);
        s.draining = s.draining || wanted;
        return wanted;
    });
    if (start)
        start_drain();
}

void StoreLane::arm(State& state, Duration delay)
{
    if (state.armed || state.stopping)
        return;
    state.armed = true;
    runtime_.worker(0).post([this, delay] {
        if (timers_)
            timers_->again.arm_in(delay);
    });
}

void StoreLane::drain()
{
    // Write-back takes what is there now; what comes meanwhile has its own period.
    auto budget = mode_ == StoreMode::back ? waiting() : std::numeric_limits<std::size_t>::max();
    bool well = true;
    for (;;) {
        bool clean_due = false;
        std::vector<task::Event> idle;
        const Batch batch = state_.with([&](State& s) {
            clean_due = std::exchange(s.clean_due, false);
            if (clean_due)
                return Batch{};
            Batch taken = well && !s.stopping ? s.queue.take(std::min(budget, most_in_batch)) : Batch{};
            if (taken.empty()) {
                if (s.queue.waiting() > 0)
                    arm(s, mode_ == StoreMode::back ? settings_.update_period : settings_.retry_period);
                idle = std::exchange(s.idle, {});
                s.draining = false;
            }
            return taken;
        });
        if (clean_due) {
            if (const auto done = clean(runtime_.clock().unix_seconds()); !done)
                log_.warn("expired rows of {} are not deleted: {}", table_, done.error().text);
            continue;
        }
        if (batch.empty()) { // the lane may be gone as soon as somebody hears of it
            for (const auto& event : idle)
                event.signal();
            return;
        }
        budget -= batch.size();
        const auto done = write(batch, Careful::no);
        if (done)
            landed(batch);
        else if (is_of_row(done.error().kind) || done.error().kind == ErrorKind::other)
            well = one_by_one(batch);
        else {
            stay(batch.begin(), batch, done.error());
            well = false;
        }
    }
}

Result<void> StoreLane::write(const Batch& batch, Careful careful)
{
    TRYV(prepare_());
    const auto job = std::make_shared<Job>(); // shared with the database's thread
    job->sql = sql_;
    job->careful = careful;
    for (const auto& flight : batch)
        job->works.push_back(flight.work);
    auto done =
        database_.transaction<void>([job](db::Connection& connection) { return job->run(connection); });
    if (!done)
        job->given_up = true;
    else
        counters_.batches.add();
    return done;
}

void StoreLane::landed(const Batch& batch)
{
    StoreQueue::Told told;
    std::size_t waiting = 0;
    const bool alarmed = state_.with([&](State& s) {
        for (const auto& flight : batch)
            s.queue.written(flight, told);
        s.away = s.behind = false;
        waiting = s.queue.size();
        return std::exchange(s.alarmed, false);
    });
    counters_.rows.add(static_cast<std::int64_t>(batch.size()));
    for (auto& tell : told)
        tell(true);
    if (alarmed)
        log_.notice("{}: the database takes changes again, {} still wait", table_, waiting);
}

// The database did not take them: they wait in front, for the timer.
void StoreLane::stay(Batch::const_iterator from, const Batch& batch, const Error& why)
{
    StoreQueue::Told told;
    std::size_t waiting = 0;
    const bool first = state_.with([&](State& s) {
        for (auto flight = batch.end(); flight != from;)
            s.queue.failed(*--flight, told);
        s.away = true;
        waiting = s.queue.size();
        return alarm(s);
    });
    for (auto& tell : told)
        tell(true);
    if (first)
        complain(why.text, waiting);
}

// Something in the batch is not to the database's taste. Alone each row shows whether it is the one; rows
// that stand in its way are deleted. False: it was the database after all.
bool StoreLane::one_by_one(const Batch& batch)
{
    Batch strange; // failed for no known reason; at fault when others are taken
    std::optional<Error> why;
    bool taken = false;
    for (auto flight = batch.begin(); flight != batch.end(); ++flight) {
        const Batch alone{*flight};
        const auto done = write(alone, Careful::yes);
        if (done) {
            landed(alone);
            taken = true;
        } else if (is_of_row(done.error().kind)) {
            refuse(*flight, done.error());
        } else {
            why = done.error();
            const bool its_own = done.error().kind == ErrorKind::other;
            if (its_own && (taken || strange.size() < most_strange)) {
                strange.push_back(*flight);
                continue;
            }
            stay(flight, batch, *why);
            if (!strange.empty())
                stay(strange.begin(), strange, *why);
            return false;
        }
    }
    if (strange.empty())
        return true;
    if (!taken) {
        stay(strange.begin(), strange, *why);
        return false;
    }
    Batch again;
    for (const auto& flight : strange) {
        if (flight.attempts >= patience_with_row)
            refuse(flight, *why);
        else
            again.push_back(flight);
    }
    if (!again.empty())
        stay(again.begin(), again, *why);
    return again.empty();
}

void StoreLane::refuse(const StoreQueue::Flight& flight, const Error& why)
{
    StoreQueue::Told told;
    state_.with([&](State& s) {
        s.queue.refused(flight, told);
        s.away = s.behind = false; // it does answer
    });
    note_refusal(why);
    for (auto& tell : told)
        tell(false);
}

// Strangers can make rows that are refused, so not each of them gets a line.
void StoreLane::note_refusal(const Error& why)
{
    counters_.refused.add();
    if (state_.with([](State& s) { return s.refused++ % 1000; }) == 0)
        log_.warn("the database refuses a row of {}, it is kept in memory only: {}", table_, why.text);
}

// True once in an outage.
bool StoreLane::alarm(State& state)
{
    if (std::exchange(state.alarmed, true))
        return false;
    counters_.outages.add();
    return true;
}

void StoreLane::complain(std::string_view why, std::size_t waiting) const
{
    log_.alert("{}: the database takes no changes, they wait in memory ({} now): {}", table_, waiting, why);
}

// --- outside of the queue ------------------------------------------------------------------------

bool StoreLane::flush(Instant deadline)
{
    if (mode_ == StoreMode::memory)
        return true;
    for (;;) {
        task::Event idle;
        bool start = false;
        const bool done = state_.with([&](State& s) {
            if (s.queue.size() == 0 && !s.draining)
                return true;
            s.idle.push_back(idle);
            start = !s.draining;
            s.draining = true;
            return false;
        });
        if (done)
            return true;
        if (start)
            start_drain();
        if (!idle.wait(deadline))
            return false;
        // A fiber that was under way may have left something; one that we started and that failed is the end.
        if (start && state_.with([](const State& s) { return s.away; }))
            return false;
    }
}

Result<void> StoreLane::clean(std::int64_t now)
{
    if (mode_ == StoreMode::memory)
        return {};
    TRYV(prepare_());
    TRY(const auto gone, database_.write(sql_->clean, {now}));
    if (gone.affected > 0)
        log_.info("{} expired rows of {} are deleted", gone.affected, table_);
    return {};
}

} // namespace sipyard::presence
