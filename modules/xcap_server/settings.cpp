// modules/xcap_server/settings.cpp - from parameters to what the engine works with
#include "modules/xcap_server/settings.h"

namespace sipyard::xcap_server {
namespace {

void in_range(std::string_view name, int value, int least, int most)
{
    if (value < least || value > most)
        throw StartupError{format("xcap_server: {} is {}, it has to be {} to {}", name, value, least, most)};
}

} // namespace

Engine::Settings engine_settings(const Settings& s)
{
    in_range("directory_scheme", s.directory_scheme, -1, 1);
    in_range("content_type_check", s.content_type_check, 0, 2);
    in_range("validation", s.validation, 0, 7);
    in_range("cache_check", s.cache_check, 0, 2);
    in_range("max_depth", s.max_depth, 1, 1000);
    in_range("max_elements", s.max_elements, 1, 10'000'000);
    in_range("max_attributes", s.max_attributes, 0, 100'000);
    in_range("max_name_len", s.max_name_len, 1, 50'000);
    in_range("rls_uri_check", s.rls_uri_check, 0, 1);
    in_range("max_docs_per_user", s.max_docs_per_user, 0, 1'000'000);

    Engine::Settings e;
    e.root = root_of(s.root);
    e.canonical_xui = s.xui_canonical;
    e.default_domain = lower(s.default_domain);
    e.xui_check = s.xui_check;
    e.prefixes = s.prefixes;
    e.type_check = static_cast<TypeCheck>(s.content_type_check);
    e.validation = {(s.validation & 2) != 0, (s.validation & 4) != 0};
    const auto size = [](int n) { return static_cast<std::size_t>(n); };
    e.body = {size(s.max_depth), size(s.max_elements), size(s.max_attributes), size(s.max_name_len)};
    e.max_body = s.max_body.bytes;
    e.max_document = s.max_doc.bytes;
    e.quota = {size(s.max_docs_per_user), s.max_docs_size_per_user.bytes};
    e.cache = {s.cache_size.bytes, s.cache_max_doc.bytes};
    e.cache_check = s.cache_check == 0   ? CacheCheck::trust
                    : s.cache_check == 1 ? CacheCheck::ask
                                         : CacheCheck::trust_for_a_while;
    e.cache_ttl = std::chrono::seconds{s.cache_ttl.count};
    Arena arena;
    UriRules rules{e.root, e.canonical_xui, e.default_domain};
    for (const std::string& admin : s.admin_users)
        e.admin_users.emplace_back(canonical_xui(admin, rules, arena));
    return e;
}

Examiner::Settings examiner_settings(const Settings& s, const Engine::Settings& e)
{
    return {e.validation,
            e.body,
            {{e.root, e.canonical_xui, e.default_domain}, s.allow_foreign_refs, s.icon_max_size.bytes}};
}

std::shared_ptr<const Schemas> load_schemas(const Settings& s, const Usages& usages)
{
    if ((s.validation & 2) == 0)
        return nullptr;
    const std::string folder = s.schema_dir.empty() ? default_schema_dir() : s.schema_dir;
    if (folder.empty())
        throw StartupError{"xcap_server: the schemas are not where they were installed, set schema_dir"};
    std::vector<Schemas::File> more;
    for (const Usage& usage : usages.all())
        if (!usage.schema.empty())
            more.push_back({usage.schema, usage.ns});
    auto schemas = Schemas::load(folder, more);
    if (!schemas)
        throw StartupError{"xcap_server: " + schemas.error().text};
    return std::make_shared<const Schemas>(std::move(*schemas));
}

} // namespace sipyard::xcap_server

namespace sipyard {

Result<xcap_server::Prefix> FromText<xcap_server::Prefix>::parse(std::string_view text)
{
    auto uri = text;
    const auto name = trim(cut(uri, '='));
    uri = trim(uri);
    if (name.empty() || uri.empty())
        return invalid(format("'{}' is not prefix=uri", text));
    return xcap_server::Prefix{std::string{name}, std::string{uri}};
}

} // namespace sipyard
