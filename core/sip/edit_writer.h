// core/sip/edit_writer.h - writes a message with its edits, in one pass; used by edits.cpp and build.cpp only
#pragma once

#include "core/base/arena.h"
#include "core/sip/edits.h"
#include "core/sip/message.h"

#include <cstdint>
#include <cstring>
#include <string_view>

namespace sipyard::sip {

// Text that grows at the end of room reserved beforehand. The caller counts first, so nothing is checked
// while writing.
struct Pen {
    char* at;
    void put(std::string_view text)
    {
        if (!text.empty())
            std::memcpy(at, text.data(), text.size());
        at += text.size();
    }
    void put(char c) { *at++ = c; }
    void put_number(std::uint64_t number);
};

// Gathers the message's edits and those of the way it leaves (Via, R-URI, Content-Length), orders them and
// writes.
class EditWriter {
public:
    EditWriter(const Message& message, const Edits& edits, Arena& arena, const Hop& hop = {});

    // Changes of the writer itself; texts must live until write(). Of inserts at one place the ones added
    // here come first.
    void insert(std::size_t offset, std::string_view text) { add(offset, offset, text); }
    void replace(std::string_view part, std::string_view text)
    {
        add(message_.offset_of(part), message_.offset_of(part) + part.size(), text);
    }
    void remove(std::string_view part) { replace(part, {}); }

    // Content-Length is made true; one is added when there is none and `wanted`, or when the edits gave a
    // body.
    std::string_view write(bool content_length_wanted);

private:
    struct Step {
        std::uint32_t from, to;
        std::uint32_t order;
        std::string_view text;
    };
    void add(std::size_t from, std::size_t to, std::string_view text);
    void correct_content_length(bool wanted);
    void sort();
    template <class Copy, class Put>
    void walk(std::size_t begin, std::size_t end, Copy&& copy, Put&& put) const;
    bool is_removed(const Header& header) const;

    static constexpr std::size_t own_steps =
        8; // room for what the writer itself adds, repeated Content-Lengths apart
    const Message& message_;
    Arena& arena_;
    Step* steps_ = nullptr;
    std::size_t count_ = 0;
    std::uint32_t own_ = 0; // steps of the writer itself
    bool body_touched_ = false;
    char length_text_[48];
};

} // namespace sipyard::sip
