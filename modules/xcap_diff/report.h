// modules/xcap_diff/report.h - xcap-diff documents: all there is, or what changed between two moments
// (RFC 5874)
#pragma once

#include "modules/xcap_diff/snapshot.h"
#include "modules/xcap_diff/wanted.h"

#include <optional>
#include <string>
#include <string_view>

namespace sipyard::xcap_diff {

constexpr std::string_view media_type = "application/xcap-diff+xml";

// Pure. `root` is the value of xcap-root: the absolute URI that sel attributes are relative to.
class Reporter {
public:
    Reporter(const xcap_server::Documents& documents, std::string_view root, std::string_view user,
             std::string_view domain)
        : documents_{documents}, root_{root}, user_{user}, domain_{domain}
    {
    }
    // Each existing document that is wanted with its tag, each existing part with its content.
    std::string everything(const Snapshot& now, const Wish& wish) const;
    // Nothing: the wish has not changed between the two.
    std::optional<std::string> changes(const Snapshot& before, const Snapshot& now, const Wish& wish) const;

private:
    const xcap_server::Documents& documents_;
    const std::string_view root_, user_, domain_;
};

} // namespace sipyard::xcap_diff
