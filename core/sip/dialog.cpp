// core/sip/dialog.cpp - dialog state: made from a request and its reply, kept up to date, read for the next
// request
#include "core/sip/dialog.h"

#include "core/base/text.h"

#include <algorithm>

namespace sipyard::sip {
namespace {

constexpr std::size_t most_routes = 64; // a longer route set does not fit a datagram

// The URI of the Contact, "" when there is none that can be sent to.
std::string_view contact_of(const Message& message)
{
    const auto contacts = message.contacts();
    if (contacts.empty() || contacts[0].is_star)
        return {};
    Uri uri;
    if (!read(contacts[0].uri, uri).empty() || (uri.is_sip() && uri.host.empty()))
        return {};
    return contacts[0].uri;
}

Result<std::vector<std::string>> routes_of(const Message& message, bool reversed)
{
    std::vector<std::string> routes;
    const auto list = message.record_routes();
    if (!list.complaint.empty())
        return invalid("Record-Route: " + std::string{list.complaint});
    if (list.size() > most_routes)
        return invalid("too many Record-Route values");
    for (const NameAddr& value : list)
        routes.push_back(value.in_brackets ? std::string{value.whole} : "<" + std::string{value.uri} + ">");
    if (reversed)
        std::reverse(routes.begin(), routes.end());
    return routes;
}

// The URI of one of our own routes_: they were read before.
std::string_view uri_of(const std::string& route)
{
    NameAddr value;
    (void)read(route, value);
    return value.uri;
}

} // namespace

std::string_view to_text(Turn turn)
{
    switch (turn) {
    case Turn::next: return "next";
    case Turn::late: return "late";
    case Turn::repeated: return "repeated";
    }
    return "";
}

std::string without_tag(std::string_view value)
{
    NameAddr address;
    if (!read(value, address).empty())
        return std::string{value};
    if (!address.in_brackets)
        return "<" + std::string{address.uri} + ">";
    const auto end = static_cast<std::size_t>(address.uri.data() + address.uri.size() - value.data());
    const auto close = value.find('>', end);
    return std::string{value.substr(0, close == std::string_view::npos ? close : close + 1)};
}

Result<Dialog> Dialog::as_caller(std::string_view from, std::string_view to, std::string_view call_id,
                                 std::uint32_t cseq, const Message& reply)
{
    const NameAddr* const remote = reply.to();
    NameAddr local;
    if (!remote || !remote->has_tag())
        return invalid("a reply without a To tag makes no dialog");
    if (!read(from, local).empty())
        return invalid("From: " + std::string{from});
    Dialog dialog;
    dialog.call_id_ = call_id;
    dialog.local_ = from;
    dialog.local_tag_ = local.tag();
    dialog.remote_tag_ = remote->tag();
    // What we have called the other side; a proxy may have put another URI there, and tags alone identify
    // (12.2.1.1).
    dialog.remote_ = without_tag(to) + ";tag=" + dialog.remote_tag_;
    TRY(dialog.routes_, routes_of(reply, true));
    dialog.target_ = contact_of(reply);
    dialog.local_cseq_ = cseq;
    return dialog;
}

Result<Dialog> Dialog::from_notify(std::string_view from, std::string_view to, std::string_view call_id,
                                   std::uint32_t cseq, const Message& notify)
{
    const NameAddr* const remote = notify.from();
    NameAddr local;
    if (!remote || !remote->has_tag())
        return invalid("a NOTIFY without a From tag makes no dialog");
    if (!read(from, local).empty())
        return invalid("From: " + std::string{from});
    Dialog dialog;
    dialog.call_id_ = call_id;
    dialog.local_ = from;
    dialog.local_tag_ = local.tag();
    dialog.remote_tag_ = remote->tag();
    dialog.remote_ = without_tag(to) + ";tag=" + dialog.remote_tag_;
    TRY(dialog.routes_, routes_of(notify, false));
    dialog.target_ = contact_of(notify);
    if (dialog.target_.empty())
        return invalid("a NOTIFY without a Contact makes no dialog");
    dialog.local_cseq_ = cseq;
    return dialog;
}

Result<Dialog> Dialog::as_callee(const Message& request, std::string_view local_tag, std::uint32_t cseq)
{
    const NameAddr* const remote = request.from();
    const NameAddr* const local = request.to();
    if (!remote || !local || !request.cseq())
        return invalid("From, To or CSeq cannot be read");
    Dialog dialog;
    dialog.call_id_ = request.call_id();
    dialog.local_tag_ = local_tag;
    dialog.remote_tag_ = remote->tag(); // may be empty: RFC 2543
    dialog.local_ = without_tag(request.value(HeaderName::to)) + ";tag=" + dialog.local_tag_;
    dialog.remote_ = request.value(HeaderName::from);
    TRY(dialog.routes_, routes_of(request, false));
    dialog.target_ = contact_of(request);
    if (dialog.target_.empty())
        return invalid("no Contact that can be sent to");
    dialog.local_cseq_ = cseq;
    dialog.remote_cseq_ = request.cseq()->number;
    return dialog;
}

bool Dialog::is(std::string_view call_id, std::string_view local_tag, std::string_view remote_tag) const
{
    return local_tag == local_tag_ && remote_tag == remote_tag_ && call_id == call_id_;
}

Path Dialog::path() const
{
    const auto lines = [](auto begin, auto end) {
        std::string text;
        for (; begin != end; ++begin)
            text += "Route: " + *begin + "\r\n";
        return text;
    };
    if (routes_.empty())
        return {target_, {}, target_};
    Uri first;
    const std::string_view hop = uri_of(routes_.front());
    if (read(hop, first).empty() && first.is_loose())
        return {target_, lines(routes_.begin(), routes_.end()), std::string{hop}};
    // A strict router: it is the Request-URI, and the target travels as the last route (12.2.1.1).
    std::string_view bare = hop;
    if (!first.headers.empty()) // must not be in a Request-URI (19.1.1)
        bare = bare.substr(0, bare.find('?'));
    return {std::string{bare}, lines(routes_.begin() + 1, routes_.end()) + "Route: <" + target_ + ">\r\n",
            std::string{bare}};
}

void Dialog::take_cseq(std::uint32_t used) { local_cseq_ = std::max(local_cseq_, used); }

Turn Dialog::take_turn(const Message& request)
{
    const CSeq* const cseq = request.cseq();
    if (!cseq)
        return Turn::late;
    if (remote_cseq_ && cseq->number < *remote_cseq_)
        return Turn::late;
    if (remote_cseq_ && cseq->number == *remote_cseq_)
        return Turn::repeated;
    if (request.method() != Method::ack && request.method() != Method::cancel)
        remote_cseq_ = cseq->number;
    return Turn::next;
}

bool Dialog::refresh_target(const Message& message)
{
    const auto contact = contact_of(message);
    if (contact.empty())
        return false;
    target_ = contact;
    return true;
}

void Dialog::confirm_routes(const Message& reply)
{
    auto routes = routes_of(reply, true);
    if (routes)
        routes_ = std::move(*routes);
}

} // namespace sipyard::sip
