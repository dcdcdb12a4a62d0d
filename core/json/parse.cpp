// core/json/parse.cpp - from text to values on top of nlohmann-json's event parser
#include "core/base/format.h"
#include "core/json/value.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace sipyard::json {

using Library = nlohmann::json;

// Receives the parser's events. The library keeps no tree and does not recurse, so depth costs nothing until
// we say so.
class Builder {
public:
    explicit Builder(std::size_t depth) : depth_{depth} {}

    bool null() { return put({}); }
    bool boolean(bool value) { return put(value); }
    bool number_integer(std::int64_t value) { return put(value); }
    bool number_unsigned(std::uint64_t value)
    {
        return value <= INT64_MAX ? put(static_cast<std::int64_t>(value)) : put(static_cast<double>(value));
    }
    bool number_float(double value, const std::string&) { return put(value); }
    bool string(std::string& text) { return put(std::move(text)); }
    bool binary(Library::binary_t&) { return fail("binary data"); }

    bool start_object(std::size_t) { return open(Value::object()); }
    bool start_array(std::size_t) { return open(Value::array()); }
    bool key(std::string& name)
    {
        std::get<Value::Object>(open_.back()->state_).push_back({std::move(name), {}});
        return true;
    }
    bool end_object()
    {
        // Sorted views: comparing each with each would let a stranger choose our work.
        names_.clear();
        for (const Member& member : open_.back()->members())
            names_.push_back(member.name);
        std::sort(names_.begin(), names_.end());
        const auto twice = std::adjacent_find(names_.begin(), names_.end());
        if (twice != names_.end())
            return fail(format("the name '{}' is there twice", twice->substr(0, 60)));
        open_.pop_back();
        return true;
    }
    bool end_array()
    {
        open_.pop_back();
        return true;
    }
    bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&)
    {
        return fail(format("not JSON at byte {}", position));
    }

    Value root;
    std::string error;

private:
    bool fail(std::string text)
    {
        error = std::move(text);
        return false;
    }
    bool open(Value container)
    {
        if (open_.size() == depth_)
            return fail(format("more than {} levels", depth_));
        open_.push_back(&place(std::move(container)));
        return true;
    }
    bool put(Value value)
    {
        place(std::move(value));
        return true;
    }
    // Parents do not move while a child is open: they only grow at their end, after it closed.
    Value& place(Value value)
    {
        if (open_.empty())
            return root = std::move(value);
        Value& parent = *open_.back();
        if (parent.is_object())
            return std::get<Value::Object>(parent.state_).back().value = std::move(value);
        return std::get<Value::Array>(parent.state_).emplace_back(std::move(value));
    }

    const std::size_t depth_;
    std::vector<Value*> open_;
    std::vector<std::string_view> names_;
};

Result<Value> parse(std::string_view text, std::size_t depth)
{
    // The library takes a NUL for the end of the text; what follows it would go unread.
    if (const auto at = text.find('\0'); at != std::string_view::npos)
        return invalid(format("not JSON at byte {}", at));
    Builder builder{depth};
    if (!Library::sax_parse(text.begin(), text.end(), &builder))
        return invalid(builder.error.empty() ? std::string{"not JSON"} : std::move(builder.error));
    return std::move(builder.root);
}

} // namespace sipyard::json
