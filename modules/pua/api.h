// modules/pua/api.h - event state published for others: kept alive, replaced, taken away (RFC 3903)
#pragma once

#include "core/base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::pua {

// What follows the lifetime of a document: it is refreshed until its publisher says otherwise, or it ends.
enum class Renew : unsigned char { yes, no };

// One document about one presentity. Texts are copied.
struct Publication {
    std::string_view presentity; // "sip:bob@example.com"
    std::string_view event;      // "dialog"
    std::string_view id;         // the publisher's name for it: the next document of that id replaces it
    std::string_view content_type, body;
    std::uint32_t expires = 0; // seconds asked for; 0: default_expires
    Renew renew = Renew::yes;
    std::string_view headers; // further lines with CRLF
};

struct Known {
    std::string presentity, id;
};

// Thread-safe. Nothing here suspends, so it may be called under a lock; calls about one (presentity, event,
// id) take effect in their order.
struct Api {
    static constexpr std::string_view name = "pua";
    virtual ~Api() = default;

    // The newest document wins; one PUBLISH is on its way at a time (spec presence 7.2). Errors: invalid (no
    // readable SIP URI, a line end where none may be), overloaded (max_publications).
    virtual Result<void> publish(const Publication& publication) = 0;
    // Taken back with Expires 0 when it was ever published. Nothing happens when it is not known.
    virtual void remove(std::string_view presentity, std::string_view event, std::string_view id) = 0;
    // Those an earlier run left in the database and nobody has published in this one. For publishers, when
    // they start: what they do not publish again is theirs to remove.
    virtual std::vector<Known> left_over(std::string_view event) = 0;
};

} // namespace sipyard::pua
