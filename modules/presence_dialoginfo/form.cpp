// modules/presence_dialoginfo/form.cpp - pieces in the order of the schema, less what privacy takes
#include "modules/presence_dialoginfo/form.h"

#include "core/base/xml_text.h"

namespace sipyard::presence_dialoginfo {

namespace {

// The uri of RFC 3323 4.1.1.3, as RFC 4235 4.1.6.1 writes it.
constexpr std::string_view anonymous = "    <remote>\n"
                                       "      <identity>sip:anonymous@anonymous.invalid</identity>\n"
                                       "    </remote>\n";

// Text goes out as it is and counts as it is; a piece counts by its own hash.
class Form {
public:
    explicit Form(std::string& out) : out_{out} {}
    void put(std::string_view text)
    {
        out_ += text;
        hasher_.add(text);
    }
    void put(const Fragment& piece)
    {
        if (piece.empty())
            return;
        out_ += piece.text;
        hasher_.add(piece.hash);
    }
    void put_attribute(std::string_view name, std::string_view value)
    {
        if (value.empty())
            return;
        hasher_.add(name).add(value);
        out_ += ' ';
        out_ += name;
        out_ += "=\"";
        append_xml_value(out_, value);
        out_ += '"';
    }
    presence::ContentHash finish() const { return hasher_.finish(); }

private:
    std::string& out_;
    Hasher hasher_;
};

void put_party(Form& form, std::string_view name, const Party& party, bool with_session)
{
    if (!party.present)
        return;
    form.put("    <");
    form.put(name);
    form.put(party.attributes);
    const bool session = with_session && !party.session.empty();
    if (party.identity.empty() && party.target.empty() && !session && party.rest.empty()) {
        form.put("/>\n");
        return;
    }
    form.put(">\n");
    form.put(party.identity);
    form.put(party.target);
    if (session)
        form.put(party.session);
    form.put(party.rest);
    form.put("    </");
    form.put(name);
    form.put(">\n");
}

void put_state(Form& form, sip::DialogState state, const Fragment* attributes)
{
    form.put("    <state");
    if (attributes)
        form.put(*attributes);
    form.put(">");
    form.put(sip::to_text(state));
    form.put("</state>\n");
}

} // namespace

sip::DialogState shown_state(const Dialog& dialog, const View& view)
{
    const bool rings =
        dialog.state == sip::DialogState::early || dialog.state == sip::DialogState::proceeding;
    return view.caller_confirmed && rings && dialog.direction == sip::DialogDirection::initiator
               ? sip::DialogState::confirmed
               : dialog.state;
}

presence::ContentHash append_form(std::string& out, std::string_view name, const Dialog& dialog,
                                  const View& view)
{
    Form form{out};
    const sip::DialogState state = shown_state(dialog, view);
    form.put("  <dialog");
    if (view.privacy == Privacy::state) {
        // The id may hold the Call-ID; a hash of it is as good to tell dialogs apart.
        form.put_attribute("id", hex_of(Hasher{}.add(name).finish()));
        form.put_attribute("direction", sip::to_text(dialog.direction));
        form.put(">\n");
        put_state(form, state, nullptr);
        form.put("  </dialog>\n");
        return form.finish();
    }
    form.put_attribute("id", name);
    form.put_attribute("call-id", dialog.call_id);
    form.put_attribute("local-tag", dialog.local_tag);
    form.put_attribute("remote-tag", dialog.remote_tag);
    form.put_attribute("direction", sip::to_text(dialog.direction));
    form.put(dialog.attributes);
    form.put(">\n");
    put_state(form, state, &dialog.state_attributes);
    form.put(dialog.details);
    const bool hidden = view.privacy == Privacy::anonymous || dialog.remote_private;
    if (!hidden)
        form.put(dialog.referred_by); // who sent the caller here is nobody's business either
    form.put(dialog.route_set);
    put_party(form, "local", dialog.local, view.session);
    if (!hidden)
        put_party(form, "remote", dialog.remote, view.session);
    else if (dialog.remote.present)
        form.put(anonymous);
    form.put(dialog.extensions);
    form.put("  </dialog>\n");
    return form.finish();
}

} // namespace sipyard::presence_dialoginfo
