// modules/xcap_diff/report.cpp - writing xcap-diff documents
#include "modules/xcap_diff/report.h"

#include "core/base/format.h"
#include "core/base/text.h"
#include "core/base/xml_text.h"

#include <algorithm>
#include <set>

namespace sipyard::xcap_diff {
namespace {

using xcap_server::Part;
using xcap_server::PatchOperation;
using xcap_server::Place;

// What is wanted, resolved: documents by key, parts by the URI they were asked with.
struct WantedPart {
    std::string_view uri;
    Place place;
};
struct Selection {
    std::map<std::string, std::string_view, std::less<>> documents; // doc_uri to the URI as given, "": any
    std::vector<std::string> collections;                           // doc_uri prefixes
    std::vector<WantedPart> parts;
    bool all = false;

    // The sel of a document when it is wanted. A document asked for by its own URI keeps that very text
    // (RFC 5875 4.6).
    const std::string_view* as_given(std::string_view doc_uri) const
    {
        const auto found = documents.find(doc_uri);
        return found == documents.end() ? nullptr : &found->second;
    }
    bool is_in_collection(std::string_view doc_uri) const
    {
        return all || std::any_of(collections.begin(), collections.end(),
                                  [&](const auto& prefix) { return doc_uri.starts_with(prefix); });
    }
};

// Content may be in scope of a declaration of our own prefix, which would hide it: such content is fetched.
bool hides_us(std::string_view namespaces)
{
    return namespaces.find(" xmlns:xcap-diff=") != std::string_view::npos;
}

// Writes one document. Its own prefix is none that content may use: content's declarations stand on the
// elements of ours around it.
class Writer {
public:
    explicit Writer(std::string_view root)
    {
        out_ = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
               "<xcap-diff:xcap-diff xmlns:xcap-diff=\"urn:ietf:params:xml:ns:xcap-diff\" xcap-root=\"";
        append_xml_value(out_, root);
        out_ += "\">\n";
    }
    void document(std::string_view sel, std::string_view previous, std::string_view next,
                  const std::vector<const Step*>& steps = {})
    {
        out_ += ' ';
        begin("document", sel);
        if (!next.empty())
            attribute("new-etag", next);
        if (!previous.empty())
            attribute("previous-etag", previous);
        if (steps.empty()) {
            out_ += "/>\n";
            return;
        }
        out_ += '>';
        if (std::all_of(steps.begin(), steps.end(), [](const Step* s) { return s->same_text; }))
            out_ += "<xcap-diff:body-not-changed/>";
        for (const Step* step : steps)
            if (step->patch)
                for (const auto& operation : *step->patch)
                    write(operation);
        out_ += "</xcap-diff:document>\n";
    }
    void part(std::string_view uri, bool is_attribute, const std::optional<Part>& part)
    {
        const std::string_view name = is_attribute ? "attribute" : "element";
        out_ += ' ';
        begin(name, uri);
        if (!part) {
            attribute("exists", "false");
            out_ += "/>\n";
            return;
        }
        if (!is_attribute && hides_us(part->namespaces)) {
            out_ += "/>\n"; // it is there, but cannot be shown (RFC 5874 3)
            return;
        }
        if (!is_attribute)
            out_ += part->namespaces;
        out_ += '>';
        out_ += part->text;
        out_ += format("</xcap-diff:{}>\n", name);
    }
    std::string take()
    {
        out_ += "</xcap-diff:xcap-diff>\n";
        return std::move(out_);
    }
    std::size_t size() const { return out_.size(); }

private:
    void begin(std::string_view name, std::string_view sel)
    {
        out_ += format("<xcap-diff:{}", name);
        attribute("sel", sel);
    }
    void attribute(std::string_view name, std::string_view value)
    {
        out_ += format(" {}=\"", name);
        append_xml_value(out_, value);
        out_ += '"';
    }
    void write(const PatchOperation& operation)
    {
        using Kind = PatchOperation::Kind;
        const std::string_view name = operation.kind == Kind::add       ? "add"
                                      : operation.kind == Kind::replace ? "replace"
                                                                        : "remove";
        begin(name, operation.sel);
        if (!operation.pos.empty())
            attribute(operation.kind == Kind::remove ? "ws" : "pos", operation.pos);
        if (!operation.type.empty())
            attribute("type", operation.type);
        out_ += operation.namespaces;
        if (operation.kind == Kind::remove) {
            out_ += "/>";
            return;
        }
        out_ += '>';
        out_ += operation.content;
        out_ += format("</xcap-diff:{}>", name);
    }
    std::string out_;
};

bool uses_our_prefix(const std::vector<const Step*>& steps)
{
    for (const Step* step : steps)
        if (step->patch)
            for (const auto& operation : *step->patch)
                if (hides_us(operation.namespaces))
                    return true;
    return false;
}

// A series may be told as patches when each step of it can be.
bool is_told(const Step* step) { return step->patch || step->same_text; }

// What a wish means, given who asks.
Selection selection_of(const Wish& wish, const xcap_server::Documents& documents, std::string_view user,
                       std::string_view domain)
{
    Selection out;
    out.all = wish.uris.empty();
    for (const auto& uri : wish.uris) {
        auto place = documents.place(uri);
        if (!place)
            continue; // nothing will ever be there
        const bool is_global = place->user.empty() && place->domain.empty();
        const bool is_own = place->user == user && place->domain == domain;
        if (!is_own && !is_global) // no right to read it: not a word (RFC 5875 4.7)
            continue;
        if (place->is_collection)
            out.collections.push_back(place->doc_uri);
        else if (!place->node.empty())
            out.parts.push_back({uri, std::move(*place)});
        else
            out.documents.emplace(place->doc_uri, uri);
    }
    return out;
}

bool may_read(const Wish& wish, const xcap_server::StoredText& document)
{
    return wish.is_owner || is_global(document.sel);
}

// Calls f(document's entry, sel) for each wanted document.
template <class F>
void each_wanted(const Snapshot& snapshot, const Wish& wish, const Selection& selection, F&& f)
{
    for (const auto& [uri, kept] : snapshot.documents) {
        if (!may_read(wish, kept.document))
            continue;
        if (const auto* given = selection.as_given(uri))
            f(uri, kept, *given);
        else if (selection.is_in_collection(uri))
            f(uri, kept, std::string_view{kept.document.sel});
    }
}

std::optional<Part> part_in(const xcap_server::Documents& documents, const Snapshot& snapshot,
                            const Wish& wish, const Place& place)
{
    const auto found = snapshot.documents.find(place.doc_uri);
    if (found == snapshot.documents.end() || !found->second.document.text ||
        !may_read(wish, found->second.document))
        return {};
    return documents.part(place.auid, *found->second.document.text, place.node);
}

bool is_attribute(std::string_view node)
{
    const auto path = node.substr(0, node.find('?'));
    const auto step = path.substr(path.rfind('/') == std::string_view::npos ? 0 : path.rfind('/') + 1);
    return step.starts_with('@') || step.starts_with("%40");
}

} // namespace

std::string Reporter::everything(const Snapshot& now, const Wish& wish) const
{
    const Selection selection = selection_of(wish, documents_, user_, domain_);
    Writer writer{root_};
    each_wanted(now, wish, selection, [&](const std::string&, const Kept& kept, std::string_view sel) {
        writer.document(sel, {}, kept.document.etag);
    });
    for (const auto& wanted : selection.parts)
        if (const auto part = part_in(documents_, now, wish, wanted.place); part)
            writer.part(wanted.uri, is_attribute(wanted.place.node), part);
    return writer.take();
}

std::optional<std::string> Reporter::changes(const Snapshot& before, const Snapshot& now,
                                             const Wish& wish) const
{
    const Selection selection = selection_of(wish, documents_, user_, domain_);
    Writer writer{root_};
    const std::size_t empty = writer.size();
    each_wanted(before, wish, selection, [&](const std::string& uri, const Kept& old, std::string_view sel) {
        if (now.documents.find(uri) == now.documents.end())
            writer.document(sel, old.document.etag, {});
    });
    each_wanted(now, wish, selection, [&](const std::string& uri, const Kept& kept, std::string_view sel) {
        const auto old = before.documents.find(uri);
        if (old == before.documents.end())
            return writer.document(sel, {}, kept.document.etag);
        const std::string& previous = old->second.document.etag;
        if (previous == kept.document.etag)
            return;
        const auto steps = wish.processing == Processing::no_patching ? std::vector<const Step*>{}
                                                                      : steps_between(kept, previous);
        if (steps.empty() || uses_our_prefix(steps))
            return writer.document(sel, previous, kept.document.etag);
        if (wish.processing == Processing::aggregate) {
            const bool told = std::all_of(steps.begin(), steps.end(), is_told);
            return writer.document(sel, previous, kept.document.etag,
                                   told ? steps : std::vector<const Step*>{});
        }
        for (const Step* step : steps) // the full history of tags
            writer.document(sel, step->previous, step->next,
                            is_told(step) ? std::vector<const Step*>{step} : std::vector<const Step*>{});
    });
    for (const auto& wanted : selection.parts) {
        const auto was = part_in(documents_, before, wish, wanted.place);
        const auto is = part_in(documents_, now, wish, wanted.place);
        if (was.has_value() == is.has_value() && (!is || was->text == is->text))
            continue;
        writer.part(wanted.uri, is_attribute(wanted.place.node), is);
    }
    if (writer.size() == empty)
        return {};
    return writer.take();
}

} // namespace sipyard::xcap_diff
