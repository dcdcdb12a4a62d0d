// test/support/run_script.h - runs the text of a routing script against a made-up message, with modules of
// the test's choice
#pragma once

#include "core/base/arena.h"
#include "core/base/format.h"
#include "core/module/module.h"
#include "core/script/engine.h"
#include "core/script/parser.h"
#include "core/sip/message.h"
#include "test/support/fake_host.h"

#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

extern "C" const sipyard::ModuleEntry* sipyard_module(); // SIPYARD_MODULE's

namespace sipyard::test {

// "INVITE sip:bob@example.com SIP/2.0" with what every request needs; from 192.0.2.7:5070, received at
// 127.0.0.1:5060.
std::string sample_request(std::string_view method = "INVITE", std::string_view uri = "sip:bob@example.com",
                           std::string_view more_headers = {});
std::string sample_reply(int code = 200, std::string_view reason = "OK");

// One message with all it needs to go through a script.
class Messenger {
public:
    Messenger(Host& host, std::string text, Route route = Route::request);
    Request& operator*() { return *request_; }
    Request* operator->() { return request_.get(); }

private:
    Arena arena_;
    std::string text_;
    std::unique_ptr<Request> request_;
};

// A host with an engine and one script. Modules are constructed with their default settings changed by
// modparams.
class ScriptFixture final : public FakeHost::Script {
public:
    // Manifests of the modules a script may load with loadmodule. The host is the caller's, so that it can
    // offer services.
    ScriptFixture(FakeHost& host, std::vector<AnyManifest> modules = {});
    ~ScriptFixture() override;

    // Parses, constructs the modules that are loaded, links and installs; false with the reasons in errors().
    bool load(std::string_view text);
    const std::string& errors() const { return errors_; }
    script::Engine& engine() { return engine_; }
    FakeHost& host() { return host_; }
    void* module(std::string_view name); // its object; null when it is not loaded

    // Runs request_route for the sample request (or another message) and returns the code.
    Verdict run(std::string message = sample_request());
    // What a variable or format is now, seen by a fresh request: "$var(x)"; "<null>" for null.
    std::string value(std::string_view variable);

    bool has_event_route(std::string_view name) const override { return engine_.has_event(name); }
    Verdict run_event_route(std::string_view name, Request& request) override
    {
        return engine_.run_event(name, request);
    }
    Result<Verdict> run_route(Route kind, std::string_view name, Request& request) override
    {
        return engine_.run_route(kind, name, request);
    }
    Result<std::shared_ptr<const Host::Format>> compile_format(std::string_view text) override
    {
        return engine_.compile_format(text);
    }
    Result<std::shared_ptr<const VariableRef>> compile_variable(std::string_view text) override
    {
        return engine_.compile_variable(text);
    }

private:
    struct Loader final : script::ModuleLoader {
        std::vector<AnyManifest> manifests;
        Result<const AnyManifest*> load(std::string_view file,
                                        const std::vector<std::string>& paths) override;
    };
    FakeHost& host_;
    Loader loader_;
    script::Engine engine_;
    std::string errors_;
    std::vector<std::pair<const AnyManifest*, std::shared_ptr<void>>> objects_; // in load order
    std::vector<std::shared_ptr<void>> settings_;
};

// A script around the module this test program links. `body` is request_route's, or whole routes; `params`
// are modparam lines. One that does not load throws with its diagnostics. Inline because a program without a
// module has no sipyard_module().
struct Loaded {
    explicit Loaded(std::string_view body, std::string_view params = {})
        : script{host, {sipyard_module()->manifest()}}
    {
        const bool whole = body.find("route[") != std::string_view::npos;
        if (!script.load(format("loadmodule \"{}.so\"\n{}\n{}\n", sipyard_module()->manifest().name, params,
                                whole ? std::string{body} : format("request_route {{\n{}\n}}", body))))
            throw std::runtime_error{script.errors()};
    }
    FakeHost host;
    ScriptFixture script;
};

// The short way: `request_route { TEXT }` (or the whole file when it names routes) without modules; values of
// the variables afterwards, in the order asked for. A script that does not load throws with its diagnostics.
std::vector<std::string> run_script(std::string_view text, std::initializer_list<std::string_view> variables);

} // namespace sipyard::test
