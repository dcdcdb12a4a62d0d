// modules/xhttp/daemon.cpp - the callbacks of libmicrohttpd 0.9.75 and its place in our loop
#include "modules/xhttp/daemon.h"

#include "core/base/text.h"
#include "core/module/module.h"

#include <microhttpd.h>

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace sipyard::xhttp {

namespace {

constexpr Duration sweep_every = std::chrono::seconds{1};
// Request line and headers: a target of 8 KiB, which the script answers with 414, may stand in the
// credentials once more. Not larger than needed: libmicrohttpd wipes all of it after each request.
constexpr intptr_t head_limit = 20 * 1024;
constexpr std::size_t claimed = 64 * 1024;

// What connection_changed() left in the socket's context.
Connection* connection_of(MHD_Connection* handle)
{
    const auto* info = MHD_get_connection_info(handle, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? static_cast<Connection*>(info->socket_context) : nullptr;
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
    static void* request_line_read(void* cls, const char* target, MHD_Connection* handle)
    {
        auto& self = *static_cast<Daemon*>(cls);
        auto* const exchange = new Exchange(self, target);
        exchange->handle = handle;
        exchange->connection = connection_of(handle);
        if (exchange->connection)
            exchange->connection->exchange = exchange;
        self.enter(exchange->connection, Connection::Phase::reading);
        return exchange;
    }
    static MHD_Result part_read(void*, MHD_Connection*, const char*, const char* method, const char* version,
                                const char* upload, std::size_t* upload_size, void** con_cls)
    {
        auto& exchange = *static_cast<Exchange*>(*con_cls);
        return exchange.daemon.handle(exchange, method, version, upload, upload_size) ? MHD_YES : MHD_NO;
    }
    static void request_completed(void* cls, MHD_Connection*, void** con_cls, MHD_RequestTerminationCode)
    {
        auto* const exchange = static_cast<Exchange*>(*con_cls);
        if (!exchange)
            return;
        *con_cls = nullptr;
        if (exchange->connection) {
            exchange->connection->exchange = nullptr;
            static_cast<Daemon*>(cls)->enter(exchange->connection, Connection::Phase::idle);
        }
        delete exchange;
    }
    static void connection_changed(void* cls, MHD_Connection*, void** context,
                                   MHD_ConnectionNotificationCode code)
    {
        auto& self = *static_cast<Daemon*>(cls);
        if (code == MHD_CONNECTION_NOTIFY_STARTED) {
            *context = std::exchange(self.arriving_, nullptr);
            return;
        }
        auto* const connection = static_cast<Connection*>(*context);
        if (!connection)
            return;
        *context = nullptr;
        self.connections_.erase(connection);
        self.network_.released(connection->received.connection);
        delete connection;
    }
    // Targets are taken raw from the request line; nothing needs them decoded.
    static std::size_t leave_as_it_is(void*, MHD_Connection*, char* text) { return std::strlen(text); }
    static void silent(void*, const char*, va_list) {}
};

Daemon::Daemon(task::Worker& worker, const Limits& limits, Counts counts, net::Network& network, Serve serve,
               Ask ask)
    : worker_{worker}, limits_{limits}, counts_{counts}, network_{network}, serve_{std::move(serve)},
      ask_{std::move(ask)}, sweep_timer_{worker, [this] { sweep(); }}, link_{std::make_shared<DaemonLink>(
                                                                           DaemonLink{this})}
{
    const unsigned flags =
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE;
    const MHD_OptionItem options[] = {
        {MHD_OPTION_CONNECTION_LIMIT, static_cast<intptr_t>(limits.connections), nullptr},
        {MHD_OPTION_CONNECTION_TIMEOUT, 0, nullptr}, // ours are on the wheel
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, head_limit, nullptr},
        {MHD_OPTION_STRICT_FOR_CLIENT, 1, nullptr}, // HTTP/1.1 needs a Host (RFC 9112 3.2)
        {MHD_OPTION_URI_LOG_CALLBACK, reinterpret_cast<intptr_t>(&Callbacks::request_line_read), this},
        {MHD_OPTION_NOTIFY_COMPLETED, reinterpret_cast<intptr_t>(&Callbacks::request_completed), this},
        {MHD_OPTION_NOTIFY_CONNECTION, reinterpret_cast<intptr_t>(&Callbacks::connection_changed), this},
        {MHD_OPTION_UNESCAPE_CALLBACK, reinterpret_cast<intptr_t>(&Callbacks::leave_as_it_is), this},
        {MHD_OPTION_END, 0, nullptr},
    };
    daemon_ =
        MHD_start_daemon(flags, 0, nullptr, nullptr, &Callbacks::part_read, this, MHD_OPTION_EXTERNAL_LOGGER,
                         &Callbacks::silent, nullptr, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
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
    link_->daemon = nullptr;
    worker_.remove_before_wait(hook_);
    watch_.reset();
    sweep_timer_.cancel();
    // Stopping with a suspended connection aborts the process, so all are resumed; the handler then answers
    // 503, and streams end.
    ending_ = true;
    for (Connection* const connection : connections_)
        if (connection->exchange)
            connection->exchange->end();
    // A reply leaves in the next turn or two: nobody waits for a client that does not read.
    for (int turn = 0; turn < 3; ++turn)
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
    auto* const connection = new Connection{from, fd, Connection::Phase::reading, worker_.now(), nullptr};
    connections_.insert(connection);
    arriving_ = connection;
    const auto added = MHD_add_connection(daemon_, fd, reinterpret_cast<sockaddr*>(&peer), size);
    if (added != MHD_YES) {
        counts_.refused.add(); // the descriptor has been closed by the call
        if (std::exchange(arriving_,
                          nullptr)) { // libmicrohttpd never saw it, so it will not say that it is gone
            connections_.erase(connection);
            network_.released(from.connection);
            delete connection;
        }
        return;
    }
    if (!sweep_timer_.armed())
        sweep_timer_.arm_in(sweep_every);
    wanted_ = true;
}

void Daemon::enter(Connection* connection, Connection::Phase phase)
{
    if (!connection)
        return;
    connection->phase = phase;
    connection->since = worker_.now();
}

void Daemon::resume(MHD_Connection* handle)
{
    MHD_resume_connection(handle);
    wanted_ = true;
}

void Daemon::finished(Exchange& exchange)
{
    if (std::exchange(exchange.asking, false) && !exchange.has_reply() && !ending_) {
        exchange.state = Exchange::State::reading; // the script has nothing against it: the body may come
    } else {
        exchange.state = Exchange::State::done;
        if (!exchange.has_reply())
            exchange.refuse(500, "the script gave no reply\n");
    }
    // Else the handler is below us on the loop's stack and goes on when the fiber ends.
    if (std::exchange(exchange.suspended, false))
        resume(exchange.handle);
}

int Daemon::handle(Exchange& exchange, const char* method, const char* version, const char* upload,
                   std::size_t* upload_size)
{
    if (!exchange.head_seen) {
        exchange.head_seen = true;
        begin(exchange, method, version);
        return exchange.has_reply() ? queue(exchange) : ask(exchange);
    }
    if (std::exchange(exchange.at_head, false)) { // resumed: the script has looked at the head
        if (exchange.state == Exchange::State::done)
            return queue(exchange);
        enter(exchange.connection, Connection::Phase::reading);
        return 1;
    }
    if (*upload_size != 0)
        return take_body(exchange, upload, upload_size);
    if (exchange.queued)
        return 1;
    if (exchange.body_too_large && !exchange.has_reply())
        refuse_body(exchange);
    if (ending_ && exchange.state == Exchange::State::reading) {
        exchange.refuse(503, "the server is stopping\n");
        exchange.state = Exchange::State::done;
    }
    if (exchange.state == Exchange::State::reading) {
        exchange.state = Exchange::State::running;
        enter(exchange.connection, Connection::Phase::running);
        serve_(exchange);
    }
    if (exchange.state == Exchange::State::done)
        return queue(exchange);
    // The fiber waits for something; libmicrohttpd calls again after resume().
    exchange.suspended = true;
    MHD_suspend_connection(exchange.handle);
    return 1;
}

int Daemon::ask(Exchange& exchange)
{
    const char* const expects = MHD_lookup_connection_value(exchange.handle, MHD_HEADER_KIND, "Expect");
    if (!expects || !iequals(expects, "100-continue") || exchange.body_too_large)
        return 1;
    exchange.asking = true;
    exchange.state = Exchange::State::running;
    enter(exchange.connection, Connection::Phase::running);
    if (!ask_(exchange)) {
        exchange.asking = false;
        exchange.state = Exchange::State::reading;
    }
    if (exchange.asking) { // the fiber waits, for a password from the database perhaps
        exchange.suspended = exchange.at_head = true;
        MHD_suspend_connection(exchange.handle);
        return 1;
    }
    if (exchange.state == Exchange::State::done)
        return queue(exchange);
    enter(exchange.connection, Connection::Phase::reading);
    return 1;
}

int Daemon::take_body(Exchange& exchange, const char* upload, std::size_t* upload_size)
{
    const std::size_t size = *upload_size;
    *upload_size = 0;
    if (!exchange.body_too_large && exchange.text.size() - exchange.body_at + size > limits_.max_body) {
        exchange.body_too_large = true;
        exchange.text = {};
    }
    if (!exchange.body_too_large) {
        exchange.text.append(upload, size);
        return 1;
    }
    return 1; // read to the end, so that the client gets to read the 413; request_timeout says for how long
}

void Daemon::refuse_body(Exchange& exchange)
{
    counts_.too_large.add();
    exchange.refuse(413, "the body is larger than this server takes\n");
    exchange.state = Exchange::State::done;
}

// The request as a message a script can look at: request line and headers as sent, then the body.
void Daemon::begin(Exchange& exchange, const char* method, const char* version)
{
    counts_.requests.add();
    if (exchange.connection)
        exchange.received = exchange.connection->received;
    std::string_view path = exchange.target;
    if (const auto scheme = path.find("://"); scheme != std::string_view::npos && path.front() != '/') {
        const auto slash = path.find('/', scheme + 3); // absolute-form (RFC 9112 3.2.2)
        path = slash == std::string_view::npos ? std::string_view{"/"} : path.substr(slash);
    }
    std::size_t length = 0;
    if (const char* text = MHD_lookup_connection_value(exchange.handle, MHD_HEADER_KIND, "Content-Length"))
        length = parse_uint(text).value_or(0);
    if (length > limits_.max_body) {
        exchange.body_too_large = true;
        const bool waits = MHD_lookup_connection_value(exchange.handle, MHD_HEADER_KIND, "Expect") != nullptr;
        if (waits) { // the client has sent nothing of it: answered at once, the connection closes
            refuse_body(exchange);
            return;
        }
        length = 0;
    }
    std::string& text = exchange.text;
    text.reserve(512 + path.size() + std::min(length, claimed)); // what a client claims is not yet sent
    text.append(method).append(" ").append(path).append(" ").append(version).append("\r\n");
    MHD_get_connection_values_n(
        exchange.handle, MHD_HEADER_KIND,
        [](void* cls, MHD_ValueKind, const char* name, std::size_t name_size, const char* value,
           std::size_t size) {
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
    enter(exchange.connection, Connection::Phase::writing);
    const int done = MHD_queue_response(exchange.handle, static_cast<unsigned>(exchange.status), response);
    MHD_destroy_response(response); // our reference
    return done;
}

bool Daemon::is_late(const Connection& connection, Instant now) const
{
    const Duration patience = limits_.idle_timeout;
    switch (connection.phase) {
    case Connection::Phase::reading: return now - connection.since > limits_.request_timeout;
    case Connection::Phase::running: return false;
    case Connection::Phase::writing:
        if (connection.exchange && connection.exchange->is_stream())
            return patience >= Duration{0} && connection.exchange->stalled(now) > patience;
        return patience >= Duration{0} &&
               now - connection.since > std::max(patience, limits_.request_timeout);
    case Connection::Phase::idle: return patience >= Duration{0} && now - connection.since > patience;
    }
    return false;
}

void Daemon::sweep()
{
    const Instant now = worker_.now();
    for (Connection* const connection : connections_) {
        if (!is_late(*connection, now))
            continue;
        counts_.timeouts.add();
        ::shutdown(connection->fd, SHUT_RDWR); // libmicrohttpd sees the end and cleans up
        connection->since = now;
    }
    if (!connections_.empty())
        sweep_timer_.arm_in(sweep_every);
}

} // namespace sipyard::xhttp
