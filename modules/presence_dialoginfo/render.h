// modules/presence_dialoginfo/render.h - the document a watcher gets, put together from texts made before
#pragma once

#include "modules/presence_dialoginfo/state.h"
#include "modules/presence_dialoginfo/view.h"

#include <string_view>

namespace sipyard::presence_dialoginfo {

// The id of the dialog in a dummy document: a hash of the presentity, or the constant of Kamailio.
enum class DummyId : unsigned char { presentity, kamailio };
std::string_view to_text(DummyId id);

// All of it. Null: no body. `entity` is the presentity's URI.
presence::BodyPtr render_full(std::string_view entity, const State& state, const View& view,
                              DummyId dummy_id);

// What changed. Null where that cannot be told in a document of partial state, which knows no word for
// "gone": then the whole is due. Its hashes are those of the full document, because who has it knows the
// same.
presence::BodyPtr render_partial(std::string_view entity, const State& before, const State& now,
                                 const View& view, DummyId dummy_id);

// Has every dialog this subscription asked for ended? Never true of one that asked for all (RFC 4235 3.4).
bool is_over(const State& state, const View& view);

} // namespace sipyard::presence_dialoginfo

template <>
struct sipyard::FromText<sipyard::presence_dialoginfo::DummyId> {
    static constexpr bool integer = false;
    static constexpr std::string_view expected = "hash or kamailio";
    static Result<presence_dialoginfo::DummyId> parse(std::string_view text);
    static std::string print(presence_dialoginfo::DummyId value) { return std::string{to_text(value)}; }
};
