// modules/pua/record.cpp - one publication: what is sent when, and what the answers mean (RFC 3903 4)
#include "modules/pua/record.h"

#include <algorithm>
#include <utility>

namespace sipyard::pua {

namespace {

using std::chrono::seconds;

constexpr std::uint32_t least_refresh = 5;            // seconds: no server is asked more often
constexpr std::uint32_t most_wait = 60;               // of the back-off
constexpr std::uint32_t most_retry_after = 3600;      // a server's wish beyond that is a mistake
constexpr std::uint32_t most_expires = 1'000'000'000; // keeps Instants in range

Instant after(Instant now, std::uint32_t s) { return now + seconds{std::min(s, most_expires)}; }

// Worth another attempt: the server, or the way to it, is in trouble. Everything else is about us.
bool is_passing(int code)
{
    switch (code) {
    case 408:
    case 429:
    case 480:
    case 491: return true;
    case 501:
    case 505:
    case 513: return false;
    default: return code / 100 == 5;
    }
}

} // namespace

std::string_view Record::state() const
{
    if (in_flight_ != Flight::none)
        return in_flight_ == Flight::removal   ? "removing"
               : in_flight_ == Flight::refresh ? "refreshing"
                                               : "publishing";
    return waiting_ ? "waiting" : refused_ ? "refused" : "published";
}

Order Record::update(DocumentPtr document, Instant now)
{
    newest_ = std::move(document);
    newest_until_ = after(now, newest_->expires);
    refused_ = false;
    // While an attempt is due the document waits for it: a server in trouble is not asked more often.
    if (in_flight_ != Flight::none || waiting_)
        return {};
    return send(now);
}

Order Record::remove(Instant now)
{
    newest_ = nullptr;
    refused_ = false;
    if (in_flight_ != Flight::none)
        return {}; // when the answer is there, its tag is known
    if (etag_.empty())
        return forget(); // never published
    return waiting_ ? Order{} : send(now);
}

Order Record::forget()
{
    *this = Record{};
    Order order;
    order.what = Order::What::forget;
    return order;
}

// Whatever is wanted now.
Order Record::send(Instant now)
{
    waiting_ = false;
    due_ = no_time;
    if (newest_)
        return send_document(now);
    if (etag_.empty() || expires_at_ <= now)
        return forget(); // the server has nothing (any more)
    in_flight_ = Flight::removal;
    Order order;
    order.what = Order::What::send;
    order.with_body = false;
    order.if_match = etag_;
    return order;
}

Order Record::send_document(Instant now)
{
    if (expires_at_ <= now)
        etag_.clear(); // it expired there, the tag is dead
    // A document that ended has nothing to replace: it is not worth a publication.
    if (!newest_->renew && newest_until_ <= now && etag_.empty())
        return forget();
    const bool refresh = newest_ == sent_ && !etag_.empty();
    in_flight_ = refresh ? Flight::refresh : Flight::document;
    asked_ = std::max(newest_->expires, least_);
    sent_ = newest_;
    Order order;
    order.what = Order::What::send;
    order.document = newest_;
    order.with_body = !refresh;
    order.if_match = etag_;
    order.expires = asked_;
    return order;
}

Order Record::answered(const Answered& answer, Instant now)
{
    const Flight what = std::exchange(in_flight_, Flight::none);
    const DocumentPtr tried = sent_;
    last_code_ = answer.code;
    if (answer.code / 100 == 2)
        return accepted(what, answer, now);
    if (what == Flight::document)
        sent_ = nullptr; // the server has not got it
    if (answer.code == 412)
        return gone(now);
    // RFC 3903 4.2: the same request with a lifetime the server likes.
    if (answer.code == 423 && answer.min_expires > asked_ && answer.min_expires <= most_expires) {
        least_ = answer.min_expires;
        return send(now);
    }
    if (is_passing(answer.code) || answer.code == 423)
        return later(answer, now);
    return refused(what, tried, now);
}

Order Record::accepted(Flight what, const Answered& answer, Instant now)
{
    failures_ = 0;
    begun_anew_ = false;
    if (what == Flight::removal) {
        etag_.clear();
        expires_at_ = Instant{0};
        sent_ = nullptr;
        return newest_ ? send(now) : forget();
    }
    const std::uint32_t granted = answer.expires > 0 ? std::min(answer.expires, most_expires) : asked_;
    etag_ = answer.etag;
    expires_at_ = after(now, granted);
    if (newest_ != sent_)
        return send(now); // a newer document, or its removal
    if (etag_.empty())    // a server that gives no tag: the next one is another initial PUBLISH
        sent_ = nullptr;
    due_ = newest_->renew ? after(now, std::max(least_refresh, granted / 100 * 85 + granted % 100 * 85 / 100))
                          : expires_at_;
    return {};
}

// 412: the server does not know the tag (it was restarted, we were too late). RFC 3903 4.4.
Order Record::gone(Instant now)
{
    etag_.clear();
    expires_at_ = Instant{0};
    sent_ = nullptr;
    if (!newest_)
        return forget();
    // Once at once; a server that says it again of an initial PUBLISH is in trouble.
    return std::exchange(begun_anew_, true) ? later({}, now) : send(now);
}

// The record and its tag stay; the newest document goes when the time has come.
Order Record::later(const Answered& answer, Instant now)
{
    const std::uint32_t wait =
        std::max(failures_ < 6 ? 1u << failures_ : most_wait, std::min(answer.retry_after, most_retry_after));
    ++failures_;
    // Nothing is left to be said once the document and what the server has are over.
    if (!newest_ && (etag_.empty() || expires_at_ <= now))
        return forget();
    if (newest_ && !newest_->renew && newest_until_ <= now && expires_at_ <= now)
        return forget();
    waiting_ = true;
    due_ = after(now, wait);
    return {};
}

// The server will never take what was `tried`. What it has of us stays there under its tag until it expires.
Order Record::refused(Flight what, const DocumentPtr& tried, Instant now)
{
    const bool more = newest_ ? newest_ != tried : what != Flight::removal;
    if (more)
        return send(now);
    if (!newest_ || etag_.empty() || expires_at_ <= now)
        return forget();
    refused_ = true;
    due_ = expires_at_;
    return {};
}

Order Record::on_time(Instant now)
{
    if (in_flight_ != Flight::none || now < due_)
        return {};
    due_ = no_time;
    if (waiting_)
        return send(now);
    if (refused_ || !newest_ || !newest_->renew)
        return forget(); // it has expired at the server
    return send(now);
}

} // namespace sipyard::pua
