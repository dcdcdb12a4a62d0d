// modules/xcap_server/usage.h - application usages: what a document of each kind must look like (RFC 4825 5)
#pragma once

#include "core/base/from_text.h"
#include "core/base/result.h"
#include "modules/xcap_server/error_document.h"

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::xcap_server {

// What is checked besides being well-formed (modparam validation).
struct Validation {
    bool schema = true;      // bit 2: root element, schema
    bool constraints = true; // bit 4
};

// What is known of a well-formed document before the usage looks at it.
struct RootElement {
    std::string_view ns, name;
};

struct Usage {
    enum class GlobalTree : unsigned char { privileged, read_only }; // who may write it: admin_users, nobody
    std::string auid;
    std::string ns; // default document namespace: of element names without prefix in node selectors
    std::string root_ns, root_name; // of the root element; empty name: any
    std::string mime;
    std::string name = "index"; // well-known document name, for information
    int type = 0;               // doc_type column
    GlobalTree global = GlobalTree::privileged;
    bool computed = false;    // the server makes its documents; nobody writes them
    bool read_by_all = false; // any user may read any user's documents
    // Steps 5 and 6 of validation that are this usage's own (uniqueness.h, constraints.h).
    enum class Rules : unsigned char {
        none,
        resource_lists,
        rls_services,
        oma_pres_rules,
        user_profile,
        pres_content,
    };
    Rules rules = Rules::none;
    bool listed = true;      // in xcap-caps
    std::string schema = {}; // app_usage: a file; the namespaces of the others have theirs in schema_dir

    // A second namespace that names without prefix may have: OMA's clients leave out the prefixes of both
    // that their rules are made of.
    std::string_view also_ns() const
    {
        return rules == Rules::oma_pres_rules ? "urn:ietf:params:xml:ns:pres-rules" : "";
    }
    // Is this the root element of such a document? Without root_name any of root_ns, without that any.
    std::optional<Problem> check(const RootElement& root, const Validation& wanted) const;
};

// An app_usage line:
// "auid=a;ns=urn:a;mime=application/a+xml[;schema=a.xsd][;type=8192][;name=index][;global=ro]". With auid and
// schema only it gives a usage of the field the schema it came without.
struct AppUsage {
    Usage usage; // type 0: the next free one; no ns: of the field
};

// Immutable after construction.
class Usages {
public:
    // The usages of the field plus `more`, without `disabled`. Errors: an AUID twice, an unknown AUID to
    // disable.
    static Result<Usages> make(const std::vector<AppUsage>& more, const std::vector<std::string>& disabled);
    const Usage* find(std::string_view auid) const; // null: unknown, 404
    const std::deque<Usage>& all() const { return usages_; }

private:
    std::deque<Usage> usages_;
};

inline constexpr std::string_view caps_auid = "xcap-caps";
inline constexpr std::string_view directory_auid = "org.openmobilealliance.xcap-directory";
inline constexpr std::string_view rls_services_auid = "rls-services";
inline constexpr std::string_view resource_lists_auid = "resource-lists";
inline constexpr std::string_view search_auid = "org.openmobilealliance.search";

} // namespace sipyard::xcap_server

template <>
struct sipyard::FromText<sipyard::xcap_server::AppUsage> {
    static constexpr bool integer = false;
    static constexpr std::string_view expected = "an application usage, auid=...;ns=...;mime=...";
    static Result<xcap_server::AppUsage> parse(std::string_view text);
};
