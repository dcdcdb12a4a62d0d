// modules/db_unixodbc/wal_index_test.cpp - the index of the log without SQLite: present, absent, damaged,
// replaced
#include "modules/db_unixodbc/wal_index.h"
#include "test/support/catch.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <unistd.h>

using namespace sipyard;
using sipyard::db_unixodbc::WalIndex;

namespace {

struct File {
    File()
    {
        char path[] = "/tmp/sipyard-wal-XXXXXX";
        const int fd = ::mkstemp(path);
        REQUIRE(fd >= 0);
        ::close(fd);
        database = path;
    }
    ~File()
    {
        std::remove(database.c_str());
        std::remove((database + "-shm").c_str());
    }
    // Writes an index with this change counter in both copies, or in the first only.
    void write(std::uint32_t changes, bool both = true, std::uint32_t version = 3'007'000,
               std::uint32_t init = 1) const
    {
        std::string bytes(32768, '\0');
        for (const std::size_t copy : {0u, 48u}) {
            const std::uint32_t words[4] = {version, 0, both || copy == 0 ? changes : 0, init};
            std::memcpy(bytes.data() + copy, words, sizeof words);
        }
        std::fstream out{database + "-shm", std::ios::in | std::ios::out | std::ios::binary};
        if (!out)
            out.open(database + "-shm", std::ios::out | std::ios::binary);
        out << bytes;
    }
    std::string database;
};

} // namespace

TEST_CASE("the index of the write-ahead log tells commits apart", "[db_unixodbc]")
{
    const File file;
    WalIndex index{file.database};
    CHECK_FALSE(index.look()); // there is none
    file.write(7);
    const auto seven = index.look();
    REQUIRE(seven);
    CHECK(index.look() == seven);
    file.write(8);
    const auto eight = index.look();
    REQUIRE(eight);
    CHECK(eight != seven);
    CHECK((*eight >> 63U) == 1); // never a number of PRAGMA data_version

    file.write(9, false);
    CHECK_FALSE(index.look()); // half written: a commit is under way
    file.write(9, true, 3'007'001);
    CHECK_FALSE(index.look()); // another format
    file.write(9, true, 3'007'000, 0);
    CHECK_FALSE(index.look()); // not initialised
    file.write(8);
    CHECK(index.look() == eight);

    std::remove((file.database + "-shm").c_str());
    CHECK_FALSE(index.look()); // the old map must not be believed
    file.write(8);
    const auto anew = index.look();
    REQUIRE(anew);
    CHECK(anew != eight); // the same header in another file

    for (int i = 0; i < 40;
         ++i) { // replaced again and again: some time SQLite is asked for good, nothing grows
        std::remove((file.database + "-shm").c_str());
        file.write(8);
        (void)index.look();
    }
    CHECK_FALSE(index.look());
}
