// core/log/journal.cpp - the ring of waiting lines and the thread that writes them
#include "core/log/line.h"
#include "core/log/log.h"

#include <pthread.h>
#include <signal.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace sipyard::log {

namespace {

constexpr std::size_t capacity = 8192;
constexpr std::size_t batch = 64;
constexpr auto patience = std::chrono::seconds{3};

struct Entry {
    Level level = Level::info;
    std::string line;
    std::uint64_t lost_before = 0; // lines that found the ring full just before this one
};

// Shared by the journal and its thread, because a thread stuck in its sink outlives the journal.
struct State {
    explicit State(std::unique_ptr<Sink> first_sink) : sink{std::move(first_sink)} {}

    std::mutex mutex; // held for moments only, never while a sink writes (but in direct mode)
    std::condition_variable work, finished;
    std::array<Entry, capacity> ring;
    std::size_t first = 0, count = 0;
    std::uint64_t lost = 0;     // since the last line that was taken in
    std::unique_ptr<Sink> sink; // the writing thread's while one runs
    std::unique_ptr<Sink> next_sink;
    bool reopen = false, stopping = false, waiting = false;
    bool threaded = false, done = false, abandoned = false;
    std::atomic<std::uint64_t> dropped{0}, written{0};

    bool has_work() const { return count > 0 || lost > 0 || reopen || next_sink; }

    void put(const Entry& entry)
    {
        if (entry.lost_before > 0)
            put_lost(entry.lost_before);
        sink->write(entry.level, entry.line);
        written.fetch_add(1, std::memory_order_relaxed);
    }
    void put_lost(std::uint64_t lines)
    {
        sink->write(Level::warn, line_of(Level::warn, {}, "log", format("{} lines lost", lines)));
    }
};

void run(const std::shared_ptr<State>& state)
{
    State& s = *state;
    std::vector<Entry> taken;
    std::unique_lock<std::mutex> lock{s.mutex};
    for (;;) {
        s.waiting = true;
        s.work.wait(lock, [&] { return s.has_work() || s.stopping; });
        s.waiting = false;
        if (!s.has_work())
            break;
        for (; s.count > 0 && taken.size() < batch; --s.count) {
            taken.push_back(std::move(s.ring[s.first]));
            s.ring[s.first] = {};
            s.first = (s.first + 1) % capacity;
        }
        const auto lost_last = s.count == 0 ? std::exchange(s.lost, 0) : 0;
        auto fresh = std::move(s.next_sink);
        const bool reopen = std::exchange(s.reopen, false);
        lock.unlock();

        if (fresh)
            s.sink = std::move(fresh);
        if (reopen)
            s.sink->reopen();
        for (const Entry& entry : taken)
            s.put(entry);
        taken.clear();
        if (lost_last > 0)
            s.put_lost(lost_last);
        lock.lock();
    }
    s.done = true;
    s.finished.notify_all();
}

} // namespace

struct Journal::Ring {
    explicit Ring(std::unique_ptr<Sink> sink) : state{std::make_shared<State>(std::move(sink))} {}
    std::shared_ptr<State> state; // owners: the journal and its thread
    std::thread thread;
};

Journal::Journal(std::unique_ptr<Sink> sink, Level threshold)
    : threshold_{static_cast<int>(threshold)}, ring_{std::make_unique<Ring>(std::move(sink))}
{
}

Journal::~Journal() { stop(); }

void Journal::start()
{
    State& s = *ring_->state;
    {
        const std::lock_guard lock{s.mutex};
        if (s.threaded)
            return;
        s.threaded = true;
        s.stopping = s.done = false;
    }
    // Signals are for the main thread.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    ring_->thread = std::thread{[state = ring_->state] { run(state); }};
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Journal::stop()
{
    if (!ring_->thread.joinable())
        return;
    State& s = *ring_->state;
    std::unique_lock lock{s.mutex};
    s.stopping = true;
    s.work.notify_one();
    for (auto seen = s.written.load(); !s.finished.wait_for(lock, patience, [&] { return s.done; });) {
        const auto now = s.written.load();
        if (now == seen) { // a terminal that nobody reads: the server ends without its last lines
            s.abandoned = true;
            lock.unlock();
            ring_->thread.detach();
            return;
        }
        seen = now;
    }
    s.threaded = false;
    lock.unlock();
    ring_->thread.join();
}

void Journal::set_sink(std::unique_ptr<Sink> sink)
{
    State& s = *ring_->state;
    const std::lock_guard lock{s.mutex};
    if (!s.threaded) {
        s.sink = std::move(sink);
        return;
    }
    s.next_sink = std::move(sink);
    s.work.notify_one();
}

void Journal::reopen()
{
    State& s = *ring_->state;
    const std::lock_guard lock{s.mutex};
    if (!s.threaded) {
        s.sink->reopen();
        return;
    }
    s.reopen = true;
    s.work.notify_one();
}

void Journal::append(Level level, std::string line)
{
    State& s = *ring_->state;
    const std::lock_guard lock{s.mutex};
    if (!s.threaded) {
        s.put({level, std::move(line), 0});
        return;
    }
    if (s.abandoned || s.count == capacity) {
        ++s.lost;
        s.dropped.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    s.ring[(s.first + s.count) % capacity] = {level, std::move(line), std::exchange(s.lost, 0)};
    ++s.count;
    if (s.waiting)
        s.work.notify_one();
}

std::uint64_t Journal::dropped() const { return ring_->state->dropped.load(std::memory_order_relaxed); }

std::uint64_t Journal::written() const { return ring_->state->written.load(std::memory_order_relaxed); }

} // namespace sipyard::log
