// modules/async/async.h - the script goes on later
#pragma once

#include "core/module/module.h"
#include "core/task/fiber.h"
#include "modules/tm/api.h"

#include <atomic>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::async {

class Async {
public:
    struct Settings {
        int workers = 1, ms_timer = 0, code = 0;
    };
    static Manifest<Async> manifest();

    Async(const Settings& settings, Host& host);
    ~Async();

private:
    struct Task { // of async_task_data, in the request of its route
        std::string_view data, group;
    };
    struct Pending { // a suspended transaction that waits for its time
        tm::TransactionId id;
        std::string route;
        std::optional<task::Timer> timer;
    };

    Verdict async_sleep(Request& request, std::int64_t seconds);
    Verdict async_ms_sleep(Request& request, std::int64_t milliseconds);
    Verdict async_route(Request& request, std::string_view route, std::int64_t seconds);
    Verdict async_ms_route(Request& request, std::string_view route, std::int64_t milliseconds);
    Verdict async_task_route(Request& request, std::string_view route);
    Verdict async_task_group_route(Request& request, std::string_view route, std::string_view group);
    Verdict async_task_data(Request& request, std::string_view route, std::string_view data);
    Verdict async_task_group_data(Request& request, std::string_view route, std::string_view group,
                                  std::string_view data);
    Value of_task(Request& request, std::string_view part) const;
    std::optional<VariableSpec::Refusal> check_part(std::string_view part) const;

    std::optional<Duration> seconds(std::int64_t count) const; // nothing: out of range, told in the log
    std::optional<Duration> milliseconds(std::int64_t count) const;
    std::optional<Verdict> hold(Request& request);
    Verdict sleep_for(Request& request, std::optional<Duration> time);
    Verdict continue_in(Request& request, std::string_view route, std::optional<Duration> later);
    Verdict run_task(std::string_view route, std::string_view group, std::string_view data);
    bool is_group(std::string_view group) const;
    void start(task::Job job);
    void resume_later(tm::TransactionId id, std::string route, Duration later);
    void resume(tm::TransactionId id, const std::string& route);

    const Settings settings_;
    Host& host_;
    const log::Logger log_;
    tm::Api& tm_;
    const std::vector<std::string> groups_;
    const Slot<Task> task_;
    task::PerWorker<std::list<Pending>> pending_;
    std::atomic<std::uint32_t> next_{0};
};

} // namespace sipyard::async
