// modules/registrar/aor.h - the key of a user: address of record, and GRUUs made of it (RFC 3261 10.3 step 5,
// RFC 5627)
#pragma once

#include "core/base/arena.h"
#include "core/sip/uri.h"

#include <string_view>

namespace sipyard::registrar {

struct AorRules {
    bool use_domain = false, case_sensitive = false;
    std::string_view realm_prefix; // cut from the domain
};

// "alice", or "alice@example.com"; escapes are undone (RFC 3261 10.3 step 5). Empty: the URI names no user.
// In the arena.
std::string_view aor_of(const sip::Uri& uri, const AorRules& rules, Arena& arena);

enum class Gruu : unsigned char { none, permanent, temporary };
// ;gr=urn:... is a public GRUU, ;gr alone a temporary one (RFC 5627 3.1.2).
Gruu gruu_of(const sip::Uri& uri);

// +sip.instance of a public GRUU's gr value: "<urn:uuid:...>" in the arena.
std::string_view instance_of(const sip::Uri& uri, Arena& arena);

} // namespace sipyard::registrar
