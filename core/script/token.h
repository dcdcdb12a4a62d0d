// core/script/token.h - what the lexer hands to the parser (spec/script 1)
#pragma once

#include "core/script/ast.h"
#include "core/script/diagnostic.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace sipyard::script {

struct Token {
    enum class Kind : unsigned char {
        end,
        id, // name or keyword
        number,
        num_id, // 12ab: legal inside host and interface names only
        string,
        variable, // $... and @select
        op,       // punctuation and operators; the casts "(int)" and "(str)" too
    };
    Kind kind = Kind::end;
    std::string text;             // id, op, number: as written; string: its contents; variable: as written
    std::int64_t number = 0;      // of number
    ast::String::Quotes quotes{}; // of string
    Position at{}, end{};         // first and last character
    bool glued = false;           // nothing stands between this token and the one before

    bool is(std::string_view op) const { return kind == Kind::op && text == op; }
    bool is_id(std::string_view word) const { return kind == Kind::id && text == word; }
    bool is_end() const { return kind == Kind::end; }
};

// How a message names the token: "'xyz'", "a string", "the end of the file".
std::string to_text(const Token& token);

// Words that are no identifiers: statements, operators, operands, types. Global parameters are reserved too
// (is_reserved in globals.h asks both).
bool is_keyword(std::string_view word);

// yes, true, on, enable: 1; no, false, off, disable: 0; -1 for any other word.
int boolean_word(std::string_view word);

} // namespace sipyard::script
