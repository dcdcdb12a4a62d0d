// modules/presence_dialoginfo/test_support.h - publishers of one user, and what a watcher would read
#pragma once

#include "core/xml/check.h"
#include "modules/presence_dialoginfo/package.h"
#include "modules/presence_dialoginfo/read.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::presence_dialoginfo::test {

inline constexpr std::string_view bob = "sip:bob@example.com";
inline constexpr std::string_view head =
    "<?xml version=\"1.0\"?>\n<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"";

// A published document around these elements.
inline std::string document(std::string_view elements, std::string_view state = "full")
{
    return "<dialog-info xmlns='urn:ietf:params:xml:ns:dialog-info' version='3' state='" +
           std::string{state} + "' entity='sip:bob@example.com'>" + std::string{elements} + "</dialog-info>";
}
inline std::string dialog(std::string_view id, std::string_view state, std::string_view call_id = {})
{
    return "<dialog id='" + std::string{id} + "'" +
           (call_id.empty() ? std::string{} : " call-id='" + std::string{call_id} + "'") + "><state>" +
           std::string{state} + "</state></dialog>";
}

struct CounterSet {
    Counter documents{"t", "documents", ""}, refused{"t", "refused", ""}, merges{"t", "merges", ""},
        renderings{"t", "renderings", ""};
    Counters counters() { return {documents, refused, merges, renderings}; }
};

// A resource of the presence server, without the server.
class Desk {
public:
    explicit Desk(Settings settings = {}) : package{settings, counts.counters()} {}

    // By its publisher's name; empty: published. Else the reason of the refusal.
    std::string publish(const std::string& who, std::string_view body)
    {
        Row& row = rows_[who];
        auto read = package.parse({bob, sip::dialog_info_type, body, row.document});
        if (const auto* const refusal = std::get_if<presence::Refusal>(&read)) {
            if (!row.document)
                rows_.erase(who);
            return std::to_string(refusal->code) + " " + refusal->reason;
        }
        row.document = std::get<presence::DocumentPtr>(read);
        row.commit = ++commits_;
        if (row.first_commit == 0)
            row.first_commit = row.commit;
        merge();
        return {};
    }
    void remove(const std::string& who)
    {
        rows_.erase(who);
        ++commits_;
        merge();
    }
    void merge()
    {
        std::vector<presence::Publication> publications;
        for (const auto& [who, row] : rows_) {
            presence::Publication publication;
            publication.etag = who;
            publication.document = row.document;
            publication.commit = row.commit;
            publication.first_commit = row.first_commit;
            publications.push_back(publication);
        }
        if (reversed)
            std::reverse(publications.begin(), publications.end());
        composite = package.merge(bob, publications, composite);
    }
    const State& state() const { return static_cast<const State&>(*composite); }

    presence::BodyPtr body(const View& view = {}) { return package.render(bob, *composite, view.variant()); }
    std::string text(const View& view = {}, int version = 0) { return text_of(body(view), version); }
    static std::string text_of(const presence::BodyPtr& body, int version = 0)
    {
        return body ? body->before + std::to_string(version) + body->after : "(no body)";
    }
    // "1:early 2:terminated", in the order of the document
    std::string dialogs(const View& view = {}) { return dialogs_of(text(view)); }
    static std::string dialogs_of(const std::string& text)
    {
        const auto document = xml::Document::parse(text);
        if (!document)
            return "not well-formed: " + document.error().text;
        std::string list;
        for (xml::ElementView e = document->root().first(); e; e = e.next())
            if (e.is("dialog", sip::dialog_info_ns))
                list += (list.empty() ? "" : " ") + e.attribute("id").value_or("?") + ":" +
                        e.child("state", sip::dialog_info_ns).text();
        return list;
    }

    CounterSet counts;
    DialogPackage package;
    presence::CompositePtr composite;
    bool reversed = false; // hands publications over in the other order

private:
    struct Row {
        presence::DocumentPtr document;
        std::uint64_t commit = 0, first_commit = 0;
    };
    std::map<std::string, Row> rows_;
    std::uint64_t commits_ = 0;
};

} // namespace sipyard::presence_dialoginfo::test
