// modules/siputils/siputils.cpp - questions about messages and numbers, tel URIs, OPTIONS answered
#include "core/base/text.h"
#include "core/module/module.h"
#include "core/sip/edits.h"
#include "core/sip/message.h"
#include "modules/siputils/numbers.h"

#include <string>
#include <string_view>

namespace sipyard::siputils {

class Siputils {
public:
    struct Settings {
        std::string options_accept, options_accept_encoding, options_accept_language, options_support;
        std::string contact_flds_separator, rpid_avp, rpid_prefix, rpid_suffix;
        int e164_max_len = 15;
    };
    static Manifest<Siputils> manifest();

    Siputils(const Settings& settings, Host& host)
        : settings_{settings}, host_{host}, log_{host.logger("siputils")}
    {
    }

private:
    Verdict has_totag(Request& request) { return Verdict::of(!request.message().to_tag().empty()); }
    Verdict is_request(Request& request) { return Verdict::of(request.message().is_request()); }
    Verdict is_reply(Request& request) { return Verdict::of(request.message().is_reply()); }
    // No proxy stands between the sender and us: one Via, and no Record-Route but our own in a request.
    Verdict is_first_hop(Request& request) { return is_first_hop_mode(request, 0); }
    Verdict is_first_hop_mode(Request& request, std::int64_t)
    {
        const sip::Message& message = request.message();
        if (message.is_request())
            return Verdict::of(message.vias().size() == 1);
        for (const auto& route : message.record_routes()) {
            // The topmost Record-Route of a reply is the hop next to us on the callee's side.
            sip::Uri uri;
            return Verdict::of(sip::read(route.uri, uri).empty() && host_.is_myself(uri.host, uri.port, {}));
        }
        return Verdict::yes();
    }

    Verdict is_user(Request& request, std::string_view name)
    {
        const auto* credentials = request.message().authorization();
        if (!credentials)
            credentials = request.message().proxy_authorization();
        return Verdict::of(credentials && credentials->username == name);
    }
    Verdict uri_param(Request& request, std::string_view name)
    {
        const sip::Uri* const uri = request.parsed_ruri();
        return Verdict::of(uri && uri->params.has(name));
    }
    Verdict uri_param_is(Request& request, std::string_view name, std::string_view value)
    {
        const sip::Uri* const uri = request.parsed_ruri();
        return Verdict::of(uri && uri->params.find(name) == value);
    }
    Verdict add_uri_param(Request& request, std::string_view param)
    {
        const sip::Uri* const uri = request.parsed_ruri();
        if (!uri || !uri->is_sip())
            return Verdict::no();
        const std::string_view text = request.ruri();
        const auto headers = text.find('?');
        request.set_ruri(
            request.arena().concat(text.substr(0, headers), ";", param,
                                   headers == std::string_view::npos ? "" : text.substr(headers)));
        return Verdict::yes();
    }
    Verdict get_uri_param(Request& request, std::string_view name, const VariableRef& to)
    {
        const sip::Uri* const uri = request.parsed_ruri();
        const auto value = uri ? uri->params.find(name) : std::nullopt;
        return Verdict::of(value && to.set(request, Value{*value}));
    }
    // tel:+49-30-1 becomes sip:+49301@host;user=phone (RFC 3261 19.1.6)
    Verdict tel2sip(Request& request, std::string_view uri, std::string_view host, const VariableRef& to)
    {
        if (!istarts_with(uri, "tel:"))
            return Verdict::yes();
        const auto made = sip_of_tel(uri, host);
        return Verdict::of(!made.empty() && to.set(request, Value{request.arena().copy(made)}));
    }

    // --- numbers and texts ---
    Verdict is_numeric_text(Request&, std::string_view text) { return Verdict::of(is_numeric(text)); }
    Verdict is_alphanum_text(Request&, std::string_view text) { return Verdict::of(is_alphanum(text)); }
    Verdict is_alphanumex_text(Request&, std::string_view text, std::string_view more)
    {
        return Verdict::of(is_alphanum(text, more));
    }
    Verdict is_tel(Request&, std::string_view text) { return Verdict::of(is_tel_number(text)); }
    Verdict is_e164_text(Request&, std::string_view text)
    {
        return Verdict::of(is_e164(text, settings_.e164_max_len));
    }
    Verdict is_uri_user_e164(Request&, std::string_view text)
    {
        sip::Uri uri;
        return Verdict::of(sip::read(text, uri).empty() && is_e164(uri.user, settings_.e164_max_len));
    }
    Verdict is_uri_text(Request&, std::string_view text)
    {
        sip::Uri uri;
        return Verdict::of(sip::read(text, uri).empty() && uri.scheme != sip::Scheme::other);
    }
    Verdict cmp_uri(Request&, std::string_view a, std::string_view b)
    {
        return Verdict::of(equal_uris(a, b, true));
    }
    Verdict cmp_aor(Request&, std::string_view a, std::string_view b)
    {
        return Verdict::of(equal_uris(a, b, false));
    }

    // 200 to an OPTIONS for us, saying what we accept (RFC 3261 11.2).
    Verdict options_reply(Request& request)
    {
        const sip::Message& message = request.message();
        const sip::Uri* const uri = request.parsed_ruri();
        if (message.method() != sip::Method::options || !uri || !uri->user.empty()) {
            log_.error("options_reply: expected an OPTIONS to this server itself, without a user");
            return Verdict::no();
        }
        std::string headers;
        const auto add = [&](std::string_view name, const std::string& value, std::string_view fallback) {
            headers += format("{}: {}\r\n", name, value.empty() ? fallback : std::string_view{value});
        };
        add("Accept", settings_.options_accept, "*/*");
        add("Accept-Encoding", settings_.options_accept_encoding, "");
        add("Accept-Language", settings_.options_accept_language, "en");
        add("Supported", settings_.options_support, "");
        const auto sent = request.reply({200, "OK", headers, {}, {}});
        if (!sent)
            log_.error("options_reply: {}", sent.error().text);
        return Verdict::of(sent.has_value());
    }
    // ;ring= and the like belong to the call; this hides Supported: timer style options from what is sent.
    Verdict hdr_date_check(Request& request, std::int64_t seconds)
    {
        const sip::Header* const header = request.message().first("Date");
        if (!header)
            return -1;
        const auto date = parse_date(header->value);
        if (!date)
            return -2;
        const std::int64_t age = host_.clock().unix_seconds() - *date;
        return age > seconds || -age > seconds ? -3 : 1;
    }

    const Settings settings_;
    Host& host_;
    const log::Logger log_;
};

Manifest<Siputils> Siputils::manifest()
{
    using M = Siputils;
    constexpr RouteMask from_requests = Route::request | Route::local | Route::event;
    return {
        .name = "siputils",
        .about = "Questions about messages, URIs and numbers",
        .params = {param("options_accept", &Settings::options_accept,
                         "Accept header of options_reply; empty: */*"),
                   param("options_accept_encoding", &Settings::options_accept_encoding,
                         "Accept-Encoding of options_reply"),
                   param("options_accept_language", &Settings::options_accept_language,
                         "Accept-Language of options_reply; empty: en"),
                   param("options_support", &Settings::options_support, "Supported header of options_reply"),
                   param("contact_flds_separator", &Settings::contact_flds_separator,
                         "Accepted without effect"),
                   param("rpid_avp", &Settings::rpid_avp, "Accepted without effect"),
                   param("rpid_prefix", &Settings::rpid_prefix, "Accepted without effect"),
                   param("rpid_suffix", &Settings::rpid_suffix, "Accepted without effect"),
                   param("e164_max_len", &Settings::e164_max_len, "Most digits of an E.164 number")},
        .functions =
            {
                function("has_totag", &M::has_totag,
                         "True when To has a tag: the request is inside a dialog"),
                function("is_request", &M::is_request, "True for a request"),
                function("is_reply", &M::is_reply, "True for a reply"),
                function("is_first_hop", &M::is_first_hop,
                         "True when no proxy stands between the sender and us"),
                function("is_first_hop", &M::is_first_hop_mode, "The same; the mode is accepted"),
                function("is_user", &M::is_user, "True when the credentials are of that user", from_requests),
                function("uri_param", &M::uri_param, "True when the request URI has the parameter",
                         from_requests),
                function("uri_param", &M::uri_param_is, "True when the parameter has that value",
                         from_requests),
                function("add_uri_param", &M::add_uri_param, "Adds a parameter to the request URI",
                         from_requests),
                function("get_uri_param", &M::get_uri_param,
                         "Stores a parameter of the request URI in a variable", from_requests),
                function("tel2sip", &M::tel2sip, "Stores a tel URI as SIP URI of that host in a variable"),
                function("is_numeric", &M::is_numeric_text, "True when the text is digits"),
                function("is_alphanum", &M::is_alphanum_text, "True when the text is letters and digits"),
                function("is_alphanumex", &M::is_alphanumex_text, "The same with further characters"),
                function("is_tel_number", &M::is_tel, "True for digits with a leading + at most"),
                function("is_e164", &M::is_e164_text, "True for an E.164 number: + and digits"),
                function("is_uri_user_e164", &M::is_uri_user_e164,
                         "True when the URI's user is an E.164 number"),
                function("is_uri", &M::is_uri_text, "True when the text is a URI of a scheme we know"),
                function("cmp_uri", &M::cmp_uri, "True when the URIs are equal (RFC 3261 19.1.4)"),
                function("cmp_aor", &M::cmp_aor, "True when user and host are equal"),
                function("options_reply", &M::options_reply, "Answers an OPTIONS to this server",
                         from_requests),
                function("hdr_date_check", &M::hdr_date_check,
                         "1 when Date is that near, -1 absent, -2 bad, -3 too far"),
            },
    };
}

} // namespace sipyard::siputils

SIPYARD_MODULE(sipyard::siputils::Siputils)
