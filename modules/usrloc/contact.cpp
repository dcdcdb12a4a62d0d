// modules/usrloc/contact.cpp - packing a binding's texts behind its head
#include "modules/usrloc/contact.h"

#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

namespace sipyard::usrloc {

namespace {

std::array<std::string_view, Contact::texts> texts_of(const ContactView& v)
{
    return {v.contact, v.received, v.path,       v.call_id, v.user_agent,
            v.ruid,    v.instance, v.attributes, v.socket};
}

void put_numbers(Contact& block, const ContactView& v)
{
    block.listener = v.listener;
    block.connection = v.connection.value;
    block.expires = v.expires;
    block.last_modified = v.last_modified;
    block.cseq = v.cseq;
    block.flags = v.flags;
    block.cflags = v.cflags;
    block.methods = v.methods;
    block.reg_id = v.reg_id;
    block.server_id = v.server_id;
    block.q = static_cast<std::int16_t>(v.q);
}

std::size_t total(const std::array<std::string_view, Contact::texts>& texts)
{
    std::size_t size = 0;
    for (const auto text : texts)
        size += text.size();
    return size;
}

void put_texts(Contact& block, const std::array<std::string_view, Contact::texts>& texts, char* to)
{
    for (std::size_t i = 0; i < texts.size(); ++i) {
        if (!texts[i].empty())
            std::memcpy(to, texts[i].data(), texts[i].size());
        to += texts[i].size();
        block.sizes[i] = static_cast<std::uint16_t>(texts[i].size());
    }
}

} // namespace

std::string_view Contact::text(Text which) const
{
    const char* at = text_begin();
    for (unsigned i = 0; i < which; ++i)
        at += sizes[i];
    return {at, sizes[which]};
}

ContactView Contact::view() const
{
    ContactView v;
    const char* at = text_begin();
    std::size_t i = 0;
    for (std::string_view* text : {&v.contact, &v.received, &v.path, &v.call_id, &v.user_agent, &v.ruid,
                                   &v.instance, &v.attributes, &v.socket}) {
        *text = {at, sizes[i]};
        at += sizes[i++];
    }
    v.listener = listener;
    v.connection = {connection};
    v.expires = expires;
    v.last_modified = last_modified;
    v.q = q;
    v.cseq = cseq;
    v.flags = flags;
    v.cflags = cflags;
    v.methods = methods;
    v.reg_id = reg_id;
    v.server_id = server_id;
    return v;
}

bool fits(const ContactView& view)
{
    for (const auto text : texts_of(view))
        if (text.size() > UINT16_MAX)
            return false;
    return true;
}

Contact* make_contact(const ContactView& view)
{
    const auto texts = texts_of(view);
    const std::size_t size = total(texts);
    // malloc hands out 16-byte steps anyway: the rest is room for a longer Call-ID.
    const std::size_t whole = (sizeof(Contact) + size + 8 + 15) / 16 * 16 - 8;
    void* const memory = std::malloc(whole);
    if (!memory)
        throw std::bad_alloc{};
    Contact* const block = new (memory) Contact;
    block->capacity = static_cast<std::uint32_t>(whole - sizeof(Contact));
    put_numbers(*block, view);
    put_texts(*block, texts, block->text_begin());
    return block;
}

bool rewrite(Contact& block, const ContactView& view)
{
    auto texts = texts_of(view);
    texts[Contact::ruid] = block.text(Contact::ruid);
    const std::size_t size = total(texts);
    if (size > block.capacity)
        return false;
    // Kept texts are read from the very bytes that are written: compose aside first.
    char small[2048];
    std::unique_ptr<char[]> large;
    char* to = small;
    if (size > sizeof small) {
        large = std::make_unique<char[]>(size);
        to = large.get();
    }
    put_texts(block, texts, to);
    if (size > 0)
        std::memcpy(block.text_begin(), to, size);
    put_numbers(block, view);
    return true;
}

void free_contact(Contact* block)
{
    if (block) {
        block->~Contact();
        std::free(block);
    }
}

} // namespace sipyard::usrloc
