// modules/xcap_server/select.cpp - evaluating node selectors on the byte index
#include "modules/xcap_server/select.h"

namespace sipyard::xcap_server {
namespace {

constexpr std::uint32_t none = TextIndex::none;

// Are the names of this binding in the namespace? Siblings nearly always share one, so it is asked once.
class NamespaceTest {
public:
    NamespaceTest(const IndexedView& document, std::string_view ns) : document_{document}, ns_{ns} {}
    bool operator()(std::uint32_t binding)
    {
        if (!asked_ || binding != last_) {
            asked_ = true;
            last_ = binding;
            answer_ = document_.is_bound_to(binding, ns_);
        }
        return answer_;
    }

private:
    const IndexedView& document_;
    const std::string_view ns_;
    bool asked_ = false, answer_ = false;
    std::uint32_t last_ = none;
};

struct Found {
    Matches matches = Matches::none;
    std::uint32_t element = none;
    bool named = false; // there was an element of that name
};

Found find(const IndexedView& document, std::uint32_t context, const StepView& step, std::string_view ns)
{
    const TextIndex& index = document.index();
    NamespaceTest in_namespace{document, ns};
    Found found;
    std::uint32_t position = 0;
    for (auto e = index.first_child(context); e != none; e = index[e].next) {
        if (!step.any && (document.name(e) != step.name || !in_namespace(index[e].ns)))
            continue;
        found.named = true;
        ++position;
        if (step.has_position && position != step.position)
            continue;
        if (step.has_test) {
            const auto attribute = document.find_attribute(e, step.test_ns, step.test_name);
            if (attribute == none || !document.has_value(attribute, step.test_value)) {
                if (step.has_position)
                    break;
                continue;
            }
        }
        if (found.matches == Matches::one) {
            found.matches = Matches::several;
            break;
        }
        found.matches = Matches::one;
        found.element = e;
        if (step.has_position)
            break; // no other has that position
    }
    return found;
}

} // namespace

Selection select(const IndexedView& document, std::span<const StepView> steps)
{
    Selection selection;
    selection.matches = Matches::one;
    for (const StepView& step : steps) {
        Found found = find(document, selection.element, step, step.ns);
        // OMA names its elements without prefix, whichever of its two namespaces they are of.
        if (!found.named && step.unprefixed && !step.also_ns.empty())
            found = find(document, selection.element, step, step.also_ns);
        selection.matches = found.matches;
        if (found.matches != Matches::one) {
            selection.ancestor = selection.element;
            selection.element = none;
            return selection;
        }
        selection.element = found.element;
        ++selection.matched;
    }
    selection.ancestor = selection.element;
    return selection;
}

bool has_name(const IndexedView& document, std::uint32_t element, std::string_view ns, std::string_view name)
{
    return document.name(element) == name && document.is_bound_to(document.index()[element].ns, ns);
}

} // namespace sipyard::xcap_server
