// core/script/parser_broken_test.cpp - every file of test/broken gets exactly the report beside it
#include "core/script/parser_broken.h"

#include "test/support/catch.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace sipyard;
using namespace sipyard::script;

namespace {

constexpr int last_of_parser = 29;

std::string text_of(const std::filesystem::path& path)
{
    std::ifstream in{path, std::ios::binary};
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

} // namespace

// Run from the root of the tree. SIPYARD_WRITE_EXPECTED=1 writes the reports instead, to be read before they
// are kept.
TEST_CASE("broken configurations are told with file, line, column, text and what was expected",
          "[script][broken]")
{
    std::vector<std::filesystem::path> files;
    REQUIRE(std::filesystem::is_directory("test/broken"));
    for (const auto& entry : std::filesystem::directory_iterator{"test/broken"})
        if (entry.path().extension() == ".cfg")
            files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    CHECK(files.size() >= last_of_parser);
    for (const auto& file : files) {
        if (std::atoi(file.filename().c_str()) > last_of_parser && !fakes::link_stage())
            continue;
        INFO(file.string());
        const std::string report = fakes::broken_report(file.string());
        auto expected = file;
        expected.replace_extension(".expected");
        if (std::getenv("SIPYARD_WRITE_EXPECTED") != nullptr)
            std::ofstream{expected, std::ios::binary} << report;
        CHECK(report == text_of(expected));
        CHECK(report.find("ERROR: bad config file (") != std::string::npos);
    }
}
