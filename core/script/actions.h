// core/script/actions.h - statements: assignment, if, while, switch, leaving; and routes and blocks that are
// called
#pragma once

#include "core/script/ast.h"
#include "core/script/node.h"
#include "core/script/pattern.h"
#include "core/script/program.h"
#include "core/script/variables.h"

#include <cstdint>
#include <span>
#include <string_view>

namespace sipyard::script {

class CallAction final : public Action {
public:
    explicit CallAction(const Callee& callee) : callee_{callee} {}
    void run(Run& run) const override;

private:
    const Callee& callee_;
};

// With latency_limit_action: an action that takes longer is named in the log. Waiting counts, as it does for
// the caller.
class TimedAction final : public Action {
public:
    TimedAction(const Action& action, std::string_view word, Position at)
        : action_{action}, word_{word}, at_{at}
    {
    }
    void run(Run& run) const override;

private:
    const Action& action_;
    const std::string_view word_;
    const Position at_;
};

class AssignVar final : public Action { // $var(x) = e
public:
    AssignVar(std::size_t slot, const Expr& value) : slot_{slot}, value_{value} {}
    void run(Run& run) const override;

private:
    const std::size_t slot_;
    const Expr& value_;
};

class AssignPlace final : public Action {
public:
    AssignPlace(const Place& place, const Expr& value, std::string_view text, Position at)
        : place_{place}, value_{value}, text_{text}, at_{at}
    {
    }
    void run(Run& run) const override;

private:
    const Place& place_;
    const Expr& value_;
    const std::string_view text_;
    const Position at_;
};

// An assignment as an operand: 1 when it worked.
class AssignValue final : public Expr {
public:
    explicit AssignValue(const Action& assignment) : assignment_{assignment} {}
    Value value(Run& run) const override;
    bool calls() const override { return true; }

private:
    const Action& assignment_;
};

class IfAction final : public Action {
public:
    IfAction(const Expr& condition, Block yes, Block no) : condition_{condition}, yes_{yes}, no_{no} {}
    void run(Run& run) const override;

private:
    const Expr& condition_;
    const Block yes_, no_;
};

class WhileAction final : public Action {
public:
    WhileAction(const Expr& condition, Block body, Position at) : condition_{condition}, body_{body}, at_{at}
    {
    }
    void run(Run& run) const override;

private:
    const Expr& condition_;
    const Block body_;
    const Position at_;
};

// The bodies of all cases follow each other in one block: a label says where to start.
class SwitchAction final : public Action {
public:
    struct Label {
        std::int64_t number = 0;
        std::string_view text;
        const Pattern* pattern = nullptr; // instead of the text
        std::size_t start = 0;
    };
    static constexpr std::size_t no_fallback = static_cast<std::size_t>(-1);
    SwitchAction(const Expr& value, bool numbers, std::span<const Label> labels, std::size_t fallback,
                 Block bodies)
        : value_{value}, numbers_{numbers}, labels_{labels}, fallback_{fallback}, bodies_{bodies}
    {
    }
    void run(Run& run) const override;

private:
    std::size_t start_of(Run& run) const;
    const Expr& value_;
    const bool numbers_;
    const std::span<const Label> labels_;
    const std::size_t fallback_;
    const Block bodies_;
};

class LeaveAction final : public Action {
public:
    LeaveAction(ast::Leave::Kind kind, const Expr* value) : kind_{kind}, value_{value} {}
    void run(Run& run) const override;

private:
    const ast::Leave::Kind kind_;
    const Expr* value_;
};

// A condition's truth with what may happen on the way: no value is false.
bool holds(Run& run, const Expr& condition);

// Runs a route's actions and returns its code; return and break end here.
int run_route_code(Run& run, const RouteCode& route);

class RouteCall final : public Callee {
public:
    RouteCall(const RouteCode* route, const Expr* name) : route_{route}, name_{name} {}
    int call(Run& run) const override;

private:
    const RouteCode* route_; // null: found by name at each call
    const Expr* name_;
};

class BlockCall final : public Callee { // { actions } as an operand
public:
    explicit BlockCall(Block body) : body_{body} {}
    int call(Run& run) const override;

private:
    const Block body_;
};

} // namespace sipyard::script
