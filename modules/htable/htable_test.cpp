// modules/htable/htable_test.cpp - definitions, items and expiry, and what a script sees of them
#include "core/json/value.h"
#include "modules/htable/htable.h"
#include "test/support/catch.h"
#include "test/support/run_script.h"

#include <string>
#include <string_view>
#include <vector>

namespace sipyard::htable {
namespace {

constexpr std::string_view head = "loadmodule \"htable.so\"\n"
                                  "modparam(\"htable\", \"htable\", \"a=>size=4;\")\n"
                                  "modparam(\"htable\", \"htable\", \"z=>size=4;initval=5;autoexpire=10\")\n"
                                  "modparam(\"htable\", \"htable\", \"k=>autoexpire=10;updateexpire=0\")\n";

struct Fixture {
    explicit Fixture(std::string_view body) : script{host, {erase(Htable::manifest())}}
    {
        const bool loaded = script.load(format("{}request_route {{\n{}\n}}\n", head, body));
        INFO(script.errors());
        REQUIRE(loaded);
    }
    test::FakeHost host;
    test::ScriptFixture script;
};

} // namespace

TEST_CASE("a table's definition is read, or refused by name", "[htable]")
{
    const struct {
        const char* story;
        const char* text;
        const char* error;
    } rows[] = {
        {"the stock configuration's", "ipban=>size=8;autoexpire=300;", nullptr},
        {"a name alone", "a", nullptr},
        {"columns in quotes", "a=>dbtable=t;cols='k, v1,v2';coldelim=|", nullptr},
        {"no name", "=>size=3", "name of a table"},
        {"a misspelt attribute", "a=>autoexpires=3", "autoexpire'?"},
        {"an attribute without value", "a=>size", "no value"},
        {"a number that is none", "a=>autoexpire=soon", "autoexpire=soon"},
        {"a quote that stays open", "a=>cols='k,v", "quote"},
        {"a key and no value", "a=>cols='k'", "value column"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const auto read = FromText<Definition>::parse(row.text);
        CHECK(read.has_value() == (row.error == nullptr));
        if (!read && row.error) {
            CHECK(read.error().text.find(row.error) != std::string::npos);
        }
    }
    const auto read = FromText<Definition>::parse("c=>size=40x;");
    CHECK_FALSE(read);
    CHECK(FromText<Definition>::parse("c=>size=31;initval=-2;updateexpire=0")->size == 14);
    CHECK(FromText<Definition>::parse("c=>initval=-2;")->initval == -2);
}

TEST_CASE("items are stored, counted and removed from the script", "[htable]")
{
    const struct {
        const char* story;
        const char* body;
        const char* variable;
        const char* expected;
    } rows[] = {
        {"a text", "$sht(a=>x) = \"one\";", "$sht(a=>x)", "one"},
        {"an integer stays one", "$sht(a=>x) = 7; $var(y) = $sht(a=>x) + 1;", "$var(y)", "8"},
        {"a missing key", ";", "$sht(a=>x)", "<null>"},
        {"a missing key with initval", ";", "$sht(z=>x)", "5"},
        {"a key with a variable and =>", "$var(k) = \"p=>q\"; $sht(a=>$var(k)) = 3;", "$sht(a=>p=>q)", "3"},
        {"null removes", "$sht(a=>x) = 1; $sht(a=>x) = $null;", "$sht(a=>x)", "<null>"},
        {"counting from initval", "$var(y) = $shtinc(z=>n); $var(y) = $shtinc(z=>n);", "$var(y)", "7"},
        {"counting down", "$sht(a=>n) = 3;", "$shtdec(a=>n)", "2"},
        {"a missing key without initval is not counted", "if ($shtinc(a=>n) == $null) $sht(a=>said) = 1;",
         "$sht(a=>said)", "1"},
        {"a text is not counted", "$sht(a=>n) = \"t\"; if ($shtinc(a=>n) == $null) $sht(a=>said) = 1;",
         "$sht(a=>said)", "1"},
        {"names by regex", "$sht(a=>ab) = 1; $sht(a=>Ac) = 1; $sht(a=>x) = 1;", "$shtcn(a=>~~^a)", "2"},
        {"names by prefix", "$sht(a=>ab) = 1; $sht(a=>Ac) = 1;", "$shtcn(a=>~%a)", "1"},
        {"all names", "$sht(a=>ab) = 1; $sht(a=>Ac) = 1;", "$shtcn(a=>**)", "2"},
        {"values equal", "$sht(a=>p) = \"v\"; $sht(a=>q) = 12; $sht(a=>r) = 12;", "$shtcv(a=>eq12)", "2"},
        {"sht_rm", "$sht(a=>x) = 1; sht_rm(\"a\", \"x\");", "$sht(a=>x)", "<null>"},
        {"sht_rm_name_re", "$sht(a=>x1) = 1; $sht(a=>y1) = 1; sht_rm_name_re(\"a=>^x\");", "$shtcn(a=>**)",
         "1"},
        {"sht_rm_name sw", "$sht(a=>x1) = 1; $sht(a=>y1) = 1; sht_rm_name(\"a\", \"sw\", \"y\");",
         "$sht(a=>y1)", "<null>"},
        {"sht_rm_value", "$sht(a=>x) = \"bad\"; $sht(a=>y) = \"good\"; sht_rm_value(\"a\", \"eq\", \"bad\");",
         "$shtcn(a=>**)", "1"},
        {"sht_reset", "$sht(a=>x) = 1; sht_reset(\"a\");", "$shtcn(a=>**)", "0"},
        {"sht_has_name", "$sht(a=>x) = 1; if (sht_has_name(\"a\", \"eq\", \"x\")) $sht(a=>said) = 1;",
         "$sht(a=>said)", "1"},
        {"sht_has_name, not there", "if (!sht_has_name(\"a\", \"re\", \"x\")) $sht(a=>said) = 1;",
         "$sht(a=>said)", "1"},
        {"an integer is no text value",
         "$sht(a=>x) = 1; if (!sht_has_str_value(\"a\", \"eq\", \"1\")) $sht(a=>said) = 1;", "$sht(a=>said)",
         "1"},
        {"an unknown table", "$var(t) = \"nope\"; $var(y) = 4; if (!sht_rm($var(t), \"x\")) $var(y) = 9;",
         "$var(y)", "9"},
        {"walking over all",
         "$sht(a=>x) = 1; $sht(a=>y) = 2; $sht(a=>w) = 4; $var(y) = 0; sht_iterator_start(\"i\", \"a\");"
         "while (sht_iterator_next(\"i\")) { $var(y) = $var(y) + $shtitval(i); } sht_iterator_end(\"i\");",
         "$var(y)", "7"},
        {"removing while walking",
         "$sht(a=>x) = 1; $sht(a=>y) = 2; sht_iterator_start(\"i\", \"a\");"
         "while (sht_iterator_next(\"i\")) { sht_iterator_rm(\"i\"); }",
         "$shtcn(a=>**)", "0"},
        {"a walk nobody started", "$var(y) = 1; if (sht_iterator_next(\"j\")) $var(y) = 2;", "$var(y)", "1"},
        {"a lock is taken twice and given back",
         "sht_lock(\"a=>x\"); sht_lock(\"a=>x\"); sht_unlock(\"a=>x\"); sht_unlock(\"a=>x\");"
         "if (!sht_unlock(\"a=>x\")) $sht(a=>said) = 1;",
         "$sht(a=>said)", "1"},
        {"no autoexpire: no time", "$sht(a=>x) = 1; $shtex(a=>x) = 5;", "$shtex(a=>x)", "0"},
        {"time left", "$sht(z=>x) = 1;", "$shtex(z=>x)", "10"},
        {"time set", "$sht(z=>x) = 1; $shtex(z=>x) = 120;", "$shtex(z=>x)", "120"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Fixture f{row.body};
        f.script.run();
        CHECK(f.script.value(row.variable) == row.expected);
    }
}

TEST_CASE("items expire, are swept, and the script hears of it", "[htable]")
{
    test::FakeHost host;
    test::ScriptFixture script{host, {erase(Htable::manifest())}};
    const bool loaded =
        script.load(format("{}request_route {{\n$sht(z=>x) = \"old\"; $sht(k=>x) = 1;\n}}\n"
                           "event_route[htable:expired:z] {{\n"
                           "$sht(a=>gone) = $shtrecord(key) + \"/\" + $shtrecord(value);\n}}\n",
                           head));
    INFO(script.errors());
    REQUIRE(loaded);
    script.run();
    host.start_workers();
    host.advance(9s);
    CHECK(script.value("$sht(z=>x)") == "old");
    script.run(); // z begins anew, k (updateexpire=0) does not
    host.advance(2s);
    CHECK(script.value("$sht(z=>x)") == "old");
    CHECK(script.value("$sht(k=>x)") == "<null>");
    CHECK(script.value("$sht(a=>gone)") == "<null>");
    host.advance(40s);
    CHECK(script.value("$sht(z=>x)") == "5"); // initval again
    CHECK(script.value("$sht(a=>gone)") == "x/old");
}

TEST_CASE("a full table refuses new keys and keeps serving the old", "[htable]")
{
    Table table{*FromText<Definition>::parse("t=>initval=0"), 2};
    const Instant now{1000};
    CHECK(table.set("a", 1, now));
    CHECK(table.add("b", 1, now) == 1);
    CHECK_FALSE(table.set("c", 1, now));
    CHECK_FALSE(table.add("d", 1, now));
    CHECK(table.set("a", 2, now));
    CHECK(table.remove("a"));
    CHECK(table.set("c", 1, now));
    CHECK(table.size() == 2);
}

TEST_CASE("operators read and write tables", "[htable]")
{
    Fixture f{"$sht(a=>x) = 1;"};
    f.script.run();
    auto& module = *static_cast<Htable*>(f.script.module("htable"));
    const auto manifest = erase(Htable::manifest());
    const auto run = [&](std::string_view name, std::string_view params) -> std::string {
        for (const auto& command : manifest.commands)
            if (command.name == name) {
                const auto answer = command.run(&module, *json::parse(params));
                return answer ? answer->dump() : "! " + answer.error().text;
            }
        return "no such command";
    };
    const struct {
        const char* story;
        const char* command;
        const char* params;
        const char* expected;
    } rows[] = {
        {"read", "htable.get", R"(["a","x"])", R"({"item":{"name":"x","value":1}})"},
        {"read, by name", "htable.get", R"({"htable":"a","key":"x"})", R"({"item":{"name":"x","value":1}})"},
        {"a numeric key", "htable.sets", R"(["a",1001,"t"])", R"("stored")"},
        {"it is there", "htable.get", R"(["a","1001"])", R"({"item":{"name":"1001","value":"t"}})"},
        {"gone", "htable.delete", R"(["a","1001"])", R"("deleted")"},
        {"gone already", "htable.delete", R"(["a","1001"])", "! Key name doesn't exist in htable."},
        {"an integer as text", "htable.seti", R"(["a","y","12"])", R"("stored")"},
        {"no integer", "htable.seti", R"(["a","y","twelve"])", "! expected a table, a key and an integer"},
        {"no table", "htable.dump", R"(["b"])", "! No such htable: b"},
        {"nothing given", "htable.dump", "null", "! expected the name of a table"},
        {"no database", "htable.reload", R"(["a"])", "! table a has no dbtable="},
        {"flushed", "htable.flush", R"(["a"])", R"("emptied")"},
        {"empty", "htable.dump", R"(["a"])", "[]"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        CHECK(run(row.command, row.params) == row.expected);
    }
}

TEST_CASE("a definition that contradicts itself stops the start", "[htable]")
{
    const struct {
        const char* story;
        const char* params;
        const char* error;
    } rows[] = {
        {"twice", "modparam(\"htable\",\"htable\",\"a\")\nmodparam(\"htable\",\"htable\",\"a\")\n",
         "defined twice"},
        {"dbtable without db_url", "modparam(\"htable\",\"htable\",\"a=>dbtable=t\")\n", "no db_url"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        test::FakeHost host;
        test::ScriptFixture script{host, {erase(Htable::manifest())}};
        std::string said;
        try {
            script.load(format("loadmodule \"htable.so\"\n{}request_route {{ ; }}\n", row.params));
        } catch (const StartupError& error) {
            said = error.what();
        }
        CHECK(said.find(row.error) != std::string::npos);
    }
}

TEST_CASE("a table that a script names wrongly is found at load", "[htable]")
{
    const struct {
        const char* story;
        const char* line;
        const char* error;
    } rows[] = {
        {"a table there is", "$var(x) = $sht(a=>k);", nullptr},
        {"a misspelt one, and the one that was meant", "$sht(apples=>k) = 1;",
         "there is no table 'apples' (modparam htable)"},
        {"near enough to guess", "$var(x) = $shtinc(pear=>k);", "did you mean 'pears'?"},
        {"inside a sum", "$var(x) = 1 + $sht(b=>k);", "there is no table 'b'"},
        {"no key", "$var(x) = $sht(a);", "is not table=>key"},
        {"a name that is only known when the script runs", "$var(x) = $sht($var(t)=>k);", nullptr},
        {"only the key varies, and the table is there", "$var(x) = $sht(a=>$var(k));", nullptr},
        {"only the key varies, and there is no such table", "$var(x) = $sht(pear=>$var(k));",
         "pvar \"$sht(pear=>$var(k))\": there is no table 'pear' (modparam htable), did you mean 'pears'?"},
        {"a function's table", "sht_rm(\"pear\", \"$var(k)\");",
         "sht_rm(): parameter 1: there is no table 'pear' (modparam htable), did you mean 'pears'?"},
        {"that is there", "sht_rm(\"pears\", \"pear\");", nullptr},
        {"by pattern", "sht_rm_name_re(\"pear=>.*\");", "sht_rm_name_re(): parameter 1: there is no table"},
        {"to lock a key that varies", "sht_lock(\"pear=>$var(k)\");",
         "sht_lock(): parameter 1: there is no table"},
        {"without a key", "sht_lock(\"pears\");", "is not table=>key"},
        {"to walk over", "sht_iterator_start(\"pears\", \"pear\");",
         "sht_iterator_start(): parameter 2: there is no table"},
        {"named by a variable", "sht_reset($var(t)); sht_reset(\"$var(t)\"); sht_lock(\"$var(t)=>k\");",
         nullptr},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        test::FakeHost host;
        test::ScriptFixture script{host, {erase(Htable::manifest())}};
        const bool loaded = script.load(
            format("{}modparam(\"htable\", \"htable\", \"pears=>size=4\")\nrequest_route {{\n{}\n}}\n", head,
                   row.line));
        INFO(script.errors());
        CHECK(loaded == (row.error == nullptr));
        if (row.error)
            CHECK(script.errors().find(row.error) != std::string::npos);
    }
}

} // namespace sipyard::htable
