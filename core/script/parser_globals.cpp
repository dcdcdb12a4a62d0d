// core/script/parser_globals.cpp - assignments at the top level: global and custom parameters (spec/script 5,
// 7)
#include "core/base/format.h"
#include "core/base/text.h"
#include "core/script/parser_state.h"

namespace sipyard::script {

namespace {

bool is_protocol_word(const Token& token)
{
    return token.kind == Token::Kind::id && (iequals(token.text, "udp") || iequals(token.text, "tcp") ||
                                             iequals(token.text, "tls") || iequals(token.text, "sctp"));
}

} // namespace

// A number with an optional sign, or a boolean word. Takes nothing when there is none.
std::optional<std::int64_t> Parser::read_integer()
{
    if (peek().kind == Token::Kind::number)
        return take().number;
    if (peek().kind == Token::Kind::id) {
        const int word = boolean_word(peek().text);
        if (word < 0)
            return std::nullopt;
        take();
        return word;
    }
    if ((peek().is("-") || peek().is("+")) && peek(1).kind == Token::Kind::number) {
        const bool negative = take().text == "-";
        const std::int64_t number = take().number;
        return negative ? -number : number;
    }
    return std::nullopt;
}

void Parser::read_global(const GlobalParam& param)
{
    if (param.type == GlobalParam::Type::paths)
        return read_paths();
    const Token name = take();
    // `cfgengine "native"` is written without it as well.
    if (!accept("=") && (first_name(param) != "cfgengine" || peek().kind != Token::Kind::string)) {
        unexpected("'='");
        return;
    }
    if (param.type == GlobalParam::Type::sockets) {
        if (first_name(param) == "listen")
            return read_listen();
        return first_name(param) == "socket" ? read_socket() : read_aliases();
    }
    const Position at = peek().at;
    if (const auto value = read_global_value(param))
        store_global(param, *value, at);
}

std::optional<GlobalValue> Parser::read_global_value(const GlobalParam& param)
{
    using Type = GlobalParam::Type;
    const Position at = peek().at;
    const bool quoted = peek().kind == Token::Kind::string;
    const bool bare = peek().kind == Token::Kind::id;
    const auto wrong = [&](const char* message) -> std::optional<GlobalValue> {
        error(at, format("{} for {}, found {}", message, first_name(param), to_text(peek())));
        if (!peek().is_end() && !starts_top_level())
            take(); // so that the next parameter is looked at
        return std::nullopt;
    };
    switch (param.type) {
    case Type::integer:
    case Type::boolean:
        if (const auto number = read_integer())
            return GlobalValue{false, *number, {}};
        return wrong(param.type == Type::integer ? "number expected" : "boolean value expected");
    case Type::any:
        if (const auto number = read_integer())
            return GlobalValue{false, *number, {}};
        [[fallthrough]];
    case Type::text:
        if (quoted)
            return GlobalValue{true, 0, take().text};
        return wrong(param.type == Type::any ? "number or string expected" : "string value expected");
    case Type::text_or_id:
        if (quoted || bare)
            return GlobalValue{true, 0, take().text};
        return wrong("string value expected");
    case Type::id:
        if (bare)
            return GlobalValue{true, 0, take().text};
        return wrong("ID expected");
    case Type::protocol:
        if (is_protocol_word(peek()))
            return GlobalValue{true, 0, lower(take().text)};
        return wrong("a protocol (udp, tcp, tls, sctp) expected");
    case Type::host: {
        if (quoted)
            return GlobalValue{true, 0, take().text};
        if (!at_address())
            return wrong("an address or a host name expected");
        return GlobalValue{true, 0, read_address_text(false)};
    }
    case Type::sockets:
    case Type::paths: break;
    }
    return std::nullopt;
}

void Parser::store_global(const GlobalParam& param, const GlobalValue& value, Position at)
{
    const std::string name{first_name(param)};
    if (name == "socket_workers")
        next_socket_workers_ = static_cast<int>(value.number);
    if (const auto stored = apply_global(param, value, config_.settings); !stored)
        return error(at, stored.error().text);
    if (param.effect == GlobalParam::Effect::none && !(param.met && param.met(value)))
        diagnostics_.warn(
            at, format("parameter {} has no effect{}{}", name, param.why.empty() ? "" : ": ", param.why));
    config_.others[name] = value.is_text ? value.text : std::to_string(value.number);
}

// coreparam[name] = v, coreparam["name"] = v: the indirect form of the same list.
void Parser::read_coreparam()
{
    take();
    if (!expect("["))
        return;
    if (peek().kind != Token::Kind::id && peek().kind != Token::Kind::string)
        return unexpected("a global parameter's name");
    const Token name = take();
    const GlobalParam* param = find_global(name.text);
    if (param == nullptr)
        return error(name.at, format("unknown config variable {}", name.text), {},
                     nearest(name.text, global_names()));
    if (param->type == GlobalParam::Type::sockets || param->type == GlobalParam::Type::paths)
        return error(name.at, format("coreparam cannot set {}", name.text), format("{} = ...", name.text));
    if (!expect("]") || !expect("="))
        return;
    const Position at = peek().at;
    if (const auto value = read_global_value(*param))
        store_global(*param, *value, at);
}

void Parser::read_unknown_global()
{
    const Token name = take();
    if (!peek().is("=")) {
        std::vector<std::string_view> words = global_names();
        for (const char* word : {"loadmodule", "modparam", "route", "request_route", "reply_route",
                                 "onreply_route", "failure_route", "branch_route", "event_route",
                                 "onsend_route", "include_file", "import_file", "flags", "loadpath"})
            words.push_back(word);
        return error(name.at, format("syntax error: unexpected {}", to_text(name)),
                     "a global parameter, a module or a route", nearest(name.text, words));
    }
    take();
    error(name.at, format("unknown config variable {}", name.text), {}, nearest(name.text, global_names()));
    // Its value, so that what follows on the same line is still looked at.
    if (!read_integer() && (peek().kind == Token::Kind::string || peek().kind == Token::Kind::id))
        if (!starts_top_level())
            take();
}

// group.name = value desc "..." ; group[id].name = value (spec/script 7)
void Parser::read_custom_global()
{
    const Token group = take();
    if (group.text == "kemi" && peek().is(".")) {
        // Callbacks of other script engines: accepted, there is none here.
        take();
        if (peek().kind != Token::Kind::id)
            return unexpected("a callback's name");
        const Token name = take();
        if (!expect("="))
            return;
        if (peek().kind != Token::Kind::string)
            return error(peek().at, "string value expected");
        take();
        return diagnostics_.warn(name.at, format("parameter kemi.{} has no effect", name.text));
    }
    ast::CustomGlobal global;
    global.group = group.text;
    global.at = group.at;
    if (accept("[")) {
        const Position at = peek().at;
        global.instance = read_integer();
        if (!global.instance)
            return error(at, "number expected", "the group instance's number");
        if (!expect("]"))
            return;
    }
    if (!expect("."))
        return;
    const bool is_name =
        peek().kind == Token::Kind::id && (!is_reserved(peek().text) || peek().text == "default");
    if (!is_name)
        return unexpected("the parameter's name");
    global.name = take().text;
    if (!expect("="))
        return;
    if (const auto number = read_integer())
        global.value = *number;
    else if (peek().kind == Token::Kind::string)
        global.value = take().text;
    else
        return unexpected("a number or a string");
    if (accept_id("desc") || accept_id("descr") || accept_id("description")) {
        if (peek().kind != Token::Kind::string)
            return error(peek().at, "string value expected", "the description");
        global.description = take().text;
    }
    const ast::CustomGlobal* declared = nullptr;
    for (const ast::CustomGlobal& known : config_.globals) {
        if (known.group != global.group || known.name != global.name)
            continue;
        if (known.instance == global.instance)
            return error(global.at, format("variable cannot be declared: variable already exists: {}.{}",
                                           global.group, global.name));
        declared = &known;
    }
    // The first value fixes the type.
    if (declared != nullptr && declared->value.index() != global.value.index())
        return error(global.at,
                     format("variable cannot be declared: {}.{} has another type", global.group, global.name),
                     declared->value.index() == 0 ? "a number" : "a string");
    config_.globals.push_back(std::move(global));
}

// mpath "a:b", loadpath = "a:b". -L on the command line wins.
void Parser::read_paths()
{
    take();
    accept("=");
    if (peek().kind != Token::Kind::string)
        return error(peek().at, "string value expected", "module folders separated by ':'");
    const Token paths = take();
    if (!options_.module_paths.empty())
        return;
    config_.module_paths.clear();
    for (const std::string_view path : split(paths.text, ':'))
        if (!path.empty())
            config_.module_paths.emplace_back(path);
}

} // namespace sipyard::script
