// core/script/node.cpp - coercions, and running a block of actions
#include "core/script/node.h"

#include "core/base/text.h"
#include "core/script/program.h"

#include <cstring>

namespace sipyard::script {

std::optional<std::int64_t> integer_of(std::string_view text)
{
    if (text.empty())
        return 0;
    if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        if (text.size() > 18)
            return std::nullopt;
        std::uint64_t number = 0;
        for (const char c : text.substr(2)) {
            const int digit = hex_digit(c);
            if (digit < 0)
                return std::nullopt;
            number = number * 16 + static_cast<std::uint64_t>(digit);
        }
        return static_cast<std::int64_t>(number);
    }
    return parse_int(text);
}

std::int64_t to_integer(const Run& run, const Value& value)
{
    if (!value.is_text())
        return value.number();
    if (const auto number = integer_of(value.text()))
        return *number;
    log_of(run).warn("automatic string to int conversion for \"{}\" failed", value.text());
    return 0;
}

std::string_view to_text(const Value& value, NumberText& room)
{
    if (!value.is_integer())
        return value.text();
    return {room, put_int(room, value.number())};
}

std::string_view keep_text(Run& run, const Value& value)
{
    NumberText room;
    return run.request.arena().copy(to_text(value, room));
}

Value keep(Run& run, const Value& value)
{
    return value.is_text() ? Value{run.request.arena().copy(value.text())} : value;
}

log::Logger log_of(const Run& run) { return run.program.log; }

std::string place(const Run& run, std::uint32_t file, std::uint32_t line)
{
    const auto& files = run.program.files;
    return format("{}:{}", file < files.size() ? std::string_view{files[file]} : std::string_view{"?"}, line);
}

// --- defaults of expressions ---------------------------------------------------------------------

std::int64_t Expr::integer(Run& run) const { return to_integer(run, value(run)); }

void Expr::append(Run& run, std::string& out) const
{
    const Value v = value(run);
    NumberText room;
    out += to_text(v, room);
}

void Expr::store(Run& run, VarSlot& slot) const
{
    const Value v = value(run);
    if (!(run.pending & no_value))
        slot.set(v);
}

// --- blocks --------------------------------------------------------------------------------------

namespace {

bool too_deep(Run& run)
{
    char here = 0;
    const auto used = static_cast<std::size_t>(
        run.context.stack_start > &here ? run.context.stack_start - &here : &here - run.context.stack_start);
    if (run.context.level < run.program.max_level && used < run.context.stack_limit) [[likely]]
        return false;
    log_of(run).error("too many recursive levels in the routing script ({})", run.context.level + 1);
    run.last = -1;
    return true;
}

} // namespace

void run_block(Run& run, const Block& block)
{
    if (too_deep(run)) [[unlikely]]
        return;
    ++run.context.level;
    for (std::size_t i = 0; i < block.count; ++i) {
        block.actions[i]->run(run);
        if (run.pending != nothing)
            break;
    }
    --run.context.level;
}

} // namespace sipyard::script
