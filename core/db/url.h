// core/db/url.h - a database URL as operators write it: scheme://user:password@host:port/name
#pragma once

#include "core/base/from_text.h"

#include <string>
#include <string_view>

namespace sipyard::db {

// sqlite:///path/file.db (also //// and relative), postgres://u:p@h:5432/db, mysql://u:p@h/db,
// unixodbc://u:p@h/DSN. User and password may be percent-encoded; everything after the last '@' before the
// path is the host, as in Kamailio.
struct Url {
    std::string scheme;                     // lower-case: sqlite, postgres, mysql, unixodbc
    std::string user, password, host, name; // name: the database, the DSN, or SQLite's file
    std::string
        options;      // what follows a '?' in the name: "sync=full" (SQLite: every commit reaches the disk)
    int port = 0;     // 0: the scheme's default
    std::string text; // as written

    static Result<Url> parse(std::string_view text);
    std::string_view option(std::string_view key) const; // "full" for sync; empty when it is not there
    std::string safe_text() const;                       // for logs: the password replaced by ***
    friend bool operator==(const Url& a, const Url& b) { return a.text == b.text; }
};

} // namespace sipyard::db

template <>
struct sipyard::FromText<sipyard::db::Url> {
    static constexpr bool integer = false;
    static constexpr std::string_view expected =
        "a database URL such as sqlite:///var/lib/sipyard/sipyard.db";
    static Result<db::Url> parse(std::string_view text) { return db::Url::parse(text); }
    static std::string print(const db::Url& url) { return url.safe_text(); }
};
