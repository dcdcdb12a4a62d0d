// modules/pv/avp_variables.cpp - $avp, $xavp, $xavu and $xavi: stacks that live with the transaction (spec:
// AVPs)
#include "modules/pv/avp_key.h"
#include "modules/pv/lists.h"

#include "core/base/text.h"

#include <optional>

namespace sipyard {

Result<pv::AvpKey> FromText<pv::AvpKey>::parse(std::string_view text)
{
    auto name = AvpList::Name::parse(trim(text));
    if (!name.numeric && name.text.empty())
        return invalid(format("'{}' is no AVP name", text));
    return pv::AvpKey{std::move(name)};
}

namespace {

// "name" or "name[index]"
Result<void> read_part(std::string_view text, std::string& name, Index& index)
{
    text = trim(text);
    const auto open = text.find('[');
    name = trim_right(text.substr(0, open));
    if (name.empty())
        return invalid(format("'{}' has no name", text));
    if (open == std::string_view::npos)
        return {};
    if (text.back() != ']')
        return invalid(format("'{}' misses a ']'", text));
    const auto inner = trim(text.substr(open + 1, text.size() - open - 2));
    if (inner == "*") {
        index.kind = Index::Kind::all;
        return {};
    }
    const auto at = parse_int(inner);
    if (!at)
        return invalid(format("'{}' is no index", inner));
    index = {Index::Kind::at, *at};
    return {};
}

} // namespace

Result<pv::XavpKey> FromText<pv::XavpKey>::parse(std::string_view text)
{
    pv::XavpKey key;
    const auto arrow = text.find("=>");
    TRYV(read_part(text.substr(0, arrow), key.root, key.root_index));
    if (arrow != std::string_view::npos)
        TRYV(read_part(text.substr(arrow + 2), key.field, key.field_index));
    return key;
}

namespace pv {
namespace {

// Stored texts may move or go at the next assignment, so a reader gets a copy that lasts as long as the
// request.
Value lasting(Request& r, const Value& value)
{
    return value.is_text() ? Value{r.arena().copy(value.text())} : value;
}

// --- $avp ----------------------------------------------------------------------------------------

Value avp_in(AvpStore& store, Request& r, const AvpKey& key, Index index)
{
    const AvpList& list = store.avps;
    if (index.kind == Index::Kind::at)
        return index.at < 0 ? Value{} : lasting(r, list.get(key.name, static_cast<std::size_t>(index.at)));
    if (index.kind == Index::Kind::none)
        return lasting(r, list.get(key.name));
    const std::size_t count = list.count(key.name);
    if (count == 0)
        return {};
    std::string_view all = text_of(r, list.get(key.name, 0));
    for (std::size_t n = 1; n < count; ++n)
        all = r.arena().concat(all, ", ", text_of(r, list.get(key.name, n)));
    return lasting(r, all); // of one value `all` is still the stored text
}

bool set_avp_in(AvpStore& store, Request& r, const AvpKey& key, Index index, const Value& value)
{
    AvpList& list = store.avps;
    if (index.kind == Index::Kind::all) {
        const Value kept = lasting(r, value); // it may be one of those that go
        list.remove_all(key.name);
        if (!kept.is_null())
            list.push(key.name, kept);
    } else if (value.is_null()) {
        list.pop(key.name);
    } else {
        list.push(key.name, value);
    }
    return true;
}

// --- $xavp, $xavi --------------------------------------------------------------------------------

using Family = XavpList AvpStore::*;

// Which of `count`, newest first; negative from the oldest.
std::optional<std::size_t> place(Index index, std::size_t count)
{
    if (index.kind != Index::Kind::at)
        return count > 0 ? std::optional<std::size_t>{0} : std::nullopt;
    const auto n = index.resolve(static_cast<std::int64_t>(count));
    return n < 0 ? std::nullopt : std::optional<std::size_t>{static_cast<std::size_t>(n)};
}
bool same(bool exact, std::string_view a, std::string_view b) { return exact ? a == b : iequals(a, b); }

template <Family family>
constexpr bool is_exact()
{
    return family != &AvpStore::xavis;
} // letters of $xavi names do not matter

template <Family family>
std::size_t count_fields(const XavpList::Root& root, std::string_view name)
{
    std::size_t n = 0;
    for (const auto& [field, value] : root.fields)
        n += same(is_exact<family>(), field, name);
    return n;
}

Value root_text(Request& r, const XavpList::Root& root, std::string_view what)
{
    if (const Value own = root.value.view(); !own.is_null())
        return lasting(r, own);
    char address[16];
    auto bits = reinterpret_cast<std::uintptr_t>(&root);
    for (std::size_t i = sizeof address; i-- > 0; bits >>= 4)
        address[i] = "0123456789abcdef"[bits & 15];
    std::string_view digits{address, sizeof address};
    digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size() - 1));
    return r.arena().concat("<<", what, ":0x", digits, ">>");
}

template <Family family>
Value xavp_in(AvpStore& store, Request& r, const XavpKey& key)
{
    const XavpList& list = store.*family;
    const auto at = place(key.root_index, list.roots(key.root));
    if (!at)
        return {};
    const XavpList::Root& root = *list.root(key.root, *at);
    if (key.field.empty())
        return root_text(r, root,
                         family == &AvpStore::xavps   ? "xavp"
                         : family == &AvpStore::xavus ? "xavu"
                                                      : "xavi");
    const auto field = place(key.field_index, count_fields<family>(root, key.field));
    return field ? lasting(r, list.get(key.root, *at, key.field, *field)) : Value{};
}

template <Family family>
bool set_root(AvpStore& store, Request& r, const XavpKey& key, const Value& given)
{
    XavpList& list = store.*family;
    const Value value = lasting(r, given);
    if (key.root_index.kind == Index::Kind::all) {
        list.remove_all(key.root);
        if (!value.is_null())
            list.push_root(key.root, {}, value);
        return true;
    }
    const auto at = place(key.root_index, list.roots(key.root));
    if (value.is_null()) {
        if (at)
            list.remove_root(key.root, *at);
    } else if (key.root_index.kind == Index::Kind::at && at) {
        XavpList::Root& root = *list.root(key.root, *at);
        root.fields.clear();
        root.value = OwnedValue{value};
    } else {
        list.push_root(key.root, {}, value);
    }
    return true;
}

template <Family family>
void set_field(XavpList::Root& root, const XavpKey& key, const Value& value)
{
    const auto is_ours = [&](const auto& entry) { return same(is_exact<family>(), entry.first, key.field); };
    if (key.field_index.kind == Index::Kind::all) {
        root.fields.remove_if(is_ours);
    } else if (key.field_index.kind == Index::Kind::at || value.is_null()) {
        auto wanted = place(key.field_index, count_fields<family>(root, key.field));
        if (wanted) {
            auto at = root.fields.begin();
            while (!is_ours(*at) || (*wanted)-- > 0)
                ++at;
            if (value.is_null())
                root.fields.erase(at);
            else
                at->second = OwnedValue{value};
            return;
        }
    }
    if (!value.is_null())
        root.fields.emplace_front(key.field, OwnedValue{value});
}

template <Family family>
bool set_xavp_in(AvpStore& store, Request& r, const XavpKey& key, const Value& value)
{
    if (key.field.empty())
        return set_root<family>(store, r, key, value);
    XavpList& list = store.*family;
    if (key.root_index.kind == Index::Kind::none && !value.is_null()) {
        list.push_root(key.root, key.field, value);
        return true;
    }
    const auto at = place(key.root_index, list.roots(key.root));
    if (at) {
        set_field<family>(*list.root(key.root, *at), key, value);
        return true;
    }
    if (value.is_null())
        return true;
    if (key.root_index.kind == Index::Kind::at && key.root_index.at != 0) {
        logger(r).error("there is no {}[{}] to set '{}' in", key.root, key.root_index.at, key.field);
        return false;
    }
    list.push_root(key.root, key.field, value);
    return true;
}

// $xavu: one root of a name, one field of a name.
bool set_xavu_in(AvpStore& store, Request& r, const XavpKey& key, const Value& value)
{
    XavpList& list = store.xavus;
    if (key.field.empty()) {
        const Value kept = lasting(r, value);
        list.remove_all(key.root);
        if (!kept.is_null())
            list.push_root(key.root, {}, kept);
        return true;
    }
    if (value.is_null())
        list.remove_field(key.root, 0, key.field);
    else if (!list.set_field(key.root, 0, key.field, value))
        list.push_root(key.root, key.field, value);
    return true;
}

// The variables: each access is one visit to the store, which routes on other workers may share.
Value avp(Request& r, const AvpKey& key, Index index)
{
    return r.with_avps([&](AvpStore& store) { return avp_in(store, r, key, index); });
}
bool set_avp(Request& r, const AvpKey& key, Index index, const Value& value)
{
    return r.with_avps([&](AvpStore& store) { return set_avp_in(store, r, key, index, value); });
}
template <Family family>
Value xavp(Request& r, const XavpKey& key)
{
    return r.with_avps([&](AvpStore& store) { return xavp_in<family>(store, r, key); });
}
template <Family family>
bool set_xavp(Request& r, const XavpKey& key, const Value& value)
{
    return r.with_avps([&](AvpStore& store) { return set_xavp_in<family>(store, r, key, value); });
}
bool set_xavu(Request& r, const XavpKey& key, const Value& value)
{
    return r.with_avps([&](AvpStore& store) { return set_xavu_in(store, r, key, value); });
}

} // namespace

Variables avp_variables()
{
    return {
        row("avp", avp, set_avp, "A stack of values: assigning pushes, $null pops, [*] is all of them"),
        row("xavp", xavp<&AvpStore::xavps>, set_xavp<&AvpStore::xavps>,
            "Records of values: $xavp(root=>field)"),
        row("xavi", xavp<&AvpStore::xavis>, set_xavp<&AvpStore::xavis>,
            "As $xavp, letter case of names does not matter"),
        row("xavu", xavp<&AvpStore::xavus>, set_xavu, "As $xavp, each name once: assigning replaces"),
    };
}

} // namespace pv
} // namespace sipyard
