// modules/tm/keys.h - what a transaction is recognised by: the client's branch (RFC 3261 17.2.3) and our own
// (17.1.3)
#pragma once

#include "core/base/arena.h"
#include "core/sip/message.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace sipyard::tm {

// 128 bits of a hash with a random seed: nobody outside can make two requests collide.
struct Key {
    std::uint64_t a = 0, b = 0;
    friend bool operator==(const Key&, const Key&) = default;
};

struct Seed {
    std::uint64_t a = 0, b = 0;
};
Seed random_seed();

// How requests are told apart, Kamailio's parameters of the same names.
struct Matching {
    bool ruri = true, via1 = true; // of branches without the magic cookie
    bool callid = false;           // the Call-ID counts beside the branch
    bool callid_cseq = false;      // Call-ID and CSeq instead of the branch
};

// Of the server transaction a request belongs to. An ACK and, with `as_invite`, a CANCEL belong to their
// INVITE.
Key server_key(const sip::Message& request, const Seed& seed, const Matching& matching,
               bool as_invite = false);
// Of Call-ID, From tag and CSeq: finds the INVITE of an ACK to a 2xx, and a request that came twice by
// different paths. `method` stands for the request's own (ACK: INVITE).
Key call_key(const sip::Message& request, const Seed& seed, std::string_view method);
Key call_key(std::string_view call_id, std::string_view from_tag, std::uint32_t cseq, std::string_view method,
             const Seed& seed);

// Our branch parameter: index, generation and number of the client transaction, with a check value so that
// nobody makes one up. The text goes to `arena`.
struct Ticket {
    std::uint32_t index = 0, generation = 0;
    std::uint16_t serial = 0;
    friend bool operator==(const Ticket&, const Ticket&) = default;
};
std::string_view print(const Ticket& ticket, const Seed& seed, Arena& arena);
std::optional<Ticket> read_ticket(std::string_view branch, const Seed& seed); // nothing: not one of ours

} // namespace sipyard::tm
