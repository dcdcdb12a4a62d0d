// core/script/variables.cpp - variables of modules, transformations, interpolated texts
#include "core/script/variables.h"

#include <sys/socket.h>

namespace sipyard::script {

// Fills in what the getter or setter is told. The texts live until it returns; f is not called when the inner
// name cannot be parsed.
template <class F>
auto ModuleVariable::with_call(Run& run, F&& f) const
{
    VariableSpec::Call call;
    call.text = how_.inner;
    call.parsed = how_.parsed;
    call.index = how_.index;
    NumberText room;
    std::shared_ptr<const void> parsed; // owns what `call` points to during the call
    if (how_.inner_expr) {
        const Value inner = how_.inner_expr->value(run);
        call.text = to_text(inner, room);
        if (how_.spec->parse) {
            auto made = how_.spec->parse(call.text);
            if (!made) {
                log_of(run).error("{}: {}", how_.text, made.error().text);
                return decltype(f(call)){};
            }
            parsed = std::move(*made);
            call.parsed = parsed.get();
        }
    }
    if (how_.index_expr)
        call.index = {Index::Kind::at, how_.index_expr->integer(run)};
    return f(call);
}

Value ModuleVariable::value(Run& run) const
{
    if (is_ready_) [[likely]]
        return how_.spec->get(how_.cell->object, run.request, ready_);
    return with_call(run, [&](const VariableSpec::Call& call) -> Value {
        return how_.spec->get(how_.cell->object, run.request, call);
    });
}

bool ModuleVariable::assign(Run& run, const Value& value) const
{
    return with_call(run, [&](const VariableSpec::Call& call) -> bool {
        return how_.spec->set(how_.cell->object, run.request, call, value);
    });
}

Value Transformed::value(Run& run) const
{
    Value v = base_.value(run);
    for (const Step& step : steps_) {
        if (!step.as_it_is) {
            if (v.is_null())
                return v; // null gives null, whatever the op (spec/script 16)
            if (v.is_integer())
                v = Value{keep_text(run, v)};
        }
        if (step.is_known) [[likely]] {
            v = step.spec->apply(run.request, v, step.known, step.parsed);
            continue;
        }
        Few<Value, most_args> args;
        if (!step.op.empty())
            args.add(step.op);
        for (const Expr* arg : step.args) {
            const Value* const known = arg->constant();
            args.add(known ? *known : arg->value(run));
        }
        v = step.spec->apply(run.request, v, args.items(), step.parsed);
    }
    return v;
}

void Interpolated::append(Run& run, std::string& out) const
{
    for (const Piece& piece : pieces_) {
        if (!piece.expr) {
            out += piece.text;
            continue;
        }
        const Value v = piece.expr->value(run);
        NumberText room;
        if (v.is_null() && piece.marks_null)
            out += "<null>";
        else
            out += to_text(v, room);
    }
}

Value Interpolated::value(Run& run) const
{
    std::string& scratch = run.context.vars->scratch;
    const std::size_t start = scratch.size();
    append(run, scratch);
    const auto made = run.request.arena().copy(std::string_view{scratch}.substr(start));
    scratch.resize(start);
    return made;
}

std::optional<Sending::Part> Sending::part_of(std::string_view name, bool whole)
{
    static constexpr struct {
        std::string_view name;
        Part part;
    } parts[] = {{"ip", Part::ip}, {"port", Part::port}, {"proto", Part::proto}, {"sproto", Part::sproto},
                 {"af", Part::af}, {"buf", Part::buf},   {"len", Part::len}};
    for (const auto& row : parts)
        if (row.name == name && (whole || (row.part != Part::buf && row.part != Part::len)))
            return row.part;
    return std::nullopt;
}

Value Sending::value(Run& run) const
{
    const net::Destination* const to = run.context.sending_to;
    if (!to || (from_ && !to->from))
        return {};
    const net::Address& address = from_ ? to->from->bound : to->to;
    switch (part_) {
    case Part::ip: return run.request.arena().copy(address.ip());
    case Part::port: return static_cast<std::int64_t>(address.port);
    case Part::proto: return static_cast<std::int64_t>(to->protocol);
    case Part::sproto: return net::to_text(to->protocol);
    case Part::af: return address.family == net::Address::Family::v6 ? AF_INET6 : AF_INET;
    case Part::buf: return run.request.arena().copy(run.context.sending);
    case Part::len: return static_cast<std::int64_t>(run.context.sending.size());
    }
    return {};
}

Value CustomGlobalRead::value(Run& run) const
{
    std::optional<std::int64_t> instance;
    for (const auto& [group, id] : run.context.selected)
        if (group == group_)
            instance = id;
    return globals_->get(variable_, instance, run.request.arena());
}

} // namespace sipyard::script
