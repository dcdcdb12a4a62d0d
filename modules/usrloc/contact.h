// modules/usrloc/contact.h - one binding as it lies in memory: a fixed head and its texts in one block
#pragma once

#include "modules/usrloc/api.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace sipyard::usrloc {

struct Record;

// A block from malloc. Whoever holds the shard's lock may touch it. A refresh that is no longer than what was
// there writes in place, so a phone that registers every minute costs no allocation.
struct Contact {
    // What the database knows of it (db_mode 1 and 2).
    enum class Stored : unsigned char {
        fresh,
        clean,
        dirty,
        under_way
    }; // fresh: no row yet; under_way: being written

    Contact* next = nullptr;      // of the same address of record
    Contact* next_ruid = nullptr; // in the chain of ids
    Record* record = nullptr;
    const net::Listener* listener = nullptr;
    std::uint64_t connection = 0;
    std::int64_t expires = 0;
    std::int64_t last_modified = 0;
    std::uint32_t ruid_hash = 0, cseq = 0, flags = 0, cflags = 0, methods = 0, reg_id = 0, server_id = 0;
    std::uint32_t heap_at = 0;  // place in the expiry heap
    std::uint32_t capacity = 0; // bytes of text there is room for
    std::int16_t q = -1;
    Stored stored = Stored::fresh;
    bool had_row = false; // a row may be in the database

    enum Text : unsigned char {
        contact,
        received,
        path,
        call_id,
        user_agent,
        ruid,
        instance,
        attributes,
        socket,
        texts
    };
    std::array<std::uint16_t, texts> sizes{};

    char* text_begin() { return reinterpret_cast<char*>(this + 1); }
    const char* text_begin() const { return reinterpret_cast<const char*>(this + 1); }
    std::string_view text(Text which) const;
    ContactView view() const;
    std::size_t bytes() const { return sizeof(Contact) + capacity; }
};

// Texts that fit: each below 64 KiB. Registrar and database refuse longer ones before.
bool fits(const ContactView& view);

// A new block with those values. The views may point into other blocks.
Contact* make_contact(const ContactView& view);
// The same values in `block` if there is room; false when there is not (nothing has changed then). The views
// may point into the block itself. Links, heap place, record and ruid stay.
bool rewrite(Contact& block, const ContactView& view);
void free_contact(Contact* block);

} // namespace sipyard::usrloc
