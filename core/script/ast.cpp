// core/script/ast.cpp - names of operators and operands, and finding a route
#include "core/script/ast.h"

#include <array>

namespace sipyard::script::ast {

std::string_view to_text(BinaryOp op)
{
    static constexpr std::array<std::string_view, 23> names = {
        "||",  "&&",  "|", "&", "^",  "<<", ">>", "==", "!=", "=~", "eq",  "ne",
        "ieq", "ine", "<", ">", "<=", ">=", "+",  "-",  "*",  "/",  "mod",
    };
    return names[static_cast<std::size_t>(op)];
}

std::string_view to_text(UnaryOp op)
{
    static constexpr std::array<std::string_view, 8> names = {
        "!", "~", "-", "defined", "(int)", "(str)", "strlen", "strempty",
    };
    return names[static_cast<std::size_t>(op)];
}

std::string_view to_text(Operand operand)
{
    static constexpr std::array<std::string_view, 17> names = {
        "method",   "uri",      "from_uri", "to_uri",  "src_ip", "dst_ip", "snd_ip", "to_ip",     "src_port",
        "dst_port", "snd_port", "to_port",  "msg:len", "af",     "snd_af", "proto",  "snd_proto",
    };
    return names[static_cast<std::size_t>(operand)];
}

const RouteBlock* Config::route(Route kind, std::string_view name) const
{
    for (const RouteBlock& block : routes)
        if (block.kind == kind && block.name == name)
            return &block;
    return nullptr;
}

} // namespace sipyard::script::ast
