// core/net/sniff.h - SIP or HTTP? The first bytes of a stream tell (DESIGN 6)
#pragma once

#include <string_view>

namespace sipyard::net {

enum class Spoken { unclear, sip, http }; // unclear: more bytes are needed
std::string_view to_text(Spoken spoken);

// A request line whose second token starts with '/', '*' or "http" is HTTP; no SIP URI starts so. Everything
// else is left to the SIP framer, which knows garbage when it sees it. Decides within 40 bytes.
Spoken sniff(std::string_view first_bytes);

} // namespace sipyard::net
