// core/script/lexer.h - from characters to tokens, with directives obeyed and defines expanded (spec/script
// 1, 2)
#pragma once

#include "core/script/preprocessor.h"
#include "core/script/source.h"
#include "core/script/token.h"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace sipyard::script {

class Lexer {
public:
    using ReadFile = std::function<Result<std::string>(const std::string& path)>;

    Lexer(Preprocessor& preprocessor, Diagnostics& diagnostics, ReadFile read);

    void open(std::string name, std::string text); // the outermost file; before the first next()

    bool cut_short() const
    {
        return cut_short_;
    } // a string or a variable ran into the end: what follows is no news

    // The next token; Kind::end again and again after the last. What cannot be a token is reported and
    // skipped.
    Token next();

private:
    enum class Directive : unsigned char;
    struct DirectiveWord;
    static const DirectiveWord* directive_word(std::string_view word);

    const DirectiveWord* directive_ahead() const; // "#!word" or "!!word" with a known word
    bool pass_blanks(); // blanks, comments, directives; false at the end of the last file
    void pass_nested_comment();
    void pass_inactive();
    void pass_line();
    void obey(const DirectiveWord& directive);
    void obey_condition(const DirectiveWord& directive, Position at);
    void obey_define(Directive directive, Position at);
    void include(std::string_view word, Position at, bool must_exist);
    std::string line_blanks_skipped(); // what stands up to the line end, continuation lines joined
    std::string identifier();
    void report(const Result<void>& result, Position at);
    void finish();

    enum class Join : unsigned char { over_lines, on_line }; // how far the next of adjacent strings may be
    Token read_string(Join join);
    std::string read_quoted(); // after the opening quote, with escapes
    void read_escape(std::string& out);
    Token read_variable();
    bool read_balanced(std::string& out); // "(...)"; false when it is not closed
    Token read_select();
    Token read_number();
    Token read_operator();
    bool expand(const Token& id); // true when it was a define and its text is pushed

    Preprocessor& pre_;
    Diagnostics& diagnostics_;
    ReadFile read_;
    Source source_;
    std::size_t expansions_ = 0; // since the last character that came from a file
    bool glued_ = false, finished_ = false, cut_short_ = false;
};

} // namespace sipyard::script
