// test/support/sql_server.h - private PostgreSQL and MariaDB servers for tests: own folder, loopback, random
// port
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <sys/types.h>

namespace sipyard {

// Started by the constructor (which throws std::runtime_error with the server's last words), stopped by its
// pid and removed by the destructor. As root the server runs as the user of its package. Its user is
// `sipyard`, with a password.
class SqlServer {
public:
    enum class Kind : unsigned char { postgres, mysql };
    explicit SqlServer(Kind kind);
    ~SqlServer();
    SqlServer(const SqlServer&) = delete;
    SqlServer& operator=(const SqlServer&) = delete;

    std::string url() const;             // postgres://sipyard:...@127.0.0.1:port/sipyard
    static std::string plain_password(); // as it is, not as a URL writes it
    std::uint16_t port() const { return port_; }
    void stop();         // at once, as a crash would
    void start();        // again, with its data
    void pause(bool on); // accepts connections, answers nothing

private:
    void make_postgres();
    void make_mysql();
    const Kind kind_;
    std::string folder_;
    std::uint16_t port_ = 0;
    pid_t pid_ = 0;
};

} // namespace sipyard
