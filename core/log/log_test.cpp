// core/log/log_test.cpp - line format, thresholds, the ring when its sink is stuck
#include "core/log/json.h"
#include "core/log/log.h"

#include "test/support/catch.h"

#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace sipyard;
using namespace sipyard::log;

namespace {

// Keeps lines; can be shut, so that write() waits.
struct Tray {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::string> lines;
    int reopened = 0;
    int inside = 0;
    bool shut = false;
    std::thread::id writer;

    void set_shut(bool value)
    {
        const std::lock_guard lock{mutex};
        shut = value;
        changed.notify_all();
    }
    void wait_for_writer()
    {
        std::unique_lock lock{mutex};
        changed.wait(lock, [&] { return inside > 0; });
    }
    std::vector<std::string> seen()
    {
        const std::lock_guard lock{mutex};
        return lines;
    }
};

class TraySink final : public Sink {
public:
    explicit TraySink(Tray& tray) : tray_{tray} {}
    void write(Level, std::string_view line) override
    {
        std::unique_lock lock{tray_.mutex};
        ++tray_.inside;
        tray_.changed.notify_all();
        tray_.changed.wait(lock, [&] { return !tray_.shut; });
        --tray_.inside;
        tray_.writer = std::this_thread::get_id();
        tray_.lines.emplace_back(line);
    }
    void reopen() override
    {
        const std::lock_guard lock{tray_.mutex};
        ++tray_.reopened;
    }

private:
    Tray& tray_;
};

std::string line(std::string_view index, std::string_view rest)
{
    return format("{}({}) {}", index, getpid(), rest);
}

} // namespace

TEST_CASE("a line has index, process, level, name and text", "[log]")
{
    Tray tray;
    Journal journal{std::make_unique<TraySink>(tray), Level::dbg};
    const Logger voice{journal, "xcap_server"};
    const Logger script{journal, "script"};

    voice.info("stored {} of {}", 2, "bob");
    voice.error("no room");
    set_thread_index(12);
    voice.alert("fire");
    set_thread_index(0);
    voice.warn("from a stranger: {}", "a\r\n 0(1) INFO: forged \x1b[31m\x7f\t.");
    script.line(Level::err, "{1 INVITE} ", "two\nlines\n");
    script.line(static_cast<Level>(9), "", "any number");
    script.line(static_cast<Level>(-9), "", "");
    Logger{}.error("silent");

    const std::vector<std::string> expected = {
        line(" 0", "INFO: <xcap_server>: stored 2 of bob"),
        line(" 0", "ERROR: <xcap_server>: no room"),
        line("12", "ALERT: <xcap_server>: fire"),
        line(" 0", "WARNING: <xcap_server>: from a stranger: a\\r\\n 0(1) INFO: forged \\x1b[31m\\x7f\t."),
        line(" 0", "ERROR: {1 INVITE} <script>: two\nlines"),
        line(" 0", "ALERT: <script>: "),
    };
    CHECK(tray.seen() == expected);
    CHECK(journal.written() == expected.size());
}

TEST_CASE("the threshold is Kamailio's and moves at run time", "[log]")
{
    const struct {
        int threshold;
        std::size_t lines;
    } rows[] = {{-6, 0}, {-5, 1}, {-1, 3}, {0, 4}, {1, 5}, {2, 6}, {3, 7}};
    for (const auto& row : rows) {
        INFO("debug=" << row.threshold);
        Tray tray;
        Journal journal{std::make_unique<TraySink>(tray)};
        const Logger voice{journal, "core"};
        journal.set_threshold(row.threshold);
        voice.alert("");
        voice.critical("");
        voice.error("");
        voice.warn("");
        voice.notice("");
        voice.info("");
        voice.debug("");
        CHECK(tray.seen().size() == row.lines);
    }
}

TEST_CASE("a thread writes between start and stop, the caller otherwise", "[log]")
{
    Tray tray;
    Journal journal{std::make_unique<TraySink>(tray)};
    const Logger voice{journal, "core"};
    voice.warn("before");
    CHECK(tray.writer == std::this_thread::get_id());
    for (int round = 0; round < 2; ++round) {
        journal.start();
        journal.start();
        voice.warn("while");
        journal.reopen();
        journal.stop();
        journal.stop();
        CHECK(tray.writer != std::this_thread::get_id());
        CHECK(tray.reopened == round + 1);
        voice.warn("after");
        CHECK(tray.writer == std::this_thread::get_id());
    }
    CHECK(tray.lines.size() == 5);
    journal.reopen();
    CHECK(tray.reopened == 3);
}

TEST_CASE("lines of many threads arrive whole and in their order", "[log]")
{
    Tray tray;
    {
        Journal journal{std::make_unique<TraySink>(tray)};
        const Logger voice{journal, "core"};
        journal.start();
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&, t] {
                set_thread_index(t);
                for (int i = 0; i < 500; ++i)
                    voice.warn("{}", i);
            });
        for (auto& thread : threads)
            thread.join();
    }
    REQUIRE(tray.lines.size() == 2000);
    int next[4] = {};
    for (const auto& text : tray.lines) {
        const int t = text[1] - '0';
        REQUIRE(text == line(" " + std::to_string(t), "WARNING: <core>: " + std::to_string(next[t])));
        ++next[t];
    }
}

TEST_CASE("a stuck sink blocks nobody; lost lines are counted and told", "[log]")
{
    Tray tray;
    Journal journal{std::make_unique<TraySink>(tray)};
    const Logger voice{journal, "core"};
    journal.start();
    tray.set_shut(true);
    voice.warn("the one that sticks");
    tray.wait_for_writer();
    for (int i = 0; i < 8192 + 100; ++i)
        voice.warn("{}", i);
    CHECK(journal.dropped() == 100);
    tray.set_shut(false);
    journal.stop();
    REQUIRE(tray.lines.size() == 1 + 8192 + 1);
    CHECK(tray.lines[8192] == line(" 0", "WARNING: <core>: 8191"));
    CHECK(tray.lines[8193] == line(" 0", "WARNING: <log>: 100 lines lost"));
    CHECK(journal.written() == 8193);
}

TEST_CASE("the place of lost lines is marked before what follows", "[log]")
{
    Tray tray;
    Journal journal{std::make_unique<TraySink>(tray)};
    const Logger voice{journal, "core"};
    journal.start();
    tray.set_shut(true);
    voice.warn("the one that sticks");
    tray.wait_for_writer();
    for (int i = 0; i < 8192 + 3; ++i)
        voice.warn("{}", i);
    tray.set_shut(false);
    while (journal.written() < 8193)
        std::this_thread::yield();
    voice.warn("later");
    journal.stop();
    CHECK(tray.lines.back() == line(" 0", "WARNING: <core>: later"));
    CHECK(tray.lines[tray.lines.size() - 2] == line(" 0", "WARNING: <log>: 3 lines lost"));
}

TEST_CASE("a new sink takes over", "[log]")
{
    Tray first, second;
    Journal journal{std::make_unique<TraySink>(first)};
    const Logger voice{journal, "core"};
    voice.warn("1");
    journal.set_sink(std::make_unique<TraySink>(second));
    voice.warn("2");
    journal.start();
    Tray third;
    journal.set_sink(std::make_unique<TraySink>(third));
    voice.warn("3");
    journal.stop();
    CHECK(first.lines.size() == 1);
    CHECK(second.lines.size() == 1);
    CHECK(third.lines.size() == 1);
    journal.set_sink(std::make_unique<TraySink>(first)); // third ends before the journal
}

TEST_CASE("a file is appended to, and followed when it was moved away", "[log]")
{
    char folder[] = "/tmp/sipyard-log-XXXXXX";
    REQUIRE(mkdtemp(folder) != nullptr);
    const std::string path = std::string{folder} + "/server.log", old = path + ".1";
    const auto content = [](const std::string& name) {
        std::ifstream in{name};
        return std::string{std::istreambuf_iterator<char>{in}, {}};
    };
    {
        const auto sink = file_sink(path);
        sink->write(Level::info, "one");
        CHECK(content(path) == "one\n");
        REQUIRE(std::rename(path.c_str(), old.c_str()) == 0);
        sink->write(Level::info, "two");
        sink->reopen();
        sink->write(Level::info, "three");
        CHECK(content(old) == "one\ntwo\n");
        CHECK(content(path) == "three\n");
    }
    std::remove(path.c_str());
    std::remove(old.c_str());
    rmdir(folder);
}

TEST_CASE("lines as JSON objects", "[log]")
{
    const struct {
        const char* story;
        const char* line;
        const char* expected;
    } rows[] = {
        {"a line of the server", " 0(4711) INFO: <core>: plain 7",
         R"({"idx":0,"pid":4711,"level":"INFO","module":"core","logprefix":"","message":"plain 7"})"},
        {"a prefix, with a bracket of its own", "12(5) ERROR: [<sip:a@b>] <script>: say \"no\" \\ <x>: y",
         R"({"idx":12,"pid":5,"level":"ERROR","module":"script","logprefix":"[<sip:a@b>] ","message":"say \"no\" \\ <x>: y"})"},
        {"line ends and controls", " 1(2) DEBUG: <script>: a\r\nb\tc\x01",
         R"({"idx":1,"pid":2,"level":"DEBUG","module":"script","logprefix":"","message":"a\r\nb\tc\u0001"})"},
        {"UTF-8, half of a letter, an overlong one", " 1(2) WARNING: <core>: \xc3\xa4 \xc3, \xc0\x80",
         "{\"idx\":1,\"pid\":2,\"level\":\"WARNING\",\"module\":\"core\",\"logprefix\":\"\",\"message\":"
         "\"\xc3\xa4 \\u00c3, \\u00c0\\u0080\"}"},
        {"no line of ours", "something else", R"({"message":"something else"})"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        CHECK(json_of(row.line) == row.expected);
    }
    Tray tray;
    Journal journal{json_sink(std::make_unique<TraySink>(tray)), Level::info};
    Logger{journal, "core"}.info("to {}", "bob");
    CHECK(tray.seen() ==
          std::vector<std::string>{"{\"idx\":" + std::to_string(thread_index()) +
                                   ",\"pid\":" + std::to_string(::getpid()) +
                                   R"(,"level":"INFO","module":"core","logprefix":"","message":"to bob"})"});
}
