// modules/presence/condition.cpp - conditional notification: Suppress-If-Match
#include "modules/presence/condition.h"

#include "core/base/text.h"

namespace sipyard::presence {

Wish wish_of(std::string_view suppress_if_match)
{
    const auto text = trim(suppress_if_match);
    return text.empty() ? Wish::none : text == "*" ? Wish::any : Wish::tag;
}

std::string document_tag(const BodyPtr& body)
{
    const std::uint64_t hash = body ? body->hash.high ^ (body->hash.low << 1 | body->hash.low >> 63) : 0;
    std::string tag(16, '0');
    for (std::size_t i = 0; i < 16; ++i)
        tag[i] = "0123456789abcdef"[hash >> (60 - 4 * i) & 15];
    return tag;
}

bool holds(std::string_view suppress_if_match, const BodyPtr& current)
{
    switch (wish_of(suppress_if_match)) {
    case Wish::none: return false;
    case Wish::any: return true;
    case Wish::tag: return trim(suppress_if_match) == document_tag(current);
    }
    return false;
}

Answer answer_of(Kind kind, bool condition_holds, bool status_changed)
{
    if (!condition_holds)
        return {};
    switch (kind) {
    case Kind::refresh:
        if (status_changed) // the state of the subscription is told all the same (6.2)
            return {200, true, true};
        return {204, false, false};
    case Kind::ending: return {204, false, false};
    case Kind::initial:
    case Kind::fetch: return {200, true, true}; // 204 exists only inside a dialog (7.1)
    }
    return {};
}

} // namespace sipyard::presence
