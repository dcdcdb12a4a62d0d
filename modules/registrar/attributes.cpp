// modules/registrar/attributes.cpp - kind, two sizes, name, value, one after the other
#include "modules/registrar/attributes.h"

#include "core/base/text.h"

namespace sipyard::registrar {

namespace {

void put_size(std::string& to, std::size_t size)
{
    to += static_cast<char>(size >> 8);
    to += static_cast<char>(size & 255);
}

bool take(std::string_view& from, std::size_t size, std::string_view& piece)
{
    if (from.size() < size)
        return false;
    piece = from.substr(0, size);
    from.remove_prefix(size);
    return true;
}

std::size_t size_of(std::string_view two)
{
    return static_cast<std::size_t>(static_cast<unsigned char>(two[0])) << 8 |
           static_cast<unsigned char>(two[1]);
}

} // namespace

std::string pack(const XavpList& xavps, std::string_view name)
{
    const XavpList::Root* const root = xavps.root(name);
    std::string packed;
    if (!root)
        return packed;
    // Oldest first, so that unpacking stacks them in the order they were.
    for (auto field = root->fields.rbegin(); field != root->fields.rend(); ++field) {
        const Value value = field->second.view();
        const std::string text =
            value.is_integer() ? std::to_string(value.number()) : std::string{value.text()};
        if (value.is_null() || packed.size() + field->first.size() + text.size() > 16'384)
            continue;
        packed += value.is_integer() ? 'i' : 's';
        put_size(packed, field->first.size());
        put_size(packed, text.size());
        packed += field->first + text;
    }
    return packed;
}

void unpack(std::string_view packed, std::string_view root, XavpList& xavps)
{
    bool made = false;
    std::string_view kind, name_size, text_size, name, text;
    while (take(packed, 1, kind) && take(packed, 2, name_size) && take(packed, 2, text_size) &&
           take(packed, size_of(name_size), name) && take(packed, size_of(text_size), text)) {
        const Value value = kind == "i" ? Value{parse_int(text).value_or(0)} : Value{text};
        if (made)
            xavps.push_field(root, 0, name, value);
        else
            xavps.push_root(root, name, value);
        made = true;
    }
}

} // namespace sipyard::registrar
