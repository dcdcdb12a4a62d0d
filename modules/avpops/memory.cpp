// modules/avpops/memory.cpp - AVPs among themselves and with the message
#include "core/base/text.h"
#include "core/sip/uri.h"
#include "modules/avpops/avpops.h"

#include <algorithm>

namespace sipyard::avpops {

namespace {

Verdict bad(const log::Logger& log, std::string_view function, std::string_view why)
{
    log.error("{}: {}", function, why);
    return Verdict::no();
}

// The last piece, which may be absent, as flags.
Flags flags_at(const std::vector<std::string_view>& parts, std::size_t at, std::string_view allowed)
{
    if (parts.size() <= at)
        return {};
    Flags flags;
    if (const auto read = Flags::parse(parts[at], allowed); read && parts.size() == at + 1)
        flags = *read;
    else
        flags.bad = true;
    return flags;
}

void add_branch(Request& request, std::string_view uri)
{
    request.branches().emplace_back().uri = request.arena().copy(uri);
}

// Takes the values for which f says so off the stack of that name; the others keep their order.
template <class F>
void remove_if(AvpList& list, const AvpList::Name& name, F&& f)
{
    std::vector<OwnedValue> kept;
    const std::size_t count = list.count(name);
    for (std::size_t n = 0; n < count; ++n) {
        const Value value = list.get(name, n);
        if (!f(n, value))
            kept.emplace_back(value);
    }
    list.remove_all(name);
    for (auto value = kept.rbegin(); value != kept.rend(); ++value)
        list.push(name, value->view());
}

} // namespace

// --- what the texts name -------------------------------------------------------------------------

Result<AvpOps::SourcePtr> AvpOps::source(std::string_view text)
{
    if (auto known = sources_.with([&](const auto& map) {
            const auto found = map.find(text);
            return found == map.end() ? nullptr : found->second;
        }))
        return known;
    auto made = std::make_shared<Source>();
    if (text.starts_with("$avp(") && text.ends_with(')')) {
        const auto inner = text.substr(5, text.size() - 6);
        if (inner.find('$') == std::string_view::npos) {
            made->name = AvpList::Name::parse(inner);
        } else {
            TRY(made->dynamic, host_.compile_format(inner));
        }
    } else {
        TRY(made->variable, host_.compile_variable(text));
    }
    sources_.with([&](auto& map) { map.emplace(std::string{text}, made); });
    return SourcePtr{made};
}

Result<AvpOps::Selection> AvpOps::selection(std::string_view text)
{
    Selection selection;
    const char letter = text.empty() ? '\0' : to_lower(text.front());
    const bool flags_only = (letter == 'a' || letter == 'i' || letter == 's') &&
                            std::all_of(text.begin() + 1, text.end(), is_digit); // script flags: any
    if (flags_only) {
        selection.any = true;
        selection.strings = letter != 'i';
        selection.integers = letter != 's';
        return selection;
    }
    TRY(selection.one, source(text));
    if (!selection.one->is_avp())
        return invalid(format("'{}' is not an AVP", text));
    return selection;
}

AvpList::Name AvpOps::name_of(const Source& source, Request& request) const
{
    return source.name ? *source.name : AvpList::Name::parse(source.dynamic->expand(request));
}

Value AvpOps::value_of(const Source& source, Request& request) const
{
    if (!source.is_avp())
        return source.variable->get(request);
    const auto name = name_of(source, request);
    return request.with_avps([&](const AvpStore& store) {
        const Value value = store.avps.get(name);
        return value.is_text() ? Value{request.arena().copy(value.text())} : value;
    });
}

std::vector<Value> AvpOps::values_of(const Source& source, Request& request) const
{
    if (!source.is_avp()) {
        const Value value = source.variable->get(request);
        return value.is_null() ? std::vector<Value>{} : std::vector<Value>{value};
    }
    const auto name = name_of(source, request);
    std::vector<Value> values;
    request.with_avps([&](const AvpStore& store) {
        for (std::size_t n = 0, count = store.avps.count(name); n < count; ++n) {
            const Value value = store.avps.get(name, n);
            values.push_back(value.is_text() ? Value{request.arena().copy(value.text())} : value);
        }
    });
    return values;
}

Result<std::vector<Value>> AvpOps::operand_values(const Operand& operand, Request& request)
{
    if (operand.kind == Operand::Kind::number)
        return std::vector<Value>{operand.number};
    if (operand.kind == Operand::Kind::text)
        return std::vector<Value>{std::string_view{operand.text}};
    TRY(const auto of, source(operand.text));
    return values_of(*of, request);
}

// --- functions -----------------------------------------------------------------------------------

// Without g the newest value against the newest; with g any of one against any of the other.
Verdict AvpOps::avp_check(Request& request, Literal name, const CheckValue& check)
{
    const auto of = source(name.text);
    if (!of)
        return bad(log_, "avp_check", of.error().text);
    const auto left = values_of(**of, request);
    const auto right = operand_values(check.operand, request);
    if (!right)
        return bad(log_, "avp_check", right.error().text);
    const std::size_t lefts = check.flags.all ? left.size() : std::min<std::size_t>(left.size(), 1);
    const std::size_t rights = check.flags.all ? right->size() : std::min<std::size_t>(right->size(), 1);
    for (std::size_t a = 0; a < lefts; ++a)
        for (std::size_t b = 0; b < rights; ++b)
            if (holds(check, left[a], (*right)[b]))
                return Verdict::yes();
    return Verdict::no();
}

Verdict AvpOps::avp_copy(Request& request, Literal from, Literal to)
{
    const auto parts = pieces(to.text);
    const Flags flags = flags_at(parts, 1, "gdns");
    if (flags.bad)
        return bad(log_, "avp_copy", format("'{}' is not an AVP with flags g d n s", to.text));
    const auto old_name = source(from.text), new_name = source(parts[0]);
    if (!old_name || !new_name || !(*old_name)->is_avp() || !(*new_name)->is_avp())
        return bad(log_, "avp_copy", format("'{}' and '{}' must be AVPs", from.text, parts[0]));
    auto values = values_of(**old_name, request);
    if (values.empty())
        return Verdict::no();
    if (!flags.all)
        values.resize(1);
    std::vector<Value> made;
    for (const Value& value : values) {
        if (flags.number && value.is_text()) {
            const auto number = parse_int(value.text());
            if (!number)
                return bad(log_, "avp_copy", format("'{}' is not a number", value.text()));
            made.emplace_back(*number);
        } else if (flags.text && value.is_integer()) {
            made.emplace_back(request.arena().copy(std::to_string(value.number())));
        } else {
            made.push_back(value);
        }
    }
    const auto source_name = name_of(**old_name, request), target = name_of(**new_name, request);
    request.with_avps([&](AvpStore& store) {
        if (flags.remove && flags.all)
            store.avps.remove_all(source_name);
        else if (flags.remove)
            store.avps.pop(source_name);
        for (const Value& value : made) // so several change their order
            store.avps.push(target, value);
    });
    return Verdict::yes();
}

// Every whole number of the AVP is computed with, texts are left alone; a value that is an AVP goes on with
// each of its values under g. A division by 0 gives 0 and a line in the log.
Verdict AvpOps::avp_op(Request& request, Literal names, const OpValue& op)
{
    const auto parts = pieces(names.text);
    const auto from = source(parts[0]);
    const auto to = parts.size() == 2 ? source(parts[1]) : from;
    if (parts.size() > 2 || !from || !to || !(*from)->is_avp() || !(*to)->is_avp())
        return bad(log_, "avp_op", format("'{}' is not $avp(from)/$avp(to)", names.text));
    const auto operands = operand_values(op.operand, request);
    if (!operands || operands->empty())
        return Verdict::no();
    std::vector<Value> made;
    bool found = false;
    for (const Value& value : values_of(**from, request)) {
        if (!value.is_integer())
            continue;
        found = true;
        std::int64_t left = value.number();
        for (std::size_t n = 0; n < (op.flags.all ? operands->size() : 1); ++n) {
            if (!(*operands)[n].is_integer())
                return bad(log_, "avp_op", format("'{}' is not a whole number", op.operand.text));
            const auto computed = result(op.op, left, (*operands)[n].number());
            if (!computed)
                log_.error("avp_op: division by 0");
            left = computed.value_or(0);
            made.emplace_back(left);
        }
    }
    if (!found)
        return Verdict::no();
    const auto source_name = name_of(**from, request), target = name_of(**to, request);
    request.with_avps([&](AvpStore& store) {
        if (op.flags.remove)
            remove_if(store.avps, source_name,
                      [](std::size_t, const Value& value) { return value.is_integer(); });
        for (const Value& value : made)
            store.avps.push(target, value);
    });
    return Verdict::yes();
}

Verdict AvpOps::avp_delete(Request& request, Literal name)
{
    const auto parts = pieces(name.text);
    const Flags flags = flags_at(parts, 1, "g");
    const auto what = selection(parts[0]);
    if (flags.bad || !what)
        return bad(log_, "avp_delete", format("'{}' is not an AVP, a, i or s, with flag g", name.text));
    const auto one = what->any ? AvpList::Name{} : name_of(*what->one, request);
    return request.with_avps([&](AvpStore& store) -> Verdict {
        if (!what->any)
            return Verdict::of(flags.all ? store.avps.remove_all(one) > 0 : store.avps.pop(one));
        std::vector<AvpList::Name> names;
        store.avps.each([&](const AvpList::Name& found, const Value&) {
            if (found.numeric ? what->integers : what->strings)
                names.push_back(found);
        });
        for (const auto& found : names)
            store.avps.remove_all(found);
        return Verdict::of(!names.empty());
    });
}

// $ru, its user or its host. Further values of one call are branches: the R-URI before becomes one each time.
bool AvpOps::push_uri(Request& request, std::string_view part, std::string_view value, bool first)
{
    if (!first)
        add_branch(request, request.ruri());
    if (part.empty()) {
        request.set_ruri(value);
        return true;
    }
    const sip::Uri* const uri = request.parsed_ruri();
    if (!uri || value.empty() || value.find_first_of("@<>\" \r\n\t;?:") != std::string_view::npos)
        return false;
    const std::string_view whole = request.ruri();
    std::string made;
    if (iequals(part, "username")) {
        const auto scheme = whole.find(':') + 1;
        const auto at = uri->user.empty()
                            ? scheme
                            : static_cast<std::size_t>(uri->user.data() - whole.data()) + uri->user.size();
        made = format("{}{}{}{}", whole.substr(0, scheme), value, uri->user.empty() ? "@" : "",
                      whole.substr(at));
    } else {
        const auto at = static_cast<std::size_t>(uri->host.data() - whole.data());
        made = format("{}{}{}", whole.substr(0, at), value, whole.substr(at + uri->host.size()));
    }
    request.set_ruri(made);
    return true;
}

Verdict AvpOps::avp_pushto(Request& request, Literal destination, Literal name)
{
    const auto to = pieces(destination.text), from = pieces(name.text);
    const std::string_view part = to.size() == 2 ? to[1] : std::string_view{};
    const bool known =
        (to[0] == "$ru" && (part.empty() || iequals(part, "username") || iequals(part, "domain"))) ||
        ((to[0] == "$du" || to[0] == "$br") && to.size() == 1);
    const Flags flags = flags_at(from, 1, "g");
    const auto of = source(from[0]);
    if (!known || to.size() > 2 || flags.bad || !of)
        return bad(log_, "avp_pushto",
                   format("'{}', '{}': expected $ru[/username|/domain], $du or $br, and a variable",
                          destination.text, name.text));
    auto values = values_of(**of, request);
    if (values.empty())
        return Verdict::no();
    if (!flags.all)
        values.resize(1);
    bool first = true;
    for (const Value& value : values) {
        const std::string_view text =
            value.is_integer() ? request.arena().copy(std::to_string(value.number())) : value.text();
        if (to[0] == "$du") {
            sip::Uri uri;
            if (!sip::read(text, uri).empty())
                return bad(log_, "avp_pushto", format("'{}' is not a URI", text));
            request.set_dst_uri(text);
        } else if (to[0] == "$br") {
            add_branch(request, text);
        } else if (!push_uri(request, part, text, first)) {
            return bad(log_, "avp_pushto", format("'{}' does not fit into {}", text, destination.text));
        }
        first = false;
    }
    return Verdict::yes();
}

Verdict AvpOps::avp_printf(Request& request, const VariableRef& to, std::string_view text)
{
    return Verdict::of(to.set(request, text));
}

Verdict AvpOps::avp_subst(Request& request, Literal avps, const Substitution& substitution)
{
    return substitute(request, avps.text, substitution, true);
}

Verdict AvpOps::avp_subst_pv(Request& request, Literal avps, std::string_view text)
{
    const auto substitution = Substitution::parse(text);
    if (!substitution) {
        log_.error("avp_subst_pv: {}", substitution.error().text);
        return {-3};
    }
    return substitute(request, avps.text, *substitution, false);
}

// The newest text of the source (g: all of them) goes to the target with its matches replaced; without a
// target, or with d, the source value is taken away. Those that do not match stay.
Verdict AvpOps::substitute(Request& request, std::string_view avps, const Substitution& substitution,
                           bool expand)
{
    const auto parts = pieces(avps);
    const Flags flags = flags_at(parts, 2, "gd");
    const bool in_place = parts.size() < 2 || parts[1].empty();
    const auto from = source(parts[0]);
    const auto to = in_place ? from : source(parts[1]);
    if (flags.bad || !from || !to || !(*from)->is_avp() || !(*to)->is_avp())
        return bad(log_, "avp_subst", format("'{}' is not $avp(from)/$avp(to)/flags", avps));
    const auto values = values_of(**from, request);
    std::string replacement = substitution.replacement;
    if (expand && replacement.find('$') != std::string::npos) {
        auto compiled = formats_.with([&](auto& known) { return known[replacement]; });
        if (!compiled) {
            auto made = host_.compile_format(replacement);
            if (!made)
                return bad(log_, "avp_subst", made.error().text);
            compiled = *made;
            formats_.with([&](auto& known) { known[replacement] = compiled; });
        }
        replacement = std::string{compiled->expand(request)};
    }
    std::vector<std::pair<std::size_t, std::string>> made; // which value, and what it becomes
    for (std::size_t n = 0; n < values.size() && (flags.all || made.empty()); ++n) {
        std::string text;
        if (values[n].is_text() && substitution.apply(values[n].text(), replacement, text) > 0)
            made.emplace_back(n, std::move(text));
    }
    if (made.empty())
        return Verdict::no();
    const auto source_name = name_of(**from, request), target = name_of(**to, request);
    request.with_avps([&](AvpStore& store) {
        if (in_place || flags.remove)
            remove_if(store.avps, source_name, [&made](std::size_t n, const Value&) {
                return std::any_of(made.begin(), made.end(), [n](const auto& one) { return one.first == n; });
            });
        for (const auto& [n, text] : made)
            store.avps.push(target, std::string_view{text});
    });
    return Verdict::yes();
}

Verdict AvpOps::is_avp_set(Request& request, Literal name)
{
    const auto parts = pieces(name.text);
    const Flags flags = flags_at(parts, 1, "esn");
    const auto of = source(parts[0]);
    if (flags.bad || !of)
        return bad(log_, "is_avp_set", format("'{}' is not an AVP with flags e s n", name.text));
    const Value value = value_of(**of, request);
    if (value.is_null() || (flags.text && !value.is_text()) || (flags.number && !value.is_integer()))
        return Verdict::no();
    return Verdict::of(!flags.empty || (value.is_text() && value.text().empty()));
}

Verdict AvpOps::avp_print(Request& request)
{
    std::vector<std::string> lines; // written after the lock
    request.with_avps([&](const AvpStore& store) {
        store.avps.each([&](const AvpList::Name& name, const Value& value) {
            lines.push_back(name.numeric ? format("i:{} = ", name.number) : format("s:{} = ", name.text));
            lines.back() +=
                value.is_integer() ? std::to_string(value.number()) : format("\"{}\"", value.text());
        });
    });
    for (const auto& one : lines)
        log_.info("avp_print: {}", one);
    return Verdict::yes();
}

} // namespace sipyard::avpops
