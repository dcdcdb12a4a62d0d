// test/support/temp_dir.cpp - below $TMPDIR, or /tmp
#include "test/support/temp_dir.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace sipyard::test {

TempDir::TempDir()
{
    const char* const base = std::getenv("TMPDIR");
    std::string path = std::string{base && *base ? base : "/tmp"} + "/sipyard-test-XXXXXX";
    if (!::mkdtemp(path.data()))
        throw std::system_error{errno, std::generic_category(), "mkdtemp"};
    path_ = path;
}

TempDir::~TempDir()
{
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string TempDir::write(std::string_view name, std::string_view text) const
{
    const std::string path = file(name);
    std::ofstream out{path, std::ios::binary};
    out << text;
    return path;
}

} // namespace sipyard::test
