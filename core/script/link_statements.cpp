// core/script/link_statements.cpp - routes and statements
#include "core/script/linker.h"

#include "core/base/text.h"
#include "core/script/traced.h"

namespace sipyard::script {

Linker::Linker(Engine::Parts& parts, Program& program, const ast::Config& config,
               const std::vector<ModuleInstance>& modules, Diagnostics& diagnostics)
    : parts_{parts}, program_{program}, config_{config}, modules_{modules}, diagnostics_{diagnostics},
      names_{parts.catalogue, program.arena}, tracer_{parts.host.try_service<ScriptTracer>()}
{
}

namespace {

// As Kamailio's log lines and $cfg(route) call it.
std::string_view shown_name(const RouteCode& route)
{
    if (route.name != "0")
        return route.name;
    switch (route.kind) {
    case Route::core_reply: return "DEFAULT_ONREPLY";
    case Route::failure: return "DEFAULT_FAILURE";
    case Route::branch: return "DEFAULT_BRANCH";
    case Route::onsend: return "DEFAULT_SEND";
    case Route::event: return "DEFAULT_EVENT";
    default: return "DEFAULT_ROUTE";
    }
}

std::string_view word_of(const ast::Statement& s)
{
    if (const auto* call = std::get_if<ast::Call>(&s.node))
        return call->name;
    if (const auto* call = std::get_if<ast::CoreCall>(&s.node))
        return script::to_text(call->function);
    if (std::holds_alternative<ast::RouteCall>(s.node))
        return "route";
    if (std::holds_alternative<ast::Assign>(s.node))
        return "assign";
    if (std::holds_alternative<ast::If>(s.node))
        return "if";
    if (std::holds_alternative<ast::While>(s.node))
        return "while";
    return std::holds_alternative<ast::Switch>(s.node) ? "switch" : "leave";
}

} // namespace

void Linker::link()
{
    // Routes first, so that calls find those that follow.
    std::vector<RouteCode*> made;
    for (const ast::RouteBlock& route : config_.routes)
        made.push_back(program_.add_route(route.kind, route.name));
    for (std::size_t i = 0; i < made.size(); ++i) {
        route_name_ = shown_name(*made[i]);
        made[i]->body = block(config_.routes[i].body);
    }
    names_.set_where({});
    if (!config_.settings.log_prefix.empty()) {
        Trouble trouble;
        program_.prefix = names_.format(config_.settings.log_prefix, trouble);
        if (!program_.prefix) {
            trouble.message = "log_prefix: " + trouble.message;
            report({}, trouble);
        }
    }
}

Block Linker::block(const ast::Block& statements)
{
    std::vector<const Action*> actions;
    add(statements, actions);
    const auto kept = names_.copy(actions);
    return {kept.data(), kept.size()};
}

void Linker::add(const ast::Block& statements, std::vector<const Action*>& to)
{
    for (const ast::Statement& s : statements)
        if (const Action* action = statement(s))
            to.push_back(action);
}

const Action* Linker::statement(const ast::Statement& s)
{
    const std::string_view file =
        s.at.file < program_.files.size() ? std::string_view{program_.files[s.at.file]} : "";
    names_.set_where({file, route_name_, s.at.line});
    const Action* made = plain_statement(s);
    if (ScriptTracer* const tracer = made ? tracer_ : nullptr) {
        std::string_view word = word_of(s);
        if (std::holds_alternative<ast::Switch>(s.node) || std::holds_alternative<ast::Leave>(s.node))
            word = std::holds_alternative<ast::Switch>(s.node) ? "case" : "exit"; // Kamailio's words
        const auto* const call = std::get_if<ast::Call>(&s.node);
        made = &make<TracedAction>(*made, *tracer,
                                   step(s.at, word, call != nullptr, call ? call->args.size() : 0));
    }
    // Without a limit nothing stands between the actions.
    if (!made || program_.latency_limit_action == 0)
        return made;
    return &make<TimedAction>(*made, program_.arena.copy(word_of(s)), s.at);
}

ScriptStep Linker::step(Position at, std::string_view word, bool of_module, std::size_t args)
{
    const std::string_view file =
        at.file < program_.files.size() ? std::string_view{program_.files[at.file]} : "";
    return {file, program_.arena.copy(route_name_), program_.arena.copy(word), at.line,
            action_number(word, of_module, args)};
}

const Action* Linker::plain_statement(const ast::Statement& s)
{
    if (const auto* call = std::get_if<ast::Call>(&s.node))
        return &make<CallAction>(*function(*call, s.at));
    if (const auto* call = std::get_if<ast::CoreCall>(&s.node))
        return &make<CallAction>(*core(*call));
    if (const auto* call = std::get_if<ast::RouteCall>(&s.node))
        return &make<CallAction>(*route(*call, s.at));
    if (const auto* assign = std::get_if<ast::Assign>(&s.node))
        return assignment(*assign);
    if (const auto* node = std::get_if<ast::If>(&s.node)) {
        const Expr* const condition = expression(*node->condition);
        const Block yes = block(node->yes);
        return &make<IfAction>(*condition, yes, block(node->no));
    }
    if (const auto* node = std::get_if<ast::While>(&s.node)) {
        const Expr* const condition = expression(*node->condition);
        return &make<WhileAction>(*condition, block(node->body), s.at);
    }
    if (const auto* node = std::get_if<ast::Switch>(&s.node))
        return switch_over(*node);
    if (const auto* node = std::get_if<ast::Leave>(&s.node))
        return &make<LeaveAction>(node->kind, node->value ? expression(*node->value) : nullptr);
    return nullptr;
}

const Action* Linker::assignment(const ast::Assign& assign)
{
    // A call that is the whole right side gives its code as it is (spec/script 11).
    const Callee* const called = callee(*assign.value);
    const Expr* const value = called ? &make<CallValue>(*called, true) : expression(*assign.value);
    Trouble trouble;
    const Place* const place = names_.place(assign.target.text, trouble);
    if (!place) {
        report(assign.target_at, trouble);
        return nullptr;
    }
    if (const auto* var = dynamic_cast<const ScriptVarPlace*>(place))
        return &make<AssignVar>(var->slot(), *value);
    return &make<AssignPlace>(*place, *value, program_.arena.copy(assign.target.text), assign.target_at);
}

const Action* Linker::switch_over(const ast::Switch& node)
{
    const Expr* const value = expression(*node.value);
    std::vector<const Action*> actions;
    std::vector<SwitchAction::Label> labels;
    std::size_t fallback = SwitchAction::no_fallback;
    for (const ast::Case& c : node.cases) {
        SwitchAction::Label label;
        label.start = actions.size();
        switch (c.kind) {
        case ast::Case::Kind::number: label.number = c.number; break;
        case ast::Case::Kind::text: label.text = program_.arena.copy(c.text); break;
        case ast::Case::Kind::regex: label.pattern = pattern(c.text, Regex::Case::sensitive, c.at); break;
        case ast::Case::Kind::fallback: fallback = actions.size(); break;
        }
        if (c.kind != ast::Case::Kind::fallback)
            labels.push_back(label);
        add(c.body, actions);
    }
    const auto kept = names_.copy(actions);
    return &make<SwitchAction>(*value, node.labels == ast::Switch::Labels::integer, names_.copy(labels),
                               fallback, Block{kept.data(), kept.size()});
}

} // namespace sipyard::script
