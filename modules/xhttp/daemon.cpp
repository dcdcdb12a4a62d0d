// modules/xhttp/daemon.cpp - the callbacks of libmicrohttpd 0.9.75 and its place in our loop
#include "modules/xhttp/daemon.h"

#include "core/base/text.h"
#include "core/module/module.h"

#include <microhttpd.h>

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <vector>

namespace sipyard::xhttp {

namespace {

constexpr Duration sweep_every = std::chrono::seconds{1};
constexpr std::size_t drain_limit = 8 * 1024 * 1024; // a body refused with 413 is still read up to here

int descriptor_of(MHD_Connection* connection)
{
    const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

// The peer's address for libmicrohttpd's own records; TLS streams arrive on a socketpair that has none.
socklen_t to_sockaddr(const net::Address& address, sockaddr_storage& out)
{
    std::memset(&out, 0, sizeof out);
    if (address.family == net::Address::Family::v6) {
        auto& v6 = reinterpret_cast<sockaddr_in6&>(out);
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(address.port);
        std::memcpy(&v6.sin6_addr, address.bytes.data(), 16);
        return sizeof v6;
    }
    auto& v4 = reinterpret_cast<sockaddr_in&>(out);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(address.port);
    std::memcpy(&v4.sin_addr, address.bytes.data(), 4);
    return sizeof v4;
}

} // namespace

struct Daemon::Callbacks {
    static void* on_request_line(void* cls, const char* target, MHD_Connection* connection)
    {
        auto& self = *static_cast<Daemon*>(cls);
        auto* const exchange = new Exchange(self, target);
        exchange->connection = connection;
        return exchange;
    }
    static MHD_Result on_access(void*, MHD_Connection* connection, const char*, const char* method, const char* version,
                                const char* upload, std::size_t* upload_size, void** con_cls)
    {
        auto& exchange = *static_cast<Exchange*>(*con_cls);
        return exchange.daemon.handle(exchange, connection, method, version, upload, upload_size) ? MHD_YES : MHD_NO;
    }
    static void on_completed(void* cls, MHD_Connection* connection, void** con_cls, MHD_RequestTerminationCode)
    {
        auto& self = *static_cast<Daemon*>(cls);
        delete static_cast<Exchange*>(*con_cls);
        *con_cls = nullptr;
        const auto found = self.connections_.find(descriptor_of(connection));
        if (found != self.connections_.end()) {
            found->second.in_request = false;
            found->second.running = 0;
            found->second.since = self.worker_.now();
        }
    }
    static void on_connection(void* cls, MHD_Connection* connection, void**, MHD_ConnectionNotificationCode code)
    {
        if (code != MHD_CONNECTION_NOTIFY_CLOSED)
            return;
        auto& self = *static_cast<Daemon*>(cls);
        const auto found = self.connections_.find(descriptor_of(connection));
        if (found == self.connections_.end())
            return;
        self.network_.released(found->second.received.connection);
        self.connections_.erase(found);
    }
    // Targets are taken raw from the request line; nothing needs them decoded.
    static std::size_t leave_as_it_is(void*, MHD_Connection*, char* text) { return std::strlen(text); }
    static void silent(void*, const char*, va_list) {}
};

Daemon::Daemon(task::Worker& worker, const Limits& limits, Counts counts, net::Network& network, Serve serve)
    : worker_{worker}, limits_{limits}, counts_{counts}, network_{network}, serve_{std::move(serve)},
      sweep_timer_{worker, [this] { sweep(); }}
{
    const unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE;
    const MHD_OptionItem options[] = {
        {MHD_OPTION_CONNECTION_LIMIT, static_cast<intptr_t>(limits.connections), nullptr},
        {MHD_OPTION_CONNECTION_TIMEOUT, 0, nullptr}, // ours are on the wheel
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, 32 * 1024, nullptr},
        {MHD_OPTION_STRICT_FOR_CLIENT, 1, nullptr},  // HTTP/1.1 needs a Host (RFC 9112 3.2)
        {MHD_OPTION_URI_LOG_CALLBACK, reinterpret_cast<intptr_t>(&Callbacks::on_request_line), this},
        {MHD_OPTION_NOTIFY_COMPLETED, reinterpret_cast<intptr_t>(&Callbacks::on_completed), this},
        {MHD_OPTION_NOTIFY_CONNECTION, reinterpret_cast<intptr_t>(&Callbacks::on_connection), this},
        {MHD_OPTION_UNESCAPE_CALLBACK, reinterpret_cast<intptr_t>(&Callbacks::leave_as_it_is), this},
        {MHD_OPTION_END, 0, nullptr},
    };
    daemon_ = MHD_start_daemon(flags, 0, nullptr, nullptr, &Callbacks::on_access, this,
                               MHD_OPTION_EXTERNAL_LOGGER, &Callbacks::silent, nullptr,
                               MHD_OPTION_ARRAY, options, MHD_OPTION_END);
    if (!daemon_)
        throw StartupError{"libmicrohttpd could not start"};
    const int fd = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    watch_ = std::make_unique<task::Watch>(worker_, fd, EPOLLIN, [this](std::uint32_t) { wanted_ = true; });
    hook_ = worker_.add_before_wait([this]() -> Duration {
        run();
        return wanted_ ? Duration{0} : Duration::max();
    });
}

Daemon::~Daemon()
{
    worker_.remove_before_wait(hook_);
    watch_.reset();
    // Whoever is suspended has to be resumed first, or stopping aborts the process; its handler answers 503.
    MHD_run(daemon_);
    MHD_stop_daemon(daemon_);
}

void Daemon::run()
{
    if (!wanted_ || running_)
        return;
    running_ = true;
    wanted_ = false;
    MHD_run(daemon_);
    MHD_UNSIGNED_LONG_LONG ms = 0;
    if (MHD_get_timeout(daemon_, &ms) == MHD_YES && ms == 0)
        wanted_ = true;
    running_ = false;
}

void Daemon::adopt(int fd, const net::Received& from)
{
    sockaddr_storage peer;
    const socklen_t size = to_sockaddr(from.source, peer);
    connections_[fd] = {from, worker_.now(), true, 0};
    if (MHD_add_connection(daemon_, fd, reinterpret_cast<sockaddr*>(&peer), size) != MHD_YES) {
        counts_.refused.add(); // the descriptor has been closed by the call
        if (connections_.erase(fd) != 0)
            network_.released(from.connection);
        return;
    }
    if (!sweep_timer_.armed())
        sweep_timer_.arm_in(sweep_every);
    wanted_ = true;
}

void Daemon::resume(MHD_Connection* connection)
{
    MHD_resume_connection(connection);
    wanted_ = true;
}

void Daemon::finished(Exchange& exchange)
{
    exchange.state = Exchange::State::done;
    if (!exchange.has_reply())
        exchange.refuse(500, "the script gave no reply\n");
    if (in_handler_ == &exchange)
        return; // the handler is below us on the loop's stack and goes on when the fiber ends
    worker_.post([this, connection = exchange.connection] { resume(connection); });
}

int Daemon::handle(Exchange& exchange, MHD_Connection* connection, const char* method, const char* version,
                   const char* upload, std::size_t* upload_size)
{
    if (!exchange.head_seen) {
        exchange.head_seen = true;
        exchange.connection = connection;
        begin(exchange, method, version);
        return exchange.has_reply() ? queue(exchange) : 1;
    }
    if (*upload_size != 0) {
        if (!exchange.body_too_large && exchange.text.size() - exchange.body_at + *upload_size > limits_.max_body)
            exchange.body_too_large = true;
        if (!exchange.body_too_large)
            exchange.text.append(upload, *upload_size);
        *upload_size = 0;
        return 1;
    }
    if (exchange.queued)
        return 1;
    if (exchange.body_too_large && !exchange.has_reply()) {
        counts_.too_large.add();
        exchange.refuse(413, "the body is larger than this server takes\n");
        exchange.state = Exchange::State::done;
    }
    if (exchange.state == Exchange::State::reading) {
        exchange.state = Exchange::State::running;
        if (auto found = connections_.find(descriptor_of(connection)); found != connections_.end())
            found->second.running = 1;
        in_handler_ = &exchange;
        serve_(exchange);
        in_handler_ = nullptr;
    }
    if (exchange.state == Exchange::State::done)
        return queue(exchange);
    // The fiber waits for something; libmicrohttpd calls again after resume().
    exchange.suspended = true;
    MHD_suspend_connection(connection);
    return 1;
}

// The request as a message a script can look at: request line and headers as sent, then the body.
void Daemon::begin(Exchange& exchange, const char* method, const char* version)
{
    counts_.requests.add();
    if (auto found = connections_.find(descriptor_of(exchange.connection)); found != connections_.end()) {
        exchange.received = found->second.received;
        found->second.in_request = true;
        found->second.since = worker_.now();
    }
    std::string_view path = exchange.target;
    if (const auto scheme = path.find("://"); scheme != std::string_view::npos && path.front() != '/') {
        const auto slash = path.find('/', scheme + 3); // absolute-form (RFC 9112 3.2.2)
        path = slash == std::string_view::npos ? std::string_view{"/"} : path.substr(slash);
    }
    std::size_t length = 0;
    if (const char* text = MHD_lookup_connection_value(exchange.connection, MHD_HEADER_KIND, "Content-Length"))
        length = parse_uint(text).value_or(0);
    if (length > limits_.max_body) {
        exchange.body_too_large = true;
        const bool waits = MHD_lookup_connection_value(exchange.connection, MHD_HEADER_KIND, "Expect") != nullptr;
        if (waits || length > drain_limit) { // not worth reading: answered at once, the connection closes
            counts_.too_large.add();
            exchange.refuse(413, "the body is larger than this server takes\n");
            exchange.state = Exchange::State::done;
            return;
        }
        length = 0;
    }
    std::string& text = exchange.text;
    text.reserve(512 + path.size() + length);
    text.append(method).append(" ").append(path).append(" ").append(version).append("\r\n");
    MHD_get_connection_values_n(
        exchange.connection, MHD_HEADER_KIND,
        [](void* cls, MHD_ValueKind, const char* name, std::size_t name_size, const char* value, std::size_t size) {
            auto& out = *static_cast<std::string*>(cls);
            out.append(name, name_size).append(": ");
            if (value)
                out.append(value, size);
            out.append("\r\n");
            return MHD_YES;
        },
        &text);
    text.append("\r\n");
    exchange.body_at = text.size();
}

int Daemon::queue(Exchange& exchange)
{
    MHD_Response* const response = exchange.take_response();
    if (!response)
        return 0; // no memory: the connection closes
    exchange.queued = true;
    counts_.replies.add();
    const int done = MHD_queue_response(exchange.connection, static_cast<unsigned>(exchange.status), response);
    MHD_destroy_response(response); // our reference
    return done;
}

void Daemon::sweep()
{
    const Instant now = worker_.now();
    std::vector<int> late;
    for (const auto& [fd, connection] : connections_) {
        if (connection.running != 0)
            continue;
        const Duration limit = connection.in_request ? limits_.request_timeout : limits_.idle_timeout;
        if (limit >= Duration{0} && now - connection.since > limit)
            late.push_back(fd);
    }
    for (const int fd : late) {
        counts_.timeouts.add();
        ::shutdown(fd, SHUT_RDWR); // libmicrohttpd sees the end and cleans up
        if (auto found = connections_.find(fd); found != connections_.end())
            found->second.since = now;
    }
    if (!connections_.empty())
        sweep_timer_.arm_in(sweep_every);
}

} // namespace sipyard::xhttp
