// modules/presence_dialoginfo/render.cpp - which dialogs, in which form, and what counts as news of them
#include "modules/presence_dialoginfo/render.h"

#include "core/sip/uri.h"
#include "modules/presence_dialoginfo/form.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace sipyard::presence_dialoginfo {

namespace {

using sip::DialogState;

constexpr std::array<std::string_view, 2> dummy_ids{"hash", "kamailio"};
constexpr std::string_view kamailio_dummy_id = "615293b33c62dec073e05d9421e9f48b";

// A ringing line is more interesting than a busy one: it may be picked up.
int interest(DialogState state)
{
    switch (state) {
    case DialogState::terminated: return 0;
    case DialogState::trying: return 1;
    case DialogState::proceeding: return 2;
    case DialogState::confirmed: return 3;
    case DialogState::early: break;
    }
    return 4;
}

bool takes(const Filter& filter, const Dialog& dialog)
{
    const auto fits = [](const std::string& wanted, const std::string& there) {
        return wanted.empty() || wanted == there;
    };
    return fits(filter.call_id, dialog.call_id) && fits(filter.local_tag, dialog.local_tag) &&
           fits(filter.remote_tag, dialog.remote_tag);
}

bool is_own(const std::string& contact, const Dialog& dialog)
{
    if (contact.empty() || dialog.remote_target.empty())
        return false;
    const auto ours = sip::parse_uri(contact), theirs = sip::parse_uri(dialog.remote_target);
    return ours && theirs ? sip::same_uri(*ours, *theirs) : contact == dialog.remote_target;
}

std::vector<const Known*> chosen(const State& state, const View& view)
{
    std::vector<const Known*> list;
    for (const Known& known : state.dialogs)
        if (known.dialog && takes(view.filter, *known.dialog) && !is_own(view.own_contact, *known.dialog))
            list.push_back(&known);
    return list;
}

bool is_terminated(const Known& known) { return known.dialog->state == DialogState::terminated; }

const Known* most_interesting(const std::vector<const Known*>& list, const View& view)
{
    const auto less = [&view](const Known* a, const Known* b) {
        const int ia = interest(shown_state(*a->dialog, view)), ib = interest(shown_state(*b->dialog, view));
        if (ia != ib)
            return ia < ib;
        return a->changed != b->changed ? a->changed < b->changed : a->name < b->name;
    };
    return *std::max_element(list.begin(), list.end(), less);
}

// What a document says, as it grows.
struct Draft {
    std::string text;
    Hasher said, lasting; // all; what a watcher has to be told when it goes

    void put(const Known& known, const View& view)
    {
        const auto hash = append_form(text, known.name, *known.dialog, view);
        said.add(hash);
        if (!is_terminated(known))
            lasting.add(hash);
    }
    void put(const std::vector<ExtensionPtr>& extensions, const View& view)
    {
        if (view.privacy == Privacy::state)
            return;
        for (const ExtensionPtr& extension : extensions) {
            text += extension->element.text;
            said.add(extension->element.hash);
            lasting.add(extension->element.hash);
        }
    }
};

std::uint64_t number_of(const Known& known)
{
    return Hasher{}.add(known.name).add(known.dialog->hash).finish().high;
}

std::shared_ptr<presence::Body> new_body()
{
    auto body = std::make_shared<presence::Body>();
    body->content_type = sip::dialog_info_type;
    body->has_version = true;
    sip::append_dialog_info_start(body->before);
    return body;
}

void put_dummy(Draft& draft, std::string_view entity, DummyId dummy_id)
{
    sip::DialogElement dummy;
    dummy.id = dummy_id == DummyId::kamailio ? std::string{kamailio_dummy_id}
                                             : hex_of(Hasher{}.add(entity).finish());
    dummy.direction = sip::DialogDirection::recipient;
    dummy.state = DialogState::terminated;
    sip::append_dialog(draft.text, dummy);
    draft.said.add(dummy.id);
}

} // namespace

std::string_view to_text(DummyId id) { return dummy_ids[static_cast<std::size_t>(id)]; }

presence::BodyPtr render_full(std::string_view entity, const State& state, const View& view, DummyId dummy_id)
{
    const std::vector<const Known*> list = chosen(state, view);
    const bool idle = list.empty() && view.filter.is_empty();
    if (idle && view.idle == IdleBody::none)
        return {};
    auto body = new_body();
    Draft draft;
    sip::append_dialog_info_after_version(draft.text, sip::DialogInfoState::full, entity);
    if (idle && view.idle == IdleBody::dummy)
        put_dummy(draft, entity, dummy_id);
    else if (idle && view.idle == IdleBody::last && state.last.dialog &&
             !is_own(view.own_contact, *state.last.dialog))
        draft.put(state.last, view);
    else if (!list.empty() && view.single)
        draft.put(*most_interesting(list, view), view);
    else
        for (const Known* const known : list)
            draft.put(*known, view);
    draft.put(state.extensions, view);
    draft.text += sip::dialog_info_end;

    // With one dialog to show, another that was terminated unseen is no news when it goes either.
    for (const Known* const known : list)
        if (is_terminated(*known))
            body->ended.push_back(number_of(*known));
    std::sort(body->ended.begin(), body->ended.end());
    body->hash = draft.said.finish();
    body->essence = draft.lasting.finish();
    body->after = std::move(draft.text);
    return body;
}

presence::BodyPtr render_partial(std::string_view entity, const State& before, const State& now,
                                 const View& view, DummyId dummy_id)
{
    const std::vector<const Known*> old = chosen(before, view), current = chosen(now, view);
    if (view.single || current.empty() || old.empty())
        return {};
    std::string scratch;
    std::map<std::string_view, presence::ContentHash> known_before;
    std::set<std::string_view> names;
    for (const Known* const known : current)
        names.insert(known->name);
    for (const Known* const known : old) {
        known_before[known->name] = append_form(scratch, known->name, *known->dialog, view);
        if (!names.contains(known->name) && !is_terminated(*known))
            return {};
    }
    auto body = new_body();
    sip::append_dialog_info_after_version(body->after, sip::DialogInfoState::partial, entity);
    bool changed = false;
    for (const Known* const known : current) {
        scratch.clear();
        const auto hash = append_form(scratch, known->name, *known->dialog, view);
        const auto same = known_before.find(known->name);
        if (same != known_before.end() && same->second == hash)
            continue;
        body->after += scratch;
        changed = true;
    }
    if (!changed)
        return {};
    Draft extensions;
    extensions.put(now.extensions, view);
    body->after += extensions.text;
    body->after += sip::dialog_info_end;

    const presence::BodyPtr full = render_full(entity, now, view, dummy_id);
    body->hash = full->hash;
    body->essence = full->essence;
    body->ended = full->ended;
    return body;
}

bool is_over(const State& state, const View& view)
{
    if (!view.filter.is_specific())
        return false;
    return std::all_of(state.dialogs.begin(), state.dialogs.end(), [&view](const Known& known) {
        return !known.dialog || !takes(view.filter, *known.dialog) || is_terminated(known);
    });
}

} // namespace sipyard::presence_dialoginfo

namespace sipyard {

Result<presence_dialoginfo::DummyId> FromText<presence_dialoginfo::DummyId>::parse(std::string_view text)
{
    using namespace presence_dialoginfo;
    for (std::size_t i = 0; i < dummy_ids.size(); ++i)
        if (iequals(trim(text), dummy_ids[i]))
            return static_cast<DummyId>(i);
    return invalid(format("'{}' is not {}", text, expected));
}

} // namespace sipyard
