// modules/xcap_server/engine.h - one XCAP request in, one answer out; knows no sockets and no SIP (RFC 4825
// 7, 8)
#pragma once

#include "core/base/clock.h"
#include "core/log/log.h"
#include "core/task/strand.h"
#include "modules/xcap_server/api.h"
#include "modules/xcap_server/body.h"
#include "modules/xcap_server/cache.h"
#include "modules/xcap_server/etag.h"
#include "modules/xcap_server/fragment.h"
#include "modules/xcap_server/identity.h"
#include "modules/xcap_server/precondition.h"
#include "modules/xcap_server/selector.h"
#include "modules/xcap_server/statistics.h"
#include "modules/xcap_server/store.h"
#include "modules/xcap_server/uri.h"
#include "modules/xcap_server/usage.h"

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::xcap_server {

enum class Verb : unsigned char { get, head, put, del, post, other };
Verb verb_of(std::string_view method); // as in the request line; HTTP methods have a letter case

// Who asks, and who decided that he may.
struct Caller {
    enum class Trust : unsigned char {
        script,        // xcaps_put...: the script has decided; `uri` is the owner whose documents are meant
        identity,      // xcaps_handle(uri): `uri` is who was authenticated; RFC 4825's default rules decide
        nobody,        // xcaps_handle(): no identity; the owner is the one of the target
        administrator, // a command: may do everything; the owner is the one of the target
    };
    Trust trust = Trust::nobody;
    std::string_view uri;
};

struct Ask {
    Verb verb = Verb::get;
    std::string_view target; // path and query, raw
    Caller caller;
    std::optional<std::string_view> content_type;
    Conditions conditions;
    std::string_view body;
    // For absolute URLs in answers (RFC 4825 11, `ancestor`): "http" or "https", and host[:port] as the
    // client calls this server; checked characters only (origin.h). Empty authority: answers have no such
    // URL.
    std::string_view scheme = "http", authority = {};
};

// Texts live in the arena of the call or in `document`.
struct Answer {
    int code = 500;
    std::string_view etag; // without quotes
    std::string_view content_type;
    std::string_view body;  // to HEAD as well: who sends the answer leaves it out but counts it
    std::string_view allow; // of 405
    bool retry_after = false;
    bool no_cache = false;
    DocumentPtr document; // keeps body and etag
};

// Documents that the server makes itself. Thread-safe; may suspend.
class ComputedDocuments {
public:
    virtual ~ComputedDocuments() = default;
    // Is the document of this target one of them? Then it cannot be written (405), is nobody's row, and
    // read() is asked. A usage whose flag `computed` is set has no other documents.
    virtual bool makes(const XcapUri& uri, const Usage& usage) const = 0;
    // Null: there is none (404). The caller was authorised before: the owner in the users tree, who is known
    // in the global tree, anybody for a computed usage's global tree. The tag is of the content. Conditions
    // and node selectors work on what is returned as on a stored document.
    virtual Result<DocumentPtr> read(const XcapUri& uri, const Usage& usage, const Ask& ask,
                                     Arena& arena) = 0;
};

// How a cached document is trusted (modparam cache_check).
enum class CacheCheck : unsigned char { trust, ask, trust_for_a_while };

class Engine {
public:
    struct Settings {
        std::string root = "/xcap-root/";
        bool canonical_xui = true;
        std::string default_domain;
        std::vector<std::string> admin_users; // canonical
        bool xui_check = false;
        TypeCheck type_check = TypeCheck::strict;
        std::vector<Prefix> prefixes; // bound in node selectors besides those of the query
        Validation validation;
        xml::Limits body;
        std::size_t max_body = 1024 * 1024, max_document = 1024 * 1024;
        Quota quota{64, 4 * 1024 * 1024};
        Cache::Limits cache{32 * 1024 * 1024, 64 * 1024};
        CacheCheck cache_check = CacheCheck::ask;
        Duration cache_ttl = std::chrono::seconds{1};
    };
    // The world as the engine needs it. `examine`: how bodies are examined, so that long ones can leave the
    // worker.
    struct Outside {
        Store& store;
        const Clock& clock;
        Statistics& statistics;
        std::function<void(Duration)> pause;
        std::function<void(const DocumentChanged&)> changed;
        std::function<Result<std::optional<Problem>>(const Candidate&)> examine = {};
        log::Logger log = {};
        ComputedDocuments* computed = nullptr; // absent: only xcap-caps, as caps.h writes it
        XmlCheck check = {}; // how a text is parsed, so that long ones can leave the worker; may suspend
    };
    Engine(Settings settings, Usages usages, std::uint64_t random, Outside outside);

    // Thread-safe; suspends while the store is asked. Never throws for what a client sends.
    Answer handle(const Ask& ask, Arena& arena);

    const Usages& usages() const { return usages_; }
    UriRules uri_rules(std::string_view default_domain = {}) const;
    Cache& cache() { return cache_; }
    // The administrator's delete: as a DELETE without conditions. False: there was none.
    Result<bool> remove(std::string_view doc_uri);

private:
    struct Target; // a request after the rules of its URI: engine.cpp
    struct Found {
        std::string_view key;
        Head head;
        DocumentPtr document; // when it is known
    };
    struct Version { // of a document; null: there is none
        DocumentPtr document;
        TextIndexPtr index; // null: not made yet
    };
    struct Change { // what is told of it besides the tags
        DocumentChanged::Kind kind = DocumentChanged::Kind::document;
        std::string_view selector = {}, query = {};
        DocumentPtr before = {}, after = {};
    };
    enum class Guess : unsigned char { no, allowed };

    Answer decide(const Ask& ask, Arena& arena);
    Answer method_refused(const Ask& ask, Arena& arena) const;
    Refusal read_target(const Ask& ask, Arena& arena, Target& out) const;
    Refusal authorise(const Ask& ask, Target& target) const;
    bool is_admin(std::string_view canonical) const;

    Answer read_document(const Ask& ask, const Target& target, Arena& arena);
    bool is_computed(const Target& target) const;
    Result<DocumentPtr> compute(const Ask& ask, const Target& target, Arena& arena);
    Result<Version> fetch(std::string_view doc_uri);
    Result<Version> fetch_fresh(std::string_view doc_uri, std::optional<std::uint64_t> freshness);

    // Nodes: engine_node.cpp.
    SelectorRules selector_rules(const Usage& usage) const;
    Answer read_node(const Ask& ask, const Target& target, Version version, Arena& arena);
    Result<TextIndexPtr> index_for(Version& version); // null: the text is not well-formed
    struct Edit;
    Answer damaged(std::string_view doc_uri);
    Result<Edit> edit_node(const Ask& ask, const Target& target, const Version& version, Arena& arena) const;
    Result<Edit> put_element(const Ask& ask, const Target& target, const Version& version,
                             Arena& arena) const;
    Edit put_attribute(const Ask& ask, const Target& target, const Version& version, Arena& arena) const;
    Edit delete_node(const Ask& ask, const Target& target, const Version& version, Arena& arena) const;
    Edit no_parent(const Ask& ask, const Target& target, std::size_t steps, Arena& arena) const;
    Result<Version> version_to_change(const Target& target);
    Result<std::optional<Answer>> change_node_once(const Ask& ask, const Target& target, Guess guess,
                                                   Arena& arena);

    Answer change(const Ask& ask, const Target& target, Arena& arena);
    // One round of read, compare, write; nothing when somebody else was faster.
    struct Draft { // what rounds of one request share
        std::string_view text;
        bool examined = false;
    };
    std::optional<Found> remembered(const Ask& ask, const Target& target);
    Result<std::optional<Answer>> put_once(const Ask& ask, const Target& target, Draft& draft, Guess guess,
                                           Arena& arena);
    Result<std::optional<Answer>> delete_once(const Ask& ask, const Target& target, Arena& arena);
    Result<std::optional<Found>> find_head(const Target& target);
    Result<std::optional<Problem>> examine_timed(const Target& target, std::string_view doc_uri,
                                                 std::string_view text);
    void announce(const Usage& usage, const Document& document, std::string_view file,
                  DocumentChanged::Method method, std::string_view old_etag, std::string_view new_etag,
                  const Change& change) const;
    Answer unavailable(const Error& why, std::string_view what);
    bool may_complain(); // a line in the log: one a second at most
    task::Strand& strand_of(std::string_view doc_uri);

    static constexpr std::size_t strands = 256; // documents that share one only wait for each other
    const Settings settings_;
    const Usages usages_;
    const Outside outside_;
    Store& store_;
    Statistics& statistics_;
    Cache cache_;
    EtagSource etags_;
    const DocumentPtr caps_;
    std::array<task::Strand, strands> strands_;
    std::atomic<std::uint64_t> jitter_;
    std::atomic<std::int64_t> last_complaint_ns_{0};
};

} // namespace sipyard::xcap_server
