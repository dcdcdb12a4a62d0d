// core/module/request.cpp - the state of one message on its way through the script
#include "core/module/request.h"

#include "core/module/host.h"
#include "core/sip/edits.h"
#include "core/sip/message.h"
#include "core/sip/uri.h"

namespace sipyard {

namespace {

std::uint32_t next_id()
{
    thread_local std::uint32_t count = 0;
    return ++count;
}

} // namespace

Request::Request(Host& host, Arena& arena, sip::Message& message, const net::Received& received, Route route)
    : host_{host}, arena_{arena}, message_{&message}, received_{received}, id_{next_id()}, route_{route},
      is_http_{message.is_http()}, responder_{&host.default_responder()}
{
}

Request::~Request() = default;

sip::Edits& Request::edits()
{
    if (!edits_)
        edits_ = &arena_.make<sip::Edits>(arena_);
    return *edits_;
}

void Request::replace_message(sip::Message& message)
{
    message_ = &message;
    edits_ = nullptr;
    new_ruri_set_ = false;
    new_ruri_ = {};
    uri_parsed_ = false;
    uri_ = nullptr;
}

std::string_view Request::ruri() const { return new_ruri_set_ ? new_ruri_ : message_->uri_text(); }

const sip::Uri* Request::parsed_ruri()
{
    if (!new_ruri_set_)
        return message_->request_uri();
    if (!uri_parsed_) {
        uri_parsed_ = true;
        auto& uri = arena_.make<sip::Uri>();
        uri_ = sip::read(new_ruri_, uri).empty() ? &uri : nullptr;
    }
    return uri_;
}

void Request::set_ruri(std::string_view uri)
{
    new_ruri_ = arena_.copy(uri);
    new_ruri_set_ = true;
    uri_parsed_ = false;
}

void Request::revert_ruri()
{
    new_ruri_set_ = false;
    uri_parsed_ = false;
}

void Request::set_dst_uri(std::string_view uri) { dst_uri_ = arena_.copy(uri); }

void Request::set_path(std::string_view path) { path_ = arena_.copy(path); }

void Request::share_avps(AvpStore& store, bool keep)
{
    if (keep && &store != avps_ && !own_avps_.empty()) {
        const Locked locked{store.lock};
        store.take(own_avps_);
    }
    avps_ = &store;
}

void Request::append_to_reply(std::string_view lines)
{
    reply_headers_ = arena_.concat(reply_headers_, lines);
}

} // namespace sipyard
