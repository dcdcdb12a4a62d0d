// modules/auth_db/auth_db_test.cpp - signing in against a table: who is found, who is not, and a database
// that is away
#include "modules/auth/signed_test.h"
#include "modules/auth_db/auth_db.h"

#include <optional>
#include <vector>

namespace sipyard::auth_db {
namespace {

// One table of subscribers that answers the statements of this module; others get an error.
class Table final : public db::Database {
public:
    struct Row {
        std::string username, domain, password, ha1, ha1b;
        db::Value rpid;
    };
    std::vector<Row> rows;
    std::optional<Error> broken;
    std::vector<std::string> statements;
    db::Dialect spoken = db::Dialect::postgres;

    Result<std::optional<std::uint64_t>> freshness() override { return std::optional<std::uint64_t>{}; }
    db::Dialect dialect() const override { return spoken; }
    const db::Url& url() const override { return url_; }
    Stats stats() const override { return {}; }

protected:
    Result<void> run_job(Access, db::Work<void> work, Duration) override
    {
        if (broken)
            return *broken;
        Session session{*this};
        return work(session);
    }

private:
    struct Session final : db::Connection {
        explicit Session(Table& t) : table{t} {}
        db::Dialect dialect() const override { return table.spoken; }
        Result<db::Rows> run(std::string_view sql, const std::vector<db::Value>& values) override
        {
            table.statements.emplace_back(sql);
            db::Rows found;
            if (!sql.starts_with("SELECT "))
                return found;
            auto wanted = sql.substr(7, sql.find(" FROM ") - 7);
            if (sql.find(" FROM subscriber WHERE username = ?") == std::string_view::npos)
                return Error{ErrorKind::syntax, "no such table"};
            for (const Row& row : table.rows) {
                if (row.username != values[0].text() || (values.size() > 1 && row.domain != values[1].text()))
                    continue;
                std::vector<db::Value> out;
                for (const auto column : split(wanted, ',')) {
                    const auto name = trim(column);
                    out.push_back(name == "ha1"        ? db::Value{row.ha1}
                                  : name == "ha1b"     ? db::Value{row.ha1b}
                                  : name == "password" ? db::Value{row.password}
                                  : name == "rpid"     ? row.rpid
                                                       : db::Value{row.username});
                }
                found.rows.push_back(std::move(out));
            }
            return found;
        }
        Table& table;
    };
    db::Url url_;
};

struct Bench {
    explicit Bench(AuthDb::Settings settings = {}) : settings_{std::move(settings)}
    {
        const auto row = [](std::string user, std::string domain, std::string password, db::Value rpid) {
            const auto ha1 = [&](const std::string& name) {
                return std::string{auth::ha1(crypto::Algorithm::md5, name, domain, password).view()};
            };
            return Table::Row{user, domain, password, ha1(user), ha1(user + "@" + domain), std::move(rpid)};
        };
        table.rows = {row("alice", "example.com", "secret", "4711"),
                      row("bob", "example.net", "builder", {}),
                      {"empty", "example.com", "", "", "", {}}};
        host.offer<auth::Api>(digest);
        host.set_database("", table);
        module.emplace(settings_, host);
    }
    std::string nonce()
    {
        auth::Asked asked{host, auth::sip_text("REGISTER", "")};
        (void)digest.www_challenge(asked.request, "example.com", 1);
        return auth::nonce_in(host.responder.replies.back().headers);
    }
    AuthDb::Settings settings_;
    test::FakeHost host;
    auth::Auth digest{{}, host};
    Table table;
    std::optional<AuthDb> module;
};

} // namespace

TEST_CASE("subscribers sign in", "[auth_db]")
{
    const struct {
        const char *story, *username, *realm, *password;
        bool calculate, use_domain;
        int expected;
    } rows[] = {
        {"HA1", "alice", "example.com", "secret", false, false, 1},
        {"HA1 of user@domain", "alice@example.com", "example.com", "secret", false, false, 1},
        {"plain password", "alice", "example.com", "secret", true, false, 1},
        {"plain password, user@domain", "alice@example.com", "example.com", "secret", true, false, 1},
        {"wrong password", "alice", "example.com", "guess", false, false, -2},
        {"nobody", "carol", "example.com", "secret", false, false, -3},
        {"another domain's user", "bob", "example.com", "builder", true, true, -3},
        {"whatever the domain", "bob", "example.com", "builder", true, false, 1},
        {"a user without password", "empty", "example.com", "", false, false, -2},
        {"a user without password, calculated", "empty", "example.com", "", true, false, -2},
        {"a name that means something in SQL", "alice' OR '1'='1", "example.com", "secret", false, false, -3},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        AuthDb::Settings settings;
        settings.calculate_ha1 = row.calculate;
        settings.use_domain = row.use_domain;
        if (row.calculate)
            settings.password_column = "password";
        Bench bench{settings};
        auth::Phone phone;
        phone.username = row.username;
        phone.realm = row.realm;
        phone.password = row.password;
        phone.nonce = bench.nonce();
        auth::Asked asked{bench.host, auth::sip_text("REGISTER", phone.sign())};
        CHECK(bench.module->www_authorize(asked.request, "example.com", "subscriber").code == row.expected);
        for (const auto& statement : bench.table.statements)
            CHECK(statement.find('\'') == std::string::npos); // values are bound
    }
}

TEST_CASE("an unreachable database is told apart from a wrong password", "[auth_db]")
{
    Bench bench;
    auth::Phone phone;
    phone.nonce = bench.nonce();
    phone.method = "PUT";
    phone.uri = "/xcap/a";
    bench.table.broken = Error{ErrorKind::overloaded, "the queue is full"};
    auth::Asked asked{bench.host, auth::http_text("PUT", "/xcap/a", phone.sign())};
    CHECK(bench.module->www_authorize(asked.request, "example.com", "subscriber").code == -1);
    CHECK(bench.digest.www_challenge(asked.request, "example.com", 1) == Verdict::yes());
    CHECK(bench.host.responder.last_code() == 503);
    CHECK(bench.host.responder.replies.back().headers == "Retry-After: 1\r\n");
    CHECK(bench.host.counted("auth_db", "failures") == 1);
    bench.table.broken.reset();
    auth::Asked again{bench.host, auth::http_text("PUT", "/xcap/a", phone.sign())};
    CHECK(bench.module->www_authorize(again.request, "example.com", "subscriber") == Verdict::yes());
}

TEST_CASE("auth_check looks at the right header and at who signed", "[auth_db]")
{
    const struct {
        const char *story, *method, *header, *user;
        std::int64_t flags;
        int expected;
    } rows[] = {
        {"REGISTER", "REGISTER", "Authorization", "alice", 1, 1},
        {"REGISTER, the wrong header", "REGISTER", "Proxy-Authorization", "alice", 1, -5},
        {"INVITE", "INVITE", "Proxy-Authorization", "alice", 1, 1},
        {"INVITE for somebody else", "INVITE", "Proxy-Authorization", "bob", 1, -8},
        {"which may be forwarded", "INVITE", "Proxy-Authorization", "bob", 3, 1},
        {"a registration may not", "REGISTER", "Authorization", "bob", 3, -8},
        {"ACK", "ACK", "X-None", "bob", 1, 1},
    };
    Bench bench;
    for (const auto& row : rows) {
        INFO(row.story);
        auth::Phone phone;
        phone.nonce = bench.nonce();
        phone.method = row.method;
        phone.header = row.header;
        auth::Asked asked{bench.host, auth::sip_text(row.method, phone.sign(), "", row.user)};
        CHECK(bench.module->auth_check(asked.request, "example.com", "subscriber", row.flags).code ==
              row.expected);
    }
}

TEST_CASE("columns are loaded into AVPs", "[auth_db]")
{
    AuthDb::Settings settings;
    settings.load_credentials = "$avp(i:123)=rpid; rpid";
    Bench bench{settings};
    auth::Phone phone;
    phone.nonce = bench.nonce();
    auth::Asked asked{bench.host, auth::sip_text("REGISTER", phone.sign())};
    REQUIRE(bench.module->www_authorize(asked.request, "example.com", "subscriber") == Verdict::yes());
    CHECK(asked.request.with_avps([](AvpStore& store) {
        return store.avps.get(AvpList::Name::parse("i:123")).text();
    }) == "4711");
    CHECK(asked.request.with_avps(
              [](AvpStore& store) { return store.avps.get(AvpList::Name::parse("rpid")).text(); }) == "4711");
    settings.load_credentials = "$avp(x)=rpid; DROP TABLE";
    CHECK_THROWS_AS(Bench(settings), StartupError);
}

TEST_CASE("is_subscriber", "[auth_db]")
{
    const struct {
        const char *story, *uri, *table;
        std::int64_t flags;
        int expected;
    } rows[] = {
        {"there", "sip:alice@example.com", "subscriber", 1, 1},
        {"another domain", "sip:alice@example.net", "subscriber", 1, -2},
        {"any domain", "sip:alice@example.net", "subscriber", 0, 1},
        {"nobody", "sip:carol@example.com", "subscriber", 1, -2},
        {"no URI", "alice", "subscriber", 1, -1},
        {"a table that is no name", "sip:alice@example.com", "subscriber; x", 1, -1},
        {"a table that is not there", "sip:alice@example.com", "others", 1, -1},
    };
    Bench bench;
    for (const auto& row : rows) {
        INFO(row.story);
        auth::Asked asked{bench.host, auth::sip_text("INVITE", "")};
        CHECK(bench.module->is_subscriber(asked.request, row.uri, row.table, row.flags).code == row.expected);
    }
}

TEST_CASE("management: names are checked, the embedded table is made", "[auth_db]")
{
    for (const char* bad : {"", "alice", "@example.com", "alice@", "al ice@example.com",
                            "al\"ice@example.com", "a:b@example.com"}) {
        INFO(bad);
        CHECK_FALSE(parse_id(bad));
    }
    const auto id = parse_id("alice@example.com");
    REQUIRE(id);
    CHECK(id->user == "alice");
    CHECK(id->domain == "example.com");
    Bench bench;
    bench.table.statements.clear();
    CHECK(bench.module->add(json::Value::array({"alice@example.com", 1234})));
    REQUIRE(bench.table.statements.size() == 1);
    CHECK(bench.table.statements[0].starts_with("INSERT INTO subscriber"));
    CHECK_FALSE(bench.module->add(json::Value::array({"alice@example.com"})));
    CHECK_FALSE(bench.module->remove(json::Value::array({"nobody@example.com"})));
}

} // namespace sipyard::auth_db
