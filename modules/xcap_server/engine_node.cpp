// modules/xcap_server/engine_node.cpp - elements, attributes and namespace bindings of documents (RFC
// 4825 7.4 to 7.10, 8.2, 8.3)
#include "core/base/text.h"
#include "core/xml/check.h"
#include "modules/xcap_server/engine_parts.h"
#include "modules/xcap_server/namespaces.h"
#include "modules/xcap_server/select.h"
#include "modules/xcap_server/splice.h"

#include <utility>

namespace sipyard::xcap_server {
namespace {

// What a row may have that was stored under other limits: the parser's own.
constexpr xml::Limits of_stored{256, 100'000'000, 100'000, 50'000};

// Raw pieces of a target as they may stand in a URL: what is escaped stays so, what should have been is.
std::string as_url(std::string_view raw) { return percent_encode(raw, "-._~!$&'()*+,;=:@/?%"); }

const char* const damaged_text = "the stored document is not well-formed";

} // namespace

// What became of a change before anything is validated or written.
struct Engine::Edit {
    std::optional<Answer> refusal = {};
    std::string text = {}; // of the whole document
    TextIndexPtr index = {};
    bool created = false;
};

SelectorRules Engine::selector_rules(const Usage& usage) const
{
    return {usage.ns, usage.also_ns(), settings_.prefixes};
}

Result<TextIndexPtr> Engine::index_for(Version& version)
{
    if (version.index)
        return version.index;
    const std::string& text = version.document->text;
    TRY(const auto checked,
        outside_.check ? outside_.check(text, of_stored) : Result<xml::Checked>{xml::check(text, of_stored)});
    if (!checked)
        return TextIndexPtr{};
    if (auto index = TextIndex::of(text)) {
        version.index = std::make_shared<const TextIndex>(std::move(*index));
        cache_.attach(version.document, version.index);
    }
    return version.index;
}

Answer Engine::damaged(std::string_view doc_uri)
{
    if (may_complain())
        outside_.log.error("{}: {}", doc_uri, damaged_text);
    return refused({500, damaged_text});
}

// --- reading -------------------------------------------------------------------------------------

Answer Engine::read_node(const Ask& ask, const Target& target, Version version, Arena& arena)
{
    const auto index = index_for(version);
    if (!index)
        return unavailable(index.error(), target.uri.doc_uri);
    if (!*index)
        return damaged(target.uri.doc_uri);
    const NodeSelectorView& node = target.node;
    const IndexedView document{version.document->text, **index};
    const Selection found = select(document, node.steps);
    const auto attribute =
        found.matches == Matches::one && node.terminal == Terminal::attribute
            ? document.find_attribute(found.element, node.attribute_ns, node.attribute_name)
            : TextIndex::none;
    if (found.matches != Matches::one ||
        (node.terminal == Terminal::attribute && attribute == TextIndex::none))
        return refused({404, "no such node"});
    Answer answer = answer_of_document(ask, version.document, type_of(node.terminal));
    if (answer.code != 200)
        return answer;
    switch (node.terminal) {
    case Terminal::element: answer.body = document.element(found.element); break;
    case Terminal::attribute: answer.body = document.value(attribute); break;
    case Terminal::namespaces: answer.body = arena.copy(namespaces_document(document, found.element)); break;
    }
    return answer;
}

// --- changing ------------------------------------------------------------------------------------

Engine::Edit Engine::no_parent(const Ask& ask, const Target& target, std::size_t steps, Arena& arena) const
{
    Problem problem{Conflict::no_parent, "the node's parent does not exist", {}, {}};
    if (!ask.authority.empty()) {
        // The target up to the last step that is there, as the client wrote it.
        const XcapUri& uri = target.uri;
        auto path = ask.target.substr(0, static_cast<std::size_t>(uri.node.data() - ask.target.data()));
        path = path.substr(0, path.rfind("/~~"));
        problem.ancestor = std::string{ask.scheme} + "://" + std::string{ask.authority} + as_url(path);
        if (steps != 0) {
            problem.ancestor += "/~~/" + as_url(uri.node.substr(0, target.node.steps[steps - 1].raw_end));
            if (!uri.query.empty())
                problem.ancestor += "?" + as_url(uri.query);
        }
    }
    return {.refusal = conflict(problem, arena)};
}

Result<Engine::Edit> Engine::put_element(const Ask& ask, const Target& target, const Version& version,
                                         Arena& arena) const
{
    const IndexedView document{version.document->text, *version.index};
    const auto steps = target.node.steps;
    const auto cannot_insert = [&](std::string_view phrase) {
        return Edit{.refusal = conflict(Conflict::cannot_insert, phrase, arena)};
    };
    const Selection parent = select(document, steps.first(steps.size() - 1));
    if (parent.matches != Matches::one)
        return no_parent(ask, target, parent.matched, arena);
    FragmentView fragment;
    TRY(const auto problem,
        read_fragment(ask.body, &document, parent.element, settings_.body, outside_.check, arena, fragment));
    if (problem)
        return Edit{.refusal = conflict(*problem, arena)};

    Edit edit;
    const Selection present = select(document, steps);
    switch (present.matches) {
    case Matches::several: return cannot_insert("the node selector matches several elements");
    case Matches::one: edit.text = replace_element(document, present.element, fragment); break;
    case Matches::none: {
        auto text = insert_element(document, parent.element, steps.back(), fragment);
        if (!text)
            return cannot_insert("the node selector names no place for a new element");
        edit.text = std::move(*text);
        edit.created = true;
        break;
    }
    }
    // GET(PUT(x)) is x, or nothing happens (RFC 4825 7.1, 8.2.3).
    auto index = TextIndex::of(edit.text);
    if (!index)
        return Edit{.refusal = conflict(Conflict::not_xml_frag, "the body is not an element", arena)};
    const IndexedView after{edit.text, *index};
    const Selection again = select(after, steps);
    if (again.matches != Matches::one || after.element(again.element) != fragment.text)
        return cannot_insert("the node selector would not find the element");
    edit.index = std::make_shared<const TextIndex>(std::move(*index));
    return edit;
}

Engine::Edit Engine::put_attribute(const Ask& ask, const Target& target, const Version& version,
                                   Arena& arena) const
{
    const IndexedView document{version.document->text, *version.index};
    const NodeSelectorView& node = target.node;
    const auto cannot_insert = [&](std::string_view phrase) {
        return Edit{.refusal = conflict(Conflict::cannot_insert, phrase, arena)};
    };
    const Selection element = select(document, node.steps);
    if (element.matches != Matches::one)
        return no_parent(ask, target, element.matched, arena);
    ValueView value;
    if (const auto problem = read_attribute_value(ask.body, value))
        return {.refusal = conflict(*problem, arena)};

    Edit edit;
    const auto present = document.find_attribute(element.element, node.attribute_ns, node.attribute_name);
    if (present != TextIndex::none) {
        edit.text = replace_value(document, present, value);
    } else {
        auto text =
            insert_attribute(document, element.element, node.attribute_ns, node.attribute_name, value);
        if (!text)
            return cannot_insert("no prefix is bound to the attribute's namespace there");
        edit.text = std::move(*text);
        edit.created = true;
    }
    auto index = TextIndex::of(edit.text);
    if (!index)
        return {.refusal =
                    conflict(Conflict::not_xml_att_value, "the body is not an attribute value", arena)};
    const IndexedView after{edit.text, *index};
    const Selection again = select(after, node.steps);
    const auto there = again.matches == Matches::one
                           ? after.find_attribute(again.element, node.attribute_ns, node.attribute_name)
                           : TextIndex::none;
    if (there == TextIndex::none || after.value(there) != value.text)
        return cannot_insert("the node selector would not find the attribute");
    edit.index = std::make_shared<const TextIndex>(std::move(*index));
    return edit;
}

Engine::Edit Engine::delete_node(const Ask& ask, const Target& target, const Version& version,
                                 Arena& arena) const
{
    const IndexedView document{version.document->text, *version.index};
    const NodeSelectorView& node = target.node;
    const Selection found = select(document, node.steps);
    const bool is_element = node.terminal == Terminal::element;
    const auto attribute =
        found.matches == Matches::one && !is_element
            ? document.find_attribute(found.element, node.attribute_ns, node.attribute_name)
            : TextIndex::none;
    if (found.matches != Matches::one || (!is_element && attribute == TextIndex::none))
        return {.refusal = refused({404, "no such node"})};
    if (gate(ask.conditions, std::string_view{version.document->etag}, Reading::no) != Gate::open)
        return {.refusal = refused({412, "the document has another entity tag"})};
    const auto cannot_delete = [&](std::string_view phrase) {
        return Edit{.refusal = conflict(Conflict::cannot_delete, phrase, arena)};
    };
    if (is_element && found.element == 0)
        return cannot_delete("the root element goes with its document only");
    Edit edit;
    edit.text = is_element ? remove_element(document, found.element) : remove_attribute(document, attribute);
    auto index = TextIndex::of(edit.text);
    // GET after DELETE is 404, or nothing happens (RFC 4825 7.6, 8.3).
    if (!index || (is_element && select({edit.text, *index}, node.steps).matches != Matches::none))
        return cannot_delete("the node selector would then find another element");
    edit.index = std::make_shared<const TextIndex>(std::move(*index));
    return edit;
}

Result<Engine::Edit> Engine::edit_node(const Ask& ask, const Target& target, const Version& version,
                                       Arena& arena) const
{
    if (ask.verb == Verb::del)
        return delete_node(ask, target, version, arena);
    if (gate(ask.conditions, std::string_view{version.document->etag}, Reading::no) != Gate::open)
        return Edit{.refusal = refused({412, "the document has another entity tag"})};
    if (target.node.terminal == Terminal::element)
        return put_element(ask, target, version, arena);
    return put_attribute(ask, target, version, arena);
}

// The document as it is in the store now; the cache only saves reading a text that has not changed.
Result<Engine::Version> Engine::version_to_change(const Target& target)
{
    TRY(const auto found, find_head(target));
    if (!found)
        return Version{};
    const auto cached = cache_.find(found->key);
    if (cached && cached->document) {
        const Document& document = *cached->document;
        if (document.etag == found->head.etag && document.user == found->head.user &&
            document.domain == found->head.domain)
            return Version{cached->document, cached->index};
    }
    return fetch_fresh(found->key, {});
}

Result<std::optional<Answer>> Engine::change_node_once(const Ask& ask, const Target& target, Guess guess,
                                                       Arena& arena)
{
    const bool users = target.uri.tree == Tree::users;
    const auto is_owners = [&](const Document& document) {
        return !users || (document.user == target.owner.user && document.domain == target.owner.domain);
    };
    // First on what the cache remembers: the compare-and-set tells whether it is still true. A refusal is
    // never given on a memory.
    Version version;
    bool guessed = false;
    if (guess == Guess::allowed) {
        if (auto cached = cache_.find(target.uri.doc_uri);
            cached && cached->document && is_owners(*cached->document)) {
            version = {std::move(cached->document), std::move(cached->index)};
            guessed = true;
        }
    }
    if (!guessed) {
        TRY(version, version_to_change(target));
    }
    using Outcome = Result<std::optional<Answer>>;
    const auto refuse = [&](Answer answer) -> Outcome {
        if (guessed)
            return change_node_once(ask, target, Guess::no, arena);
        return std::optional{std::move(answer)};
    };
    if (!version.document) {
        if (ask.verb == Verb::del)
            return refuse(refused({404, "no such document"}));
        if (gate(ask.conditions, {}, Reading::no) != Gate::open)
            return refuse(refused({412, "there is no document"}));
        return refuse(conflict(Conflict::no_parent, "the document does not exist", arena));
    }
    if (!is_owners(*version.document))
        return refuse(refused({403, "the document belongs to another user"}));
    TRY(const auto index, index_for(version));
    if (!index)
        return refuse(damaged(target.uri.doc_uri));
    TRY(Edit edit, edit_node(ask, target, version, arena));
    if (edit.refusal)
        return refuse(std::move(*edit.refusal));
    if (edit.text.size() > settings_.max_document)
        return refuse(refused({413, "the document would be too large"}));
    const Document& old = *version.document;
    TRY(const auto problem, examine_timed(target, old.doc_uri, edit.text));
    if (problem)
        return refuse(conflict(*problem, arena));

    Document next;
    next.doc_uri = old.doc_uri;
    next.user = old.user;
    next.domain = old.domain;
    next.etag = etags_.next();
    next.text = std::move(edit.text);
    next.type = target.usage->type;
    const auto document = std::make_shared<const Document>(std::move(next));
    const bool grows = document->text.size() > old.text.size();
    const auto written = store_.replace(document, old.etag, users && grows ? settings_.quota : Quota{});
    if (!written) {
        cache_.forget(old.doc_uri); // after a timeout nobody knows what is stored
        return written.error();
    }
    switch (*written) {
    case Written::done: break;
    case Written::lost:
        cache_.forget(old.doc_uri);
        if (!guessed)
            return std::optional<Answer>{};
        statistics_.conflicts.add();
        return change_node_once(ask, target, Guess::no, arena);
    case Written::too_large:
        return std::optional{
            conflict(Conflict::constraint_failure, "the user's documents would be too large", arena)};
    }
    cache_.wrote(document, outside_.clock.now(), edit.index);
    if (document->doc_uri != target.uri.literal_uri)
        cache_.forget(target.uri.literal_uri);
    using Kind = DocumentChanged::Kind;
    announce(*target.usage, *document, target.uri.file,
             ask.verb == Verb::del ? DocumentChanged::Method::del : DocumentChanged::Method::put, old.etag,
             document->etag,
             {target.node.terminal == Terminal::element ? Kind::element : Kind::attribute, target.uri.node,
              target.uri.query, version.document, document});
    Answer answer;
    answer.code = edit.created ? 201 : 200;
    answer.etag = document->etag;
    answer.document = document;
    return std::optional{std::move(answer)};
}

} // namespace sipyard::xcap_server
