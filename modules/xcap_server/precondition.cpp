// modules/xcap_server/precondition.cpp - entity tag lists and what they decide
#include "modules/xcap_server/precondition.h"

#include "core/base/text.h"

namespace sipyard::xcap_server {
namespace {

struct Item {
    std::string_view tag;
    bool weak = false;
    bool quoted = true;
};

// Takes the next tag off the list; nothing at its end. A comma inside quotes belongs to the tag.
std::optional<Item> next(std::string_view& rest)
{
    while (!rest.empty() && (is_space(rest.front()) || rest.front() == ','))
        rest.remove_prefix(1);
    if (rest.empty())
        return {};
    Item item;
    if (rest.starts_with("W/") || rest.starts_with("w/")) {
        item.weak = true;
        rest.remove_prefix(2);
        rest = trim_left(rest);
    }
    std::size_t quotes = 0;
    while (quotes < rest.size() && rest[quotes] == '"')
        ++quotes;
    if (quotes == 0) {
        const auto comma = rest.find(',');
        item.tag = trim(rest.substr(0, comma));
        item.quoted = false;
        rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma);
        return item;
    }
    rest.remove_prefix(quotes);
    if (quotes % 2 == 0 && (rest.empty() || rest.front() == ',' || is_space(rest.front())))
        return item; // "" is an empty tag
    const auto end = rest.find('"');
    item.tag = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end);
    while (!rest.empty() && rest.front() == '"')
        rest.remove_prefix(1);
    return item;
}

} // namespace

std::string_view to_text(Gate gate)
{
    return gate == Gate::open ? "open" : gate == Gate::not_modified ? "not modified" : "failed";
}

bool is_any(std::string_view list)
{
    while (const auto item = next(list))
        if (!item->quoted && !item->weak && item->tag == "*")
            return true;
    return false;
}

bool names(std::string_view list, std::string_view tag, Compare compare)
{
    if (tag.empty())
        return false;
    while (const auto item = next(list)) {
        if (item->weak && compare == Compare::strong)
            continue;
        if (item->tag == tag)
            return true;
    }
    return false;
}

Gate gate(const Conditions& given, std::optional<std::string_view> stored, Reading reading)
{
    // If-Match first: a client that sends both wants the lost-update guard to win (RFC 7232 6).
    if (given.if_match &&
        (!stored || (!is_any(*given.if_match) && !names(*given.if_match, *stored, Compare::strong))))
        return Gate::failed;
    if (given.if_none_match && stored &&
        (is_any(*given.if_none_match) || names(*given.if_none_match, *stored, Compare::weak)))
        return reading == Reading::yes ? Gate::not_modified : Gate::failed;
    return Gate::open;
}

} // namespace sipyard::xcap_server
