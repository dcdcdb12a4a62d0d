// modules/xcap_server/administration.cpp - from a command's arguments to the engine and back
#include "modules/xcap_server/administration.h"

#include "core/base/format.h"
#include "core/base/text.h"
#include "core/xml/document.h"

#include <algorithm>
#include <utility>

namespace sipyard::xcap_server {
namespace {

constexpr std::size_t most_rows = 1000;

const json::Value& argument(const json::Value& params, std::string_view name, std::size_t place)
{
    if (params.is_array())
        return params[place];
    return params.is_object() || place != 0 ? params[name] : params;
}
// A text that has to be there, or an empty one.
Result<std::string> text_of(const json::Value& params, std::string_view name, std::size_t place)
{
    const json::Value& value = argument(params, name, place);
    if (!value.is_string() || value.text().empty())
        return invalid(format("'{}' is missing", name));
    return std::string{value.text()};
}

json::Value row_of(const Listed& one)
{
    return json::Value::object()
        .set("doc_uri", one.doc_uri)
        .set("etag", one.etag)
        .set("doc_type", one.type)
        .set("size", one.size);
}

// What an error document says, in one line.
std::string told_by(std::string_view error_document)
{
    const auto document = xml::Document::parse(error_document);
    if (!document)
        return "refused";
    const auto why = document->root().first();
    auto text = format("{}: {}", why.name(), why.attribute("phrase").value_or(""));
    if (const auto exists = why.first())
        text += format(" ({})", exists.attribute("field").value_or(exists.text()));
    return text;
}

} // namespace

Result<json::Value> Administration::list(const json::Value& params)
{
    const auto user = argument(params, "user", 0).text();
    const auto after = argument(params, "after", 1).text();
    const auto limit = argument(params, "limit", 2).integer(static_cast<std::int64_t>(most_rows));
    if (limit < 1)
        return invalid("'limit' has to be positive");
    const auto most = std::min(static_cast<std::size_t>(limit), most_rows);
    std::vector<Listed> documents;
    if (user.empty()) {
        TRY(documents, store_.list_all(after, most));
    } else {
        Arena arena;
        const auto owner = owner_of(user, engine_.uri_rules(), arena);
        if (!owner)
            return invalid(format("'{}' is no user@domain", user));
        TRY(documents, store_.list(owner->user, owner->domain));
        std::sort(documents.begin(), documents.end(),
                  [](const Listed& a, const Listed& b) { return a.doc_uri < b.doc_uri; });
        std::erase_if(documents, [&](const Listed& one) { return one.doc_uri <= after; });
        documents.resize(std::min(documents.size(), most));
    }
    json::Value rows = json::Value::array();
    for (const Listed& one : documents)
        rows.add(row_of(one));
    return rows;
}

Result<json::Value> Administration::get(const json::Value& params)
{
    TRY(const auto doc_uri, text_of(params, "doc_uri", 0));
    TRY(const auto document, store_.load(doc_uri));
    if (!document)
        return Error{ErrorKind::not_found, format("there is no document '{}'", doc_uri)};
    json::Value row = json::Value::object();
    row.set("doc_uri", document->doc_uri).set("username", document->user).set("domain", document->domain);
    row.set("doc_type", document->type).set("etag", document->etag).set("doc", document->text);
    return row;
}

Result<json::Value> Administration::put(const json::Value& params)
{
    TRY(const auto doc_uri, text_of(params, "doc_uri", 0));
    const auto text = argument(params, "doc", 1).text();
    const auto if_match = argument(params, "if_match", 2).text();
    Arena arena;
    XcapUri uri;
    const auto target = percent_encode(doc_uri, "-._~:/@;=+,&$*!");
    if (const auto refusal = read(target, engine_.uri_rules(), arena, uri))
        return invalid(format("'{}': {}", doc_uri, refusal.reason));
    const Usage* const usage = engine_.usages().find(uri.auid);
    if (!usage)
        return Error{ErrorKind::not_found, format("there is no application usage '{}'", uri.auid)};
    Ask ask{Verb::put, target, {Caller::Trust::administrator, {}}, usage->mime, {}, text};
    std::string quoted_tag{if_match};
    if (!if_match.empty()) {
        if (if_match != "*" && if_match[0] != '"')
            quoted_tag = format("\"{}\"", if_match);
        ask.conditions.if_match = quoted_tag;
    }
    const Answer answer = engine_.handle(ask, arena);
    switch (answer.code) {
    case 200:
    case 201: return json::Value::object().set("code", answer.code).set("etag", answer.etag);
    case 409: return invalid(told_by(answer.body));
    case 412: return Error{ErrorKind::constraint, std::string{answer.body}};
    case 503: return Error{ErrorKind::busy, std::string{answer.body}};
    default: return invalid(format("{}: {}", answer.code, answer.body));
    }
}

Result<json::Value> Administration::validate(const json::Value& params)
{
    TRY(const auto text, text_of(params, "doc", 0));
    const auto auid = argument(params, "auid", 1).text();
    const auto user = argument(params, "user", 2).text();
    const Usage* usage = auid.empty() ? nullptr : engine_.usages().find(auid);
    if (!auid.empty() && !usage)
        return Error{ErrorKind::not_found, format("there is no application usage '{}'", auid)};
    if (!usage) {
        const auto checked = xml::check(text);
        for (const Usage& one : engine_.usages().all())
            if (checked && !one.root_ns.empty() && checked.facts.root_namespace == one.root_ns &&
                (one.root_name.empty() || checked.facts.root_name == one.root_name)) {
                usage = &one;
                break;
            }
        if (!usage)
            return invalid(checked
                               ? format("no usage has the root element {}, name one", checked.facts.root_name)
                               : checked.text);
    }
    Arena arena;
    Candidate candidate{text, *usage, Tree::global};
    if (!user.empty()) {
        candidate.tree = Tree::users;
        candidate.xui = canonical_xui(user, engine_.uri_rules(), arena);
    }
    TRY(const auto problem, examiner_.examine(candidate));
    json::Value answer = json::Value::object().set("valid", !problem.has_value()).set("auid", usage->auid);
    if (!problem)
        return answer;
    answer.set("kind", to_text(problem->conflict)).set("phrase", problem->phrase);
    if (problem->exists.empty())
        return answer;
    json::Value fields = json::Value::array();
    for (const Exists& exists : problem->exists) {
        json::Value others = json::Value::array();
        for (const std::string& other : exists.alt_values)
            others.add(other);
        fields.add(json::Value::object().set("field", exists.field).set("alt_values", std::move(others)));
    }
    answer.set("exists", std::move(fields));
    return answer;
}

Result<json::Value> Administration::remove(const json::Value& params)
{
    TRY(const auto doc_uri, text_of(params, "doc_uri", 0));
    TRY(const bool removed, engine_.remove(doc_uri));
    if (!removed)
        return Error{ErrorKind::not_found, format("there is no document '{}'", doc_uri)};
    return json::Value{"deleted"};
}

Result<json::Value> Administration::reindex()
{
    TRY(const auto services, store_.reindex());
    return json::Value::object().set("services", services);
}

Result<json::Value> Administration::flush_cache()
{
    const auto before = engine_.cache().stats();
    engine_.cache().clear();
    return json::Value::object().set("documents", before.documents).set("bytes", before.bytes);
}

} // namespace sipyard::xcap_server
