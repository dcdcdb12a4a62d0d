// modules/pv/functions.cpp - script functions on variables: is it set, of which type, XAVPs as parameters and
// lists
#include "modules/pv/params.h"
#include "modules/pv/pv.h"

namespace sipyard::pv {

namespace {

constexpr auto xavps = &AvpStore::xavps;
constexpr auto xavus = &AvpStore::xavus;
constexpr auto xavis = &AvpStore::xavis;

template <XavpList AvpStore::*family>
constexpr std::string_view family_name()
{
    return family == xavps ? "XAVP" : family == xavus ? "XAVU" : "XAVI";
}

} // namespace

// --- questions about a variable ------------------------------------------------------------------

Verdict Pv::is_set(Request& request, const VariableRef& variable)
{
    return Verdict::of(!variable.get(request).is_null());
}

Verdict Pv::unset(Request& request, const VariableRef& variable)
{
    return Verdict::of(variable.set(request, Value{}));
}

Verdict Pv::is_int(Request& request, const VariableRef& variable)
{
    return Verdict::of(variable.get(request).is_integer());
}

Verdict Pv::not_empty(Request& request, const VariableRef& variable)
{
    const Value value = variable.get(request);
    return Verdict::of(value.is_integer() || !value.text().empty());
}

Verdict Pv::type_of(Request& request, const VariableRef& variable, std::string_view type)
{
    const Value value = variable.get(request);
    if (type == "int")
        return Verdict::of(value.is_integer());
    if (type == "str")
        return Verdict::of(value.is_text() && !value.text().starts_with("<<xav"));
    if (type == "null")
        return Verdict::of(value.is_null());
    if (type == "xavp")
        return Verdict::of(value.text().starts_with("<<xav"));
    log_.error("typeof: '{}' is none of int, str, null, xavp", type);
    return Verdict::no();
}

// --- XAVPs ---------------------------------------------------------------------------------------

template <XavpList AvpStore::*family>
Verdict Pv::print(Request& request)
{
    const auto shown = [&](const Value& value) { return text_of(request, value); };
    log_.info("+++++ start {} list", family_name<family>());
    // Shown from a copy: logging is no business of a lock's holder.
    const auto all = request.with_avps([](AvpStore& store) { return (store.*family).all(); });
    for (const XavpList::Root& root : all) {
        if (const Value own = root.value.view(); !own.is_null())
            log_.info("*** {}: {} = {}", family_name<family>(), root.name, shown(own));
        else
            log_.info("*** {}: {}", family_name<family>(), root.name);
        for (const auto& [field, value] : root.fields)
            log_.info("    {}=>{} = {} ({})", root.name, field, shown(value.view()),
                      value.view().is_integer() ? "int" : "str");
    }
    log_.info("----- end {} list", family_name<family>());
    return Verdict::yes();
}

template <XavpList AvpStore::*family>
Verdict Pv::remove(Request& request, std::string_view name)
{
    request.with_avps([&](AvpStore& store) { (store.*family).remove_root(name); });
    return Verdict::yes();
}

// Every field of that name in the newest root.
template <XavpList AvpStore::*family>
Verdict Pv::remove_child(Request& request, std::string_view root, std::string_view field)
{
    return Verdict::of(request.with_avps([&](AvpStore& store) {
        bool removed = false;
        while ((store.*family).remove_field(root, 0, field))
            removed = true;
        return removed;
    }));
}

template <XavpList AvpStore::*family>
Verdict Pv::set_child(Request& request, std::string_view root, std::string_view field, const Value& value)
{
    if (root.empty() || field.empty()) {
        log_.error("{} '{}' with field '{}' cannot be set", family_name<family>(), root, field);
        return Verdict::no();
    }
    request.with_avps([&](AvpStore& store) {
        XavpList& list = store.*family;
        if (!list.set_field(root, 0, field, value))
            list.push_root(root, field, value);
    });
    return Verdict::yes();
}
template <XavpList AvpStore::*family>
Verdict Pv::set_child_text(Request& request, std::string_view root, std::string_view field,
                           std::string_view value)
{
    return set_child<family>(request, root, field, Value{value});
}
template <XavpList AvpStore::*family>
Verdict Pv::set_child_number(Request& request, std::string_view root, std::string_view field,
                             std::int64_t value)
{
    return set_child<family>(request, root, field, Value{value});
}

// "a=1;b=2" becomes a new root with these fields.
template <XavpList AvpStore::*family>
Verdict Pv::explode(Request& request, std::string_view params, std::string_view root)
{
    const Value text = request.arena().copy(params); // it may be a field of a root that is replaced
    return Verdict::of(request.with_avps([&](AvpStore& store) {
        XavpList& list = store.*family;
        bool made = false;
        NamedValue param;
        for (auto rest = text.text(); next_param(rest, ';', param);) {
            if (param.name.empty())
                continue;
            if (!made) {
                if (family == xavus)
                    list.remove_all(root);
                list.push_root(root, param.name, Value{param.value});
                made = true;
            } else {
                list.push_field(root, 0, param.name, Value{param.value});
            }
        }
        return made;
    }));
}

// The newest root's fields as "a=1;b=2;", in the order they were set.
template <XavpList AvpStore::*family>
Verdict Pv::implode(Request& request, std::string_view root, const VariableRef& to)
{
    std::string text;
    const bool there = request.with_avps([&](AvpStore& store) {
        const auto* found = (store.*family).root(root);
        if (!found)
            return false;
        for (auto field = found->fields.rbegin(); field != found->fields.rend(); ++field) {
            text += field->first;
            text += '=';
            text += text_of(request, field->second.view());
            text += ';';
        }
        return true;
    });
    if (!there)
        return Verdict::no();
    return Verdict::of(to.set(request, request.arena().copy(text)));
}

Verdict Pv::copy(Request& request, std::string_view from, std::int64_t index, std::string_view to,
                 std::optional<std::int64_t> at)
{
    enum class Missing : unsigned char { nothing, source, target };
    const Missing missing = request.with_avps([&](AvpStore& store) {
        XavpList& list = store.xavps;
        const auto* source = index < 0 ? nullptr : list.root(from, static_cast<std::size_t>(index));
        if (!source || to.empty())
            return Missing::source;
        XavpList::Root copied = *source;
        copied.name = to;
        if (!at)
            list.push_root(to, {}, Value{});
        auto* const target =
            at && *at < 0 ? nullptr : list.root(to, static_cast<std::size_t>(at.value_or(0)));
        if (!target)
            return Missing::target;
        *target = std::move(copied);
        return Missing::nothing;
    });
    if (missing == Missing::source)
        log_.error("xavp_copy: there is no {}[{}]", from, index);
    else if (missing == Missing::target)
        log_.error("xavp_copy: there is no {}[{}]", to, *at);
    return Verdict::of(missing == Missing::nothing);
}

// "a,b,c" becomes a root with a field v for each; mode t trims them.
Verdict Pv::explode_list(Request& request, std::string_view given, std::string_view separator,
                         std::string_view mode, std::string_view root)
{
    if (separator.size() != 1 || root.empty()) {
        log_.error("xavp_slist_explode: '{}' is no separator or '{}' no name", separator, root);
        return Verdict::no();
    }
    const auto text = request.arena().copy(given);
    const bool trims = mode.find('t') != std::string_view::npos;
    request.with_avps([&](AvpStore& store) {
        XavpList& list = store.xavps;
        bool made = false;
        // Fields are stacks: the last one goes in first, so that v[0] is the first of the list.
        for (std::size_t end = text.size();;) {
            const auto before = end == 0 ? std::string_view::npos : text.rfind(separator[0], end - 1);
            const auto start = before == std::string_view::npos ? 0 : before + 1;
            const auto item = text.substr(start, end - start);
            const Value value = trims ? trim(item) : item;
            if (!made)
                list.push_root(root, "v", value);
            else
                list.push_field(root, 0, "v", value);
            made = true;
            if (before == std::string_view::npos)
                break;
            end = before;
        }
    });
    return Verdict::yes();
}

// --- $sbranch ------------------------------------------------------------------------------------

Value Pv::script_branch(Request& request, const OneOf<BranchPart>& part)
{
    return branch_value(request, request.at(state_).script_branch, part.meaning);
}
bool Pv::set_script_branch(Request& request, const OneOf<BranchPart>& part, const Value& value)
{
    return set_branch_value(request, request.at(state_).script_branch, part.meaning, value);
}
Verdict Pv::script_branch_reset(Request& request)
{
    request.at(state_).script_branch = {};
    return Verdict::yes();
}
Verdict Pv::script_branch_append(Request& request)
{
    const Branch& branch = request.at(state_).script_branch;
    if (branch.uri.empty()) {
        log_.error("sbranch_append: $sbranch(uri) is not set");
        return Verdict::no();
    }
    return Verdict::of(append_branch(request, branch));
}
Verdict Pv::script_branch_set_ruri(Request& request)
{
    const Branch& branch = request.at(state_).script_branch;
    if (branch.uri.empty()) {
        log_.error("sbranch_set_ruri: $sbranch(uri) is not set");
        return Verdict::no();
    }
    request.set_ruri(branch.uri);
    request.set_dst_uri(branch.dst_uri);
    request.set_path(branch.path);
    request.force_socket(branch.socket);
    request.branch_flags = branch.flags;
    return Verdict::yes();
}

// --- rows ----------------------------------------------------------------------------------------

std::vector<FunctionSpec> Pv::functions()
{
    using M = Pv;
    return {
        function("pv_isset", &M::is_set, "True when the variable has a value"),
        function("pv_unset", &M::unset, "Assigns $null to the variable"),
        function("is_int", &M::is_int, "True when the variable holds an integer"),
        function("typeof", &M::type_of, "True when the variable is of that type: int, str, null or xavp"),
        function("not_empty", &M::not_empty,
                 "True when the variable holds a number or a text that is not empty"),
        function("pv_xavp_print", &M::print<xavps>, "Logs all $xavp at level info"),
        function("pv_xavu_print", &M::print<xavus>, "Logs all $xavu at level info"),
        function("pv_xavi_print", &M::print<xavis>, "Logs all $xavi at level info"),
        function("xavp_rm", &M::remove<xavps>, "Removes the newest $xavp of that name"),
        function("xavu_rm", &M::remove<xavus>, "Removes the $xavu of that name"),
        function("xavi_rm", &M::remove<xavis>, "Removes the newest $xavi of that name"),
        function("xavp_child_rm", &M::remove_child<xavps>,
                 "Removes the fields of that name from the newest $xavp"),
        function("xavi_child_rm", &M::remove_child<xavis>,
                 "Removes the fields of that name from the newest $xavi"),
        function("xavp_child_sets", &M::set_child_text<xavps>, "Sets a field of the newest $xavp to a text"),
        function("xavi_child_sets", &M::set_child_text<xavis>, "Sets a field of the newest $xavi to a text"),
        function("xavp_child_seti", &M::set_child_number<xavps>,
                 "Sets a field of the newest $xavp to a number"),
        function("xavi_child_seti", &M::set_child_number<xavis>,
                 "Sets a field of the newest $xavi to a number"),
        function("xavp_params_explode", &M::explode<xavps>, "Makes a new $xavp of parameters: a=1;b=2"),
        function("xavu_params_explode", &M::explode<xavus>, "Makes a $xavu of parameters: a=1;b=2"),
        function("xavp_params_implode", &M::implode<xavps>,
                 "Writes the newest $xavp as parameters into a variable"),
        function("xavu_params_implode", &M::implode<xavus>, "Writes a $xavu as parameters into a variable"),
        function("xavp_slist_explode", &M::explode_list,
                 "Makes a new $xavp with a field v for each item of a list"),
        function("xavp_copy", &M::copy,
                 "Copies $xavp(name[i]) to a new one, or in place of one that is there"),
        function("sbranch_set_ruri", &M::script_branch_set_ruri,
                 "The prepared branch becomes the request's own"),
        function("sbranch_append", &M::script_branch_append, "Adds the prepared branch"),
        function("sbranch_reset", &M::script_branch_reset, "Empties the prepared branch"),
    };
}

} // namespace sipyard::pv
