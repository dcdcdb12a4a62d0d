// test/support/run_script.cpp - scripts in tests
#include "test/support/run_script.h"

#include <stdexcept>

namespace sipyard::test {

std::string sample_request(std::string_view method, std::string_view uri, std::string_view more_headers)
{
    return format("{} {} SIP/2.0\r\n"
                  "Via: SIP/2.0/UDP 192.0.2.7:5070;branch=z9hG4bKsample;rport\r\n"
                  "From: \"Alice\" <sip:alice@example.org>;tag=a1\r\n"
                  "To: <sip:bob@example.com>\r\n"
                  "Call-ID: sample@192.0.2.7\r\n"
                  "CSeq: 1 {}\r\n"
                  "Max-Forwards: 70\r\n"
                  "{}"
                  "Content-Length: 0\r\n\r\n",
                  method, uri, method, more_headers);
}

std::string sample_reply(int code, std::string_view reason)
{
    return format("SIP/2.0 {} {}\r\n"
                  "Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKours\r\n"
                  "Via: SIP/2.0/UDP 192.0.2.7:5070;branch=z9hG4bKsample\r\n"
                  "From: <sip:alice@example.org>;tag=a1\r\n"
                  "To: <sip:bob@example.com>;tag=b2\r\n"
                  "Call-ID: sample@192.0.2.7\r\n"
                  "CSeq: 1 INVITE\r\n"
                  "Content-Length: 0\r\n\r\n",
                  code, reason);
}

Messenger::Messenger(Host& host, std::string text, Route route) : text_{std::move(text)}
{
    net::Received from;
    from.source = *net::Address::parse("192.0.2.7", 5070);
    from.local = *net::Address::parse("127.0.0.1", 5060);
    auto message = sip::Message::parse(text_, arena_);
    if (!message)
        throw std::runtime_error{message.error().text};
    request_ = std::make_unique<Request>(host, arena_, **message, from, route);
}

Result<const AnyManifest*> ScriptFixture::Loader::load(std::string_view file, const std::vector<std::string>&)
{
    const auto name = file.substr(0, file.rfind(".so"));
    for (const AnyManifest& manifest : manifests)
        if (manifest.name == name)
            return &manifest;
    return Error{ErrorKind::not_found, format("no module {}", file)};
}

ScriptFixture::ScriptFixture(FakeHost& host, std::vector<AnyManifest> modules) : host_{host}, engine_{host}
{
    loader_.manifests = std::move(modules);
    host_.set_script(this);
}

ScriptFixture::~ScriptFixture()
{
    host_.set_script(nullptr);
    while (!objects_.empty())
        objects_.pop_back();
}

bool ScriptFixture::load(std::string_view text)
{
    errors_.clear();
    script::Diagnostics diagnostics;
    const auto config = script::parse_text(text, "test.cfg", {}, loader_, diagnostics);
    if (!config) {
        errors_ = diagnostics.report();
        return false;
    }
    std::vector<script::ModuleInstance> instances;
    for (const script::ast::ModuleUse& use : config->modules)
        instances.push_back({use.manifest, nullptr});
    engine_.declare(instances);
    for (std::size_t i = 0; i < config->modules.size(); ++i) {
        const script::ast::ModuleUse& use = config->modules[i];
        instances[i].object = module(use.name);
        if (instances[i].object)
            continue; // a reload: modules stay
        auto settings = use.manifest->make_settings();
        for (const script::ast::ModuleParam& param : use.params)
            if (const auto set = param.spec->set(settings.get(), param.value); !set) {
                errors_ = set.error().text;
                return false;
            }
        settings_.push_back(settings);
        objects_.emplace_back(use.manifest, use.manifest->construct(settings.get(), host_));
        instances[i].object = objects_.back().second.get();
    }
    host_.settings = config->settings;
    auto program = engine_.link(*config, instances, diagnostics);
    errors_ = diagnostics.report();
    if (!program)
        return false;
    const auto installed = engine_.install(std::move(program));
    if (!installed)
        errors_ += installed.error().text;
    return installed.has_value();
}

void* ScriptFixture::module(std::string_view name)
{
    for (const auto& [manifest, object] : objects_)
        if (manifest->name == name)
            return object.get();
    return nullptr;
}

Verdict ScriptFixture::run(std::string message)
{
    Messenger messenger{host_, std::move(message)};
    return engine_.run_request(*messenger);
}

std::string ScriptFixture::value(std::string_view variable)
{
    Messenger messenger{host_, sample_request()};
    const auto ref = engine_.compile_variable(variable);
    if (!ref)
        throw std::runtime_error{ref.error().text};
    const Value v = (*ref)->get(*messenger);
    return v.is_null() ? "<null>" : v.is_integer() ? std::to_string(v.number()) : std::string{v.text()};
}

std::vector<std::string> run_script(std::string_view text, std::initializer_list<std::string_view> variables)
{
    FakeHost host;
    ScriptFixture fixture{host};
    const bool whole =
        text.find("route {") != std::string_view::npos || text.find("route{") != std::string_view::npos;
    if (!fixture.load(whole ? std::string{text} : format("request_route {{\n{}\n}}\n", text)))
        throw std::runtime_error{fixture.errors()};
    fixture.run();
    std::vector<std::string> values;
    for (const auto variable : variables)
        values.push_back(fixture.value(variable));
    return values;
}

} // namespace sipyard::test
