// modules/tls/config_file.h - the file named by the `config` parameter: [server:...] and [client:...]
// sections
#pragma once

#include "core/base/result.h"
#include "core/crypto/tls.h"
#include "core/net/address.h"

#include <string>
#include <string_view>
#include <vector>

namespace sipyard::tls {

// One section. Without an address it is the default of its side.
struct Profile {
    crypto::TlsSettings settings;
    net::Address address;                             // family none: any address
    std::string server_name;                          // servers: answers clients that ask for this name (SNI)
    bool subdomains = false, only_subdomains = false; // server_name_mode 1 and 2
    int line = 0;
    std::string text() const; // "server:default", "client:192.0.2.1:5061"
};

// Sections in the order of the file. A key that is absent keeps what `defaults` says; a default section is
// the starting point of later sections of its side. Errors are "line N: ...". Paths are kept as written.
Result<std::vector<Profile>> parse_config(std::string_view text, const crypto::TlsSettings& defaults);

// on/off, yes/no, true/false, 1/0, in letters of either case.
Result<bool> parse_switch(std::string_view text);

} // namespace sipyard::tls
