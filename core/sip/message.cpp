// core/sip/message.cpp - lookups, typed values on demand, and the check a receiver makes
#include "core/sip/message.h"

#include "core/base/text.h"
#include "core/sip/lists.h"
#include "core/sip/message_reader.h"

#include <type_traits>

namespace sipyard::sip {

static_assert(std::is_trivially_destructible_v<Message>, "the arena needs no finalizer for messages");

Result<Message*> Message::parse(std::string_view buffer, Arena& arena, std::string_view extra_name_chars)
{
    return MessageReader{buffer, arena, extra_name_chars}.read();
}

// --- header fields as they stand ---

const Header* Message::next(const Header& header) const
{
    const Header* const end = headers_ + header_count_;
    for (const Header* h = &header + 1; h < end; ++h)
        if (h->id == header.id && (h->id != HeaderName::other || iequals(h->name, header.name)))
            return h;
    return nullptr;
}

const Header* Message::last(HeaderName id) const
{
    if (id == HeaderName::other || !has(id))
        return nullptr;
    for (std::size_t n = header_count_; n-- > 0;)
        if (headers_[n].id == id)
            return &headers_[n];
    return nullptr;
}

const Header* Message::nth(HeaderName id, std::size_t n) const
{
    const Header* h = first(id);
    while (h != nullptr && n-- > 0)
        h = next(*h);
    return h;
}

std::size_t Message::count(HeaderName id) const
{
    std::size_t count = 0;
    for (const Header* h = first(id); h != nullptr; h = next(*h))
        ++count;
    return count;
}

const Header* Message::first(std::string_view name) const
{
    if (const auto id = header_name_of(name); id != HeaderName::other)
        return first(id);
    for (const auto& h : headers())
        if (h.id == HeaderName::other && iequals(h.name, name))
            return &h;
    return nullptr;
}

const Header* Message::last(std::string_view name) const
{
    const Header* found = nullptr;
    for (const Header* h = first(name); h != nullptr; h = next(*h))
        found = h;
    return found;
}

const Header* Message::nth(std::string_view name, std::size_t n) const
{
    const Header* h = first(name);
    while (h != nullptr && n-- > 0)
        h = next(*h);
    return h;
}

std::size_t Message::count(std::string_view name) const
{
    std::size_t count = 0;
    for (const Header* h = first(name); h != nullptr; h = next(*h))
        ++count;
    return count;
}

// --- typed values ---

template <class T>
const T* Message::lazy(Lazy<T>& slot, HeaderName id) const
{
    if (slot.tried)
        return slot.value;
    slot.tried = true;
    const auto* header = first(id);
    if (header == nullptr)
        return nullptr;
    T& value = arena_->make<T>();
    if (read(header->value, value).empty())
        slot.value = &value;
    return slot.value;
}

namespace {

// All values of a header that may repeat, each with commas. Room doubles; the arena keeps what was outgrown.
template <class T>
ValueList<T> read_list(const Message& message, HeaderName id, Arena& arena)
{
    T* items = nullptr;
    std::size_t count = 0, room = 0;
    for (const auto* h = message.first(id); h != nullptr; h = message.next(*h)) {
        std::string_view rest = h->value, element;
        while (next_in_list(rest, element)) {
            if (element.empty())
                continue; // RFC 4475 3.1.2.1 has them; harmless where a value is optional
            if (count == room) {
                room = room == 0 ? 4 : room * 2;
                T* larger = arena.array<T>(room);
                for (std::size_t n = 0; n < count; ++n)
                    new (&larger[n]) T(items[n]);
                items = larger;
            }
            T& value = *new (&items[count]) T;
            if (const auto complaint = read(element, value); !complaint.empty())
                return {{items, count}, complaint};
            ++count;
        }
    }
    return {{items, count}, {}};
}

} // namespace

template <class T>
const ValueList<T>& Message::lazy_list(Lazy<ValueList<T>>& slot, HeaderName id) const
{
    if (!slot.tried) {
        slot.tried = true;
        slot.value = &arena_->make<ValueList<T>>(read_list<T>(*this, id, *arena_));
    }
    return *slot.value;
}

const Uri* Message::request_uri() const
{
    if (request_uri_.tried || is_reply() || http_)
        return request_uri_.value;
    request_uri_.tried = true;
    Uri& uri = arena_->make<Uri>();
    if (read(uri_text_, uri).empty())
        request_uri_.value = &uri;
    return request_uri_.value;
}

const Via* Message::top_via() const
{
    if (top_via_.tried)
        return top_via_.value;
    top_via_.tried = true;
    if (const auto* header = first(HeaderName::via)) {
        std::string_view rest = header->value, element;
        Via& via = arena_->make<Via>();
        if (next_in_list(rest, element) && read(element, via).empty())
            top_via_.value = &via;
    }
    return top_via_.value;
}

const NameAddr* Message::from() const { return lazy(from_, HeaderName::from); }

const NameAddr* Message::to() const { return lazy(to_, HeaderName::to); }

const Uri* Message::from_uri() const
{
    if (!from_uri_.tried) {
        from_uri_.tried = true;
        Uri uri;
        if (const auto* address = from(); address != nullptr && read(address->uri, uri).empty())
            from_uri_.value = &arena_->make<Uri>(uri);
    }
    return from_uri_.value;
}

const Uri* Message::to_uri() const
{
    if (!to_uri_.tried) {
        to_uri_.tried = true;
        Uri uri;
        if (const auto* address = to(); address != nullptr && read(address->uri, uri).empty())
            to_uri_.value = &arena_->make<Uri>(uri);
    }
    return to_uri_.value;
}

ValueList<Via> Message::vias() const { return lazy_list(vias_, HeaderName::via); }

ValueList<NameAddr> Message::contacts() const { return lazy_list(contacts_, HeaderName::contact); }

ValueList<NameAddr> Message::routes() const { return lazy_list(routes_, HeaderName::route); }

ValueList<NameAddr> Message::record_routes() const
{
    return lazy_list(record_routes_, HeaderName::record_route);
}

ValueList<NameAddr> Message::values(HeaderName id) const { return read_list<NameAddr>(*this, id, *arena_); }

const CSeq* Message::cseq() const { return lazy(cseq_, HeaderName::cseq); }

const MediaType* Message::content_type() const { return lazy(content_type_, HeaderName::content_type); }

const EventType* Message::event() const { return lazy(event_, HeaderName::event); }

const DigestView* Message::authorization() const { return lazy(authorization_, HeaderName::authorization); }

const DigestView* Message::proxy_authorization() const
{
    return lazy(proxy_authorization_, HeaderName::proxy_authorization);
}

std::optional<std::uint32_t> Message::number(HeaderName id) const
{
    const auto* header = first(id);
    std::uint32_t number = 0;
    if (header == nullptr || !read(header->value, number).empty())
        return {};
    return number;
}

std::optional<std::uint32_t> Message::max_forwards() const { return number(HeaderName::max_forwards); }

std::optional<std::uint32_t> Message::expires() const
{
    const auto* header = first(HeaderName::expires);
    std::uint32_t seconds = 0;
    // An overlarge value means "as long as you can" (RFC 4475 3.1.2.4): it counts as 2^32-1.
    if (header == nullptr || (!read(header->value, seconds).empty() && seconds == 0))
        return {};
    return seconds;
}

std::optional<std::uint32_t> Message::content_length() const { return number(HeaderName::content_length); }

Complaint Message::complaint_about(HeaderName id) const
{
    const auto* header = first(id);
    if (header == nullptr)
        return {};
    const auto complaint_of = [&](auto value) { return read(header->value, value); };
    switch (id) {
    case HeaderName::via: return vias().complaint;
    case HeaderName::from:
    case HeaderName::to: {
        NameAddr address;
        Uri uri;
        const auto complaint = read(header->value, address);
        return complaint.empty() ? read(address.uri, uri) : complaint;
    }
    case HeaderName::contact: return contacts().complaint;
    case HeaderName::route: return routes().complaint;
    case HeaderName::record_route: return record_routes().complaint;
    case HeaderName::cseq: return complaint_of(CSeq{});
    case HeaderName::content_type: return complaint_of(MediaType{});
    case HeaderName::event: return complaint_of(EventType{});
    case HeaderName::rack: return complaint_of(RAck{});
    case HeaderName::subscription_state: return complaint_of(SubscriptionState{});
    case HeaderName::authorization:
    case HeaderName::proxy_authorization: return complaint_of(DigestView{});
    case HeaderName::max_forwards:
    case HeaderName::expires:
    case HeaderName::min_expires:
    case HeaderName::content_length:
    case HeaderName::rseq: return complaint_of(std::uint32_t{});
    default: return {};
    }
}

// --- is it acceptable? ---

Fault Message::check() const
{
    if (fault_ || http_)
        return fault_;
    if (!has(HeaderName::via))
        return {400, "Missing Via header field"};
    if (top_via() == nullptr)
        return {400, "Bad Via header field"};
    // Values behind the top one matter to a reply only; but what shares its line was sent as one (RFC
    // 4475 3.1.2.1).
    if (top_via()->whole.size() != value(HeaderName::via).size() && !vias().complaint.empty())
        return {400, "Bad Via header field"};
    static constexpr struct {
        HeaderName id;
        Complaint missing, repeated;
    } needed[] = {{HeaderName::from, "Missing From header field", "Several From header fields"},
                  {HeaderName::to, "Missing To header field", "Several To header fields"},
                  {HeaderName::call_id, "Missing Call-ID header field", "Several Call-ID header fields"},
                  {HeaderName::cseq, "Missing CSeq header field", "Several CSeq header fields"}};
    for (const auto& row : needed) {
        const auto* header = first(row.id);
        if (header == nullptr)
            return {400, row.missing};
        if (next(*header) != nullptr)
            return {400, row.repeated};
    }
    if (call_id().empty())
        return {400, "Empty Call-ID"};
    if (from_uri() == nullptr)
        return {400, "Bad From header field"};
    if (to_uri() == nullptr)
        return {400, "Bad To header field"};
    if (cseq() == nullptr)
        return {400, "Bad CSeq header field"};
    if (is_reply())
        return {};

    if (cseq()->method_text != method_text_)
        return {400, "CSeq method differs from the request's"}; // RFC 4475 3.1.2.17
    if (const auto* hops = first(HeaderName::max_forwards)) {
        std::uint32_t number = 0;
        if (!read(hops->value, number).empty() || number > 255 || next(*hops) != nullptr)
            return {400, "Bad Max-Forwards header field"};
    }
    if (request_uri() == nullptr)
        return {400, "Bad Request-URI"};
    if (!request_uri()->headers.empty())
        return {400, "Request-URI with headers"}; // RFC 3261 19.1.1, RFC 4475 3.1.2.11
    return {};
}

bool Message::can_be_answered() const
{
    return is_request() && !http_ && has(HeaderName::from) && has(HeaderName::to) &&
           has(HeaderName::call_id) && has(HeaderName::cseq) && top_via() != nullptr;
}

} // namespace sipyard::sip
