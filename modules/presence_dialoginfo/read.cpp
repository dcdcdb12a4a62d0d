// modules/presence_dialoginfo/read.cpp - the tree is walked once; children go where the schema wants them
#include "modules/presence_dialoginfo/read.h"

#include "core/base/text.h"
#include "core/base/xml_text.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace sipyard::presence_dialoginfo {

namespace {

using xml::ElementView;

constexpr xml::Limits limits{.depth = 32, .elements = 10'000, .attributes = 64, .name_length = 256};

// The children of an element by the names of the schema; others in `rest`. Of most there is one.
template <std::size_t size>
struct Sorted {
    std::array<std::vector<ElementView>, size> named;
    std::vector<ElementView> rest;
};

template <std::size_t size>
Sorted<size> sort_children(ElementView parent, Home home, const std::array<std::string_view, size>& names)
{
    Sorted<size> sorted;
    for (ElementView child = parent.first(); child; child = child.next()) {
        const auto name =
            is_home(child, home) ? std::find(names.begin(), names.end(), child.name()) : names.end();
        if (name == names.end())
            sorted.rest.push_back(child);
        else
            sorted.named[static_cast<std::size_t>(name - names.begin())].push_back(child);
    }
    return sorted;
}

Fragment first_fragment(const std::vector<ElementView>& elements, Home home, std::size_t depth)
{
    return elements.empty() ? Fragment{} : element_fragment(elements.front(), home, depth);
}

bool is_number(ElementView element) { return parse_uint(trim(element.text())).has_value(); }

class Reader {
public:
    explicit Reader(Home home) : home_{home} {}

    // The dialog, or what is wrong with it. `place` is its number in the document.
    Result<DialogPtr> read(ElementView element, std::size_t place) const
    {
        auto dialog = std::make_shared<Dialog>();
        dialog->id = element.attribute("id").value_or("");
        dialog->call_id = element.attribute("call-id").value_or("");
        dialog->local_tag = element.attribute("local-tag").value_or("");
        dialog->remote_tag = element.attribute("remote-tag").value_or("");
        for (const std::string* text :
             {&dialog->id, &dialog->call_id, &dialog->local_tag, &dialog->remote_tag})
            if (text->size() > max_identifier_size)
                return invalid("Dialog identifier too long");
        if (dialog->id.empty())
            dialog->id = made_id(*dialog, place);
        dialog->direction = sip::dialog_direction_from(element.attribute("direction").value_or(""));
        dialog->attributes =
            attributes_fragment(element, home_, {"id", "call-id", "local-tag", "remote-tag", "direction"});

        enum Child { state, duration, replaces, referred_by, route_set, local, remote };
        static constexpr std::array<std::string_view, 7> names{
            "state", "duration", "replaces", "referred-by", "route-set", "local", "remote"};
        auto children = sort_children(element, home_, names);
        if (children.named[state].empty())
            return invalid("A dialog without state");
        const ElementView state_element = children.named[state].front();
        const auto known = sip::dialog_state_from(state_element.text());
        if (!known)
            return invalid("Unknown dialog state");
        dialog->state = *known;
        dialog->state_attributes = read_state_attributes(state_element);

        std::vector<ElementView> details;
        if (!children.named[duration].empty() && is_number(children.named[duration].front()))
            details.push_back(children.named[duration].front());
        if (!children.named[replaces].empty())
            details.push_back(children.named[replaces].front());
        dialog->details = element_fragments(details, home_, 2);
        dialog->referred_by = first_fragment(children.named[referred_by], home_, 2);
        dialog->route_set = first_fragment(children.named[route_set], home_, 2);
        dialog->local = read_party(children.named[local]);
        dialog->remote = read_party(children.named[remote]);
        if (!children.named[remote].empty())
            for (ElementView e = children.named[remote].front().first(); e; e = e.next())
                if (is_home(e, "target", home_) && dialog->remote_target.empty())
                    dialog->remote_target = e.attribute("uri").value_or("");
        dialog->remote_private = std::erase_if(children.rest, [](ElementView e) {
                                     return e.is("privacy", sip::dialog_ext_ns);
                                 }) != 0;
        dialog->extensions = element_fragments(children.rest, home_, 2);
        dialog->hash = hash_of(*dialog);
        return DialogPtr{std::move(dialog)};
    }

private:
    static std::string made_id(const Dialog& dialog, std::size_t place)
    {
        Hasher hasher;
        hasher.add(dialog.call_id).add(dialog.local_tag).add(dialog.remote_tag);
        if (dialog.call_id.empty() && dialog.local_tag.empty() && dialog.remote_tag.empty())
            hasher.add(static_cast<std::uint64_t>(place)); // nothing tells them apart but their order
        return "h-" + hex_of(hasher.finish());
    }

    // Values outside the schema's enumerations would make our own document invalid: they are left out.
    Fragment read_state_attributes(ElementView element) const
    {
        Fragment known;
        Hasher hasher;
        const auto put = [&known, &hasher](std::string_view name, std::string_view value) {
            known.text += ' ';
            known.text += name;
            known.text += "=\"";
            append_xml_value(known.text, value);
            known.text += '"';
            hasher.add(name).add(value);
        };
        if (const auto event = sip::dialog_event_from(element.attribute("event").value_or(""));
            event != sip::DialogEvent::none)
            put("event", sip::to_text(event));
        const std::string code = element.attribute("code").value_or("");
        if (const auto number = parse_uint(trim(code)); number && *number >= 100 && *number <= 699)
            put("code", std::to_string(*number));
        const Fragment others = attributes_fragment(element, home_, {"event", "code"});
        if (known.empty())
            return others;
        known.text += others.text;
        if (!others.empty())
            hasher.add(others.hash);
        known.hash = hasher.finish();
        return known;
    }

    Party read_party(const std::vector<ElementView>& elements) const
    {
        if (elements.empty())
            return {};
        enum Child { identity, target, session, cseq };
        static constexpr std::array<std::string_view, 4> names{"identity", "target", "session-description",
                                                               "cseq"};
        auto children = sort_children(elements.front(), home_, names);
        std::vector<ElementView> rest;
        if (!children.named[cseq].empty() && is_number(children.named[cseq].front()))
            rest.push_back(children.named[cseq].front());
        rest.insert(rest.end(), children.rest.begin(), children.rest.end());
        return {.present = true,
                .attributes = attributes_fragment(elements.front(), home_, {}),
                .identity = element_fragments(children.named[identity], home_, 3),
                .target = first_fragment(children.named[target], home_, 3),
                .session = first_fragment(children.named[session], home_, 3),
                .rest = element_fragments(rest, home_, 3)};
    }

    static void add(Hasher& hasher, const Fragment& fragment)
    {
        hasher.add(static_cast<std::uint64_t>(!fragment.empty()));
        if (!fragment.empty())
            hasher.add(fragment.hash);
    }
    static void add(Hasher& hasher, const Party& party)
    {
        hasher.add(static_cast<std::uint64_t>(party.present));
        for (const Fragment* piece :
             {&party.attributes, &party.identity, &party.target, &party.session, &party.rest})
            add(hasher, *piece);
    }
    static presence::ContentHash hash_of(const Dialog& dialog)
    {
        Hasher hasher;
        hasher.add(dialog.call_id).add(dialog.local_tag).add(dialog.remote_tag);
        hasher.add(sip::to_text(dialog.state)).add(sip::to_text(dialog.direction));
        hasher.add(static_cast<std::uint64_t>(dialog.remote_private));
        for (const Fragment* piece : {&dialog.attributes, &dialog.state_attributes, &dialog.details,
                                      &dialog.referred_by, &dialog.route_set, &dialog.extensions})
            add(hasher, *piece);
        add(hasher, dialog.local);
        add(hasher, dialog.remote);
        return hasher.finish();
    }

    const Home home_;
};

// A later element of the same dialog takes the place of an earlier one (RFC 4235 4.3).
void put_dialog(std::vector<DialogPtr>& dialogs, DialogPtr dialog)
{
    const auto same = std::find_if(dialogs.begin(), dialogs.end(),
                                   [&dialog](const DialogPtr& d) { return is_same_dialog(*d, *dialog); });
    if (same == dialogs.end())
        dialogs.push_back(std::move(dialog));
    else
        *same = std::move(dialog);
}

void put_extension(std::vector<ExtensionPtr>& extensions, ExtensionPtr extension)
{
    const auto same = std::find_if(extensions.begin(), extensions.end(), [&extension](const ExtensionPtr& e) {
        return e->name == extension->name && e->ns == extension->ns;
    });
    if (same == extensions.end())
        extensions.push_back(std::move(extension));
    else
        *same = std::move(extension);
}

// Documents of partial state never say that a dialog is gone, only that it is terminated.
void forget_oldest_terminated(std::vector<DialogPtr>& dialogs)
{
    for (auto i = dialogs.begin(); i != dialogs.end() && dialogs.size() > max_dialogs;)
        i = (*i)->state == sip::DialogState::terminated ? dialogs.erase(i) : std::next(i);
}

} // namespace

Result<PublishedPtr> read_dialog_info(std::string_view body, Namespace wanted, const Published* before)
{
    const auto document = xml::Document::parse(body, limits);
    if (!document)
        return invalid("Malformed body");
    const ElementView root = document->root();
    const Home home = wanted == Namespace::lax && root.ns().empty() ? Home::none : Home::dialog_info;
    if (!is_home(root, "dialog-info", home))
        return invalid("Not a dialog-info document");

    auto published = std::make_shared<Published>();
    const bool partial = iequals(trim(root.attribute("state").value_or("")), "partial");
    if (partial && before) {
        published->dialogs = before->dialogs;
        published->extensions = before->extensions;
    }
    const Reader reader{home};
    std::size_t place = 0, extensions = 0;
    for (ElementView child = root.first(); child; child = child.next()) {
        if (is_home(child, "dialog", home)) {
            if (++place > max_dialogs)
                return invalid("Too many dialogs");
            TRY(DialogPtr dialog, reader.read(child, place));
            put_dialog(published->dialogs, std::move(dialog));
        } else if (++extensions <= max_dialogs) {
            auto extension = std::make_shared<Extension>();
            extension->ns = home == Home::none && child.ns().empty() ? sip::dialog_info_ns : child.ns();
            extension->name = child.name();
            extension->element = element_fragment(child, home, 1);
            put_extension(published->extensions, std::move(extension));
        } else {
            return invalid("Too many extensions");
        }
    }
    forget_oldest_terminated(published->dialogs);
    if (published->dialogs.size() > max_dialogs || published->extensions.size() > max_dialogs)
        return invalid("Too many dialogs");
    return PublishedPtr{std::move(published)};
}

} // namespace sipyard::presence_dialoginfo
