// core/script/link_fakes.h - a module for the script tests: functions with every kind of argument, variables,
// transformations
#pragma once

#include "core/base/text.h"
#include "core/module/host.h"
#include "core/module/manifest.h"

#include <stdexcept>
#include <string>
#include <vector>

namespace sipyard::script {

class Probe {
public:
    struct Settings {
        std::string name = "probe";
    };
    Probe(const Settings&, Host&) {}

    std::vector<std::string> calls; // what was called, in words

    Verdict note(Request&, std::string_view text)
    {
        calls.emplace_back(text);
        return Verdict::yes();
    }
    Verdict code(Request&, std::int64_t n) { return {static_cast<int>(n)}; }
    Verdict literal(Request&, Literal text)
    {
        calls.emplace_back(text.text);
        return Verdict::yes();
    }
    Verdict pick(Request&, const Regex& regex, std::string_view text)
    {
        return Verdict::of(regex.matches(text));
    }
    Verdict value_kind(Request&, const Value& v)
    {
        calls.emplace_back(v.is_null() ? "null" : v.is_integer() ? "integer" : "text");
        return Verdict::yes();
    }
    Verdict put(Request& request, const VariableRef& to, std::string_view text,
                std::optional<std::int64_t> twice)
    {
        return Verdict::of(to.set(request, Value{request.arena().concat(text, twice ? text : "")}));
    }
    Verdict fail(Request&) { throw std::runtime_error{"probe failed"}; }
    Verdict sleep(Request&, std::int64_t ms)
    {
        task::sleep_until(task::Worker::current()->clock().now() + std::chrono::milliseconds{ms});
        return Verdict::yes();
    }
    Verdict event(Request& request)
    {
        (void)request.host().run_event_route("probe:event", request);
        return Verdict::of(request.dropped);
    }

    Value ruri_user(Request& request)
    {
        const auto ruri = request.ruri();
        return Value{ruri.substr(4, ruri.find('@') - 4)};
    }
    Value ruri(Request& request) { return request.ruri(); }
    bool set_ruri(Request& request, const Value& v)
    {
        if (v.is_integer())
            return false;
        request.set_ruri(v.text());
        return true;
    }
    Value avp(Request& request, std::string_view name, Index index)
    {
        const auto key = AvpList::Name::parse(name);
        return request.with_avps([&](AvpStore& store) {
            const auto at = index.resolve(static_cast<std::int64_t>(store.avps.count(key)));
            const Value value = at < 0 ? Value{} : store.avps.get(key, static_cast<std::size_t>(at));
            return value.is_text() ? Value{request.arena().copy(value.text())} : value;
        });
    }
    bool set_avp(Request& request, std::string_view name, Index, const Value& v)
    {
        const auto key = AvpList::Name::parse(name);
        request.with_avps([&](AvpStore& store) {
            if (v.is_null())
                (void)store.avps.pop(key);
            else
                store.avps.push(key, v);
        });
        return true;
    }
    Value half(Request&, int n) const { return n / 2; }
    Value room(Request&, std::string_view name) { return name; }
    Verdict enter(Request& request, std::string_view room, std::string_view) { return note(request, room); }
    // "attic/$var(x)": the floor is known before the room is.
    std::optional<Refusal> check_floor(const KnownText& text) const
    {
        const auto slash = text.text.find('/');
        if (slash == std::string_view::npos && !text.whole)
            return std::nullopt;
        return check_room(text.text.substr(0, slash));
    }
    std::optional<VariableSpec::Refusal> check_room(std::string_view name) const
    {
        if (name == "kitchen" || name == "cellar")
            return std::nullopt;
        return VariableSpec::Refusal{"no such room", std::string{nearest(name, {"kitchen", "cellar"})}};
    }

    static Manifest<Probe> manifest()
    {
        using M = Probe;
        return {
            .name = "probe",
            .functions = {function("note", &M::note, "text"), function("code", &M::code, "return code"),
                          function("literal", &M::literal, "text as written"),
                          function("pick", &M::pick, "regex"), function("value_kind", &M::value_kind, "type"),
                          function("put", &M::put, "sets a variable"), function("fail", &M::fail, "throws"),
                          checked(function("enter", &M::enter, "a room"), &M::check_floor),
                          function("sleep", &M::sleep, "suspends"),
                          function("event", &M::event, "runs event_route[probe:event]")},
            .variables = {variable("rU|ruri.user", &M::ruri_user, "user"),
                          variable("ru", &M::ruri, &M::set_ruri, "R-URI"),
                          variable("avp", &M::avp, &M::set_avp, "AVP"),
                          variable("half", &M::half, "of a number"),
                          checked(variable("room", &M::room, "of a house with two of them"), &M::check_room),
                          checked(variable("floor", &M::room, "of the same house"), &M::check_floor),
                          variable("tls_peer_subject_cn", &M::ruri, "as module tls names it"),
                          variable("tls_version", &M::ruri, "as module tls names it")},
            .transformations =
                {transformation(
                     "s", "len", 0, 0,
                     [](Request&, const Value& in, std::span<const Value>) -> Value {
                         return static_cast<std::int64_t>(in.text().size());
                     },
                     "length"),
                 transformation(
                     "s", "select", 2, 2,
                     [](Request&, const Value& in, std::span<const Value> args) -> Value {
                         const auto parts = split(in.text(), args[1].text()[0]);
                         const auto n = args[0].is_integer() ? args[0].number() : *parse_int(args[0].text());
                         return parts[static_cast<std::size_t>(n)];
                     },
                     "a field"),
                 checked(transformation(
                             "s", "substr", 2, 2,
                             [](Request&, const Value& in, std::span<const Value> args) -> Value {
                                 const auto from = static_cast<std::size_t>(*parse_int(args[0].text()));
                                 const auto n = static_cast<std::size_t>(*parse_int(args[1].text()));
                                 return in.text().substr(from, n ? n : std::string_view::npos);
                             },
                             "a part"),
                         numbers_at<0, 1>),
                 transformation<Substitution>(
                     "re", "subst",
                     [](Request& r, const Value& in, const Substitution& s) -> Value {
                         std::string out;
                         s.apply(in.text(), s.replacement, out);
                         return r.arena().copy(out);
                     },
                     "substitution")},
        };
    }
};

} // namespace sipyard::script
