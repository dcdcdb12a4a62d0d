// modules/presence_mwi/summary.cpp - the grammar of RFC 3842 5.2, line by line
#include "modules/presence_mwi/summary.h"

#include "core/base/format.h"
#include "core/base/text.h"

#include <algorithm>

namespace sipyard::presence_mwi {
namespace {

// The next line without its end; a line that begins with a blank goes on the one before (SWS, RFC 3261 25.1).
class Lines {
public:
    explicit Lines(std::string_view body) : rest_{body} {}
    bool at_end() const { return rest_.empty(); }
    std::string next()
    {
        std::string line{piece()};
        while (!line.empty() && !rest_.empty() && is_blank(rest_.front())) {
            line += ' ';
            line += trim(piece());
        }
        return line;
    }

private:
    std::string_view piece()
    {
        std::string_view line = cut(rest_, '\n');
        if (!line.empty() && line.back() == '\r')
            line.remove_suffix(1);
        return line;
    }
    std::string_view rest_;
};

bool is_token(std::string_view text)
{
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return is_alnum(c) || std::string_view{"-.!%*_+`'~"}.find(c) != std::string_view::npos;
    });
}

// Printable, and nothing that could end it: it goes into a line of every NOTIFY.
bool is_account(std::string_view uri)
{
    const auto colon = uri.find(':');
    return colon != std::string_view::npos && colon > 0 && is_alpha(uri.front()) && uri.size() <= 1024 &&
           std::all_of(uri.begin(), uri.end(), [](char c) {
               return static_cast<unsigned char>(c) > ' ' && c != 0x7f && c != '<' && c != '>' && c != '"';
           });
}

struct Reader {
    std::string_view rest;

    void skip() { rest = trim_left(rest); }
    bool take(char c)
    {
        skip();
        if (rest.empty() || rest.front() != c)
            return false;
        rest.remove_prefix(1);
        skip();
        return true;
    }
    bool number(std::uint32_t& value)
    {
        std::uint64_t read = 0;
        std::size_t digits = 0;
        for (; digits < rest.size() && is_digit(rest[digits]); ++digits)
            read = std::min<std::uint64_t>(read * 10 + static_cast<std::uint64_t>(rest[digits] - '0'),
                                           UINT32_MAX);
        rest.remove_prefix(digits);
        value = static_cast<std::uint32_t>(read);
        return digits > 0;
    }
    bool count(Count& value) { return number(value.fresh) && take('/') && number(value.old); }
};

Result<ClassLine> class_line(std::string_view name, std::string_view value)
{
    ClassLine line;
    line.name = name;
    Reader reader{value};
    bool good = reader.count(line.all);
    if (good && reader.take('(')) {
        line.urgent.emplace();
        good = reader.count(*line.urgent) && reader.take(')');
    }
    reader.skip();
    if (!good || !reader.rest.empty())
        return invalid(format("'{}' is no number of messages such as 2/8 (0/2)", value));
    return line;
}

std::string line_of(std::string_view name, const ClassLine& line)
{
    std::string text = format("{}: {}/{}", name, line.all.fresh, line.all.old);
    if (line.urgent)
        text += format(" ({}/{})", line.urgent->fresh, line.urgent->old);
    return text + "\r\n";
}

std::string head_of(const Summary& summary)
{
    std::string text = summary.waiting ? "Messages-Waiting: yes\r\n" : "Messages-Waiting: no\r\n";
    if (!summary.account.empty())
        text += "Message-Account: " + summary.account + "\r\n";
    return text;
}

} // namespace

Result<Summary> parse_summary(std::string_view body)
{
    Summary summary;
    Lines lines{body};
    for (std::size_t number = 0; !lines.at_end(); ++number) {
        const std::string line = lines.next();
        // What follows an empty line describes messages that are new to one watcher and may not be in his
        // first NOTIFY (3842 3.5): a composite for all watchers cannot have it.
        if (line.empty() && number > 0)
            return summary;
        const auto colon = line.find(':');
        const std::string_view name = trim_right(std::string_view{line}.substr(0, colon));
        if (colon == std::string::npos || !is_token(name))
            return invalid(format("line {} is no header: '{}'", number + 1, line.substr(0, 64)));
        std::string_view value = trim(std::string_view{line}.substr(colon + 1));
        if (number == 0) {
            if (!iequals(name, "Messages-Waiting"))
                return invalid("the first line is not Messages-Waiting");
            summary.waiting = iequals(value, "yes");
            if (!summary.waiting && !iequals(value, "no"))
                return invalid("Messages-Waiting is neither yes nor no");
        } else if (iequals(name, "Message-Account") && number == 1) {
            if (value.size() > 2 && value.front() == '<' && value.back() == '>')
                value = value.substr(1, value.size() - 2);
            if (!is_account(value))
                return invalid("Message-Account is no URI");
            summary.account = value;
        } else {
            if (summary.classes.size() >= most_classes)
                return invalid(format("more than {} classes of messages", most_classes));
            for (const ClassLine& known : summary.classes)
                if (iequals(known.name, name))
                    return invalid(format("{} is there twice", name));
            TRY(auto read, class_line(name, value));
            summary.classes.push_back(std::move(read));
        }
    }
    if (body.empty())
        return invalid("the summary is empty");
    return summary;
}

std::string print_summary(const Summary& summary)
{
    std::string text = head_of(summary);
    for (const ClassLine& line : summary.classes)
        text += line_of(line.name, line);
    return text;
}

std::string canonical(const Summary& summary)
{
    std::vector<std::string> lines;
    for (const ClassLine& line : summary.classes)
        lines.push_back(line_of(lower(line.name), line));
    std::sort(lines.begin(), lines.end());
    std::string text = head_of(summary);
    for (const std::string& line : lines)
        text += line;
    return text;
}

} // namespace sipyard::presence_mwi
