// core/db/sql_text.cpp - the first word of a statement, and what it tells
#include "core/db/sql_text.h"

#include "core/base/text.h"

namespace sipyard::db {
namespace {

std::string_view skip_to_word(std::string_view sql)
{
    for (;;) {
        sql = trim_left(sql);
        if (sql.starts_with("--")) {
            const auto end = sql.find('\n');
            sql = end == std::string_view::npos ? std::string_view{} : sql.substr(end + 1);
        } else if (sql.starts_with("/*")) {
            const auto end = sql.find("*/", 2);
            sql = end == std::string_view::npos ? std::string_view{} : sql.substr(end + 2);
        } else if (sql.starts_with('(') || sql.starts_with(';')) {
            sql.remove_prefix(1);
        } else {
            return sql;
        }
    }
}

std::string_view word_at(std::string_view sql)
{
    std::size_t size = 0;
    while (size < sql.size() && (is_alnum(sql[size]) || sql[size] == '_'))
        ++size;
    return sql.substr(0, size);
}

} // namespace

std::string first_word(std::string_view sql) { return lower(word_at(skip_to_word(sql))); }

bool only_reads(std::string_view sql)
{
    const auto word = word_at(skip_to_word(sql));
    return iequals(word, "select");
}

bool controls_transaction(std::string_view sql)
{
    const auto word = word_at(skip_to_word(sql));
    for (const std::string_view known :
         {"begin", "commit", "rollback", "savepoint", "release", "end", "start", "abort"})
        if (iequals(word, known))
            return true;
    return false;
}

} // namespace sipyard::db
