// core/script/lexer_directives.cpp - what stands between tokens: blanks, comments, #! lines, included files
#include "core/base/format.h"
#include "core/base/text.h"
#include "core/script/lexer.h"

#include <array>

namespace sipyard::script {

enum class Lexer::Directive : unsigned char {
    dialect,
    define,
    trydef,
    redef,
    undef,
    tryundef,
    defexp,
    defexps,
    ifdef,
    ifndef,
    ifexp,
    else_,
    endif,
    subst,
    substdef,
    substdefs,
    defenv,
    defenvs,
    trydefenv,
    trydefenvs,
    include,
    import,
};
struct Lexer::DirectiveWord {
    std::string_view word;
    Directive directive;
};

const Lexer::DirectiveWord* Lexer::directive_word(std::string_view word)
{
    using D = Directive;
    static constexpr std::array<DirectiveWord, 31> words = {{
        {"KAMAILIO", D::dialect},    {"OPENSER", D::dialect},       {"SER", D::dialect},
        {"MAXCOMPAT", D::dialect},   {"ALL", D::dialect},           {"define", D::define},
        {"def", D::define},          {"trydefine", D::trydef},      {"trydef", D::trydef},
        {"redefine", D::redef},      {"redef", D::redef},           {"undef", D::undef},
        {"undefine", D::undef},      {"tryundef", D::tryundef},     {"tryundefine", D::tryundef},
        {"defexp", D::defexp},       {"defexps", D::defexps},       {"ifdef", D::ifdef},
        {"ifndef", D::ifndef},       {"ifexp", D::ifexp},           {"else", D::else_},
        {"endif", D::endif},         {"subst", D::subst},           {"substdef", D::substdef},
        {"substdefs", D::substdefs}, {"defenv", D::defenv},         {"defenvs", D::defenvs},
        {"trydefenv", D::trydefenv}, {"trydefenvs", D::trydefenvs}, {"include_file", D::include},
        {"import_file", D::import},
    }};
    for (const DirectiveWord& entry : words)
        if (entry.word == word)
            return &entry;
    return nullptr;
}

namespace {

bool is_line_blank(int c) { return c == ' ' || c == '\t' || c == '\r' || c == '\b'; }

} // namespace

const Lexer::DirectiveWord* Lexer::directive_ahead() const
{
    if (!source_.starts_with("#!") && !source_.starts_with("!!"))
        return nullptr;
    std::string word;
    for (std::size_t i = 2; word.size() < 16; ++i) {
        const int c = source_.peek(i);
        if (c < 0 || (!is_alnum(static_cast<char>(c)) && c != '_'))
            break;
        word += static_cast<char>(c);
    }
    const DirectiveWord* found = directive_word(word);
    if (found == nullptr || (found->directive != Directive::else_ && found->directive != Directive::endif))
        return found;
    // These two end with a line end, which the end of the file does not replace (spec/script 2).
    for (std::size_t i = 2 + word.size();; ++i) {
        const int c = source_.peek(i);
        if (c == '\n')
            return found;
        if (c == Source::end)
            return nullptr;
    }
}

bool Lexer::pass_blanks()
{
    for (;;) {
        if (!pre_.active())
            pass_inactive();
        const int c = source_.peek();
        if (c == Source::end) {
            glued_ = false;
            if (source_.depth() <= 1) {
                finish();
                return false;
            }
            source_.leave();
        } else if (is_line_blank(c) || c == '\n') {
            glued_ = false;
            source_.next();
        } else if (c == '\\' && source_.peek(1) == '\n') {
            source_.skip(2);
        } else if (c == '\\' && source_.peek(1) == '\r' && source_.peek(2) == '\n') {
            source_.skip(3);
        } else if (const DirectiveWord* directive = directive_ahead()) {
            glued_ = false;
            obey(*directive);
        } else if (c == '#' || source_.starts_with("//")) {
            glued_ = false;
            pass_line();
        } else if (source_.starts_with("/*")) {
            glued_ = false;
            pass_nested_comment();
        } else {
            return true;
        }
    }
}

void Lexer::pass_line()
{
    while (source_.peek() != '\n' && source_.peek() != Source::end)
        source_.next();
}

void Lexer::pass_nested_comment()
{
    const Position start = source_.here();
    std::size_t open = 0;
    do {
        if (source_.starts_with("/*")) {
            ++open;
            source_.skip(2);
        } else if (source_.starts_with("*/")) {
            --open;
            source_.skip(2);
        } else if (source_.next() == Source::end) {
            // What was complete up to the comment still loads.
            diagnostics_.warn(start, format("unexpected EOF: {} comments open", open));
            return;
        }
    } while (open != 0);
}

// Text in a false part is not looked at, except for the directives that nest. They count wherever they stand.
void Lexer::pass_inactive()
{
    while (!pre_.active() && source_.peek() != Source::end) {
        const DirectiveWord* directive = directive_ahead();
        if (directive == nullptr) {
            source_.next();
            continue;
        }
        switch (directive->directive) {
        case Directive::ifdef:
        case Directive::ifndef:
        case Directive::ifexp:
        case Directive::else_:
        case Directive::endif: obey(*directive); break;
        default: source_.next();
        }
    }
    // A false part may begin in one file and end in the file that includes it.
    if (!pre_.active() && source_.depth() > 1) {
        source_.leave();
        pass_inactive();
    }
}

std::string Lexer::line_blanks_skipped()
{
    while (is_line_blank(source_.peek()))
        source_.next();
    std::string line;
    for (;;) {
        const int c = source_.peek();
        if (c == Source::end || c == '\n')
            break;
        if (c == '\\' && source_.peek(1) == '\n') {
            source_.skip(2);
        } else if (c == '\\' && source_.peek(1) == '\r' && source_.peek(2) == '\n') {
            source_.skip(3);
        } else {
            line += static_cast<char>(source_.next());
        }
    }
    while (!line.empty() && is_line_blank(line.back()))
        line.pop_back();
    return line;
}

void Lexer::report(const Result<void>& result, Position at)
{
    if (!result)
        diagnostics_.error(at, result.error().text);
}

void Lexer::obey(const DirectiveWord& directive)
{
    const Position at = source_.here();
    source_.skip(2 + directive.word.size());
    switch (directive.directive) {
    case Directive::dialect:
        if (directive.word == "SER")
            diagnostics_.error(at, "the SER dialect is not supported", "#!KAMAILIO");
        pass_line();
        return;
    case Directive::ifdef:
    case Directive::ifndef:
    case Directive::ifexp:
    case Directive::else_:
    case Directive::endif: return obey_condition(directive, at);
    case Directive::include:
    case Directive::import: return include(directive.word, at, directive.directive == Directive::include);
    case Directive::subst:
    case Directive::substdef:
    case Directive::substdefs: {
        while (is_line_blank(source_.peek()))
            source_.next();
        if (source_.peek() != '"' && source_.peek() != '\'') {
            diagnostics_.error(source_.here(), format("bad #!{}", directive.word),
                               "\"/re/replacement/flags\"");
            return pass_line();
        }
        const auto also = directive.directive == Directive::subst      ? Preprocessor::AlsoDefine::no
                          : directive.directive == Directive::substdef ? Preprocessor::AlsoDefine::plain
                                                                       : Preprocessor::AlsoDefine::quoted;
        const Position text_at = source_.here();
        // The earlier rules have already rewritten the string: that is how Kamailio reads it (spec/script 2).
        const Token text = read_string(Join::on_line);
        const auto added = pre_.add_substitution(text.text, also);
        if (!added)
            diagnostics_.error(text_at, format("bad #!{}: {}", directive.word, added.error().text));
        return;
    }
    default: return obey_define(directive.directive, at);
    }
}

void Lexer::obey_condition(const DirectiveWord& directive, Position at)
{
    switch (directive.directive) {
    case Directive::else_:
        pass_line();
        if (!pre_.flip())
            diagnostics_.warn(at, format("invalid position for preprocessor directive 'else' - at {} line {}",
                                         diagnostics_.file_name(at.file), at.line));
        return;
    case Directive::endif:
        pass_line();
        if (!pre_.end_if())
            diagnostics_.warn(at,
                              format("invalid position for preprocessor directive 'endif' - at {} line {}",
                                     diagnostics_.file_name(at.file), at.line));
        return;
    default: break;
    }
    bool holds = false;
    if (!pre_.active()) {
        pass_line(); // its name is not looked at either
    } else if (directive.directive == Directive::ifexp) {
        while (is_line_blank(source_.peek()))
            source_.next();
        const Position text_at = source_.here();
        const auto value = pre_.evaluate(line_blanks_skipped());
        if (!value)
            diagnostics_.error(text_at, "bad #!ifexp: " + value.error().text);
        holds = value && *value;
    } else {
        while (is_line_blank(source_.peek()))
            source_.next();
        const Position name_at = source_.here();
        const std::string id = identifier();
        if (id.empty())
            diagnostics_.error(name_at, format("a name is missing after #!{}", directive.word));
        else if (source_.peek() == '-')
            diagnostics_.error(source_.here(), "'-' not allowed", "a name of letters, digits and '_'");
        pass_line();
        holds = pre_.is_defined(id) == (directive.directive == Directive::ifdef);
    }
    report(pre_.begin_if(holds, at), at);
}

void Lexer::obey_define(Directive directive, Position at)
{
    using D = Directive;
    while (is_line_blank(source_.peek()))
        source_.next();
    const Position name_at = source_.here();
    if (directive == D::defenv || directive == D::defenvs || directive == D::trydefenv ||
        directive == D::trydefenvs) {
        const bool quoted = directive == D::defenvs || directive == D::trydefenvs;
        const bool tolerant = directive == D::trydefenv || directive == D::trydefenvs;
        return report(pre_.define_from_environment(line_blanks_skipped(), quoted, tolerant), name_at);
    }
    const std::string id = identifier();
    if (id.empty() || is_digit(id.front())) {
        diagnostics_.error(name_at, "a name is missing after #!define", "a name of letters, digits and '_'");
        return pass_line();
    }
    if (source_.peek() == '-') {
        diagnostics_.error(source_.here(), "'-' not allowed", "a name of letters, digits and '_'");
        return pass_line();
    }
    const std::string value = line_blanks_skipped();
    switch (directive) {
    case D::define: return report(pre_.define(id, value, Preprocessor::Existing::error), name_at);
    case D::trydef: return report(pre_.define(id, value, Preprocessor::Existing::keep), name_at);
    case D::redef: return report(pre_.define(id, value, Preprocessor::Existing::replace), name_at);
    case D::defexp:
    case D::defexps: return report(pre_.define_expression(id, value, directive == D::defexps), name_at);
    case D::undef:
        if (!pre_.undef(id))
            diagnostics_.error(name_at, format("not defined: {}", id));
        return;
    case D::tryundef: pre_.undef(id); return;
    default: diagnostics_.error(at, "syntax error");
    }
}

void Lexer::include(std::string_view word, Position at, bool must_exist)
{
    while (is_line_blank(source_.peek()) || source_.peek() == '\n')
        source_.next();
    if (source_.peek() != '"') {
        diagnostics_.error(source_.here(), format("{}: the file name is missing", word),
                           "a name in double quotes");
        return pass_line();
    }
    const Position name_at = source_.here();
    source_.next();
    const std::string name = pre_.substituted(read_quoted());
    if (name.empty() || name.size() >= 128)
        return diagnostics_.error(name_at, format("{}: the file name is empty or too long", word),
                                  "a name of 1 to 127 characters");
    if (source_.depth() > Source::deepest)
        return diagnostics_.error(
            at, format("too many includes in each other, at most {} are allowed", Source::deepest));
    std::string path = name;
    auto text = read_(path);
    if (!text && text.error().kind == ErrorKind::not_found && name.front() != '/') {
        const std::string& outer = source_.file_name();
        const auto slash = outer.rfind('/');
        if (slash != std::string::npos) {
            path = outer.substr(0, slash + 1) + name;
            text = read_(path);
        }
    }
    if (text)
        return source_.enter(path, std::move(text).value());
    if (text.error().kind != ErrorKind::not_found)
        diagnostics_.error(name_at, text.error().text);
    else if (must_exist)
        diagnostics_.error(name_at, format("include file not found: {}", name));
}

// At the very end: conditions that nobody closed.
void Lexer::finish()
{
    if (finished_)
        return;
    finished_ = true;
    const auto open = pre_.open();
    if (!open.empty())
        diagnostics_.error(
            open.back(),
            format("different number of preprocessor directives: {} more #!if[n]def as #!endif", open.size()),
            "#!endif and a line end");
}

} // namespace sipyard::script
