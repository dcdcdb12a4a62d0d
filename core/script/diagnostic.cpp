// core/script/diagnostic.cpp - collecting diagnostics and printing them under their source line
#include "core/script/diagnostic.h"

#include "core/base/format.h"

#include <algorithm>

namespace sipyard::script {

namespace {

// A line is shown in part when it is very long: a hostile file must not fill the terminal.
constexpr std::size_t longest_line = 200;

// What a terminal can show of a byte of the source; a tab stays one column (spec/script 22).
std::string shown(std::string_view line)
{
    std::string out{line};
    for (char& c : out)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            c = ' ';
    return out;
}

} // namespace

std::uint32_t Diagnostics::add_file(std::string name, std::string_view text)
{
    files_.push_back({std::move(name), std::string{text}});
    return static_cast<std::uint32_t>(files_.size() - 1);
}

std::string_view Diagnostics::file_name(std::uint32_t file) const
{
    return file < files_.size() ? std::string_view{files_[file].name} : std::string_view{};
}

std::string_view Diagnostics::line_text(Position at) const
{
    if (at.file >= files_.size() || at.line == 0)
        return {};
    std::string_view rest = files_[at.file].text;
    for (std::uint32_t line = 1; line < at.line; ++line) {
        const auto end = rest.find('\n');
        if (end == std::string_view::npos)
            return {};
        rest.remove_prefix(end + 1);
    }
    rest = rest.substr(0, rest.find('\n'));
    if (!rest.empty() && rest.back() == '\r')
        rest.remove_suffix(1);
    return rest;
}

void Diagnostics::error(Position at, std::string message, std::string expected, std::string_view nearest)
{
    add({Severity::error, at, std::move(message), std::move(expected), std::string{nearest}});
}

void Diagnostics::warn(Position at, std::string message) { add({Severity::warning, at, std::move(message)}); }

void Diagnostics::add(Diagnostic diagnostic)
{
    if (diagnostic.severity == Severity::error)
        ++errors_;
    // Warnings have the same limit of their own, so that they cannot push out the errors.
    const auto same = std::count_if(all_.begin(), all_.end(),
                                    [&](const Diagnostic& d) { return d.severity == diagnostic.severity; });
    if (static_cast<std::size_t>(same) < most_errors)
        all_.push_back(std::move(diagnostic));
}

std::string Diagnostics::text(const Diagnostic& d) const
{
    std::string out;
    const bool placed = d.at.line != 0;
    if (placed)
        out = format("{}:{}:{}: ", file_name(d.at.file), d.at.line, d.at.column);
    else if (!file_name(d.at.file).empty())
        out = format("{}: ", file_name(d.at.file));
    out += d.severity == Severity::error ? "error: " : "warning: ";
    out += d.message;
    if (!d.expected.empty())
        out += ", expected " + d.expected;
    if (!d.nearest.empty())
        out += format(", did you mean '{}'?", d.nearest);
    out += '\n';
    if (!placed)
        return out;

    std::string_view line = line_text(d.at);
    std::size_t column = d.at.column == 0 ? 0 : d.at.column - 1;
    if (line.empty() || column > line.size())
        return out;
    if (line.size() > longest_line) {
        const std::size_t from = column > longest_line / 2 ? column - longest_line / 2 : 0;
        line = line.substr(from, longest_line);
        column -= from;
    }
    out += "    " + shown(line) + "\n    " + std::string(column, ' ') + "^\n";
    return out;
}

std::string Diagnostics::report() const
{
    std::string out;
    for (const Diagnostic& diagnostic : all_)
        out += text(diagnostic);
    if (errors_ != 0)
        out += format("ERROR: bad config file ({} errors)\n", errors_);
    return out;
}

} // namespace sipyard::script
