// modules/db_unixodbc/test_support.h - a running driver for tests: workers, a temporary folder, fibers that
// ask
#pragma once

#include "core/db/database.h"
#include "core/task/runtime.h"
#include "modules/db_unixodbc/driver.h"
#include "test/support/catch.h"
#include "test/support/temp_dir.h"

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace sipyard::db_unixodbc {

// Keeps the lines so that a test can ask for one.
class MemorySink final : public log::Sink {
public:
    explicit MemorySink(std::string& lines) : lines_{lines} {}
    void write(log::Level, std::string_view line) override { lines_ += std::string{line} + "\n"; }

private:
    std::string& lines_;
};

struct Server {
    explicit Server(DriverSettings settings = {})
        : runtime{{.workers = 2}, clock, journal}, driver{runtime, journal, settings}
    {
        runtime.start();
    }
    ~Server() { runtime.stop(std::chrono::seconds{5}); }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    db::Database& open(const std::string& url)
    {
        auto parsed = db::Url::parse(url);
        INFO(url << " " << why(parsed));
        REQUIRE(parsed);
        auto opened = driver.open(*parsed);
        INFO(why(opened));
        REQUIRE(opened);
        return **opened;
    }
    // Runs f(i) on `count` fibers spread over the workers and waits for all.
    void fibers(int count, const std::function<void(int)>& f)
    {
        std::atomic<int> left{count};
        const task::Event all;
        for (int i = 0; i < count; ++i)
            runtime.worker(static_cast<std::size_t>(i) % runtime.workers()).spawn_always([&f, &left, all, i] {
                f(i);
                if (left.fetch_sub(1) == 1)
                    all.signal();
            });
        REQUIRE(all.wait());
    }

    SystemClock clock;
    std::string lines;
    log::Journal journal{std::make_unique<MemorySink>(lines), log::Level::notice};
    task::Runtime runtime;
    OdbcDriver driver;
};

} // namespace sipyard::db_unixodbc
