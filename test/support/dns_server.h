// test/support/dns_server.h - a DNS server on a loopback port, its zone written in the test (RFC 1035)
#pragma once

#include "core/net/address.h"

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace sipyard::test {

// Serves from construction to destruction on a thread of its own, over UDP and, for answers of more than 512
// bytes, TCP. A zone is lines of `name [ttl] TYPE data`; the time to live is 60 s when none is written:
//
//     example.test       NAPTR 10 50 s SIP+D2U "" _sip._udp.example.test
//     _sip._udp.example.test SRV 10 100 5060 one.example.test
//     one.example.test   30 A 127.0.0.1
//     two.example.test   AAAA ::1
//     alias.example.test CNAME one.example.test
//
// Types: A AAAA CNAME SRV NAPTR. Names of any case are equal. A name that has other records is answered with
// none, another with NXDOMAIN. A line that cannot be read throws std::invalid_argument.
class DnsServer {
public:
    explicit DnsServer(std::string_view zone = {});
    ~DnsServer();
    DnsServer(const DnsServer&) = delete;
    DnsServer& operator=(const DnsServer&) = delete;

    std::uint16_t port() const { return port_; }
    net::Address address() const;
    std::string text() const { return address().text(); } // "127.0.0.1:40053", as dns_servers writes it

    void add(std::string_view zone);    // more lines
    void remove(std::string_view name); // all its records

    enum class Mood : unsigned char {
        answer,
        drop, // silence
        hold, // silence until release()
        nxdomain,
        servfail,
        garbage, // an answer that breaks off inside its first record
    };
    void set(std::string_view name, Mood mood);
    void set_all(Mood mood); // of names that have none of their own
    void release();          // the held answers leave, and nothing is held any more

    int asked(std::string_view name, std::string_view type = {}) const; // questions, of that type or of any
    int asked_in_all() const;
    int asked_over_tcp() const;

private:
    struct Record {
        int type;
        std::uint32_t ttl;
        std::string data;   // as on the wire
        std::string target; // of a CNAME
    };
    struct Held {
        net::Address to;
        std::string answer;
    };
    void serve();
    std::string answer(std::string_view question, std::size_t most, bool& hold); // "" for silence
    void on_datagram();
    void on_connection();

    int udp_ = -1, tcp_ = -1, wake_ = -1;
    std::uint16_t port_ = 0;
    mutable std::mutex mutex_; // of what follows
    std::multimap<std::string, Record> zone_;
    std::map<std::string, Mood> moods_;
    Mood mood_ = Mood::answer;
    std::map<std::pair<std::string, int>, int> asked_;
    int over_tcp_ = 0;
    std::vector<Held> held_;
    bool ending_ = false;
    std::thread thread_;
};

} // namespace sipyard::test
