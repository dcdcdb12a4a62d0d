// modules/htable/definition.cpp - reading a table's definition
#include "modules/htable/definition.h"

#include <algorithm>

namespace sipyard::htable {
namespace {

bool is_name(std::string_view text)
{
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return is_alnum(c) || c == '_' || c == '-' || c == '.';
    });
}

Result<std::int64_t> number(std::string_view key, std::string_view text, std::int64_t most)
{
    const auto read = parse_uint(text);
    if (!read || *read > static_cast<std::uint64_t>(most))
        return invalid(format("{}={} is no number from 0 to {}", key, text, most));
    return static_cast<std::int64_t>(*read);
}

Result<char> one_character(std::string_view key, std::string_view text)
{
    if (text.size() != 1)
        return invalid(format("{}={} has to be one character", key, text));
    return text.front();
}

Result<void> put(Definition& definition, std::string_view key, std::string_view value)
{
    constexpr std::int64_t far = 10LL * 365 * 86400; // no timer needs more
    if (key == "size") {
        TRY(const auto n, number(key, value, 31));
        definition.size = static_cast<int>(n < 2 ? 3 : std::min<std::int64_t>(n, 14)); // Kamailio's rule
    } else if (key == "autoexpire") {
        TRY(definition.autoexpire.count, number(key, value, far));
    } else if (key == "initval") {
        definition.initval = parse_int(value);
        if (!definition.initval)
            return invalid(format("initval={} is no integer", value));
    } else if (key == "updateexpire") {
        TRY(const auto n, number(key, value, 1));
        definition.updateexpire = n == 1;
    } else if (key == "dbtable") {
        definition.dbtable = value;
    } else if (key == "dbmode") {
        TRY(const auto n, number(key, value, 1));
        definition.dbmode = static_cast<int>(n);
    } else if (key == "cols") {
        for (const auto column : split(value, ','))
            definition.cols.emplace_back(trim(column));
        if (definition.cols.size() < 2)
            return invalid(format("cols={} needs a key and at least one value column", value));
    } else if (key == "coldelim") {
        TRY(definition.coldelim, one_character(key, value));
    } else if (key == "colnull") {
        TRY(definition.colnull, one_character(key, value));
    } else if (key == "dmqreplicate") {
        TRYV(number(key, value, 1)); // accepted: there is no DMQ to replicate with
    } else {
        const auto near = nearest(key, {"size", "autoexpire", "initval", "updateexpire", "dbtable", "dbmode",
                                        "cols", "coldelim", "colnull", "dmqreplicate"});
        return invalid(format("a table has no attribute '{}'{}", key,
                              near.empty() ? "" : format(", is it '{}'?", near)));
    }
    return {};
}

} // namespace
} // namespace sipyard::htable

namespace sipyard {

Result<htable::Definition> FromText<htable::Definition>::parse(std::string_view text)
{
    htable::Definition definition;
    const auto arrow = text.find("=>");
    definition.name = trim(text.substr(0, arrow));
    if (!htable::is_name(definition.name))
        return invalid(format("'{}' does not begin with the name of a table and =>", text));
    Cursor cursor{arrow == std::string_view::npos ? std::string_view{} : text.substr(arrow + 2)};
    for (cursor.skip_blanks(); !cursor.at_end(); cursor.skip_blanks()) {
        if (cursor.accept(';'))
            continue;
        const auto key = trim(cursor.take_while([](char c) { return c != '=' && c != ';'; }));
        if (!cursor.accept('='))
            return invalid(format("'{}' of table {} has no value", key, definition.name));
        cursor.skip_blanks();
        std::string_view value;
        if (const char quote = cursor.peek(); quote == '\'' || quote == '"') {
            cursor.next();
            value = cursor.take_until(quote);
            cursor.expect(quote);
        } else {
            value = trim(cursor.take_until(';'));
        }
        if (cursor.failed())
            return invalid(format("a quote of table {} is not closed", definition.name));
        TRYV(htable::put(definition, key, value));
    }
    return definition;
}

} // namespace sipyard
