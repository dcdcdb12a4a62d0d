// core/sip/method.cpp - request methods by length and one comparison
#include "core/sip/method.h"

#include <array>
#include <cstddef>

namespace sipyard::sip {
namespace {

constexpr std::array<std::string_view, 21> names = {
    "",        "INVITE", "ACK",       "BYE",    "CANCEL", "OPTIONS", "REGISTER",
    "INFO",    "PRACK",  "SUBSCRIBE", "NOTIFY", "UPDATE", "MESSAGE", "REFER",
    "PUBLISH", "GET",    "POST",      "PUT",    "DELETE", "HEAD",    "PATCH"};

constexpr bool in_order(Method m, std::string_view text)
{
    return names[static_cast<std::size_t>(m)] == text;
}
static_assert(in_order(Method::register_, "REGISTER") && in_order(Method::notify, "NOTIFY") &&
              in_order(Method::publish, "PUBLISH") && in_order(Method::patch, "PATCH"));

Method if_it_is(std::string_view text, Method method)
{
    return text == names[static_cast<std::size_t>(method)] ? method : Method::other;
}

} // namespace

// First letter, where needed another one, then a single comparison.
Method method_of(std::string_view text)
{
    if (text.size() < 3)
        return Method::other;
    switch (text[0]) {
    case 'A': return if_it_is(text, Method::ack);
    case 'B': return if_it_is(text, Method::bye);
    case 'C': return if_it_is(text, Method::cancel);
    case 'D': return if_it_is(text, Method::delete_);
    case 'G': return if_it_is(text, Method::get);
    case 'H': return if_it_is(text, Method::head);
    case 'I': return if_it_is(text, text[2] == 'V' ? Method::invite : Method::info);
    case 'M': return if_it_is(text, Method::message);
    case 'N': return if_it_is(text, Method::notify);
    case 'O': return if_it_is(text, Method::options);
    case 'P':
        if (text[1] == 'U')
            return if_it_is(text, text[2] == 'B' ? Method::publish : Method::put);
        if (text[1] == 'R')
            return if_it_is(text, Method::prack);
        return if_it_is(text, text[1] == 'O' ? Method::post : Method::patch);
    case 'R': return if_it_is(text, text[2] == 'G' ? Method::register_ : Method::refer);
    case 'S': return if_it_is(text, Method::subscribe);
    case 'U': return if_it_is(text, Method::update);
    default: return Method::other;
    }
}

std::string_view to_text(Method method) { return names[static_cast<std::size_t>(method)]; }

} // namespace sipyard::sip
