// modules/presence/subscription.h - one dialog usage of a watcher, small: there may be a million of them
// (spec presence 4.3, 12.3)
#pragma once

#include "core/net/network.h"
#include "modules/presence/api.h"
#include "modules/presence/condition.h"
#include "modules/presence/event_header.h"
#include "modules/presence/interned.h"
#include "modules/presence/notifier.h"

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

namespace sipyard::presence {

class Resource;

// Texts that no two subscriptions share, in one block. Immutable: read by anybody.
class OwnTexts {
public:
    enum Field : unsigned { call_id, to_tag, from_tag, local, remote, watcher, fields };
    explicit OwnTexts(const std::array<std::string_view, fields>& texts)
    {
        std::uint32_t end = 0;
        for (unsigned i = 0; i < fields; ++i)
            ends_[i] = end += static_cast<std::uint32_t>(texts[i].size());
        bytes_ = std::make_unique_for_overwrite<char[]>(end);
        char* at = bytes_.get();
        for (const std::string_view text : texts)
            at += text.copy(at, text.size());
    }
    std::string_view operator[](Field field) const
    {
        const std::uint32_t begin = field == 0 ? 0 : ends_[field - 1U];
        return {bytes_.get() + begin, ends_[field] - begin};
    }

private:
    std::array<std::uint32_t, fields> ends_;
    std::unique_ptr<char[]> bytes_;
};

// A variant of its resource and the newest body rendered for it.
struct Rendered {
    Variant variant;
    BodyPtr body;
    std::uint64_t commit = UINT64_MAX; // of the composite it was rendered from
    std::uint32_t users = 0;
    bool over = false; // nothing more will ever be seen in it
};

// What a watcher looks like on the wire; changes with a target refresh only.
struct Way {
    Interned contact; // URI: the remote target
    const net::Listener* socket = nullptr;
    net::ConnectionId connection;
    // Behind a NAT or a WebSocket the contact leads nowhere: only the connection does, and this URI names its
    // other end.
    bool may_connect = true;
    Interned flow;
};

// Everything but `texts` and `resource` belongs to the resource's strand.
struct Subscription : std::enable_shared_from_this<Subscription> {
    Subscription(std::shared_ptr<Resource> of, OwnTexts own, std::uint64_t number)
        : resource{std::move(of)}, texts{std::move(own)}, id{number}
    {
    }

    const std::shared_ptr<Resource> resource; // owns: a subscription keeps its resource
    const OwnTexts texts;
    const std::uint64_t id;
    Interned event, params;         // type and parameters of the Event header as they came
    Interned routes, local_contact; // "<sip:p1;lr>, <sip:p2;lr>", first hop first; a URI
    Interned user_agent, accept, privacy, quirks, content_type, body; // of the SUBSCRIBE
    Interned reason;                                                  // of the status
    Way way;
    Notifier notifier;
    Rendered* rendered = nullptr; // the resource's
    BodyPtr last;                 // the document last sent; shared with others and the variant
    CompositePtr last_composite;  // of partial state
    Instant expires{};
    // Its places in the resource's heap: for its expiry, and for the end of a pause. INT64_MAX: none.
    Instant appointed{INT64_MAX}, later{INT64_MAX};
    ContentHash sent_hash;  // of the document last put on the wire
    std::int64_t since = 0; // epoch seconds
    std::uint32_t local_cseq = 0, cseq_ceiling = 0, version = 0, version_ceiling = 0, remote_cseq = 0;
    std::uint32_t retry_after = 0; // of terminated
    Pace pace;
    std::uint16_t last_code = 0;
    Status status = Status::active;
    Wish wish = Wish::none;
    bool polite_block : 1 = false, had_document : 1 = false, last_was_partial : 1 = false;
    bool header_only : 1 = false; // the next NOTIFY
    bool gone : 1 = false, in_queue : 1 = false;
    bool fetch : 1 = false;    // one NOTIFY and it is over: in no list, index or table
    bool stored : 1 = false;   // has a row
    bool bodiless : 1 = false; // the NOTIFY that ends it has no body
    // In the resource's list: its place there.
    std::uint32_t place = 0;
    Subscription* next_in_queue = nullptr; // of those the next turn is for
    Subscription* before_in_queue = nullptr;

    std::string_view call_id() const { return texts[OwnTexts::call_id]; }
    std::string_view to_tag() const { return texts[OwnTexts::to_tag]; }
    std::string_view from_tag() const { return texts[OwnTexts::from_tag]; }
    std::string_view watcher() const { return texts[OwnTexts::watcher]; }
};
using SubscriptionPtr = std::shared_ptr<Subscription>; // owners: the resource, the index, NOTIFYs under way
static_assert(sizeof(Subscription) <= 448, "one of a million");

// The key of an in-dialog SUBSCRIBE: tags as they stand in it, so `to_tag` is ours.
struct DialogKey {
    std::string_view call_id, to_tag, from_tag;
};

} // namespace sipyard::presence
