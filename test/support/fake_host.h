// test/support/fake_host.h - a Host without a server: in-memory everything, for unit tests of modules and of
// the script
#pragma once

#include "core/module/host.h"
#include "test/support/movable_clock.h"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sipyard::test {

// The log lines of a test, kept. Shared by the journal's sink and the test.
class LogLines {
public:
    struct Line {
        log::Level level;
        std::string text;
    };
    void add(log::Level level, std::string_view text);
    std::vector<Line> all() const;
    bool has(std::string_view part) const; // in any line
    std::size_t count(std::string_view part) const;
    std::string text() const; // all lines, for INFO()
    void clear();

private:
    mutable std::mutex mutex_;
    std::vector<Line> lines_;
};

// Keeps the replies given to requests instead of sending them.
class RecordingResponder final : public Responder {
public:
    struct Given {
        int code = 0;
        std::string reason, headers, content_type, body;
    };
    Result<void> reply(Request& request, const Reply& reply) override; // Error after a final reply
    std::vector<Given> replies;
    void clear() { replies.clear(); }
    int last_code() const { return replies.empty() ? 0 : replies.back().code; } // 0: none yet
};

// One per test. Off a fiber everything runs in the calling thread; start_workers() gives real fibers.
class FakeHost : public Host {
public:
    struct Options {
        std::size_t workers = 1;
        log::Level threshold = log::Level::info;
        bool system_clock = false; // else a MovableClock
    };
    FakeHost() : FakeHost(Options{}) {}
    explicit FakeHost(Options options);
    ~FakeHost() override;

    // --- what a test sets up and looks at --------------------------------------------------------
    CoreSettings settings;        // may be changed until something reads it
    RecordingResponder responder; // the stateless one
    MovableClock& movable_clock() { return movable_clock_; }
    void advance(Duration d); // moves the clock; with workers, deadline by deadline, waiting for quiet
    void start_workers();     // runtime().start(), once
    void on_fiber(std::function<void()> f); // on a fiber of some worker; starts the workers
    LogLines& log_lines() { return *log_lines_; }

    // A service as another module would offer it.
    template <class Api>
    void offer(Api& api)
    {
        services_[std::string{Api::name}] = static_cast<Api*>(&api);
    }

    // Announcements are kept, and told to listeners by deliver(), in order.
    template <class Event>
    void listen(std::function<void(const Event&)> listener)
    {
        listeners_.push_back(
            {std::type_index{typeid(Event)},
             [listener = std::move(listener)](const void* e) { listener(*static_cast<const Event*>(e)); }});
    }
    template <class Event>
    std::vector<std::shared_ptr<const Event>> announced() const
    {
        std::vector<std::shared_ptr<const Event>> found;
        const std::lock_guard<std::mutex> lock{mutex_};
        for (const auto& a : announced_)
            if (a.type == std::type_index{typeid(Event)})
                found.push_back(std::static_pointer_cast<const Event>(a.event));
        return found;
    }
    std::size_t deliver(); // how many events there were

    // Routes of an imagined script.
    using RouteBody = std::function<Verdict(Request&)>;
    void on_event_route(std::string name, RouteBody body)
    {
        event_routes_[std::move(name)] = std::move(body);
    }
    void on_route(Route kind, std::string name, RouteBody body)
    {
        routes_[{kind, std::move(name)}] = std::move(body);
    }

    // A real script answers the script questions instead (see test/support/run_script.h).
    struct Script {
        virtual ~Script() = default;
        virtual bool has_event_route(std::string_view name) const = 0;
        virtual Verdict run_event_route(std::string_view name, Request& request) = 0;
        virtual Result<Verdict> run_route(Route kind, std::string_view name, Request& request) = 0;
        virtual Result<std::shared_ptr<const Format>> compile_format(std::string_view text) = 0;
        virtual Result<std::shared_ptr<const VariableRef>> compile_variable(std::string_view text) = 0;
    };
    void set_script(Script* script) { script_ = script; }

    void set_database(std::string url, db::Database& database)
    {
        databases_[std::move(url)] = &database;
    }                                                          // "": any
    void add_myself(std::string host, std::uint16_t port = 0); // port 0: any
    void set_checking(bool checking) { checking_ = checking; }
    std::int64_t counted(std::string_view group,
                         std::string_view name) const; // 0 when there is no such counter

    using CommandBody = std::function<Result<json::Value>(const json::Value&)>;
    void add_command(Command command, CommandBody body)
    {
        commands_.push_back({std::move(command), std::move(body)});
    }

    // --- Host ------------------------------------------------------------------------------------
    task::Runtime& runtime() override;
    net::Network& network() override; // without listeners until a test adds some
    net::Resolver& resolver() override;
    net::Locator& locator() override; // resolver and locator as `settings` say at their first use
    const Clock& clock() override;
    log::Journal& journal() override { return *journal_; }
    const CoreSettings& core() const override { return settings; }
    Result<db::Database*> database(const db::Url& url) override;
    bool checking() const override { return checking_; }
    Counter& counter(std::string_view group, std::string_view name, std::string_view about) override;
    std::vector<const Counter*> counters() const override;
    bool is_myself(std::string_view host, std::uint16_t port,
                   std::optional<net::Protocol> protocol) const override;
    void add_myself_hook(std::function<bool(std::string_view, std::uint16_t)> hook) override;
    bool has_event_route(std::string_view name) const override;
    Verdict run_event_route(std::string_view name, Request& request) override;
    Result<Verdict> run_route(Route kind, std::string_view name, Request& request) override;
    Result<std::shared_ptr<const Format>>
    compile_format(std::string_view text) override; // without a script: plain text
    Result<std::shared_ptr<const VariableRef>> compile_variable(std::string_view text) override;
    std::vector<Command> commands() const override;
    Result<json::Value> run_command(std::string_view name, const json::Value& params) override;

protected:
    void* find_service(std::string_view api) override;
    void announce_any(std::type_index type, std::shared_ptr<const void> event, std::string_view key) override;
    std::uint16_t next_slot() override { return slots_++; }
    Responder& default_responder() override { return responder; }

private:
    struct Announced {
        std::type_index type;
        std::shared_ptr<const void> event;
    };
    struct Listening {
        std::type_index type;
        std::function<void(const void*)> run;
    };
    struct Registered {
        Command command;
        CommandBody body;
    };

    const Options options_;
    MovableClock movable_clock_;
    SystemClock system_clock_;
    std::shared_ptr<LogLines> log_lines_; // shared with the journal's sink
    std::unique_ptr<log::Journal> journal_;
    std::unique_ptr<task::Runtime> runtime_; // these four at first use
    std::unique_ptr<net::Network> network_;
    std::unique_ptr<net::Resolver> resolver_;
    std::unique_ptr<net::Locator> locator_;
    std::map<std::string, void*, std::less<>> services_;
    std::vector<Listening> listeners_;
    std::map<std::string, RouteBody, std::less<>> event_routes_;
    std::map<std::pair<Route, std::string>, RouteBody> routes_;
    std::map<std::string, db::Database*> databases_;
    std::vector<std::pair<std::string, std::uint16_t>> myself_;
    std::vector<std::function<bool(std::string_view, std::uint16_t)>> myself_hooks_;
    std::vector<Registered> commands_;
    Script* script_ = nullptr;
    bool checking_ = false;
    std::atomic<std::uint16_t> slots_{0};
    mutable std::mutex mutex_; // of what follows
    std::vector<Announced> announced_;
    std::vector<std::unique_ptr<Counter>> counters_;
};

} // namespace sipyard::test
