// modules/xcap_server/engine.cpp - the order of decisions for every request, and reading (RFC 4825 7.4, 8)
#include "modules/xcap_server/engine.h"

#include "modules/xcap_server/caps.h"
#include "modules/xcap_server/engine_parts.h"

#include <algorithm>
#include <utility>

namespace sipyard::xcap_server {
namespace {

constexpr std::string_view all_methods = "GET, HEAD, PUT, DELETE";
constexpr std::string_view reading_methods = "GET, HEAD";
constexpr Duration negative_for = std::chrono::seconds{1}; // how long "there is none" is believed

DocumentPtr make_caps(const Usages& usages, const std::string& root)
{
    Document caps;
    caps.doc_uri = root + std::string{caps_auid} + "/global/index";
    caps.text = caps_document(usages);
    caps.etag = etag_of_content(caps.text);
    return std::make_shared<const Document>(std::move(caps));
}

Answer not_allowed(std::string_view allow)
{
    Answer answer = refused({405, "this method is not allowed here"});
    answer.allow = allow;
    return answer;
}

bool is_reading(Verb verb) { return verb == Verb::get || verb == Verb::head; }

} // namespace

Answer refused(const Refusal& refusal)
{
    Answer answer;
    answer.code = refusal.code;
    answer.content_type = "text/plain";
    answer.body = refusal.reason;
    return answer;
}

Verb verb_of(std::string_view method)
{
    return method == "GET"      ? Verb::get
           : method == "HEAD"   ? Verb::head
           : method == "PUT"    ? Verb::put
           : method == "DELETE" ? Verb::del
           : method == "POST"   ? Verb::post
                                : Verb::other;
}

Engine::Engine(Settings settings, Usages usages, std::uint64_t random, Outside outside)
    : settings_{std::move(settings)}, usages_{std::move(usages)}, outside_{std::move(outside)},
      store_{outside_.store}, statistics_{outside_.statistics}, cache_{settings_.cache},
      etags_{random, outside_.clock.unix_ns()}, caps_{make_caps(usages_, settings_.root)}, jitter_{random}
{
}

UriRules Engine::uri_rules(std::string_view default_domain) const
{
    return {settings_.root, settings_.canonical_xui,
            settings_.default_domain.empty() ? default_domain : std::string_view{settings_.default_domain}};
}

task::Strand& Engine::strand_of(std::string_view doc_uri)
{
    return strands_[std::hash<std::string_view>{}(doc_uri) % strands];
}

bool Engine::is_admin(std::string_view canonical) const
{
    return std::find(settings_.admin_users.begin(), settings_.admin_users.end(), canonical) !=
           settings_.admin_users.end();
}

Answer Engine::handle(const Ask& ask, Arena& arena)
{
    (is_reading(ask.verb)    ? statistics_.gets
     : ask.verb == Verb::put ? statistics_.puts
     : ask.verb == Verb::del ? statistics_.deletes
                             : statistics_.others)
        .add();
    Answer answer = decide(ask, arena);
    statistics_.of_status(answer.code).add();
    return answer;
}

Answer Engine::decide(const Ask& ask, Arena& arena)
{
    if (ask.verb == Verb::post || ask.verb == Verb::other)
        return method_refused(ask, arena);
    Target target;
    if (const auto refusal = read_target(ask, arena, target))
        return refused(refusal);
    // What no method could change is told before the question who may.
    const Usage& usage = *target.usage;
    if (!is_reading(ask.verb) && (is_computed(target) || (target.uri.tree == Tree::global &&
                                                          usage.global == Usage::GlobalTree::read_only)))
        return not_allowed(reading_methods);
    if (const auto refusal = authorise(ask, target))
        return refused(refusal);
    if (target.uri.has_node && target.node.terminal == Terminal::namespaces && !is_reading(ask.verb))
        return not_allowed(reading_methods);
    return is_reading(ask.verb) ? read_document(ask, target, arena) : change(ask, target, arena);
}

Answer Engine::method_refused(const Ask& ask, Arena& arena) const
{
    // Before any lookup: a POST is refused with 405 wherever it goes below the root.
    const std::string_view path = ask.target.substr(0, ask.target.find('?'));
    const std::string_view root = settings_.root;
    const bool below = path.starts_with(root) || path == root.substr(0, root.size() - 1);
    if (!below)
        return refused({404, "not below the XCAP root"});
    if (ask.verb == Verb::post && path.size() > root.size()) {
        auto rest = path.substr(root.size());
        if (cut(rest, '/') == search_auid)
            return refused({501, "searching is not served yet"});
    }
    XcapUri uri;
    if (!read(ask.target, uri_rules(), arena, uri))
        if (const Usage* const usage = usages_.find(uri.auid); usage && usage->computed)
            return not_allowed(reading_methods);
    return not_allowed(all_methods);
}

Refusal Engine::read_target(const Ask& ask, Arena& arena, Target& out) const
{
    // An XUI without a domain belongs to the domain of the one the script named.
    std::optional<Owner> named;
    if (ask.caller.trust != Caller::Trust::nobody)
        named = owner_of(ask.caller.uri, uri_rules(), arena);
    const UriRules rules = uri_rules(named ? named->domain : std::string_view{});
    if (const auto refusal = read(ask.target, rules, arena, out.uri))
        return refusal;
    const XcapUri& uri = out.uri;
    out.usage = usages_.find(uri.auid);
    if (!out.usage)
        return {404, "no such application usage"};
    if (out.usage->computed && !is_computed(out))
        return {404, "no such document"};
    if (uri.has_node)
        if (const auto refusal =
                read_selector(uri.node, uri.query, selector_rules(*out.usage), arena, out.node))
            return refusal;
    if (uri.trailing_slash && !is_reading(ask.verb))
        return {404, "a document's name has no slash at its end"};
    if (uri.doc_uri.size() > max_doc_uri || uri.literal_uri.size() > max_doc_uri)
        return {ask.verb == Verb::put ? 414 : 404, "the document's name is too long"};
    out.caller = ask.caller.uri.empty() ? std::string_view{} : canonical_xui(ask.caller.uri, rules, arena);
    // Owner: in the users tree the one the script named or, when nobody was named, the XUI.
    if (ask.caller.trust == Caller::Trust::script) {
        if (!named)
            return {404, "no such user"};
        out.owner = *named;
    } else if (uri.tree == Tree::users) {
        const auto owner = owner_of(uri.xui, rules, arena);
        if (!owner)
            return {404, "no such user"};
        out.owner = *owner;
    } else if (named) {
        out.owner = *named;
    }
    return {};
}

Refusal Engine::authorise(const Ask& ask, Target& target) const
{
    if (ask.caller.trust == Caller::Trust::administrator)
        return {};
    const bool reading = is_reading(ask.verb);
    const bool known = ask.caller.trust != Caller::Trust::nobody && !target.caller.empty();
    const bool admin = known && is_admin(target.caller);
    if (target.uri.tree == Tree::global) {
        if (target.usage->computed)
            return {}; // xcap-caps is everybody's
        if (reading && (known || ask.caller.trust != Caller::Trust::identity))
            return {};
        return admin ? Refusal{} : Refusal{403, "the global tree belongs to the administrators"};
    }
    switch (ask.caller.trust) {
    case Caller::Trust::script:
        if (settings_.xui_check && target.caller != target.uri.xui)
            return {403, "this is another user's tree"};
        return {};
    case Caller::Trust::identity:
        if (admin || (known && (target.caller == target.uri.xui || (reading && target.usage->read_by_all))))
            return {};
        return {403, "this is another user's tree"};
    case Caller::Trust::nobody:
    case Caller::Trust::administrator: return {};
    }
    return {};
}

// --- reading -------------------------------------------------------------------------------------

bool Engine::is_computed(const Target& target) const
{
    if (outside_.computed)
        return outside_.computed->makes(target.uri, *target.usage);
    return target.usage->auid == caps_auid && target.uri.tree == Tree::global && target.uri.file == "index";
}

Result<DocumentPtr> Engine::compute(const Ask& ask, const Target& target, Arena& arena)
{
    return outside_.computed ? outside_.computed->read(target.uri, *target.usage, ask, arena)
                             : Result<DocumentPtr>{caps_};
}

Answer answer_of_document(const Ask& ask, const DocumentPtr& document, std::string_view mime)
{
    Answer answer;
    answer.document = document;
    answer.etag = document->etag;
    answer.no_cache = true;
    switch (gate(ask.conditions, document->etag, Reading::yes)) {
    case Gate::not_modified: answer.code = 304; return answer;
    case Gate::failed: return refused({412, "the document has another entity tag"});
    case Gate::open: break;
    }
    answer.code = 200;
    answer.content_type = mime;
    answer.body = document->text;
    return answer;
}

Answer Engine::read_document(const Ask& ask, const Target& target, Arena& arena)
{
    const bool computed = is_computed(target);
    Result<Version> found = Version{};
    if (computed) {
        auto made = compute(ask, target, arena);
        found = made ? Result<Version>{Version{std::move(*made), {}}} : Result<Version>{made.error()};
    } else {
        found = fetch(target.uri.doc_uri);
    }
    if (!computed && found && !found->document && target.uri.literal_uri != target.uri.doc_uri)
        found = fetch(
            target.uri.literal_uri); // a row of the original server, under the XUI as the client wrote it
    if (!found)
        return unavailable(found.error(), target.uri.doc_uri);
    const DocumentPtr& document = found->document;
    if (!document)
        return refused({404, "no such document"});
    if (!computed && target.uri.tree == Tree::users &&
        (document->user != target.owner.user || document->domain != target.owner.domain))
        return refused({403, "the document belongs to another user"});
    if (target.uri.has_node)
        return read_node(ask, target, std::move(*found), arena);
    return answer_of_document(ask, document, target.usage->mime);
}

// From the cache when it may be believed, else with one SELECT of the tag, else with one of the row.
Result<Engine::Version> Engine::fetch(std::string_view doc_uri)
{
    std::optional<std::uint64_t> freshness;
    if (settings_.cache_check == CacheCheck::ask) {
        // Asked before the cache and the store: what is read afterwards is at least as new as this.
        TRY(freshness, store_.freshness());
    }
    const auto cached = cache_.find(doc_uri);
    if (!cached)
        return fetch_fresh(doc_uri, freshness);
    const Duration age = outside_.clock.now() - cached->seen;
    bool believed = false;
    switch (settings_.cache_check) {
    case CacheCheck::trust: believed = true; break;
    case CacheCheck::ask: believed = freshness && cached->verified == freshness; break;
    case CacheCheck::trust_for_a_while: believed = age < settings_.cache_ttl; break;
    }
    if (!cached->document && age >= negative_for)
        believed = false;
    if (believed) {
        statistics_.cache_hits.add();
        return Version{cached->document, cached->index};
    }
    if (!cached->document)
        return fetch_fresh(doc_uri, freshness);
    statistics_.cache_checks.add();
    TRY(const auto head, store_.head(doc_uri));
    const Document& document = *cached->document;
    if (head && head->etag == document.etag && head->user == document.user &&
        head->domain == document.domain) {
        cache_.confirm(cached->document, freshness, outside_.clock.now());
        return Version{cached->document, cached->index};
    }
    return fetch_fresh(doc_uri, freshness);
}

Result<Engine::Version> Engine::fetch_fresh(std::string_view doc_uri, std::optional<std::uint64_t> freshness)
{
    statistics_.cache_misses.add();
    const auto ticket = cache_.ticket(doc_uri);
    TRY(auto document, store_.load(doc_uri));
    cache_.learn(doc_uri, document, freshness, outside_.clock.now(), ticket);
    return Version{std::move(document), {}};
}

bool Engine::may_complain()
{
    // A database that is away fails thousands of requests a second; one line a second says it.
    const std::int64_t now = outside_.clock.now().ns;
    std::int64_t last = last_complaint_ns_.load(std::memory_order_relaxed);
    return (last == 0 || now - last >= 1'000'000'000) &&
           last_complaint_ns_.compare_exchange_strong(last, now);
}

Answer Engine::unavailable(const Error& why, std::string_view what)
{
    if (may_complain())
        outside_.log.error("{}: database: {}: {}", what, why.kind, why.text);
    Answer answer = refused({503, "the document store cannot be reached, try again"});
    answer.retry_after = true;
    return answer;
}

} // namespace sipyard::xcap_server
