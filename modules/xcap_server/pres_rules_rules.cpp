// modules/xcap_server/pres_rules_rules.cpp - OMA's conditions of presence rules: each once, with real links
#include "core/base/format.h"
#include "modules/xcap_server/constraints.h"

#include <array>

namespace sipyard::xcap_server {
namespace {

constexpr std::string_view policy_ns = "urn:ietf:params:xml:ns:common-policy";
constexpr std::string_view oma_ns = "urn:oma:xml:xdm:common-policy";
constexpr std::array<std::string_view, 3> once = {"external-list", "anonymous-request", "other-identity"};

} // namespace

std::optional<std::string> broken_in_oma_pres_rules(xml::ElementView root)
{
    for (auto rule = root.first(); rule; rule = rule.next()) {
        const auto conditions = rule.child("conditions", policy_ns);
        std::array<int, once.size()> seen{};
        for (auto condition = conditions.first(); condition; condition = condition.next()) {
            if (condition.ns() != oma_ns)
                continue;
            for (std::size_t i = 0; i < once.size(); ++i)
                if (condition.name() == once[i] && ++seen[i] == 2)
                    return format("rule {} has the condition {} twice",
                                  quoted(rule.attribute("id").value_or("")), once[i]);
            if (condition.name() != "external-list")
                continue;
            for (auto entry = condition.first(); entry; entry = entry.next()) {
                if (!entry.is("entry", oma_ns))
                    continue;
                const auto anchor = entry.attribute("anc").value_or("");
                if (!is_http_uri(anchor))
                    return format("the anc of an external-list, {}, is no absolute HTTP URI", quoted(anchor));
            }
        }
    }
    return {};
}

} // namespace sipyard::xcap_server
