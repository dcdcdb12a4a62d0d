// core/script/checker.h - static types of expressions and what is computed while parsing (spec/script 11, 12)
#pragma once

#include "core/script/ast.h"
#include "core/script/diagnostic.h"

#include <string>
#include <utility>

namespace sipyard::script {

ast::ExpressionPtr make_expression(ast::Expression::Node node, Position at,
                                   ast::Type type = ast::Type::dynamic);

// Joins checked operands: reports a type mismatch, folds constants and `e && 1`, `e || 0`, turns `e == $null`
// into
// `!defined e`. Null when it reported something. `at` is the operator's place.
ast::ExpressionPtr join(ast::BinaryOp op, ast::ExpressionPtr left, ast::ExpressionPtr right, Position at,
                        Diagnostics& diagnostics);
ast::ExpressionPtr apply(ast::UnaryOp op, ast::ExpressionPtr operand, Position at, Diagnostics& diagnostics);
ast::ExpressionPtr choose(ast::ExpressionPtr condition, ast::ExpressionPtr yes, ast::ExpressionPtr no,
                          Position at, Diagnostics& diagnostics);

bool is_constant(const ast::Expression& expression); // Number or String
// Warnings for the condition of if and while (`statement` is "if" or "while").
void check_condition(const ast::Expression& condition, std::string_view statement, Diagnostics& diagnostics);

} // namespace sipyard::script
