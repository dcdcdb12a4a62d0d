// modules/auth/challenge.cpp - challenges as text
#include "modules/auth/challenge.h"

#include <algorithm>

namespace sipyard::auth {
namespace {

std::string_view quotable(std::string_view text, Arena& arena)
{
    const auto harmless = [](char c) {
        return static_cast<unsigned char>(c) >= ' ' && c != '\x7f' && c != '"' && c != '\\';
    };
    if (std::ranges::all_of(text, harmless))
        return text;
    char* const out = arena.array<char>(2 * text.size());
    std::size_t size = 0;
    for (const char c : text) {
        if (static_cast<unsigned char>(c) < ' ' || c == '\x7f')
            continue;
        if (!harmless(c))
            out[size++] = '\\';
        out[size++] = c;
    }
    return {out, size};
}

} // namespace

std::string_view print(const Challenge& challenge, Arena& arena)
{
    const bool with_qop = !challenge.qop.empty();
    return arena.concat(challenge.header, ": Digest realm=\"", quotable(challenge.realm, arena),
                        "\", nonce=\"", challenge.nonce, "\"", with_qop ? ", qop=\"" : "", challenge.qop,
                        with_qop ? "\"" : "", challenge.stale ? ", stale=true" : "",
                        ", algorithm=", to_text(challenge.hash), "\r\n");
}

} // namespace sipyard::auth
