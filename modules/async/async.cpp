// modules/async/async.cpp - the script goes on later: after a while, or on another worker
#include "modules/async/async.h"

#include "core/module/local_request.h"

#include <algorithm>

namespace sipyard::async {

namespace {

constexpr std::int64_t most_seconds = 100, most_milliseconds = 30'000; // exclusive, as Kamailio's rings

// The names in async_workers_group="name=g;workers=4;nonblock=0;usleep=0".
std::vector<std::string> groups_of(const CoreSettings& core)
{
    std::vector<std::string> names{"default"};
    for (const std::string& text : core.async_workers_group)
        for (const auto part : split(text, ';')) {
            std::string_view rest = part;
            if (trim(cut(rest, '=')) == "name")
                names.emplace_back(trim(rest));
        }
    return names;
}

} // namespace

Async::Async(const Settings& settings, Host& host)
    : settings_{settings}, host_{host}, log_{host.logger("async")}, tm_{host.service<tm::Api>()},
      groups_{groups_of(host.core())}, task_{host.slot<Task>()}, pending_{host.runtime()}
{
    if (settings.workers != Settings{}.workers)
        log_.warn("modparam workers has no effect: waiting takes no worker here");
}

Async::~Async()
{
    host_.runtime().on_every_worker([this](task::Worker&) {
        pending_.with([](std::list<Pending>& list) { list.clear(); }); // timers end on their own worker
    });
}

// --- waiting -------------------------------------------------------------------------------------

std::optional<Duration> Async::seconds(std::int64_t count) const
{
    if (count > 0 && count < most_seconds)
        return std::chrono::seconds{count};
    log_.error("cannot wait {} seconds: expected 1 to {}", count, most_seconds - 1);
    return std::nullopt;
}

std::optional<Duration> Async::milliseconds(std::int64_t count) const
{
    if (settings_.ms_timer <= 0) {
        log_.error("milliseconds need modparam ms_timer");
        return std::nullopt;
    }
    if (count > 0 && count < most_milliseconds)
        return std::chrono::milliseconds{count};
    log_.error("cannot wait {} milliseconds: expected 1 to {}", count, most_milliseconds - 1);
    return std::nullopt;
}

// The transaction is there afterwards, so retransmissions wait with us. Nothing: go on; else how the function
// ends.
std::optional<Verdict> Async::hold(Request& request)
{
    if (tm_.of(request))
        return std::nullopt;
    const auto begun = tm_.begin(request);
    if (!begun) {
        log_.error("no transaction: {}", begun.error().text);
        return Verdict::no();
    }
    if (*begun == tm::Begun::absorbed)
        return Verdict::stop();
    return std::nullopt;
}

// A fiber may simply wait: the script goes on behind the call with all it had.
Verdict Async::sleep_for(Request& request, std::optional<Duration> time)
{
    if (!time)
        return Verdict::no();
    if (const auto ended = hold(request))
        return *ended;
    task::sleep_until(host_.clock().now() + *time);
    return Verdict::yes();
}

Verdict Async::async_sleep(Request& request, std::int64_t count)
{
    return sleep_for(request, seconds(count));
}
Verdict Async::async_ms_sleep(Request& request, std::int64_t count)
{
    return sleep_for(request, milliseconds(count));
}

// --- going on in a route -------------------------------------------------------------------------

Verdict Async::continue_in(Request& request, std::string_view route, std::optional<Duration> later)
{
    if (!later)
        return Verdict::no();
    if (route.empty()) {
        log_.error("expected the name of a route");
        return Verdict::no();
    }
    if (const auto ended = hold(request))
        return *ended;
    const auto suspended = tm_.suspend(request);
    if (!suspended) {
        log_.error("the transaction cannot be suspended: {}", suspended.error().text);
        return Verdict::no();
    }
    if (*later == Duration{0})
        start([this, id = *suspended, name = std::string{route}] { resume(id, name); });
    else
        resume_later(*suspended, std::string{route}, *later);
    return {settings_.code};
}

void Async::resume(tm::TransactionId id, const std::string& route)
{
    if (const auto resumed = tm_.resume(id, route); !resumed)
        log_.warn("route[{}] does not run: {}", route,
                  resumed.error().text); // cancelled or timed out meanwhile
}

// Continuations of accepted work are never refused.
void Async::start(task::Job job)
{
    task::Worker* const worker = task::Worker::current();
    if (worker)
        worker->spawn_always(std::move(job));
    else
        job();
}

// A timer costs less than a waiting fiber. It lives with its worker.
void Async::resume_later(tm::TransactionId id, std::string route, Duration later)
{
    task::Worker* const worker = task::Worker::current();
    if (!worker) { // only tests have no worker
        resume(id, route);
        return;
    }
    pending_.with([&](std::list<Pending>& list) {
        list.emplace_back();
        const auto self = std::prev(list.end());
        self->id = id;
        self->route = std::move(route);
        self->timer.emplace(*worker, [this, self, worker] {
            worker->spawn_always([this, at = self->id, name = std::move(self->route)] { resume(at, name); });
            pending_.with([self](std::list<Pending>& mine) { mine.erase(self); });
        });
        self->timer->arm(host_.clock().now() + later);
    });
}

Verdict Async::async_route(Request& request, std::string_view route, std::int64_t count)
{
    return continue_in(request, route, seconds(count));
}
Verdict Async::async_ms_route(Request& request, std::string_view route, std::int64_t count)
{
    return continue_in(request, route, milliseconds(count));
}
Verdict Async::async_task_route(Request& request, std::string_view route)
{
    return continue_in(request, route, Duration{0});
}
Verdict Async::async_task_group_route(Request& request, std::string_view route, std::string_view group)
{
    return is_group(group) ? continue_in(request, route, Duration{0}) : Verdict::no();
}

// --- tasks without the request -------------------------------------------------------------------

bool Async::is_group(std::string_view group) const
{
    if (std::find(groups_.begin(), groups_.end(), group) != groups_.end())
        return true;
    log_.error("there is no group '{}' of asynchronous workers (async_workers_group)", group);
    return false;
}

Verdict Async::run_task(std::string_view route, std::string_view group, std::string_view data)
{
    if (route.empty()) {
        log_.error("expected the name of a route");
        return Verdict::no();
    }
    const auto job = [this, name = std::string{route}, of = std::string{group}, text = std::string{data}] {
        LocalRequest request{host_, Route::request};
        request->at(task_) = {text, of};
        if (const auto ran = host_.run_route(Route::request, name, *request); !ran)
            log_.error("route[{}]: {}", name, ran.error().text);
    };
    // Each task on the next worker, so that a script that starts many uses them all.
    task::Runtime& runtime = host_.runtime();
    if (!runtime.started()) {
        job();
        return Verdict::yes();
    }
    const auto started =
        runtime.worker(next_.fetch_add(1, std::memory_order_relaxed) % runtime.workers()).spawn(job);
    if (!started)
        log_.error("route[{}] is not run: {}", route, started.error().text);
    return Verdict::of(started.has_value());
}

Verdict Async::async_task_data(Request&, std::string_view route, std::string_view data)
{
    return run_task(route, "default", data);
}
Verdict Async::async_task_group_data(Request&, std::string_view route, std::string_view group,
                                     std::string_view data)
{
    return is_group(group) ? run_task(route, group, data) : Verdict::no();
}

Value Async::of_task(Request& request, std::string_view part) const
{
    const Task* const task = request.find(task_);
    if (!task)
        return {};
    return part == "data" ? Value{std::string_view{task->data}} : Value{std::string_view{task->group}};
}

std::optional<VariableSpec::Refusal> Async::check_part(std::string_view part) const
{
    if (part == "data" || part == "gname")
        return std::nullopt;
    return VariableSpec::Refusal{format("$async({}): expected data or gname", part), "data"};
}

Manifest<Async> Async::manifest()
{
    using M = Async;
    return {
        .name = "async",
        .about = "The script goes on later: after a while, or as a task of its own",
        .needs = {need<tm::Api>()},
        .params = {param("workers", &Settings::workers, "Warned about: fibers do the work"),
                   param("ms_timer", &Settings::ms_timer,
                         "Above 0: async_ms_sleep and async_ms_route work, to the millisecond"),
                   param("return", &Settings::code, "Return code of functions that suspend the transaction")},
        .functions = {function("async_route", &M::async_route, "Runs the route after some seconds",
                               Route::request),
                      function("async_ms_route", &M::async_ms_route, "Runs the route after some milliseconds",
                               Route::request),
                      function("async_sleep", &M::async_sleep, "Waits some seconds, then goes on",
                               Route::request),
                      function("async_ms_sleep", &M::async_ms_sleep, "Waits some milliseconds, then goes on",
                               Route::request),
                      function("async_task_route", &M::async_task_route, "Runs the route as soon as possible",
                               Route::request | Route::failure),
                      function("async_task_group_route", &M::async_task_group_route,
                               "The same with a group of workers", Route::request | Route::failure),
                      function("async_task_data", &M::async_task_data,
                               "Runs the route beside this request, with data"),
                      function("async_task_group_data", &M::async_task_group_data,
                               "The same with a group of workers")},
        .variables = {checked(
            variable("async", &M::of_task, "What a task was given: data, or gname, its group"),
            &M::check_part)},
    };
}

} // namespace sipyard::async

SIPYARD_MODULE(sipyard::async::Async)
