// core/json/value.cpp - questions to a value, and changing it
#include "core/json/value.h"

#include <cassert>
#include <cmath>

namespace sipyard::json {

namespace {

const Value nothing;

} // namespace

std::string_view to_text(Type type)
{
    switch (type) {
    case Type::null: return "null";
    case Type::boolean: return "boolean";
    case Type::integer: return "integer";
    case Type::real: return "real";
    case Type::string: return "string";
    case Type::array: return "array";
    case Type::object: return "object";
    }
    return "?";
}

Value Value::array(Array items)
{
    Value value;
    value.state_ = std::move(items);
    return value;
}

Value Value::object()
{
    Value value;
    value.state_ = Object{};
    return value;
}

bool Value::boolean(bool otherwise) const
{
    const bool* const value = std::get_if<bool>(&state_);
    return value ? *value : otherwise;
}

std::int64_t Value::integer(std::int64_t otherwise) const
{
    if (const auto* const value = std::get_if<std::int64_t>(&state_))
        return *value;
    constexpr double limit = 9223372036854775808.0; // 2^63
    if (const auto* const value = std::get_if<double>(&state_))
        if (*value >= -limit && *value < limit && std::trunc(*value) == *value)
            return static_cast<std::int64_t>(*value);
    return otherwise;
}

double Value::real(double otherwise) const
{
    if (const auto* const value = std::get_if<double>(&state_))
        return *value;
    if (const auto* const value = std::get_if<std::int64_t>(&state_))
        return static_cast<double>(*value);
    return otherwise;
}

std::string_view Value::text(std::string_view otherwise) const
{
    const std::string* const value = std::get_if<std::string>(&state_);
    return value ? std::string_view{*value} : otherwise;
}

const Value::Array& Value::items() const
{
    static const Array none;
    const Array* const list = std::get_if<Array>(&state_);
    return list ? *list : none;
}

const Value::Object& Value::members() const
{
    static const Object none;
    const Object* const list = std::get_if<Object>(&state_);
    return list ? *list : none;
}

std::size_t Value::size() const { return is_array() ? items().size() : members().size(); }

const Value* Value::find(std::string_view name) const
{
    for (const Member& member : members())
        if (member.name == name)
            return &member.value;
    return nullptr;
}

const Value& Value::operator[](std::string_view name) const
{
    const Value* const value = find(name);
    return value ? *value : nothing;
}

const Value& Value::operator[](std::size_t index) const
{
    return index < items().size() ? items()[index] : nothing;
}

Value& Value::set(std::string_view name, Value value)
{
    if (is_null())
        state_ = Object{};
    assert(is_object());
    auto& list = std::get<Object>(state_);
    for (Member& member : list) {
        if (member.name == name) {
            member.value = std::move(value);
            return *this;
        }
    }
    list.push_back({std::string{name}, std::move(value)});
    return *this;
}

Value& Value::add(Value value)
{
    if (is_null())
        state_ = Array{};
    assert(is_array());
    std::get<Array>(state_).push_back(std::move(value));
    return *this;
}

bool operator==(const Value& a, const Value& b)
{
    if (a.type() != b.type())
        return false;
    switch (a.type()) {
    case Type::null: return true;
    case Type::boolean: return a.boolean() == b.boolean();
    case Type::integer: return a.integer() == b.integer();
    case Type::real: return a.real() == b.real();
    case Type::string: return a.text() == b.text();
    case Type::array: return a.items() == b.items();
    case Type::object: break;
    }
    if (a.size() != b.size())
        return false;
    for (const Member& member : a.members()) {
        const Value* const other = b.find(member.name);
        if (!other || !(*other == member.value))
            return false;
    }
    return true;
}

} // namespace sipyard::json
