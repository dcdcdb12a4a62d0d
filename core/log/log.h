// core/log/log.h - log lines with Kamailio's levels: workers append to a bounded ring, one thread writes
#pragma once

#include "core/base/format.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace sipyard::log {

// Kamailio's numbers: a line is written when its level is at most the threshold (`debug=`).
enum class Level : signed char {
    alert = -5,
    bug = -4,
    critical = -3,
    crit = -2,
    err = -1,
    warn = 0,
    notice = 1,
    info = 2,
    dbg = 3
};
std::string_view to_text(Level level); // ALERT BUG CRITICAL ERROR WARNING NOTICE INFO DEBUG

// Where lines go. write() runs on the log thread, or in the caller before start() and on a fatal exit.
class Sink {
public:
    virtual ~Sink() = default;
    virtual void write(Level level, std::string_view line) = 0; // without a line end
    virtual void reopen() {}                                    // HUP
};
std::unique_ptr<Sink> stderr_sink(bool colour);
std::unique_ptr<Sink> syslog_sink(std::string name, std::string facility); // "LOG_DAEMON", "LOG_LOCAL0"...
std::unique_ptr<Sink> file_sink(std::string path);                         // reopened by reopen()

// The number in front of each line of this thread: the worker's index. 0 for a thread that never set one.
void set_thread_index(int index);
int thread_index();

// One per server. Thread-safe. Appending never blocks: when the ring (8,192 lines) is full the line is
// dropped and counted, and a line in its place says how many are missing. start(), stop() and the destructor:
// one thread at a time.
class Journal {
public:
    explicit Journal(std::unique_ptr<Sink> sink, Level threshold = Level::warn);
    ~Journal(); // stops and flushes

    void start(); // from here on a thread writes
    void stop();  // flushes; afterwards lines are written by the caller again. A sink that takes no
                  // line for 3 seconds is left behind, and what comes later is dropped and counted
    void set_sink(std::unique_ptr<Sink> sink);  // while started, lines still in the ring go to the new one
    void reopen();                              // asks the sink to reopen its file
    void append(Level level, std::string line); // whole: with index, level and name

    bool enabled(Level level) const
    {
        return static_cast<int>(level) <= threshold_.load(std::memory_order_relaxed);
    }
    int threshold() const { return threshold_.load(std::memory_order_relaxed); }
    void set_threshold(int level) { threshold_.store(level, std::memory_order_relaxed); }
    std::uint64_t dropped() const;
    std::uint64_t written() const;

private:
    struct Ring;
    std::atomic<int> threshold_;
    std::unique_ptr<Ring> ring_;
};

// A named voice in the journal: "xcap_server". Cheap to copy; the journal must outlive it.
class Logger {
public:
    Logger() = default; // silent
    Logger(Journal& journal, std::string_view name) : journal_{&journal}, name_{name} {}

    bool enabled(Level level) const { return journal_ != nullptr && journal_->enabled(level); }

    template <class... Args>
    void alert(FormatText<std::type_identity_t<Args>...> text, const Args&... args) const
    {
        put(Level::alert, text, args...);
    }
    template <class... Args>
    void critical(FormatText<std::type_identity_t<Args>...> text, const Args&... args) const
    {
        put(Level::critical, text, args...);
    }
    template <class... Args>
    void error(FormatText<std::type_identity_t<Args>...> text, const Args&... args) const
    {
        put(Level::err, text, args...);
    }
    template <class... Args>
    void warn(FormatText<std::type_identity_t<Args>...> text, const Args&... args) const
    {
        put(Level::warn, text, args...);
    }
    template <class... Args>
    void notice(FormatText<std::type_identity_t<Args>...> text, const Args&... args) const
    {
        put(Level::notice, text, args...);
    }
    template <class... Args>
    void info(FormatText<std::type_identity_t<Args>...> text, const Args&... args) const
    {
        put(Level::info, text, args...);
    }
    template <class... Args>
    void debug(FormatText<std::type_identity_t<Args>...> text, const Args&... args) const
    {
        put(Level::dbg, text, args...);
    }

    // A line as it is, for script logs. `prefix` is the evaluated log_prefix. Line ends inside stay (a script
    // may log a whole message), one at the end goes. In the lines of the functions above they are shown as
    // \n: those carry what strangers sent, and nobody forges a line that way.
    void line(Level level, std::string_view prefix, std::string_view text) const;
    Journal* journal() const { return journal_; }

private:
    template <class... Args>
    void put(Level level, FormatText<std::type_identity_t<Args>...> text, const Args&... args) const
    {
        if (!enabled(level))
            return;
        const FormatArg list[sizeof...(Args) + 1] = {FormatArg::of(args)...};
        write(level, text.text(), {list, sizeof...(Args)});
    }
    void write(Level level, std::string_view text, std::span<const FormatArg> args) const;

    Journal* journal_ = nullptr;
    std::string_view name_ = "core"; // a literal, or a name that lives as long as the server
};

} // namespace sipyard::log
