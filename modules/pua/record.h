// modules/pua/record.h - one publication: what is sent when, and what the answers mean (spec presence 7.2):
// pure
#pragma once

#include "core/base/clock.h"

#include <cstdint>
#include <memory>
#include <string>

namespace sipyard::pua {

inline constexpr Instant no_time{INT64_MAX};

struct Document {
    std::string content_type, body, headers;
    std::uint32_t expires = 3600; // seconds
    bool renew = true;
};
using DocumentPtr = std::shared_ptr<const Document>; // owners: the record and the request in flight

// What the server said, whatever carried it.
struct Answered {
    int code = 0;
    std::string etag;
    std::uint32_t expires = 0; // of a 2xx; 0: it did not say
    std::uint32_t min_expires = 0, retry_after = 0;
};

// What is to be done now. `send`: answered() is called once for it, and nothing else is sent before.
struct Order {
    enum class What : unsigned char { nothing, send, forget };
    What what = What::nothing;
    DocumentPtr document;  // of send; null: Expires 0
    bool with_body = true; // false: a refresh, the body stays as it is
    std::string if_match;  // "" in an initial one
    std::uint32_t expires = 0;
};

// The states of a record are the answers to four questions: is a request under way, which tag does the server
// know it by, which document should it have, when is something to be done. Not thread-safe.
class Record {
public:
    Record() = default;
    // One of an earlier run: the server has it until then.
    Record(std::string etag, Instant expires_at)
        : etag_{std::move(etag)}, expires_at_{expires_at}, due_{expires_at}
    {
    }

    Order update(DocumentPtr document, Instant now);
    Order remove(Instant now);
    Order answered(const Answered& answer, Instant now);
    Order on_time(Instant now); // its time has come; calls before due() do nothing
    Instant due() const { return in_flight_ != Flight::none ? no_time : due_; }

    const std::string& etag() const { return etag_; }
    Instant expires_at() const { return expires_at_; }
    const DocumentPtr& document() const { return newest_; }
    std::string_view state() const; // for operators: "publishing", "published", "waiting", "refused"...
    int failures() const { return failures_; }
    int last_code() const { return last_code_; }

private:
    enum class Flight : unsigned char { none, document, refresh, removal };
    Order send(Instant now);
    Order send_document(Instant now);
    Order forget();
    Order accepted(Flight what, const Answered& answer, Instant now);
    Order gone(Instant now);
    Order later(const Answered& answer, Instant now);
    Order refused(Flight what, const DocumentPtr& tried, Instant now);

    std::string etag_;
    DocumentPtr newest_, sent_; // wanted; in flight or accepted
    Instant newest_until_{0};   // of newest_ without renewal
    Instant expires_at_{0};     // until when the server keeps what it has
    Instant due_ = no_time;
    Flight in_flight_ = Flight::none;
    bool refused_ = false;    // newest_ was refused for good
    bool begun_anew_ = false; // a 412 was answered with an initial PUBLISH that is not accepted yet
    bool waiting_ = false;    // due_ is that of the next attempt
    std::uint32_t least_ = 0; // the server's Min-Expires
    std::uint32_t asked_ = 0; // seconds, in the request in flight
    int failures_ = 0, last_code_ = 0;
};

} // namespace sipyard::pua
