// core/module/host.h - what the server gives a module: services, database, network, workers, routes, events,
// counters
#pragma once

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/db/database.h"

#include "core/log/log.h"
#include "core/module/core_settings.h"
#include "core/module/counter.h"
#include "core/module/manifest.h"
#include "core/module/request.h"
#include "core/net/locator.h"
#include "core/net/network.h"
#include "core/net/resolver.h"
#include "core/task/per_worker.h"
#include "core/task/runtime.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <typeindex>
#include <variant>
#include <vector>

namespace sipyard {

class StatelessReplies; // core/module/stateless.h
class Trail;            // core/module/trail.h

// A module that keeps transactions or dialogs sees messages beside the script. Called on the fiber of the
// message, on any worker; send_failed() on a loop. Hooks are asked in the order they were added; the first
// that answers true ends it.
class MessageHook {
public:
    virtual ~MessageHook() = default;
    // A request, before request_route. True: it is dealt with, the script never sees it.
    virtual bool take_request(Request&) { return false; }
    // A reply that the core reply_route let pass. True: it belongs to one of ours; it is not forwarded
    // statelessly.
    virtual bool take_reply(Request&) { return false; }
    // A message queued on a stream did not leave after all.
    virtual void send_failed(const net::Destination&, std::string_view, const Error&) {}
};

// One per server; thread-safe once the workers run. Tests use FakeHost (test/support/fake_host.h).
class Host {
public:
    virtual ~Host() = default;

    // --- other modules ---------------------------------------------------------------------------
    template <class Api>
    Api& service() // declared with need<Api>() in the manifest, so it is there
    {
        void* const found = find_service(Api::name);
        if (!found)
            throw StartupError{"no loaded module offers '" + std::string{Api::name} + "'"};
        return *static_cast<Api*>(found);
    }
    template <class Api>
    Api* try_service()
    {
        return static_cast<Api*>(find_service(Api::name));
    }

    // Tells every listener, each on a fiber of its own, in the order of the calls; never in the caller. `key`
    // keeps the order of events about one thing.
    template <class Event>
    void announce(Event event, std::string_view key = {})
    {
        announce_any(std::type_index{typeid(Event)}, std::make_shared<const Event>(std::move(event)), key);
    }

    // --- what the server has ---------------------------------------------------------------------
    virtual task::Runtime& runtime() = 0;
    virtual net::Network& network() = 0;
    virtual net::Resolver& resolver() = 0;
    virtual net::Locator& locator() = 0;
    virtual const Clock& clock() = 0;
    virtual log::Journal& journal() = 0;
    virtual const CoreSettings& core() const = 0;
    log::Logger logger(std::string_view name) { return {journal(), name}; } // name: a literal
    // Opens (once) the database of that URL through the loaded driver. Nothing is connected yet, so a server
    // starts while its database is away; with `sipyard -c` it never is.
    virtual Result<db::Database*> database(const db::Url& url) = 0;
    // `sipyard -c`: no socket, no database, no timer may be started.
    virtual bool checking() const = 0;

    // A statistic of that group, made at the first call. Lives as long as the host.
    virtual Counter& counter(std::string_view group, std::string_view name, std::string_view about) = 0;
    virtual std::vector<const Counter*> counters() const = 0;

    // Is this host:port one of ours? port 0 is the protocol's default (spec/script 6).
    virtual bool is_myself(std::string_view host, std::uint16_t port,
                           std::optional<net::Protocol> protocol) const = 0;
    // Further names that count as ours; modules that know domains add a hook.
    virtual void add_myself_hook(std::function<bool(std::string_view host, std::uint16_t port)> hook) = 0;

    // --- scripts ---------------------------------------------------------------------------------
    virtual bool has_event_route(std::string_view name) const = 0;
    // Runs event_route[name] on this fiber for the request; code 1 when there is none.
    virtual Verdict run_event_route(std::string_view name, Request& request) = 0;
    // Runs route[name] (failure_route, onreply_route... by `kind`); not_found when the script in force has
    // none.
    virtual Result<Verdict> run_route(Route kind, std::string_view name, Request& request) = 0;
    // onsend_route for a message that is about to leave: false when the script holds it back. True where
    // there is none.
    virtual bool run_onsend(Request&, const net::Destination&, std::string_view) { return true; }
    // Evaluates a format text such as "id-$ci" compiled once at load. Null when it names an unknown variable.
    class Format {
    public:
        virtual ~Format() = default;
        virtual std::string_view expand(Request& request) const = 0;
    };
    virtual Result<std::shared_ptr<const Format>> compile_format(std::string_view text) = 0;
    // A variable by its text ("$avp(x)"), for modparams that name one.
    virtual Result<std::shared_ptr<const VariableRef>> compile_variable(std::string_view text) = 0;

    // The stateless replies of this server; null in hosts that have no network.
    virtual StatelessReplies* stateless() { return nullptr; }
    // In a module's constructor. The hook lives as long as the module.
    virtual void add_message_hook(MessageHook&) {}
    // Where messages in and out are noted for `sipyardctl trace`; null in hosts without one.
    virtual Trail* trail() { return nullptr; }

    // --- management ------------------------------------------------------------------------------
    struct Command {
        std::string name, module, about;
    };
    virtual std::vector<Command> commands() const = 0;
    // Runs a command; Error not_found when there is none. On a fiber.
    virtual Result<json::Value> run_command(std::string_view name, const json::Value& params) = 0;

    // The script's custom globals (group.name, spec/script 7), for cfg_rpc. An instance that has no value of
    // its own reads the common one; setting makes it. Errors: not_found, invalid (a text for a number). Hosts
    // without a script have none.
    using GlobalValue = std::variant<std::int64_t, std::string>;
    struct Global {
        std::string group, name, about;
        GlobalValue value;
    };
    virtual std::vector<Global> globals() const { return {}; }
    virtual Result<GlobalValue> global(std::string_view group, std::string_view name,
                                       std::optional<std::int64_t>) const
    {
        return Error{ErrorKind::not_found, format("no such variable: {}.{}", group, name)};
    }
    virtual Result<void> set_global(std::string_view group, std::string_view name,
                                    std::optional<std::int64_t>, GlobalValue)
    {
        return Error{ErrorKind::not_found, format("no such variable: {}.{}", group, name)};
    }
    // A table this module works on, for `db.create`, which makes every loaded module's in a database of the
    // operator's.
    virtual void add_table(const db::Table&) {}
    // Run on a fiber when the server stops, while databases still answer; for modules, in their constructor.
    virtual void at_stop(std::function<void()>) {}

    template <class T>
    Slot<T> slot()
    {
        return {next_slot()};
    }

protected:
    virtual void* find_service(std::string_view api) = 0;
    virtual void announce_any(std::type_index type, std::shared_ptr<const void> event,
                              std::string_view key) = 0;
    virtual std::uint16_t next_slot() = 0;
    friend class Request;
    virtual Responder& default_responder() = 0; // the stateless one
};

} // namespace sipyard
