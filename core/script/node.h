// core/script/node.h - what a linked program is made of: expressions, actions, and the state of a running
// script
#pragma once

#include "core/module/host.h"
#include "core/script/var_table.h"

#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace sipyard::script {

class Program;
struct Worker;

// Why the actions after this one do not run. Bits of Run::pending.
enum Pending : unsigned char {
    nothing = 0,
    leave_loop = 1,   // break
    leave_route = 2,  // return
    leave_script = 4, // exit, drop, return 0, a function that returned 0
    no_value = 8, // the expression in hand has no value (division by zero); gone at the end of its statement
};

// What the scripts that run inside each other on one fiber share. Made by the outermost; it takes the
// worker's variables along when it is suspended.
struct Context {
    Worker* worker = nullptr;
    VarTable* vars = nullptr;
    int level = 0;                     // nested blocks and routes
    const char* stack_start = nullptr; // to notice that the fiber's stack runs out before it does
    std::size_t stack_limit = 0;
    std::vector<std::pair<std::string, std::int64_t>> selected; // cfg_select: group and instance
    std::string prefix;                                         // log_prefix, evaluated
    bool has_prefix = false;
    bool in_prefix = false;                       // being evaluated: its own log lines go without
    const net::Destination* sending_to = nullptr; // in onsend_route
    std::string_view sending;
};

// One run of one route block for one request, with the routes it calls.
struct Run {
    Request& request;
    Context& context;
    const Program& program;
    int last = 1; // return code of the last action
    unsigned char pending = nothing;
    bool dropped = false;
};

// Return value of whatever yields text: a view into the message, the arena, the program, or (until the next
// assignment) a variable's slot.
class Expr {
public:
    virtual ~Expr() = default;
    virtual Value value(Run& run) const = 0;
    virtual std::int64_t integer(Run& run) const;          // null 0, texts converted (spec/script 11)
    virtual void append(Run& run, std::string& out) const; // as text; null adds nothing
    virtual void store(Run& run, VarSlot& slot) const;     // into a variable, unless the value fails

    // Known when linked:
    virtual const Value* constant() const { return nullptr; }
    virtual bool calls() const { return false; } // may run functions or assign: views of variables get stale
    virtual bool reads_slot() const { return false; } // a text may be a view of a variable's slot
};

class Action {
public:
    virtual ~Action() = default;
    virtual void run(Run& run) const = 0; // leaves its return code in run.last
};

// Something with a return code: a function, a route, a core action, a block.
class Callee {
public:
    virtual ~Callee() = default;
    virtual int call(Run& run) const = 0;
};

struct Block {
    const Action* const* actions = nullptr;
    std::size_t count = 0;
};
// Runs them until one leaves. The level counts (spec/script 12): too deep is -1 and an error in the log.
void run_block(Run& run, const Block& block);

// --- coercions (spec/script 11) ------------------------------------------------------------------

std::int64_t to_integer(const Run& run, const Value& value);   // warns about a text that is no number
std::optional<std::int64_t> integer_of(std::string_view text); // decimal with sign, 0x hex; "" is 0
using NumberText = char[24];
std::string_view to_text(const Value& value, NumberText& room); // null is ""
// The same, good until the request ends.
std::string_view keep_text(Run& run, const Value& value);
Value keep(Run& run, const Value& value);

// Room for a few values of which only those that are used get made.
template <class T, std::size_t most>
class Few {
public:
    T& add(const T& item) { return *new (room_ + count_++ * sizeof(T)) T(item); }
    std::span<const T> items() const { return {reinterpret_cast<const T*>(room_), count_}; }
    std::size_t size() const { return count_; }

private:
    static_assert(std::is_trivially_destructible_v<T>);
    alignas(T) std::byte room_[most * sizeof(T)]; // not initialised on purpose
    std::size_t count_ = 0;
};

log::Logger log_of(const Run& run);                                        // <core>
std::string place(const Run& run, std::uint32_t file, std::uint32_t line); // "FILE:LINE"

} // namespace sipyard::script
