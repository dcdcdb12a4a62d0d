// core/script/token.cpp - words of the language, and how messages name tokens
#include "core/script/token.h"

#include "core/base/format.h"

#include <algorithm>
#include <array>

namespace sipyard::script {

namespace {

constexpr std::array keywords = {
    // statements
    std::string_view{"if"},
    std::string_view{"else"},
    std::string_view{"switch"},
    std::string_view{"case"},
    std::string_view{"default"},
    std::string_view{"while"},
    std::string_view{"break"},
    std::string_view{"drop"},
    std::string_view{"exit"},
    std::string_view{"return"},
    // blocks and top level
    std::string_view{"request_route"},
    std::string_view{"route"},
    std::string_view{"reply_route"},
    std::string_view{"onreply_route"},
    std::string_view{"failure_route"},
    std::string_view{"branch_route"},
    std::string_view{"onsend_route"},
    std::string_view{"event_route"},
    std::string_view{"loadmodule"},
    std::string_view{"loadmodulex"},
    std::string_view{"modparam"},
    std::string_view{"modparamx"},
    std::string_view{"loadpath"},
    std::string_view{"mpath"},
    std::string_view{"flags"},
    std::string_view{"avpflags"},
    std::string_view{"include_file"},
    std::string_view{"import_file"},
    std::string_view{"coreparam"},
    // operators
    std::string_view{"or"},
    std::string_view{"and"},
    std::string_view{"not"},
    std::string_view{"mod"},
    std::string_view{"eq"},
    std::string_view{"ne"},
    std::string_view{"ieq"},
    std::string_view{"ine"},
    std::string_view{"defined"},
    std::string_view{"strlen"},
    std::string_view{"strempty"},
    std::string_view{"selval"},
    // operands
    std::string_view{"method"},
    std::string_view{"uri"},
    std::string_view{"status"},
    std::string_view{"from_uri"},
    std::string_view{"to_uri"},
    std::string_view{"src_ip"},
    std::string_view{"dst_ip"},
    std::string_view{"snd_ip"},
    std::string_view{"to_ip"},
    std::string_view{"src_port"},
    std::string_view{"dst_port"},
    std::string_view{"snd_port"},
    std::string_view{"to_port"},
    std::string_view{"msg"},
    std::string_view{"af"},
    std::string_view{"snd_af"},
    std::string_view{"proto"},
    std::string_view{"snd_proto"},
    std::string_view{"myself"},
    std::string_view{"max_len"},
    // constants
    std::string_view{"yes"},
    std::string_view{"true"},
    std::string_view{"on"},
    std::string_view{"enable"},
    std::string_view{"no"},
    std::string_view{"false"},
    std::string_view{"off"},
    std::string_view{"disable"},
    std::string_view{"udp"},
    std::string_view{"UDP"},
    std::string_view{"tcp"},
    std::string_view{"TCP"},
    std::string_view{"tls"},
    std::string_view{"TLS"},
    std::string_view{"sctp"},
    std::string_view{"SCTP"},
    std::string_view{"ws"},
    std::string_view{"WS"},
    std::string_view{"wss"},
    std::string_view{"WSS"},
    std::string_view{"inet"},
    std::string_view{"INET"},
    std::string_view{"ipv4"},
    std::string_view{"IPv4"},
    std::string_view{"IPV4"},
    std::string_view{"inet6"},
    std::string_view{"INET6"},
    std::string_view{"ipv6"},
    std::string_view{"IPv6"},
    std::string_view{"IPV6"},
    // sockets and custom parameters
    std::string_view{"advertise"},
    std::string_view{"ADVERTISE"},
    std::string_view{"name"},
    std::string_view{"NAME"},
    std::string_view{"virtual"},
    std::string_view{"bind"},
    std::string_view{"workers"},
    std::string_view{"agname"},
    std::string_view{"vrf"},
    std::string_view{"desc"},
    std::string_view{"descr"},
    std::string_view{"description"},
};

} // namespace

std::string to_text(const Token& token)
{
    switch (token.kind) {
    case Token::Kind::end: return "the end of the file";
    case Token::Kind::string: return format("the string \"{}\"", std::string_view{token.text}.substr(0, 40));
    default: return format("'{}'", std::string_view{token.text}.substr(0, 60));
    }
}

bool is_keyword(std::string_view word)
{
    return std::find(keywords.begin(), keywords.end(), word) != keywords.end();
}

int boolean_word(std::string_view word)
{
    if (word == "yes" || word == "true" || word == "on" || word == "enable")
        return 1;
    if (word == "no" || word == "false" || word == "off" || word == "disable")
        return 0;
    return -1;
}

} // namespace sipyard::script
