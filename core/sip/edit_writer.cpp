// core/sip/edit_writer.cpp - ordering edits and writing the result
#include "core/sip/edit_writer.h"

#include "core/base/text.h"

#include <algorithm>
#include <cassert>
#include <cstdint>

namespace sipyard::sip {

void Pen::put_number(std::uint64_t number)
{
    char digits[20];
    std::size_t n = sizeof digits;
    do {
        digits[--n] = static_cast<char>('0' + number % 10);
        number /= 10;
    } while (number != 0);
    put({digits + n, sizeof digits - n});
}

namespace {

bool applies(When when, const Hop& hop)
{
    switch (when) {
    case When::always: return true;
    case When::same_socket: return !hop.crosses_sockets;
    case When::other_socket: return hop.crosses_sockets;
    case When::same_protocol: return !hop.crosses_protocols;
    case When::other_protocol: return hop.crosses_protocols;
    }
    return true;
}

// The text with its marks filled in; itself when there are none.
std::string_view filled(std::string_view text, const Hop& hop, Arena& arena)
{
    constexpr std::string_view marks = "\x01\x02\x03\x04";
    if (text.find_first_of(marks) == std::string_view::npos)
        return text;
    const auto is_mark = [](char c) { return c >= hop_mark::address && c <= hop_mark::name_param; };
    const std::size_t longest = hop.address.size() + hop.transport.size() + hop.socket_name.size() + 16;
    const auto many = static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_mark));
    char* const start = arena.array<char>(text.size() + many * longest);
    Pen pen{start};
    for (const char c : text) {
        switch (c) {
        case hop_mark::address: pen.put(hop.address); break;
        case hop_mark::transport: pen.put(hop.transport); break;
        case hop_mark::transport_param:
            if (!hop.transport.empty() && hop.transport != "udp") {
                pen.put(";transport=");
                pen.put(hop.transport);
            }
            break;
        case hop_mark::name_param:
            if (!hop.socket_name.empty()) {
                pen.put(";sn=");
                pen.put(hop.socket_name);
            }
            break;
        default: pen.put(c);
        }
    }
    return {start, static_cast<std::size_t>(pen.at - start)};
}

} // namespace

EditWriter::EditWriter(const Message& message, const Edits& edits, Arena& arena, const Hop& hop)
    : message_{message}, arena_{arena}
{
    std::size_t count = own_steps + message.count(HeaderName::content_length);
    for (const Edit* e = edits.first(); e != nullptr; e = e->next)
        ++count;
    steps_ = arena.array<Step>(count);
    // The writer's own inserts go first at their place.
    std::uint32_t order = 1u << 16;
    const auto size = message.buffer().size();
    const bool has_body_place = message.body_offset() > message.end_of_headers();
    for (const Edit* e = edits.first(); e != nullptr; e = e->next) {
        if (e->to > size || e->from > e->to)
            continue; // of another message: a bug, but no reason to write beyond the buffer
        if (!applies(e->when, hop))
            continue;
        new (&steps_[count_++])
            Step{e->from, e->to, order++, e->has_marks ? filled(e->text, hop, arena) : e->text};
        body_touched_ |=
            has_body_place && e->to >= message.body_offset() && e->from >= message.end_of_headers();
    }
}

void EditWriter::add(std::size_t from, std::size_t to, std::string_view text)
{
    new (&steps_[count_++])
        Step{static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(to), own_++, text};
}

// By place; inserts before what is replaced there, else in the order they were made.
void EditWriter::sort()
{
    const auto before = [](const Step& a, const Step& b) {
        if (a.from != b.from)
            return a.from < b.from;
        const bool a_insert = a.from == a.to, b_insert = b.from == b.to;
        return a_insert != b_insert ? a_insert : a.order < b.order;
    };
    std::sort(steps_, steps_ + count_, before);
}

// Runs over [begin, end) of the buffer: copy(text) for what stays, put(text) for what is new.
template <class Copy, class Put>
void EditWriter::walk(std::size_t begin, std::size_t end, Copy&& copy, Put&& put) const
{
    std::size_t cursor = begin;
    const auto buffer = message_.buffer();
    for (std::size_t n = 0; n < count_; ++n) {
        const Step& step = steps_[n];
        if (step.from > end || (step.from == end && end != buffer.size()))
            continue;
        if (step.from < begin) { // began before our part, may reach into it
            cursor = std::max<std::size_t>(cursor, step.to);
            continue;
        }
        if (step.from > cursor) {
            copy(buffer.substr(cursor, step.from - cursor));
            cursor = step.from;
        }
        if (step.from >= cursor) // else its place is gone
            put(step.text);
        cursor = std::max<std::size_t>(cursor, step.to);
    }
    if (cursor < end)
        copy(buffer.substr(cursor, end - cursor));
}

bool EditWriter::is_removed(const Header& header) const
{
    const auto from = message_.offset_of(header.whole);
    for (std::size_t n = 0; n < count_; ++n)
        if (steps_[n].from != steps_[n].to && steps_[n].from <= from &&
            steps_[n].to >= from + header.whole.size())
            return true;
    return false;
}

void EditWriter::correct_content_length(bool wanted)
{
    const Header* header = message_.first(HeaderName::content_length);
    while (header != nullptr && is_removed(*header))
        header = message_.next(*header);
    if (header == nullptr && !wanted && !body_touched_)
        return;
    std::size_t length = message_.body().size();
    if (body_touched_) {
        length = 0;
        const auto count = [&length](std::string_view text) { length += text.size(); };
        walk(message_.body_offset(), message_.buffer().size(), count, count);
    }
    char digits[20];
    const std::string_view number{digits, put_int(digits, static_cast<std::int64_t>(length))};
    if (header != nullptr) {
        for (const auto* more = message_.next(*header); more != nullptr; more = message_.next(*more))
            remove(more->whole); // repeated with the same value: one is enough
        if (header->value == number)
            return;
        if (!header->value.empty()) {
            std::memcpy(length_text_, number.data(), number.size());
            replace(header->value, {length_text_, number.size()});
            return;
        }
        remove(header->whole); // "Content-Length:" and nothing behind it
    }
    Pen pen{length_text_};
    pen.put("Content-Length: ");
    pen.put(number);
    pen.put("\r\n");
    // behind the headers that edits append, as the last one
    new (&steps_[count_++]) Step{static_cast<std::uint32_t>(message_.end_of_headers()),
                                 static_cast<std::uint32_t>(message_.end_of_headers()),
                                 UINT32_MAX,
                                 {length_text_, static_cast<std::size_t>(pen.at - length_text_)}};
}

std::string_view EditWriter::write(bool content_length_wanted)
{
    sort();
    correct_content_length(content_length_wanted);
    if (count_ == 0)
        return message_.buffer();
    sort();
    std::size_t size = message_.buffer().size();
    for (std::size_t n = 0; n < count_; ++n)
        size += steps_[n].text.size();
    char* const start = arena_.array<char>(size);
    Pen pen{start};
    const auto put = [&pen](std::string_view text) { pen.put(text); };
    walk(0, message_.buffer().size(), put, put);
    assert(static_cast<std::size_t>(pen.at - start) <= size);
    return {start, static_cast<std::size_t>(pen.at - start)};
}

} // namespace sipyard::sip
