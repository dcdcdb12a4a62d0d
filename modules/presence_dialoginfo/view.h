// modules/presence_dialoginfo/view.h - what a watcher is shown of the dialogs, and how it fits into a variant
#pragma once

#include "core/base/from_text.h"
#include "modules/presence/api.h"

#include <optional>
#include <string>
#include <string_view>

namespace sipyard::presence_dialoginfo {

// How much of a dialog is shown: all; without the remote party; only that there is one, and its state.
enum class Privacy : unsigned char { full, anonymous, state };
std::string_view to_text(Privacy privacy);

// The document when there is no dialog: without one, no body at all, one that is terminated, the last one.
enum class IdleBody : unsigned char { empty, none, dummy, last };
std::string_view to_text(IdleBody idle);

// Which dialogs a subscription asked for (RFC 4235 3.2); "" takes any.
struct Filter {
    std::string call_id, local_tag, remote_tag;
    bool is_empty() const { return call_id.empty() && local_tag.empty() && remote_tag.empty(); }
    // One dialog, or those of one INVITE: such a subscription ends with them (3.4).
    bool is_specific() const { return !call_id.empty() && !local_tag.empty(); }
};

struct View {
    Privacy privacy = Privacy::full;
    IdleBody idle = IdleBody::empty;
    bool single = false;           // one dialog at most, the most interesting
    bool caller_confirmed = false; // a caller's ringing call is shown as answered
    bool session = false;          // session descriptions too
    Filter filter;
    std::string own_contact; // dialogs with this remote target are left out; "" leaves none out

    presence::Variant variant() const;
    static View of(const presence::Variant& variant);
};

// The filter and include-session-description of an Event header's parameters; what else is there is ignored.
void read_event_params(std::string_view params, View& view);

} // namespace sipyard::presence_dialoginfo

template <>
struct sipyard::FromText<sipyard::presence_dialoginfo::Privacy> {
    static constexpr bool integer = false;
    static constexpr std::string_view expected = "full, anonymous or state";
    static Result<presence_dialoginfo::Privacy> parse(std::string_view text);
    static std::string print(presence_dialoginfo::Privacy value) { return std::string{to_text(value)}; }
};
template <>
struct sipyard::FromText<sipyard::presence_dialoginfo::IdleBody> {
    static constexpr bool integer = false;
    static constexpr std::string_view expected = "empty, none, dummy or last";
    static Result<presence_dialoginfo::IdleBody> parse(std::string_view text);
    static std::string print(presence_dialoginfo::IdleBody value) { return std::string{to_text(value)}; }
};
