// modules/tm/ua_alarms.h - one timer for all dialogs: jobs at instants, forgotten when they are not wanted
// any more
#pragma once

#include "core/base/guarded.h"
#include "core/task/runtime.h"

#include <cstdint>
#include <map>
#include <memory>
#include <utility>

namespace sipyard::tm {

// Thread-safe. Jobs run on the loop of worker 0 and must not block: they post to a strand.
class Alarms {
public:
    explicit Alarms(task::Runtime& runtime) : runtime_{runtime} {}
    ~Alarms(); // off the workers' loops, after which no job runs
    Alarms(const Alarms&) = delete;
    Alarms& operator=(const Alarms&) = delete;

    struct Id { // 0 is none
        Instant when{};
        std::uint64_t serial = 0;
        explicit operator bool() const { return serial != 0; }
        friend auto operator<=>(const Id&, const Id&) = default;
    };
    Id at(Instant when, task::Job job);
    Id in(Duration delay, task::Job job) { return at(runtime_.clock().now() + delay, std::move(job)); }
    void cancel(Id& id); // and forgets it; the job may be running

private:
    struct Waiting {
        std::map<Id, task::Job> jobs;
        std::uint64_t serials = 0;
        Instant armed = task::never; // what the timer is set to, or about to be
    };
    void arm();     // on the loop of worker 0
    void on_time(); // the same

    task::Runtime& runtime_;
    Guarded<Waiting> waiting_;
    std::unique_ptr<task::Timer> timer_; // of worker 0
};

} // namespace sipyard::tm
