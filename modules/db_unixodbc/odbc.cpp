// modules/db_unixodbc/odbc.cpp - connect, prepare, bind, execute, fetch: the only file that includes ODBC's
// headers
#include "modules/db_unixodbc/odbc.h"

#include "core/base/text.h"
#include "modules/db_unixodbc/errors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <sql.h>
#include <sqlext.h>

namespace sipyard::db_unixodbc::odbc {
namespace {

constexpr std::size_t piece = 64 * 1024; // of a long value, per SQLGetData

bool good(SQLRETURN code) { return code == SQL_SUCCESS || code == SQL_SUCCESS_WITH_INFO; }

// ODBC's prototypes lack const: they do not write to their texts.
SQLCHAR* text_of(std::string_view text) { return reinterpret_cast<SQLCHAR*>(const_cast<char*>(text.data())); }

SQLPOINTER number(std::uintptr_t value) { return std::bit_cast<SQLPOINTER>(value); }

Diagnosis diagnose(SQLSMALLINT type, SQLHANDLE handle)
{
    Diagnosis found;
    SQLCHAR state[6]{}, text[1024]{};
    SQLINTEGER native = 0;
    SQLSMALLINT length = 0;
    if (!good(SQLGetDiagRec(type, handle, 1, state, &native, text, sizeof text, &length)))
        return {"HY000", 0, "the driver gives no reason"};
    found.state = reinterpret_cast<const char*>(state);
    found.native = native;
    found.text = reinterpret_cast<const char*>(text);
    return found;
}

} // namespace

// --- connection ----------------------------------------------------------------------------------

Result<void> Connection::open(const std::string& connection_string, db::Dialect dialect,
                              std::chrono::seconds login_timeout)
{
    close();
    dialect_ = dialect;
    if (!good(SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &environment_)))
        return Error{ErrorKind::other, "no ODBC environment"};
    SQLSetEnvAttr(environment_, SQL_ATTR_ODBC_VERSION, number(SQL_OV_ODBC3), 0);
    if (!good(SQLAllocHandle(SQL_HANDLE_DBC, environment_, &connection_))) {
        const auto error = error_of(dialect, diagnose(SQL_HANDLE_ENV, environment_));
        close();
        return error;
    }
    SQLSetConnectAttr(connection_, SQL_ATTR_LOGIN_TIMEOUT,
                      number(static_cast<std::uintptr_t>(login_timeout.count())), 0);
    SQLSMALLINT length = 0;
    const auto code = SQLDriverConnect(connection_, nullptr, text_of(connection_string),
                                       static_cast<SQLSMALLINT>(connection_string.size()), nullptr, 0,
                                       &length, SQL_DRIVER_NOPROMPT);
    if (!good(code)) {
        auto error = error_of(dialect, diagnose(SQL_HANDLE_DBC, connection_));
        SQLFreeHandle(SQL_HANDLE_DBC, connection_);
        connection_ = nullptr;
        close();
        // Whatever the reason is, there is no connection; the sentence tells it.
        error.kind = ErrorKind::lost;
        return error;
    }
    return {};
}

void Connection::close()
{
    if (connection_) {
        SQLDisconnect(connection_);
        SQLFreeHandle(SQL_HANDLE_DBC, connection_);
    }
    if (environment_)
        SQLFreeHandle(SQL_HANDLE_ENV, environment_);
    connection_ = environment_ = nullptr;
}

bool Connection::is_dead() const
{
    SQLULEN dead = SQL_CD_FALSE; // room for drivers that write a long
    return !connection_ ||
           (good(SQLGetConnectAttr(connection_, SQL_ATTR_CONNECTION_DEAD, &dead, sizeof dead, nullptr)) &&
            dead == SQL_CD_TRUE);
}

Result<void> Connection::set_autocommit(bool on)
{
    if (good(SQLSetConnectAttr(connection_, SQL_ATTR_AUTOCOMMIT,
                               number(on ? SQL_AUTOCOMMIT_ON : SQL_AUTOCOMMIT_OFF), 0)))
        return {};
    return error_of(dialect_, diagnose(SQL_HANDLE_DBC, connection_));
}

Result<void> Connection::end_transaction(bool commit)
{
    if (good(SQLEndTran(SQL_HANDLE_DBC, connection_, commit ? SQL_COMMIT : SQL_ROLLBACK)))
        return {};
    return error_of(dialect_, diagnose(SQL_HANDLE_DBC, connection_));
}

// --- statement -----------------------------------------------------------------------------------

Result<std::unique_ptr<Statement>> Statement::make(Connection& connection)
{
    SQLHSTMT handle = nullptr;
    if (!good(SQLAllocHandle(SQL_HANDLE_STMT, connection.connection_, &handle)))
        return error_of(connection.dialect_, diagnose(SQL_HANDLE_DBC, connection.connection_));
    // A brace in somebody's text is no ODBC escape.
    SQLSetStmtAttr(handle, SQL_ATTR_NOSCAN, number(SQL_NOSCAN_ON), 0);
    return std::unique_ptr<Statement>{new Statement{connection, handle}};
}

Statement::~Statement() { SQLFreeHandle(SQL_HANDLE_STMT, handle_); }

Error Statement::failure() const
{
    auto error = error_of(connection_.dialect_, diagnose(SQL_HANDLE_STMT, handle_));
    if (error.kind == ErrorKind::other && connection_.is_dead())
        error.kind = ErrorKind::lost;
    return error;
}

Result<void> Statement::prepare(std::string_view sql)
{
    if (!good(SQLPrepare(handle_, text_of(sql), static_cast<SQLINTEGER>(sql.size()))))
        return failure();
    return {};
}

Result<void> Statement::bind(const std::vector<db::Value>& values)
{
    if (values.size() > 0xffff)
        return Error{ErrorKind::syntax, "too many parameters"};
    if (place_count_ != values.size()) {
        SQLFreeStmt(handle_, SQL_RESET_PARAMS);
        places_ = std::make_unique<Place[]>(values.size());
        place_count_ = values.size();
    }
    for (std::size_t i = 0; i < values.size(); ++i)
        TRYV(bind_one(i, values[i]));
    return {};
}

Result<void> Statement::bind_one(std::size_t index, const db::Value& value)
{
    Place& place = places_[index];
    const void* at = place.bytes;
    SQLSMALLINT c_type = SQL_C_CHAR, sql_type = SQL_VARCHAR;
    std::size_t size = Place::room;
    if (value.is_integer()) {
        const std::int64_t n = value.integer();
        std::memcpy(place.bytes, &n, sizeof n);
        c_type = SQL_C_SBIGINT;
        sql_type = SQL_BIGINT;
        size = 20;
        place.length = sizeof n;
    } else if (value.is_real()) {
        const double n = value.real();
        std::memcpy(place.bytes, &n, sizeof n);
        c_type = SQL_C_DOUBLE;
        sql_type = SQL_DOUBLE;
        size = 15;
        place.length = sizeof n;
    } else if (value.is_null()) {
        place.length = SQL_NULL_DATA;
    } else {
        const auto bytes = value.text();
        if (value.is_blob()) {
            c_type = SQL_C_BINARY;
            sql_type = SQL_LONGVARBINARY;
            place.bound =
                nullptr; // libsqliteodbc keeps the length of the first value: bound anew, as long ones are
        }
        place.length = static_cast<SQLLEN>(bytes.size());
        if (bytes.size() <= Place::room) {
            std::copy(bytes.begin(), bytes.end(), place.bytes);
        } else {
            at = bytes.data();
            size = bytes.size();
            if (!value.is_blob())
                sql_type = SQL_LONGVARCHAR;
        }
    }
    if (place.bound == at && place.c_type == c_type && place.size == size)
        return {};
    const auto code =
        SQLBindParameter(handle_, static_cast<SQLUSMALLINT>(index + 1), SQL_PARAM_INPUT, c_type, sql_type,
                         size, 0, const_cast<void*>(at), static_cast<SQLLEN>(size), &place.length);
    if (!good(code))
        return failure();
    // A long value's memory is the caller's: it is bound anew each time.
    place.bound = at == place.bytes ? at : nullptr;
    place.c_type = c_type;
    place.size = size;
    return {};
}

Result<void> Statement::execute()
{
    const auto code = SQLExecute(handle_);
    if (good(code) || code == SQL_NO_DATA) // no data: a change that met no row
        return {};
    return failure();
}

Result<void> Statement::execute(std::string_view sql)
{
    columns_.clear();
    const auto code = SQLExecDirect(handle_, text_of(sql), static_cast<SQLINTEGER>(sql.size()));
    if (good(code) || code == SQL_NO_DATA)
        return {};
    return failure();
}

Result<void> Statement::describe()
{
    columns_.clear();
    SQLSMALLINT count = 0;
    if (!good(SQLNumResultCols(handle_, &count)))
        return failure();
    for (SQLSMALLINT i = 1; i <= count; ++i) {
        SQLCHAR name[256]{};
        SQLSMALLINT length = 0, type = 0, scale = 0, nullable = 0;
        SQLULEN size = 0; // not believed: SQLite says 255 to any blob
        if (!good(SQLDescribeCol(handle_, static_cast<SQLUSMALLINT>(i), name, sizeof name, &length, &type,
                                 &size, &scale, &nullable)))
            return failure();
        Column column;
        column.name = reinterpret_cast<const char*>(name);
        switch (type) {
        case SQL_TINYINT:
        case SQL_SMALLINT:
        case SQL_INTEGER:
        case SQL_BIGINT:
        case SQL_BIT: column.c_type = SQL_C_SBIGINT; break;
        case SQL_REAL:
        case SQL_FLOAT:
        case SQL_DOUBLE: column.c_type = SQL_C_DOUBLE; break;
        case SQL_BINARY:
        case SQL_VARBINARY:
        case SQL_LONGVARBINARY: column.c_type = SQL_C_BINARY; break;
        case SQL_DECIMAL:
        case SQL_NUMERIC:
            column.c_type = SQL_C_CHAR;
            column.decimal = scale == 0;
            break;
        default: column.c_type = SQL_C_CHAR;
        }
        columns_.push_back(std::move(column));
    }
    return {};
}

Result<db::Value> Statement::get(unsigned short number, const Column& column, std::vector<char>& scratch)
{
    SQLLEN length = 0;
    if (column.c_type == SQL_C_SBIGINT) {
        std::int64_t value = 0;
        if (!good(SQLGetData(handle_, number, SQL_C_SBIGINT, &value, sizeof value, &length)))
            return failure();
        if (length == SQL_NULL_DATA)
            return db::Value{};
        return db::Value{value};
    }
    if (column.c_type == SQL_C_DOUBLE) {
        double value = 0;
        if (!good(SQLGetData(handle_, number, SQL_C_DOUBLE, &value, sizeof value, &length)))
            return failure();
        if (length == SQL_NULL_DATA)
            return db::Value{};
        return db::Value{value};
    }
    // In pieces: the driver says the length before the first only if it likes to.
    const std::size_t usable =
        column.c_type == SQL_C_CHAR ? piece - 1 : piece; // the zero at the end of a text
    scratch.resize(piece);
    std::string bytes;
    for (;;) {
        const auto code =
            SQLGetData(handle_, number, column.c_type, scratch.data(), static_cast<SQLLEN>(piece), &length);
        if (code == SQL_NO_DATA)
            break;
        if (!good(code))
            return failure();
        if (length == SQL_NULL_DATA)
            return db::Value{};
        const bool more = length == SQL_NO_TOTAL || static_cast<std::size_t>(length) > usable;
        bytes.append(scratch.data(), more ? usable : static_cast<std::size_t>(length));
        if (!more)
            break;
    }
    if (column.c_type == SQL_C_BINARY)
        return db::Value{db::Blob{std::move(bytes)}};
    if (column.decimal) {
        if (const auto value = parse_int(bytes))
            return db::Value{*value};
    }
    return db::Value{std::move(bytes)};
}

Result<db::Rows> Statement::fetch(std::vector<char>& scratch)
{
    db::Rows rows;
    SQLSMALLINT count = 0;
    if (!good(SQLNumResultCols(handle_, &count)))
        return failure();
    if (count == 0) {
        SQLLEN affected = 0;
        if (good(SQLRowCount(handle_, &affected)) && affected > 0)
            rows.affected = static_cast<std::uint64_t>(affected);
        SQLFreeStmt(handle_, SQL_CLOSE);
        return rows;
    }
    // SQLite's types belong to values, so its columns are looked at each time.
    if (columns_.size() != static_cast<std::size_t>(count) || connection_.dialect_ == db::Dialect::sqlite)
        TRYV(describe());
    for (const auto& column : columns_)
        rows.columns.push_back(column.name);
    for (;;) {
        const auto code = SQLFetch(handle_);
        if (code == SQL_NO_DATA)
            break;
        if (!good(code))
            return failure();
        auto& row = rows.rows.emplace_back();
        row.reserve(columns_.size());
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            TRY(auto value, get(static_cast<unsigned short>(i + 1), columns_[i], scratch));
            row.push_back(std::move(value));
        }
    }
    SQLFreeStmt(handle_, SQL_CLOSE);
    return rows;
}

void Statement::close() { SQLFreeStmt(handle_, SQL_CLOSE); }

void Statement::cancel(void* handle) { SQLCancel(handle); }

} // namespace sipyard::db_unixodbc::odbc
