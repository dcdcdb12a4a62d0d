// core/script/diagnostic.h - what is wrong with a configuration, where, and how it is printed (spec/script
// 22)
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::script {

// A place in the configuration. Columns and lines are counted from 1, a tab is one column; `file` is an index
// into the Diagnostics that read the file (its `file_name(file)`). Line 0: no place is known (command line).
struct Position {
    std::uint32_t file = 0;
    std::uint32_t line = 0, column = 0;
    friend bool operator==(const Position&, const Position&) = default;
};

enum class Severity : unsigned char { error, warning };

struct Diagnostic {
    Severity severity = Severity::error;
    Position at{};
    std::string message{};
    std::string expected{}; // "a number", a whole phrase; printed as "expected a number"; may be empty
    std::string
        nearest{}; // the known name a misspelt one resembles; printed as "did you mean 'x'?"; may be empty
};

// Collects diagnostics and keeps the text of every file read, to show the line in question. One per load; not
// shared between threads. After `most_errors` errors further ones are counted but not kept: a hostile file
// stays cheap.
class Diagnostics {
public:
    static constexpr std::size_t most_errors = 100;

    // Remembers a file; the index is what Position::file holds. The text is copied.
    std::uint32_t add_file(std::string name, std::string_view text);
    std::string_view file_name(std::uint32_t file) const; // "" when there is no such file
    std::string_view line_text(Position at) const;        // without the line end; "" when unknown

    void error(Position at, std::string message, std::string expected = {}, std::string_view nearest = {});
    void warn(Position at, std::string message);
    void add(Diagnostic diagnostic);

    bool failed() const { return errors_ != 0; }
    std::size_t errors() const { return errors_; }
    const std::vector<Diagnostic>& all() const { return all_; } // in the order they were found

    // "FILE:L:C: error: MESSAGE, expected ..., did you mean ...?", the source line and a caret below the
    // column.
    std::string text(const Diagnostic& diagnostic) const;
    // Every diagnostic in the order of finding, and "ERROR: bad config file (N errors)\n" last
    // when there was an error.
    std::string report() const;

private:
    struct File {
        std::string name, text;
    };
    std::vector<File> files_;
    std::vector<Diagnostic> all_;
    std::size_t errors_ = 0;
};

} // namespace sipyard::script
