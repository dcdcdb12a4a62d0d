// core/module/trail.h - what happened to a call, lately: a small record per message in or out, in rings
// (`sipyardctl trace`)
#pragma once

#include "core/base/clock.h"
#include "core/net/address.h"
#include "core/sip/message.h"
#include "core/task/per_worker.h"
#include "core/task/runtime.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace sipyard {

// One per server. Each worker writes its own ring and overwrites its oldest record; noting costs no heap and
// takes only the ring's own lock. Call-IDs are kept as a hash: a query names the Call-ID.
class Trail {
public:
    static constexpr std::size_t default_records =
        32'768; // per worker, 48 bytes each; made at the first note

    enum class Way : unsigned char { in, out };
    struct Peer {
        net::Protocol protocol = net::Protocol::udp;
        net::Address address;
    };
    struct Record {
        Instant when{};
        std::uint64_t call = 0; // hash of the Call-ID
        net::Address peer;
        std::uint32_t cseq = 0;
        std::uint16_t status = 0; // of a reply; 0: a request
        net::Protocol protocol = net::Protocol::udp;
        Way way = Way::in;
        sip::Method method = sip::Method::other; // of a reply: CSeq's
    };

    Trail(task::Runtime& runtime, const Clock& clock, std::size_t records = default_records);
    ~Trail();

    // On any worker, on a fiber or off one.
    void note(Way way, const sip::Message& message, const Peer& peer);
    // For messages that were built here and are not parsed again. status 0: a request.
    void note(Way way, std::string_view call_id, sip::Method method, std::uint32_t cseq, int status,
              const Peer& peer);

    // The records of that call still there, oldest first.
    std::vector<Record> of(std::string_view call_id) const;

private:
    struct Ring;
    std::uint64_t hash_of(std::string_view call_id) const;
    Ring& mine();

    task::Runtime& runtime_;
    const Clock& clock_;
    const std::size_t records_;
    const std::uint64_t seed_;
    std::vector<std::unique_ptr<Ring>> rings_; // one for each worker and one for all other threads
};

} // namespace sipyard
