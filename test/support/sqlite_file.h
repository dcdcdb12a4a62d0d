// test/support/sqlite_file.h - a database in a file of its own, and a driver with workers to reach it by; for
// tests that link db_unixodbc (TEST_NEEDS_x := db_unixodbc)
#pragma once

#include "core/db/database.h"
#include "core/task/runtime.h"
#include "modules/db_unixodbc/driver.h"
#include "test/support/temp_dir.h"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace sipyard::test {

struct SqliteFile {
    db::Url url() const { return must(db::Url::parse("sqlite:///" + folder.file("test.db"))); }
    TempDir folder;
};

// One process, as the file sees it: two of these on one file are two, but for the address space. Its clock is
// the system's.
class SqliteDriver {
public:
    explicit SqliteDriver(const SqliteFile& file) : database{*must(driver_.open(file.url()))}
    {
        runtime.start();
    }
    ~SqliteDriver() { stop(); }
    SqliteDriver(const SqliteDriver&) = delete;
    SqliteDriver& operator=(const SqliteDriver&) = delete;
    // Before the test's own objects that workers may still call are gone; again is nothing.
    void stop()
    {
        if (!stopped_)
            runtime.stop(std::chrono::seconds{5});
        stopped_ = true;
    }
    // The rows of a SELECT: values joined by '|', rows by ' '.
    std::string rows(const std::string& select)
    {
        const auto found = must(database.read(select));
        std::string all;
        for (const auto& row : found.rows)
            for (std::size_t i = 0; i < row.size(); ++i)
                all += (i ? "|" : all.empty() ? "" : " ") + row[i].print();
        return all;
    }

private:
    class Silent final : public log::Sink {
    public:
        void write(log::Level, std::string_view) override {}
    };
    log::Journal journal_{std::make_unique<Silent>()};
    bool stopped_ = false;

public:
    SystemClock clock;
    task::Runtime runtime{{.workers = 1}, clock, journal_};

private:
    db_unixodbc::OdbcDriver driver_{runtime, journal_};

public:
    db::Database& database;
};

} // namespace sipyard::test
