// modules/db_unixodbc/wal_index.cpp - mapping FILE-shm and reading its header
#include "modules/db_unixodbc/wal_index.h"

#include <array>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

namespace sipyard::db_unixodbc {

namespace {

constexpr std::size_t words_in_header = 12; // 48 bytes
constexpr std::size_t mapped_bytes = 4096;
constexpr std::uint32_t format_version = 3'007'000;
using Header = std::array<std::uint32_t, words_in_header>;

Header read(const std::uint32_t* from)
{
    Header header;
    for (std::size_t i = 0; i < header.size(); ++i)
        header[i] = __atomic_load_n(from + i, __ATOMIC_ACQUIRE); // another process writes
    return header;
}

} // namespace

WalIndex::~WalIndex()
{
    while (last_) {
        ::munmap(const_cast<std::uint32_t*>(last_->words), mapped_bytes);
        const Mapped* const done = last_;
        last_ = last_->before;
        delete done;
    }
}

std::optional<std::uint64_t> WalIndex::look()
{
    // The last connection to leave removes the file and the next one makes another: a map of the old one
    // stands still.
    struct stat status {};
    if (::stat(path_.c_str(), &status) != 0 || status.st_size < static_cast<off_t>(mapped_bytes))
        return std::nullopt;
    const Mapped* mapped = current_.load(std::memory_order_acquire);
    if (!mapped || mapped->inode != status.st_ino || mapped->device != status.st_dev)
        mapped = map(status.st_dev, status.st_ino);
    if (!mapped)
        return std::nullopt;
    // SQLite writes the second copy first; equal copies are one whole header.
    const Header header = read(mapped->words);
    if (read(mapped->words + words_in_header) != header || header[0] != format_version ||
        (header[3] & 0xffU) == 0 || ::stat(path_.c_str(), &status) != 0 || mapped->inode != status.st_ino)
        return std::nullopt;
    std::uint64_t hash = 0xcbf29ce484222325ULL ^ mapped->inode;
    for (const std::uint32_t word : header)
        hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL ^ hash >> 29;
    return hash | std::uint64_t{1} << 63; // never one of the numbers SQLite itself is asked for
}

const WalIndex::Mapped* WalIndex::map(std::uint64_t device, std::uint64_t inode)
{
    const std::lock_guard lock{mutex_};
    const Mapped* const now = current_.load(std::memory_order_acquire);
    if (now && now->inode == inode && now->device == device)
        return now;
    if (maps_ == most_maps)
        return nullptr;
    // The descriptor is never closed: closing any descriptor of the file would give up the locks that SQLite
    // holds on it in this process (POSIX fcntl). The operating system closes it when the process ends.
    ++maps_;
    const int fd = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status {};
    if (fd < 0 || ::fstat(fd, &status) != 0 || status.st_ino != inode || status.st_dev != device)
        return nullptr;
    void* const at = ::mmap(nullptr, mapped_bytes, PROT_READ, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED)
        return nullptr;
    last_ = new Mapped{static_cast<const std::uint32_t*>(at), device, inode, last_};
    current_.store(last_, std::memory_order_release);
    return last_;
}

} // namespace sipyard::db_unixodbc
