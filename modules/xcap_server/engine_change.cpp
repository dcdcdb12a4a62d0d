// modules/xcap_server/engine_change.cpp - PUT and DELETE: read, decide, compare and set, again when somebody
// was faster
#include "core/base/text.h"
#include "modules/xcap_server/engine_parts.h"
#include "modules/xcap_server/fragment.h"

#include <utility>

namespace sipyard::xcap_server {
namespace {

constexpr int most_rounds = 16;

// Another try may succeed: a lock, or a row that appeared between our look and our insert.
bool is_passing(ErrorKind kind) { return kind == ErrorKind::busy || kind == ErrorKind::unique; }

} // namespace

Answer conflict(const Problem& problem, Arena& arena)
{
    Answer answer;
    answer.code = 409;
    answer.content_type = error_document_type;
    answer.body = arena.copy(error_document(problem));
    return answer;
}

Answer conflict(Conflict kind, std::string_view phrase, Arena& arena)
{
    return conflict(Problem{kind, std::string{phrase}, {}, {}}, arena);
}

Answer Engine::change(const Ask& ask, const Target& target, Arena& arena)
{
    Draft draft;
    if (ask.verb == Verb::put) {
        const bool node = target.uri.has_node;
        switch (node ? check_node_type(ask.content_type, target.node.terminal, settings_.type_check)
                     : check_type(ask.content_type, *target.usage, settings_.type_check)) {
        case TypeVerdict::good: break;
        case TypeVerdict::wrong:
            return refused(
                {415, node ? "this Content-Type is not the node's" : "this Content-Type is not the usage's"});
        case TypeVerdict::not_utf8: return conflict(Conflict::not_utf8, "documents are UTF-8", arena);
        }
        draft.text = without_mark(ask.body);
        if (ask.body.size() > settings_.max_body || draft.text.size() > settings_.max_document)
            return refused({413, "the document is too large"});
    }
    // Writers of this process queue up here; the rounds are for writers of other processes.
    const auto outcome = strand_of(target.uri.doc_uri).run([&]() -> Answer {
        Error last{ErrorKind::busy, "other writers were always faster"};
        for (int round = 0; round < most_rounds; ++round) {
            if (round != 0) {
                statistics_.retries.add();
                // 1 to 20 ms at random, so that processes that collided do not collide again.
                const auto dice = jitter_.fetch_add(0x9e3779b97f4a7c15u, std::memory_order_relaxed);
                outside_.pause(std::chrono::microseconds{1000 + (dice >> 40) % 19'000});
            }
            const Guess guess = round == 0 ? Guess::allowed : Guess::no;
            auto done = target.uri.has_node     ? change_node_once(ask, target, guess, arena)
                        : ask.verb == Verb::put ? put_once(ask, target, draft, guess, arena)
                                                : delete_once(ask, target, arena);
            if (!done && !is_passing(done.error().kind))
                return unavailable(done.error(), target.uri.doc_uri);
            if (!done)
                last = done.error(), draft.examined = false; // what others wrote meanwhile may forbid it now
            else if (*done)
                return std::move(**done);
            statistics_.conflicts.add();
        }
        return unavailable(last, target.uri.doc_uri);
    });
    return outcome ? *outcome : unavailable(outcome.error(), target.uri.doc_uri);
}

Result<std::optional<Engine::Found>> Engine::find_head(const Target& target)
{
    TRY(auto head, store_.head(target.uri.doc_uri));
    if (head)
        return std::optional<Found>{Found{target.uri.doc_uri, std::move(*head), {}}};
    if (target.uri.literal_uri == target.uri.doc_uri)
        return std::optional<Found>{};
    // A row written by the original server under the XUI as sent stays under that key.
    TRY(auto literal, store_.head(target.uri.literal_uri));
    if (!literal)
        return std::optional<Found>{};
    return std::optional<Found>{Found{target.uri.literal_uri, std::move(*literal), {}}};
}

// What the cache remembers of the document, when with it the change would be allowed. Whether it is still
// true is settled by the compare-and-set; a refusal is never given on a memory.
std::optional<Engine::Found> Engine::remembered(const Ask& ask, const Target& target)
{
    const auto cached = cache_.find(target.uri.doc_uri);
    if (!cached || !cached->document)
        return std::nullopt;
    const Document& document = *cached->document;
    if (target.uri.tree == Tree::users &&
        (document.user != target.owner.user || document.domain != target.owner.domain))
        return std::nullopt;
    if (gate(ask.conditions, std::string_view{document.etag}, Reading::no) != Gate::open)
        return std::nullopt;
    return Found{target.uri.doc_uri, {document.user, document.domain, document.etag}, cached->document};
}

Result<std::optional<Answer>> Engine::put_once(const Ask& ask, const Target& target, Draft& draft,
                                               Guess guess, Arena& arena)
{
    auto found = guess == Guess::allowed ? remembered(ask, target) : std::nullopt;
    const bool guessed = found.has_value();
    if (!guessed) {
        TRY(found, find_head(target));
    }
    const bool users = target.uri.tree == Tree::users;
    if (found && users &&
        (found->head.user != target.owner.user || found->head.domain != target.owner.domain))
        return std::optional{refused({403, "the document belongs to another user"})};
    const auto tag = found ? std::optional<std::string_view>{found->head.etag} : std::nullopt;
    if (gate(ask.conditions, tag, Reading::no) != Gate::open)
        return std::optional{refused({412, "the document has another entity tag"})};
    if (!draft.examined) {
        TRY(auto problem, examine_timed(target, found ? found->key : target.uri.doc_uri, draft.text));
        if (problem)
            return std::optional{conflict(std::move(*problem), arena)};
        draft.examined = true;
    }

    Document next;
    next.doc_uri = found ? found->key : target.uri.doc_uri;
    next.user = found ? found->head.user : std::string{target.owner.user};
    next.domain = found ? found->head.domain : std::string{target.owner.domain};
    next.etag = etags_.next();
    next.text = draft.text;
    next.type = target.usage->type;
    const auto document = std::make_shared<const Document>(std::move(next));
    const auto too_large = [&] {
        return std::optional{
            conflict(Conflict::constraint_failure, "the user's documents would be too large", arena)};
    };
    if (found) {
        // A document that does not grow needs no look at what its owner has stored. (If the guess at the old
        // size is wrong, so is the tag, and nothing is written.)
        const bool grows = !found->document || draft.text.size() > found->document->text.size();
        const auto written =
            store_.replace(document, found->head.etag, users && grows ? settings_.quota : Quota{});
        if (!written) {
            cache_.forget(document->doc_uri); // after a timeout nobody knows what is stored
            return written.error();
        }
        switch (*written) {
        case Written::done: break;
        case Written::lost:
            if (!guessed)
                return std::optional<Answer>{};
            statistics_.conflicts.add();
            cache_.forget(found->key); // somebody else wrote since: the store is asked now
            return put_once(ask, target, draft, Guess::no, arena);
        case Written::too_large: return too_large();
        }
    } else {
        const std::string_view uri = target.uri.doc_uri;
        const auto created =
            store_.create({document, target.uri.tree,
                           std::string{uri.substr(0, uri.size() - target.uri.file.size())}, settings_.quota});
        if (!created) {
            cache_.forget(document->doc_uri);
            return created.error();
        }
        switch (*created) {
        case Created::done: break;
        case Created::lost: return std::optional<Answer>{};
        case Created::too_large: return too_large();
        case Created::too_many:
            return std::optional{
                conflict(Conflict::constraint_failure, "the user has too many documents", arena)};
        case Created::parent_is_document:
            return std::optional{conflict(Conflict::no_parent, "a part of the path is a document", arena)};
        case Created::holds_documents:
            return std::optional{
                conflict(Conflict::constraint_failure, "the name is that of a directory", arena)};
        }
    }
    cache_.wrote(document, outside_.clock.now());
    if (document->doc_uri != target.uri.literal_uri)
        cache_.forget(target.uri.literal_uri);
    announce(*target.usage, *document, target.uri.file, DocumentChanged::Method::put,
             found ? std::string_view{found->head.etag} : std::string_view{}, document->etag,
             {.before = found ? found->document : DocumentPtr{}, .after = document});
    Answer answer;
    answer.code = found ? 200 : 201;
    answer.etag = document->etag;
    answer.document = document;
    return std::optional{std::move(answer)};
}

Result<std::optional<Answer>> Engine::delete_once(const Ask& ask, const Target& target, Arena&)
{
    TRY(const auto found, find_head(target));
    if (!found)
        return std::optional{refused({404, "no such document"})};
    const Head& head = found->head;
    if (target.uri.tree == Tree::users &&
        (head.user != target.owner.user || head.domain != target.owner.domain))
        return std::optional{refused({403, "the document belongs to another user"})};
    if (gate(ask.conditions, head.etag, Reading::no) != Gate::open)
        return std::optional{refused({412, "the document has another entity tag"})};
    // Read by nobody for this, but told when it is at hand.
    DocumentPtr before;
    if (auto cached = cache_.find(found->key);
        cached && cached->document && cached->document->etag == head.etag)
        before = std::move(cached->document);
    const auto removed = store_.remove(found->key, head.user, head.domain, head.etag);
    cache_.forget(found->key);
    if (!removed)
        return removed.error();
    if (*removed != Written::done)
        return std::optional<Answer>{};
    Document gone;
    gone.doc_uri = found->key;
    gone.user = head.user;
    gone.domain = head.domain;
    announce(*target.usage, gone, target.uri.file, DocumentChanged::Method::del, head.etag, {},
             {.before = std::move(before)});
    Answer answer;
    answer.code = 200;
    return std::optional{std::move(answer)};
}

Result<bool> Engine::remove(std::string_view doc_uri)
{
    // The administrator names a key; its usage is known from the key when the root is still the same.
    std::string_view rest = doc_uri;
    const Usage* usage = nullptr;
    std::string_view file;
    if (rest.starts_with(settings_.root)) {
        rest.remove_prefix(settings_.root.size());
        usage = usages_.find(cut(rest, '/'));
        if (cut(rest, '/') == "users")
            cut(rest, '/');
        file = rest;
    }
    TRY(auto removed_one, strand_of(doc_uri).run([&]() -> Result<bool> {
        for (int round = 0; round < most_rounds; ++round) {
            TRY(const auto head, store_.head(doc_uri));
            if (!head)
                return false;
            const auto removed = store_.remove(doc_uri, head->user, head->domain, head->etag);
            cache_.forget(doc_uri);
            if (!removed && !is_passing(removed.error().kind))
                return removed.error();
            if (removed && *removed == Written::done) {
                if (usage) {
                    Document gone;
                    gone.doc_uri = doc_uri;
                    gone.user = head->user;
                    gone.domain = head->domain;
                    announce(*usage, gone, file, DocumentChanged::Method::del, head->etag, {}, {});
                }
                return true;
            }
            outside_.pause(std::chrono::milliseconds{5});
        }
        return Error{ErrorKind::busy, "other writers were always faster"};
    }));
    return removed_one;
}

Result<std::optional<Problem>> Engine::examine_timed(const Target& target, std::string_view doc_uri,
                                                     std::string_view text)
{
    const Candidate candidate{text,    *target.usage,     target.uri.tree,    target.uri.xui, target.uri.file,
                              doc_uri, target.owner.user, target.owner.domain};
    const Instant before = outside_.clock.now();
    auto problem =
        outside_.examine
            ? outside_.examine(candidate)
            : Result<std::optional<Problem>>{examine(candidate, settings_.validation, settings_.body)};
    statistics_.parse_time.add((outside_.clock.now() - before).count() / 1000);
    return problem;
}

void Engine::announce(const Usage& usage, const Document& document, std::string_view file,
                      DocumentChanged::Method method, std::string_view old_etag, std::string_view new_etag,
                      const Change& change) const
{
    if (!outside_.changed)
        return;
    const auto text_of = [](const DocumentPtr& one) {
        return one ? std::shared_ptr<const std::string>{one, &one->text} : nullptr;
    };
    outside_.changed({.user = document.user,
                      .domain = document.domain,
                      .auid = usage.auid,
                      .type = usage.type,
                      .doc_uri = document.doc_uri,
                      .file = std::string{file},
                      .method = method,
                      .old_etag = std::string{old_etag},
                      .new_etag = std::string{new_etag},
                      .kind = change.kind,
                      .selector = std::string{change.selector},
                      .query = std::string{change.query},
                      .old_text = text_of(change.before),
                      .new_text = text_of(change.after)});
}

} // namespace sipyard::xcap_server
