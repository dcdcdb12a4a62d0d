// core/script/source.h - the characters of a configuration: nested files, text pushed back, and where each
// stands
#pragma once

#include "core/base/result.h"
#include "core/script/diagnostic.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::script {

// Reads the innermost file; tokens never reach over its end. The text of a macro is pushed in front of what
// follows and keeps the macro's place, so `#!define V $var` and `V(x)` make one variable as they do in
// Kamailio.
class Source {
public:
    static constexpr int end = -1;
    static constexpr std::size_t deepest = 10;          // nested includes
    static constexpr std::size_t most_pushed = 1 << 16; // bytes of macro text waiting

    explicit Source(Diagnostics& diagnostics) : diagnostics_{diagnostics} {}

    void enter(std::string name, std::string text); // begins a file
    void leave();                                   // its end was handled
    std::size_t depth() const { return files_.size(); }
    const std::string& file_name() const { return files_.back().name; }

    int peek(std::size_t ahead = 0) const; // a byte, or `end`
    int next();
    void skip(std::size_t count);
    bool starts_with(std::string_view text) const; // what comes next
    Position here() const;                         // of the next character
    Position before() const { return before_; }    // of the last character taken

    // False when so much is waiting that a macro must be calling itself.
    bool push(std::string_view text, Position at);
    bool in_pushed() const;

private:
    struct File {
        std::string name, text, pushed;
        std::size_t at = 0, pushed_at = 0;
        Position place{}, pushed_place{};
    };
    Diagnostics& diagnostics_;
    std::vector<File> files_;
    Position before_{};
};

// A whole file. Refuses what is no regular file and what is larger than 16 MiB.
Result<std::string> read_config_file(const std::string& path);

} // namespace sipyard::script
