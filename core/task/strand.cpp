// core/task/strand.cpp - who holds the strand, and the queue behind it
#include "core/task/strand.h"

#include "core/task/worker_parts.h"

#include <atomic>
#include <cassert>
#include <mutex>

namespace sipyard::task {

// A fiber or thread that waits for its turn, or a posted job.
struct Strand::Place {
    Event turn;
    Job job;                // posted, else empty
    Worker* home = nullptr; // where a posted job runs; null: with whoever releases
    Place* next = nullptr;
};

struct Strand::Queue {
    enum : unsigned { open, held, wanted };
    std::atomic<unsigned> state{
        open}; // `wanted`: held, and the queue is not empty; entered and left under the mutex
    std::mutex mutex;
    Place* first = nullptr;
    Place* last = nullptr;
    std::size_t size = 0;
    const std::size_t limit;

    explicit Queue(std::size_t most) : limit{most} {}

    bool take()
    {
        unsigned expected = open;
        return state.compare_exchange_strong(expected, held, std::memory_order_acquire);
    }
    enum class Joined { taken, queued, full };
    // Takes the strand if it has been released meanwhile, else queues.
    Joined join(Place& place)
    {
        const std::lock_guard<std::mutex> lock{mutex};
        for (unsigned seen = state.load(); seen != wanted;) {
            if (seen == open && state.compare_exchange_strong(seen, held))
                return Joined::taken;
            if (seen == held && limit > 0 && state.compare_exchange_strong(seen, wanted))
                break;
            if (limit == 0 && seen == held)
                return Joined::full;
        }
        if (size >= limit)
            return Joined::full;
        (last ? last->next : first) = &place;
        last = &place;
        ++size;
        return Joined::queued;
    }
    // The strand goes to the one returned; null: it is open.
    Place* pass_on()
    {
        unsigned expected = held;
        if (state.compare_exchange_strong(expected, open, std::memory_order_release))
            return nullptr;
        const std::lock_guard<std::mutex> lock{mutex};
        Place* const next = first;
        if (next)
            unlink(nullptr, *next);
        else
            state.store(open); // the last in the queue left it since we looked
        return next;
    }
    bool leave(Place& place) // false: its turn has come already
    {
        const std::lock_guard<std::mutex> lock{mutex};
        Place* before = nullptr;
        for (Place* at = first; at != nullptr; before = at, at = at->next) {
            if (at == &place) {
                unlink(before, place);
                return true;
            }
        }
        return false;
    }

private:
    void unlink(Place* before, Place& place)
    {
        (before ? before->next : first) = place.next;
        if (last == &place)
            last = before;
        if (--size == 0)
            state.store(held);
    }
};

namespace {

void note_holder(const Strand* strand)
{
    if (Fiber* const fiber = Fiber::current())
        fiber->parts().strand = strand;
}

} // namespace

Strand::Strand(std::size_t queue_limit) : queue_{std::make_unique<Queue>(queue_limit)} {}

Strand::~Strand()
{
    // Jobs that a stopped runtime never started.
    for (Place* place = queue_->first; place != nullptr;) {
        Place* const next = place->next;
        if (place->job)
            delete place;
        place = next;
    }
}

bool Strand::idle() const { return queue_->state.load() == Queue::open; }

Result<void> Strand::acquire()
{
    Fiber* const fiber = Fiber::current();
    assert((!fiber || !fiber->parts().strand) && "a fiber holds one strand at most: post instead");
    if (!queue_->take()) {
        assert((fiber || !Worker::current() || !Worker::current()->parts().on_loop()) &&
               "a worker's loop must not wait for a strand: post instead");
        Place place;
        switch (queue_->join(place)) {
        case Queue::Joined::full: return Error{ErrorKind::overloaded, "strand: queue full"};
        case Queue::Joined::taken: break;
        case Queue::Joined::queued:
            if (!place.turn.wait() && queue_->leave(place))
                return Error{ErrorKind::stopping, "stopping"};
            // Here the turn may have come while the wait was being ended: then it is ours, but the signal
            // still has to arrive before `place` may go.
            while (!place.turn.signalled())
                yield();
        }
    }
    note_holder(this);
    return {};
}

void Strand::release()
{
    note_holder(nullptr);
    for (Place* next = queue_->pass_on(); next != nullptr; next = queue_->pass_on()) {
        if (!next->job) {
            const Event turn = next->turn; // `next` is on the stack of the one we wake
            turn.signal();
            return;
        }
        if (Worker* const home = next->home ? next->home : Worker::current()) {
            start(std::unique_ptr<Place>{next}, *home);
            return;
        }
        // No worker anywhere: tests and tools.
        const std::unique_ptr<Place> posted{next};
        posted->job();
    }
}

void Strand::start(std::unique_ptr<Place> place, Worker& home)
{
    home.spawn_always([this, posted = std::move(place)]() mutable {
        const auto mine = std::move(posted);
        note_holder(this);
        const Release release{*this};
        mine->job();
    });
}

Result<void> Strand::post(Job job)
{
    auto place = std::make_unique<Place>();
    place->job = std::move(job);
    place->home = Worker::current();
    if (!queue_->take()) {
        switch (queue_->join(*place)) {
        case Queue::Joined::full: return Error{ErrorKind::overloaded, "strand: queue full"};
        case Queue::Joined::queued: place.release(); return {}; // the queue owns it
        case Queue::Joined::taken: break;
        }
    }
    if (Worker* const home = place->home) {
        start(std::move(place), *home);
    } else {
        const Release release{*this};
        place->job();
    }
    return {};
}

} // namespace sipyard::task
