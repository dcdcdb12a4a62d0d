// core/module/manifest.h - what a module offers, as data the checker, the docs and the tests read (STYLE 2)
#pragma once

#include "core/base/from_text.h"

#include "core/module/request.h"
#include "core/module/value.h"
#include "core/module/verdict.h"

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <typeindex>
#include <utility>
#include <vector>

namespace sipyard::json {
class Value; // core/json
}

namespace sipyard {

class Host;

// --- what a function's argument may be -----------------------------------------------------------

// A variable the script names and a function reads or writes ("$var(x)" or $var(x)).
class VariableRef {
public:
    virtual ~VariableRef() = default;
    virtual Value get(Request& request) const = 0;
    virtual bool set(Request& request, const Value& value) const = 0; // false when it refused the value
    virtual std::string_view text() const = 0;                        // as written
};

// A constant text that is not interpolated (t_reply's reason, is_method's list).
struct Literal {
    std::string_view text;
};

struct ArgSpec {
    enum class Kind : unsigned char {
        text,     // std::string_view: interpolated; null is ""
        integer,  // std::int64_t or int: number, numeric text or variable
        value,    // Value: whatever the expression gives, null too
        literal,  // Literal: constant text as written
        variable, // const VariableRef&: a writable or readable variable
        parsed,   // any T with FromText<T>: a constant is parsed when the script is loaded
    };
    using Parse = Result<std::shared_ptr<const void>> (*)(std::string_view);
    Kind kind = Kind::text;
    bool optional = false;
    std::string_view expected; // for messages: "an integer"
    Parse parse = nullptr;     // of `parsed`
};

struct Arg {
    Value value;                           // text, integer, value, literal
    const void* parsed = nullptr;          // parsed
    const VariableRef* variable = nullptr; // variable
    bool present = false;
};

// A text of the script as far as it is known before it runs: all of it, or what stands before its first
// variable. What a module finds wrong with it, and the name that was probably meant.
struct KnownText {
    std::string_view text;
    bool whole = true;
};
struct Refusal {
    std::string message, nearest;
};

struct FunctionSpec {
    std::string name, about;
    RouteMask routes;
    std::vector<ArgSpec> args; // optional ones last
    std::size_t least = 0;     // how many are required
    std::function<Verdict(void* module, Request&, std::span<const Arg>)> call;
    // Looks at a text argument (counted from 0) when a script is linked and the module exists. Empty: any
    // will do.
    std::function<std::optional<Refusal>(void* module, std::size_t argument, const KnownText& text)> check{};
};

// $name or $name(inner). Getters and setters are members of the module.
struct VariableSpec {
    enum class Inner : unsigned char { none, text, parsed };
    std::string name, about; // names of one variable are separated by '|': "fU|from.user"
    Inner inner = Inner::none;
    bool inner_optional = false; // may also be written without (...)
    bool indexed = false;
    std::string_view inner_expected;
    ArgSpec::Parse parse = nullptr;
    struct Call {
        std::string_view text;        // inner as text, variables expanded
        const void* parsed = nullptr; // inner parsed
        Index index;
    };
    std::function<Value(void* module, Request&, const Call&)> get;
    std::function<bool(void* module, Request&, const Call&, const Value&)> set; // empty: read-only
    // Looks at the inner text when a script is linked and the module exists. Empty: any will do.
    using Refusal = sipyard::Refusal;
    std::function<std::optional<Refusal>(void* module, const KnownText& inner)> check;
};

// {class.op,arg,...}. The function is free of state. Arguments are split at ',' unless `raw`.
struct TransformationSpec {
    std::string class_name, op, about; // op "" takes any op of the class
    std::size_t least = 0, most = 0;   // arguments
    bool raw = false;                  // one argument, the rest of the text as written
    ArgSpec::Parse parse = nullptr;    // of a raw argument
    std::function<Value(Request&, const Value& in, std::span<const Value> args, const void* parsed)> apply;
    // Looks at the arguments when a script is linked; those that are not constant are null. Absent: any will
    // do.
    using Check = Result<void> (*)(std::span<const Value> constants);
    Check check = nullptr;
};

struct ParamSpec {
    std::string name, about, expected, fallback; // fallback: the default as text, for --describe and the docs
    bool integer = false, repeatable = false;
    std::function<Result<void>(void* settings, std::string_view text)> set;
};

struct CommandSpec {
    std::string name, about;
    std::function<Result<json::Value>(void* module, const json::Value& params)> run; // on a fiber
};

struct ListenerSpec {
    std::type_index event;
    std::function<void(void* module, const void* event)> run; // on a fiber of its own
};

struct OfferSpec {
    std::string_view api;
    std::function<void*(void* module)> cast;
};
struct NeedSpec {
    std::string_view api;
    bool optional = false;
};

// --- from members to data ------------------------------------------------------------------------

namespace manifest_detail {

template <class T>
Result<std::shared_ptr<const void>> parse_any(std::string_view text)
{
    auto value = FromText<T>::parse(text);
    if (!value)
        return value.error();
    return std::shared_ptr<const void>{std::make_shared<const T>(std::move(*value))};
}

template <class T>
struct IsOptional : std::false_type {
    using Inside = T;
};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {
    using Inside = T;
};

template <class Declared>
ArgSpec arg_spec()
{
    using Whole = std::remove_cvref_t<Declared>;
    using T = typename IsOptional<Whole>::Inside;
    ArgSpec spec;
    spec.optional = IsOptional<Whole>::value;
    if constexpr (std::same_as<T, std::string_view>) {
        spec.kind = ArgSpec::Kind::text;
        spec.expected = "a string";
    } else if constexpr (std::same_as<T, std::int64_t> || std::same_as<T, int>) {
        spec.kind = ArgSpec::Kind::integer;
        spec.expected = "an integer";
    } else if constexpr (std::same_as<T, Value>) {
        spec.kind = ArgSpec::Kind::value;
        spec.expected = "a value";
    } else if constexpr (std::same_as<T, Literal>) {
        spec.kind = ArgSpec::Kind::literal;
        spec.expected = "a constant string";
    } else if constexpr (std::same_as<T, VariableRef> || std::same_as<T, const VariableRef*>) {
        spec.kind = ArgSpec::Kind::variable;
        spec.expected = "a variable";
    } else {
        spec.kind = ArgSpec::Kind::parsed;
        spec.expected = FromText<T>::expected;
        spec.parse = &parse_any<T>;
    }
    return spec;
}

template <class Declared>
decltype(auto) take(const Arg& arg)
{
    using Whole = std::remove_cvref_t<Declared>;
    using T = typename IsOptional<Whole>::Inside;
    if constexpr (IsOptional<Whole>::value) {
        if (!arg.present)
            return Whole{};
        return Whole{take<T>(arg)};
    } else if constexpr (std::same_as<T, std::string_view>) {
        return arg.value.text();
    } else if constexpr (std::same_as<T, std::int64_t>) {
        return arg.value.number();
    } else if constexpr (std::same_as<T, int>) {
        return static_cast<int>(arg.value.number());
    } else if constexpr (std::same_as<T, Value>) {
        return Value{arg.value};
    } else if constexpr (std::same_as<T, Literal>) {
        return Literal{arg.value.text()};
    } else if constexpr (std::same_as<T, VariableRef>) {
        return (*arg.variable);
    } else if constexpr (std::same_as<T, const VariableRef*>) {
        return arg.variable;
    } else {
        return (*static_cast<const T*>(arg.parsed));
    }
}

template <class M, class Member, class... A>
FunctionSpec function_of(std::string name, Member member, std::string about, RouteMask routes)
{
    FunctionSpec spec{std::move(name), std::move(about), routes, {arg_spec<A>()...}, 0, {}, {}};
    for (const ArgSpec& arg : spec.args)
        spec.least += arg.optional ? 0 : 1;
    spec.call = [member](void* module, Request& request, std::span<const Arg> args) -> Verdict {
        return [&]<std::size_t... I>(std::index_sequence<I...>)->Verdict
        {
            return (static_cast<M*>(module)->*member)(request, take<A>(args[I])...);
        }
        (std::index_sequence_for<A...>{});
    };
    return spec;
}

template <class Key>
void describe_inner(VariableSpec& spec)
{
    using T = std::remove_cvref_t<Key>;
    if constexpr (std::same_as<T, std::string_view>) {
        spec.inner = VariableSpec::Inner::text;
    } else {
        spec.inner = VariableSpec::Inner::parsed;
        spec.parse = &parse_any<T>;
        spec.inner_expected = FromText<T>::expected;
    }
}
template <class Key>
decltype(auto) inner_of(const VariableSpec::Call& call)
{
    using T = std::remove_cvref_t<Key>;
    if constexpr (std::same_as<T, std::string_view>)
        return std::string_view{call.text};
    else
        return (*static_cast<const T*>(call.parsed));
}

// Getters: Value (Request&), (Request&, Index), (Request&, Key), (Request&, Key, Index).
template <class M, class Member, class... A>
void put_getter(VariableSpec& spec, Member member)
{
    if constexpr (sizeof...(A) == 0) {
        spec.get = [member](void* m, Request& r, const VariableSpec::Call&) -> Value {
            return (static_cast<M*>(m)->*member)(r);
        };
    } else {
        using First = std::tuple_element_t<0, std::tuple<A...>>;
        if constexpr (std::same_as<std::remove_cvref_t<First>, Index>) {
            spec.indexed = true;
            spec.get = [member](void* m, Request& r, const VariableSpec::Call& c) -> Value {
                return (static_cast<M*>(m)->*member)(r, c.index);
            };
        } else {
            describe_inner<First>(spec);
            if constexpr (sizeof...(A) == 2) {
                spec.indexed = true;
                spec.get = [member](void* m, Request& r, const VariableSpec::Call& c) -> Value {
                    return (static_cast<M*>(m)->*member)(r, inner_of<First>(c), c.index);
                };
            } else {
                spec.get = [member](void* m, Request& r, const VariableSpec::Call& c) -> Value {
                    return (static_cast<M*>(m)->*member)(r, inner_of<First>(c));
                };
            }
        }
    }
}
// Setters: bool with the getter's arguments and the value last.
template <class M, class Member, class... A>
void put_setter(VariableSpec& spec, Member member)
{
    if constexpr (sizeof...(A) == 1) {
        spec.set = [member](void* m, Request& r, const VariableSpec::Call&, const Value& v) -> bool {
            return (static_cast<M*>(m)->*member)(r, v);
        };
    } else {
        using First = std::tuple_element_t<0, std::tuple<A...>>;
        if constexpr (std::same_as<std::remove_cvref_t<First>, Index>) {
            spec.set = [member](void* m, Request& r, const VariableSpec::Call& c, const Value& v) -> bool {
                return (static_cast<M*>(m)->*member)(r, c.index, v);
            };
        } else if constexpr (sizeof...(A) == 3) {
            spec.set = [member](void* m, Request& r, const VariableSpec::Call& c, const Value& v) -> bool {
                return (static_cast<M*>(m)->*member)(r, inner_of<First>(c), c.index, v);
            };
        } else {
            spec.set = [member](void* m, Request& r, const VariableSpec::Call& c, const Value& v) -> bool {
                return (static_cast<M*>(m)->*member)(r, inner_of<First>(c), v);
            };
        }
    }
}

} // namespace manifest_detail

// Rows of a manifest. Each takes a member function; its signature says what the script must pass.
template <class M, class... A>
FunctionSpec function(std::string name, Verdict (M::*member)(Request&, A...), std::string about,
                      RouteMask routes = any_route)
{
    return manifest_detail::function_of<M, Verdict (M::*)(Request&, A...), A...>(std::move(name), member,
                                                                                 std::move(about), routes);
}
template <class M, class... A>
FunctionSpec function(std::string name, Verdict (M::*member)(Request&, A...) const, std::string about,
                      RouteMask routes = any_route)
{
    return manifest_detail::function_of<M, Verdict (M::*)(Request&, A...) const, A...>(
        std::move(name), member, std::move(about), routes);
}

template <class M, class... A>
VariableSpec variable(std::string name, Value (M::*get)(Request&, A...), std::string about)
{
    VariableSpec spec;
    spec.name = std::move(name);
    spec.about = std::move(about);
    manifest_detail::put_getter<M, decltype(get), A...>(spec, get);
    return spec;
}
template <class M, class... A>
VariableSpec variable(std::string name, Value (M::*get)(Request&, A...) const, std::string about)
{
    VariableSpec spec;
    spec.name = std::move(name);
    spec.about = std::move(about);
    manifest_detail::put_getter<M, decltype(get), A...>(spec, get);
    return spec;
}
template <class M, class... A, class... S>
VariableSpec variable(std::string name, Value (M::*get)(Request&, A...), bool (M::*set)(Request&, S...),
                      std::string about)
{
    VariableSpec spec = variable(std::move(name), get, std::move(about));
    manifest_detail::put_setter<M, decltype(set), S...>(spec, set);
    return spec;
}
template <class M, class... A, class... S>
VariableSpec variable(std::string name, Value (M::*get)(Request&, A...) const, bool (M::*set)(Request&, S...),
                      std::string about)
{
    VariableSpec spec = variable(std::move(name), get, std::move(about));
    manifest_detail::put_setter<M, decltype(set), S...>(spec, set);
    return spec;
}

// The same with a look at a constant inner text: std::optional<VariableSpec::Refusal>
// M::check(std::string_view) const.
template <class M>
VariableSpec checked(VariableSpec spec,
                     std::optional<VariableSpec::Refusal> (M::*check)(std::string_view) const)
{
    spec.check = [check](void* module, const KnownText& inner) {
        return inner.whole ? (static_cast<const M*>(module)->*check)(inner.text) : std::nullopt;
    };
    return spec;
}
// Also at what stands before its first variable: $sht(table=>$si).
template <class M>
VariableSpec checked(VariableSpec spec, std::optional<Refusal> (M::*check)(const KnownText&) const)
{
    spec.check = [check](void* module, const KnownText& inner) {
        return (static_cast<const M*>(module)->*check)(inner);
    };
    return spec;
}
// A function whose argument `at` (from 0) is looked at.
template <class M>
FunctionSpec checked(FunctionSpec spec, std::optional<Refusal> (M::*check)(const KnownText&) const,
                     std::size_t at = 0)
{
    spec.check = [check, at](void* module, std::size_t argument, const KnownText& text) {
        return argument == at ? (static_cast<const M*>(module)->*check)(text) : std::nullopt;
    };
    return spec;
}

// {class.op} with `least` to `most` arguments.
inline TransformationSpec transformation(std::string class_name, std::string op, std::size_t least,
                                         std::size_t most,
                                         Value (*apply)(Request&, const Value&, std::span<const Value>),
                                         std::string about)
{
    return {std::move(class_name),
            std::move(op),
            std::move(about),
            least,
            most,
            false,
            nullptr,
            [apply](Request& r, const Value& in, std::span<const Value> args, const void*) {
                return apply(r, in, args);
            },
            nullptr};
}
// The same with a look at its constant arguments when the script is loaded.
inline TransformationSpec checked(TransformationSpec spec, TransformationSpec::Check check)
{
    spec.check = check;
    return spec;
}
// A check: these arguments are whole numbers where they are constant and given.
template <std::size_t... at>
Result<void> numbers_at(std::span<const Value> constants)
{
    for (const std::size_t i : {at...})
        if (i < constants.size() && constants[i].is_text() && !parse_int(trim(constants[i].text())))
            return Error{ErrorKind::invalid, format("\"{}\" is not a number", constants[i].text())};
    return {};
}
// {class.op,TEXT} whose text is parsed as a T when the script is loaded: {re.subst,/a/b/g}.
template <class T>
TransformationSpec transformation(std::string class_name, std::string op,
                                  Value (*apply)(Request&, const Value&, const T&), std::string about)
{
    return {std::move(class_name),
            std::move(op),
            std::move(about),
            1,
            1,
            true,
            &manifest_detail::parse_any<T>,
            [apply](Request& r, const Value& in, std::span<const Value>, const void* parsed) {
                return apply(r, in, *static_cast<const T*>(parsed));
            },
            nullptr};
}

// A modparam that sets Settings::*member. A vector collects: the parameter may be repeated.
template <class S, class T>
ParamSpec param(std::string name, T S::*member, std::string about)
{
    ParamSpec spec;
    spec.name = std::move(name);
    spec.about = std::move(about);
    const S defaults{};
    if constexpr (requires { typename T::value_type; } && !std::same_as<T, std::string>) {
        using Item = typename T::value_type;
        spec.integer = FromText<Item>::integer;
        spec.expected = FromText<Item>::expected;
        spec.repeatable = requires(T t, Item i) { t.push_back(i); };
        spec.set = [member](void* settings, std::string_view text) -> Result<void> {
            auto value = FromText<Item>::parse(text);
            if (!value)
                return value.error();
            if constexpr (requires(T t, Item i) { t.push_back(i); })
                (static_cast<S*>(settings)->*member).push_back(std::move(*value));
            else
                static_cast<S*>(settings)->*member = std::move(*value);
            return {};
        };
    } else {
        spec.integer = FromText<T>::integer;
        spec.expected = FromText<T>::expected;
        if constexpr (requires(T t) { FromText<T>::print(t); })
            spec.fallback = FromText<T>::print(defaults.*member);
        spec.set = [member](void* settings, std::string_view text) -> Result<void> {
            auto value = FromText<T>::parse(text);
            if (!value)
                return value.error();
            static_cast<S*>(settings)->*member = std::move(*value);
            return {};
        };
    }
    return spec;
}

template <class M>
CommandSpec command(std::string name, Result<json::Value> (M::*member)(const json::Value&), std::string about)
{
    return {std::move(name), std::move(about), [member](void* module, const json::Value& params) {
                return (static_cast<M*>(module)->*member)(params);
            }};
}

template <class M, class Event>
ListenerSpec on(void (M::*member)(const Event&))
{
    return {std::type_index{typeid(Event)}, [member](void* module, const void* event) {
                (static_cast<M*>(module)->*member)(*static_cast<const Event*>(event));
            }};
}

template <class Api>
NeedSpec need()
{
    return {Api::name, false};
}
template <class Api>
NeedSpec may_need()
{
    return {Api::name, true};
} // used when it is loaded

// The module's class derives from Api. Api::name identifies it between shared objects.
template <class Api, class M>
OfferSpec offer_of()
{
    return {Api::name, [](void* module) -> void* { return static_cast<Api*>(static_cast<M*>(module)); }};
}

// What a module's manifest() returns. `M` has a nested Settings and a constructor (const Settings&, Host&).
template <class M>
struct Manifest {
    std::string name{}, about{};
    std::vector<OfferSpec> offers{};
    std::vector<NeedSpec> needs{};
    std::vector<ParamSpec> params{};
    std::vector<FunctionSpec> functions{};
    std::vector<VariableSpec> variables{};
    std::vector<TransformationSpec> transformations{};
    std::vector<CommandSpec> commands{};
    std::vector<ListenerSpec> listeners{};
    std::vector<std::string> event_routes{}; // it may run, for the checker and --describe
};

// The same without the type: what the loader, the checker and the docs work with.
struct AnyManifest : Manifest<void> {
    std::shared_ptr<void> (*make_settings)() = nullptr;                             // with the defaults
    std::shared_ptr<void> (*construct)(const void* settings, Host& host) = nullptr; // may throw StartupError
};

template <class M>
AnyManifest erase(Manifest<M> m)
{
    using S = typename M::Settings;
    auto& [name, about, offers, needs, params, functions, variables, transformations, commands, listeners,
           events] = m;
    return {{std::move(name), std::move(about), std::move(offers), std::move(needs), std::move(params),
             std::move(functions), std::move(variables), std::move(transformations), std::move(commands),
             std::move(listeners), std::move(events)},
            []() -> std::shared_ptr<void> { return std::make_shared<S>(); },
            [](const void* settings, Host& host) -> std::shared_ptr<void> {
                return std::make_shared<M>(*static_cast<const S*>(settings), host);
            }};
}

} // namespace sipyard
