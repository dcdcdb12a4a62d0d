// modules/dialog/table.h - all dialogs, found by id or by Call-ID and tags
#pragma once

#include "modules/dialog/call.h"

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace sipyard::dialog {

// Thread-safe: each slot has its lock.
class Table {
public:
    // `slots` is rounded up to a power of two, at most 65,536. Ids begin at `first` and grow by `step`.
    Table(std::size_t slots, std::size_t most, std::uint32_t first, std::uint32_t step);

    // A new dialog, or null when there are `most` already, or 64 of that Call-ID.
    CallPtr add(std::string_view call_id);
    // One that was read from the database; null when it is there already or the table is full.
    CallPtr restore(std::uint32_t entry, std::uint32_t id, std::string_view call_id);
    bool remove(const Call& call);
    CallPtr find(std::uint32_t entry, std::uint32_t id) const;

    struct Found {
        CallPtr call;
        Direction direction = Direction::none;
    };
    // By the tags of a message of either side. An empty `to_tag` means the dialog that is beginning.
    Found find(std::string_view call_id, std::string_view from_tag, std::string_view to_tag) const;
    // By Call-ID and, unless it is empty, the caller's tag.
    CallPtr find_call(std::string_view call_id, std::string_view caller_tag) const;

    // Slot by slot, without a lock while f runs; false from f ends it.
    void each(const std::function<bool(const CallPtr&)>& f) const;
    std::size_t size() const { return size_.load(std::memory_order_relaxed); }
    std::size_t slots() const { return mask_ + 1; }

private:
    using Slot = Guarded<std::vector<CallPtr>>;
    std::uint32_t slot_of(std::string_view call_id) const;

    const std::size_t mask_, most_;
    const std::uint32_t step_;
    std::unique_ptr<Slot[]> table_;
    std::atomic<std::uint32_t> next_;
    std::atomic<std::size_t> size_{0};
};

// Whose request is this? none: not of this dialog.
Direction direction_of(const Dialog& dialog, std::string_view from_tag, std::string_view to_tag);

// The cookie in our Record-Route, "did": both numbers in hexadecimal digits, lowest first.
std::string cookie(std::uint32_t entry, std::uint32_t id);
bool read_cookie(std::string_view text, std::uint32_t& entry, std::uint32_t& id);

} // namespace sipyard::dialog
