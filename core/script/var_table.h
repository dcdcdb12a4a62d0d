// core/script/var_table.h - where $var, $vn and $vz live: one table per worker, slots by number
// (spec/script 15.3)
#pragma once

#include "core/base/guarded.h"
#include "core/module/value.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::script {

enum class VarFamily : unsigned char {
    var,
    vn,
    vz
}; // $vn keeps null apart; the others read and store it as 0

// A variable's value. The text keeps its capacity, so a busy variable stops allocating.
class VarSlot {
public:
    Value value() const // made in place: this is the busiest line of a script
    {
        if (type_ == Value::Type::text)
            return Value{std::string_view{text_}};
        if (type_ == Value::Type::integer)
            return Value{number_};
        return Value{};
    }
    bool is_null() const { return type_ == Value::Type::null; }
    bool is_text() const { return type_ == Value::Type::text; }
    std::int64_t number() const { return type_ == Value::Type::integer ? number_ : 0; }
    void set(const Value& v) // the text may be (a part of) this slot's own
    {
        switch (v.type()) {
        case Value::Type::integer: set(v.number()); break;
        case Value::Type::text: set(v.text()); break;
        case Value::Type::null: type_ = Value::Type::null; break;
        }
    }
    void set(std::int64_t number)
    {
        number_ = number;
        type_ = Value::Type::integer;
    }
    void set(std::string_view text)
    {
        text_.assign(text.data(), text.size());
        type_ = Value::Type::text;
        if (text_.capacity() > most_kept && text.size() < most_kept / 4)
            text_.shrink_to_fit(); // one huge value does not hold its memory for ever
    }

private:
    static constexpr std::size_t most_kept = 64 * 1024;
    std::string text_;
    std::int64_t number_ = 0;
    Value::Type type_ = Value::Type::null;
};

// All variables of one worker, or of a script that was suspended and took them along.
struct VarTable {
    std::vector<VarSlot> slots;
    std::string scratch; // texts under construction: each user leaves it as long as it was

    VarSlot& at(std::size_t slot)
    {
        if (slot >= slots.size()) [[unlikely]]
            slots.resize(slot + 1);
        return slots[slot];
    }
};

// Names to slot numbers, the same for all programs of a server, so that values outlive a reload. Thread-safe.
class VarNames {
public:
    std::size_t slot_of(VarFamily family, std::string_view name);
    std::size_t count() const { return count_.load(std::memory_order_acquire); }

private:
    using Names = std::map<std::string, std::size_t, std::less<>>;
    Guarded<std::array<Names, 3>> names_;
    std::atomic<std::size_t> count_{0};
};

} // namespace sipyard::script
