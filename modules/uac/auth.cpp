// modules/uac/auth.cpp - uac_auth: the answer to a challenge goes into the request, for its next branch
#include "modules/uac/uac.h"

#include "core/sip/edits.h"
#include "core/sip/message.h"

namespace sipyard::uac {

// Those of the variables come first; with an empty realm they fit any.
std::vector<Credential> Uac::credentials(Request& request, bool is_ha1) const
{
    std::vector<Credential> all;
    if (user_avp_ && password_avp_ && realm_avp_) {
        const Value user = user_avp_->get(request), password = password_avp_->get(request),
                    realm = realm_avp_->get(request);
        if (user.is_text() && !user.text().empty() && password.is_text())
            all.push_back(
                {std::string{realm.text()}, std::string{user.text()}, std::string{password.text()}, is_ha1});
    }
    for (Credential one : credentials_) {
        one.is_ha1 = is_ha1;
        all.push_back(std::move(one));
    }
    return all;
}

Verdict Uac::auth(Request& request, std::optional<std::int64_t> mode)
{
    Request* const reply = tm_extras_.stored_reply(request);
    if (!reply) {
        log_.error("uac_auth: no reply to answer");
        return Verdict::no();
    }
    const int code = reply->message().status();
    if (code != 401 && code != 407) {
        log_.error("uac_auth: the reply is {}, not 401 or 407", code);
        return Verdict::no();
    }
    DigestSession session{credentials(request, mode.value_or(0) == 1)};
    if (const auto taken = session.challenged(reply->message()); !taken) {
        log_.error("uac_auth: {}", taken.error().text);
        return Verdict::no();
    }
    // What was challenged is the branch's Request-URI, which need not be the one the request came with.
    const auto& message = request.message();
    const Value branch_uri = tm_extras_.of_branch(request, "uri");
    const std::string_view uri =
        branch_uri.is_text() && !branch_uri.text().empty() ? branch_uri.text() : request.ruri();
    const auto lines = session.lines({message.method_text(), uri, message.body()});
    if (lines.empty())
        return Verdict::no();
    request.set_ruri(uri); // new to t_relay, which does not go to the same place twice by itself
    auto& edits = request.edits();
    // An answer the client gave in the same realm would stand beside ours; that of another realm stays.
    for (const bool proxy : {false, true}) {
        const auto id = proxy ? sip::HeaderName::proxy_authorization : sip::HeaderName::authorization;
        for (const auto* header = message.first(id); header; header = message.next(*header)) {
            sip::DigestView old;
            if (sip::read(header->value, old).empty() &&
                lines.find((proxy ? "Proxy-Authorization: Digest" : "Authorization: Digest")) !=
                    std::string::npos &&
                lines.find(format("realm=\"{}\"", old.realm)) != std::string::npos)
                edits.remove(message, *header);
        }
    }
    edits.append_header(message, lines);
    counts_.answered_challenges.add();
    return Verdict::yes();
}

} // namespace sipyard::uac
