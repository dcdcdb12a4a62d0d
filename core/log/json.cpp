// core/log/json.cpp - takes a line apart and writes it as an object
#include "core/log/json.h"

#include "core/base/text.h"

#include <algorithm>

namespace sipyard::log {

namespace {

// Length of the UTF-8 sequence at the start (RFC 3629), 0 when there is none.
std::size_t utf8_length(std::string_view text)
{
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    const std::size_t size = first < 0x80                    ? 1
                             : first >= 0xc2 && first < 0xe0 ? 2
                             : (first & 0xf0) == 0xe0        ? 3
                             : first >= 0xf0 && first < 0xf5 ? 4
                                                             : 0;
    if (size == 0 || size > text.size())
        return 0;
    for (std::size_t i = 1; i < size; ++i)
        if ((byte(i) & 0xc0) != 0x80)
            return 0;
    const bool too_long = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
    const bool no_character = (first == 0xed && byte(1) > 0x9f) || (first == 0xf4 && byte(1) > 0x8f);
    return too_long || no_character ? 0 : size;
}

void put_text(std::string& out, std::string_view text)
{
    while (!text.empty()) {
        const std::size_t size = utf8_length(text);
        const char c = text.front();
        const auto code = static_cast<unsigned>(static_cast<unsigned char>(c));
        if (c == '"' || c == '\\')
            (out += '\\') += c;
        else if (c == '\n')
            out += "\\n";
        else if (c == '\r')
            out += "\\r";
        else if (c == '\t')
            out += "\\t";
        else if (size == 0 || code < 0x20 || code == 0x7f)
            out += format("\\u{:04x}", code);
        else
            out += text.substr(0, size);
        text.remove_prefix(std::max<std::size_t>(size, 1));
    }
}

// Where "<name>: " begins: a name is one word, so a '<' of a URI in the prefix is none.
std::size_t find_name(std::string_view text, std::string_view& name)
{
    for (auto at = text.find('<'); at != std::string_view::npos; at = text.find('<', at + 1)) {
        auto end = at + 1;
        while (end < text.size() && (is_alnum(text[end]) || text[end] == '_'))
            ++end;
        if (end > at + 1 && text.substr(end).starts_with(">: ")) {
            name = text.substr(at + 1, end - at - 1);
            return at;
        }
    }
    return std::string_view::npos;
}

class Json final : public Sink {
public:
    explicit Json(std::unique_ptr<Sink> inside) : inside_{std::move(inside)} {}
    void write(Level level, std::string_view line) override { inside_->write(level, json_of(line)); }
    void reopen() override { inside_->reopen(); }

private:
    const std::unique_ptr<Sink> inside_;
};

} // namespace

std::string json_of(std::string_view line)
{
    std::string out{"{"};
    std::string_view rest = trim_left(line), name;
    const auto open = rest.find('('), close = rest.find(") "), colon = rest.find(": ");
    const bool is_ours = open != std::string_view::npos && close != std::string_view::npos &&
                         colon != std::string_view::npos && open < close && close < colon;
    const auto index = is_ours ? parse_uint(rest.substr(0, open)) : std::nullopt;
    const auto pid = is_ours ? parse_uint(rest.substr(open + 1, close - open - 1)) : std::nullopt;
    const auto behind = is_ours ? rest.substr(colon + 2) : rest;
    const auto at = find_name(behind, name);
    if (index && pid && at != std::string_view::npos) {
        out += format("\"idx\":{},\"pid\":{},\"level\":\"{}\",\"module\":\"{}\",\"logprefix\":\"", *index,
                      *pid, rest.substr(close + 2, colon - close - 2), name);
        put_text(out, behind.substr(0, at));
        out += "\",";
        rest = behind.substr(at + name.size() + 4);
    }
    out += "\"message\":\"";
    put_text(out, rest);
    out += "\"}";
    return out;
}

std::unique_ptr<Sink> json_sink(std::unique_ptr<Sink> inside)
{
    return std::make_unique<Json>(std::move(inside));
}

} // namespace sipyard::log
