// modules/xcap_server/usage.cpp - the table of application usages and the operator's additions
#include "modules/xcap_server/usage.h"

#include <algorithm>

namespace sipyard::xcap_server {
namespace {

constexpr const char* common_policy = "urn:ietf:params:xml:ns:common-policy";
constexpr const char* pres_rules = "urn:ietf:params:xml:ns:pres-rules";
constexpr const char* resource_lists = "urn:ietf:params:xml:ns:resource-lists";
constexpr const char* rls_services = "urn:ietf:params:xml:ns:rls-services";
constexpr const char* pidf = "urn:ietf:params:xml:ns:pidf";
constexpr const char* caps = "urn:ietf:params:xml:ns:xcap-caps";
constexpr const char* user_profile = "urn:oma:xml:xdm:user-profile";
constexpr const char* pres_content = "urn:oma:xml:prs:pres-content";
constexpr const char* search = "urn:oma:xml:xdm:search";
constexpr const char* directory = "urn:oma:xml:xdm:xcap-directory";
constexpr const char* simservs = "http://uri.etsi.org/ngn/params/xml/simservs/xcap";

// Type numbers are Kamailio's, so that its tables keep working; both pres-rules usages share one.
std::deque<Usage> known_usages()
{
    using enum Usage::GlobalTree;
    using Rules = Usage::Rules;
    return {
        {"pres-rules", pres_rules, common_policy, "ruleset", "application/auth-policy+xml", "index", 2,
         privileged, false, false},
        {"org.openmobilealliance.pres-rules", common_policy, common_policy, "ruleset",
         "application/auth-policy+xml", "pres-rules", 2, privileged, false, false, Rules::oma_pres_rules},
        {std::string{resource_lists_auid}, resource_lists, resource_lists, "resource-lists",
         "application/resource-lists+xml", "index", 4, privileged, false, false, Rules::resource_lists},
        {std::string{rls_services_auid}, rls_services, rls_services, "rls-services",
         "application/rls-services+xml", "index", 8, privileged, false, false, Rules::rls_services},
        {"pidf-manipulation", pidf, pidf, "presence", "application/pidf+xml", "index", 16, privileged, false,
         false},
        {std::string{caps_auid}, caps, caps, "xcap-caps", "application/xcap-caps+xml", "index", 32, read_only,
         true, true},
        {"org.openmobilealliance.user-profile", user_profile, user_profile, "user-profiles",
         "application/vnd.oma.user-profile+xml", "user-profile", 64, privileged, false, false,
         Rules::user_profile},
        {"org.openmobilealliance.pres-content", pres_content, pres_content, "content",
         "application/vnd.oma.pres-content+xml", "oma_status-icon", 128, privileged, false, true,
         Rules::pres_content},
        // Known for its number and its targets; asking it is answered 501, so it is not promised.
        {std::string{search_auid}, search, search, "search-set", "application/vnd.oma.search+xml", "", 256,
         read_only, true, false, Rules::none, false},
        {std::string{directory_auid}, directory, directory, "xcap-directory",
         "application/vnd.oma.xcap-directory+xml", "directory.xml", 512, read_only, true, false},
        {"simservs.ngn.etsi.org", simservs, simservs, "simservs", "application/simservs+xml", "simservs.xml",
         4096, privileged, false, false},
    };
}
constexpr int first_free_type = 8192; // the types of app_usage, doubling

bool is_auid(std::string_view text)
{
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return is_alnum(c) || std::string_view{"-._"}.find(c) != std::string_view::npos;
    });
}

} // namespace

std::optional<Problem> Usage::check(const RootElement& root, const Validation& wanted) const
{
    const bool wrong_name = !root_name.empty() && root.name != root_name;
    if (wanted.schema && !root_ns.empty() && (wrong_name || root.ns != root_ns))
        return Problem{Conflict::schema_validation_error,
                       root_name.empty()
                           ? format("the root element has to be of namespace {}", root_ns)
                           : format("the root element has to be {} of namespace {}", root_name, root_ns),
                       {},
                       {}};
    return {};
}

Result<Usages> Usages::make(const std::vector<AppUsage>& more, const std::vector<std::string>& disabled)
{
    Usages made;
    made.usages_ = known_usages();
    int type = first_free_type;
    for (const AppUsage& one : more) {
        const auto known = std::find_if(made.usages_.begin(), made.usages_.end(),
                                        [&](const Usage& u) { return u.auid == one.usage.auid; });
        if (one.usage.ns.empty()) { // a schema for a usage that came without one
            if (known == made.usages_.end() || known->computed || !known->schema.empty())
                return invalid(format("app_usage: '{}' needs ns= and mime=", one.usage.auid));
            known->schema = one.usage.schema;
            continue;
        }
        if (known != made.usages_.end())
            return invalid(format("app_usage: '{}' is there already", one.usage.auid));
        Usage usage = one.usage;
        const auto taken = [&](int t) {
            return std::any_of(made.usages_.begin(), made.usages_.end(),
                               [t](const Usage& u) { return u.type == t; });
        };
        if (usage.type == 0) {
            while (type <= (1 << 29) && taken(type))
                type *= 2;
            if (taken(type))
                return invalid("app_usage: no type number is left, give one with type=");
            usage.type = type;
        }
        made.usages_.push_back(std::move(usage));
    }
    for (const std::string& auid : disabled) {
        const auto at = std::find_if(made.usages_.begin(), made.usages_.end(),
                                     [&](const Usage& u) { return u.auid == auid; });
        if (at == made.usages_.end()) {
            std::vector<std::string_view> names;
            for (const Usage& usage : made.usages_)
                names.push_back(usage.auid);
            const auto near = nearest(auid, names);
            return invalid(format("disable_usage: there is no usage '{}'{}", auid,
                                  near.empty() ? std::string{} : format(", did you mean '{}'?", near)));
        }
        made.usages_.erase(at);
    }
    return made;
}

const Usage* Usages::find(std::string_view auid) const
{
    for (const Usage& usage : usages_) // a dozen at most: faster than hashing
        if (usage.auid == auid)
            return &usage;
    return nullptr;
}

} // namespace sipyard::xcap_server

namespace sipyard {

Result<xcap_server::AppUsage> FromText<xcap_server::AppUsage>::parse(std::string_view text)
{
    xcap_server::AppUsage app;
    for (auto rest = text; !rest.empty();) {
        const auto part = trim(cut(rest, ';'));
        if (part.empty())
            continue;
        auto value = part;
        const auto name = trim(cut(value, '='));
        value = trim(value);
        if (name == "auid") {
            app.usage.auid = value;
        } else if (name == "ns") {
            app.usage.ns = value;
        } else if (name == "mime") {
            app.usage.mime = value;
        } else if (name == "name" && !value.empty()) {
            app.usage.name = value;
        } else if (name == "type") {
            const auto number = parse_int(value);
            if (!number || *number < 1 || *number > INT32_MAX)
                return invalid(format("type={} is not a positive number", value));
            app.usage.type = static_cast<int>(*number);
        } else if (name == "global") {
            if (value != "ro")
                return invalid(format("global={}: only 'ro' is known", value));
            app.usage.global = xcap_server::Usage::GlobalTree::read_only;
        } else if (name == "schema") {
            app.usage.schema = value;
        } else {
            return invalid(format("'{}' is none of auid, ns, mime, schema, type, name, global", name));
        }
    }
    if (!xcap_server::is_auid(app.usage.auid))
        return invalid(format("'{}' needs auid=, of letters, digits, '-', '.' and '_'", text));
    if (!app.usage.schema.empty() && app.usage.ns.empty() && app.usage.mime.empty() && app.usage.type == 0)
        return app; // of a usage of the field
    if (app.usage.ns.empty())
        return invalid(format("'{}' needs ns=", text));
    if (app.usage.mime.find('/') == std::string::npos)
        return invalid(format("'{}' needs mime=type/subtype", text));
    if (!app.usage.schema.empty()) // its root has to be of that namespace; any element the schema declares
        app.usage.root_ns = app.usage.ns;
    return app;
}

} // namespace sipyard
