// core/script/parser_call.cpp - calls of module functions, core functions and routes (spec/script 13, 14)
#include "core/base/format.h"
#include "core/base/text.h"
#include "core/script/listen.h"
#include "core/script/parser_state.h"

#include <algorithm>
#include <set>

namespace sipyard::script {

using namespace ast;

namespace {

constexpr Route all_routes[] = {Route::request,    Route::failure, Route::branch, Route::tm_reply,
                                Route::core_reply, Route::onsend,  Route::event};

std::string_view block_name(Route route)
{
    switch (route) {
    case Route::request: return "request_route";
    case Route::failure: return "failure_route";
    case Route::branch: return "branch_route";
    case Route::tm_reply: return "onreply_route[...]";
    case Route::core_reply: return "reply_route";
    case Route::onsend: return "onsend_route";
    case Route::event: return "event_route";
    case Route::local: break;
    }
    return "a local route";
}

std::string argument_count(std::size_t least, std::size_t most)
{
    if (most == 0)
        return "no argument";
    if (least == most)
        return format("{} argument{}", most, most == 1 ? "" : "s");
    return format("{} to {} arguments", least, most);
}

} // namespace

std::optional<Parser::AnyCall> Parser::read_call()
{
    const Token& name = peek();
    if (in_args_ > 0) {
        error(name.at, format("use of function execution inside params not allowed: {}", name.text),
              "the call before, its result in a variable");
        return std::nullopt;
    }
    if (name.text == "route")
        return read_route_call();
    if (const CoreSpec* spec = find_core_function(name.text))
        return read_core_call(*spec);
    return read_module_call();
}

// The mask names the blocks by their text; an event route counts as request route too (spec/script 9).
bool Parser::check_block(RouteMask mask, const Token& name)
{
    if (mask.has(block_) || (block_ == Route::event && mask.has(Route::request)))
        return true;
    std::string allowed;
    for (const Route route : all_routes)
        if (mask.has(route))
            allowed += (allowed.empty() ? "" : ", ") + std::string{block_name(route)};
    error(name.at, format("misused command {}: Command cannot be used in the block", name.text), allowed);
    return false;
}

std::optional<Parser::AnyCall> Parser::read_route_call()
{
    take();
    if (!expect("("))
        return std::nullopt;
    RouteCall call;
    const Token& token = peek();
    if (token.kind == Token::Kind::id && peek(1).is(")")) {
        if (is_reserved(token.text)) {
            error(token.at, format("syntax error: '{}' is a reserved word", token.text),
                  "a route's name or \"quoted name\"");
            return std::nullopt;
        }
        call.constant = take().text;
    } else {
        ++in_args_;
        auto name = read_expression();
        --in_args_;
        if (!name)
            return std::nullopt;
        if (const auto* number = std::get_if<Number>(&name->node))
            call.constant = std::to_string(number->value);
        else if (const auto* text = std::get_if<String>(&name->node))
            call.constant = text->text;
        else
            call.name = std::move(name);
    }
    if (!expect(")"))
        return std::nullopt;
    return call;
}

// --- core functions ------------------------------------------------------------------------------

std::optional<Parser::AnyCall> Parser::read_core_call(const CoreSpec& spec)
{
    const Token name = take();
    if (!check_block(spec.routes, name))
        return std::nullopt;
    CoreCall call{spec.function, {}};
    if (!peek().is("(")) {
        if (spec.bare)
            return call;
        unexpected("'('");
        return std::nullopt;
    }
    take();
    ++in_args_;
    bool good = true;
    // log("text") and log(level, "text"): the optional one stands in front.
    const bool log_without_level =
        spec.function == CoreFunction::log && (peek().kind == Token::Kind::string || peek().is(")"));
    const std::size_t skipped = log_without_level ? 1 : 0;
    for (std::size_t i = skipped; good && !peek().is(")") && i < spec.args.size(); ++i) {
        if (i > skipped)
            good = expect(",");
        ExpressionPtr arg = good ? read_core_arg(spec.args[i]) : nullptr;
        good = arg != nullptr;
        if (good)
            call.args.push_back(std::move(arg));
    }
    --in_args_;
    if (!good)
        return std::nullopt;
    const std::size_t most = spec.args.size() - skipped;
    const std::size_t least = spec.function == CoreFunction::log && !log_without_level ? 2 : spec.least;
    if (call.args.size() < least || (peek().is(",") && call.args.size() == most)) {
        error(name.at, format("bad arguments for {}", name.text),
              argument_count(spec.least, spec.args.size()));
        return std::nullopt;
    }
    if (!expect(")"))
        return std::nullopt;
    return call;
}

ExpressionPtr Parser::read_core_arg(CoreArg kind)
{
    const Token& token = peek();
    const Position at = token.at;
    const auto as_text = [&](std::string text) {
        return make_expression(String{std::move(text), String::Quotes::none}, at, Type::text);
    };
    switch (kind) {
    case CoreArg::flag: return read_flag(config_.flags);
    case CoreArg::avp_flag: return read_flag(config_.avp_flags);
    case CoreArg::protocol:
        for (const char* word : {"udp", "tcp", "tls", "sctp"})
            if (token.kind == Token::Kind::id && iequals(token.text, word))
                return as_text(lower(take().text));
        unexpected("udp, tcp, tls or sctp");
        return nullptr;
    case CoreArg::host:
    case CoreArg::socket:
    case CoreArg::port: {
        // uri:host and uri:port mean the request URI's
        if (token.is_id("uri") && peek(1).is(":") && (peek(2).is_id("host") || peek(2).is_id("port"))) {
            take();
            take();
            return as_text("uri:" + take().text);
        }
        if (kind == CoreArg::port)
            break;
        if (token.kind == Token::Kind::string || !at_address())
            break;
        std::string text = read_address_text(false);
        const auto parsed = parse_socket(text);
        if (!parsed) {
            error(at, parsed.error().text, kind == CoreArg::host ? "a host" : "[proto:]host[:port]");
            return nullptr;
        }
        return as_text(std::move(text));
    }
    case CoreArg::text:
    case CoreArg::number:
    case CoreArg::avp:
    case CoreArg::word: break;
    }
    auto value = read_expression();
    if (!value || kind == CoreArg::word)
        return value;
    const auto* number = std::get_if<Number>(&value->node);
    const bool wants_number = kind == CoreArg::number || kind == CoreArg::port;
    if (kind == CoreArg::avp) {
        const auto* variable = std::get_if<Variable>(&value->node);
        if (variable && (variable->text.starts_with("$avp(") || variable->text.starts_with("$(avp(")))
            return value;
        error(at, "an avp expected", "$avp(name)");
        return nullptr;
    }
    if (wants_number && number && number->value >= 0 && (kind != CoreArg::port || number->value <= 65'535))
        return value;
    if (!wants_number && std::holds_alternative<String>(value->node))
        return value;
    error(at, wants_number ? "number expected" : "string value expected",
          wants_number ? "a constant that is not negative" : "a constant");
    return nullptr;
}

// 0 to 31 or a name that was declared
ExpressionPtr Parser::read_flag(const std::map<std::string, int>& names)
{
    const Token token = peek();
    if (token.kind == Token::Kind::id || token.kind == Token::Kind::string) {
        const auto found = names.find(token.text);
        if (found != names.end()) {
            take();
            return make_expression(Number{found->second}, token.at, Type::integer);
        }
        std::vector<std::string_view> known;
        for (const auto& [name, number] : names)
            known.push_back(name);
        error(token.at, format("flag '{}' not declared", token.text), "0 to 31 or a declared flag",
              nearest(token.text, known));
        return nullptr;
    }
    auto value = read_expression();
    if (!value)
        return nullptr;
    const auto* number = std::get_if<Number>(&value->node);
    if (number && number->value >= 0 && number->value <= 31)
        return value;
    error(token.at, "bad flag value", "a constant of 0 to 31 or a declared flag");
    return nullptr;
}

// --- module functions ----------------------------------------------------------------------------

std::optional<std::vector<ExpressionPtr>> Parser::read_args()
{
    std::vector<ExpressionPtr> args;
    ++in_args_;
    bool good = true;
    while (good && !peek().is(")")) {
        if (!args.empty())
            good = expect(",");
        ExpressionPtr arg = good ? read_expression() : nullptr;
        good = arg != nullptr;
        if (good)
            args.push_back(std::move(arg));
        if (good && !peek().is(",") && !peek().is(")")) {
            unexpected("',' or ')'");
            good = false;
        }
    }
    --in_args_;
    if (!good || !expect(")"))
        return std::nullopt;
    return args;
}

std::optional<Parser::AnyCall> Parser::read_module_call()
{
    const Token name = take();
    if (!peek().is("(")) {
        // Module functions always have parentheses; without them it is not even known to be a call.
        unknown_command(name, 0, false);
        return std::nullopt;
    }
    take();
    auto args = read_args();
    if (!args)
        return std::nullopt;
    for (std::size_t i = 0; i < config_.modules.size(); ++i) {
        for (const FunctionSpec& function : config_.modules[i].manifest->functions) {
            if (function.name != name.text || args->size() < function.least ||
                args->size() > function.args.size())
                continue;
            if (!check_block(function.routes, name))
                return std::nullopt;
            return Call{&function, i, name.text, std::move(*args)};
        }
    }
    unknown_command(name, args->size(), true);
    return std::nullopt;
}

void Parser::unknown_command(const Token& name, std::size_t args, bool with_args)
{
    std::vector<std::string_view> known;
    std::set<std::string> counts;
    for (const ModuleUse& use : config_.modules) {
        for (const FunctionSpec& function : use.manifest->functions) {
            known.push_back(function.name);
            if (function.name == name.text)
                counts.insert(argument_count(function.least, function.args.size()));
        }
    }
    std::string expected;
    for (const std::string& count : counts)
        expected += (expected.empty() ? "" : " or ") + count;
    if (!with_args) {
        if (!counts.empty())
            return error(peek().at, format("syntax error: unexpected {}", to_text(peek())),
                         "'(' after a function's name");
        for (const CoreSpec& spec : core_functions())
            for (std::string_view rest = spec.names; !rest.empty();)
                known.push_back(cut(rest, '|'));
        return error(name.at, format("unknown command {}, missing loadmodule?", name.text), "a statement",
                     nearest(name.text, known));
    }
    const std::string exporter = counts.empty() ? loader_.exporter_of(name.text) : std::string{};
    if (!exporter.empty())
        expected = format("loadmodule \"{}.so\" before the route", exporter);
    for (const CoreSpec& spec : core_functions())
        for (std::string_view rest = spec.names; !rest.empty();)
            known.push_back(cut(rest, '|'));
    error(name.at,
          format("failed to find command {} (params {}): unknown command, missing loadmodule?", name.text,
                 args),
          expected, counts.empty() && exporter.empty() ? nearest(name.text, known) : std::string_view{});
}

} // namespace sipyard::script
