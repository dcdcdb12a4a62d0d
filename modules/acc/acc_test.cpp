// modules/acc/acc_test.cpp - which moments are accounted, and the lines as billing scripts know them
#include "core/sip/message.h"
#include "modules/acc/acc.h"
#include "modules/pv/pv.h"
#include "test/support/catch.h"
#include "test/support/fake_tm.h"
#include "test/support/run_script.h"

using namespace sipyard;
using namespace sipyard::test;

namespace {

constexpr std::string_view usual =
    "modparam(\"acc\", \"log_flag\", 1)\nmodparam(\"acc\", \"log_missed_flag\", 2)\n"
    "modparam(\"acc\", \"failed_transaction_flag\", 3)\nmodparam(\"acc\", \"log_extra\", "
    "\"ua=$hdr(User-Agent);n=$avp(n);none=$avp(none)\")\n";

struct Bench {
    explicit Bench(std::string_view params = usual)
    {
        host.offer<tm::Api>(tm);
        const bool loaded = fixture.load(
            format("loadmodule \"pv.so\"\nloadmodule \"acc.so\"\n{}\n"
                   "request_route {{ acc_log_request(\"404 Not here\"); acc_log_request(\"just so\");\n"
                   "acc_request(\"403 Denied\", \"acc\"); return $rc; }}\n",
                   params));
        INFO(fixture.errors());
        REQUIRE(loaded);
    }
    void happen(tm::Moment what, Request& of, const FakeTm::Told& told)
    {
        tm.begin_watching(of);
        tm.happen(what, of, told);
    }
    FakeHost host{{.workers = 1, .threshold = log::Level::notice}};
    FakeTm tm;
    ScriptFixture fixture{host, {erase(pv::Pv::manifest()), erase(acc::Acc::manifest())}};
};

// Calls that end when the test says so.
struct FakeDialogs final : dialog::Api {
    std::optional<dialog::Dialog> find(std::string_view, std::string_view, std::string_view) override
    {
        return {};
    }
    std::optional<dialog::Dialog> of(Request&) override { return {}; }
    std::vector<dialog::Dialog> list(std::size_t) override { return {}; }
    Result<void> terminate(std::uint32_t, std::uint32_t, dialog::Side, std::string_view) override
    {
        return {};
    }
    void add_listener(dialog::EndListener& listener) override { listeners.push_back(&listener); }
    std::vector<dialog::EndListener*> listeners;
};

std::string lines(const FakeHost& host, const LogLines& log)
{
    (void)host;
    return log.text();
}

} // namespace

TEST_CASE("lists of extra values", "[acc]")
{
    const auto fields = acc::split_fields("a=$hdr(X); b=$(avp(x){s.substr,0,1;2}) ;c=$ru;");
    REQUIRE(fields);
    REQUIRE(fields->size() == 3);
    CHECK((*fields)[1] == std::pair<std::string, std::string>{"b", "$(avp(x){s.substr,0,1;2})"});
    for (const char* bad : {"a", "a=b", "=$ru", "a=$ru;b"})
        CHECK_FALSE(acc::split_fields(bad).has_value());
    CHECK(acc::split_fields("")->empty());
    CHECK(acc::read_legs("src=$avp(src);dst=$avp(i:7)")->size() == 2);
    for (const char* bad : {"a=$ru", "a=$avp($var(x))", "a=$avp()", "a=$(avp(x)[1])"})
        CHECK_FALSE(acc::read_legs(bad).has_value());
}

TEST_CASE("a comment may begin with a code", "[acc]")
{
    const struct {
        const char* text;
        const char* code;
        const char* reason;
    } rows[] = {
        {"404 Not here", "404", "Not here"},
        {"Some comment", "", "Some comment"},
        {"200", "200", ""},
        {"40 x", "", "40 x"},
        {"", "", ""},
        {"4045", "404", "5"},
    };
    for (const auto& row : rows) {
        INFO(row.text);
        const auto got = acc::parse_comment(row.text);
        CHECK(got.code == row.code);
        CHECK(got.reason == row.reason);
    }
}

TEST_CASE("the line of a record", "[acc]")
{
    acc::Record record;
    record.head = "ACC: transaction answered: ";
    record.method = "INVITE";
    record.from_tag = "ft";
    record.to_tag = "tt";
    record.call_id = "c1";
    record.code = "200";
    record.reason = "OK";
    record.unix_ns = 1795280877'248'165'000;
    const std::string_view rest = "method=INVITE;from_tag=ft;to_tag=tt;call_id=c1;code=200;reason=OK";
    using Mode = acc::TimeStyle::Mode;
    const struct {
        const char* story;
        Mode mode;
        const char* expected;
    } rows[] = {
        {"seconds alone", Mode::seconds, ""},
        {"with microseconds", Mode::microseconds, ";us=248165"},
        {"with milliseconds", Mode::milliseconds, ";ts=1795280877.248"},
        {"as UTC text", Mode::utc, ";ts=2026-11-21 17:07:57"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        CHECK(acc::line(record, {row.mode, "ts", "us"}) ==
              format("ACC: transaction answered: timestamp=1795280877{};{}", row.expected, rest));
    }
    record.extra = {{"ua", "tester"}, {"n", 7}, {"none", Value{}}};
    record.legs = {{{"src", "a2"}, {"dst", "b2"}}, {{"src", "a1"}, {"dst", Value{}}}};
    CHECK(acc::line(record, {}).ends_with(";reason=OK;ua=tester;n=7;none=;src=a2;dst=b2;src=a1;dst="));
}

TEST_CASE("what becomes a line", "[acc]")
{
    const struct {
        const char* story;
        const char* params;
        std::uint32_t flags;
        const char* method;
        tm::Moment what;
        FakeTm::Told told;
        const char* head;
    } rows[] = {
        {"answered",
         "",
         1 << 1,
         "INVITE",
         tm::Moment::reply_out,
         {200, "OK", nullptr, "tt"},
         "ACC: transaction answered"},
        {"no flag", "", 1 << 5, "INVITE", tm::Moment::reply_out, {200, "OK", nullptr, "tt"}, nullptr},
        {"ringing", "", 1 << 1, "INVITE", tm::Moment::reply_out, {180, "Ringing", nullptr, "tt"}, nullptr},
        {"failed, and nobody asked for that",
         "",
         1 << 1,
         "INVITE",
         tm::Moment::reply_out,
         {404, "Nope", nullptr, "tt"},
         nullptr},
        {"failed",
         "",
         1 << 1 | 1 << 3,
         "INVITE",
         tm::Moment::reply_out,
         {404, "Nope", nullptr, "tt"},
         "ACC: transaction answered"},
        {"failed with a code nobody wants",
         "modparam(\"acc\", \"failed_filter\", \"404, 407\")",
         1 << 1 | 1 << 3,
         "INVITE",
         tm::Moment::reply_out,
         {407, "Nope", nullptr, "tt"},
         nullptr},
        {"a missed call",
         "",
         1 << 2,
         "INVITE",
         tm::Moment::failure,
         {486, "Busy", nullptr, "tt"},
         "ACC: call missed"},
        {"a missed call, answered here",
         "",
         1 << 2,
         "INVITE",
         tm::Moment::reply_out,
         {480, "Away", nullptr, "tt"},
         "ACC: call missed"},
        {"a BYE is no call to miss",
         "",
         1 << 2,
         "BYE",
         tm::Moment::reply_out,
         {480, "Away", nullptr, "tt"},
         nullptr},
        {"a CANCEL is not told",
         "",
         1 << 1,
         "CANCEL",
         tm::Moment::reply_out,
         {200, "OK", nullptr, "tt"},
         nullptr},
        {"a CANCEL is told",
         "modparam(\"acc\", \"report_cancels\", 1)",
         1 << 1,
         "CANCEL",
         tm::Moment::reply_out,
         {200, "OK", nullptr, "tt"},
         "ACC: transaction answered"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Bench bench{std::string{usual} + row.params};
        Messenger request{bench.host, sample_request(row.method)};
        request->flags = row.flags;
        bench.happen(row.what, *request, row.told);
        INFO(lines(bench.host, bench.host.log_lines()));
        CHECK(bench.host.log_lines().count("ACC: ") == (row.head ? 1u : 0u));
        if (row.head) {
            CHECK(bench.host.log_lines().has(row.head));
            CHECK(bench.host.log_lines().has(format(";to_tag=tt;")));
            CHECK(
                bench.host.log_lines().has(format(";code={};reason={};ua=", row.told.code, row.told.reason)));
        }
    }
}

TEST_CASE("a missed call is told once for each attempt", "[acc]")
{
    Bench bench;
    Messenger request{bench.host, sample_request()};
    request->flags = 1 << 1 | 1 << 2 | 1 << 3;
    bench.happen(tm::Moment::failure, *request, {486, "Busy here", nullptr, "tt"});
    CHECK((request->flags & 1 << 2) == 0);
    request->flags |= 1 << 2; // failure_route tries again
    Messenger nope{bench.host, sample_reply(404, "Nope"), Route::tm_reply};
    bench.happen(tm::Moment::failure, *request, {404, "Nope", &*nope, ""});
    CHECK(bench.host.log_lines().has(format(";to_tag={};", nope->message().to_tag())));
    bench.happen(tm::Moment::reply_out, *request, {404, "Nope", nullptr, "tt"});
    INFO(bench.host.log_lines().text());
    CHECK(bench.host.log_lines().count("ACC: call missed: ") == 2);
    CHECK(bench.host.log_lines().count("ACC: transaction answered: ") == 1);
}

TEST_CASE("early media, the ACK, and the reason in a header", "[acc]")
{
    Bench bench{std::string{usual} +
                "modparam(\"acc\", \"early_media\", 1)\nmodparam(\"acc\", \"report_ack\", 1)\n"
                "modparam(\"acc\", \"reason_from_hf\", 1)\n"};
    Messenger request{bench.host, sample_request()}, ack{bench.host, sample_request("ACK")};
    request->flags = ack->flags = 1 << 1;
    std::string text = sample_reply(183, "Progress");
    text.replace(text.find("Content-Length: 0\r\n\r\n"), std::string::npos,
                 "Reason: SIP;cause=1\r\nContent-Length: 5\r\n\r\nv=0\r\n");
    Messenger progress{bench.host, text, Route::tm_reply},
        ringing{bench.host, sample_reply(180, "Ringing"), Route::tm_reply};
    bench.happen(tm::Moment::reply_out, *request, {180, "Ringing", &*ringing, "tt"});
    CHECK(bench.host.log_lines().count("ACC: ") == 0);
    bench.happen(tm::Moment::reply_out, *request, {183, "Progress", &*progress, "tt"});
    CHECK(bench.host.log_lines().has(";code=183;reason=SIP;cause=1;"));
    bench.happen(tm::Moment::ack_in, *request, {200, "", &*ack, ""});
    INFO(bench.host.log_lines().text());
    CHECK(bench.host.log_lines().has("ACC: request acknowledged: timestamp="));
    CHECK(bench.host.log_lines().has(";method=ACK;"));
    CHECK(bench.host.log_lines().has(";code=200;reason=OK;"));
}

TEST_CASE("which transactions are watched", "[acc]")
{
    const struct {
        const char* story;
        const char* params;
        std::uint32_t flags;
        const char* method;
        tm::Moments expected;
    } rows[] = {
        {"none without a flag", "", 0, "INVITE", 0},
        {"a call that is accounted", "", 1 << 1, "INVITE", 8},
        {"a call that may be missed", "", 1 << 2, "INVITE", 8 | 16},
        {"the flags come later", "modparam(\"acc\", \"acc_prepare_flag\", 4)", 1 << 4, "INVITE", 8 | 16},
        {"the flags may always come later", "modparam(\"acc\", \"acc_prepare_always\", 1)", 0, "BYE", 8},
        {"the ACK too", "modparam(\"acc\", \"report_ack\", 1)", 1 << 1, "INVITE", 8 | 32},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Bench bench{std::string{usual} + row.params};
        Messenger request{bench.host, sample_request(row.method)};
        request->flags = row.flags;
        CHECK(bench.tm.begin_watching(*request) == row.expected);
    }
}

TEST_CASE("the script accounts by itself", "[acc]")
{
    Bench bench;
    CHECK(bench.fixture.run().code == 1); // acc_request without a database writes the line
    INFO(bench.host.log_lines().text());
    CHECK(bench.host.log_lines().count("ACC: request accounted: ") == 3);
    CHECK(bench.host.log_lines().has(";code=404;reason=Not here;"));
    CHECK(bench.host.log_lines().has(";code=;reason=just so;"));
    CHECK(bench.host.log_lines().count(";to_tag=fake-tag;") == 3); // as a reply of ours would have it
}

TEST_CASE("a forged line end stays in its line", "[acc]")
{
    Bench bench;
    Messenger request{bench.host, sample_request()};
    request->flags = 1 << 1;
    bench.happen(tm::Moment::reply_out, *request, {200, "OK\nACC: call missed: forged", nullptr, "tt"});
    CHECK_FALSE(bench.host.log_lines().has("OK\nACC"));
}

TEST_CASE("the times of a call", "[acc]")
{
    acc::Settings settings;
    CHECK(acc::cdr_times(settings, 1795280839120, 1795280842005, true) ==
          "start_time=1795280839.120; end_time=1795280842.005; duration=2.885");
    CHECK(acc::cdr_times(settings, 1795280839120, 1795280839120, false).ends_with("; duration=0"));
    settings.time_mode = 4;
    settings.cdr_start_id = "begun";
    CHECK(acc::cdr_times(settings, 1795280839120, 1795280842005, true)
              .starts_with("begun=2026-11-21 17:07:19; end_time="));
}

TEST_CASE("a call that is over has its record", "[acc]")
{
    using How = dialog::EndListener::How;
    dialog::Dialog call;
    call.begun = 1000;
    call.begun_ms = 900;
    call.started = 1005;
    call.started_ms = 50;
    call.ended = 1065;
    call.ended_ms = 250;
    const struct {
        const char* story;
        const char* params;
        How how;
        const char* line;
    } rows[] = {
        {"answered", "", How::ended,
         "start_time=1000.900; end_time=1065.250; duration=64.350; c1=alice; none="},
        {"counted from the answer", "modparam(\"acc\", \"cdr_start_on_confirmed\", 1)", How::ended,
         "start_time=1005.050; end_time=1065.250; duration=60.200"},
        {"not answered", "", How::failed, "start_time=1000.900; end_time=1000.900; duration=0; c1=alice"},
        {"not answered, and nobody asks", "modparam(\"acc\", \"cdr_on_failed\", 0)", How::failed, nullptr},
        {"timed out", "", How::expired, nullptr},
        {"timed out, and somebody asks", "modparam(\"acc\", \"cdr_expired_dlg_enable\", 1)", How::expired,
         "duration=64.350"},
        {"not in the log", "modparam(\"acc\", \"cdr_log_enable\", 0)", How::ended, nullptr},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        FakeDialogs dialogs;
        FakeHost host{{.workers = 1, .threshold = log::Level::notice}};
        FakeTm tm;
        host.offer<tm::Api>(tm);
        host.offer<dialog::Api>(dialogs);
        ScriptFixture fixture{host, {erase(pv::Pv::manifest()), erase(acc::Acc::manifest())}};
        const bool loaded = fixture.load(
            format("loadmodule \"pv.so\"\nloadmodule \"acc.so\"\nmodparam(\"acc\", \"cdr_enable\", 1)\n"
                   "modparam(\"acc\", \"cdr_extra\", \"c1=$avp(caller);none=$avp(none)\")\n{}\nrequest_route "
                   "{{ exit; }}\n",
                   row.params));
        INFO(fixture.errors());
        REQUIRE(loaded);
        REQUIRE(dialogs.listeners.size() == 1);
        Messenger bye{host, sample_request("BYE")};
        bye->with_avps([](AvpStore& store) { store.avps.push(AvpList::Name::parse("caller"), "alice"); });
        dialogs.listeners[0]->on_end(*bye, call, row.how);
        INFO(host.log_lines().text());
        CHECK(host.log_lines().count("duration=") == (row.line ? 1u : 0u));
        if (row.line)
            CHECK(host.log_lines().has(row.line));
    }
}
