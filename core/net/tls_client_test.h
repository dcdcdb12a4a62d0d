// core/net/tls_client_test.h - for the tests of this room: a TLS client, contexts from test/corpus/tls
#pragma once

#include "core/net/loopback_test.h"

#include <fcntl.h>

namespace sipyard::net {

inline std::string pem(std::string_view who, std::string_view what)
{
    return "test/corpus/tls/" + std::string{who} + "." + std::string{what} + ".pem";
}

inline std::shared_ptr<crypto::TlsContext> tls_server(std::string_view who = "localhost")
{
    crypto::TlsSettings settings;
    settings.certificate = pem(who, "cert");
    settings.private_key = pem(who, "key");
    return must(crypto::TlsContext::make(settings));
}

inline std::shared_ptr<crypto::TlsContext> tls_client(std::string_view method = "TLSv1.2+")
{
    crypto::TlsSettings settings;
    settings.side = crypto::TlsSide::client;
    settings.method = method;
    return must(crypto::TlsContext::make(settings));
}

class TlsClient {
public:
    TlsClient(const Address& to, std::shared_ptr<crypto::TlsContext> context, std::string_view name = {})
        : socket_{Protocol::tcp, to}, stream_{std::move(context), nonblocking(socket_.fd()), name}
    {
        while ((last_ = stream_.handshake()) != crypto::TlsStream::Step::done)
            wait();
    }
    void send(std::string_view bytes)
    {
        while (!bytes.empty()) {
            const auto io = stream_.write(bytes.data(), bytes.size());
            last_ = io.step;
            if (io.step == crypto::TlsStream::Step::done)
                bytes.remove_prefix(io.bytes);
            else
                wait();
        }
    }
    std::string receive(std::size_t most = 65'536) // "" at the end
    {
        std::string bytes(most, '\0');
        while (true) {
            const auto io = stream_.read(bytes.data(), most);
            last_ = io.step;
            bytes.resize(io.bytes);
            if (io.step == crypto::TlsStream::Step::done || io.step == crypto::TlsStream::Step::closed ||
                io.step == crypto::TlsStream::Step::failed)
                return bytes;
            wait();
            bytes.resize(most);
        }
    }
    std::string receive_exactly(std::size_t size)
    {
        std::string all;
        while (all.size() < size) {
            const auto more = receive(size - all.size());
            if (more.empty())
                break;
            all += more;
        }
        return all;
    }
    void shutdown() { stream_.shutdown(); }
    std::string peer() const { return stream_.info().peer.common_name; }
    crypto::TlsStream::Step last() const { return last_; }
    Client& socket() { return socket_; }

private:
    static int nonblocking(int fd)
    {
        fcntl(fd, F_SETFL, O_NONBLOCK);
        return fd;
    }
    void wait()
    {
        expect(last_ == crypto::TlsStream::Step::want_read || last_ == crypto::TlsStream::Step::want_write,
               stream_.error().c_str());
        pollfd one{socket_.fd(),
                   static_cast<short>(last_ == crypto::TlsStream::Step::want_read ? POLLIN : POLLOUT), 0};
        expect(poll(&one, 1, patience_ms) == 1, "TLS: nothing happened in time");
    }
    Client socket_;
    crypto::TlsStream stream_;
    crypto::TlsStream::Step last_ = crypto::TlsStream::Step::done;
};

} // namespace sipyard::net
