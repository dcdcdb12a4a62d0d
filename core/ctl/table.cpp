// core/ctl/table.cpp - columns as wide as what is in them
#include "core/ctl/table.h"

#include "core/base/text.h"

#include <algorithm>
#include <vector>

namespace sipyard::ctl {

namespace {

std::string cell(const json::Value& value)
{
    std::string text;
    switch (value.type()) {
    case json::Type::null: return "";
    case json::Type::string: text = value.text(); break;
    case json::Type::boolean: return value.boolean() ? "yes" : "no";
    case json::Type::integer: return std::to_string(value.integer());
    default: text = value.dump();
    }
    for (char& c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            c = c == '\n' ? '\n' : '.';
    return text;
}

// UTF-8 characters, near enough to columns.
std::size_t width(std::string_view text)
{
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string rows_to_text(const std::vector<std::vector<std::string>>& rows, bool heading)
{
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()), 0);
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], width(row[i]));
    }
    std::string text;
    for (std::size_t r = 0; r < rows.size(); ++r) {
        std::string line;
        for (std::size_t i = 0; i < rows[r].size(); ++i) {
            line += rows[r][i];
            if (i + 1 < rows[r].size())
                line.append(widths[i] - width(rows[r][i]) + 2, ' ');
        }
        text += std::string{trim_right(line)} + "\n";
        if (heading && r == 0) {
            for (std::size_t i = 0; i < widths.size(); ++i)
                text += std::string(widths[i], '-') + (i + 1 < widths.size() ? "  " : "");
            text += "\n";
        }
    }
    return text;
}

} // namespace

std::string to_table(const json::Value& answer)
{
    if (answer.is_object()) {
        std::vector<std::vector<std::string>> rows;
        for (const auto& [name, value] : answer.members())
            rows.push_back({name, cell(value)});
        return rows_to_text(rows, false);
    }
    if (!answer.is_array())
        return cell(answer) + "\n";
    if (answer.size() == 0)
        return "(none)\n";
    if (!answer[std::size_t{0}].is_object()) {
        std::string text;
        for (const auto& item : answer.items())
            text += cell(item) + "\n";
        return text;
    }
    std::vector<std::string> columns;
    for (const auto& item : answer.items())
        for (const auto& member : item.members())
            if (std::find(columns.begin(), columns.end(), member.name) == columns.end())
                columns.push_back(member.name);
    std::vector<std::vector<std::string>> rows{columns};
    for (const auto& item : answer.items()) {
        std::vector<std::string> row;
        for (const std::string& column : columns)
            row.push_back(cell(item[column]));
        rows.push_back(std::move(row));
    }
    return rows_to_text(rows, true);
}

} // namespace sipyard::ctl
