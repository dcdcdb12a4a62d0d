// modules/pv/via_variables.cpp - the hops the message came by: $via0, $via1, $viaZ
#include "modules/pv/lists.h"

#include "core/sip/message.h"

namespace sipyard::pv {

namespace {

using sip::Via;
using Part = Value (*)(Request&, const Via&);

Value host(Request&, const Via& v) { return v.host; }
Value port(Request&, const Via& v) { return number(v.port ? v.port : 5060); }
Value protocol(Request&, const Via& v) { return v.transport_text; }
Value protocol_number(Request&, const Via& v) { return static_cast<int>(v.transport); }
Value branch(Request&, const Via& v) { return text_or_null(v.branch); }
Value received(Request&, const Via& v) { return text_or_null(v.received); }
Value rport(Request&, const Via& v)
{
    if (!v.has_rport)
        return {};
    return v.rport ? number(v.rport) : Value{""}; // asked for and not filled in yet (RFC 3581 3)
}
Value params(Request&, const Via& v) { return text_or_null(v.params.text()); }
Value sent_by(Request&, const Via& v) { return v.sent_by; }
Value maddr(Request&, const Via& v) { return text_or_null(v.maddr); }
Value alias(Request&, const Via& v) { return v.has_alias ? Value{1} : Value{}; }
Value param_i(Request&, const Via& v)
{
    const auto found = v.params.find("i");
    return found ? Value{*found} : Value{};
}
Value overload(Request&, const Via& v) // RFC 7339
{
    const auto found = v.params.find("oc");
    return found ? Value{*found} : Value{};
}

struct ViaPart {
    using Meaning = Part;
    static constexpr std::string_view expected =
        "host, port, proto, protoid, branch, received, rport, params, sent_by, maddr, alias, i or oc";
    static constexpr Word<Part> words[] = {
        {"host", host},       {"port", port},         {"proto", protocol}, {"protoid", protocol_number},
        {"branch", branch},   {"received", received}, {"rport", rport},    {"params", params},
        {"sent_by", sent_by}, {"maddr", maddr},       {"alias", alias},    {"i", param_i},
        {"oc", overload},
    };
};

Value top(Request& r, const OneOf<ViaPart>& part)
{
    const Via* via = r.message().top_via();
    return via ? part.meaning(r, *via) : Value{};
}
Value second(Request& r, const OneOf<ViaPart>& part)
{
    const auto all = r.message().vias();
    return all.size() > 1 ? part.meaning(r, all[1]) : Value{};
}
Value last(Request& r, const OneOf<ViaPart>& part)
{
    const auto all = r.message().vias();
    return all.empty() ? Value{} : part.meaning(r, all[all.size() - 1]);
}

} // namespace

Variables via_variables()
{
    return {
        row("via0", top, "A part of the topmost Via: $via0(host)"),
        row("via1", second, "A part of the second Via; null when there is none"),
        row("viaZ", last, "A part of the last Via"),
    };
}

} // namespace sipyard::pv
