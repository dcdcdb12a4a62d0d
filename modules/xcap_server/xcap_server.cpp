// modules/xcap_server/xcap_server.cpp - XCAP documents over HTTP, driven from the script (RFC 4825)
#include "core/crypto/random.h"
#include "core/json/value.h"
#include "core/module/module.h"
#include "core/sip/message.h"
#include "modules/xcap_server/administration.h"
#include "modules/xcap_server/api.h"
#include "modules/xcap_server/change_route.h"
#include "modules/xcap_server/computed.h"
#include "modules/xcap_server/documents.h"
#include "modules/xcap_server/engine.h"
#include "modules/xcap_server/examiner.h"
#include "modules/xcap_server/origin.h"
#include "modules/xcap_server/settings.h"
#include "modules/xcap_server/sql_store.h"
#include "modules/xcap_server/uri_variable.h"

#include <optional>

namespace sipyard::xcap_server {
namespace {

// Beyond this size indexing takes long enough to leave the worker; examining does so earlier (examiner.h).
constexpr std::size_t long_text = 64 * 1024;

std::string_view reason_of(int code)
{
    switch (code) {
    case 200: return "OK";
    case 201: return "Created";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 409: return "Conflict";
    case 412: return "Precondition Failed";
    case 413: return "Payload Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    default: return "Internal Server Error";
    }
}

// The values of a header, joined by commas: several fields mean one list (RFC 7230 3.2.2).
std::optional<std::string_view> joined(const sip::Message& message, sip::HeaderName name, Arena& arena)
{
    const sip::Header* header = message.first(name);
    if (!header)
        return {};
    std::string_view all = header->value;
    while ((header = message.next(*header)))
        all = arena.concat(all, ", ", header->value);
    return all;
}

SqlStore open_store(const Settings& settings, Host& host)
{
    const auto table = db::identifier(settings.table);
    if (!table)
        throw StartupError{format("xcap_server: xcap_table: {}", table.error().text)};
    db::Database* const database = must(host.database(settings.db_url));
    return {*database, *table, host.core().version_table,
            settings.table_version_check ? SqlStore::VersionCheck::yes : SqlStore::VersionCheck::no,
            (settings.validation & 4) != 0 ? SqlStore::Services::unique : SqlStore::Services::first_wins};
}

} // namespace

class XcapServer final : public Api {
public:
    using Settings = xcap_server::Settings;
    static Manifest<XcapServer> manifest();

    XcapServer(const Settings& settings, Host& host)
        : host_{host}, limits_{engine_settings(settings)}, origin_rules_{settings.directory_scheme,
                                                                         settings.directory_hostname},
          log_{host.logger("xcap_server")}, statistics_{[&](std::string_view counted,
                                                            std::string_view about) -> Counter& {
              return host.counter("xcap_server", counted, about);
          }},
          usages_{must(Usages::make(settings.app_usage, settings.disable_usage))},
          schemas_{load_schemas(settings, usages_)}, change_route_{host}, store_{open_store(settings, host)},
          examiner_{examiner_settings(settings, limits_), schemas_, store_, &host.runtime(),
                    settings.rls_uri_check == 0 ? Examiner::ResourceCheck{}
                                                : [this](std::string_view uri) { return is_resource(uri); }},
          computed_{store_,
                    {limits_.root, limits_.canonical_xui, limits_.default_domain},
                    caps_document(usages_, schemas_.get())},
          engine_{limits_, usages_, crypto::random_number(), outside()}, variables_{host.slot<UriVariables>()}
    {
        host.add_table(SqlStore::layout(settings.table));
        host.add_table(SqlStore::services_layout(settings.table));
        if (host.checking())
            return;
        // A table of another version would be damaged by us; a database that is away may come back.
        if (const auto ready = store_.prepare(); !ready) {
            if (ready.error().kind == ErrorKind::unsupported)
                throw StartupError{"xcap_server: " + ready.error().text};
            log_.warn("the database is not there yet: {}", ready.error().text);
        } else if (const auto index = store_.prepare_services(); !index) {
            log_.warn("rls-services are refused with 503 until there is a table for their index: {}",
                      index.error().text);
        }
    }

    void add(ResourceLookup& lookup) override
    {
        lookups_.with([&](auto& all) { all.push_back(&lookup); });
    }

private:
    Engine::Outside outside()
    {
        return {store_,
                host_.clock(),
                statistics_,
                [this](Duration pause) { task::sleep_until(host_.clock().now() + pause); },
                [this](const DocumentChanged& change) {
                    host_.announce(change, change.doc_uri);
                    change_route_.tell(change);
                },
                [this](const Candidate& candidate) { return examiner_.examine(candidate); },
                log_,
                &computed_,
                [this](std::string_view text, const xml::Limits& limits) { return check_xml(text, limits); }};
    }

    Result<xml::Checked> check_xml(std::string_view text, const xml::Limits& limits)
    {
        if (text.size() <= long_text)
            return xml::check(text, limits);
        return task::blocking(
            host_.runtime().cpu_lane(), std::chrono::seconds{10},
            [](const std::string& copy, const xml::Limits& given) { return xml::check(copy, given); },
            std::string{text}, limits);
    }

    // Whether a resource has that URI, as far as anybody registered a lookup.
    Result<bool> is_resource(std::string_view uri)
    {
        const auto lookups = lookups_.with([](const auto& all) { return all; });
        for (ResourceLookup* const lookup : lookups) {
            TRY(const bool exists, lookup->exists(uri));
            if (exists)
                return true;
        }
        return false;
    }

    // The HTTP request is always answered here, once; what happened is the code.
    int answer(Request& request, Verb verb, std::string_view target, const Caller& caller,
               std::string_view body)
    {
        const sip::Message& message = request.message();
        Arena& arena = request.arena();
        Ask ask{verb, path_of(target), caller, {}, {}, body};
        const net::Received& from = request.received();
        const Origin origin =
            origin_of(origin_rules_, from.protocol == net::Protocol::tls, message.uri_text(),
                      message.value(sip::HeaderName::host), arena.copy(net::to_text(from.local)));
        ask.scheme = origin.scheme;
        ask.authority = origin.authority;
        if (message.has(sip::HeaderName::content_type))
            ask.content_type = message.value(sip::HeaderName::content_type);
        ask.conditions = {joined(message, sip::HeaderName::if_match, arena),
                          joined(message, sip::HeaderName::if_none_match, arena)};
        std::optional<ChangeRoute::Answering> answering;
        if (verb == Verb::put || verb == Verb::del)
            answering.emplace(change_route_);
        const Answer result = engine_.handle(ask, arena);

        std::string_view headers;
        if (!result.etag.empty())
            headers = arena.concat("ETag: \"", result.etag, "\"\r\n",
                                   result.no_cache ? "Cache-Control: no-cache\r\n" : "");
        if (!result.allow.empty())
            headers = arena.concat(headers, "Allow: ", result.allow, "\r\n");
        if (result.retry_after)
            headers = arena.concat(headers, "Retry-After: 1\r\n");
        const auto sent =
            request.reply({result.code, reason_of(result.code), headers, result.content_type, result.body});
        if (!sent)
            log_.info("the reply {} could not be sent: {}", result.code, sent.error().text);
        return result.code;
    }

    Verdict put(Request& request, std::string_view uri, std::string_view path, std::string_view doc)
    {
        const int code = answer(request, Verb::put, path, {Caller::Trust::script, uri}, doc);
        return code == 412 ? Verdict{-2} : Verdict::of(code == 200 || code == 201 || code == 405);
    }
    Verdict get(Request& request, std::string_view uri, std::string_view path)
    {
        const Verb verb = request.message().method() == sip::Method::head ? Verb::head : Verb::get;
        const int code = answer(request, verb, path, {Caller::Trust::script, uri}, {});
        return code == 304 || code == 412 ? Verdict{-2}
                                          : Verdict::of(code == 200 || code == 404 || code == 405);
    }
    Verdict del(Request& request, std::string_view uri, std::string_view path)
    {
        const int code = answer(request, Verb::del, path, {Caller::Trust::script, uri}, {});
        return code == 412 ? Verdict{-2} : Verdict::of(code == 200 || code == 405);
    }
    Verdict handle(Request& request, std::optional<std::string_view> uri)
    {
        const sip::Message& message = request.message();
        const Caller caller = uri ? Caller{Caller::Trust::identity, *uri} : Caller{Caller::Trust::nobody, {}};
        const int code =
            answer(request, verb_of(message.method_text()), message.uri_text(), caller, message.body());
        switch (code) {
        case 200:
        case 201:
        case 304: return 1;
        case 412: return -2;
        case 401:
        case 403: return -3;
        case 404: return -4;
        case 409: return -5;
        default: return -1;
        }
    }

    Value uri_part(Request& request, const UriKey& key)
    {
        const UriVariables* const known = request.find(variables_);
        return known ? known->get(key) : Value{};
    }
    Value change_part(Request& request, const ChangeKey& key) { return change_route_.value(request, key); }
    void run_route(const ScriptChange& change) { change_route_.run(change); }
    bool set_uri(Request& request, const UriKey& key, const Value& value)
    {
        if (key.part != UriKey::Part::data)
            return false;
        const bool good =
            request.at(variables_)
                .set(key.name, value.text(), engine_.uri_rules(), engine_.usages(), request.arena());
        if (!good)
            log_.debug("$xcapuri({}=>data): '{}' is no XCAP target", key.name, value.text());
        return good;
    }

    Result<json::Value> list(const json::Value& params) { return administration_.list(params); }
    Result<json::Value> show(const json::Value& params) { return administration_.get(params); }
    Result<json::Value> store(const json::Value& params) { return administration_.put(params); }
    Result<json::Value> validate(const json::Value& params) { return administration_.validate(params); }
    Result<json::Value> drop(const json::Value& params) { return administration_.remove(params); }
    Result<json::Value> reindex(const json::Value&) { return administration_.reindex(); }
    Result<json::Value> flush_cache(const json::Value&) { return administration_.flush_cache(); }
    Result<json::Value> stats(const json::Value&)
    {
        json::Value row = json::Value::object();
        for (const Counter* const counter : host_.counters())
            if (counter->group() == "xcap_server")
                row.set(counter->name(), counter->value());
        const auto cached = engine_.cache().stats();
        row.set("cached_documents", cached.documents).set("cached_bytes", cached.bytes);
        return row;
    }

    Host& host_;
    const Engine::Settings limits_;
    const OriginRules origin_rules_;
    const log::Logger log_;
    Statistics statistics_;
    const Usages usages_;
    const std::shared_ptr<const Schemas> schemas_;
    ChangeRoute change_route_;
    Guarded<std::vector<ResourceLookup*>> lookups_;
    SqlStore store_;
    const Examiner examiner_;
    Computed computed_;
    Engine engine_;
    Administration administration_{store_, engine_, examiner_};
    StoredDocuments documents_{store_, engine_.usages(), engine_.uri_rules()};
    const Slot<UriVariables> variables_;
};

Manifest<XcapServer> XcapServer::manifest()
{
    using M = XcapServer;
    using S = Settings;
    return {
        .name = "xcap_server",
        .about = "XCAP server: users' XML documents, read and written over HTTP (RFC 4825)",
        .offers = {offer_of<Api, M>(),
                   {Documents::name,
                    [](void* m) -> void* {
                        return static_cast<Documents*>(&static_cast<M*>(m)->documents_);
                    }}},
        .params =
            {
                param("db_url", &S::db_url, "Where the documents are kept"),
                param("xcap_table", &S::table, "Table that holds them"),
                param("xcap_root", &S::root, "Path in front of every document"),
                param("buf_size", &S::buf_size, "Accepted for old configurations, limits nothing"),
                param("xml_ns", &S::prefixes, "Further prefixes of node selectors, prefix=uri"),
                param("directory_scheme", &S::directory_scheme,
                      "Scheme of directory entries: -1 as asked, 0 http, 1 https"),
                param("directory_hostname", &S::directory_hostname, "Host of directory entries"),
                param("table_version_check", &S::table_version_check, "Refuse a table of another version"),
                param("max_doc_size", &S::max_doc, "Largest document accepted"),
                param("max_body_size", &S::max_body, "Largest request body accepted"),
                param("max_depth", &S::max_depth, "Deepest nesting of elements"),
                param("max_elements", &S::max_elements, "Most elements of a document"),
                param("max_attributes", &S::max_attributes, "Most attributes of an element"),
                param("max_name_len", &S::max_name_len, "Longest name of an element or attribute"),
                param("max_docs_per_user", &S::max_docs_per_user,
                      "Most documents of a user, 0 for any number"),
                param("max_docs_size_per_user", &S::max_docs_size_per_user,
                      "Most bytes of a user's documents, 0 for any"),
                param("content_type_check", &S::content_type_check,
                      "2 the usage's type, 1 also common mistakes, 0 any"),
                param("validation", &S::validation,
                      "Bits: 1 well-formed (always on), 2 schema, 4 constraints"),
                param("xui_canonical", &S::xui_canonical, "One key for all spellings of a user"),
                param("xui_check", &S::xui_check,
                      "The user of the target has to be the one the script names"),
                param("default_domain", &S::default_domain, "Domain of users written without one"),
                param("admin_users", &S::admin_users, "Who may write every tree"),
                param("cache_size", &S::cache_size, "Memory for documents"),
                param("cache_check", &S::cache_check,
                      "0 trust the cache, 1 compare with the database, 2 trust for cache_ttl"),
                param("cache_ttl", &S::cache_ttl, "How long cache_check 2 trusts"),
                param("cache_max_doc", &S::cache_max_doc, "Longer documents are not kept in memory"),
                param("app_usage", &S::app_usage, "A further application usage"),
                param("disable_usage", &S::disable_usage, "An application usage to switch off"),
                param("schema_dir", &S::schema_dir, "Folder of the XML Schemas"),
                param("allow_foreign_refs", &S::allow_foreign_refs,
                      "An entry-ref may lead into another user's tree"),
                param("icon_max_size", &S::icon_max_size, "Largest status icon, decoded"),
                param("rls_uri_check", &S::rls_uri_check,
                      "1: a service's URI must not be a resource's that somebody knows"),
            },
        .functions =
            {
                function("xcaps_put", &M::put, "Stores a document and answers the request",
                         Route::request | Route::event),
                function("xcaps_get", &M::get, "Answers the request with a document",
                         Route::request | Route::event),
                function("xcaps_del", &M::del, "Deletes a document and answers the request",
                         Route::request | Route::event),
                function("xcaps_handle", &M::handle, "Answers any XCAP request, by its method",
                         Route::request | Route::event),
            },
        .variables = {variable("xcapuri", &M::uri_part, &M::set_uri,
                               "A part of an XCAP target: $xcapuri(u=>auid)"),
                      variable("xcapchg", &M::change_part,
                               "A part of the change in event_route[xcap_server:changed]: $xcapchg(auid)")},
        .commands =
            {
                command("xcap.list", &M::list, "Documents of a user (user@domain) or of all, in pages"),
                command("xcap.get", &M::show, "One document, by doc_uri"),
                command("xcap.put", &M::store, "Stores a document: doc_uri, text, entity tag to replace"),
                command("xcap.validate", &M::validate, "What a text would be refused for: text, usage, user"),
                command("xcap.delete", &M::drop, "Deletes a document, by doc_uri"),
                command("xcap.flush_cache", &M::flush_cache, "Forgets the documents in memory"),
                command("xcap.reindex", &M::reindex, "Makes the index of RLS services anew"),
                command("xcap.stats", &M::stats,
                        "Requests by method and status, cache, conflicts, parse time"),
            },
        .listeners = {on(&M::run_route)},
        .event_routes = {std::string{ChangeRoute::route}},
    };
}
} // namespace sipyard::xcap_server
SIPYARD_MODULE(sipyard::xcap_server::XcapServer)
