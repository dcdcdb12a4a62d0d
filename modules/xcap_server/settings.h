// modules/xcap_server/settings.h - the module's parameters, as the operator writes them
#pragma once

#include "core/base/from_text.h"
#include "core/db/url.h"
#include "modules/xcap_server/engine.h"
#include "modules/xcap_server/examiner.h"

#include <memory>

#include <string>
#include <vector>

namespace sipyard::xcap_server {

struct Settings { // defaults are here and nowhere else
    db::Url db_url = must(db::Url::parse("mysql://openser:openserrw@localhost/openser")); // the manual's
    std::string table = "xcap";
    std::string root = "/xcap-root/";
    int buf_size = 1024;
    std::vector<Prefix> prefixes;
    int directory_scheme = -1;
    std::string directory_hostname;
    bool table_version_check = true;
    ByteCount max_doc{1_MiB};
    ByteCount max_body{1_MiB};
    int max_depth = 64, max_elements = 20'000, max_attributes = 256, max_name_len = 256;
    int max_docs_per_user = 64;
    ByteCount max_docs_size_per_user{4_MiB};
    int content_type_check = 2;
    int validation = 7;
    bool xui_canonical = true;
    bool xui_check = false;
    std::string default_domain;
    std::vector<std::string> admin_users;
    ByteCount cache_size{32_MiB};
    int cache_check = 1;
    Seconds cache_ttl{1};
    ByteCount cache_max_doc{64_KiB};
    std::vector<AppUsage> app_usage;
    std::vector<std::string> disable_usage;
    std::string schema_dir; // empty: the one that came with the module
    bool allow_foreign_refs = true;
    ByteCount icon_max_size{300 * 1024};
    int rls_uri_check = 1;
};

// Throws StartupError for a value outside its range.
Engine::Settings engine_settings(const Settings& settings);
// What new texts have to pass; `rules.uri` has views into `engine`, which outlives it.
Examiner::Settings examiner_settings(const Settings& settings, const Engine::Settings& engine);
// The schemas of the usages. Null when `validation` asks for none. Throws StartupError.
std::shared_ptr<const Schemas> load_schemas(const Settings& settings, const Usages& usages);

} // namespace sipyard::xcap_server

template <>
struct sipyard::FromText<sipyard::xcap_server::Prefix> {
    static constexpr bool integer = false;
    static constexpr std::string_view expected = "a namespace prefix, prefix=uri";
    static Result<xcap_server::Prefix> parse(std::string_view text);
};
