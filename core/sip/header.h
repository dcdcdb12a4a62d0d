// core/sip/header.h - names of header fields and one header field of a message (RFC 3261 7.3, 20)
#pragma once

#include <cstdint>
#include <string_view>

namespace sipyard::sip {

enum class HeaderName : std::uint8_t {
    other,
    via,
    from,
    to,
    call_id,
    cseq,
    contact,
    max_forwards,
    route,
    record_route,
    content_type,
    content_length,
    content_encoding,
    content_disposition,
    content_language,
    authorization,
    proxy_authorization,
    www_authenticate,
    proxy_authenticate,
    authentication_info,
    proxy_authentication_info,
    expires,
    min_expires,
    user_agent,
    server,
    require,
    proxy_require,
    supported,
    unsupported,
    allow,
    allow_events,
    event,
    accept,
    accept_encoding,
    accept_language,
    accept_contact,
    reject_contact,
    request_disposition,
    subscription_state,
    refer_to,
    referred_by,
    refer_sub,
    p_asserted_identity,
    p_preferred_identity,
    p_charging_vector,
    p_access_network_info,
    p_visited_network_id,
    p_associated_uri,
    p_called_party_id,
    remote_party_id,
    diversion,
    history_info,
    privacy,
    path,
    service_route,
    session_expires,
    min_se,
    rack,
    rseq,
    date,
    timestamp,
    reason,
    replaces,
    join,
    target_dialog,
    sip_etag,
    sip_if_match,
    organization,
    priority,
    subject,
    in_reply_to,
    reply_to,
    retry_after,
    warning,
    alert_info,
    call_info,
    error_info,
    mime_version,
    identity,
    identity_info,
    suppress_if_match,
    geolocation,
    flow_timer,
    security_client,
    security_server,
    security_verify,
    resource_priority,
    user_to_user,
    recv_info,
    info_package,
    feature_caps,
    max_breadth,
    answer_mode,
    priv_answer_mode,
    // HTTP
    host,
    if_match,
    if_none_match,
    if_modified_since,
    connection,
    upgrade,
    transfer_encoding,
    expect,
    origin,
    x_forwarded_for,
    cookie,
    range,
    accept_charset,
    location,
    etag,
    cache_control,
    sec_websocket_key,
    sec_websocket_protocol,
    sec_websocket_version,
    sec_websocket_extensions,
    sec_websocket_accept,
    x_3gpp_intended_identity,
    x_3gpp_asserted_identity,
    count_, // number of names, not a name
};

// Any letter case, long or compact form ("v", "VIA"); `other` when unknown.
HeaderName header_name_of(std::string_view name);
// As the RFCs write it ("Call-ID"); "" for other.
std::string_view to_text(HeaderName name);

// Do two field names mean the same header? Letter case and compact forms do not matter.
bool same_header(std::string_view a, std::string_view b);

// One header field of a message. The views point into the message buffer.
struct Header {
    HeaderName id = HeaderName::other;
    std::string_view name;  // as sent, blanks before the colon not included
    std::string_view value; // outer blanks and line end trimmed, folding inside kept
    std::string_view whole; // name through line end of its last line
};

} // namespace sipyard::sip
