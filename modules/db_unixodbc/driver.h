// modules/db_unixodbc/driver.h - opens databases by URL: one for each server, one for each SQLite file
#pragma once

#include "core/base/guarded.h"
#include "core/db/database.h"
#include "core/task/runtime.h"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace sipyard::db_unixodbc {

struct DriverSettings {
    std::size_t threads = 4;          // connections per server; SQLite reads with half of them
    std::size_t queue_limit = 10'000; // calls that wait, per database
    Duration slow{0};                 // latency_limit_db: a statement that takes longer is logged; 0: none is
    log::Level slow_level = log::Level::err;
};

class OdbcDriver : public db::Driver {
public:
    OdbcDriver(task::Runtime& runtime, log::Journal& journal, DriverSettings settings = {});
    ~OdbcDriver() override;

    bool serves(const db::Url& url) const override;
    Result<db::Database*> open(const db::Url& url) override; // thread-safe
    std::vector<db::Database*> databases() const;            // all that were opened, for the statistics

private:
    struct Opened {
        std::string key; // the connection string, or SQLite's file
        std::unique_ptr<db::Database> database;
    };
    task::Runtime& runtime_;
    log::Logger log_;
    const DriverSettings settings_;
    Guarded<std::vector<Opened>> opened_;
};

} // namespace sipyard::db_unixodbc
