// core/crypto/tls.h - TLS for a non-blocking socket: contexts an operator configures, streams that are cheap
// when idle
#pragma once

#include "core/base/result.h"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::crypto {

enum class TlsSide : unsigned char { server, client };

struct TlsSettings {
    TlsSide side = TlsSide::server;
    std::string method = "TLSv1.2+"; // see TlsContext::methods()
    std::string certificate;         // PEM file, the chain in order
    std::string private_key;         // PEM file; empty: in the certificate file
    std::string ca_list;             // PEM file of trusted authorities
    std::string crl;                 // PEM file of revoked certificates
    std::string cipher_list;         // OpenSSL syntax for TLS 1.2 and below; empty: the library's
    bool verify_certificate = false; // a certificate that is shown must be good; as client: must be shown too
    bool require_certificate = false; // as server: the peer must show one
    int verify_depth = 9;
    bool session_cache = false;         // tickets and session ids, so that peers reconnect cheaply
    std::string session_id = "sipyard"; // sessions are resumed between contexts of the same name only
    std::string server_name; // as client: asked for in the handshake (SNI) unless the stream names another
};

// The settings of one side, loaded: certificate, key, authorities. Immutable after the names are added,
// thread-safe. A reload makes a new one; streams keep theirs alive.
class TlsContext {
public:
    // Errors name the file and what the library says about it.
    static Result<std::shared_ptr<TlsContext>> make(const TlsSettings& settings);
    ~TlsContext();
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;

    // Clients that ask for `name` (SNI, RFC 6066 3; letters of either case, a leading "*." stands for one
    // label) get `other` instead. Before first use only.
    void add_name(std::string name, std::shared_ptr<TlsContext> other);
    const TlsSettings& settings() const { return settings_; }
    // Kamailio's names: "SSLv23" "TLSv1" "TLSv1+" "TLSv1.0" "TLSv1.1" "TLSv1.1+" "TLSv1.2" "TLSv1.2+"
    // "TLSv1.3" "TLSv1.3+"
    static std::vector<std::string_view> methods();

private:
    friend class TlsStream;
    friend struct TlsCallbacks;
    struct Handle; // the library's
    TlsContext(const TlsSettings& settings, Handle* handle) : settings_{settings}, handle_{handle} {}
    struct Name {
        std::string name;
        std::shared_ptr<TlsContext> context; // shared with the module that made it
    };
    const TlsContext* named(std::string_view name) const;

    const TlsSettings settings_;
    Handle* const handle_;
    std::vector<Name> names_;
};

// A certificate as script variables and lists show it.
struct TlsCertificate {
    std::string subject, issuer; // "/C=../O=../CN=.."
    std::string common_name, organization, unit, country, state, locality;
    std::string issuer_common_name, issuer_organization;
    std::string serial, version, not_before, not_after, sha1;
    std::vector<std::string> dns_names, uris, emails, ips;
};
struct TlsInfo {
    std::string version, cipher, cipher_description, server_name;
    int cipher_bits = 0;
    bool resumed = false, peer_shown = false, peer_verified = false;
    std::string verify_error; // empty when it was verified or none was shown
    TlsCertificate peer, own;
};

// TLS on a connected non-blocking socket that somebody else owns. One thread. The library keeps no buffer
// while the connection is idle.
class TlsStream {
public:
    enum class Step : unsigned char {
        done,       // it worked; for read and write: `bytes` moved
        want_read,  // again when the socket is readable
        want_write, // again when it is writable
        closed,     // the peer said good-bye (close_notify) or closed the socket
        failed,     // error() says why; drop the connection
    };
    struct Io {
        Step step = Step::failed;
        std::size_t bytes = 0;
    };

    // `server_name`: a client asks for it and, if the context verifies, the certificate must be for it.
    TlsStream(std::shared_ptr<TlsContext> context, int fd, std::string_view server_name = {});
    ~TlsStream();
    TlsStream(const TlsStream&) = delete;
    TlsStream& operator=(const TlsStream&) = delete;

    Step handshake();
    Io read(char* to, std::size_t size);
    Io write(const char* bytes, std::size_t size); // part of it may be written; size is not 0
    Step shutdown();                               // sends close_notify; does not wait for the peer's
    // Bytes were received that read() has not returned: the socket may never become readable for them.
    bool has_pending() const;
    bool established() const { return established_; }
    const std::string& error() const { return error_; }
    TlsInfo info() const;

private:
    struct Handle; // the library's
    friend struct TlsCallbacks;
    friend struct TlsDescriber;
    Step step_of(int result, std::string_view doing);

    std::shared_ptr<TlsContext> context_; // shared with the network, which may have moved on to a newer one
    Handle* handle_ = nullptr;
    bool established_ = false;
    std::string error_;
};
std::string_view to_text(TlsStream::Step step);

} // namespace sipyard::crypto
