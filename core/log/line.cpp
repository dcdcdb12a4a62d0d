// core/log/line.cpp - levels, line format, and the Logger's way into the journal
#include "core/log/line.h"

#include "core/base/text.h"

#include <unistd.h>

#include <algorithm>
#include <iterator>

namespace sipyard::log {

namespace {

thread_local int index_of_thread = 0;

bool is_control(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

} // namespace

void set_thread_index(int index) { index_of_thread = index; }

int thread_index() { return index_of_thread; }

std::string_view to_text(Level level)
{
    constexpr std::string_view names[] = {"ALERT",   "BUG",    "CRITICAL", "CRITICAL", "ERROR",
                                          "WARNING", "NOTICE", "INFO",     "DEBUG"};
    // A script may ask for any number; those outside are as the nearest one.
    const int index = std::clamp(static_cast<int>(level) + 5, 0, static_cast<int>(std::size(names)) - 1);
    return names[index];
}

std::string line_of(Level level, std::string_view prefix, std::string_view name, std::string_view text)
{
    const auto word = to_text(level);
    std::string line;
    line.reserve(24 + word.size() + prefix.size() + name.size() + text.size());
    char number[20];
    const auto size = put_int(number, index_of_thread);
    if (size < 2)
        line += ' ';
    line.append(number, size);
    line += '(';
    line.append(number, put_int(number, getpid()));
    line += ") ";
    line += word;
    line += ": ";
    line += prefix;
    line += '<';
    line += name;
    line += ">: ";
    line += text;
    return line;
}

std::string printable(std::string_view text, LineEnd line_ends)
{
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        if (!is_control(c) || (line_ends == LineEnd::kept && (c == '\n' || c == '\r')))
            out += c;
        else if (c == '\n')
            out += "\\n";
        else if (c == '\r')
            out += "\\r";
        else
            out += format("\\x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
    return out;
}

void Logger::line(Level level, std::string_view prefix, std::string_view text) const
{
    if (!enabled(level))
        return;
    if (text.ends_with('\n')) // xlog("...\n"): the sink ends lines itself
        text.remove_suffix(1);
    if (text.ends_with('\r'))
        text.remove_suffix(1);
    journal_->append(
        level, line_of(level, printable(prefix, LineEnd::shown), name_, printable(text, LineEnd::kept)));
}

void Logger::write(Level level, std::string_view text, std::span<const FormatArg> args) const
{
    std::string out;
    format_to(out, text, args);
    if (std::any_of(out.begin(), out.end(), is_control))
        out = printable(out, LineEnd::shown);
    journal_->append(level, line_of(level, {}, name_, out));
}

} // namespace sipyard::log
