// modules/db_unixodbc/odbc.h - the driver manager's handles as objects: they free themselves and answer with
// Result
#pragma once

#include "core/base/result.h"
#include "core/db/database.h"
#include "core/db/value.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::db_unixodbc::odbc {

// A connection with an environment of its own, so that a thread stuck in one shares nothing with the others.
// Used by one thread at a time.
class Connection {
public:
    Connection() = default;
    ~Connection() { close(); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    Result<void> open(const std::string& connection_string, db::Dialect dialect,
                      std::chrono::seconds login_timeout);
    void close(); // statements must be gone
    bool is_open() const { return connection_ != nullptr; }
    bool is_dead() const; // the driver knows that the peer has gone
    db::Dialect dialect() const { return dialect_; }
    // Transactions of databases whose words for them are not known.
    Result<void> set_autocommit(bool on);
    Result<void> end_transaction(bool commit);

private:
    friend class Statement;
    void* environment_ = nullptr;
    void* connection_ = nullptr;
    db::Dialect dialect_ = db::Dialect::other;
};

// A statement handle with its parameters' buffers. Dies before its connection.
class Statement {
public:
    static Result<std::unique_ptr<Statement>> make(Connection& connection);
    ~Statement();
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;

    Result<void> prepare(std::string_view sql);
    // `values` must stay until the rows are fetched: long ones are not copied.
    Result<void> bind(const std::vector<db::Value>& values);
    Result<void> execute();                     // the prepared text
    Result<void> execute(std::string_view sql); // without preparing
    // Everything the execution gave; closes the cursor. `scratch` takes the pieces of long values.
    Result<db::Rows> fetch(std::vector<char>& scratch);
    void close();                            // after an error
    void* handle() const { return handle_; } // for cancel()

    // From any thread, while the statement runs.
    static void cancel(void* handle);

private:
    // A parameter's place in memory, bound once; short values are copied there at each execution.
    struct Place {
        static constexpr std::size_t room = 256; // most of what Kamailio's tables hold is shorter
        alignas(16) char bytes[room];
        long length = 0; // or SQL_NULL_DATA
        const void* bound = nullptr;
        short c_type = 0;
        std::size_t size = 0;
    };
    struct Column {
        std::string name;
        short c_type = 0;
        bool decimal = false, untyped = false;
    };
    Statement(Connection& connection, void* handle) : connection_{connection}, handle_{handle} {}
    Result<void> bind_one(std::size_t index, const db::Value& value);
    Result<void> describe();
    Result<db::Value> get(unsigned short number, const Column& column, std::vector<char>& scratch);
    Error failure() const;

    Connection& connection_;
    void* handle_;
    std::unique_ptr<Place[]> places_;
    std::size_t place_count_ = 0;
    std::vector<Column> columns_;
};

} // namespace sipyard::db_unixodbc::odbc
