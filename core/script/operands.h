// core/script/operands.h - method == "INVITE", src_ip == 10.0.0.0/8, uri == myself: keywords as operands
// (spec/script 11)
#pragma once

#include "core/script/ast.h"
#include "core/script/node.h"
#include "core/script/pattern.h"

#include <string_view>

namespace sipyard::script {

// method, uri, from_uri, to_uri and status compared with a text. Letter case does not matter.
class TextTest final : public Expr {
public:
    TextTest(ast::Operand operand, bool status, bool negated, const Expr* right, const Pattern* pattern,
             bool matches)
        : operand_{operand}, status_{status}, negated_{negated}, right_{right}, pattern_{pattern},
          matches_{matches}
    {
    }
    Value value(Run& run) const override;

private:
    const ast::Operand operand_;
    const bool status_, negated_;
    const Expr* right_; // null with a pattern known when linked
    const Pattern* pattern_;
    const bool matches_; // =~
};

// uri, from_uri, to_uri or an address: one of ours?
class MyselfTest final : public Expr {
public:
    MyselfTest(ast::Operand operand, bool negated) : operand_{operand}, negated_{negated} {}
    Value value(Run& run) const override;

private:
    const ast::Operand operand_;
    const bool negated_;
};

// src_ip, dst_ip, snd_ip, to_ip compared with an address, a network, or a text that is one or names a host.
class AddressTest final : public Expr {
public:
    AddressTest(ast::Operand operand, bool negated, const ast::Network* network, const Expr* text,
                const Pattern* pattern, bool matches)
        : operand_{operand}, negated_{negated}, network_{network}, text_{text}, pattern_{pattern},
          matches_{matches}
    {
    }
    Value value(Run& run) const override;

private:
    const ast::Operand operand_;
    const bool negated_;
    const ast::Network* network_;
    const Expr* text_;
    const Pattern* pattern_;
    const bool matches_;
};

// Ports, lengths, families and protocols: a number to compare with.
class MessageNumber final : public Expr {
public:
    explicit MessageNumber(ast::Operand operand) : operand_{operand} {}
    Value value(Run& run) const override { return integer(run); }
    std::int64_t integer(Run& run) const override;

private:
    const ast::Operand operand_;
};

// "10.0.0.0/8", "10.0.0.0/255.0.0.0", "::1": nothing when it is neither.
std::optional<ast::Network> network_of(std::string_view text);

} // namespace sipyard::script
