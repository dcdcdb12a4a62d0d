// core/server/describe.cpp - manifests as JSON
#include "core/server/describe.h"

#include "core/json/value.h"
#include "core/server/loader.h"

namespace sipyard::server {

Result<std::string> describe_module(std::string_view name)
{
    Loader loader{Loader::builtin()};
    TRY(const AnyManifest* manifest, loader.load(name, {}));
    using json::Value;
    Value params = Value::array(), functions = Value::array(), variables = Value::array(),
          commands = Value::array(), events = Value::array(), needs = Value::array(),
          transformations = Value::array();
    for (const auto& need : manifest->needs)
        needs.add(Value::object().set("api", need.api).set("optional", need.optional));
    for (const auto& p : manifest->params)
        params.add(Value::object()
                       .set("name", p.name)
                       .set("type", p.integer ? "int" : "string")
                       .set("default", p.fallback)
                       .set("repeatable", p.repeatable)
                       .set("about", p.about));
    for (const auto& f : manifest->functions) {
        std::string routes;
        for (const Route route : {Route::request, Route::failure, Route::branch, Route::tm_reply,
                                  Route::core_reply, Route::onsend, Route::event, Route::local})
            if (f.routes.has(route))
                routes += (routes.empty() ? "" : " ") + std::string{to_text(route)};
        functions.add(Value::object()
                          .set("name", f.name)
                          .set("least", f.least)
                          .set("most", f.args.size())
                          .set("routes", routes)
                          .set("about", f.about));
    }
    for (const auto& v : manifest->variables)
        variables.add(Value::object()
                          .set("name", v.name)
                          .set("writable", static_cast<bool>(v.set))
                          .set("about", v.about));
    for (const auto& t : manifest->transformations)
        transformations.add(t.class_name + "." + t.op);
    for (const auto& c : manifest->commands)
        commands.add(Value::object().set("name", c.name).set("about", c.about));
    for (const auto& e : manifest->event_routes)
        events.add(e);
    return Value::object()
               .set("name", manifest->name)
               .set("about", manifest->about)
               .set("needs", needs)
               .set("params", params)
               .set("functions", functions)
               .set("variables", variables)
               .set("transformations", transformations)
               .set("commands", commands)
               .set("event_routes", events)
               .dump_pretty() +
           "\n";
}

std::string list_modules()
{
    std::string text;
    for (const std::string& name : Loader{Loader::builtin()}.available())
        text += name + "\n";
    return text;
}

} // namespace sipyard::server
