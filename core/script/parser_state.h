// core/script/parser_state.h - the recursive-descent parser's members, shared by parser*.cpp
#pragma once

#include "core/script/checker.h"
#include "core/script/globals.h"
#include "core/script/lexer.h"
#include "core/script/parser.h"

#include <deque>
#include <initializer_list>

namespace sipyard::script {

// Every read_... function that gives nothing or false has reported why. After an error in a statement the
// parser goes on at the next one, so one run shows all that is wrong.
class Parser {
public:
    Parser(const LoadOptions& options, ModuleLoader& loader, Diagnostics& diagnostics);
    std::optional<ast::Config> run(std::string name, std::string text);

private:
    // A mistake in nesting must not overflow the stack of whoever parses or walks the tree.
    static constexpr int deepest = 200;
    static constexpr int deepest_block_value = 8;

    // --- tokens (parser.cpp)
    const Token& peek(std::size_t ahead = 0);
    Token take();
    bool accept(std::string_view op);
    bool accept_id(std::string_view word);
    bool expect(std::string_view op); // else "syntax error: unexpected X, expected 'op'"
    void unexpected(std::string_view expected);
    void error(Position at, std::string message, std::string expected = {}, std::string_view near = {});
    bool too_deep(Position at);

    // --- the command line and the file (parser.cpp)
    void command_line_first();
    void command_line_last();
    void top_level_item();
    void recover_top_level(Position after);
    bool starts_top_level();
    void read_flags(std::map<std::string, int>& into);
    void finish();

    // --- routes (parser.cpp)
    void read_route(Route kind, bool unnamed);
    std::optional<std::string> read_route_name(Route kind);
    std::optional<std::string> read_event_name();

    // --- global parameters and sockets (parser_globals.cpp)
    void read_global(const GlobalParam& param);
    std::optional<GlobalValue> read_global_value(const GlobalParam& param);
    void store_global(const GlobalParam& param, const GlobalValue& value, Position at);
    void read_coreparam();
    void read_unknown_global();
    void read_custom_global();
    std::optional<std::int64_t> read_integer(); // sign, number, boolean word; nothing reported
    bool at_address();
    std::string read_address_text(bool with_mask); // glued tokens of [proto:]host[:port]
    void read_listen();
    void read_socket();
    bool read_socket_attribute(ListenLine& line, bool& bound);
    void add_listen(ListenLine line, Position at);
    void read_aliases();
    void read_paths();

    // --- modules (parser_modules.cpp)
    void read_loadmodule(bool expanded);
    void read_modparam(bool expanded);
    bool load_module(const std::string& file, Position at);
    void set_param(const std::string& modules, Position modules_at, const std::string& name, Position name_at,
                   const GlobalValue& value, Position value_at, bool convert);
    std::optional<std::string> expand(const std::string& text, Position at);

    // --- statements (parser_statement.cpp)
    bool read_block(ast::Block& into);                 // { actions }
    void read_actions(ast::Block& into, bool in_case); // up to '}', or 'case' and 'default'
    bool read_body(ast::Block& into);                  // stm of if and while
    bool read_statement(ast::Block& into);
    bool read_if(ast::Statement& to);
    bool read_while(ast::Statement& to);
    bool read_switch(ast::Statement& to);
    bool read_case(ast::Switch& to);
    bool read_leave(ast::Statement& to);
    bool read_assign(ast::Assign& to);
    bool read_call_statement(ast::Statement& to);
    void recover_statement(bool conditional); // of an if: its else goes too

    // --- expressions (parser_expression.cpp)
    ast::ExpressionPtr read_expression(int least = 1);
    ast::ExpressionPtr read_unary();
    ast::ExpressionPtr read_primary();
    ast::ExpressionPtr read_parenthesis();
    ast::ExpressionPtr read_function_operator(); // strlen, strempty, selval
    ast::ExpressionPtr read_test();              // method == ..., uri == ..., src_ip == ...
    bool read_test_right(ast::Test& test);
    bool read_network(ast::Test& test);
    std::optional<ast::Operand> operand_ahead(std::size_t& tokens);
    std::optional<ast::BinaryOp> operator_ahead(int& level);

    // --- calls (parser_call.cpp)
    using AnyCall = std::variant<ast::Call, ast::CoreCall, ast::RouteCall>;
    std::optional<AnyCall> read_call(); // at NAME, with or without '('
    std::optional<AnyCall> read_route_call();
    std::optional<AnyCall> read_core_call(const CoreSpec& spec);
    std::optional<AnyCall> read_module_call();
    std::optional<std::vector<ast::ExpressionPtr>> read_args();
    ast::ExpressionPtr read_core_arg(CoreArg kind);
    ast::ExpressionPtr read_flag(const std::map<std::string, int>& names);
    void unknown_command(const Token& name, std::size_t args, bool with_args);
    bool check_block(RouteMask mask, const Token& name);

    const LoadOptions& options_;
    ModuleLoader& loader_;
    Diagnostics& diagnostics_;
    Preprocessor pre_;
    Lexer lexer_;
    std::deque<Token> ahead_;
    Position last_end_{}; // of the token taken last
    ast::Config config_;
    Route block_ = Route::request; // the block being read
    int depth_ = 0;
    int block_values_ = 0;
    int in_args_ = 0; // > 0 while arguments of a call are read
    int next_socket_workers_ = 0;
    bool listen_from_command_line_ = false;
    bool end_told_ = false;
};

} // namespace sipyard::script
