// modules/xcap_diff/library.h - the documents of those users whose changes somebody follows
#pragma once

#include "core/base/guarded.h"
#include "modules/xcap_diff/snapshot.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::xcap_diff {

// Thread-safe. A user is known from load() to forget(); changes of others cost one look.
class Library {
public:
    explicit Library(xcap_server::Documents& documents) : documents_{documents} {}

    // On a fiber; suspends while documents are read. What changes meanwhile is in the snapshot. An error of
    // the store leaves the user unknown.
    Result<void> load(std::string_view presentity);
    SnapshotPtr find(std::string_view presentity) const; // null: not loaded
    // The users whose snapshot is another now. Those of whom it is not known what they have are loaded anew,
    // so it may suspend. Changes of one document come in their order.
    std::vector<std::string> changed(const xcap_server::DocumentChanged& change);
    // Drops those that `is_followed` says no to.
    void sweep(const std::function<bool(const std::string&)>& is_followed);
    std::size_t size() const;

private:
    struct Shelf {
        SnapshotPtr snapshot;
        std::uint64_t changes = 0; // heard of; tells a reader that he read too early
    };
    Result<std::vector<xcap_server::StoredText>> read(std::string_view presentity);

    xcap_server::Documents& documents_;
    Guarded<std::map<std::string, Shelf, std::less<>>> shelves_;
};

// "sip:user@domain" to its halves; both empty when it is none.
std::pair<std::string_view, std::string_view> owner_of(std::string_view presentity);

} // namespace sipyard::xcap_diff
