// modules/pv/variables_test.cpp - every variable, what it is and when it is null
#include "core/json/value.h"
#include "core/sip/edits.h"
#include "modules/pv/bench_test.h"

#include <unistd.h>

using namespace sipyard;
using namespace sipyard::pv;

namespace {

std::string invite(std::string_view headers = {}, std::string_view uri = "sip:bob@example.com")
{
    return test::sample_request("INVITE", uri, headers);
}
std::string sent(Request& request)
{
    return std::string{sip::apply(request.message(), request.edits(), request.arena())};
}

} // namespace

TEST_CASE("the start line and the whole message", "[pv]")
{
    Bench bench;
    const std::string text = invite();
    test::Messenger request{bench.host, text};
    check_all(
        bench, *request,
        {
            {"method", "$rm", "INVITE"},
            {"no status", "$rs", "<null>"},
            {"no reason", "$rr", "<null>"},
            {"version", "$rv", "SIP/2.0"},
            {"type", "$mt", "int 1"},
            {"type as text", "$mts", "rq"},
            {"body", "$rb", ""},
            {"first line", "$msg(fline)", "INVITE sip:bob@example.com SIP/2.0"},
            {"body of msg", "$msg(body)", ""},
            {"its length", "$msg(body_len)", "int 0"},
            {"no such part", "$msg(x)",
             "! pvar \"$msg(x)\": 'x' is not one of: len, buf, body, body_len, hdrs, fline, fpart or lpart"},
        });
    CHECK(bench.ask(*request, "$mb") == text);
    CHECK(bench.ask(*request, "$msg(buf)") == text);
    CHECK(bench.ask(*request, "$mbu") == text);
    CHECK(bench.ask(*request, "$ml") == "int " + std::to_string(text.size()));
    CHECK(bench.ask(*request, "$msg(len)") == "int " + std::to_string(text.size()));
    CHECK(bench.ask(*request, "$msg(lpart)") == text.substr(text.find("Via:")));
    CHECK(bench.ask(*request, "$msg(fpart)") == text.substr(0, text.size() - 2));
    CHECK(bench.ask(*request, "$msg(hdrs)").starts_with("Via: "));
    CHECK(bench.ask(*request, "$mi").starts_with("int "));

    test::Messenger reply{bench.host, test::sample_reply(486, "Busy Here"), Route::core_reply};
    check_all(bench, *reply,
              {
                  {"method from CSeq", "$rm", "INVITE"},
                  {"status", "$rs", "int 486"},
                  {"reason", "$rr", "Busy Here"},
                  {"type", "$mt", "int 2"},
                  {"type as text", "$mts", "rp"},
                  {"no R-URI", "$ru", "<null>"},
                  {"no user", "$rU", "<null>"},
                  {"no host", "$rd", "<null>"},
                  {"no port", "$rp", "<null>"},
                  {"no $ou", "$ou", "<null>"},
                  {"second Via", "$via1(host)", "192.0.2.7"},
                  {"last Via", "$viaZ(port)", "int 5070"},
                  {"To tag", "$tt", "b2"},
              });
}

TEST_CASE("the R-URI changes at once", "[pv]")
{
    Bench bench;
    test::Messenger m{bench.host, invite({}, "sip:bob:pw@example.com;transport=tcp;maddr=10.0.0.1")};
    check_all(bench, *m,
              {
                  {"all", "$ru", "sip:bob:pw@example.com;transport=tcp;maddr=10.0.0.1"},
                  {"user", "$rU", "bob"},
                  {"long name", "$ruri.user", "bob"},
                  {"host", "$rd", "example.com"},
                  {"port", "$rp", "int 5060"},
                  {"transport", "$rP", "tcp"},
                  {"scheme", "$rz", "sip"},
                  {"next hop", "$nh(d)", "example.com"},
                  {"next hop's user", "$nh(U)", "bob"},
                  {"no $du", "$du", "<null>"},
                  {"nor parts", "$dd", "<null>"},
                  {"nor parts", "$dp", "<null>"},
                  {"nor parts", "$dP", "<null>"},
              });
    // phone2tel: user=phone makes a number of the user
    test::Messenger phone{bench.host, invite({}, "sip:+4930@example.com;user=Phone")};
    CHECK(bench.ask(*phone, "$rz") == "tel");
    CHECK(bench.set(*phone, "$ru", Value{"sips:+4930@example.com;user=phone"}));
    CHECK(bench.ask(*phone, "$rz") == "tels");
    bench.host.settings.phone2tel = false;
    CHECK(bench.ask(*phone, "$rz") == "sips");
    CHECK(bench.set(*m, "$rU", Value{"carol"}));
    CHECK(bench.ask(*m, "$ru") == "sip:carol:pw@example.com;transport=tcp;maddr=10.0.0.1");
    CHECK_FALSE(bench.set(*m, "$rU", Value{5})); // an int is refused and nothing changes
    CHECK(bench.ask(*m, "$rU") == "carol");
    CHECK(bench.set(*m, "$rd", Value{"example.net"}));
    CHECK(bench.ask(*m, "$ru") == "sip:carol:pw@example.net;transport=tcp");
    CHECK(bench.set(*m, "$rp", Value{5080}));
    CHECK(bench.set(*m, "$rp", Value{"5081"}));
    CHECK_FALSE(bench.set(*m, "$rp", Value{70000}));
    CHECK(bench.ask(*m, "$ru") == "sip:carol:pw@example.net:5081;transport=tcp");
    CHECK(bench.set(*m, "$rU", Value{}));
    CHECK(bench.ask(*m, "$ru") == "sip:example.net:5081;transport=tcp");
    CHECK(bench.ask(*m, "$rU") == "<null>");
    CHECK(bench.ask(*m, "$mbu").starts_with("INVITE sip:example.net:5081;transport=tcp SIP/2.0\r\n"));
    check_all(bench, *m,
              {
                  {"as received", "$ou", "sip:bob:pw@example.com;transport=tcp;maddr=10.0.0.1"},
                  {"its user", "$oU", "bob"},
                  {"its host", "$od", "example.com"},
                  {"its port", "$op", "int 5060"},
                  {"its transport", "$oP", "tcp"},
              });
    CHECK(bench.set(*m, "$ru", Value{"rubbish"})); // accepted, and reads null
    check_all(bench, *m,
              {{"no URI", "$ru", "<null>"}, {"no user", "$rU", "<null>"}, {"no scheme", "$rz", "<null>"}});
    CHECK_FALSE(bench.set(*m, "$rU", Value{"x"}));
    CHECK_FALSE(bench.set(*m, "$ru", Value{}));

    CHECK(bench.set(*m, "$du", Value{"sip:10.0.0.9:5090;transport=tls"}));
    check_all(bench, *m,
              {{"$du", "$duri", "sip:10.0.0.9:5090;transport=tls"},
               {"host", "$dd", "10.0.0.9"},
               {"port", "$dp", "int 5090"},
               {"transport", "$dP", "tls"},
               {"next hop", "$nh(p)", "int 5090"},
               {"next hop", "$nh(u)", "sip:10.0.0.9:5090;transport=tls"},
               {"next hop", "$nh(P)", "tls"}});
    CHECK_FALSE(bench.set(*m, "$du", Value{1}));
    CHECK(bench.set(*m, "$du", Value{}));
    CHECK(bench.ask(*m, "$du") == "<null>");

    test::Messenger plain{bench.host, invite({}, "sip:example.com")};
    check_all(bench, *plain, {{"no user", "$rU", "<null>"}, {"UDP is meant", "$rP", "UDP"}});
}

TEST_CASE("From and To are changed on the wire only", "[pv]")
{
    Bench bench;
    test::Messenger m{bench.host, invite()};
    check_all(bench, *m,
              {
                  {"URI", "$fu", "sip:alice@example.org"},
                  {"long name", "$from", "sip:alice@example.org"},
                  {"user", "$fU", "alice"},
                  {"long name", "$from.user", "alice"},
                  {"host", "$fd", "example.org"},
                  {"name with quotes", "$fn", "\"Alice\""},
                  {"tag", "$ft", "a1"},
                  {"To", "$tu", "sip:bob@example.com"},
                  {"user", "$tU", "bob"},
                  {"host", "$td", "example.com"},
                  {"no name", "$tn", "<null>"},
                  {"no tag", "$tt", "<null>"},
              });
    CHECK(bench.set(*m, "$fU", Value{"first"}));
    CHECK(bench.set(*m, "$fU", Value{"second"})); // the second replaces the first
    CHECK(bench.set(*m, "$fd", Value{"example.net"}));
    CHECK(bench.set(*m, "$fn", Value{"\"Eve\""}));
    CHECK(bench.set(*m, "$tu", Value{"sip:carol@example.net"}));
    CHECK(bench.ask(*m, "$fU") == "alice");
    CHECK(bench.ask(*m, "$tu") == "sip:bob@example.com");
    const auto text = sent(*m);
    INFO(text);
    CHECK(text.find("From: \"Eve\" <sip:second@example.net>;tag=a1\r\n") != std::string::npos);
    CHECK(text.find("To: <sip:carol@example.net>\r\n") != std::string::npos);
    CHECK(text.find("first") == std::string::npos);
    CHECK(bench.ask(*m, "$mbu") == text);
    CHECK_FALSE(bench.set(*m, "$fU", Value{"x\r\nEvil: 1"}));
    CHECK_FALSE(bench.set(*m, "$fu", Value{}));
    CHECK_FALSE(bench.set(*m, "$fd", Value{""}));
}

TEST_CASE("header fields", "[pv]")
{
    Bench bench;
    test::Messenger m{bench.host,
                      invite("User-Agent: phone 1.0\r\nX-A: one\r\nX-A: two\r\nX-Empty:\r\n"
                             "Route: <sip:p1;lr>, <sip:p2;lr>\r\nRoute: <sip:p3;lr>\r\nk: path, timer\r\n"
                             "m: <sip:alice@192.0.2.7>;expires=60, <sip:b@192.0.2.7>\r\nExpires: 300\r\n"
                             "Content-Type: text/plain\r\nP-Asserted-Identity: \"A\" <sip:a@pai>\r\n"
                             "P-Preferred-Identity: \"P\" <sip:p@ppi>\r\nDiversion: "
                             "<sip:d@div>;reason=busy;counter=2;privacy=off\r\n"
                             "Remote-Party-ID: <sip:r@rpid>\r\nRefer-To: <sip:t@refer>\r\n")};
    check_all(bench, *m,
              {
                  {"by name", "$hdr(User-Agent)", "phone 1.0"},
                  {"any letter case", "$hdr(user-agent)", "phone 1.0"},
                  {"compact form", "$hdr(f)", "\"Alice\" <sip:alice@example.org>;tag=a1"},
                  {"absent", "$hdr(X-B)", "<null>"},
                  {"empty", "$hdr(X-Empty)", ""},
                  {"first", "$(hdr(X-A)[0])", "one"},
                  {"second", "$(hdr(X-A)[1])", "two"},
                  {"last", "$(hdr(X-A)[-1])", "two"},
                  {"beyond", "$(hdr(X-A)[2])", "<null>"},
                  {"before", "$(hdr(X-A)[-3])", "<null>"},
                  {"all", "$(hdr(X-A)[*])", "one,two"},
                  {"count", "$hdrc(X-A)", "int 2"},
                  {"count none", "$hdrc(X-B)", "int 0"},
                  {"a name only hdr_name_extra_chars allows", "$hdr(X@Y)", "<null>"},
                  {"no header name", "$hdr(a b)", "! pvar \"$hdr(a b)\": 'a b' is no header name"},
                  {"list", "$hfl(Route)", "<sip:p1;lr>"},
                  {"third of two headers", "$(hfl(Route)[2])", "<sip:p3;lr>"},
                  {"last", "$(hfl(Route)[-1])", "<sip:p3;lr>"},
                  {"beyond", "$(hfl(Route)[3])", "<null>"},
                  {"all", "$(hfl(Route)[*])", "<sip:p1;lr>,<sip:p2;lr>,<sip:p3;lr>"},
                  {"count", "$hflc(Route)", "int 3"},
                  {"Supported is not split", "$hfl(Supported)", "path, timer"},
                  {"nor counted so", "$hflc(Supported)", "int 1"},
                  {"absent list", "$hfl(Record-Route)", "<null>"},
                  {"before the first", "$(hfl(Route)[-4])", "<null>"},
                  {"Call-ID", "$ci", "sample@192.0.2.7"},
                  {"CSeq", "$cs", "int 1"},
                  {"its body", "$csb", "1 INVITE"},
                  {"User-Agent", "$ua", "phone 1.0"},
                  {"Contact", "$ct", "<sip:alice@192.0.2.7>;expires=60, <sip:b@192.0.2.7>"},
                  {"Content-Type", "$cT", "text/plain"},
                  {"Content-Length", "$cl", "int 0"},
                  {"P-Asserted-Identity", "$ai", "sip:a@pai"},
                  {"P-Preferred-Identity", "$pu", "sip:p@ppi"},
                  {"its user", "$pU", "p"},
                  {"its host", "$pd", "ppi"},
                  {"its name", "$pn", "\"P\""},
                  {"Diversion", "$di", "sip:d@div"},
                  {"reason", "$dir", "busy"},
                  {"privacy", "$dip", "off"},
                  {"counter", "$dic", "2"},
                  {"Remote-Party-ID", "$re", "sip:r@rpid"},
                  {"Refer-To", "$rt", "sip:t@refer"},
                  {"smallest expiry", "$expires(min)", "int 60"},
                  {"largest: the second has the header's", "$expires(max)", "int 300"},
              });
    test::Messenger bare{bench.host, invite()};
    check_all(bench, *bare,
              {
                  {"", "$ua", "<null>"},
                  {"", "$ct", "<null>"},
                  {"", "$cT", "<null>"},
                  {"", "$ai", "<null>"},
                  {"", "$pu", "<null>"},
                  {"", "$pU", "<null>"},
                  {"", "$pd", "<null>"},
                  {"", "$pn", "<null>"},
                  {"", "$di", "<null>"},
                  {"", "$dir", "<null>"},
                  {"", "$dip", "<null>"},
                  {"", "$dic", "<null>"},
                  {"", "$re", "<null>"},
                  {"", "$rt", "<null>"},
                  {"", "$expires(min)", "<null>"},
                  {"", "$expires(max)", "<null>"},
              });
}

TEST_CASE("sockets and hops", "[pv]")
{
    Bench bench;
    net::Listener listener;
    listener.bound = *net::Address::parse("127.0.0.1", 5060);
    listener.name = "inner";
    listener.advertised_host = "sip.example.com";
    listener.advertised_port = 5999;
    bench.host.network().add_listener(listener);
    test::Messenger m{bench.host, invite()};
    check_all(bench, *m,
              {
                  {"source", "$si", "192.0.2.7"},
                  {"port", "$sp", "int 5070"},
                  {"URI", "$su", "sip:192.0.2.7:5070"},
                  {"with transport", "$sut", "sip:192.0.2.7:5070;transport=udp"},
                  {"socket", "$sas", "udp:192.0.2.7:5070"},
                  {"bracketed", "$siz", "192.0.2.7"},
                  {"local", "$Ri", "127.0.0.1"},
                  {"port", "$Rp", "int 5060"},
                  {"URI", "$Ru", "sip:127.0.0.1:5060"},
                  {"with transport", "$Rut", "sip:127.0.0.1:5060;transport=udp"},
                  {"socket", "$Ras", "udp:127.0.0.1:5060"},
                  {"no name", "$Rn", "<null>"},
                  {"nothing advertised", "$RAi", "127.0.0.1"},
                  {"port", "$RAp", "int 5060"},
                  {"URI", "$RAu", "sip:127.0.0.1:5060"},
                  {"with transport", "$RAut", "sip:127.0.0.1:5060;transport=udp"},
                  {"protocol", "$pr", "udp"},
                  {"long name", "$proto", "udp"},
                  {"its number", "$prid", "int 1"},
                  {"family", "$af", "int 2"},
                  {"received", "$rcv(srcip)", "192.0.2.7"},
                  {"received at", "$rcv(rcvport)", "int 5060"},
                  {"family", "$rcv(af)", "int 2"},
                  {"no connection", "$conid", "<null>"},
                  {"no connection", "$tcp(c_si)", "<null>"},
                  {"nothing forced", "$fs", "<null>"},
                  {"nor by name", "$fsn", "<null>"},
                  {"nor its protocol", "$fsp", "<null>"},
                  {"top Via", "$via0(host)", "192.0.2.7"},
                  {"its port", "$via0(port)", "int 5070"},
                  {"its branch", "$via0(branch)", "z9hG4bKsample"},
                  {"rport to be filled", "$via0(rport)", ""},
                  {"nothing received", "$via0(received)", "<null>"},
                  {"protocol", "$via0(proto)", "UDP"},
                  {"no second", "$via1(host)", "<null>"},
                  {"the last is the first", "$viaZ(host)", "192.0.2.7"},
              });
    CHECK(bench.set(*m, "$fs", Value{"udp:127.0.0.1:5060"}));
    check_all(bench, *m,
              {{"forced", "$fs", "udp:127.0.0.1:5060"},
               {"its name", "$fsn", "inner"},
               {"its protocol", "$fsp", "int 1"}});
    CHECK(bench.set(*m, "$fs", Value{}));
    CHECK(bench.ask(*m, "$fs") == "<null>");
    CHECK(bench.set(*m, "$fsn", Value{"inner"}));
    CHECK(bench.ask(*m, "$fs") == "udp:127.0.0.1:5060");
    CHECK_FALSE(bench.set(*m, "$fs", Value{"udp:127.0.0.1:1"}));
    CHECK_FALSE(bench.set(*m, "$fs", Value{"tcp:127.0.0.1:5060"}));
    CHECK_FALSE(bench.set(*m, "$fsn", Value{"outer"}));
}

TEST_CASE("IPv6 in URIs stands in brackets, connections have a number", "[pv]")
{
    Bench bench;
    Arena arena;
    const std::string text = invite();
    auto parsed = sip::Message::parse(text, arena);
    REQUIRE(parsed);
    net::Listener listener;
    listener.name = "edge";
    listener.advertised_host = "sip.example.com";
    listener.advertised_port = 5999;
    net::Received from;
    from.protocol = net::Protocol::tcp;
    from.source = *net::Address::parse("2001:db8::1", 5070);
    from.local = *net::Address::parse("2001:db8::2", 5060);
    from.listener = &listener;
    from.connection.value = 77;
    Request request{bench.host, arena, **parsed, from, Route::request};
    check_all(bench, request,
              {
                  {"plain", "$si", "2001:db8::1"},
                  {"bracketed", "$siz", "[2001:db8::1]"},
                  {"transport is told", "$su", "sip:[2001:db8::1]:5070;transport=tcp"},
                  {"socket", "$Ras", "tcp:[2001:db8::2]:5060"},
                  {"name", "$Rn", "edge"},
                  {"advertised", "$RAi", "sip.example.com"},
                  {"its port", "$RAp", "int 5999"},
                  {"URI", "$RAu", "sip:sip.example.com:5999;transport=tcp"},
                  {"family", "$af", "int 10"},
                  {"connection", "$conid", "int 77"},
                  {"its peer", "$tcp(c_si)", "2001:db8::1"},
                  {"its port", "$tcp(c_sp)", "int 5070"},
                  {"number", "$prid", "int 2"},
              });
}

TEST_CASE("credentials", "[pv]")
{
    Bench bench;
    test::Messenger m{
        bench.host,
        invite("Authorization: Digest username=\"alice@dom\", realm=\"r\", nonce=\"n\", uri=\"sip:x\", "
               "response=\"d\", algorithm=MD5, cnonce=\"c\", opaque=\"o\", qop=auth, nc=00000001\r\n")};
    check_all(bench, *m,
              {
                  {"user part", "$au", "alice"},
                  {"domain part", "$ad", "dom"},
                  {"whole", "$aU", "alice@dom"},
                  {"realm", "$ar", "r"},
                  {"algorithm", "$aa", "MD5"},
                  {"nonce", "$adn", "n"},
                  {"cnonce", "$adc", "c"},
                  {"response", "$adr", "d"},
                  {"opaque", "$ado", "o"},
                  {"URI", "$adu", "sip:x"},
                  {"account", "$Au", "alice@r"},
                  {"its user", "$AU", "alice"},
              });
    test::Messenger bare{bench.host, invite()};
    check_all(bench, *bare,
              {
                  {"", "$au", "<null>"},
                  {"", "$ad", "<null>"},
                  {"", "$aU", "<null>"},
                  {"", "$ar", "<null>"},
                  {"", "$aa", "<null>"},
                  {"", "$adn", "<null>"},
                  {"", "$adc", "<null>"},
                  {"", "$adr", "<null>"},
                  {"", "$ado", "<null>"},
                  {"", "$adu", "<null>"},
                  {"who claims to call", "$Au", "alice@example.org"},
                  {"who claims to call", "$AU", "alice"},
              });
}

TEST_CASE("flags", "[pv]")
{
    Bench bench;
    test::Messenger m{bench.host, invite()};
    for (const char* const name : {"m", "s", "b"}) {
        const std::string decimal = std::string{"$"} + name + "f",
                          hexadecimal = std::string{"$"} + name + "F";
        INFO(decimal);
        CHECK(bench.ask(*m, decimal) == "int 0");
        CHECK(bench.set(*m, decimal, Value{171}));
        CHECK(bench.ask(*m, decimal) == "int 171");
        CHECK(bench.ask(*m, hexadecimal) == "000000AB");
        CHECK(bench.set(*m, hexadecimal, Value{}));
        CHECK(bench.ask(*m, decimal) == "int 0");
        CHECK_FALSE(bench.set(*m, decimal, Value{"x"}));
    }
}

TEST_CASE("time", "[pv]")
{
    Bench bench;
    bench.host.advance(std::chrono::seconds{22 * 3600 + 13 * 60 + 21});
    test::Messenger m{bench.host, invite()};
    // The tests' clock begins at 2026-01-01 00:00:00 UTC, a Thursday; it stands 22 hours, 13 minutes and 21
    // seconds later.
    check_all(bench, *m,
              {
                  {"seconds", "$Ts", "int 1767305601"},
                  {"start", "$Tb", "int 1767225600"},
                  {"year", "$utime(year)", "int 2026"},
                  {"month", "$utime(mon)", "int 1"},
                  {"day", "$utime(mday)", "int 1"},
                  {"hour", "$utime(hour)", "int 22"},
                  {"minute", "$utime(min)", "int 13"},
                  {"second", "$utime(sec)", "int 21"},
                  {"Thursday", "$utime(wday)", "int 5"},
                  {"day of the year", "$utime(yday)", "int 1"},
                  {"no summer time", "$utime(isdst)", "int 0"},
                  {"by format", "$utimef(%Y-%m-%d %H:%M:%S)", "2026-01-01 22:13:21"},
                  {"local year", "$time(year)", "int 2026"},
                  {"local by format", "$timef(%Y)", "2026"},
                  {"no such part", "$time(moon)",
                   "! pvar \"$time(moon)\": 'moon' is not one of: sec, min, hour, mday, mon, year, wday, "
                   "yday or isdst"},
              });
    bench.host.advance(std::chrono::microseconds{5'000'042});
    check_all(bench, *m,
              {
                  {"the message keeps its time", "$Ts", "int 1767305601"},
                  {"now", "$TS", "int 1767305606"},
                  {"now", "$TV(s)", "int 1767305606"},
                  {"microseconds", "$TV(u)", "int 42"},
                  {"both", "$TV(Sn)", "1767305606.000042"},
                  {"start", "$Tb", "int 1767225600"},
              });
    CHECK(bench.ask(*m, "$Tf").ends_with(" 2026"));
    CHECK(bench.ask(*m, "$TF").ends_with(" 2026"));
    CHECK(bench.ask(*m, "$TF") != bench.ask(*m, "$Tf"));
}

TEST_CASE("process, host, chance", "[pv]")
{
    Bench bench{"server_id=7"};
    bench.host.counter("core", "rcv_requests", "").add(3);
    bench.host.add_command({"core.version", "core", ""}, [](const json::Value&) -> Result<json::Value> {
        return json::Value{"sipyard 1.2.3 (linux)"};
    });
    test::Messenger m{bench.host, invite()};
    check_all(bench, *m,
              {
                  {"server", "$sid", "int 7"},
                  {"IPv4", "$K(IPv4)", "int 2"},
                  {"IPv6", "$K(IPv6)", "int 10"},
                  {"TLS", "$K(TLS)", "int 3"},
                  {"version", "$version(num)", "1.2.3"},
                  {"in full", "$version(full)", "sipyard 1.2.3 (linux)"},
                  {"no hash", "$version(hash)", "<null>"},
                  {"ksr", "$ksr(ver)", "1.2.3"},
                  {"statistic", "$stat(rcv_requests)", "int 3"},
                  {"by group", "$stat(core:rcv_requests)", "int 3"},
                  {"no such statistic", "$stat(none)", "<null>"},
                  {"format", "$_s(to $rU!)", "to bob!"},
                  {"no such kind", "$uuid(x)", "<null>"},
              });
    CHECK(bench.ask(*m, "$pp") == "int " + std::to_string(::getpid()));
    CHECK(bench.ask(*m, "$HN(n)") != "<null>");
    CHECK(bench.ask(*m, "$RANDOM") != bench.ask(*m, "$RANDOM"));
    CHECK(bench.ask(*m, "$sruid") != bench.ask(*m, "$sruid"));
    const auto uuid = bench.ask(*m, "$uuid(g)");
    INFO(uuid);
    CHECK(uuid.size() == 36);
    CHECK(uuid[14] == '4');
    CHECK(std::string_view{"89ab"}.find(uuid[19]) != std::string_view::npos);
}
