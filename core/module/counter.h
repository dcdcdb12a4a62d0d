// core/module/counter.h - a statistic: counted without a lock, summed when somebody asks
#pragma once

#include "core/task/worker.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

namespace sipyard {

// Thread-safe; a few nanoseconds: each worker has a cache line of its own.
class Counter {
public:
    Counter(std::string group, std::string name, std::string about)
        : group_{std::move(group)}, name_{std::move(name)}, about_{std::move(about)}
    {
    }
    void add(std::int64_t n = 1)
    {
        task::Worker* const worker = task::Worker::current();
        shards_[worker ? worker->index() % shards_.size() : shards_.size() - 1].value.fetch_add(
            n, std::memory_order_relaxed);
    }
    std::int64_t value() const
    {
        std::int64_t sum = 0;
        for (const auto& shard : shards_)
            sum += shard.value.load(std::memory_order_relaxed);
        return sum;
    }
    void reset()
    {
        for (auto& shard : shards_)
            shard.value.store(0, std::memory_order_relaxed);
    }
    const std::string& group() const { return group_; }
    const std::string& name() const { return name_; }
    const std::string& about() const { return about_; }

private:
    struct alignas(64) Shard {
        std::atomic<std::int64_t> value{0};
    };
    std::array<Shard, 9> shards_;
    std::string group_, name_, about_;
};

} // namespace sipyard
