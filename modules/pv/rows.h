// modules/pv/rows.h - manifest rows whose getters and setters are plain functions: they need nothing but the
// request
#pragma once

#include "core/base/text.h"
#include "core/module/host.h"
#include "core/module/manifest.h"
#include "core/module/request.h"

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sipyard::pv {

using Variables = std::vector<VariableSpec>;
using Transformations = std::vector<TransformationSpec>;

// --- values --------------------------------------------------------------------------------------

Value number(std::integral auto n) { return Value{static_cast<std::int64_t>(n)}; }
// Null instead of an empty text.
inline Value text_or_null(std::string_view text) { return text.empty() ? Value{} : Value{text}; }
inline log::Logger logger(Request& request) { return request.host().logger("pv"); }

// A number's digits, without heap.
class Digits {
public:
    explicit Digits(std::int64_t value) : size_{put_int(text_, value)} {}
    operator std::string_view() const { return {text_, size_}; }

private:
    char text_[24];
    std::size_t size_;
};

// Text of any value; null is "".
inline std::string_view text_of(Request& request, const Value& value)
{
    return value.is_integer() ? request.arena().copy(Digits{value.number()}) : value.text();
}

// --- rows ----------------------------------------------------------------------------------------

using Get = Value (*)(Request&);
using Set = bool (*)(Request&, const Value&);

inline VariableSpec row(std::string names, Get get, std::string about)
{
    VariableSpec spec;
    spec.name = std::move(names);
    spec.about = std::move(about);
    spec.get = [get](void*, Request& request, const VariableSpec::Call&) { return get(request); };
    return spec;
}
inline VariableSpec row(std::string names, Get get, Set set, std::string about)
{
    VariableSpec spec = row(std::move(names), get, std::move(about));
    spec.set = [set](void*, Request& request, const VariableSpec::Call&, const Value& value) {
        return set(request, value);
    };
    return spec;
}

// $name(key): the key is parsed when the script is loaded, unless it holds variables.
template <class Key>
VariableSpec row(std::string names, Value (*get)(Request&, const Key&), std::string about)
{
    VariableSpec spec;
    spec.name = std::move(names);
    spec.about = std::move(about);
    manifest_detail::describe_inner<Key>(spec);
    spec.get = [get](void*, Request& request, const VariableSpec::Call& call) {
        return get(request, manifest_detail::inner_of<Key>(call));
    };
    return spec;
}
template <class Key>
VariableSpec row(std::string names, Value (*get)(Request&, const Key&),
                 bool (*set)(Request&, const Key&, const Value&), std::string about)
{
    VariableSpec spec = row(std::move(names), get, std::move(about));
    spec.set = [set](void*, Request& request, const VariableSpec::Call& call, const Value& value) {
        return set(request, manifest_detail::inner_of<Key>(call), value);
    };
    return spec;
}
// $(name(key)[index])
template <class Key>
VariableSpec row(std::string names, Value (*get)(Request&, const Key&, Index), std::string about)
{
    VariableSpec spec;
    spec.name = std::move(names);
    spec.about = std::move(about);
    spec.indexed = true;
    manifest_detail::describe_inner<Key>(spec);
    spec.get = [get](void*, Request& request, const VariableSpec::Call& call) {
        return get(request, manifest_detail::inner_of<Key>(call), call.index);
    };
    return spec;
}
template <class Key>
VariableSpec row(std::string names, Value (*get)(Request&, const Key&, Index),
                 bool (*set)(Request&, const Key&, Index, const Value&), std::string about)
{
    VariableSpec spec = row(std::move(names), get, std::move(about));
    spec.set = [set](void*, Request& request, const VariableSpec::Call& call, const Value& value) {
        return set(request, manifest_detail::inner_of<Key>(call), call.index, value);
    };
    return spec;
}

// A key that is one of a list of words: $time(year), $via0(host). List has a type Meaning (often the function
// that answers), `expected` and `words`, an array of Word<Meaning>.
template <class Meaning>
struct Word {
    std::string_view word;
    Meaning meaning;
};
template <class List>
struct OneOf {
    typename List::Meaning meaning;
};

template <class T>
void append(std::vector<T>& to, std::vector<T> more)
{
    for (T& item : more)
        to.push_back(std::move(item));
}

} // namespace sipyard::pv

template <class List>
struct sipyard::FromText<sipyard::pv::OneOf<List>> {
    static constexpr bool integer = false;
    static constexpr std::string_view expected = List::expected;
    static Result<pv::OneOf<List>> parse(std::string_view text)
    {
        for (const auto& known : List::words)
            if (known.word == text)
                return pv::OneOf<List>{known.meaning};
        return invalid(format("'{}' is not one of: {}", text, expected));
    }
};
