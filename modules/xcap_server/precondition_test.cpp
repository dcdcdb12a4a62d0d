// modules/xcap_server/precondition_test.cpp - conditions of requests
#include "modules/xcap_server/precondition.h"

#include "test/support/catch.h"

using namespace sipyard;
using namespace sipyard::xcap_server;

TEST_CASE("conditions are settled before anything is written", "[xcap_server]")
{
    using enum Gate;
    const std::optional<std::string_view> none;
    const struct {
        const char* story;
        Conditions given;
        std::optional<std::string_view> stored;
        Reading reading;
        Gate expected;
    } rows[] = {
        {"no conditions", {}, "v1", Reading::no, open},
        {"the version meant", {"\"v1\"", {}}, "v1", Reading::no, open},
        {"somebody else wrote meanwhile", {"\"v1\"", {}}, "v2", Reading::no, failed},
        {"reading another version than meant", {"\"v1\"", {}}, "v2", Reading::yes, failed},
        {"any version will do", {"*", {}}, "v2", Reading::no, open},
        {"any version, but there is none", {"*", {}}, none, Reading::no, failed},
        {"a version, but there is none", {"\"v1\"", {}}, none, Reading::no, failed},
        {"one of a list", {"\"v0\" ,\"v1\"", {}}, "v1", Reading::no, open},
        {"a weak tag guards nothing", {"W/\"v1\"", {}}, "v1", Reading::no, failed},
        {"an empty header names no tag", {"", {}}, "v1", Reading::no, failed},
        {"create only, and nothing is there", {{}, "*"}, none, Reading::no, open},
        {"create only, but it is there", {{}, "*"}, "v1", Reading::no, failed},
        {"the reader already has this one", {{}, "\"v1\""}, "v1", Reading::yes, not_modified},
        {"the reader has it among others", {{}, "\"v0\", \"v1\""}, "v1", Reading::yes, not_modified},
        {"weak is enough to read", {{}, "W/\"v1\""}, "v1", Reading::yes, not_modified},
        {"whatever there is", {{}, "*"}, "v1", Reading::yes, not_modified},
        {"the reader has another", {{}, "\"v0\""}, "v1", Reading::yes, open},
        {"write unless it is this one", {{}, "\"v1\""}, "v1", Reading::no, failed},
        {"both: If-Match goes first", {"\"v0\"", "\"v1\""}, "v1", Reading::yes, failed},
        {"both hold", {"\"v1\"", "\"v0\""}, "v1", Reading::no, open},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        CHECK(gate(row.given, row.stored, row.reading) == row.expected);
    }
}

TEST_CASE("entity tags are found in whatever clients write", "[xcap_server]")
{
    const struct {
        const char* story;
        const char* list;
        bool found, any;
    } rows[] = {
        {"plain", "\"abc\"", true, false},
        {"without quotes", "abc", true, false},
        {"without quotes, in a list", "x , abc ,y", true, false},
        {"doubled quotes", "\"\"abc\"\"", true, false},
        {"a prefix is not the tag", "\"ab\"", false, false},
        {"nor is a longer one", "\"abcd\"", false, false},
        {"a comma inside quotes", "\"x,abc\"", false, false},
        {"a star inside quotes", "\"x,*,y\"", false, false},
        {"a quoted star is a tag", "\"*\"", false, false},
        {"blanks everywhere", " \t\"x\"\t,\t \"abc\" ", true, false},
        {"an open quote", "\"abc", true, false},
        {"commas only", ",,,", false, false},
        {"an empty tag", "\"\"", false, false},
        {"an empty tag before ours", "\"\", \"abc\"", true, false},
        {"a lone W/", "W/", false, false},
        {"star", " * ", false, true},
        {"star among tags", "\"x\", *", false, true},
    };
    for (const auto& row : rows) {
        INFO(row.story << ": " << row.list);
        CHECK(names(row.list, "abc", Compare::strong) == row.found);
        CHECK(is_any(row.list) == row.any);
    }
    CHECK_FALSE(names("W/\"abc\"", "abc", Compare::strong));
    CHECK(names("W/\"abc\"", "abc", Compare::weak));
    CHECK_FALSE(names("", "", Compare::weak));
}
