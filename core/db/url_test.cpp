// core/db/url_test.cpp - the URLs operators have, and what is said about the others
#include "core/db/url.h"
#include "test/support/catch.h"

using namespace sipyard;
using db::Url;

TEST_CASE("database URLs fall into their parts", "[db]")
{
    const struct {
        const char* story;
        const char* text;
        const char* scheme;
        const char* user;
        const char* password;
        const char* host;
        int port;
        const char* name;
    } rows[] = {
        {"Kamailio's default", "mysql://openser:openserrw@localhost/openser", "mysql", "openser", "openserrw",
         "localhost", 0, "openser"},
        {"a port", "postgres://u:p@db.example.com:5433/sip", "postgres", "u", "p", "db.example.com", 5433,
         "sip"},
        {"without credentials", "postgres://localhost/sip", "postgres", "", "", "localhost", 0, "sip"},
        {"a user without password", "postgres://u@localhost/sip", "postgres", "u", "", "localhost", 0, "sip"},
        {"an @ and a / in the password", "mysql://u:p@s/w@h/db", "mysql", "u", "p@s/w", "h", 0, "db"},
        {"a colon in the password", "mysql://u:a:b@h/db", "mysql", "u", "a:b", "h", 0, "db"},
        {"percent-encoded password", "mysql://u:p%40s%2fw@h/db", "mysql", "u", "p@s/w", "h", 0, "db"},
        {"a lone percent sign stays", "mysql://u:100%@h/db", "mysql", "u", "100%", "h", 0, "db"},
        {"an IPv6 host", "postgres://u:p@[::1]:5432/db", "postgres", "u", "p", "::1", 5432, "db"},
        {"an IPv6 host without port", "postgres://[fe80::1]/db", "postgres", "", "", "fe80::1", 0, "db"},
        {"a socket's folder as host", "postgres://u@%2Frun%2Fpostgresql/db", "postgres", "u", "",
         "/run/postgresql", 0, "db"},
        {"another name of the scheme", "PostgreSQL://h/db", "postgres", "", "", "h", 0, "db"},
        {"a DSN", "unixodbc://u:p@localhost/kamailio", "unixodbc", "u", "p", "localhost", 0, "kamailio"},
        {"a DSN without host", "unixodbc:///kamailio", "unixodbc", "", "", "", 0, "kamailio"},
        {"a file, three slashes", "sqlite:///var/lib/s.db", "sqlite", "", "", "", 0, "/var/lib/s.db"},
        {"a file, four slashes", "sqlite:////var/lib/s.db", "sqlite", "", "", "", 0, "/var/lib/s.db"},
        {"a relative file", "sqlite://run/s.db", "sqlite", "", "", "", 0, "run/s.db"},
        {"an @ in a file's name", "sqlite:///var/a@b:c.db", "sqlite", "", "", "", 0, "/var/a@b:c.db"},
        {"options are no part of the file", "sqlite:///var/s.db?sync=full", "sqlite", "", "", "", 0,
         "/var/s.db"},
    };
    for (const auto& row : rows) {
        INFO(row.story << ": " << row.text);
        const auto url = Url::parse(row.text);
        INFO(why(url));
        REQUIRE(url);
        CHECK(url->scheme == row.scheme);
        CHECK(url->user == row.user);
        CHECK(url->password == row.password);
        CHECK(url->host == row.host);
        CHECK(url->port == row.port);
        CHECK(url->name == row.name);
        CHECK(url->text == row.text);
    }
}

TEST_CASE("what is no database URL is refused, and no message shows the password", "[db]")
{
    for (const char* text :
         {"", "mysql", "://h/db", "oracle://u:secret@h/db", "mysql://u:secret@h", "mysql://u:secret@h/",
          "mysql://u:secret@h:0/db", "mysql://u:secret@h:70000/db", "mysql://u:secret@h:x/db",
          "postgres://u:secret@[::1/db", "postgres://u:secret@[::1]x/db", "sqlite://", "sqlite:///",
          "sqlite:///var/lib/", "sqlite://:memory:", "mysql://u:secret@h/?x=1"}) {
        INFO(text);
        const auto url = Url::parse(text);
        REQUIRE_FALSE(url);
        CHECK(url.error().kind == ErrorKind::invalid);
        CHECK(url.error().text.find("secret") == std::string::npos);
    }
}

TEST_CASE("a URL is shown without its password", "[db]")
{
    CHECK(Url::parse("mysql://u:se@c:ret@h/db")->safe_text() == "mysql://u:***@h/db");
    CHECK(Url::parse("mysql://h:3306/db")->safe_text() == "mysql://h:3306/db");
    CHECK(Url::parse("sqlite:///var/s.db")->safe_text() == "sqlite:///var/s.db");
    CHECK(Url::parse("sqlite:///s.db?a=1&sync=full")->option("sync") == "full");
    CHECK(Url::parse("sqlite:///s.db?async=full")->option("sync").empty());
    CHECK(FromText<Url>::parse("sqlite:///s.db").has_value());
}
