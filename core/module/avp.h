// core/module/avp.h - AVPs and XAVPs of a request or transaction: stacks of values by name (spec/script 18)
#pragma once

#include "core/base/small_lock.h"
#include "core/module/value.h"

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sipyard {

// A value that owns its text.
class OwnedValue {
public:
    OwnedValue() = default;
    explicit OwnedValue(const Value& v) : text_{v.text()}, number_{v.number()}, type_{v.type()} {}
    Value view() const
    {
        return type_ == Value::Type::integer ? Value{number_}
               : type_ == Value::Type::text  ? Value{std::string_view{text_}}
                                             : Value{};
    }

private:
    std::string text_;
    std::int64_t number_ = 0;
    Value::Type type_ = Value::Type::null;
};

// $avp(...): a stack per name, newest first. Names keep Kamailio's kinds apart: "s:x" is x, "i:5" is the
// integer 5.
class AvpList {
public:
    struct Name {
        std::string text;
        std::int64_t number = 0;
        bool numeric = false;
        friend bool operator==(const Name&, const Name&) = default;
        static Name parse(std::string_view written); // "x", "s:x", "i:7"
    };
    void push(const Name& name, const Value& value);
    Value get(const Name& name, std::size_t nth = 0) const; // null when there is none
    std::size_t count(const Name& name) const;
    bool pop(const Name& name); // the newest; false when there was none
    std::size_t remove_all(const Name& name);
    bool empty() const { return items_.empty(); }
    void clear() { items_.clear(); }
    template <class F>
    void each(F&& f) const // f(name, value), the newest first; f may not change the list
    {
        for (auto item = items_.rbegin(); item != items_.rend(); ++item)
            f(item->name, item->value.view());
    }

private:
    struct Item {
        Name name;
        OwnedValue value;
    };
    std::vector<Item> items_; // newest last
};

// $xavp, $xavu, $xavi: roots by name, each with fields by name; both are stacks, newest first.
class XavpList {
public:
    enum class Letters : unsigned char { sensitive, insensitive }; // $xavi ignores case
    explicit XavpList(Letters letters = Letters::sensitive) : letters_{letters} {}

    struct Root {
        std::string name;
        std::list<std::pair<std::string, OwnedValue>> fields; // newest first
        OwnedValue value;                                     // of $xavp(a)=v without field
    };
    void push_root(std::string_view root, std::string_view field,
                   const Value& value); // new root with one field
    Root* root(std::string_view name, std::size_t nth = 0);
    const Root* root(std::string_view name, std::size_t nth = 0) const;
    std::size_t roots(std::string_view name) const;
    Value get(std::string_view root, std::size_t nth_root, std::string_view field,
              std::size_t nth_field) const;
    bool push_field(std::string_view root, std::size_t nth_root, std::string_view field, const Value& value);
    bool set_field(std::string_view root, std::size_t nth_root, std::string_view field,
                   const Value& value);                                                     // replaces
    bool remove_field(std::string_view root, std::size_t nth_root, std::string_view field); // the newest
    bool remove_root(std::string_view name, std::size_t nth = 0);
    std::size_t remove_all(std::string_view name);
    const std::list<Root>& all() const { return roots_; }
    void clear() { roots_.clear(); }

private:
    bool same(std::string_view a, std::string_view b) const;
    std::list<Root> roots_; // newest first
    Letters letters_;
};

// Everything a transaction carries from route to route. Shared between fibers only behind `lock`
// (Request::with_avps).
struct AvpStore {
    SmallLock lock;
    AvpList avps;
    XavpList xavps;
    XavpList xavus;
    XavpList xavis{XavpList::Letters::insensitive};

    bool empty() const
    {
        return avps.empty() && xavps.all().empty() && xavus.all().empty() && xavis.all().empty();
    }
    void take(AvpStore& other); // all of the other's values in place of its own
    void clear();
};

} // namespace sipyard
