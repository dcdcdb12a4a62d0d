// core/script/globals_test.cpp - global and custom parameters, sockets, modules (spec/script 4 to 8)
#include "core/script/globals.h"
#include "core/script/listen.h"
#include "core/script/parser_fakes.h"

#include "test/support/catch.h"

#include <cstdlib>
#include <set>

using namespace sipyard;
using namespace sipyard::script;
using fakes::Parsed;

namespace {

std::string error_of(const std::string& text) { return Parsed{text}.first_error(); }

std::string print(const ListenLine& l)
{
    std::string out =
        format("{}|{}|{}", l.protocol ? net::to_text(*l.protocol) : std::string_view{"*"}, l.host, l.port);
    if (l.port_end != 0)
        out += format("-{}", l.port_end);
    if (!l.advertised_host.empty())
        out += format(" adv {}:{}", l.advertised_host, l.advertised_port);
    if (!l.name.empty())
        out += " name " + l.name;
    if (l.virtual_address)
        out += " virtual";
    if (l.workers != 0)
        out += format(" workers {}", l.workers);
    if (!l.group_name.empty())
        out += " group " + l.group_name;
    return out;
}

std::string sockets(const std::string& text)
{
    const Parsed parsed{text};
    if (!parsed.config)
        return "error " + parsed.first_error();
    std::string out;
    for (const ListenLine& line : parsed.config->settings.listen)
        out += (out.empty() ? "" : "; ") + print(line);
    return out;
}

} // namespace

TEST_CASE("every parameter has one row, and names are not shared", "[script][globals]")
{
    std::set<std::string_view> seen;
    std::size_t names = 0;
    for (const GlobalParam& param : global_params()) {
        for (std::string_view rest = param.names; !rest.empty(); ++names)
            seen.insert(cut(rest, '|'));
    }
    CHECK(seen.size() == names);
    CHECK(is_reserved("port"));
    CHECK(is_reserved("desc"));
    CHECK_FALSE(is_reserved("RELAY"));
}

TEST_CASE("values arrive in the settings", "[script][globals]")
{
    const Parsed parsed{
        "debug=3 memlog=2\nlog_stderror=yes; log_facility=LOG_LOCAL0 log_prefix=\"{$ci} \"\nport=5070\n"
        "disable_tls=no\nuser=nobody group=\"nogroup\"\nudp_mtu_try_proto = TCP\nforce_rport=yes\n"
        "server_header=\"Server: x\" user_agent_header=\"User-Agent: y\"\ndns_cache_negative_ttl=-0x10\n"
        "advertised_address = sip.example.com advertised_port=5080\nmax_branches = 010\n"
        "coreparam[debug] = 2 coreparam[\"max_while_loops\"] = 5\nasync_workers_group=\"name=a;workers=2\"\n"
        "tcp_buf_write = yes\nchildren=4\ndns_servers=\"192.0.2.53, [2001:db8::53]:5353\"\n"
        "use_dst_blocklist=yes dst_blocklist_ttl=30"};
    REQUIRE(parsed.first_error() == "");
    REQUIRE(parsed.config);
    const CoreSettings& s = parsed.config->settings;
    CHECK(s.debug == 2);
    CHECK(s.log_stderror);
    CHECK(s.log_facility == "LOG_LOCAL0");
    CHECK(s.log_prefix == "{$ci} ");
    CHECK(s.port == 5070);
    CHECK(s.enable_tls);
    CHECK(s.user == "nobody");
    CHECK(s.group == "nogroup");
    CHECK(s.udp_mtu_try_proto == net::Protocol::tcp);
    CHECK(s.force_rport);
    CHECK(s.server_header == "Server: x");
    CHECK(s.user_agent_header_set);
    CHECK(s.dns_cache_negative_ttl == -16);
    REQUIRE(s.dns_servers.size() == 2);
    CHECK(s.dns_servers[0].text() == "192.0.2.53:53");
    CHECK(s.dns_servers[1].text() == "[2001:db8::53]:5353");
    CHECK(s.use_dst_blocklist);
    CHECK(s.dst_blocklist_expire == 30);
    CHECK(s.advertised_address == "sip.example.com");
    CHECK(s.advertised_port == 5080);
    CHECK(s.max_branches == 8);
    CHECK(s.max_while_loops == 5);
    CHECK(s.async_workers_group == std::vector<std::string>{"name=a;workers=2"});
    CHECK(parsed.config->others.at("children") == "4");
    CHECK(parsed.warnings() == "parameter tcp_buf_write has no effect");
}

TEST_CASE("a parameter without effect says why, unless it asks for what is done anyway", "[script][globals]")
{
    const struct {
        const char* text;
        const char* warning;
    } rows[] = {
        {"dns=yes", "parameter dns has no effect: received= is put wherever RFC 3261 18.2.1 asks for it, "
                    "without a look-up"},
        {"dns=no rev_dns=no http_reply_parse=no bind_ipv6_link_local=0", ""},
        {"uri_host_extra_chars=\"~\"",
         "parameter uri_host_extra_chars has no effect: a host is letters, digits, '.', '-' and '_'"},
        {"uri_host_extra_chars=\"_\"", ""},
        {"hdr_name_extra_chars=\"@\" phone2tel=no latency_limit_db=5000 stats_name_separator=\"-\"", ""},
        {"udp_receiver_mode=1", "parameter udp_receiver_mode has no effect: every worker reads every socket"},
        {"pv_buffer_size=8192", "parameter pv_buffer_size has no effect: a value is as long as it is"},
        {"sql_buffer_size=65535", "parameter sql_buffer_size has no effect: a statement is as long as it is"},
        {"async_workers=4",
         "parameter async_workers has no effect: what waits is suspended, no worker is set aside for it"},
    };
    for (const auto& row : rows) {
        INFO(row.text);
        const Parsed parsed{row.text};
        REQUIRE(parsed.config);
        CHECK(parsed.warnings() == row.warning);
    }
    const Parsed parsed{"hdr_name_extra_chars=\"@\" phone2tel=no"};
    CHECK(parsed.config->settings.hdr_name_extra_chars == "@");
    CHECK_FALSE(parsed.config->settings.phone2tel);
}

TEST_CASE("mistakes in parameters", "[script][globals]")
{
    const struct {
        const char* story;
        const char* text;
        const char* error;
    } rows[] = {
        {"no number", "debug=\"3\"", "1:7: number expected for debug, found the string \"3\""},
        {"no boolean", "log_stderror=\"yes\"",
         "1:14: boolean value expected for log_stderror, found the string \"yes\""},
        {"no string", "log_prefix=5", "1:12: string value expected for log_prefix, found '5'"},
        {"a quoted word where an ID is wanted", "log_facility=\"LOG_LOCAL0\"",
         "1:14: ID expected for log_facility, found the string \"LOG_LOCAL0\""},
        {"an unknown name", "debgu=3", "1:1: unknown config variable debgu"},
        {"through coreparam", "coreparam[debgu]=3", "1:11: unknown config variable debgu"},
        {"out of range", "max_branches=32", "1:14: 32 is out of range for max_branches, 1 to 31"},
        {"a port", "port=65536", "1:6: 65536 is out of range for port, 0 to 65535"},
        {"SCTP", "enable_sctp=1", "1:13: sctp support is not compiled in"},
        {"another engine", "cfgengine=\"lua\"", "1:11: cfgengine lua is not supported, only native is"},
        {"the same without =", "cfgengine \"lua\"", "1:11: cfgengine lua is not supported, only native is"},
        {"no value", "debug=", "1:7: number expected for debug, found the end of the file"},
        {"no =", "debug 3", "1:7: syntax error: unexpected '3'"},
        {"a stray brace", "}", "1:1: syntax error: unexpected '}'"},
        {"a misspelt block", "rout { ; }", "1:1: syntax error: unexpected 'rout'"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        CHECK(error_of(row.text) == row.error);
    }
    CHECK(Parsed{"debgu=3"}.diagnostics.all().front().nearest == "debug");
    CHECK(Parsed{"rout { ; }"}.diagnostics.all().front().nearest == "route");
    // The next parameter is read all the same.
    CHECK(Parsed{"debug=\"x\"\nport=y\nnosuch=1 log_color=5 log_name=7"}.diagnostics.errors() == 3);
}

TEST_CASE("sockets as written", "[script][listen]")
{
    const struct {
        const char* story;
        const char* text;
        const char* lines;
    } rows[] = {
        {"everything", "listen=udp:10.0.0.1:5060", "udp|10.0.0.1|5060"},
        {"no protocol", "listen=10.0.0.1", "*|10.0.0.1|0"},
        {"any protocol", "listen=*:eth0:5070", "*|eth0|5070"},
        {"an interface", "listen = tls:eth0:5061", "tls|eth0|5061"},
        {"a host", "listen=tcp:my-host.example.com", "tcp|my-host.example.com|0"},
        {"IPv6", "listen=udp:[::1]:5060 listen=[2001:db8::1]", "udp|::1|5060; *|2001:db8::1|0"},
        {"several", "listen=udp:10.0.0.1:5060 tcp:10.0.0.1:5062 10.0.0.2",
         "udp|10.0.0.1|5060; tcp|10.0.0.1|5062; *|10.0.0.2|0"},
        {"quoted names", "listen=\"eth0\" listen=\"host.name\"", "*|eth0|0; *|host.name|0"},
        {"all clauses", "listen=udp:10.0.0.1:5060 advertise 1.2.3.4:5070 name \"a\" virtual",
         "udp|10.0.0.1|5060 adv 1.2.3.4:5070 name a virtual"},
        {"a define", "#!define IP 10.0.0.1\n#!define PORT 5060\nlisten=udp:IP:PORT advertise IP",
         "udp|10.0.0.1|5060 adv 10.0.0.1:0"},
        {"a define that holds a string", "#!define IP \"10.0.0.1\"\nlisten=udp:IP:5060 IP:5061",
         "udp|10.0.0.1|5060; *|10.0.0.1|5061"},
        {"workers go to the next one", "socket_workers=3 listen=udp:10.0.0.1:1 listen=udp:10.0.0.1:2",
         "udp|10.0.0.1|1 workers 3; udp|10.0.0.1|2"},
        {"socket",
         "socket = { bind = udp:10.0.0.1:5060-5062; advertise = 1.2.3.4:7; name = \"n\"; workers = 4; agname "
         "= \"g\"; virtual = yes; }",
         "udp|10.0.0.1|5060-5062 adv 1.2.3.4:7 name n virtual workers 4 group g"},
        {"the next parameter ends it", "listen=udp:10.0.0.1:5060 debug=3", "udp|10.0.0.1|5060"},
        {"so does a custom one", "listen=udp:10.0.0.1:5060\nmine.value = 3", "udp|10.0.0.1|5060"},
        {"quoted with a protocol", "listen=\"udp:1.2.3.4:5060\"",
         "error 1:8: could not resolve host 'udp:1.2.3.4:5060'"},
        {"the wrong order", "listen=udp:10.0.0.1 name \"a\" advertise 1.2.3.4",
         "error 1:30: syntax error: unexpected 'advertise'"},
        {"SCTP", "listen=sctp:10.0.0.1", "error 1:8: sctp support is not compiled in"},
        {"multihoming", "listen=(10.0.0.1, 10.0.0.2)", "error 1:8: sctp support is not compiled in"},
        {"no port", "listen=udp:10.0.0.1:", "error 1:8: a port is missing in 'udp:10.0.0.1:'"},
        {"a bad port", "listen=udp:10.0.0.1:70000", "error 1:8: bad port '70000'"},
        {"a bad address", "listen=udp:10.0.0.300", "error 1:8: bad address 'udp:10.0.0.300'"},
        {"nothing", "listen=;", "error 1:8: syntax error: unexpected ';'"},
        {"an unknown attribute", "socket = { bnd = udp:10.0.0.1; }",
         "error 1:12: unknown socket attribute 'bnd'"},
        {"no bind", "socket = { name = \"x\"; }", "error 1:10: a socket without bind"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        CHECK(sockets(row.text) == row.lines);
    }
    const Parsed aliases{
        "alias=a.example.com:5060 \"tcp:b.example.com:5070\"\nauto_aliases=no domain=c.example.com"};
    REQUIRE(aliases.config);
    std::string all;
    for (const AliasLine& a : aliases.config->settings.alias)
        all += format("{}|{}|{} ", a.protocol ? net::to_text(*a.protocol) : std::string_view{"*"}, a.host,
                      a.port);
    CHECK(all == "*|a.example.com|5060 tcp|b.example.com|5070 *|c.example.com|0 ");
}

TEST_CASE("custom parameters", "[script][globals]")
{
    const Parsed parsed{
        "mine.a = 5 desc \"five\"\nmine.b = \"x\" descr \"text\"\nmine.c = \"y\"\nmine[3].a = 7\n"};
    REQUIRE(parsed.config);
    REQUIRE(parsed.config->globals.size() == 4);
    CHECK(parsed.config->globals[0].description == "five");
    CHECK(std::get<std::int64_t>(parsed.config->globals[0].value) == 5);
    CHECK(parsed.config->globals[3].instance == 3);
    CHECK(error_of("m.a = 1\nm.a = 2") == "2:1: variable cannot be declared: variable already exists: m.a");
    CHECK(error_of("m.a = 1\nm[1].a = \"x\"") == "2:1: variable cannot be declared: m.a has another type");
    CHECK(error_of("m.port = 1") == "1:3: syntax error: unexpected 'port'");
    CHECK(error_of("m.a = b") == "1:7: syntax error: unexpected 'b'");
    CHECK(Parsed{"kemi.received_route_callback = \"x\""}.warnings() ==
          "parameter kemi.received_route_callback has no effect");
}

TEST_CASE("flags have names", "[script][globals]")
{
    const Parsed parsed{
        "flags A, B:7, C\navpflags X\nroute { setflag(A); resetflag(B); isflagset(C); setflag(31); "
        "setavpflag($avp(y), X); }"};
    REQUIRE(parsed.first_error() == "");
    CHECK(fakes::print(parsed.config->routes[0].body) ==
          "setflag(0); resetflag(7); isflagset(1); setflag(31); setavpflag($avp(y), 0);");
    CHECK(error_of("flags A:32") == "1:9: bad flag value 32");
    CHECK(error_of("flags A, A") == "1:10: flag A already declared");
    CHECK(error_of("route { setflag(NAME); }") == "1:17: flag 'NAME' not declared");
    CHECK(error_of("route { setflag(32); }") == "1:17: bad flag value");
    CHECK(error_of("route { setflag($var(x)); }") == "1:17: bad flag value");
}

TEST_CASE("modules and their parameters", "[script][modules]")
{
    const Parsed parsed{
        "mpath \"/a:/b\"\nloadmodule \"xlog.so\"\n#!ifdef MOD_xlog\nloadmodule(\"tm\")\n#!endif\n"
        "loadmodule \"/x/htable.so\" loadmodule \"db_mysql\" loadmodule \"db_sqlite\"\n"
        "modparam(\"XLOG\", \"buf_size\", 0x1000)\nmodparam(\"xlog|sl\", \"prefix\", \"a\"\n \"b\")\n"
        "modparam(\"htable\", \"htable\", \"a=>size=8;\") modparam(\"htable\", \"htable\", \"b\")\n"
        "modparam(\"tm\", \"fr_timer\", -5) modparamx(\"tm\", \"fr_timer\", \"7\")\n"};
    REQUIRE(parsed.first_error() == "");
    std::string all;
    for (const ast::ModuleUse& use : parsed.config->modules) {
        all += use.name + "(";
        for (const ast::ModuleParam& p : use.params)
            all += format("{}={}{} ", p.name, p.integer ? "#" : "", p.value);
        all += ") ";
    }
    CHECK(all ==
          "xlog(buf_size=#4096 prefix=ab ) tm(fr_timer=#-5 fr_timer=#7 ) htable(htable=a=>size=8; htable=b ) "
          "db_mysql() db_sqlite() ");
    CHECK(parsed.loader.seen_paths == std::vector<std::string>{"/a", "/b"});

    const std::string xlog = "loadmodule \"xlog\" ";
    CHECK(error_of("loadmodule \"xlgo.so\"") == "1:12: failed to load module xlgo.so: no such module");
    CHECK(error_of(xlog + "loadmodule \"xlog.so\"") ==
          "1:30: attempting to load the same module twice (xlog)");
    // The type must match exactly (traps, 17).
    CHECK(error_of(xlog + "modparam(\"xlog\",\"buf_size\",\"4096\")") ==
          "1:46: parameter <buf_size> of type <string> not found in module <xlog>");
    CHECK(error_of(xlog + "modparam(\"xlog\",\"prefix\",5)") ==
          "1:44: parameter <prefix> of type <int> not found in module <xlog>");
    CHECK(error_of(xlog + "modparam(\"xlog\",\"bufsize\",5)") ==
          "1:35: parameter <bufsize> of type <int> not found in module <xlog>");
    // The pattern is anchored and ignores letter case (traps, 17).
    CHECK(error_of(xlog + "modparam(\"xlo\",\"buf_size\",5)") == "1:28: No module matching <xlo> found");
    CHECK(error_of(xlog + "modparam(\"XL.*\",\"buf_size\",5)") == "");
    CHECK(error_of(xlog + "modparam(\"(\",\"buf_size\",5)").starts_with("1:28: bad module pattern: "));
    CHECK(error_of("modparam(\"xlog\",\"buf_size\",5)\n" + xlog) == "1:10: No module matching <xlog> found");
    CHECK(error_of(xlog + "modparam(\"xlog\",\"buf_size\",2+3)") == "1:47: syntax error: unexpected '+'");
    CHECK(error_of(xlog + "modparam(\"xlog\",\"prefix\",$env(X))") ==
          "1:44: syntax error: unexpected '$env(X)'");
}

TEST_CASE("the command line comes before and after the file", "[script][modules]")
{
    LoadOptions options;
    options.defines = {{"WITH_A", ""}, {"LEVEL", "5"}};
    options.substdefs = {"!PLACE!berlin!g"};
    options.module_paths = {"/mine"};
    options.load_modules = {"xlog"};
    options.params = {{"xlog", "buf_size", "77", true}};
    options.listen = {"udp:127.0.0.1:5099"};
    options.aliases = {"a.example.com"};
    const Parsed parsed{"#!ifdef WITH_A\ndebug=LEVEL\n#!endif\nlog_name=\"in "
                        "PLACE\"\nmpath=\"/theirs\"\nlisten=udp:10.0.0.1:5060\n"
                        "loadmodule \"tm\"\nmodparam(\"xlog\", \"buf_size\", 1)",
                        options};
    REQUIRE(parsed.first_error() == "");
    CHECK(parsed.config->settings.debug == 5);
    CHECK(parsed.config->settings.log_name == "in berlin");
    CHECK(parsed.loader.seen_paths == std::vector<std::string>{"/mine"});
    CHECK(print(parsed.config->settings.listen.at(0)) == "udp|127.0.0.1|5099");
    CHECK(parsed.config->settings.listen.size() == 1);
    CHECK(parsed.config->settings.alias.size() == 1);
    CHECK(parsed.config->modules.at(0).params.back().value == "77");
    CHECK(parsed.config->defines.at("PLACE") == "berlin");

    // A define on both sides is fatal (traps, 27).
    LoadOptions twice;
    twice.defines = {{"X", "1"}};
    CHECK(Parsed{"#!define X 2\n", twice}.first_error() == "1:10: already defined: X");
    CHECK(Parsed{"#!trydef X 2\n", twice}.first_error() == "");
    twice.defines = {{"X", "1"}, {"X", "2"}};
    CHECK(Parsed{"", twice}.first_error() == "0:0: -A X: already defined: X");
    LoadOptions wrong;
    wrong.listen = {"nowhere:x:y"};
    wrong.params = {{"nosuch", "x", "y", false}};
    CHECK(Parsed{"", wrong}.diagnostics.report() ==
          "error: -l nowhere:x:y: bad address 'nowhere:x:y'\n"
          "error: No module matching <nosuch> found, expected a module that was loaded before\n"
          "ERROR: bad config file (2 errors)\n");
}

TEST_CASE("modparamx computes its value", "[script][modules]")
{
    ::setenv("SIPYARD_TEST_NAME", "4096", 1);
    const Parsed parsed{
        "#!define WHO me\nloadmodule \"xlog\"\nmodparamx(\"xlog\", \"buf_size\", $env(SIPYARD_TEST_NAME))\n"
        "modparamx(\"xlog\", \"prefix\", $def(WHO)) modparamx(\"xlog\", \"prefix\", "
        "\"x$env(SIPYARD_TEST_NAME)\")\n"
        "loadmodulex \"$envn(SIPYARD_NO_SUCH)tm\""};
    REQUIRE(parsed.first_error() == "");
    const auto& params = parsed.config->modules[0].params;
    CHECK(params[0].value == "4096");
    CHECK(params[0].integer);
    CHECK(params[1].value == "me");
    CHECK(params[2].value == "x4096");
    CHECK(parsed.config->modules[1].name == "tm");
}
