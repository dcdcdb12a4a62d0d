// modules/presence/condition.h - conditional notification: Suppress-If-Match (RFC 5839, spec presence 4.10)
#pragma once

#include "modules/presence/api.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace sipyard::presence {

// What a SUBSCRIBE asks for; stays in force with the subscription until it is over.
enum class Wish : unsigned char { none, tag, any }; // no header; a tag; "*"
Wish wish_of(std::string_view suppress_if_match);

// The entity tag of a document: 16 hexadecimal digits. Null documents have one too.
std::string document_tag(const BodyPtr& body);

// The condition is true: the watcher has what there is to know, or wants to know nothing.
bool holds(std::string_view suppress_if_match, const BodyPtr& current);

// What follows from a SUBSCRIBE (the table of the spec).
enum class Kind : unsigned char { initial, refresh, ending, fetch };
struct Answer {
    int code = 200;
    bool notify = true;       // send a NOTIFY at all
    bool header_only = false; // without its body
};
Answer answer_of(Kind kind, bool condition_holds, bool status_changed);

} // namespace sipyard::presence
