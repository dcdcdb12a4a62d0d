// modules/xcap_server/uri_variable.h - $xcapuri(name=>key): a target taken apart for the script
#pragma once

#include "core/base/arena.h"
#include "core/base/from_text.h"
#include "core/module/value.h"
#include "modules/xcap_server/uri.h"
#include "modules/xcap_server/usage.h"

#include <string>
#include <string_view>
#include <vector>

namespace sipyard::xcap_server {

// What stands between the parentheses.
struct UriKey {
    enum class Part : unsigned char {
        data,
        uri,
        root,
        auid,
        type,
        tree,
        xuid,
        file,
        node,
        target,
        domain,
        uri_adoc,
    };
    std::string name; // instances of different names know nothing of each other
    Part part = Part::data;
};

// The instances of one request. Values do not survive it, so no script can authorise with the user of another
// request.
class UriVariables {
public:
    // Decoded values; null before the first good assignment, after a bad one, and where the target has no
    // such part.
    Value get(const UriKey& key) const;
    // False: not an XCAP target of a known usage; all keys of that name are null then. `arena` lives as long
    // as this.
    bool set(std::string_view name, std::string_view target, const UriRules& rules, const Usages& usages,
             Arena& arena);

private:
    struct Instance {
        std::string_view name;
        bool good = false;
        std::string_view data, root, node, target, domain;
        XcapUri uri;
        int type = 0;
    };
    std::vector<Instance> instances_;
};

} // namespace sipyard::xcap_server

template <>
struct sipyard::FromText<sipyard::xcap_server::UriKey> {
    static constexpr bool integer = false;
    static constexpr std::string_view expected =
        "name=>key, key one of data uri root auid type tree xuid file node target domain uri_adoc";
    static Result<xcap_server::UriKey> parse(std::string_view text);
};
