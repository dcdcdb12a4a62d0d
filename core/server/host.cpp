// core/server/host.cpp - what the server gives its modules
#include "core/server/host.h"

#include "core/base/text.h"
#include "core/json/value.h"
#include "core/script/runtime_globals.h"

#include <algorithm>
#include <functional>

namespace sipyard::server {

ServerHost::ServerHost(const Parts& parts)
    : parts_{parts}, stateless_{parts.network, parts.settings}, trail_{parts.runtime, parts.clock}
{
}

ServerHost::~ServerHost() { destroy_modules(); }

Result<void> ServerHost::construct(Loader& loader)
{
    // Database drivers first: which module wants a database is known by its parameters only.
    const auto is_driver = [](const OfferSpec& offer) { return offer.api == db::Driver::name; };
    std::vector<LoadedModule*> under_way;
    for (const auto& module : loader.loaded())
        if (std::any_of(module->manifest.offers.begin(), module->manifest.offers.end(), is_driver))
            TRYV(construct_one(*module, loader, under_way));
    for (const auto& module : loader.loaded())
        TRYV(construct_one(*module, loader, under_way));
    return {};
}

Result<void> ServerHost::construct_one(LoadedModule& module, Loader& loader,
                                       std::vector<LoadedModule*>& under_way)
{
    if (module.instance)
        return {};
    if (std::find(under_way.begin(), under_way.end(), &module) != under_way.end())
        return invalid(format("module '{}' needs itself in a circle", module.name));
    under_way.push_back(&module);
    for (const NeedSpec& need : module.manifest.needs) {
        LoadedModule* provider = nullptr;
        for (const auto& other : loader.loaded())
            for (const OfferSpec& offer : other->manifest.offers)
                if (offer.api == need.api)
                    provider = other.get();
        if (!provider && need.optional)
            continue;
        if (!provider)
            return Error{ErrorKind::not_found,
                         format("module '{}' needs the module '{}': add loadmodule \"{}.so\"", module.name,
                                need.api, need.api == "db" ? "db_sqlite" : need.api)};
        TRYV(construct_one(*provider, loader, under_way));
    }
    under_way.pop_back();

    try {
        module.instance = module.manifest.construct(module.settings.get(), *this);
    } catch (const StartupError& error) {
        return invalid(format("module '{}': {}", module.name, error.what()));
    }
    constructed_.push_back(&module);
    void* const instance = module.instance.get();
    for (const OfferSpec& offer : module.manifest.offers)
        services_[std::string{offer.api}] = offer.cast(instance);
    for (const CommandSpec& command : module.manifest.commands)
        add_command(command.name,
                    {module.name, command.about, [&command, instance](const json::Value& params) {
                         return command.run(instance, params);
                     }});
    for (const ListenerSpec& spec : module.manifest.listeners) {
        EventListener listener{instance, &spec, {}};
        for (auto& strand : listener.strand)
            strand = std::make_unique<task::Strand>();
        listeners_[spec.event.name()].push_back(std::move(listener));
    }
    return {};
}

void ServerHost::destroy_modules()
{
    listeners_.clear();
    commands_.clear();
    while (!constructed_.empty()) {
        constructed_.back()->instance.reset();
        constructed_.pop_back();
    }
    services_.clear();
}

void ServerHost::add_command(std::string name, CommandEntry entry)
{
    commands_[std::move(name)] = std::move(entry);
}

Result<db::Database*> ServerHost::database(const db::Url& url)
{
    auto* const driver = static_cast<db::Driver*>(find_service(db::Driver::name));
    if (!driver)
        return Error{
            ErrorKind::not_found,
            format("no database module is loaded for {}: add loadmodule \"db_sqlite.so\"", url.safe_text())};
    if (!driver->serves(url))
        return Error{ErrorKind::unsupported, format("no loaded database module serves {}", url.safe_text())};
    return driver->open(url);
}

Counter& ServerHost::counter(std::string_view group, std::string_view name, std::string_view about)
{
    return *counters_.with([&](auto& all) {
        auto& slot = all[format("{}.{}", group, name)];
        if (!slot)
            slot = std::make_unique<Counter>(std::string{group}, std::string{name}, std::string{about});
        return slot.get();
    });
}

std::vector<const Counter*> ServerHost::counters() const
{
    return counters_.with([](const auto& all) {
        std::vector<const Counter*> list;
        for (const auto& [name, counter] : all)
            list.push_back(counter.get());
        return list;
    });
}

bool ServerHost::is_myself(std::string_view host, std::uint16_t port,
                           std::optional<net::Protocol> protocol) const
{
    if (host.size() > 2 && host.front() == '[' && host.back() == ']')
        host = host.substr(1, host.size() - 2);
    const std::uint16_t wanted = port != 0 ? port : net::default_port(protocol.value_or(net::Protocol::udp));
    for (const AliasLine& name : myself_) {
        if (!iequals(name.host, host) || (name.port != 0 && name.port != wanted))
            continue;
        if (name.protocol && protocol && *name.protocol != *protocol)
            continue;
        return true;
    }
    const auto hooks = myself_hooks_.with([](const auto& list) { return list; });
    return std::any_of(hooks.begin(), hooks.end(), [&](const auto& hook) { return (*hook)(host, wanted); });
}

void ServerHost::add_myself_hook(std::function<bool(std::string_view, std::uint16_t)> hook)
{
    myself_hooks_.with([&](auto& list) {
        list.push_back(
            std::make_shared<std::function<bool(std::string_view, std::uint16_t)>>(std::move(hook)));
    });
}

bool ServerHost::has_event_route(std::string_view name) const { return engine_ && engine_->has_event(name); }

Verdict ServerHost::run_event_route(std::string_view name, Request& request)
{
    return engine_ ? engine_->run_event(name, request) : Verdict::yes();
}

Result<Verdict> ServerHost::run_route(Route kind, std::string_view name, Request& request)
{
    if (!engine_)
        return Error{ErrorKind::not_found, "no script is loaded"};
    return engine_->run_route(kind, name, request);
}

bool ServerHost::run_onsend(Request& request, const net::Destination& to, std::string_view bytes)
{
    return !engine_ || engine_->run_onsend(request, to, bytes);
}

Result<std::shared_ptr<const Host::Format>> ServerHost::compile_format(std::string_view text)
{
    if (!engine_)
        return Error{ErrorKind::stopping, "no script is loaded"};
    return engine_->compile_format(text);
}

Result<std::shared_ptr<const VariableRef>> ServerHost::compile_variable(std::string_view text)
{
    if (!engine_)
        return Error{ErrorKind::stopping, "no script is loaded"};
    return engine_->compile_variable(text);
}

std::vector<Host::Command> ServerHost::commands() const
{
    std::vector<Command> list;
    for (const auto& [name, entry] : commands_)
        list.push_back({name, entry.module, entry.about});
    return list;
}

Result<json::Value> ServerHost::run_command(std::string_view name, const json::Value& params)
{
    const auto found = commands_.find(name);
    if (found == commands_.end())
        return Error{ErrorKind::not_found, format("no command '{}'", name)};
    return found->second.run(params);
}

std::vector<Host::Global> ServerHost::globals() const
{
    std::vector<Global> list;
    if (const auto known = engine_ ? engine_->globals() : nullptr)
        for (auto& one : known->list())
            list.push_back({std::move(one.group), std::move(one.name), std::move(one.description),
                            std::move(one.value)});
    return list;
}

Result<Host::GlobalValue> ServerHost::global(std::string_view group, std::string_view name,
                                             std::optional<std::int64_t> instance) const
{
    const auto known = engine_ ? engine_->globals() : nullptr;
    const auto number = known ? known->find(group, name) : std::nullopt;
    if (!number)
        return Error{ErrorKind::not_found, format("no such variable: {}.{}", group, name)};
    Arena arena;
    const Value value = known->get(*number, instance, arena);
    return value.is_integer() ? GlobalValue{value.number()} : GlobalValue{std::string{value.text()}};
}

Result<void> ServerHost::set_global(std::string_view group, std::string_view name,
                                    std::optional<std::int64_t> instance, GlobalValue value)
{
    const auto known = engine_ ? engine_->globals() : nullptr;
    if (!known)
        return Error{ErrorKind::not_found, format("no such variable: {}.{}", group, name)};
    return known->set(group, name, instance, std::move(value));
}

void ServerHost::run_at_stop()
{
    for (const auto& f : std::exchange(at_stop_, {}))
        f();
}

void* ServerHost::find_service(std::string_view api)
{
    const auto found = services_.find(api);
    return found == services_.end() ? nullptr : found->second;
}

void ServerHost::announce_any(std::type_index type, std::shared_ptr<const void> event, std::string_view key)
{
    const auto found = listeners_.find(type.name());
    if (found == listeners_.end())
        return;
    const std::size_t lane = std::hash<std::string_view>{}(key) % lanes;
    for (EventListener& listener : found->second) {
        const auto posted = listener.strand[lane]->post(
            [module = listener.module, spec = listener.spec, event] { spec->run(module, event.get()); });
        if (!posted)
            logger("core").error("an event is lost, its listener's queue is full: {}", posted.error().text);
    }
}

std::uint16_t ServerHost::next_slot()
{
    const std::uint16_t index = slots_.fetch_add(1);
    if (index >= Request::max_slots)
        throw StartupError{"the loaded modules ask for more request slots than there are"};
    return index;
}

} // namespace sipyard::server
