// core/script/parser_statement.cpp - blocks and statements (spec/script 10)
#include "core/base/format.h"
#include "core/script/parser_state.h"

namespace sipyard::script {

using namespace ast;

namespace {

// Keeps the count of nested constructs right however the function is left.
class Nesting {
public:
    explicit Nesting(int& depth) : depth_{depth} { ++depth_; }
    ~Nesting() { --depth_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;

private:
    int& depth_;
};

} // namespace

bool Parser::read_block(Block& into)
{
    const Nesting nesting{depth_};
    const Position at = peek().at;
    if (too_deep(at) || !expect("{"))
        return false;
    if (peek().is("}")) {
        error(peek().at, "syntax error: unexpected '}': an empty block", "at least one ';'");
        take();
        return true; // the braces are balanced: nothing to recover from
    }
    read_actions(into, false);
    return expect("}");
}

void Parser::read_actions(Block& into, bool in_case)
{
    while (!peek().is("}") && !peek().is_end()) {
        if (in_case && (peek().is_id("case") || peek().is_id("default")))
            return;
        // A route that begins inside of a route: its closing brace was forgotten.
        if (starts_top_level() && peek().kind == Token::Kind::id && peek().at.column == 1)
            return;
        const bool conditional = peek().is_id("if");
        if (!read_statement(into))
            recover_statement(conditional);
    }
}

// After a mistake: behind the next ';', or in front of the '}' that closes the block. Nested blocks are
// passed whole.
void Parser::recover_statement(bool conditional)
{
    std::size_t open = 0;
    while (!peek().is_end()) {
        if (open == 0 && peek().is("}"))
            return;
        if (starts_top_level() && peek().at.column == 1)
            return;
        const Token token = take();
        if (token.is("{"))
            ++open;
        else if (token.is("}"))
            --open;
        // An else belongs to the if that was given up.
        if (open == 0 && (token.is("}") || token.is(";")) && !(conditional && accept_id("else")))
            return;
    }
}

bool Parser::read_body(Block& into)
{
    if (peek().is("{"))
        return read_block(into);
    return read_statement(into);
}

bool Parser::read_statement(Block& into)
{
    const Nesting nesting{depth_};
    const Token& token = peek();
    Statement statement;
    statement.at = token.at;
    if (too_deep(token.at))
        return false;
    bool good = false, semicolon = false;
    if (accept(";")) {
        good = true;
    } else if (token.kind == Token::Kind::variable) {
        Assign assign;
        good = read_assign(assign);
        statement.node = std::move(assign);
        semicolon = true;
    } else if (token.is_id("if")) {
        good = read_if(statement);
    } else if (token.is_id("while")) {
        good = read_while(statement);
    } else if (token.is_id("switch")) {
        good = read_switch(statement);
    } else if (token.is_id("drop") || token.is_id("exit") || token.is_id("return") || token.is_id("break")) {
        good = read_leave(statement);
        semicolon = true;
    } else if (token.is_id("else")) {
        error(token.at, "syntax error: unexpected 'else'", "a statement; 'else' follows the one of its 'if'");
    } else if (token.is_id("case") || token.is_id("default")) {
        error(token.at, format("syntax error: unexpected '{}' outside of a switch", token.text));
    } else if (token.kind == Token::Kind::id) {
        good = read_call_statement(statement);
        semicolon = true;
    } else if (token.is("{")) {
        error(token.at, "syntax error: unexpected '{': a block stands after if, else and while only",
              "a statement");
    } else {
        unexpected("a statement");
    }
    if (!good)
        return false;
    if (semicolon && !peek().is(";")) {
        unexpected("';'");
        return false;
    }
    if (semicolon)
        take();
    statement.end = last_end_;
    into.push_back(std::move(statement));
    return true;
}

bool Parser::read_if(Statement& to)
{
    take();
    If node;
    node.condition = read_expression();
    if (!node.condition)
        return false;
    check_condition(*node.condition, "if", diagnostics_);
    if (!read_body(node.yes))
        return false;
    if (accept_id("else") && !read_body(node.no))
        return false;
    to.node = std::move(node);
    return true;
}

bool Parser::read_while(Statement& to)
{
    take();
    While node;
    node.condition = read_expression();
    if (!node.condition)
        return false;
    check_condition(*node.condition, "while", diagnostics_);
    if (!read_body(node.body))
        return false;
    to.node = std::move(node);
    return true;
}

bool Parser::read_switch(Statement& to)
{
    take();
    Switch node;
    node.value = read_expression();
    if (!node.value || !expect("{"))
        return false;
    while (!peek().is("}")) {
        if (!read_case(node))
            return false;
    }
    take();
    to.node = std::move(node);
    return true;
}

bool Parser::read_case(Switch& to)
{
    Case entry;
    entry.at = peek().at;
    if (accept_id("default")) {
        entry.kind = Case::Kind::fallback;
        for (const Case& other : to.cases)
            if (other.kind == Case::Kind::fallback)
                error(entry.at, "duplicate default: only one is allowed in a switch");
    } else if (accept_id("case")) {
        const bool regex = accept("/");
        const ExpressionPtr label = read_expression();
        if (!label)
            return false;
        const auto* number = std::get_if<Number>(&label->node);
        const auto* text = std::get_if<String>(&label->node);
        if (!number && !text) {
            error(label->at, "bad case label: not a constant", "a number or a string");
            return false;
        }
        if (regex && !text) {
            error(label->at, "bad case label: a regular expression is a string");
            return false;
        }
        entry.kind = number ? Case::Kind::number : regex ? Case::Kind::regex : Case::Kind::text;
        entry.number = number ? number->value : 0;
        entry.text = text ? text->text : std::string{};
        const auto labels = number ? Switch::Labels::integer : Switch::Labels::text;
        if (to.labels != Switch::Labels::none && to.labels != labels)
            error(label->at, "wrong type of case label: int and string labels cannot be mixed",
                  to.labels == Switch::Labels::integer ? "an integer" : "a string");
        else
            to.labels = labels;
        for (const Case& other : to.cases)
            if (other.kind == entry.kind && other.kind != Case::Kind::fallback &&
                other.number == entry.number && other.text == entry.text)
                diagnostics_.warn(entry.at, "duplicate case label: the first one is taken");
    } else {
        unexpected("'case', 'default' or '}'");
        return false;
    }
    if (!expect(":"))
        return false;
    read_actions(entry.body, true);
    to.cases.push_back(std::move(entry));
    return true;
}

// drop exit return break, perhaps with () or an expression
bool Parser::read_leave(Statement& to)
{
    const Token word = take();
    Leave node;
    node.kind = word.text == "drop"     ? Leave::Kind::drop
                : word.text == "exit"   ? Leave::Kind::exit
                : word.text == "return" ? Leave::Kind::return_
                                        : Leave::Kind::break_;
    if (peek().is("(") && peek(1).is(")")) {
        take();
        take();
    } else if (!peek().is(";") && node.kind != Leave::Kind::break_) {
        if (peek().is("}") || peek().is_end()) {
            unexpected("';'");
            return false;
        }
        node.value = read_expression();
        if (!node.value)
            return false;
        if (node.value->type == Type::text) {
            const Position at = node.value->at;
            error(at,
                  format("bad expression: type mismatch: str instead of int at ({},{})", at.line, at.column),
                  "a return code");
            return false;
        }
    }
    to.node = std::move(node);
    return true;
}

bool Parser::read_assign(Assign& to)
{
    const Token target = take();
    if (target.text.starts_with("$sel(") || target.text.starts_with("$(sel(")) {
        error(target.at, format("read only pvar in assignment left side: {}", target.text));
        return false;
    }
    to.target.text = target.text;
    to.target_at = target.at;
    if (peek().is("+") || peek().is("-") || peek().is(".")) {
        if (peek(1).is("=")) {
            error(peek().at, format("syntax error: '{}=' is no operator", peek().text),
                  format("{} = {} {} ...", target.text, target.text, peek().text));
            return false;
        }
    }
    if (peek().is(".")) {
        error(peek().at, "syntax error: unexpected '.'",
              format("$({}...) around a name with dots", target.text.substr(1)));
        return false;
    }
    if (!expect("="))
        return false;
    to.value = read_expression();
    return to.value != nullptr;
}

bool Parser::read_call_statement(Statement& to)
{
    // Operators are no statements.
    for (const char* word : {"strlen", "strempty", "selval", "defined"}) {
        if (peek().is_id(word)) {
            error(peek().at,
                  format("syntax error: unexpected '{}': it gives a value and is no statement", word));
            return false;
        }
    }
    auto call = read_call();
    if (!call)
        return false;
    std::visit([&](auto& node) { to.node = std::move(node); }, *call);
    return true;
}

} // namespace sipyard::script
