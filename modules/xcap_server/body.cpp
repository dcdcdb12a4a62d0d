// modules/xcap_server/body.cpp - from what the XML room sees to what the client is told
#include "modules/xcap_server/body.h"

#include "core/sip/values.h"
#include "modules/xcap_server/constraints.h"
#include "modules/xcap_server/uniqueness.h"

#include <utility>

namespace sipyard::xcap_server {
namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

Conflict conflict_of(xml::Fault fault)
{
    switch (fault) {
    case xml::Fault::not_utf8: return Conflict::not_utf8;
    case xml::Fault::not_well_formed:
    case xml::Fault::doctype: return Conflict::not_well_formed;
    case xml::Fault::too_deep:
    case xml::Fault::too_many_elements:
    case xml::Fault::too_many_attributes:
    case xml::Fault::name_too_long: return Conflict::constraint_failure;
    }
    return Conflict::not_well_formed;
}

} // namespace

std::string_view without_mark(std::string_view body)
{
    if (body.starts_with(byte_order_mark))
        body.remove_prefix(byte_order_mark.size());
    return body;
}

std::optional<Problem> examine(const Candidate& candidate, const Validation& validation,
                               const xml::Limits& limits, const Schemas* schemas, const Rules& rules)
{
    const Usage& usage = candidate.usage;
    const bool has_schema =
        validation.schema && schemas && !usage.root_ns.empty() && schemas->knows(usage.root_ns);
    const bool has_rules = validation.constraints && usage.rules != Usage::Rules::none;
    if (!has_schema && !has_rules) {
        const xml::Checked checked = xml::check(candidate.text, limits);
        if (checked.fault)
            return Problem{conflict_of(*checked.fault), checked.text, {}, {}};
        return usage.check({checked.facts.root_namespace, checked.facts.root_name}, validation);
    }
    xml::Fault fault{};
    const auto document = xml::Document::parse(candidate.text, limits, &fault);
    if (!document)
        return Problem{conflict_of(fault), document.error().text, {}, {}};
    const auto root = document->root();
    if (auto problem = usage.check({root.ns(), root.name()}, validation))
        return problem;
    if (has_schema)
        if (auto violation = schemas->violation(*document))
            return Problem{Conflict::schema_validation_error, std::move(*violation), {}, {}};
    if (!has_rules)
        return {};
    if (auto problem = repeated_values(*document, usage))
        return problem;
    if (auto broken = broken_constraint(*document, candidate, rules))
        return Problem{Conflict::constraint_failure, std::move(*broken), {}, {}};
    return {};
}

TypeVerdict check_type(std::optional<std::string_view> content_type, const Usage& usage, TypeCheck check)
{
    if (check == TypeCheck::none)
        return TypeVerdict::good;
    const bool tolerant = check == TypeCheck::tolerant;
    if (!content_type)
        return tolerant ? TypeVerdict::good : TypeVerdict::wrong;
    sip::MediaType given;
    if (!sip::read(*content_type, given).empty())
        return TypeVerdict::wrong;
    bool good = given.is(usage.mime);
    if (tolerant)
        for (const std::string_view other :
             {"application/xml", "text/xml", "application/x-www-form-urlencoded", "application/octet-stream"})
            good = good || given.is(other);
    if (!good)
        return TypeVerdict::wrong;
    if (const auto charset = given.params.find("charset");
        charset && !iequals(*charset, "utf-8") && !iequals(*charset, "us-ascii"))
        return TypeVerdict::not_utf8;
    return TypeVerdict::good;
}

std::string_view to_text(TypeVerdict verdict)
{
    return verdict == TypeVerdict::good ? "good" : verdict == TypeVerdict::wrong ? "wrong" : "not UTF-8";
}

} // namespace sipyard::xcap_server
