// core/sip/dialog_info.h - dialog-info documents: their words, a model to fill, and the writer (RFC 4235)
//
// Reading them is modules/presence_dialoginfo's business; what is written here is in the shape and order it
// writes too, so a document goes through it byte for byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sipyard::sip {

inline constexpr std::string_view dialog_info_type = "application/dialog-info+xml";
inline constexpr std::string_view dialog_info_ns = "urn:ietf:params:xml:ns:dialog-info";
// Elements of our own. <privacy> in a dialog asks the presence server to show its remote party to nobody
// (RFC 3323, RFC 3325 Privacy: id); it is acted upon and not passed on.
inline constexpr std::string_view dialog_ext_ns = "urn:sipyard:dialog-ext";

enum class DialogState : unsigned char { trying, proceeding, early, confirmed, terminated }; // 3.7.1
enum class DialogDirection : unsigned char { none, initiator, recipient }; // of the observed user
enum class DialogEvent : unsigned char {                                   // why it terminated (4.1.2)
    none,
    cancelled,
    rejected,
    replaced,
    local_bye,
    remote_bye,
    error,
    timeout
};
enum class DialogInfoState : unsigned char { full, partial };

// As the document writes them; "" for none. From text: exact but for letter case and white space around.
std::string_view to_text(DialogState state);
std::string_view to_text(DialogDirection direction);
std::string_view to_text(DialogEvent event);
std::string_view to_text(DialogInfoState state);
std::optional<DialogState> dialog_state_from(std::string_view text);
DialogDirection dialog_direction_from(std::string_view text);
DialogEvent dialog_event_from(std::string_view text);

// All texts are plain, the writer escapes them; only `extensions` is XML: whole elements in other namespaces
// that declare their prefixes themselves. Empty means absent.
struct DialogParty {
    std::string identity{}, display{}; // URI of the user; display is written with an identity only
    std::string target{};              // the Contact URI
    std::vector<std::pair<std::string, std::string>> params{}; // of the Contact; no value is "true" (4.1.6.2)
    std::string session_type{}, session{}; // "application/sdp" and the session description
    std::optional<std::uint32_t> cseq{};
    std::string extensions{};
    bool empty() const
    {
        return identity.empty() && target.empty() && session_type.empty() && !cseq && extensions.empty();
    }
};
struct DialogReplaces { // the dialog this one took the place of (RFC 3891)
    std::string call_id{}, local_tag{}, remote_tag{};
};
struct DialogElement {
    std::string id{}; // required; unique among the observed user's dialogs, the same for a dialog's life
    std::string call_id{}, local_tag{}, remote_tag{}; // tags as the observed user sees them
    DialogDirection direction = DialogDirection::none;
    DialogState state = DialogState::trying;
    DialogEvent event = DialogEvent::none;
    int code = 0;                            // 100..699, else it is left out
    std::optional<std::uint64_t> duration{}; // seconds
    std::optional<DialogReplaces> replaces{};
    std::string referred_by{}, referred_by_display{}; // URI
    std::vector<std::string> route_set{};
    DialogParty local{}, remote{};
    std::string extensions{};
    bool remote_private = false; // writes dialog_ext_ns' <privacy>
};
struct DialogInfo {
    std::string entity{}; // URI of the observed user
    std::uint32_t version = 0;
    DialogInfoState state = DialogInfoState::full;
    std::vector<DialogElement> dialogs{};
    std::string extensions{}; // after the last dialog
};

// Well-formed whatever the texts hold, valid by the schema of 4.4 when the identities are URIs.
std::string write(const DialogInfo& document);

// The parts, for who puts documents together himself: up to the version's opening quote; from its closing
// quote; each dialog as whole lines; the last line.
void append_dialog_info_start(std::string& out);
void append_dialog_info_after_version(std::string& out, DialogInfoState state, std::string_view entity);
void append_dialog(std::string& out, const DialogElement& dialog); // two blanks of indentation, a whole line
inline constexpr std::string_view dialog_info_end = "</dialog-info>\n";

} // namespace sipyard::sip
