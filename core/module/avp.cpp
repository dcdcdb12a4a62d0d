// core/module/avp.cpp - the stacks behind $avp, $xavp, $xavu and $xavi
#include "core/module/avp.h"

#include "core/base/text.h"

#include <algorithm>
#include <utility>

namespace sipyard {

AvpList::Name AvpList::Name::parse(std::string_view written)
{
    Name name;
    if (written.starts_with("s:")) {
        name.text = written.substr(2);
    } else if (written.starts_with("i:")) {
        const auto number = parse_int(written.substr(2));
        name.numeric = number.has_value();
        name.number = number.value_or(0);
        if (!number)
            name.text = written;
    } else {
        name.text = written;
    }
    return name;
}

void AvpList::push(const Name& name, const Value& value) { items_.push_back({name, OwnedValue{value}}); }

Value AvpList::get(const Name& name, std::size_t nth) const
{
    for (auto item = items_.rbegin(); item != items_.rend(); ++item)
        if (item->name == name && nth-- == 0)
            return item->value.view();
    return {};
}

std::size_t AvpList::count(const Name& name) const
{
    return static_cast<std::size_t>(
        std::count_if(items_.begin(), items_.end(), [&](const Item& item) { return item.name == name; }));
}

bool AvpList::pop(const Name& name)
{
    const auto newest =
        std::find_if(items_.rbegin(), items_.rend(), [&](const Item& item) { return item.name == name; });
    if (newest == items_.rend())
        return false;
    items_.erase(std::next(newest).base());
    return true;
}

std::size_t AvpList::remove_all(const Name& name)
{
    return std::erase_if(items_, [&](const Item& item) { return item.name == name; });
}

bool XavpList::same(std::string_view a, std::string_view b) const
{
    return letters_ == Letters::insensitive ? iequals(a, b) : a == b;
}

void XavpList::push_root(std::string_view root, std::string_view field, const Value& value)
{
    Root made{std::string{root}, {}, {}};
    if (field.empty())
        made.value = OwnedValue{value};
    else
        made.fields.emplace_front(std::string{field}, OwnedValue{value});
    roots_.push_front(std::move(made));
}

const XavpList::Root* XavpList::root(std::string_view name, std::size_t nth) const
{
    for (const Root& root : roots_)
        if (same(root.name, name) && nth-- == 0)
            return &root;
    return nullptr;
}

XavpList::Root* XavpList::root(std::string_view name, std::size_t nth)
{
    return const_cast<Root*>(static_cast<const XavpList*>(this)->root(name, nth));
}

std::size_t XavpList::roots(std::string_view name) const
{
    return static_cast<std::size_t>(
        std::count_if(roots_.begin(), roots_.end(), [&](const Root& root) { return same(root.name, name); }));
}

Value XavpList::get(std::string_view root_name, std::size_t nth_root, std::string_view field,
                    std::size_t nth_field) const
{
    const Root* const found = root(root_name, nth_root);
    if (!found)
        return {};
    if (field.empty())
        return found->value.view();
    for (const auto& [name, value] : found->fields)
        if (same(name, field) && nth_field-- == 0)
            return value.view();
    return {};
}

bool XavpList::push_field(std::string_view root_name, std::size_t nth_root, std::string_view field,
                          const Value& value)
{
    Root* const found = root(root_name, nth_root);
    if (!found)
        return false;
    found->fields.emplace_front(std::string{field}, OwnedValue{value});
    return true;
}

bool XavpList::set_field(std::string_view root_name, std::size_t nth_root, std::string_view field,
                         const Value& value)
{
    Root* const found = root(root_name, nth_root);
    if (!found)
        return false;
    for (auto& [name, held] : found->fields) {
        if (same(name, field)) {
            held = OwnedValue{value};
            return true;
        }
    }
    found->fields.emplace_front(std::string{field}, OwnedValue{value});
    return true;
}

bool XavpList::remove_field(std::string_view root_name, std::size_t nth_root, std::string_view field)
{
    Root* const found = root(root_name, nth_root);
    if (!found)
        return false;
    const auto newest = std::find_if(found->fields.begin(), found->fields.end(),
                                     [&](const auto& entry) { return same(entry.first, field); });
    if (newest == found->fields.end())
        return false;
    found->fields.erase(newest);
    return true;
}

bool XavpList::remove_root(std::string_view name, std::size_t nth)
{
    for (auto at = roots_.begin(); at != roots_.end(); ++at) {
        if (same(at->name, name) && nth-- == 0) {
            roots_.erase(at);
            return true;
        }
    }
    return false;
}

std::size_t XavpList::remove_all(std::string_view name)
{
    return static_cast<std::size_t>(
        roots_.remove_if([&](const Root& root) { return same(root.name, name); }));
}

void AvpStore::take(AvpStore& other)
{
    avps = std::exchange(other.avps, {});
    xavps = std::exchange(other.xavps, XavpList{});
    xavus = std::exchange(other.xavus, XavpList{});
    xavis = std::exchange(other.xavis, XavpList{XavpList::Letters::insensitive});
}

void AvpStore::clear()
{
    avps.clear();
    xavps.clear();
    xavus.clear();
    xavis.clear();
}

} // namespace sipyard
