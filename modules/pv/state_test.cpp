// modules/pv/state_test.cpp - AVPs, XAVPs, branches, shared variables and the functions on them
#include "core/json/value.h"
#include "modules/pv/bench_test.h"

using namespace sipyard;
using namespace sipyard::pv;

namespace {

// Runs statements in a request route with the module loaded; answers what the text is afterwards.
std::string after(std::string_view statements, std::string_view text, std::string_view params = {})
{
    test::FakeHost host;
    test::ScriptFixture fixture{host, {sipyard_module()->manifest()}};
    const bool loaded = fixture.load("loadmodule \"pv.so\"\n" + std::string{params} + "\nrequest_route {\n" +
                                     std::string{statements} + "\n}\n");
    INFO(fixture.errors());
    REQUIRE(loaded);
    test::Messenger m{host, test::sample_request()};
    (void)fixture.engine().run_request(*m);
    const auto format = fixture.engine().compile_format(text);
    INFO(why(format));
    REQUIRE(format);
    return std::string{(*format)->expand(*m)};
}

struct Story {
    const char* story;
    const char* statements;
    const char* text;
    const char* expected;
};
void check(std::initializer_list<Story> stories)
{
    for (const Story& s : stories) {
        INFO(s.story << ": " << s.statements);
        CHECK(after(s.statements, s.text) == s.expected);
    }
}

} // namespace

TEST_CASE("$avp is a stack", "[pv]")
{
    check({
        {"unset", "exit;", "$avp(x).", "<null>."},
        {"assigning pushes", "$avp(x) = 1; $avp(x) = 2;", "$avp(x) $(avp(x)[0]) $(avp(x)[1]) $(avp(x)[2])",
         "2 2 1 <null>"},
        {"all of them", "$avp(x) = 1; $avp(x) = \"b\"; $avp(x) = 3;", "$(avp(x)[*])", "3, b, 1"},
        {"all of none", "exit;", "$(avp(x)[*]).", "<null>."},
        {"negative index", "$avp(x) = 1;", "$(avp(x)[-1]).", "<null>."},
        {"$null pops one", "$avp(x) = 1; $avp(x) = 2; $avp(x) = $null;", "$avp(x).", "1."},
        {"a null variable too", "$avp(x) = 1; $avp(x) = 2; $avp(x) = $vn(none);", "$avp(x).", "1."},
        {"[*] = $null clears", "$avp(x) = 1; $avp(x) = 2; $(avp(x)[*]) = $null;", "$avp(x).", "<null>."},
        {"[*] = v leaves one", "$avp(x) = 1; $avp(x) = 2; $(avp(x)[*]) = $avp(x);", "$(avp(x)[*])!", "2!"},
        {"[i] = v pushes", "$avp(x) = 1; $(avp(x)[0]) = 2;", "$(avp(x)[*])!", "2, 1!"},
        {"s:x is x, i:5 is not 5", "$avp(s:x) = 1; $avp(i:5) = 2;", "$avp(x) $avp(5) $avp(i:5)",
         "1 <null> 2"},
        {"names with variables", "$var(n) = \"k\"; $avp($var(n)) = 1;", "$avp(k)!", "1!"},
        {"itself", "$avp(x) = \"a\"; $avp(x) = $avp(x) + \"b\";", "$avp(x)!", "ab!"},
    });
}

TEST_CASE("$xavp holds records", "[pv]")
{
    check({
        {"each assignment is a new root", "$xavp(a=>b) = 1; $xavp(a=>c) = 2;",
         "$xavp(a=>b) $xavp(a=>c) $xavp(a[1]=>b)", "<null> 2 1"},
        {"fields go into a root by its index", "$xavp(a=>b) = 1; $xavp(a[0]=>c) = 2;",
         "$xavp(a=>b) $xavp(a=>c)", "1 2"},
        {"a field is a stack", "$xavp(a=>b) = 1; $xavp(a[0]=>b) = 2;", "$xavp(a=>b) $xavp(a[0]=>b[1])",
         "2 1"},
        {"$null removes the newest", "$xavp(a=>b) = 1; $xavp(a[0]=>b) = 2; $xavp(a=>b) = $null;",
         "$xavp(a=>b)!", "1!"},
        {"a field by index", "$xavp(a=>b) = 1; $xavp(a[0]=>b) = 2; $xavp(a[0]=>b[1]) = 9;",
         "$xavp(a=>b) $xavp(a=>b[1])", "2 9"},
        {"all of a field", "$xavp(a=>b) = 1; $xavp(a[0]=>b) = 2; $xavp(a[0]=>b[*]) = 3;",
         "$xavp(a=>b) $xavp(a=>b[1])", "3 <null>"},
        {"negative index", "$xavp(a=>b) = 1; $xavp(a=>b) = 2;", "$xavp(a[-1]=>b)!", "1!"},
        {"no such root", "$xavp(a[3]=>b) = 1;", "$xavp(a=>b)!", "<null>!"},
        {"the first root by its index", "$xavp(a[0]=>b) = 1;", "$xavp(a=>b)!", "1!"},
        {"a root with a value", "$xavp(a) = 5;", "$xavp(a)!", "5!"},
        {"root $null", "$xavp(a=>b) = 1; $xavp(a=>b) = 2; $xavp(a) = $null;", "$xavp(a=>b)!", "1!"},
        {"all roots", "$xavp(a=>b) = 1; $xavp(a=>b) = 2; $xavp(a[*]) = $null;", "$xavp(a=>b)!", "<null>!"},
        {"letter case matters", "$xavp(a=>b) = 1;", "$xavp(A=>b)!", "<null>!"},
        {"but not in $xavi", "$xavi(a=>b) = 1;", "$xavi(A=>B)!", "1!"},
        {"$xavi counts so too", "$xavi(a=>b) = 1; $xavi(A[0]=>B) = 2; $xavi(a=>b) = $null;", "$xavi(a=>b)!",
         "1!"},
        {"$xavu has one of each", "$xavu(a=>b) = 1; $xavu(a=>b) = 2; $xavu(a=>c) = 3;",
         "$xavu(a=>b) $xavu(a=>c) $xavu(a[1]=>b)", "2 3 <null>"},
        {"$xavu field away", "$xavu(a=>b) = 1; $xavu(a=>b) = $null;", "$xavu(a=>b)!", "<null>!"},
        {"$xavu root", "$xavu(a) = 1; $xavu(a) = 2;", "$xavu(a) $xavu(a[1])", "2 <null>"},
    });
    CHECK(after("$xavp(a=>b) = 1;", "$xavp(a)").starts_with("<<xavp:0x"));
    Bench bench;
    test::Messenger m{bench.host, test::sample_request()};
    for (const char* const wrong : {"$xavp([0])", "$xavp(a[)", "$xavp(a[x]=>b)", "$xavp(a=>)", "$avp(s:)"})
        CHECK(bench.ask(*m, wrong).starts_with("! "));
}

TEST_CASE("branches", "[pv]")
{
    check({
        {"none", "exit;", "$branch(uri) $branch(count) $br $ds", "<null> <null> <null> <null>"},
        {"$br adds", "$br = \"sip:a\"; $br = \"sip:b\";",
         "$branch(count) $branch(uri) $(branch(uri)[1]) $(branch(uri)[-1]) $br", "2 sip:a sip:b sip:b sip:a"},
        {"beyond", "$br = \"sip:a\";", "$(branch(uri)[1])!", "<null>!"},
        {"[*] is the first", "$br = \"sip:a\"; $br = \"sip:b\";", "$(branch(uri)[*])!", "sip:a!"},
        {"parts",
         "$br = \"sip:a\"; $branch(dst_uri) = \"sip:d\"; $branch(q) = \"0.5\"; $branch(path) = \"<sip:p>\"; "
         "$branch(flags) = 3; $branch(ruid) = \"r\";",
         "$branch(dst_uri) $branch(q) $branch(path) $branch(flags) $branch(ruid) $branch(send_socket)",
         "sip:d 0.5 <sip:p> 3 r <null>"},
        {"changing none fails", "$branch(uri) = \"sip:x\";", "$branch(uri)!", "<null>!"},
        {"a branch without a URI is none", "$br = \"sip:a\"; $br = \"sip:b\"; $branch(uri) = $null;",
         "$br $branch(count)", "sip:b 1"},
        {"a q that is none", "$br = \"sip:a\"; $branch(q) = \"2\";", "$branch(q)!", "<null>!"},
        {"as a header", "$br = \"sip:a\"; $(branch(q)[0]) = \"0.25\"; $br = \"sip:b\";", "$ds",
         "Contact: <sip:a>;q=0.25, <sip:b>"},
        {"prepared and added",
         "$sbranch(uri) = \"sip:s\"; $sbranch(flags) = 4; sbranch_append(); sbranch_reset();",
         "$br $branch(flags) $sbranch(uri)", "sip:s 4 <null>"},
        {"prepared and taken",
         "$sbranch(uri) = \"sip:s\"; $sbranch(dst_uri) = \"sip:d\"; sbranch_set_ruri();", "$ru $du",
         "sip:s sip:d"},
        {"nothing prepared", "$var(r) = sbranch_append();", "$var(r)!", "-1!"},
        {"no more than max_branches",
         "$var(i) = 0; while ($var(i) < 20) { $br = \"sip:a\"; $var(i) = $var(i) + 1; }", "$branch(count)!",
         "11!"},
    });
}

TEST_CASE("$shv is shared", "[pv]")
{
    CHECK(after("exit;", "$shv(x)!") == "0!");
    CHECK(after("$shv(x) = \"a\";", "$shv(x)!") == "a!");
    CHECK(after("$shv(x) = $null;", "$shv(x)!") == "0!");
    CHECK(after("$shv(a) = $shv(a) + 1;", "$shv(a) $shv(b)",
                "modparam(\"pv\", \"shvset\", \"a=i:5\")\nmodparam(\"pv\", \"shvset\", \"b=s:x=y\")") ==
          "6 x=y");
    test::FakeHost host;
    test::ScriptFixture fixture{host, {sipyard_module()->manifest()}};
    CHECK_FALSE(fixture.load(
        "loadmodule \"pv.so\"\nmodparam(\"pv\", \"shvset\", \"a=5\")\nrequest_route { exit; }\n"));

    Bench bench;
    const auto run = [&](std::string_view name, const json::Value& params) -> Result<json::Value> {
        for (const auto& command : sipyard_module()->manifest().commands)
            if (command.name == name)
                return command.run(bench.fixture.module("pv"), params);
        return invalid("no such command");
    };
    CHECK(run("pv.shvSet", json::Value::array({"n", "int", 7})));
    CHECK(run("pv.shvSet", json::Value::object().set("name", "s").set("type", "str").set("value", "text")));
    CHECK_FALSE(run("pv.shvSet", json::Value::array({"n", "int", "x"})));
    CHECK_FALSE(run("pv.shvSet", json::Value::array({"n", "float", 1})));
    CHECK_FALSE(run("pv.shvSet", json::Value::array()));
    CHECK_FALSE(run("pv.shvGet", json::Value::array({"none"})));
    const auto one = run("pv.shvGet", json::Value::array({"n"}));
    REQUIRE(one);
    CHECK((*one)["value"].integer() == 7);
    const auto all = run("pv.shvGet", json::Value{});
    REQUIRE(all);
    CHECK(all->size() == 2);
    CHECK(bench.fixture.value("$shv(s)") == "text");
}

TEST_CASE("functions on variables", "[pv]")
{
    check({
        {"set", "$avp(x) = 1; $var(r) = pv_isset(\"$avp(x)\");", "$var(r)!", "1!"},
        {"not set", "$var(r) = pv_isset(\"$avp(x)\");", "$var(r)!", "-1!"},
        {"unset", "$avp(x) = 1; pv_unset(\"$avp(x)\");", "$avp(x)!", "<null>!"},
        {"unset of a record", "$xavp(a=>b) = 1; pv_unset(\"$xavp(a)\");", "$xavp(a=>b)!", "<null>!"},
        {"is_int", "$avp(x) = 1; $var(r) = is_int(\"$avp(x)\");", "$var(r)!", "1!"},
        {"a text is none", "$avp(x) = \"1\"; $var(r) = is_int(\"$avp(x)\");", "$var(r)!", "-1!"},
        {"typeof int", "$avp(x) = 1; $var(r) = typeof(\"$avp(x)\", \"int\");", "$var(r)!", "1!"},
        {"typeof str", "$avp(x) = \"1\"; $var(r) = typeof(\"$avp(x)\", \"str\");", "$var(r)!", "1!"},
        {"typeof null", "$var(r) = typeof(\"$avp(x)\", \"null\");", "$var(r)!", "1!"},
        {"typeof xavp", "$xavp(a=>b) = 1; $var(r) = typeof(\"$xavp(a)\", \"xavp\");", "$var(r)!", "1!"},
        {"typeof nonsense", "$var(r) = typeof(\"$avp(x)\", \"real\");", "$var(r)!", "-1!"},
        {"not_empty", "$avp(x) = \"a\"; $var(r) = not_empty(\"$avp(x)\");", "$var(r)!", "1!"},
        {"empty", "$avp(x) = \"\"; $var(r) = not_empty(\"$avp(x)\");", "$var(r)!", "-1!"},
        {"null is empty", "$var(r) = not_empty(\"$avp(x)\");", "$var(r)!", "-1!"},
        {"xavp_rm the newest", "$xavp(a=>b) = 1; $xavp(a=>b) = 2; xavp_rm(\"a\");", "$xavp(a=>b)!", "1!"},
        {"xavi_rm", "$xavi(a=>b) = 1; xavi_rm(\"A\");", "$xavi(a=>b)!", "<null>!"},
        {"xavu_rm", "$xavu(a=>b) = 1; xavu_rm(\"a\");", "$xavu(a=>b)!", "<null>!"},
        {"children",
         "xavp_child_sets(\"a\", \"s\", \"x\"); xavp_child_seti(\"a\", \"n\", \"7\"); xavp_child_seti(\"a\", "
         "\"n\", \"8\");",
         "$xavp(a=>s) $xavp(a=>n) $xavp(a=>n[1])", "x 8 <null>"},
        {"child away", "$xavp(a=>b) = 1; $xavp(a[0]=>b) = 2; xavp_child_rm(\"a\", \"b\");", "$xavp(a=>b)!",
         "<null>!"},
        {"no child to remove", "$var(r) = xavp_child_rm(\"a\", \"b\");", "$var(r)!", "-1!"},
        {"explode", "xavp_params_explode(\"a=1;b=\\\"x;y\\\"\", \"p\");", "$xavp(p=>a) $xavp(p=>b)", "1 x;y"},
        {"explode nothing", "$var(r) = xavp_params_explode(\";\", \"p\");", "$var(r)!", "-1!"},
        {"xavu explode", "$xavu(p=>z) = 1; xavu_params_explode(\"a=1\", \"p\");", "$xavu(p=>a) $xavu(p=>z)",
         "1 <null>"},
        {"implode", "xavp_params_explode(\"a=1;b=2\", \"p\"); xavp_params_implode(\"p\", \"$var(s)\");",
         "$var(s)!", "a=1;b=2;!"},
        {"list", "xavp_slist_explode(\"x, y\", \",\", \"t\", \"l\");",
         "$xavp(l=>v) $xavp(l=>v[1]) $xavp(l=>v[2])", "x y <null>"},
        {"copy", "$xavp(a=>b) = 1; xavp_copy(\"a\", \"0\", \"c\");", "$xavp(a=>b) $xavp(c=>b)", "1 1"},
        {"copy onto", "$xavp(a=>b) = 1; $xavp(c=>d) = 2; xavp_copy(\"a\", \"0\", \"c\", \"0\");",
         "$xavp(c=>b) $xavp(c=>d)", "1 <null>"},
        {"copy of nothing", "$var(r) = xavp_copy(\"a\", \"0\", \"c\");", "$var(r)!", "-1!"},
        {"printing", "$xavp(a=>b) = 1; $var(r) = pv_xavp_print(); pv_xavi_print(); pv_xavu_print();",
         "$var(r)!", "1!"},
    });
}
