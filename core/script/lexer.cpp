// core/script/lexer.cpp - tokens: strings, variables, numbers, operators; defines are expanded here
#include "core/script/lexer.h"

#include "core/base/format.h"
#include "core/base/text.h"
#include "core/script/globals.h"

#include <array>
#include <utility>

namespace sipyard::script {

namespace {

constexpr std::size_t most_expansions = 4096; // without a character of a file between them

bool is_word(int c) { return c >= 0 && (is_alnum(static_cast<char>(c)) || c == '_'); }
bool is_word_start(int c) { return c >= 0 && (is_alpha(static_cast<char>(c)) || c == '_'); }
bool is_octal(int c) { return c >= '0' && c <= '7'; }
bool is_line_blank(int c) { return c == ' ' || c == '\t' || c == '\r' || c == '\b'; }

constexpr std::array operators = {
    std::string_view{"(int)"}, std::string_view{"(str)"}, std::string_view{"||"}, std::string_view{"&&"},
    std::string_view{"=="},    std::string_view{"!="},    std::string_view{"=~"}, std::string_view{"<="},
    std::string_view{">="},    std::string_view{"<<"},    std::string_view{">>"},
};
constexpr std::string_view single_operators = "|&^<>+-*/!~=(){}[];,:.";

} // namespace

Lexer::Lexer(Preprocessor& preprocessor, Diagnostics& diagnostics, ReadFile read)
    : pre_{preprocessor}, diagnostics_{diagnostics}, read_{std::move(read)}, source_{diagnostics}
{
}

void Lexer::open(std::string name, std::string text) { source_.enter(std::move(name), std::move(text)); }

Token Lexer::next()
{
    for (;;) {
        Token token;
        if (!pass_blanks()) {
            token.at = token.end = source_.here();
            return token;
        }
        if (!source_.in_pushed())
            expansions_ = 0;
        const int c = source_.peek();
        const bool glued = std::exchange(glued_, true);
        const Position at = source_.here();
        if (is_word_start(c)) {
            token.kind = Token::Kind::id;
            token.text = identifier();
        } else if (c == '"' || c == '\'') {
            token = read_string(Join::over_lines);
        } else if (c == '$') {
            token = read_variable();
        } else if (c == '@') {
            token = read_select();
        } else if (c >= '0' && c <= '9') {
            token = read_number();
        } else {
            token = read_operator();
            if (token.text.empty())
                continue;
        }
        token.at = at;
        token.end = source_.before();
        token.glued = glued;
        if (token.kind == Token::Kind::id) {
            if (token.text == "include_file" || token.text == "import_file") {
                include(token.text, at, token.text == "include_file");
                glued_ = false;
                continue;
            }
            if (expand(token)) {
                glued_ = glued;
                continue;
            }
        }
        return token;
    }
}

// Keywords and parameter names are words of the language and stay; every other name may be a define.
bool Lexer::expand(const Token& id)
{
    if (is_reserved(id.text))
        return false;
    const auto value = pre_.value(id.text);
    if (!value)
        return false;
    if (++expansions_ > most_expansions || !source_.push(*value, id.at)) {
        if (expansions_ != 0 && expansions_ <= most_expansions + 1)
            diagnostics_.error(id.at, format("define {} expands without end", id.text));
        return false;
    }
    return true;
}

std::string Lexer::identifier()
{
    std::string name;
    while (is_word(source_.peek()))
        name += static_cast<char>(source_.next());
    return name;
}

// --- strings -------------------------------------------------------------------------------------

// Adjacent "..." with only blanks and line ends between them are one string; '...' never joins.
Token Lexer::read_string(Join join)
{
    Token token;
    token.kind = Token::Kind::string;
    if (source_.peek() == '\'') {
        const Position start = source_.here();
        source_.next();
        token.quotes = ast::String::Quotes::single;
        while (source_.peek() != '\'' && source_.peek() != Source::end)
            token.text += static_cast<char>(source_.next());
        if (source_.next() == Source::end) {
            cut_short_ = true;
            diagnostics_.error(start, "unexpected EOF: unclosed string", "a closing '");
        }
    } else {
        token.quotes = ast::String::Quotes::twin;
        for (;;) {
            source_.next();
            token.text += read_quoted();
            std::size_t ahead = 0;
            while (is_line_blank(source_.peek(ahead)) ||
                   (join == Join::over_lines && source_.peek(ahead) == '\n'))
                ++ahead;
            if (source_.peek(ahead) != '"')
                break;
            source_.skip(ahead);
        }
    }
    token.text = pre_.substituted(std::move(token.text));
    return token;
}

std::string Lexer::read_quoted()
{
    const Position start = source_.before();
    std::string text;
    for (;;) {
        const int c = source_.next();
        if (c == Source::end) {
            cut_short_ = true;
            diagnostics_.error(start, "unexpected EOF: unclosed string", "a closing \"");
            return text;
        }
        if (c == '"')
            return text;
        if (c == '\\')
            read_escape(text);
        else
            text += static_cast<char>(c);
    }
}

// After a backslash. What is no escape keeps its backslash: "\d" and "\1" are for regular expressions.
void Lexer::read_escape(std::string& out)
{
    const int c = source_.peek();
    const auto take = [&](char value) {
        source_.next();
        out += value;
    };
    switch (c) {
    case 'n': return take('\n');
    case 'r': return take('\r');
    case 't': return take('\t');
    case 'a': return take('\a');
    case '\\': return take('\\');
    case '"': return take('"');
    case '\n': source_.next(); return;
    default: break;
    }
    if (c == '\r' && source_.peek(1) == '\n') {
        source_.skip(2);
        return;
    }
    const auto hex_at = [&](std::size_t ahead) {
        const int x = source_.peek(ahead);
        return x == Source::end ? -1 : hex_digit(static_cast<char>(x));
    };
    if (c == 'x' && hex_at(1) >= 0) {
        int value = hex_at(1);
        const bool two = hex_at(2) >= 0;
        if (two)
            value = value * 16 + hex_at(2);
        source_.skip(two ? 3 : 2);
        out += static_cast<char>(value);
        return;
    }
    if (is_octal(c) && is_octal(source_.peek(1))) {
        int value = 0;
        for (int digits = 0; digits < 3 && is_octal(source_.peek()); ++digits)
            value = value * 8 + (source_.next() - '0');
        out += static_cast<char>(value);
        return;
    }
    out += '\\';
}

// --- variables and numbers -----------------------------------------------------------------------

Token Lexer::read_variable()
{
    Token token;
    const Position start = source_.here();
    token.kind = Token::Kind::variable;
    token.text = static_cast<char>(source_.next());
    bool closed = true;
    if (source_.peek() == '?') {
        token.text += static_cast<char>(source_.next());
    } else if (source_.peek() == '(') {
        closed = read_balanced(token.text);
    } else if (is_word_start(source_.peek())) {
        token.text += identifier();
        if (source_.peek() == '(')
            closed = read_balanced(token.text);
    } else {
        diagnostics_.error(start, "a variable's name is missing after '$'");
    }
    if (!closed) {
        cut_short_ = true;
        diagnostics_.error(
            start, format("unexpected EOF: variable {} is not closed", token.text.substr(0, 20)), "')'");
    }
    token.text = pre_.substituted(std::move(token.text));
    return token;
}

bool Lexer::read_balanced(std::string& out)
{
    std::size_t open = 0;
    do {
        const int c = source_.next();
        if (c == Source::end)
            return false;
        open += c == '(' ? 1 : 0;
        open -= c == ')' ? 1 : 0;
        out += static_cast<char>(c);
    } while (open != 0);
    return true;
}

// @a.b[1].c is the older way to write $sel(a.b[1].c).
Token Lexer::read_select()
{
    Token token;
    token.kind = Token::Kind::variable;
    const Position start = source_.here();
    source_.next();
    std::string path;
    bool in_index = false;
    for (int c = source_.peek();
         is_word(c) || c == '.' || c == '[' || c == ']' || (in_index && (c == '"' || c == '-'));
         c = source_.peek()) {
        in_index = c == '[' || (in_index && c != ']');
        path += static_cast<char>(source_.next());
    }
    if (path.empty())
        diagnostics_.error(start, "a select's name is missing after '@'");
    token.text = pre_.substituted("$sel(" + path + ")");
    return token;
}

Token Lexer::read_number()
{
    Token token;
    const Position start = source_.here();
    token.text = identifier();
    std::string_view digits = token.text;
    unsigned base = 10;
    if (digits.size() > 2 && (digits.starts_with("0x") || digits.starts_with("0X"))) {
        base = 16;
        digits.remove_prefix(2);
    } else if (digits.size() > 1 && digits.back() == 'b' &&
               digits.find_first_not_of("01") == digits.size() - 1) {
        base = 2;
        digits.remove_suffix(1);
    } else if (digits.size() > 1 && digits.front() == '0') {
        base = 8;
    }
    token.kind = Token::Kind::number;
    std::uint64_t value = 0;
    bool too_large = false;
    for (const char c : digits) {
        const int digit = hex_digit(c);
        if (digit < 0 || static_cast<unsigned>(digit) >= base) {
            token.kind = Token::Kind::num_id;
            return token;
        }
        too_large = too_large ||
                    value > (static_cast<std::uint64_t>(INT64_MAX) - static_cast<unsigned>(digit)) / base;
        if (!too_large)
            value = value * base + static_cast<unsigned>(digit);
    }
    if (too_large)
        diagnostics_.error(start,
                           format("number {} is too large", std::string_view{token.text}.substr(0, 40)),
                           "at most 9223372036854775807");
    token.number = static_cast<std::int64_t>(value);
    return token;
}

Token Lexer::read_operator()
{
    Token token;
    token.kind = Token::Kind::op;
    for (const std::string_view op : operators) {
        if (source_.starts_with(op)) {
            source_.skip(op.size());
            token.text = op;
            return token;
        }
    }
    const Position start = source_.here();
    const int c = source_.next();
    if (single_operators.find(static_cast<char>(c)) != std::string_view::npos && c > 0) {
        token.text = static_cast<char>(c);
        return token;
    }
    if (c >= 0x21 && c < 0x7f)
        diagnostics_.error(start, format("syntax error: unexpected character '{}'", static_cast<char>(c)));
    else
        diagnostics_.error(start, format("syntax error: unexpected byte 0x{:02x}", c));
    return token;
}

} // namespace sipyard::script
