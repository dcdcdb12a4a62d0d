// core/script/parser.cpp - tokens for the parser, the command line, the top level of a file, routes
#include "core/script/parser.h"

#include "core/base/format.h"
#include "core/base/text.h"
#include "core/script/listen.h"
#include "core/script/parser_state.h"

#include <utility>

namespace sipyard::script {

namespace {

struct RouteWord {
    std::string_view word;
    Route kind;
    bool unnamed; // never takes [NAME]
};
constexpr RouteWord route_words[] = {
    {"request_route", Route::request, true},  {"route", Route::request, false},
    {"reply_route", Route::core_reply, true}, {"onreply_route", Route::tm_reply, false},
    {"failure_route", Route::failure, false}, {"branch_route", Route::branch, false},
    {"onsend_route", Route::onsend, false},   {"event_route", Route::event, false},
};

const RouteWord* route_word(const Token& token)
{
    for (const RouteWord& entry : route_words)
        if (token.is_id(entry.word))
            return &entry;
    return nullptr;
}

std::string_view block_word(Route kind)
{
    if (kind == Route::request)
        return "route";
    for (const RouteWord& entry : route_words)
        if (entry.kind == kind)
            return entry.word;
    return "route";
}

} // namespace

Parser::Parser(const LoadOptions& options, ModuleLoader& loader, Diagnostics& diagnostics)
    : options_{options}, loader_{loader}, diagnostics_{diagnostics},
      pre_{options.expand ? options.expand : Preprocessor::Expand{expand_environment}},
      lexer_{pre_, diagnostics, options.read ? options.read : Lexer::ReadFile{read_config_file}}
{
}

const Token& Parser::peek(std::size_t ahead)
{
    while (ahead_.size() <= ahead)
        ahead_.push_back(lexer_.next());
    return ahead_[ahead];
}

Token Parser::take()
{
    peek();
    Token token = std::move(ahead_.front());
    ahead_.pop_front();
    last_end_ = token.end;
    return token;
}

bool Parser::accept(std::string_view op)
{
    if (!peek().is(op))
        return false;
    take();
    return true;
}

bool Parser::accept_id(std::string_view word)
{
    if (!peek().is_id(word))
        return false;
    take();
    return true;
}

bool Parser::expect(std::string_view op)
{
    if (accept(op))
        return true;
    unexpected(format("'{}'", op));
    return false;
}

void Parser::unexpected(std::string_view expected)
{
    const Token& token = peek();
    // The end of the file is told once; after an unclosed string it is no news at all.
    if (token.is_end() && (std::exchange(end_told_, true) || lexer_.cut_short()))
        return;
    error(token.at, format("syntax error: unexpected {}", to_text(token)), std::string{expected});
}

void Parser::error(Position at, std::string message, std::string expected, std::string_view near)
{
    diagnostics_.error(at, std::move(message), std::move(expected), near);
}

bool Parser::too_deep(Position at)
{
    if (depth_ <= deepest)
        return false;
    error(at, format("blocks and parentheses are nested too deep, at most {} are allowed", deepest));
    return true;
}

// --- command line --------------------------------------------------------------------------------

void Parser::command_line_first()
{
    const Position nowhere{UINT32_MAX, 0, 0};
    const auto report = [&](const Result<void>& result, std::string_view option) {
        if (!result)
            error(nowhere, format("{}: {}", option, result.error().text));
    };
    for (const auto& [id, value] : options_.defines)
        report(pre_.define(id, value, Preprocessor::Existing::error), "-A " + id);
    for (const std::string& text : options_.substs)
        report(pre_.add_substitution(text, Preprocessor::AlsoDefine::no), "--subst");
    for (const std::string& text : options_.substdefs)
        report(pre_.add_substitution(text, Preprocessor::AlsoDefine::plain), "--substdef");
    for (const std::string& text : options_.substdefs_quoted)
        report(pre_.add_substitution(text, Preprocessor::AlsoDefine::quoted), "--substdefs");
    config_.module_paths = options_.module_paths;
    for (const std::string& file : options_.load_modules)
        load_module(file, nowhere);
    for (const std::string& text : options_.listen) {
        auto line = parse_listen_option(text);
        if (line)
            config_.settings.listen.push_back(std::move(line).value());
        else
            error(nowhere, format("-l {}: {}", text, line.error().text));
    }
    listen_from_command_line_ = !options_.listen.empty();
    for (const std::string& text : options_.aliases) {
        auto alias = parse_alias(text);
        if (alias)
            config_.settings.alias.push_back(std::move(alias).value());
        else
            error(nowhere, format("--alias {}: {}", text, alias.error().text));
    }
}

void Parser::command_line_last()
{
    const Position nowhere{UINT32_MAX, 0, 0};
    for (const LoadOptions::Param& param : options_.params) {
        GlobalValue value{!param.integer, 0, param.value};
        if (param.integer) {
            const auto number = parse_int(param.value);
            if (!number) {
                error(nowhere, format("--modparam={}:{}: '{}' is not a number", param.module, param.name,
                                      param.value));
                continue;
            }
            value.number = *number;
        }
        set_param(param.module, nowhere, param.name, nowhere, value, nowhere, false);
    }
}

// --- top level -----------------------------------------------------------------------------------

std::optional<ast::Config> Parser::run(std::string name, std::string text)
{
    config_.settings.config_file = name;
    command_line_first();
    lexer_.open(std::move(name), std::move(text));
    while (!peek().is_end())
        top_level_item();
    command_line_last();
    finish();
    if (diagnostics_.failed())
        return std::nullopt;
    return std::move(config_);
}

void Parser::top_level_item()
{
    const Token& token = peek();
    if (accept(";"))
        return;
    const Position at = token.at;
    const std::size_t errors_before = diagnostics_.errors();
    const auto recover_if_failed = [&] {
        if (diagnostics_.errors() != errors_before)
            recover_top_level(at);
    };
    if (token.kind != Token::Kind::id) {
        unexpected("a global parameter, a module or a route");
        take();
        return recover_top_level(at);
    }
    if (const RouteWord* word = route_word(token))
        return read_route(word->kind, word->unnamed);
    if (token.text == "loadmodule" || token.text == "loadmodulex")
        read_loadmodule(token.text == "loadmodulex");
    else if (token.text == "modparam" || token.text == "modparamx")
        read_modparam(token.text == "modparamx");
    else if (token.text == "flags" || token.text == "avpflags")
        read_flags(token.text == "flags" ? config_.flags : config_.avp_flags);
    else if (token.text == "coreparam")
        read_coreparam();
    else if (const GlobalParam* param = find_global(token.text))
        read_global(*param);
    else if (peek(1).is(".") || peek(1).is("["))
        read_custom_global();
    else
        read_unknown_global();
    recover_if_failed();
}

// Asked of the next token only. Names of parameters and blocks are names of functions too, hence the second
// look.
bool Parser::starts_top_level()
{
    const Token& token = peek();
    if (token.kind != Token::Kind::id)
        return false;
    if (route_word(token) != nullptr)
        return peek(1).is("[") || peek(1).is("{");
    if (token.text.starts_with("loadmodule") || token.text.starts_with("modparam"))
        return true;
    if (token.text == "flags" || token.text == "avpflags")
        return peek(1).kind == Token::Kind::id;
    return find_global(token.text) != nullptr && peek(1).is("=");
}

// Goes on at a word that begins something, on a later line than the mistake, outside of any braces.
void Parser::recover_top_level(Position after)
{
    std::size_t open = 0;
    while (!peek().is_end()) {
        const bool later = peek().at.file != after.file || peek().at.line != after.line;
        const bool assignment =
            peek().kind == Token::Kind::id && (peek(1).is("=") || (peek(1).is(".") && peek(3).is("=")));
        if (open == 0 && later && (assignment || starts_top_level()))
            return;
        if (peek().is("{"))
            ++open;
        else if (peek().is("}") && open != 0)
            --open;
        take();
    }
}

void Parser::read_flags(std::map<std::string, int>& into)
{
    take();
    do {
        if (peek().kind != Token::Kind::id || is_reserved(peek().text))
            return unexpected("a flag's name");
        const Token name = take();
        int number = -1;
        if (accept(":")) {
            const Position at = peek().at;
            const auto given = read_integer();
            if (!given)
                return error(at, "number expected", "0 to 31");
            if (*given < 0 || *given > 31)
                return error(at, format("bad flag value {}", *given), "0 to 31");
            number = static_cast<int>(*given);
        } else {
            // The lowest number nobody has.
            for (int candidate = 0; candidate < 32 && number < 0; ++candidate) {
                bool used = false;
                for (const auto& [other, value] : into)
                    used = used || value == candidate;
                number = used ? -1 : candidate;
            }
            if (number < 0)
                return error(name.at, format("no number is left for flag {}", name.text), "at most 32 flags");
        }
        if (!into.emplace(name.text, number).second)
            error(name.at, format("flag {} already declared", name.text));
    } while (accept(","));
}

void Parser::finish() { config_.defines = pre_.defines(); }

// --- routes --------------------------------------------------------------------------------------

void Parser::read_route(Route kind, bool unnamed)
{
    const Token word = take();
    std::string name = "0";
    if (peek().is("[")) {
        if (unnamed) {
            unexpected("'{'");
            return recover_top_level(word.at);
        }
        take();
        auto given = kind == Route::event ? read_event_name() : read_route_name(kind);
        if (!given || !expect("]"))
            return recover_top_level(word.at);
        name = std::move(*given);
    } else if (kind == Route::event) {
        unexpected("'[' and the event's name");
        return recover_top_level(word.at);
    }
    // The unnamed onreply_route is the core's, run for every reply.
    if (kind == Route::tm_reply && name == "0")
        kind = Route::core_reply;

    ast::RouteBlock* block = nullptr;
    for (ast::RouteBlock& known : config_.routes)
        if (known.kind == kind && known.name == name)
            block = &known;
    if (block != nullptr && name != "0")
        error(word.at, format("{}[{}] is already defined at {}:{}", block_word(kind), name,
                              diagnostics_.file_name(block->at.file), block->at.line));
    block_ = kind;
    depth_ = block_values_ = in_args_ = 0;
    ast::Block body;
    if (!read_block(body))
        return recover_top_level(word.at);
    if (block == nullptr)
        config_.routes.push_back({kind, std::move(name), word.at, std::move(body)});
    else
        for (ast::Statement& statement : body)
            block->body.push_back(std::move(statement));
}

std::optional<std::string> Parser::read_route_name(Route kind)
{
    const Token& token = peek();
    const bool word = token.kind == Token::Kind::id && !is_reserved(token.text);
    if (word || token.kind == Token::Kind::number || token.kind == Token::Kind::string) {
        if (token.text.empty()) {
            error(token.at, "a route needs a name");
            return std::nullopt;
        }
        const Token name = take();
        return name.kind == Token::Kind::number ? std::to_string(name.number) : name.text;
    }
    if (token.kind == Token::Kind::id)
        error(token.at, format("syntax error: '{}' is a reserved word", token.text),
              format("a name or a \"quoted name\" for the {}", block_word(kind)));
    else
        unexpected("a route's name");
    return std::nullopt;
}

// [A-Za-z][0-9A-Za-z_-]*(:[A-Za-z][0-9A-Za-z_-]*)+ - written without blanks. Kamailio has no '_' before the
// first colon, but modules have it in their names: xcap_server:changed.
std::optional<std::string> Parser::read_event_name()
{
    const Position at = peek().at;
    std::string name;
    if (peek().kind == Token::Kind::string) {
        name = take().text;
    } else {
        while (!peek().is("]") && !peek().is_end() && (name.empty() || peek().glued))
            name += take().text;
    }
    std::size_t pieces = 0;
    bool good = true;
    for (const std::string_view piece : split(name, ':')) {
        good = good && !piece.empty() && is_alpha(piece.front());
        for (const char c : piece)
            good = good && (is_alnum(c) || c == '-' || c == '_');
        ++pieces;
    }
    if (good && pieces >= 2)
        return name;
    error(at, format("syntax error: '{}' is no event name", std::string_view{name}.substr(0, 80)),
          "module:event");
    return std::nullopt;
}

// --- entry points --------------------------------------------------------------------------------

std::optional<ast::Config> parse_text(std::string_view text, std::string name, const LoadOptions& options,
                                      ModuleLoader& loader, Diagnostics& diagnostics)
{
    return Parser{options, loader, diagnostics}.run(std::move(name), std::string{text});
}

std::optional<ast::Config> parse_config(const std::string& path, const LoadOptions& options,
                                        ModuleLoader& loader, Diagnostics& diagnostics)
{
    auto text = options.read ? options.read(path) : read_config_file(path);
    if (!text) {
        diagnostics.error({UINT32_MAX, 0, 0}, text.error().text);
        return std::nullopt;
    }
    return parse_text(*text, path, options, loader, diagnostics);
}

} // namespace sipyard::script
