// modules/db_unixodbc/wal_index.h - has an SQLite file changed? Read from the shared index of its write-ahead
// log, without SQL
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

namespace sipyard::db_unixodbc {

// Every commit of any process rewrites the header of FILE-shm (SQLite's file format, "WAL-Index Format"): a
// change counter, the size of the log, its salts and checksums, in two copies. So two equal headers mean that
// nothing was committed between them. This is what PRAGMA data_version asks on a connection, for the price of
// a stat and a few loads, on the worker itself. Thread-safe; blocks for nothing but the stat of a file that
// is in use.
class WalIndex {
public:
    explicit WalIndex(std::string database_file) : path_{std::move(database_file) + "-shm"} {}
    ~WalIndex();
    WalIndex(const WalIndex&) = delete;
    WalIndex& operator=(const WalIndex&) = delete;

    // A number that differs after a commit; nothing when there is no such index now or a commit is under way:
    // ask SQLite.
    std::optional<std::uint64_t> look();

private:
    struct Mapped {
        const std::uint32_t* words = nullptr;
        std::uint64_t device = 0, inode = 0;
        Mapped* before = nullptr;
    };
    const Mapped* map(std::uint64_t device, std::uint64_t inode);

    static constexpr int most_maps =
        16; // the file has been replaced that often: SQLite is asked from then on
    const std::string path_;
    std::atomic<const Mapped*> current_{nullptr};
    std::mutex mutex_; // of mapping anew, once in a file's life: no Guarded, as files are opened under it
    Mapped* last_ = nullptr;
    int maps_ = 0;
};

} // namespace sipyard::db_unixodbc
