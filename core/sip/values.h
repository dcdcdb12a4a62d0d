// core/sip/values.h - small header values: CSeq, media types, numbers, Event, RAck
#pragma once

#include "core/sip/complaint.h"
#include "core/sip/method.h"
#include "core/sip/params.h"

#include <cstdint>
#include <string_view>

namespace sipyard::sip {

struct CSeq { // RFC 3261 20.16: a number below 2^31
    std::uint32_t number = 0;
    Method method = Method::other;
    std::string_view method_text;
};
Complaint read(std::string_view text, CSeq& out);

struct MediaType { // "application/pidf+xml;charset=utf-8"
    std::string_view type;
    std::string_view subtype;
    std::string_view full; // type/subtype as sent, without parameters
    ParamsView params;
    bool is(std::string_view full_name) const; // any letter case
};
Complaint read(std::string_view text, MediaType& out);

struct EventType { // Event: dialog;id=7 (RFC 6665 8.2.1)
    std::string_view package;
    ParamsView params;
    std::string_view id() const { return params.find("id").value_or(""); }
};
Complaint read(std::string_view text, EventType& out);

struct RAck { // RFC 3262 7.2
    std::uint32_t rseq = 0;
    CSeq cseq;
};
Complaint read(std::string_view text, RAck& out);

struct SubscriptionState {  // RFC 6665 8.2.3
    std::string_view state; // "active", as sent
    ParamsView params;
};
Complaint read(std::string_view text, SubscriptionState& out);

// Digits only. Too large: a complaint, and `out` is 2^32-1 so that a tolerant caller may go on (RFC
// 4475 3.1.2.4).
Complaint read(std::string_view text, std::uint32_t& out);

} // namespace sipyard::sip
