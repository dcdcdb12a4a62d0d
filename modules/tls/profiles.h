// modules/tls/profiles.h - loaded profiles: which certificate serves which connection
#pragma once

#include "core/net/network.h"
#include "modules/tls/config_file.h"

#include <memory>
#include <vector>

namespace sipyard::tls {

// Immutable once made; a reload makes another. Thread-safe.
class Profiles {
public:
    // Loads every certificate. Errors name the profile. A default server without a certificate is none.
    static Result<std::shared_ptr<const Profiles>> load(std::vector<Profile> profiles);

    std::shared_ptr<crypto::TlsContext> of(crypto::TlsSide side,
                                           const net::Address& address) const; // may be null
    const std::vector<Profile>& all() const { return profiles_; }

private:
    struct Row {
        crypto::TlsSide side;
        net::Address address;                        // family none: any
        std::shared_ptr<crypto::TlsContext> context; // shared with the streams that use it
    };
    std::vector<Profile> profiles_;
    std::vector<Row> rows_; // without those that are found by name
};

} // namespace sipyard::tls
