// core/sip/edits.h - changes noted against an untouched message, made when the message is written
#pragma once

#include "core/base/arena.h"
#include "core/sip/header.h"
#include "core/sip/message.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sipyard::sip {

// What a replacement stands for. A second replacement of the same thing takes the place of the first.
enum class EditKey : unsigned char {
    none,
    from_uri,
    from_display,
    to_uri,
    to_display,
    request_uri,
    body,
    content_type,
    record_route, // several edits may share it: find() gives the first, undo() takes all
};

// The way a request leaves, known only when it is sent. Texts live until the message is written.
struct Hop {
    std::string_view address;     // of the sending socket as others reach it: "192.0.2.1:5070"
    std::string_view transport;   // "udp", "tcp", "tls"
    std::string_view socket_name; // "": it has none
    bool crosses_sockets = false; // it came by another socket than it leaves by
    bool crosses_protocols = false;
};

// Edits that depend on the hop are written or left out when it is known; without a hop (msg_apply_changes)
// the request counts as leaving the way it came.
enum class When : unsigned char { always, same_socket, other_socket, same_protocol, other_protocol };

// Bytes that stand for a part of the hop in texts of edits noted with insert_when().
namespace hop_mark {
inline constexpr char address = '\x01';         // the hop's address
inline constexpr char transport_param = '\x02'; // ";transport=tcp"; nothing for UDP
inline constexpr char transport = '\x03';       // "tcp"
inline constexpr char name_param = '\x04';      // ";sn=name"; nothing without a name
} // namespace hop_mark

// One change. Offsets count from the start of message.buffer(), so edits stay good for a copy of that buffer.
struct Edit {
    std::uint32_t from = 0; // [from, to) is replaced by text; from == to inserts
    std::uint32_t to = 0;
    std::string_view text; // in the arena of the Edits
    EditKey key = EditKey::none;
    When when = When::always;
    bool has_marks = false; // hop_mark bytes in the text stand for something
    Edit* next = nullptr;   // in the order they were made
};

// An ordered list of changes. Texts are copied into the arena. Inserts at one place come out in the order
// they were made (insert_before: the newest is nearest to the place it stands before). Inserts next to
// removed text are kept, those within it are lost with it; overlapping removals are harmless; of a
// replacement that begins inside text that is gone only the removal counts. Header texts bring their own
// CRLF.
class Edits {
public:
    explicit Edits(Arena& arena) : arena_{&arena} {}

    void insert(std::size_t offset, std::string_view text);
    // An insert that depends on the hop; marks in the text are filled in when it is written.
    void insert_when(When when, std::size_t offset, std::string_view text, EditKey key);
    void insert_before(const Message& message, const Header& header, std::string_view text);
    void insert_after(const Message& message, const Header& header, std::string_view text);
    void prepend_header(const Message& message, std::string_view text); // before the first header field
    void append_header(const Message& message, std::string_view text);  // after the last header field
    void remove(const Message& message, const Header& header);
    void remove_range(std::size_t from, std::size_t to);
    void replace(std::size_t from, std::size_t to, std::string_view text, EditKey key = EditKey::none);
    // `part` is a view into message.buffer().
    void replace(const Message& message, std::string_view part, std::string_view text,
                 EditKey key = EditKey::none);
    // The R-URI on the wire; also `start_line` rewriting of replies goes through replace().
    void replace_request_uri(const Message& message, std::string_view uri);
    // From and To: another URI (the display name and tag stay), another display name ("" removes it; quotes
    // are the caller's).
    void replace_uri(const Message& message, HeaderName from_or_to, std::string_view uri);
    void replace_display(const Message& message, HeaderName from_or_to, std::string_view display);
    // A new body. Content-Type is replaced (or added) when given, Content-Length is corrected when the
    // message is written. An empty body removes Content-Type too.
    void replace_body(const Message& message, std::string_view body, std::string_view content_type = {});
    void note(const Edit& edit); // the same change once more: of a list that was kept elsewhere
    void undo(EditKey key);      // forgets the replacement of that key

    bool empty() const { return first_ == nullptr; }
    bool has(EditKey key) const;
    const Edit* find(EditKey key) const; // the one in force
    const Edit* first() const { return first_; }

    // The same edits with their texts in another arena: the request's edits as the start of a branch's.
    Edits copy(Arena& arena) const;
    void clear()
    {
        first_ = nullptr;
        last_ = nullptr;
    }

private:
    Edit& add(std::size_t from, std::size_t to, std::string_view text, EditKey key);

    Arena* arena_;
    Edit* first_ = nullptr;
    Edit* last_ = nullptr;
};

// The message as it stands with its edits, Content-Length corrected if the body changed (msg_apply_changes,
// $mbu). One buffer in `arena`; without edits it is message.buffer() itself.
std::string_view apply(const Message& message, const Edits& edits, Arena& arena);

} // namespace sipyard::sip
