// modules/uac/restore.cpp - exclusive or, password, base64
#include "modules/uac/restore.h"

#include "core/base/text.h"

#include <algorithm>

namespace sipyard::uac {
namespace {

void mix(std::string& text, std::string_view with)
{
    for (std::size_t i = 0; i < std::min(text.size(), with.size()); ++i)
        text[i] = static_cast<char>(text[i] ^ with[i]);
}

void mix_all(std::string& text, std::string_view password)
{
    for (std::size_t i = 0; !password.empty() && i < text.size(); ++i)
        text[i] = static_cast<char>(text[i] ^ password[i % password.size()]);
}

} // namespace

std::string pack(std::string_view original, std::string_view replaced, std::string_view password)
{
    if (original.size() < replaced.size())
        std::swap(original, replaced);
    std::string text{original};
    mix(text, replaced);
    mix_all(text, password);
    std::string packed = base64(text);
    std::replace(packed.begin(), packed.end(), '=', '-');
    return packed;
}

std::optional<std::string> unpack(std::string_view packed, std::string_view known, std::string_view password)
{
    std::string coded{packed};
    for (auto at = coded.rbegin(); at != coded.rend() && *at == '-'; ++at)
        *at = '=';
    auto text = unbase64(coded);
    if (!text || text->size() < known.size())
        return {};
    mix_all(*text, password);
    mix(*text, known);
    // Where the known URI is the longer one its tail cancels itself out.
    const auto end =
        std::find(text->begin(), text->begin() + static_cast<std::ptrdiff_t>(known.size()), '\0');
    if (end != text->begin() + static_cast<std::ptrdiff_t>(known.size()))
        text->erase(end, text->end());
    if (text->empty() ||
        !std::all_of(text->begin(), text->end(), [](char c) { return c > 0x20 && c < 0x7f; }))
        return {};
    return text;
}

} // namespace sipyard::uac
