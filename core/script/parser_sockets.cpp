// core/script/parser_sockets.cpp - listen, socket and alias lines (spec/script 6)
#include "core/base/format.h"
#include "core/base/text.h"
#include "core/script/listen.h"
#include "core/script/parser_state.h"

namespace sipyard::script {

// Whether an address may begin here: a word that is no parameter of its own, a number, '[' or '*'.
bool Parser::at_address()
{
    const Token& token = peek();
    if (token.kind == Token::Kind::number || token.kind == Token::Kind::num_id)
        return true;
    if (token.is("[") || token.is("*") || token.is(":"))
        return true;
    if (token.kind != Token::Kind::id)
        return false;
    const bool protocol = peek(1).is(":") && (iequals(token.text, "udp") || iequals(token.text, "tcp") ||
                                              iequals(token.text, "tls") || iequals(token.text, "sctp"));
    return protocol || !is_reserved(token.text);
}

// The tokens of an address as one text. It ends at a blank unless a ':' stands on either side of it.
std::string Parser::read_address_text(bool with_mask)
{
    std::string text;
    bool after_colon = true, in_brackets = false;
    for (;;) {
        const Token& token = peek();
        // udp:"10.0.0.1":5060 comes from a define that holds a string.
        if (token.kind == Token::Kind::string && after_colon) {
            const auto address = net::Address::parse(token.text);
            const bool wrap =
                address && address->family == net::Address::Family::v6 && !token.text.starts_with('[');
            text += wrap ? "[" + token.text + "]" : token.text;
            after_colon = false;
            take();
            continue;
        }
        const bool word = token.kind == Token::Kind::id || token.kind == Token::Kind::number ||
                          token.kind == Token::Kind::num_id;
        const bool mark = token.is(":") || token.is(".") || token.is("-") || token.is("*") || token.is("[") ||
                          (token.is("]") && in_brackets) || (with_mask && token.is("/"));
        if (!word && !mark)
            break;
        const bool joins = token.glued || after_colon || (token.is(":") && !text.empty());
        if (!text.empty() && !joins)
            break;
        in_brackets = token.is("[") || (in_brackets && !token.is("]"));
        after_colon = token.is(":") || token.is("/");
        text += take().text;
    }
    return text;
}

void Parser::add_listen(ListenLine line, Position at)
{
    line.file = diagnostics_.file_name(at.file);
    line.line = static_cast<int>(at.line);
    if (line.workers == 0)
        line.workers = next_socket_workers_;
    if (!listen_from_command_line_)
        config_.settings.listen.push_back(std::move(line));
}

// ADDR [ADDR ...] [advertise ADVADDR[:PORT]] [name "NAME"] [virtual], clauses in this order.
void Parser::read_listen()
{
    std::vector<ListenLine> lines;
    const Position at = peek().at;
    for (;;) {
        const Position address_at = peek().at;
        if (peek().is("("))
            return error(address_at, "sctp support is not compiled in",
                         "one address: a list is for SCTP multihoming");
        Result<ListenLine> line = ListenLine{};
        if (peek().kind == Token::Kind::string && !peek(1).is(":")) {
            // A quoted address is a host name or an interface as it stands.
            const Token name = take();
            ListenLine quoted;
            quoted.host = name.text;
            line = std::move(quoted);
            if (name.text.empty() || name.text.find_first_of(": /") != std::string::npos)
                line = invalid(format("could not resolve host '{}'", name.text));
        } else if (peek().kind == Token::Kind::string) {
            line = parse_socket(read_address_text(false));
        } else if (at_address() && !(peek(1).is("=") && !lines.empty()) &&
                   !(peek(1).is(".") && peek(3).is("="))) {
            line = parse_socket(read_address_text(false));
        } else {
            break;
        }
        if (!line)
            error(address_at, line.error().text, "[proto:]host[:port]");
        else
            lines.push_back(std::move(line).value());
    }
    if (lines.empty()) {
        if (!diagnostics_.failed() || peek().at == at)
            unexpected("[proto:]host[:port]");
        return;
    }
    ListenLine extra;
    if (accept_id("advertise") || accept_id("ADVERTISE")) {
        const Position advertised_at = peek().at;
        auto advertised = parse_socket(read_address_text(false));
        if (!advertised)
            return error(advertised_at, advertised.error().text, "the advertised host[:port]");
        extra.advertised_host = advertised->host;
        extra.advertised_port = advertised->port;
    }
    if (accept_id("name") || accept_id("NAME")) {
        if (peek().kind != Token::Kind::string)
            return error(peek().at, "string value expected", "the socket's name");
        extra.name = take().text;
    }
    extra.virtual_address = accept_id("virtual");
    for (const char* clause : {"advertise", "ADVERTISE", "name", "NAME", "virtual"})
        if (peek().is_id(clause))
            return error(peek().at, format("syntax error: unexpected '{}'", clause),
                         "advertise, then name, then virtual, in this order");
    for (ListenLine& line : lines) {
        line.advertised_host = extra.advertised_host;
        line.advertised_port = extra.advertised_port;
        line.name = extra.name;
        line.virtual_address = extra.virtual_address;
        add_listen(std::move(line), at);
    }
    next_socket_workers_ = 0;
}

// { bind = ...; advertise = ...; name = "..."; workers = 4; agname = "..."; virtual = yes; vrf = "..."; }
void Parser::read_socket()
{
    const Position at = peek().at;
    if (!expect("{"))
        return;
    ListenLine line;
    bool bound = false;
    while (!peek().is("}") && !peek().is_end()) {
        if (accept(";"))
            continue;
        if (!read_socket_attribute(line, bound)) {
            while (!peek().is("}") && !peek().is(";") && !peek().is_end())
                take();
        }
    }
    if (!expect("}"))
        return;
    if (!bound)
        return error(at, "a socket without bind", "bind = [proto:]host[:port]");
    add_listen(std::move(line), at);
    next_socket_workers_ = 0;
}

bool Parser::read_socket_attribute(ListenLine& line, bool& bound)
{
    const Token name = take();
    static const std::vector<std::string_view> known = {"bind",   "advertise", "name", "workers",
                                                        "agname", "virtual",   "vrf"};
    bool is_known = false;
    for (const std::string_view word : known)
        is_known = is_known || name.is_id(word);
    if (!is_known) {
        error(name.at, format("unknown socket attribute {}", to_text(name)), {}, nearest(name.text, known));
        return false;
    }
    if (!expect("="))
        return false;
    const Position at = peek().at;
    if (name.text == "bind" || name.text == "advertise") {
        auto address =
            parse_socket(peek().kind == Token::Kind::string ? take().text : read_address_text(false));
        if (!address) {
            error(at, address.error().text, "[proto:]host[:port]");
            return false;
        }
        if (name.text == "bind") {
            line.protocol = address->protocol;
            line.host = address->host;
            line.port = address->port;
            line.port_end = address->port_end;
            bound = true;
        } else {
            line.advertised_host = address->host;
            line.advertised_port = address->port;
        }
        return true;
    }
    if (name.text == "workers" || name.text == "virtual") {
        const auto number = read_integer();
        if (!number || *number < 0 || *number > 65'535) {
            error(at, "number expected", "0 to 65535");
            return false;
        }
        if (name.text == "workers")
            line.workers = static_cast<int>(*number);
        else
            line.virtual_address = *number != 0;
        return true;
    }
    if (peek().kind != Token::Kind::string) {
        error(at, "string value expected");
        return false;
    }
    const std::string text = take().text;
    if (name.text == "name")
        line.name = text;
    else if (name.text == "agname")
        line.group_name = text;
    else
        diagnostics_.warn(name.at, "socket attribute vrf has no effect");
    return true;
}

// alias = host[:port] "proto:host:port" ... separated by blanks
void Parser::read_aliases()
{
    std::size_t count = 0;
    for (;; ++count) {
        const Position at = peek().at;
        Result<AliasLine> alias = AliasLine{};
        if (peek().kind == Token::Kind::string)
            alias = parse_alias(take().text);
        else if (at_address() && !(peek(1).is("=") && count != 0) && !(peek(1).is(".") && peek(3).is("=")))
            alias = parse_alias(read_address_text(false));
        else
            break;
        if (alias)
            config_.settings.alias.push_back(std::move(alias).value());
        else
            error(at, alias.error().text, "[proto:]host[:port]");
    }
    if (count == 0)
        unexpected("[proto:]host[:port]");
}

} // namespace sipyard::script
