// core/db/sql_text.h - the little that must be known about a statement's text before it is sent
#pragma once

#include <string>
#include <string_view>

namespace sipyard::db {

// The first word in lower case; blanks, comments and opening parentheses before it are skipped.
std::string first_word(std::string_view sql);

// The statement reads and may run beside writes: it begins with SELECT. Everything else goes the way of
// writes.
bool only_reads(std::string_view sql);

// BEGIN, COMMIT, SAVEPOINT...: these belong to Database::transaction(). Within a batch a stray COMMIT would
// acknowledge other people's work.
bool controls_transaction(std::string_view sql);

} // namespace sipyard::db
