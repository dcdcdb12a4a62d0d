// modules/xcap_server/uniqueness.cpp - looking for the same value at two siblings
#include "modules/xcap_server/uniqueness.h"

#include "core/base/format.h"
#include "modules/xcap_server/node_path.h"
#include "modules/xcap_server/rls_document.h"

#include <string>
#include <unordered_map>
#include <utility>

namespace sipyard::xcap_server {
namespace {

constexpr std::string_view lists_ns = "urn:ietf:params:xml:ns:resource-lists";
constexpr std::size_t most_reported = 20; // who repeats more gets the rest the next time

class Search {
public:
    explicit Search(const Usage& usage) : usage_{usage} {}

    // Children of `parent` of that name: their attribute has to differ; those without it may be many.
    void siblings(xml::ElementView parent, std::string_view name, const char* attribute)
    {
        std::unordered_map<std::string, int> seen;
        for (auto child = parent.first(); child; child = child.next())
            if (child.is(name, lists_ns))
                if (auto value = child.attribute(attribute))
                    if (++seen[std::move(*value)] == 2)
                        report(child, attribute);
    }
    // The children of a list or of resource-lists, and theirs. Depth is limited by the parse.
    void lists_in(xml::ElementView parent)
    {
        siblings(parent, "list", "name");
        siblings(parent, "entry", "uri");
        siblings(parent, "entry-ref", "ref");
        siblings(parent, "external", "anchor");
        for (auto child = parent.first(); child; child = child.next())
            if (child.is("list", lists_ns))
                lists_in(child);
    }
    void services_in(xml::ElementView root)
    {
        std::unordered_map<std::string, int> seen;
        for (auto service = root.first(); service; service = service.next()) {
            if (!service.is("service", usage_.root_ns))
                continue;
            const auto key = service_key(service.attribute("uri").value_or("")); // equality of SIP URIs
            if (key && ++seen[*key] == 2)
                report(service, "uri");
            if (const auto list = service.child("list", usage_.root_ns))
                lists_in(list);
        }
    }
    std::optional<Problem> result() && { return std::move(problem_); }

private:
    void report(xml::ElementView element, const char* attribute)
    {
        if (!problem_)
            problem_ = Problem{Conflict::uniqueness_failure,
                               format("the {} of {} is there already", attribute, element.name()),
                               {},
                               {}};
        if (problem_->exists.size() < most_reported)
            problem_->exists.push_back({node_path(element, attribute, usage_.ns), {}});
    }
    const Usage& usage_;
    std::optional<Problem> problem_;
};

} // namespace

std::optional<Problem> repeated_values(const xml::Document& document, const Usage& usage)
{
    Search search{usage};
    if (usage.rules == Usage::Rules::resource_lists)
        search.lists_in(document.root());
    else if (usage.rules == Usage::Rules::rls_services)
        search.services_in(document.root());
    return std::move(search).result();
}

} // namespace sipyard::xcap_server
