// test/support/fake_host.cpp - the Host of unit tests
#include "test/support/fake_host.h"

#include "core/base/text.h"
#include "core/json/value.h"
#include "core/module/locator_settings.h"

namespace sipyard::test {

// --- log -----------------------------------------------------------------------------------------

void LogLines::add(log::Level level, std::string_view text)
{
    const std::lock_guard<std::mutex> lock{mutex_};
    lines_.push_back({level, std::string{text}});
}

std::vector<LogLines::Line> LogLines::all() const
{
    const std::lock_guard<std::mutex> lock{mutex_};
    return lines_;
}

std::size_t LogLines::count(std::string_view part) const
{
    const std::lock_guard<std::mutex> lock{mutex_};
    std::size_t found = 0;
    for (const Line& line : lines_)
        found += line.text.find(part) != std::string::npos;
    return found;
}

bool LogLines::has(std::string_view part) const { return count(part) > 0; }

std::string LogLines::text() const
{
    std::string all_lines;
    for (const Line& line : all()) {
        all_lines += line.text;
        all_lines += '\n';
    }
    return all_lines;
}

void LogLines::clear()
{
    const std::lock_guard<std::mutex> lock{mutex_};
    lines_.clear();
}

namespace {
class KeepingSink final : public log::Sink {
public:
    explicit KeepingSink(std::shared_ptr<LogLines> lines) : lines_{std::move(lines)} {}
    void write(log::Level level, std::string_view line) override { lines_->add(level, line); }

private:
    std::shared_ptr<LogLines> lines_; // shared with the FakeHost
};
} // namespace

// --- replies -------------------------------------------------------------------------------------

Result<void> RecordingResponder::reply(Request& request, const Reply& reply)
{
    if (request.answered)
        return Error{ErrorKind::other, "a final reply has been given"};
    replies.push_back({reply.code, std::string{reply.reason}, std::string{reply.headers},
                       std::string{reply.content_type}, std::string{reply.body}});
    request.answered = reply.code >= 200;
    return {};
}

// --- host ----------------------------------------------------------------------------------------

FakeHost::FakeHost(Options options)
    : options_{options}, log_lines_{std::make_shared<LogLines>()},
      journal_{std::make_unique<log::Journal>(std::make_unique<KeepingSink>(log_lines_), options.threshold)}
{
}

FakeHost::~FakeHost()
{
    if (network_)
        network_->stop();
    if (runtime_ && runtime_->started())
        runtime_->stop(1s);
    locator_.reset();
    resolver_.reset();
    network_.reset();
}

task::Runtime& FakeHost::runtime()
{
    if (!runtime_) {
        task::Runtime::Settings wanted;
        wanted.workers = options_.workers;
        wanted.pool_threads = 2;
        runtime_ = std::make_unique<task::Runtime>(wanted, clock(), *journal_);
    }
    return *runtime_;
}

net::Network& FakeHost::network()
{
    if (!network_)
        network_ = std::make_unique<net::Network>(net::Settings{}, runtime(), *journal_);
    return *network_;
}

net::Resolver& FakeHost::resolver()
{
    if (!resolver_) {
        net::Resolver::Settings wanted;
        wanted.servers = settings.dns_servers;
        resolver_ = std::make_unique<net::Resolver>(wanted, runtime());
    }
    return *resolver_;
}

net::Locator& FakeHost::locator()
{
    if (!locator_)
        locator_ = std::make_unique<net::Locator>(locator_settings(settings), resolver(), network(), clock());
    return *locator_;
}

const Clock& FakeHost::clock()
{
    return options_.system_clock ? static_cast<const Clock&>(system_clock_) : movable_clock_;
}

void FakeHost::start_workers()
{
    if (!runtime().started())
        runtime().start();
}

void FakeHost::on_fiber(std::function<void()> f)
{
    start_workers();
    runtime().run_on_fiber(std::move(f));
}

void FakeHost::advance(Duration d)
{
    if (runtime_ && runtime_->started())
        movable_clock_.advance(*runtime_, d);
    else
        movable_clock_.jump(d);
}

std::size_t FakeHost::deliver()
{
    std::vector<Announced> events;
    {
        const std::lock_guard<std::mutex> lock{mutex_};
        events.swap(announced_);
    }
    for (const Announced& a : events)
        for (const Listening& l : listeners_)
            if (l.type == a.type)
                l.run(a.event.get());
    return events.size();
}

Result<db::Database*> FakeHost::database(const db::Url& url)
{
    auto found = databases_.find(url.text);
    if (found == databases_.end())
        found = databases_.find("");
    if (found == databases_.end())
        return Error{ErrorKind::not_found, "no database driver is loaded for " + url.text};
    return found->second;
}

Counter& FakeHost::counter(std::string_view group, std::string_view name, std::string_view about)
{
    const std::lock_guard<std::mutex> lock{mutex_};
    for (const auto& c : counters_)
        if (c->group() == group && c->name() == name)
            return *c;
    counters_.push_back(std::make_unique<Counter>(std::string{group}, std::string{name}, std::string{about}));
    return *counters_.back();
}

std::vector<const Counter*> FakeHost::counters() const
{
    const std::lock_guard<std::mutex> lock{mutex_};
    std::vector<const Counter*> all;
    for (const auto& c : counters_)
        all.push_back(c.get());
    return all;
}

std::int64_t FakeHost::counted(std::string_view group, std::string_view name) const
{
    for (const Counter* c : counters())
        if (c->group() == group && c->name() == name)
            return c->value();
    return 0;
}

void FakeHost::add_myself(std::string host, std::uint16_t port)
{
    myself_.emplace_back(std::move(host), port);
}

bool FakeHost::is_myself(std::string_view host, std::uint16_t port,
                         std::optional<net::Protocol> protocol) const
{
    const std::uint16_t asked = port ? port : net::default_port(protocol.value_or(net::Protocol::udp));
    for (const auto& [name, own_port] : myself_)
        if (iequals(name, host) && (own_port == 0 || own_port == asked))
            return true;
    for (const auto& hook : myself_hooks_)
        if (hook(host, asked))
            return true;
    return false;
}

void FakeHost::add_myself_hook(std::function<bool(std::string_view, std::uint16_t)> hook)
{
    myself_hooks_.push_back(std::move(hook));
}

// --- scripts -------------------------------------------------------------------------------------

bool FakeHost::has_event_route(std::string_view name) const
{
    return event_routes_.find(name) != event_routes_.end() || (script_ && script_->has_event_route(name));
}

Verdict FakeHost::run_event_route(std::string_view name, Request& request)
{
    if (const auto found = event_routes_.find(name); found != event_routes_.end())
        return found->second(request);
    return script_ ? script_->run_event_route(name, request) : Verdict::yes();
}

Result<Verdict> FakeHost::run_route(Route kind, std::string_view name, Request& request)
{
    if (const auto found = routes_.find({kind, std::string{name}}); found != routes_.end())
        return found->second(request);
    if (script_)
        return script_->run_route(kind, name, request);
    return Error{ErrorKind::not_found, "no such route: " + std::string{name}};
}

namespace {
class PlainFormat final : public Host::Format {
public:
    explicit PlainFormat(std::string_view text) : text_{text} {}
    std::string_view expand(Request&) const override { return text_; }

private:
    const std::string text_;
};
} // namespace

Result<std::shared_ptr<const Host::Format>> FakeHost::compile_format(std::string_view text)
{
    if (script_)
        return script_->compile_format(text);
    if (text.find('$') != std::string_view::npos)
        return Error{ErrorKind::not_found, "no variables without a script: " + std::string{text}};
    return std::shared_ptr<const Format>{std::make_shared<PlainFormat>(text)};
}

Result<std::shared_ptr<const VariableRef>> FakeHost::compile_variable(std::string_view text)
{
    if (script_)
        return script_->compile_variable(text);
    return Error{ErrorKind::not_found, "no variables without a script: " + std::string{text}};
}

// --- management and the rest ---------------------------------------------------------------------

std::vector<Host::Command> FakeHost::commands() const
{
    std::vector<Command> all;
    for (const Registered& r : commands_)
        all.push_back(r.command);
    return all;
}

Result<json::Value> FakeHost::run_command(std::string_view name, const json::Value& params)
{
    for (const Registered& r : commands_)
        if (r.command.name == name)
            return r.body(params);
    return Error{ErrorKind::not_found, "no such command: " + std::string{name}};
}

void* FakeHost::find_service(std::string_view api)
{
    const auto found = services_.find(api);
    return found == services_.end() ? nullptr : found->second;
}

void FakeHost::announce_any(std::type_index type, std::shared_ptr<const void> event, std::string_view)
{
    const std::lock_guard<std::mutex> lock{mutex_};
    announced_.push_back({type, std::move(event)});
}

} // namespace sipyard::test
