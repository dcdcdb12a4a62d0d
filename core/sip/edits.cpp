// core/sip/edits.cpp - noting changes
#include "core/sip/edits.h"

#include "core/sip/edit_writer.h"

namespace sipyard::sip {

Edit& Edits::add(std::size_t from, std::size_t to, std::string_view text, EditKey key)
{
    auto& edit = arena_->make<Edit>();
    edit.from = static_cast<std::uint32_t>(from);
    edit.to = static_cast<std::uint32_t>(to);
    edit.text = arena_->copy(text);
    edit.key = key;
    (last_ != nullptr ? last_->next : first_) = &edit;
    last_ = &edit;
    return edit;
}

void Edits::undo(EditKey key)
{
    Edit* before = nullptr;
    for (Edit* e = first_; e != nullptr; e = e->next) {
        if (e->key != key) {
            before = e;
            continue;
        }
        (before != nullptr ? before->next : first_) = e->next;
        if (last_ == e)
            last_ = before;
    }
}

bool Edits::has(EditKey key) const { return find(key) != nullptr; }

const Edit* Edits::find(EditKey key) const
{
    for (const Edit* e = first_; e != nullptr; e = e->next)
        if (e->key == key)
            return e;
    return nullptr;
}

void Edits::insert(std::size_t offset, std::string_view text) { add(offset, offset, text, EditKey::none); }

void Edits::insert_when(When when, std::size_t offset, std::string_view text, EditKey key)
{
    Edit& edit = add(offset, offset, text, key);
    edit.when = when;
    edit.has_marks = true;
}

void Edits::insert_before(const Message& message, const Header& header, std::string_view text)
{
    insert(message.offset_of(header.whole), text);
}

void Edits::insert_after(const Message& message, const Header& header, std::string_view text)
{
    insert(message.offset_of(header.whole) + header.whole.size(), text);
}

void Edits::prepend_header(const Message& message, std::string_view text)
{
    insert(message.headers_offset(), text);
}

void Edits::append_header(const Message& message, std::string_view text)
{
    insert(message.end_of_headers(), text);
}

void Edits::remove(const Message& message, const Header& header) { replace(message, header.whole, {}); }

void Edits::remove_range(std::size_t from, std::size_t to)
{
    if (from < to)
        add(from, to, {}, EditKey::none);
}

void Edits::replace(std::size_t from, std::size_t to, std::string_view text, EditKey key)
{
    if (key != EditKey::none)
        undo(key);
    add(from, to, text, key);
}

void Edits::replace(const Message& message, std::string_view part, std::string_view text, EditKey key)
{
    const auto from = message.offset_of(part);
    replace(from, from + part.size(), text, key);
}

void Edits::replace_request_uri(const Message& message, std::string_view uri)
{
    if (message.is_request())
        replace(message, message.uri_text(), uri, EditKey::request_uri);
}

namespace {

const NameAddr* address_of(const Message& message, HeaderName from_or_to)
{
    return from_or_to == HeaderName::from ? message.from()
           : from_or_to == HeaderName::to ? message.to()
                                          : nullptr;
}

} // namespace

void Edits::replace_uri(const Message& message, HeaderName from_or_to, std::string_view uri)
{
    if (const auto* address = address_of(message, from_or_to))
        replace(message, address->uri, uri,
                from_or_to == HeaderName::from ? EditKey::from_uri : EditKey::to_uri);
}

void Edits::replace_display(const Message& message, HeaderName from_or_to, std::string_view display)
{
    const auto* address = address_of(message, from_or_to);
    if (address == nullptr)
        return;
    const auto key = from_or_to == HeaderName::from ? EditKey::from_display : EditKey::to_display;
    const auto uri_at = message.offset_of(address->uri);
    if (address->in_brackets) {
        // from the old name up to '<', blanks included
        const auto from = address->display.empty() ? uri_at - 1 : message.offset_of(address->display);
        const auto text = display.empty() ? std::string_view{} : arena_->concat(display, " ");
        replace(from, uri_at - 1, text, key);
    } else {
        undo(key);
        if (display.empty())
            return;
        // A name needs brackets around the URI. Two inserts, so that another URI may be noted before or
        // after.
        add(uri_at, uri_at, arena_->concat(display, " <"), key);
        add(uri_at + address->uri.size(), uri_at + address->uri.size(), ">", key);
    }
}

void Edits::replace_body(const Message& message, std::string_view body, std::string_view content_type)
{
    const auto at = message.body_offset();
    replace(at, at + message.body().size(), body, EditKey::body);
    const auto* header = message.first(HeaderName::content_type);
    if (header != nullptr && (body.empty() || !content_type.empty()))
        replace(message, header->whole,
                body.empty() ? std::string_view{} : arena_->concat("Content-Type: ", content_type, "\r\n"),
                EditKey::content_type);
    else if (header == nullptr && !body.empty() && !content_type.empty())
        replace(message.end_of_headers(), message.end_of_headers(),
                arena_->concat("Content-Type: ", content_type, "\r\n"), EditKey::content_type);
}

void Edits::note(const Edit& edit)
{
    Edit& copy = add(edit.from, edit.to, edit.text, edit.key);
    copy.when = edit.when;
    copy.has_marks = edit.has_marks;
}

Edits Edits::copy(Arena& arena) const
{
    Edits out{arena};
    for (const Edit* e = first_; e != nullptr; e = e->next)
        out.note(*e);
    return out;
}

std::string_view apply(const Message& message, const Edits& edits, Arena& arena)
{
    if (edits.empty())
        return message.buffer();
    return EditWriter{message, edits, arena}.write(false);
}

} // namespace sipyard::sip
