// core/json/dump.cpp - values as JSON text
#include "core/base/text.h"
#include "core/json/value.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace sipyard::json {

namespace {

enum class Style : unsigned char { compact, pretty };

// Bytes of the character at the front, 0 when it is no UTF-8.
std::size_t character_size(std::string_view text)
{
    for (std::size_t size = 1; size <= std::min<std::size_t>(4, text.size()); ++size)
        if (is_utf8(text.substr(0, size)))
            return size;
    return 0;
}

void put_text(std::string& out, std::string_view text)
{
    out += '"';
    while (!text.empty()) {
        const auto plain = std::find_if(text.begin(), text.end(), [](char c) {
            return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f ||
                   c == '"' || c == '\\';
        });
        const auto length = static_cast<std::size_t>(plain - text.begin());
        out += text.substr(0, length);
        text.remove_prefix(length);
        if (text.empty())
            break;
        const char c = text.front();
        std::size_t taken = 1;
        switch (c) {
        case '"': out += "\\\""; break;
        case '\\': out += "\\\\"; break;
        case '\n': out += "\\n"; break;
        case '\r': out += "\\r"; break;
        case '\t': out += "\\t"; break;
        default:
            if (static_cast<unsigned char>(c) < 0x80) {
                out += "\\u00" + hex({&c, 1});
            } else if (const auto size = character_size(text); size > 0) {
                out += text.substr(0, size);
                taken = size;
            } else {
                out += "\xef\xbf\xbd";
            }
        }
        text.remove_prefix(taken);
    }
    out += '"';
}

void put_real(std::string& out, double value)
{
    if (!std::isfinite(value)) {
        out += "null"; // JSON has no word for it
        return;
    }
    char text[32];
    const auto end =
        std::to_chars(text, text + sizeof text, value).ptr; // the shortest that reads back the same
    const std::string_view number{text, static_cast<std::size_t>(end - text)};
    out += number;
    if (number.find_first_of(".e") == std::string_view::npos)
        out += ".0"; // stays a real when it is read again
}

class Writer {
public:
    explicit Writer(Style style) : style_{style} {}

    void put(const Value& value)
    {
        switch (value.type()) {
        case Type::null: out += "null"; break;
        case Type::boolean: out += value.boolean() ? "true" : "false"; break;
        case Type::integer: {
            char number[20];
            out.append(number, put_int(number, value.integer()));
            break;
        }
        case Type::real: put_real(out, value.real()); break;
        case Type::string: put_text(out, value.text()); break;
        case Type::array: list('[', value.items(), ']', [this](const Value& item) { put(item); }); break;
        case Type::object:
            list('{', value.members(), '}', [this](const Member& member) {
                put_text(out, member.name);
                out += style_ == Style::pretty ? ": " : ":";
                put(member.value);
            });
        }
    }

    std::string out;

private:
    template <class List, class Put>
    void list(char first, const List& items, char last, Put&& put_item)
    {
        out += first;
        ++level_;
        bool more = false;
        for (const auto& item : items) {
            if (more)
                out += ',';
            more = true;
            new_line();
            put_item(item);
        }
        --level_;
        if (more)
            new_line();
        out += last;
    }
    void new_line()
    {
        if (style_ == Style::pretty) {
            out += '\n';
            out.append(level_ * 4, ' ');
        }
    }

    const Style style_;
    std::size_t level_ = 0;
};

} // namespace

std::string Value::dump() const
{
    Writer writer{Style::compact};
    writer.put(*this);
    return std::move(writer.out);
}

std::string Value::dump_pretty() const
{
    Writer writer{Style::pretty};
    writer.put(*this);
    return std::move(writer.out);
}

} // namespace sipyard::json
