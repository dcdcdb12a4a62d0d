// test/support/temp_dir.h - a folder that is removed with everything in it at the end of the test
#pragma once

#include <string>
#include <string_view>

namespace sipyard::test {

class TempDir {
public:
    TempDir();
    ~TempDir();
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    const std::string& path() const { return path_; }
    std::string file(std::string_view name) const { return path_ + "/" + std::string{name}; }
    std::string write(std::string_view name, std::string_view text) const; // returns its path

private:
    std::string path_;
};

} // namespace sipyard::test
