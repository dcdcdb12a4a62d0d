// modules/xcap_server/uniqueness.cpp - looking for the same value at two siblings
#include "modules/xcap_server/uniqueness.h"

#include "core/base/format.h"
#include "modules/xcap_server/node_path.h"
#include "modules/xcap_server/rls_document.h"

#include <algorithm>
#include <iterator>
#include <memory_resource>
#include <new>
#include <string>
#include <unordered_map>
#include <utility>

namespace sipyard::xcap_server {
namespace {

constexpr std::string_view lists_ns = "urn:ietf:params:xml:ns:resource-lists";
constexpr std::size_t most_reported = 20; // who repeats more gets the rest the next time

struct Kind {
    std::string_view name;
    const char* attribute;
};
constexpr Kind kinds[] = {{"list", "name"}, {"entry", "uri"}, {"entry-ref", "ref"}, {"external", "anchor"}};

class Search {
public:
    explicit Search(const Usage& usage) : usage_{usage} {}

    // The children of a list or of resource-lists, and theirs: those of one kind have to differ in one
    // attribute; those without it may be many. Depth is limited by the parse.
    void lists_in(xml::ElementView parent)
    {
        Seen* const seen =
            seen_anew(); // not in the frame: lists within lists go deep, a fiber's stack is small
        for (auto child = parent.first(); child; child = child.next()) {
            const auto name = child.name();
            const auto kind = std::find_if(std::begin(kinds), std::end(kinds),
                                           [&](const auto& one) { return one.name == name; });
            if (kind == std::end(kinds) || child.ns() != lists_ns)
                continue;
            if (const auto value = child.attribute(kind->attribute, {}, storage_))
                if (++seen[kind - std::begin(kinds)][std::pmr::string{*value, &memory_}] == 2)
                    report(child, kind->attribute);
            if (kind == std::begin(kinds))
                lists_in(child);
        }
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
    using Seen = std::pmr::unordered_map<std::pmr::string, int>;
    Seen* seen_anew() // one for each kind; goes with memory_
    {
        Seen* const out =
            static_cast<Seen*>(memory_.allocate(sizeof(Seen) * std::size(kinds), alignof(Seen)));
        for (std::size_t i = 0; i < std::size(kinds); ++i)
            new (&out[i]) Seen{&memory_};
        return out;
    }
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
    std::pmr::monotonic_buffer_resource memory_{4096};
    std::string storage_;
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
