// core/script/ast.h - a configuration as a tree: what the parser makes and the linker reads (spec/script 4, 7
// to 13)
#pragma once

#include "core/module/core_settings.h"
#include "core/module/manifest.h"
#include "core/net/address.h"
#include "core/script/ast_core.h"
#include "core/script/diagnostic.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

// Nodes are values: a tree owns all below it and can be moved. Pointers into manifests (FunctionSpec,
// ParamSpec, AnyManifest) belong to the module loader and must outlive the tree. Static types, arity and the
// route mask have been checked when a tree is handed over without errors; names of routes, variables, formats
// and patterns have not.
namespace sipyard::script::ast {

struct Expression;
struct Statement;
using ExpressionPtr = std::unique_ptr<Expression>;
using Block = std::vector<Statement>;

// --- expressions (spec/script 11) ----------------------------------------------------------------

enum class Type : unsigned char {
    dynamic, // known at run time only: a variable, or `+` with a variable on the left
    integer,
    text,
};

struct Number {
    std::int64_t value = 0;
};
struct String {
    enum class Quotes : unsigned char {
        twin,
        single,
        none
    };                // "..." '...' and a bare word where one is allowed
    std::string text; // escapes are resolved; not interpolated
    Quotes quotes = Quotes::twin;
};
// A variable as written: "$var(x)", "$(hdr(X)[1]{s.len})", "$rU". A select @a.b is "$sel(a.b)". Not looked
// up.
struct Variable {
    std::string text;
};

enum class UnaryOp : unsigned char {
    logic_not, // ! not      C truth: 1 when the operand is 0
    bit_not,   // ~
    negate,    // -
    defined,   // defined e: 1 for anything but a null variable. Also made from `e != $null`
    to_int,    // (int)
    to_text,   // (str)
    strlen,    // strlen(e)
    strempty,  // strempty(e)
};
struct Unary {
    UnaryOp op{};
    ExpressionPtr operand;
};

enum class BinaryOp : unsigned char {
    logic_or,
    logic_and, // short circuit, result 0 or 1
    bit_or,
    bit_and,
    bit_xor,
    shift_left,
    shift_right,
    equal,
    not_equal, // the left operand decides the type
    match,     // =~
    text_equal,
    text_not_equal, // eq ne
    int_equal,
    int_not_equal, // ieq ine
    less,
    greater,
    less_equal,
    greater_equal,
    plus,
    minus,
    times,
    divide,
    modulo,
};
std::string_view to_text(BinaryOp op); // as written: "||"
std::string_view to_text(UnaryOp op);

struct Binary {
    BinaryOp op{};
    ExpressionPtr left, right;
};

// selval(c, a, b): a when c > 0, else b.
struct Selval {
    ExpressionPtr condition, yes, no;
};

// A test with a keyword on one side: method == "INVITE", src_ip == 10.0.0.0/8, uri == myself. Texts compare
// without regard to letter case.
enum class Operand : unsigned char {
    method,
    uri,
    from_uri,
    to_uri, // `status` is uri: in a reply it reads the code
    src_ip,
    dst_ip,
    snd_ip,
    to_ip, // snd_ and to_ ones in onsend_route only
    src_port,
    dst_port,
    snd_port,
    to_port,
    msg_len,
    af,
    snd_af,
    proto,
    snd_proto,
};
std::string_view to_text(Operand operand);
struct Network {
    net::Address address;
    int bits = 0; // 32 or 128 for a single address
};
struct Myself {};
struct Test {
    Operand operand{};
    bool status = false; // written as `status`
    BinaryOp op{};       // equal not_equal match text_equal text_not_equal; numbers also < > <= >=
    // proto and snd_proto: a Number with Kamailio's protocol (udp 1, tcp 2, tls 3, sctp 4, ws 5, wss 6).
    // src_ip ...: Network, Myself, or an expression that gives a host name, an address or a network as text.
    std::variant<ExpressionPtr, Network, Myself> right;
};

// --- calls (spec/script 13, 14) ------------------------------------------------------------------

// A function of a module. `args` has spec->least to spec->args.size() entries.
struct Call {
    const FunctionSpec* function = nullptr;
    std::size_t module = 0; // index into Config::modules
    std::string name;       // as written
    std::vector<ExpressionPtr> args;
};
// A core function. Arguments are normalised: flag names are Numbers, words such as uri:host or
// tcp:1.2.3.4:5060 are Strings without quotes, constants have been checked as the table in ast_core.h says.
struct CoreCall {
    CoreFunction function{};
    std::vector<ExpressionPtr> args;
};
// route(NAME). A constant name is resolved when linking; otherwise `name` is evaluated per call.
struct RouteCall {
    std::optional<std::string> constant;
    ExpressionPtr name; // null when constant
};

// PV = e. When the whole right side is a Call, CoreCall, RouteCall or BlockValue, its raw return code is
// assigned.
struct Assign {
    Variable target;
    Position target_at;
    ExpressionPtr value;
};
// { actions } as an operand: the block's return code.
struct BlockValue {
    Block body;
};

struct Expression {
    using Node =
        std::variant<Number, String, Variable, Unary, Binary, Selval, Test, Call, CoreCall, RouteCall,
                     std::unique_ptr<Assign>, BlockValue>; // Assign: value 1 when it worked
    // Trees are at most this deep, blocks in expressions included, so that walking one needs little stack.
    static constexpr int deepest = 400;
    Node node;
    Position at{}; // of the operator for Binary, else of the first token
    Type type = Type::dynamic;
    int depth = 1; // of the tree below, this node included
};

// --- statements (spec/script 10) -----------------------------------------------------------------

struct Null {}; // ;
struct If {
    ExpressionPtr condition;
    Block yes, no; // `no` is empty without else
};
struct While {
    ExpressionPtr condition;
    Block body;
};
struct Case {
    enum class Kind : unsigned char { number, text, regex, fallback }; // fallback: default
    Kind kind{};
    std::int64_t number = 0;
    std::string text; // of text and regex (POSIX extended, letter case counts; not compiled)
    Position at{};
    Block body; // runs on into the next case unless it ends with break
};
struct Switch {
    enum class Labels : unsigned char { none, integer, text }; // none: only a default
    ExpressionPtr value;
    Labels labels = Labels::none;
    std::vector<Case> cases;
};
struct Leave {
    enum class Kind : unsigned char { drop, exit, return_, break_ };
    Kind kind{};
    ExpressionPtr value; // of return (default 1) and as written of drop and exit; null when absent
};

struct Statement {
    using Node = std::variant<Null, Call, CoreCall, RouteCall, Assign, If, While, Switch, Leave>;
    Node node;
    Position at{};
    Position end{}; // the last token: runaway and latency messages name it
};

// --- the file ------------------------------------------------------------------------------------

struct RouteBlock {
    Route kind = Route::request; // request, failure, branch, tm_reply, core_reply, onsend, event
    std::string name;            // "0" for the unnamed ones; event routes: "xhttp:request"
    Position at{};
    Block body; // several blocks named "0" append
};

struct ModuleParam {
    std::string name;
    std::string value;    // integers in decimal
    bool integer = false; // how it was written; equals spec->integer
    const ParamSpec* spec = nullptr;
    Position at{};
};
struct ModuleUse {
    std::string name; // from the manifest
    const AnyManifest* manifest = nullptr;
    Position at{};
    std::vector<ModuleParam> params; // in the order written
};

// group.name = value desc "..." ; group[id].name = value is an instance.
struct CustomGlobal {
    std::string group, name, description;
    std::optional<std::int64_t> instance;
    std::variant<std::int64_t, std::string> value;
    Position at{};
};

struct Config {
    CoreSettings settings;
    std::vector<ModuleUse> modules; // in load order
    std::vector<RouteBlock> routes; // one per (kind, name), in order of first appearance
    std::vector<CustomGlobal> globals;
    std::map<std::string, int> flags, avp_flags; // declared names
    std::map<std::string, std::string> defines;  // at the end of the file, for $def(X)
    std::vector<std::string> module_paths;       // mpath, loadpath, -L
    // Any other parameter that was accepted: name and value as written, for RPC core listings.
    std::map<std::string, std::string> others;

    const RouteBlock* route(Route kind, std::string_view name) const; // null when there is none
};

} // namespace sipyard::script::ast
