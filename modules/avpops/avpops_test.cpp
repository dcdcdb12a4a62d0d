// modules/avpops/avpops_test.cpp - what each function answers and leaves, as Kamailio 5.6 was seen to
#include "modules/avpops/avpops.h"
#include "modules/db_unixodbc/test_support.h"
#include "modules/pv/pv.h"
#include "test/support/run_script.h"

using namespace sipyard;
using namespace sipyard::test;

namespace {

struct Seen {
    int code = 0;
    std::string text;
};

struct Bench {
    explicit Bench(std::string_view params = "") : params_{params} {}
    // Runs the statements, the last one's code is seen; then `shown` is expanded for the same request.
    Seen run(std::string_view before, std::string_view statement, std::string_view shown)
    {
        ScriptFixture fixture{host, {erase(pv::Pv::manifest()), erase(avpops::AvpOps::manifest())}};
        const bool loaded = fixture.load(format("loadmodule \"pv.so\"\nloadmodule \"avpops.so\"\n{}\n"
                                                "request_route {{ {} {}; return $rc; }}\n",
                                                params_, before, statement));
        INFO(fixture.errors());
        REQUIRE(loaded);
        Messenger message{host, sample_request("INVITE", "sip:carol@rd.org")};
        Seen seen{fixture.engine().run_request(*message).code, {}};
        const auto format = fixture.engine().compile_format(shown);
        REQUIRE(format);
        seen.text = std::string{(*format)->expand(*message)};
        host.set_script(nullptr);
        return seen;
    }
    FakeHost host{{.workers = 1, .threshold = log::Level::info, .system_clock = true}};

private:
    const std::string params_;
};

struct Row {
    const char* statement;
    int code;
    const char* shown;
    const char* text;
};

void check(std::string_view before, std::initializer_list<Row> rows)
{
    for (const Row& row : rows) {
        INFO(row.statement);
        Bench bench;
        const Seen seen = bench.run(before, row.statement, row.shown);
        INFO(bench.host.log_lines().text());
        CHECK(seen.code == row.code);
        CHECK(seen.text == row.text);
    }
}

} // namespace

TEST_CASE("avp_check compares", "[avpops]")
{
    check(R"s($avp(a)=1; $avp(a)=2; $avp(s)="alice@x.org"; $avp(s)="Bob@Y.org"; $avp(t)="abc";)s",
          {{R"s(avp_check("$avp(a)","eq/i:1"))s", -1, "", ""},
           {R"s(avp_check("$avp(a)","eq/i:1/g"))s", 1, "", ""},
           {R"s(avp_check("$avp(a)","eq/s:2"))s", -1, "", ""},
           {R"s(avp_check("$avp(a)","ne/i:2/g"))s", 1, "", ""},
           {R"s(avp_check("$avp(s)","re/^bob@"))s", 1, "", ""},
           {R"s(avp_check("$avp(t)","fm/a*"))s", 1, "", ""},
           {R"s(avp_check("$avp(t)","fm/A*/i"))s", -1, "", ""},
           {R"s(avp_check("$avp(s)","eq/bob@y.org/i"))s", 1, "", ""},
           {R"s(avp_check("$avp(s)","eq/bob@y.org"))s", -1, "", ""},
           {R"s(avp_check("$fU","eq/$avp(none)"))s", -1, "", ""},
           {R"s(avp_check("$avp(s)","eq/$avp(s)"))s", 1, "", ""},
           {R"s(avp_check("$avp(a)","and/i:0x2"))s", 1, "", ""},
           {R"s(avp_check("$avp(none)","eq/i:1"))s", -1, "", ""},
           {R"s(avp_check("$avp(a)","gt/$avp(a)/g"))s", 1, "", ""},
           {R"s(avp_check("$avp(t)","gt/s:abb"))s", 1, "", ""},
           {R"s(avp_check("$avp(t)","gt/s:ABD/i"))s", -1, "", ""},
           {R"s(avp_check("$avp(t)","lt/s:abcd"))s", 1, "", ""},
           {R"s(avp_check("$ml","gt/i:5"))s", 1, "", ""}});
}

TEST_CASE("avp_copy copies, moves and converts", "[avpops]")
{
    check(R"s($avp(a)=1; $avp(a)=2; $avp(n)="12"; $avp(x)="x2";)s",
          {{R"s(avp_copy("$avp(a)","$avp(b)"))s", 1, "$(avp(b)[*]);$(avp(a)[*])", "2;2, 1"},
           {R"s(avp_copy("$avp(a)","$avp(b)/g"))s", 1, "$(avp(b)[*]);$(avp(a)[*])", "1, 2;2, 1"},
           {R"s(avp_copy("$avp(a)","$avp(b)/gd"))s", 1, "$(avp(b)[*]);$avp(a)", "1, 2;<null>"},
           {R"s(avp_copy("$avp(a)","$avp(a)/gd"))s", 1, "$(avp(a)[*])", "1, 2"},
           {R"s(avp_copy("$avp(a)","$avp(e)/s"); is_avp_set("$avp(e)/s"))s", 1, "$avp(e)", "2"},
           {R"s(avp_copy("$avp(n)","$avp(m)/n"); is_avp_set("$avp(m)/n"))s", 1, "$avp(m)", "12"},
           {R"s(avp_copy("$avp(x)","$avp(m)/n"))s", -1, "$avp(m)", ""},
           {R"s(avp_copy("$avp(none)","$avp(m)"))s", -1, "$avp(m)", ""},
           {R"s(avp_copy("$fU","$avp(m)"))s", -1, "$avp(m)", ""}});
}

TEST_CASE("avp_op computes", "[avpops]")
{
    check(
        R"s($avp(a)=1; $avp(a)=2; $avp(s)="text"; $avp(b)=2; $avp(g)=33; $avp(g)=36; $avp(g)=6; $avp(g)=3;)s",
        {{R"s(avp_op("$avp(a)","add/i:10"))s", 1, "$(avp(a)[*])", "11, 12, 2, 1"},
         {R"s(avp_op("$avp(a)/$avp(c)","mul/i:3"))s", 1, "$(avp(c)[*]);$(avp(a)[*])", "3, 6;2, 1"},
         {R"s(avp_op("$avp(a)","sub/i:1/d"))s", 1, "$(avp(a)[*])", "0, 1"},
         {R"s(avp_op("$avp(a)","div/i:0/d"))s", 1, "$(avp(a)[*])", "0, 0"},
         {R"s(avp_op("$avp(s)","add/i:1"))s", -1, "$avp(s)", "text"},
         {R"s(avp_op("$avp(b)/$avp(h)","not/i:0"))s", 1, "$avp(h)", "-1"},
         {R"s(avp_op("$avp(b)/$avp(h)","add/$avp(g)/g"))s", 1, "$(avp(h)[*])", "80, 47, 11, 5"},
         {R"s(avp_op("$avp(g)","mod/i:4/d"))s", 1, "$(avp(g)[*])", "1, 0, 2, 3"},
         {R"s(avp_op("$avp(none)","add/i:1"))s", -1, "", ""}});
}

TEST_CASE("avp_subst replaces", "[avpops]")
{
    check(
        R"s($avp(s)="alice@x.org"; $avp(s)="Bob@Y.org"; $avp(n)=3; $avp(src)="testME"; $var(x)="/e/j/gi";)s",
        {{R"s(avp_subst("$avp(s)","/(.*)@(.*)/\1@$rd/"))s", 1, "$(avp(s)[*])", "Bob@rd.org, alice@x.org"},
         {R"s(avp_subst("$avp(s)/$avp(t)","/@/_/"))s", 1, "$(avp(t)[*]);$(avp(s)[*])",
          "Bob_Y.org;Bob@Y.org, alice@x.org"},
         {R"s(avp_subst("$avp(s)/$avp(u)/g","/([a-z])/<\1>/"))s", 1, "$(avp(u)[*])",
          "<a>lice@x.org, B<o>b@Y.org"},
         {R"s(avp_subst("$avp(s)/$avp(v)/gd","/o/0/gi"))s", 1, "$(avp(v)[*]);$avp(s)",
          "alice@x.0rg, B0b@Y.0rg;<null>"},
         {R"s(avp_subst("$avp(s)","/nomatch/x/"))s", -1, "$(avp(s)[*])", "Bob@Y.org, alice@x.org"},
         {R"s(avp_subst("$avp(none)","/a/x/"))s", -1, "", ""},
         {R"s(avp_subst("$avp(n)","/3/4/"))s", -1, "$avp(n)", "3"},
         {R"s(avp_subst_pv("$avp(src)","$var(x)"))s", 1, "$avp(src)", "tjstMj"},
         {R"s(avp_subst_pv("$avp(src)","/e/j/"))s", 1, "$avp(src)", "tjstME"},
         {R"s(avp_subst_pv("$avp(src)","nonsense"))s", -3, "$avp(src)", "testME"}});
}

TEST_CASE("is_avp_set and avp_delete", "[avpops]")
{
    check(R"s($avp(i:5)=1; $avp(a)=1; $avp(a)="two"; $avp(em)="";)s",
          {{R"s(is_avp_set("$avp(i:5)"))s", 1, "", ""},
           {R"s(is_avp_set("$avp(i:5)/s"))s", -1, "", ""},
           {R"s(is_avp_set("$avp(a)/n"))s", -1, "", ""},
           {R"s(is_avp_set("$avp(none)"))s", -1, "", ""},
           {R"s(is_avp_set("$avp(em)/e"))s", 1, "", ""},
           {R"s(is_avp_set("$avp(i:5)/e"))s", -1, "", ""},
           {R"s(avp_delete("$avp(a)"))s", 1, "$(avp(a)[*])", "1"},
           {R"s(avp_delete("$avp(a)/g"))s", 1, "$avp(a)", ""},
           {R"s(avp_delete("$avp(none)/g"))s", -1, "", ""},
           {R"s(avp_delete("i/g"))s", 1, "$avp(i:5);$avp(a)", "<null>;two"},
           {R"s(avp_delete("s"))s", 1, "$avp(i:5);$avp(a)", "1;<null>"},
           {R"s(avp_delete("a3"))s", 1, "$avp(i:5);$avp(a)", "<null>;<null>"},
           {R"s(avp_delete("nonsense"))s", -1, "$avp(a)", "two"}});
}

TEST_CASE("avp_pushto writes into the message", "[avpops]")
{
    check(
        R"s($avp(p)="sip:p1@one.org"; $avp(p)="sip:p2@two.org"; $avp(p)="sip:p3@three.org"; $avp(w)="dave"; $avp(bad)="a b@c";)s",
        {{R"s(avp_pushto("$ru","$avp(p)"))s", 1, "$ru;$branch(count)", "sip:p3@three.org;<null>"},
         {R"s(avp_pushto("$ru","$avp(p)/g"))s", 1, "$ru;$branch(count);$(branch(uri)[0]);$(branch(uri)[1])",
          "sip:p1@one.org;2;sip:p3@three.org;sip:p2@two.org"},
         {R"s(avp_pushto("$ru/username","$avp(w)"))s", 1, "$ru", "sip:dave@rd.org"},
         {R"s(avp_pushto("$ru/domain","$avp(w)"))s", 1, "$ru", "sip:carol@dave"},
         {R"s(avp_pushto("$ru/username","$avp(bad)"))s", -1, "$ru", "sip:carol@rd.org"},
         {R"s(avp_pushto("$ru/domain","$avp(p)"))s", -1, "$ru", "sip:carol@rd.org"},
         {R"s(avp_pushto("$du","$avp(p)/g"))s", 1, "$du", "sip:p1@one.org"},
         {R"s(avp_pushto("$du","$avp(w)"))s", -1, "$du", ""},
         {R"s(avp_pushto("$br","$avp(p)/g"))s", 1, "$branch(count);$ru", "3;sip:carol@rd.org"},
         {R"s(avp_pushto("$ru","$avp(none)"))s", -1, "$ru", "sip:carol@rd.org"},
         {R"s(avp_pushto("$xx","$avp(p)"))s", -1, "$ru", "sip:carol@rd.org"},
         {R"s(avp_printf("$avp(pf)","m $rm x"))s", 1, "$avp(pf)", "m INVITE x"}});
}

TEST_CASE("avp_print lists everything", "[avpops]")
{
    Bench bench;
    CHECK(bench.run(R"s($avp(a)=1; $avp(i:7)="seven";)s", "avp_print()", "").code == 1);
    CHECK(bench.host.log_lines().has("s:a = 1"));
    CHECK(bench.host.log_lines().has("i:7 = \"seven\""));
}

TEST_CASE("AVPs in the database", "[avpops]")
{
    test::TempDir folder;
    const std::string url = "sqlite://" + folder.path() + "/test.db";
    Bench bench{format(
        "modparam(\"avpops\",\"db_url\",\"{}\")\nmodparam(\"avpops\",\"avp_table\",\"usr_preferences\")\n"
        "modparam(\"avpops\",\"use_domain\",1)\n"
        "modparam(\"avpops\",\"db_scheme\",\"sch:table=other;username_col=user;value_col=first;value_type="
        "integer\")\n",
        url)};
    db_unixodbc::OdbcDriver driver{bench.host.runtime(), bench.host.journal()};
    const auto opened = driver.open(*db::Url::parse(url));
    REQUIRE(opened);
    bench.host.set_database(url, **opened);
    for (const char* sql :
         {"CREATE TABLE usr_preferences (id INTEGER PRIMARY KEY, uuid TEXT DEFAULT '', username TEXT DEFAULT "
          "'', domain TEXT DEFAULT '', "
          "attribute TEXT, type INTEGER, value TEXT)",
          "CREATE TABLE other (user TEXT, first INTEGER)", "INSERT INTO other VALUES ('carol', 42)"})
        REQUIRE((*opened)->write(sql));
    const auto rows = [&](std::string sql) {
        const auto got = (*opened)->read(std::move(sql));
        REQUIRE(got);
        return got->empty() ? std::string{"none"} : (*got)[0][0].print();
    };
    const std::string_view values = R"s($avp(p)="one"; $avp(p)="two"; $avp(num)=5; $avp(i:9)="nine";)s";
    CHECK(bench.run(values, R"s(avp_db_store("$ru","$avp(p)"))s", "").code == 1);
    CHECK(bench.run(values, R"s(avp_db_store("$ru","$avp(none)"))s", "").code == -1);
    CHECK(bench.run(values, R"s(avp_db_store("some-id","a"))s", "").code == 1);
    CHECK(rows("SELECT count(*) FROM usr_preferences WHERE uuid='some-id'") == "4");
    CHECK(rows("SELECT type FROM usr_preferences WHERE attribute='9'") == "2");
    CHECK(rows("SELECT domain FROM usr_preferences WHERE username='carol'") == "rd.org");

    const Row loads[] = {
        {R"s(avp_db_load("$ru","$avp(p)"))s", 1, "$(avp(p)[*])", "one, two"},
        {R"s(avp_db_load("$ru/domain","s"))s", 1, "$(avp(p)[*])", "one, two"},
        {R"s(avp_db_load("$fu","$avp(p)"))s", -1, "$avp(p)", ""},
        {R"s(avp_db_load("some-id","i"))s", 1, "$avp(i:9);$avp(num)", "nine;<null>"},
        {R"s(avp_db_load("some-id","$avp(num)"); is_avp_set("$avp(num)/n"))s", 1, "$avp(num)", "5"},
        {R"s(avp_db_load("$ru/username","$avp(c)/$sch"); is_avp_set("$avp(c)/n"))s", 1, "$avp(c)", "42"},
        {R"s(avp_db_load("$ru","$avp(c)/$none"))s", -1, "", ""},
        {R"s(avp_db_load("$ru","a/$sch"))s", -1, "", ""},
        {R"s(avp_db_load("$ru","$avp(p)/no_such_table"))s", -1, "", ""},
        {R"s(avp_db_load("$ru","$avp(p)/bad name; --"))s", -1, "", ""},
        {R"s(avp_db_query("select attribute, type from usr_preferences order by id limit 3"))s", 1,
         "$avp(i:1);$avp(i:2)", "p;0"},
        {R"s(avp_db_query("select value from usr_preferences where type=1","$avp(q)"))s", 1, "$avp(q)", "5"},
        {R"s(avp_db_query("select 1 from usr_preferences where type=77"))s", -2, "", ""},
        {R"s(avp_db_query("selekt"))s", -1, "", ""},
        {R"s(avp_db_delete("$ru","$avp(p)"))s", 1, "", ""},
        {R"s(avp_db_load("$ru","$avp(p)"))s", -1, "", ""},
        {R"s(avp_db_delete("some-id","i"))s", 1, "", ""},
        {R"s(avp_db_delete("some-id","a"))s", 1, "", ""},
    };
    for (const Row& row : loads) {
        INFO(row.statement);
        const Seen seen = bench.run("", row.statement, row.shown);
        INFO(bench.host.log_lines().text());
        CHECK(seen.code == row.code);
        CHECK(seen.text == row.text);
    }
    CHECK(rows("SELECT 1 FROM usr_preferences") == "none");
    Bench away; // no db_url
    CHECK(away.run("", R"s(avp_db_load("$ru","a"))s", "").code == -1);
}

TEST_CASE("expressions are read when the script is loaded", "[avpops]")
{
    for (const char* good : {"eq/i:0xFf/gI", "re/a.*b", "fm/$avp(x)", "lt/s:a", "xor/i:-3"}) {
        INFO(good);
        CHECK(FromText<avpops::CheckValue>::parse(good).has_value());
    }
    for (const char* bad : {"", "eq", "eq/", "zz/i:1", "eq/i:x", "eq/i:0x", "eq/i:1/q", "eq/i:1/g/g", "re/(",
                            "eq/i:0x11112222333344445"}) {
        INFO(bad);
        CHECK_FALSE(FromText<avpops::CheckValue>::parse(bad).has_value());
    }
    for (const char* bad : {"add/5", "add/s:5", "pow/i:2", "add/i:1/i"})
        CHECK_FALSE(FromText<avpops::OpValue>::parse(bad).has_value());
    for (const char* bad : {"", "x", "x:table=t", "x:value_col=v", "x:table=t;value_col=v;colour=red",
                            "x:table=t u;value_col=v", "x:table=t;value_col=v;value_type=real"})
        CHECK_FALSE(FromText<avpops::Scheme>::parse(bad).has_value());
    CHECK(*avpops::result(avpops::OpValue::Op::div, INT64_MIN, -1) == INT64_MIN);
    CHECK(*avpops::result(avpops::OpValue::Op::mod, INT64_MIN, -1) == 0);
    CHECK(*avpops::result(avpops::OpValue::Op::add, INT64_MAX, 1) == INT64_MIN);
}
