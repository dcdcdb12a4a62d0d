// core/json/json_test.cpp - reading, writing, and hostile documents
#include "core/json/value.h"

#include "test/support/catch.h"

#include <cmath>
#include <limits>

using namespace sipyard;
using namespace sipyard::json;

TEST_CASE("what is read is written the same", "[json]")
{
    for (const std::string text :
         {"null", "true", "[]", "{}", "0", "-9223372036854775808", "9223372036854775807", "1.5", "-0.0",
          "2.0", "1e+300", "\"\"", R"({"z":1,"a":[1,2.5,"x",null,{"b":false}],"":{}})",
          R"("\"\\\n\r\t\u0001\u001f")", "\"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80\"", "\"\\u007f\""}) {
        INFO(text);
        const auto value = parse(text);
        INFO(why(value));
        REQUIRE(value);
        CHECK(value->dump() == text);
        CHECK(*parse(value->dump_pretty()) == *value);
    }
    CHECK(parse(" {\"a\" : \"\\u00e4\\ud83d\\ude00\\/\"}\n")->dump() ==
          "{\"a\":\"\xc3\xa4\xf0\x9f\x98\x80/\"}");
    CHECK(parse("18446744073709551615")->type() == Type::real);
}

TEST_CASE("wrong documents are refused", "[json]")
{
    const auto nested = [](std::size_t n) { return std::string(n, '[') + std::string(n, ']'); };
    const struct {
        const char* story;
        std::string text;
    } rows[] = {
        {"nothing", ""},
        {"blanks", "  "},
        {"cut off", "{\"a\":"},
        {"two documents", "{} {}"},
        {"a comma too many", "[1,]"},
        {"single quotes", "{'a':1}"},
        {"a leading zero", "01"},
        {"NaN", "NaN"},
        {"a comment", "/* */1"},
        {"Latin-1", "\"caf\xe9\""},
        {"a control in a text", "\"a\nb\""},
        {"half a surrogate", "\"\\ud83d\""},
        {"beyond a double", "1e999"},
        {"a name twice", R"({"a":1,"b":2,"a":3})"},
        {"65 levels", nested(65)},
        {"a million levels", std::string(1'000'000, '[')},
        {"a million objects", std::string("{\"a\":") + std::string(1'000'000, '{')},
        {"NUL behind", std::string("1\0", 2)},
        {"UTF-16", std::string("1\0 \0", 4)},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const auto value = parse(row.text);
        CHECK_FALSE(value);
        if (!value)
            CHECK(value.error().kind == ErrorKind::invalid);
    }
    CHECK(parse(nested(64)));
    CHECK_FALSE(parse(nested(4), 3));
    CHECK(parse("{\"a\":[{}]}", 3));
}

TEST_CASE("many members cost little", "[json]")
{
    std::string text = "{";
    for (int i = 0; i < 50'000; ++i)
        text += "\"member" + std::to_string(i) + "\":0,";
    text.back() = '}';
    const auto value = parse(text);
    REQUIRE(value);
    CHECK(value->size() == 50'000);
    text.insert(text.size() - 1, ",\"member7\":1");
    CHECK_FALSE(parse(text));
}

TEST_CASE("questions of the wrong type get the fallback", "[json]")
{
    const auto doc = parse(R"({"n":5,"r":2.5,"w":3.0,"big":1e30,"s":"x","b":true,"l":[1,2],"o":{"k":null}})");
    REQUIRE(doc);
    const Value& d = *doc;
    CHECK(d["n"].integer() == 5);
    CHECK(d["n"].real() == 5.0);
    CHECK(d["w"].integer() == 3);
    CHECK(d["r"].integer(-1) == -1);
    CHECK(d["big"].integer(-1) == -1);
    CHECK(d["s"].text() == "x");
    CHECK(d["n"].text("no") == "no");
    CHECK(d["b"].boolean());
    CHECK(d["n"].boolean(true));
    CHECK(d["l"][1].integer() == 2);
    CHECK(d["l"][2].is_null());
    CHECK(d["none"]["at"]["all"].integer(7) == 7);
    CHECK(d["o"].find("k") != nullptr);
    CHECK(d["o"].find("j") == nullptr);
    CHECK(d["s"].items().empty());
    CHECK(d.size() == 8);
}

TEST_CASE("values are built in order", "[json]")
{
    Value value;
    value.set("b", 1u)
        .set("a", "text")
        .set("list", Value{}.add(true).add(nullptr).add(1.0))
        .set("b", std::string{"new"});
    CHECK(value.dump() == R"({"b":"new","a":"text","list":[true,null,1.0]})");
    CHECK(Value::array({1, 2}).dump_pretty() == "[\n    1,\n    2\n]");
    CHECK(Value::object().dump_pretty() == "{}");
    CHECK(Value{std::numeric_limits<double>::quiet_NaN()}.dump() == "null");
    CHECK(Value{"a\xff\xc3\xa4\xed\xa0\x80"}.dump() ==
          "\"a\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    const Value copy = value;
    value.set("a", 2);
    CHECK(copy["a"].text() == "text");
    CHECK_FALSE(copy == value);
    CHECK(*parse(R"({"x":1,"y":2})") == *parse(R"({"y":2,"x":1})"));
    CHECK_FALSE(Value{1} == Value{1.0});
}
