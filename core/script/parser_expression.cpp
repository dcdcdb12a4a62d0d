// core/script/parser_expression.cpp - expressions by precedence, and the tests with keyword operands
// (spec/script 11)
#include "core/base/format.h"
#include "core/base/text.h"
#include "core/script/parser_state.h"

#include <algorithm>
#include <array>
#include <sys/socket.h>

namespace sipyard::script {

using namespace ast;

namespace {

constexpr int equality_level = 8;

struct OperatorRow {
    std::string_view text;
    BinaryOp op;
    int level;
    bool word = false;
};
// The odd order of ^, &, the shifts and the comparisons is the language's (traps, 11).
constexpr std::array operator_rows = {
    OperatorRow{"||", BinaryOp::logic_or, 1},
    OperatorRow{"or", BinaryOp::logic_or, 1, true},
    OperatorRow{"&&", BinaryOp::logic_and, 2},
    OperatorRow{"and", BinaryOp::logic_and, 2, true},
    OperatorRow{"|", BinaryOp::bit_or, 3},
    OperatorRow{"&", BinaryOp::bit_and, 4},
    OperatorRow{"^", BinaryOp::bit_xor, 5},
    OperatorRow{"<<", BinaryOp::shift_left, 6},
    OperatorRow{">>", BinaryOp::shift_right, 7},
    OperatorRow{"==", BinaryOp::equal, equality_level},
    OperatorRow{"!=", BinaryOp::not_equal, equality_level},
    OperatorRow{"=~", BinaryOp::match, equality_level},
    OperatorRow{"eq", BinaryOp::text_equal, equality_level, true},
    OperatorRow{"ne", BinaryOp::text_not_equal, equality_level, true},
    OperatorRow{"ieq", BinaryOp::int_equal, equality_level, true},
    OperatorRow{"ine", BinaryOp::int_not_equal, equality_level, true},
    OperatorRow{"<", BinaryOp::less, 9},
    OperatorRow{">", BinaryOp::greater, 9},
    OperatorRow{"<=", BinaryOp::less_equal, 9},
    OperatorRow{">=", BinaryOp::greater_equal, 9},
    OperatorRow{"+", BinaryOp::plus, 10},
    OperatorRow{"-", BinaryOp::minus, 10},
    OperatorRow{"*", BinaryOp::times, 11},
    OperatorRow{"/", BinaryOp::divide, 11},
    OperatorRow{"mod", BinaryOp::modulo, 11, true},
};

struct ProtocolRow {
    std::string_view word;
    std::int64_t number; // Kamailio's
};
constexpr ProtocolRow protocols[] = {{"udp", 1}, {"tcp", 2}, {"tls", 3}, {"sctp", 4}, {"ws", 5}, {"wss", 6}};

// Words that are numbers wherever an operand may stand.
std::optional<std::int64_t> number_word(std::string_view word)
{
    if (const int boolean = boolean_word(word); boolean >= 0)
        return boolean;
    if (word == "inet" || word == "INET" || word == "ipv4" || word == "IPv4" || word == "IPV4")
        return AF_INET;
    if (word == "inet6" || word == "INET6" || word == "ipv6" || word == "IPv6" || word == "IPV6")
        return AF_INET6;
    if (word == "max_len")
        return 65'535;
    return std::nullopt;
}

bool is_address_operand(Operand o) { return o >= Operand::src_ip && o <= Operand::to_ip; }
bool is_number_operand(Operand o) { return o >= Operand::src_port && o <= Operand::snd_af; }
bool is_protocol_operand(Operand o) { return o == Operand::proto || o == Operand::snd_proto; }
bool is_onsend_operand(Operand o)
{
    return o == Operand::snd_ip || o == Operand::to_ip || o == Operand::snd_port || o == Operand::to_port ||
           o == Operand::snd_af || o == Operand::snd_proto;
}

// 255.255.0.0 as 16; nothing when its ones are not all in front.
std::optional<int> prefix_of(const net::Address& mask)
{
    const int size = mask.family == net::Address::Family::v4 ? 32 : 128;
    int bits = 0;
    while (bits < size && (mask.bytes[static_cast<std::size_t>(bits / 8)] >> (7 - bits % 8) & 1) != 0)
        ++bits;
    for (int i = bits; i < size; ++i)
        if ((mask.bytes[static_cast<std::size_t>(i / 8)] >> (7 - i % 8) & 1) != 0)
            return std::nullopt;
    return bits;
}

} // namespace

std::optional<BinaryOp> Parser::operator_ahead(int& level)
{
    const Token& token = peek();
    for (const OperatorRow& row : operator_rows) {
        if (row.word ? token.is_id(row.text) : token.is(row.text)) {
            level = row.level;
            return row.op;
        }
    }
    return std::nullopt;
}

ExpressionPtr Parser::read_expression(int least)
{
    auto left = read_unary();
    while (left) {
        int level = 0;
        const auto op = operator_ahead(level);
        if (!op && peek().is("!") && peek(1).is("~")) {
            error(peek().at, "syntax error: '!~' is no operator", "!(... =~ ...)");
            return nullptr;
        }
        if (!op || level < least)
            break;
        const Token token = take();
        auto right = read_expression(level + 1);
        left = join(*op, std::move(left), std::move(right), token.at, diagnostics_);
    }
    return left;
}

// Casts bind tighter than `defined`, that tighter than the other signs (levels 12 to 14): all stand in front.
ExpressionPtr Parser::read_unary()
{
    const Token& token = peek();
    std::optional<UnaryOp> op;
    if (token.is("!") || token.is_id("not"))
        op = UnaryOp::logic_not;
    else if (token.is("~"))
        op = UnaryOp::bit_not;
    else if (token.is("-"))
        op = UnaryOp::negate;
    else if (token.is_id("defined"))
        op = UnaryOp::defined;
    else if (token.is("(int)"))
        op = UnaryOp::to_int;
    else if (token.is("(str)"))
        op = UnaryOp::to_text;
    if (!op)
        return read_primary();
    const Token sign = take();
    ++depth_;
    auto operand = too_deep(sign.at) ? nullptr : read_unary();
    --depth_;
    return apply(*op, std::move(operand), sign.at, diagnostics_);
}

ExpressionPtr Parser::read_primary()
{
    const Token& token = peek();
    const Position at = token.at;
    switch (token.kind) {
    case Token::Kind::number: return make_expression(Number{take().number}, at, Type::integer);
    case Token::Kind::string: {
        Token string = take();
        return make_expression(String{std::move(string.text), string.quotes}, at, Type::text);
    }
    case Token::Kind::variable: {
        auto variable = make_expression(Variable{take().text}, at);
        if (peek().is(".") && peek().glued) {
            error(peek().at, "syntax error: unexpected '.'", "$(...) around a variable whose name has dots");
            return nullptr;
        }
        return variable;
    }
    case Token::Kind::id: break;
    default:
        if (token.is("("))
            return read_parenthesis();
        if (token.is("{")) {
            // The return code of a block. Depth: blocks in expressions in blocks multiply.
            if (++block_values_ > deepest_block_value) {
                error(at, format("blocks in expressions are nested too deep, at most {} are allowed",
                                 deepest_block_value));
                return nullptr;
            }
            BlockValue value;
            const bool good = read_block(value.body);
            --block_values_;
            return good ? make_expression(std::move(value), at, Type::integer) : nullptr;
        }
        unexpected("an expression");
        return nullptr;
    }
    if (const auto number = number_word(token.text)) {
        take();
        return make_expression(Number{*number}, at, Type::integer);
    }
    if (token.text == "strlen" || token.text == "strempty" || token.text == "selval")
        return read_function_operator();
    std::size_t tokens = 0;
    if (token.text == "myself" || operand_ahead(tokens))
        return read_test();
    if (!peek(1).is("(")) {
        const Token word = peek();
        error(word.at, format("syntax error: unexpected {}", to_text(word)),
              find_core_function(word.text) ? "'(' after a function's name"
                                            : "a value; a text stands in quotes");
        return nullptr;
    }
    auto call = read_call();
    if (!call)
        return nullptr;
    int depth = 1;
    const auto look = [&](const std::vector<ExpressionPtr>& args) {
        for (const ExpressionPtr& arg : args)
            depth = std::max(depth, arg->depth + 1);
    };
    if (const auto* module_call = std::get_if<Call>(&*call))
        look(module_call->args);
    else if (const auto* core_call = std::get_if<CoreCall>(&*call))
        look(core_call->args);
    else if (const auto* route_call = std::get_if<RouteCall>(&*call); route_call->name)
        depth = route_call->name->depth + 1;
    auto expression =
        std::visit([&](auto& node) { return make_expression(std::move(node), at, Type::integer); }, *call);
    expression->depth = depth;
    if (depth <= Expression::deepest)
        return expression;
    error(at, "the expression is too complex");
    return nullptr;
}

// ( e ) or ( $x = e ), whose value says whether the assignment worked
ExpressionPtr Parser::read_parenthesis()
{
    const Token open = take();
    ++depth_;
    ExpressionPtr inside;
    if (too_deep(open.at)) {
        --depth_;
        return nullptr;
    }
    if (peek().kind == Token::Kind::variable && peek(1).is("=")) {
        auto assign = std::make_unique<Assign>();
        if (read_assign(*assign)) {
            const int depth = assign->value->depth + 1;
            inside = make_expression(std::move(assign), open.at, Type::integer);
            inside->depth = depth;
        }
    } else {
        inside = read_expression();
    }
    --depth_;
    if (!inside || !expect(")"))
        return nullptr;
    return inside;
}

ExpressionPtr Parser::read_function_operator()
{
    const Token word = take();
    if (!expect("("))
        return nullptr;
    ++depth_;
    std::array<ExpressionPtr, 3> args;
    const std::size_t count = word.text == "selval" ? 3 : 1;
    bool good = !too_deep(word.at);
    for (std::size_t i = 0; i < count && good; ++i) {
        good = i == 0 || expect(",");
        if (good)
            args[i] = read_expression();
        good = good && args[i] != nullptr;
    }
    --depth_;
    if (!good || !expect(")"))
        return nullptr;
    if (count == 3)
        return choose(std::move(args[0]), std::move(args[1]), std::move(args[2]), word.at, diagnostics_);
    return apply(word.text == "strlen" ? UnaryOp::strlen : UnaryOp::strempty, std::move(args[0]), word.at,
                 diagnostics_);
}

// --- tests with a keyword ------------------------------------------------------------------------

// Which operand is next and how many tokens it has ("msg:len" has three).
std::optional<Operand> Parser::operand_ahead(std::size_t& tokens)
{
    static constexpr Operand all[] = {
        Operand::method,   Operand::uri,      Operand::from_uri, Operand::to_uri,
        Operand::src_ip,   Operand::dst_ip,   Operand::snd_ip,   Operand::to_ip,
        Operand::src_port, Operand::dst_port, Operand::snd_port, Operand::to_port,
        Operand::af,       Operand::snd_af,   Operand::proto,    Operand::snd_proto,
    };
    tokens = 1;
    if (peek().is_id("status"))
        return Operand::uri;
    if (peek().is_id("msg") && peek(1).is(":") && peek(2).is_id("len")) {
        tokens = 3;
        return Operand::msg_len;
    }
    for (const Operand operand : all)
        if (peek().is_id(ast::to_text(operand)))
            return operand;
    return std::nullopt;
}

ExpressionPtr Parser::read_test()
{
    Test test;
    const Position at = peek().at;
    const bool myself_first = accept_id("myself");
    int level = 0;
    std::size_t tokens = 0;
    if (myself_first) {
        const auto op = operator_ahead(level);
        if (op != BinaryOp::equal && op != BinaryOp::not_equal) {
            unexpected("'==' or '!='");
            return nullptr;
        }
        test.op = *op;
        take();
        const auto operand = operand_ahead(tokens);
        const bool fits = operand && *operand != Operand::method && !is_number_operand(*operand) &&
                          !is_protocol_operand(*operand);
        if (!fits) {
            unexpected("uri, from_uri, to_uri, src_ip or dst_ip");
            return nullptr;
        }
        test.operand = *operand;
        take();
        test.right = Myself{};
        return make_expression(std::move(test), at, Type::integer);
    }
    const auto operand = operand_ahead(tokens);
    test.operand = *operand;
    test.status = peek().text == "status";
    if (is_onsend_operand(*operand) && block_ != Route::onsend) {
        error(at, format("{} allowed only in onsend_routes", ast::to_text(*operand)));
        return nullptr;
    }
    while (tokens-- != 0)
        take();
    const auto op = operator_ahead(level);
    const bool equality = op == BinaryOp::equal || op == BinaryOp::not_equal;
    const bool text_test =
        equality || op == BinaryOp::match || op == BinaryOp::text_equal || op == BinaryOp::text_not_equal;
    const bool fits = is_number_operand(*operand)
                          ? equality || op == BinaryOp::int_equal || op == BinaryOp::int_not_equal ||
                                (op >= BinaryOp::less && op <= BinaryOp::greater_equal)
                      : is_protocol_operand(*operand) ? equality
                                                      : text_test;
    if (!op || !fits) {
        unexpected(is_number_operand(*operand)     ? "a comparison such as '=='"
                   : is_protocol_operand(*operand) ? "'==' or '!='"
                                                   : "'==', '!=' or '=~'");
        return nullptr;
    }
    test.op = *op;
    take();
    if (!read_test_right(test))
        return nullptr;
    return make_expression(std::move(test), at, Type::integer);
}

bool Parser::read_test_right(Test& test)
{
    const Operand operand = test.operand;
    const bool address = is_address_operand(operand);
    const bool uri = operand == Operand::uri || operand == Operand::from_uri || operand == Operand::to_uri;
    if (peek().is_id("myself")) {
        if ((!uri && !address) || (test.op != BinaryOp::equal && test.op != BinaryOp::not_equal)) {
            unexpected("a value");
            return false;
        }
        take();
        test.right = Myself{};
        return true;
    }
    if (is_protocol_operand(operand) && peek().kind == Token::Kind::id) {
        for (const ProtocolRow& row : protocols) {
            if (iequals(peek().text, row.word)) {
                const Position at = take().at;
                test.right = make_expression(Number{row.number}, at, Type::integer);
                return true;
            }
        }
        unexpected("udp, tcp, tls, sctp, ws or wss");
        return false;
    }
    if (address && at_address())
        return read_network(test);
    // method == INVITE, without quotes
    if (operand == Operand::method && peek().kind == Token::Kind::id && !is_reserved(peek().text) &&
        !peek(1).is("(")) {
        const Token word = take();
        test.right = make_expression(String{word.text, String::Quotes::none}, word.at, Type::text);
        return true;
    }
    const int level = test.op >= BinaryOp::less && test.op <= BinaryOp::greater_equal ? equality_level + 2
                                                                                      : equality_level + 1;
    auto right = read_expression(level);
    if (!right)
        return false;
    const bool wants_number = is_number_operand(operand) || is_protocol_operand(operand);
    if (wants_number && right->type == Type::text) {
        error(right->at,
              format("bad expression: type mismatch: str instead of int at ({},{})", right->at.line,
                     right->at.column),
              "an integer");
        return false;
    }
    if (!wants_number && right->type == Type::integer && is_constant(*right)) {
        error(right->at,
              format("string value expected, found the number {}", std::get<Number>(right->node).value));
        return false;
    }
    test.right = std::move(right);
    return true;
}

// ip, ip/bits, ip/mask, or a host's name
bool Parser::read_network(Test& test)
{
    const Position at = peek().at;
    const std::string text = read_address_text(true);
    const auto slash = text.find('/');
    const auto address = net::Address::parse(text.substr(0, slash));
    if (!address) {
        const bool name =
            slash == std::string::npos && is_alpha(text.front()) && text.find(':') == std::string::npos;
        if (!name) {
            error(at, format("bad address '{}'", text), "ip, ip/bits, ip/mask, myself or a host's name");
            return false;
        }
        test.right = make_expression(String{text, String::Quotes::none}, at, Type::text);
        return true;
    }
    const int size = address->family == net::Address::Family::v4 ? 32 : 128;
    Network network{*address, size};
    if (slash != std::string::npos) {
        const std::string_view mask = std::string_view{text}.substr(slash + 1);
        const auto bits = parse_uint(mask);
        const auto as_address = net::Address::parse(mask);
        std::optional<int> prefix;
        if (bits && *bits <= static_cast<std::uint64_t>(size))
            prefix = static_cast<int>(*bits);
        else if (!bits && as_address && as_address->family == address->family)
            prefix = prefix_of(*as_address);
        if (!prefix) {
            error(at, format("bad network mask '{}'", mask),
                  format("0 to {} bits, or a mask such as 255.255.0.0", size));
            return false;
        }
        network.bits = *prefix;
    }
    test.right = network;
    return true;
}

} // namespace sipyard::script
