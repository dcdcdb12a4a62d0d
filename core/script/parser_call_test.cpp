// core/script/parser_call_test.cpp - calls: lookup, arguments, blocks (spec/script 9, 13, 14)
#include "core/script/parser_fakes.h"

#include "test/support/catch.h"

using namespace sipyard;
using namespace sipyard::script;
using fakes::Parsed;
using fakes::print;

namespace {

const char* const modules =
    "loadmodule \"xlog\" loadmodule \"textops\" loadmodule \"tm\" loadmodule \"sl\"\n";

std::string body(const std::string& text, const std::string& block = "route")
{
    const Parsed parsed{modules + block + " {\n" + text + "\n}\n"};
    return parsed.config ? print(parsed.config->routes.front().body) : "error " + parsed.first_error();
}

} // namespace

TEST_CASE("functions are found by name and number of arguments", "[script][call]")
{
    const Parsed parsed{
        std::string{modules} +
        "route { xlog(\"a\"); xlog(\"L_INFO\", \"b\"); xlog(\"f\", \"L_INFO\", \"c\"); t_relay(); }"};
    REQUIRE(parsed.config);
    const auto& statements = parsed.config->routes[0].body;
    for (std::size_t i = 0; i < 3; ++i) {
        const auto& call = std::get<ast::Call>(statements[i].node);
        CHECK(call.function->args.size() == i + 1);
        CHECK(parsed.config->modules[call.module].name == "xlog");
    }
    CHECK(parsed.config->modules[std::get<ast::Call>(statements[3].node).module].name == "tm");
    CHECK(body("t_relay(\"x\" + $ru, 5);") == "t_relay((+ \"x\" $ru), 5);");

    const struct {
        const char* story;
        const char* text;
        const char* error;
        const char* expected;
        const char* near;
    } rows[] = {
        {"another number of arguments", "t_newtran(1);",
         "3:1: failed to find command t_newtran (params 1): unknown command, missing loadmodule?",
         "no argument", ""},
        {"a misspelt name", "t_rely();",
         "3:1: failed to find command t_rely (params 0): unknown command, missing loadmodule?", "",
         "t_relay"},
        {"a module that is not loaded", "pv_printf(\"$var(x)\", \"y\");",
         "3:1: failed to find command pv_printf (params 2): unknown command, missing loadmodule?",
         "loadmodule \"pv.so\" before the route", ""},
        {"a call in an argument", "xlog(is_method(\"INVITE\"));",
         "3:6: use of function execution inside params not allowed: is_method",
         "the call before, its result in a variable", ""},
        {"even of a core function", "xlog(isflagset(1));",
         "3:6: use of function execution inside params not allowed: isflagset",
         "the call before, its result in a variable", ""},
        {"a bare word", "is_method(INVITE);", "3:11: syntax error: unexpected 'INVITE'",
         "a value; a text stands in quotes", ""},
        {"no comma", "xlog(\"a\" $b);", "3:10: syntax error: unexpected '$b'", "',' or ')'", ""},
        {"no argument after the comma", "xlog(\"a\",);", "3:10: syntax error: unexpected ')'",
         "an expression", ""},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const Parsed wrong{std::string{modules} + "route {\n" + row.text + "\n}\n"};
        CHECK(wrong.first_error() == row.error);
        CHECK(wrong.diagnostics.all().front().expected == row.expected);
        CHECK(wrong.diagnostics.all().front().nearest == row.near);
    }
}

TEST_CASE("the block's text decides where a function may stand (traps, 30)", "[script][call]")
{
    const char* misused = "error 3:1: misused command t_relay: Command cannot be used in the block";
    CHECK(body("t_relay();") == "t_relay();");
    CHECK(body("t_relay();", "route[X]") == "t_relay();"); // even if a branch_route calls it
    CHECK(body("t_relay();", "failure_route[X]") == "t_relay();");
    CHECK(body("t_relay();", "event_route[a:b]") == "t_relay();"); // counts as request route too
    CHECK(body("t_relay();", "branch_route[X]") == misused);
    CHECK(body("t_relay();", "onreply_route[X]") == misused);
    CHECK(body("t_relay();", "reply_route") == misused);
    CHECK(body("t_relay();", "onsend_route") == misused);
    CHECK(body("rewriteuri(\"sip:a@b\");", "onsend_route") ==
          "error 3:1: misused command rewriteuri: Command cannot be used in the block");
    CHECK(body("setflag(1); log(\"x\"); drop;", "onsend_route") == "setflag(1); log(\"x\"); drop;");
}

TEST_CASE("core functions", "[script][call]")
{
    const struct {
        const char* text;
        const char* tree;
    } rows[] = {
        {"forward();", "forward();"},
        {"forward(10.0.0.1, 5060);", "forward(`10.0.0.1`, 5060);"},
        {"forward_tcp(\"gw.example.com\");", "forward_tcp(\"gw.example.com\");"},
        {"forward(uri:host, uri:port);", "forward(`uri:host`, `uri:port`);"},
        {"forward(my-gw.example.com);", "forward(`my-gw.example.com`);"},
        {"log(\"a\"); log(2, \"b\");", "log(\"a\"); log(2, \"b\");"},
        {"seturi(\"sip:a@b\"); sethp(\"b:5\"); setup(\"a:b\");",
         "rewriteuri(\"sip:a@b\"); rewritehostport(\"b:5\"); rewriteuserpass(\"a:b\");"},
        {"prefix(\"00\"); strip(2); strip_tail(1 + 1); userphone();",
         "prefix(\"00\"); strip(2); strip_tail(2); userphone();"},
        {"remove_branch(); remove_branch($var(i)); clear_branches();",
         "remove_branch(); remove_branch($var(i)); clear_branches();"},
        {"add_rport(); add_tcp_alias(5061); force_tcp_alias;",
         "force_rport(); force_tcp_alias(5061); force_tcp_alias();"},
        {"udp_mtu_try_proto(TLS); set_advertised_address(1.2.3.4); set_advertised_port(5);",
         "udp_mtu_try_proto(`tls`); set_advertised_address(`1.2.3.4`); set_advertised_port(5);"},
        {"force_send_socket(udp:10.0.0.1:5060); force_send_socket([::1]:5);",
         "force_send_socket(`udp:10.0.0.1:5060`); force_send_socket(`[::1]:5`);"},
        {"cfg_select(\"g\", $var(i)); cfg_reset(\"g\");", "cfg_select(\"g\", $var(i)); cfg_reset(\"g\");"},
        {"error(\"a\", \"b\"); exec(\"c\");", "error(\"a\", \"b\"); exec(\"c\");"},
    };
    for (const auto& row : rows) {
        INFO(row.text);
        CHECK(body(row.text) == row.tree);
    }
    const struct {
        const char* text;
        const char* error;
    } wrong[] = {
        {"log(-1, \"x\");", "3:5: number expected"},
        {"log();", "3:1: bad arguments for log"},
        {"strip($var(n));", "3:7: number expected"},
        {"prefix($var(n));", "3:8: string value expected"},
        {"setflag();", "3:1: bad arguments for setflag"},
        {"setflag(1, 2);", "3:1: bad arguments for setflag"},
        {"forward(10.0.0.1, 70000);", "3:19: number expected"},
        {"udp_mtu_try_proto(http);", "3:19: syntax error: unexpected 'http'"},
        {"setavpflag($var(x), 1);", "3:12: an avp expected"},
        {"strip;", "3:6: syntax error: unexpected ';'"},
        {"forward(10.0.0.300);", "3:9: bad address '10.0.0.300'"},
        {"revert_uri(1);", "3:12: syntax error: unexpected '1'"},
    };
    for (const auto& row : wrong) {
        INFO(row.text);
        CHECK(body(row.text) == "error " + std::string{row.error});
    }
}

TEST_CASE("the table of core functions is in the order of its names", "[script][call]")
{
    std::size_t i = 0;
    for (const CoreSpec& spec : core_functions()) {
        INFO(spec.names);
        CHECK(static_cast<std::size_t>(spec.function) == i++);
        CHECK(spec.names.starts_with(to_text(spec.function)));
    }
    CHECK(find_core_function("seth")->function == CoreFunction::rewritehost);
    CHECK(find_core_function("nosuch") == nullptr);
}
