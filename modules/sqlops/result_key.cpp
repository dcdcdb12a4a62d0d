// modules/sqlops/result_key.cpp - reads $dbr's key
#include "modules/sqlops/result_key.h"

#include "core/base/format.h"
#include "core/base/text.h"

namespace sipyard::sqlops {

Result<ResultKey> ResultKey::parse(std::string_view text)
{
    const Error wrong = invalid(format("'{}' is not result=>rows, cols, [row,col] or colname[n]", text));
    const auto arrow = text.find("=>");
    if (arrow == std::string_view::npos)
        return wrong;
    ResultKey key;
    key.name = trim(text.substr(0, arrow));
    auto part = trim(text.substr(arrow + 2));
    if (key.name.empty())
        return wrong;
    if (part == "rows") {
        key.part = Part::rows;
        return key;
    }
    if (part == "cols") {
        key.part = Part::cols;
        return key;
    }
    const bool colname = part.starts_with("colname");
    if (colname)
        part = trim_left(part.substr(7));
    if (!part.starts_with('[') || !part.ends_with(']'))
        return wrong;
    part = part.substr(1, part.size() - 2);
    if (!colname) {
        const auto row = parse_int(trim(cut(part, ',')));
        if (!row)
            return wrong;
        key.row = *row;
    }
    const auto column = parse_int(trim(part));
    if (!column)
        return wrong;
    key.column = *column;
    key.part = colname ? Part::colname : Part::cell;
    return key;
}

} // namespace sipyard::sqlops
