// core/crypto/tls.cpp - contexts and streams on OpenSSL
#include "core/crypto/tls.h"

#include "core/base/format.h"
#include "core/base/text.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <system_error>

namespace sipyard::crypto {

namespace {

struct Method {
    std::string_view name;
    int lowest, highest; // 0: whatever the library allows
};
constexpr Method all_methods[] = {
    {"SSLv23", 0, 0},
    {"TLSv1", TLS1_VERSION, TLS1_VERSION},
    {"TLSv1.0", TLS1_VERSION, TLS1_VERSION},
    {"TLSv1+", TLS1_VERSION, 0},
    {"TLSv1.0+", TLS1_VERSION, 0},
    {"TLSv1.1", TLS1_1_VERSION, TLS1_1_VERSION},
    {"TLSv1.1+", TLS1_1_VERSION, 0},
    {"TLSv1.2", TLS1_2_VERSION, TLS1_2_VERSION},
    {"TLSv1.2+", TLS1_2_VERSION, 0},
    {"TLSv1.3", TLS1_3_VERSION, TLS1_3_VERSION},
    {"TLSv1.3+", TLS1_3_VERSION, 0},
};

// The library's queue of errors as one sentence; leaves it empty, for it belongs to the thread and not to us.
std::string library_error()
{
    std::string text;
    while (const auto code = ERR_get_error()) {
        if (!text.empty())
            text += "; ";
        const char* const reason = ERR_reason_error_string(code);
        text += reason ? std::string{reason} : format("error {}", static_cast<std::uint64_t>(code));
    }
    return text.empty() ? "unknown error" : text;
}

Error refused(std::string_view what, std::string_view file)
{
    return invalid(format("{} '{}': {}", what, file, library_error()));
}

} // namespace

// What the library calls back, and the way from our handles to its types.
struct TlsCallbacks {
    static SSL_CTX* context(const TlsContext& context) { return reinterpret_cast<SSL_CTX*>(context.handle_); }
    static SSL* stream(const TlsStream& stream) { return reinterpret_cast<SSL*>(stream.handle_); }

    // A key with a password: without this the library would ask on the terminal.
    static int no_password(char*, int, int, void*) { return 0; }
    static int accept_any(int, X509_STORE_CTX*) { return 1; }

    static void apply_verification(const TlsSettings& settings, auto&& set)
    {
        int mode = settings.verify_certificate ? SSL_VERIFY_PEER : SSL_VERIFY_NONE;
        if (settings.side == TlsSide::server && settings.require_certificate)
            mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
        set(mode, settings.verify_certificate ? nullptr : &accept_any);
    }

    static int server_name(SSL* stream, int*, void* argument)
    {
        const auto* const self = static_cast<const TlsContext*>(argument);
        const char* const asked = SSL_get_servername(stream, TLSEXT_NAMETYPE_host_name);
        const TlsContext* const other = asked ? self->named(asked) : nullptr;
        if (!other)
            return asked ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
        SSL_set_SSL_CTX(stream, context(*other));
        // The certificate came along; who must show one did not.
        apply_verification(other->settings_,
                           [&](int mode, SSL_verify_cb cb) { SSL_set_verify(stream, mode, cb); });
        SSL_set_verify_depth(stream, other->settings_.verify_depth);
        return SSL_TLSEXT_ERR_OK;
    }
};

std::vector<std::string_view> TlsContext::methods()
{
    std::vector<std::string_view> names;
    for (const auto& method : all_methods)
        names.push_back(method.name);
    return names;
}

Result<std::shared_ptr<TlsContext>> TlsContext::make(const TlsSettings& settings)
{
    const auto method = std::find_if(std::begin(all_methods), std::end(all_methods),
                                     [&](const Method& m) { return iequals(m.name, settings.method); });
    if (method == std::end(all_methods))
        return invalid(format("'{}' is not a TLS method this library has", settings.method));
    ERR_clear_error();
    SSL_CTX* const handle =
        SSL_CTX_new(settings.side == TlsSide::server ? TLS_server_method() : TLS_client_method());
    if (!handle)
        return invalid(format("TLS: {}", library_error()));
    // The constructor is private: a shared_ptr cannot make it by itself.
    std::shared_ptr<TlsContext> context{new TlsContext{settings, reinterpret_cast<Handle*>(handle)}};

    SSL_CTX_set_min_proto_version(handle, method->lowest);
    SSL_CTX_set_max_proto_version(handle, method->highest);
    SSL_CTX_set_options(handle, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                    SSL_OP_CIPHER_SERVER_PREFERENCE |
                                    SSL_OP_IGNORE_UNEXPECTED_EOF); // SIP and HTTP carry their own lengths
    SSL_CTX_set_mode(handle, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                 SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(handle, 1); // one read() for header and record
    SSL_CTX_set_default_passwd_cb(handle, TlsCallbacks::no_password);
    SSL_CTX_set_dh_auto(handle, 1);

    if (!settings.certificate.empty()) {
        if (SSL_CTX_use_certificate_chain_file(handle, settings.certificate.c_str()) != 1)
            return refused("certificate", settings.certificate);
        const auto& key = settings.private_key.empty() ? settings.certificate : settings.private_key;
        if (SSL_CTX_use_PrivateKey_file(handle, key.c_str(), SSL_FILETYPE_PEM) != 1)
            return refused("private_key", key);
        if (SSL_CTX_check_private_key(handle) != 1)
            return refused("private_key does not belong to the certificate:", key);
    } else if (settings.side == TlsSide::server) {
        return invalid("a TLS server needs a certificate");
    }
    if (!settings.ca_list.empty()) {
        if (SSL_CTX_load_verify_file(handle, settings.ca_list.c_str()) != 1)
            return refused("ca_list", settings.ca_list);
        if (settings.side == TlsSide::server)
            SSL_CTX_set_client_CA_list(handle, SSL_load_client_CA_file(settings.ca_list.c_str()));
    }
    if (!settings.crl.empty()) {
        X509_STORE* const store = SSL_CTX_get_cert_store(handle);
        if (X509_STORE_load_file(store, settings.crl.c_str()) != 1)
            return refused("crl", settings.crl);
        X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    }
    if (!settings.cipher_list.empty() && SSL_CTX_set_cipher_list(handle, settings.cipher_list.c_str()) != 1)
        return refused("cipher_list", settings.cipher_list);

    TlsCallbacks::apply_verification(
        settings, [&](int mode, SSL_verify_cb cb) { SSL_CTX_set_verify(handle, mode, cb); });
    SSL_CTX_set_verify_depth(handle, settings.verify_depth);

    if (settings.session_cache) {
        SSL_CTX_set_session_cache_mode(handle, SSL_SESS_CACHE_SERVER);
        const auto size = std::min<std::size_t>(settings.session_id.size(), SSL_MAX_SID_CTX_LENGTH);
        SSL_CTX_set_session_id_context(handle,
                                       reinterpret_cast<const unsigned char*>(settings.session_id.data()),
                                       static_cast<unsigned>(size));
    } else {
        SSL_CTX_set_session_cache_mode(handle, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_options(handle, SSL_OP_NO_TICKET);
        SSL_CTX_set_num_tickets(handle, 0);
    }
    if (settings.side == TlsSide::server) {
        SSL_CTX_set_tlsext_servername_callback(handle, TlsCallbacks::server_name);
        SSL_CTX_set_tlsext_servername_arg(handle, context.get());
    }
    ERR_clear_error();
    return context;
}

TlsContext::~TlsContext() { SSL_CTX_free(reinterpret_cast<SSL_CTX*>(handle_)); }

void TlsContext::add_name(std::string name, std::shared_ptr<TlsContext> other)
{
    names_.push_back({std::move(name), std::move(other)});
}

const TlsContext* TlsContext::named(std::string_view name) const
{
    const TlsContext* wildcard = nullptr;
    for (const auto& known : names_) {
        if (iequals(known.name, name))
            return known.context.get();
        const auto dot = name.find('.');
        if (known.name.starts_with("*.") && dot != std::string_view::npos && dot > 0 &&
            iequals(std::string_view{known.name}.substr(1), name.substr(dot)))
            wildcard = known.context.get();
    }
    return wildcard;
}

std::string_view to_text(TlsStream::Step step)
{
    constexpr std::array<std::string_view, 5> names{"done", "want_read", "want_write", "closed", "failed"};
    return names[static_cast<std::size_t>(step)];
}

TlsStream::TlsStream(std::shared_ptr<TlsContext> context, int fd, std::string_view server_name)
    : context_{std::move(context)}
{
    ERR_clear_error();
    SSL* const handle = SSL_new(TlsCallbacks::context(*context_));
    handle_ = reinterpret_cast<Handle*>(handle);
    if (!handle || SSL_set_fd(handle, fd) != 1) {
        error_ = library_error();
        return;
    }
    const auto& settings = context_->settings();
    if (settings.side == TlsSide::server) {
        SSL_set_accept_state(handle);
        return;
    }
    const std::string name{server_name.empty() ? std::string_view{settings.server_name} : server_name};
    if (!name.empty()) {
        SSL_set_tlsext_host_name(handle, name.c_str());
        if (settings.verify_certificate)
            SSL_set1_host(handle, name.c_str());
    }
    SSL_set_connect_state(handle);
}

TlsStream::~TlsStream()
{
    SSL_free(TlsCallbacks::stream(*this));
    ERR_clear_error();
}

TlsStream::Step TlsStream::step_of(int result, std::string_view doing)
{
    const int system = errno;
    switch (SSL_get_error(TlsCallbacks::stream(*this), result)) {
    case SSL_ERROR_NONE: return Step::done;
    case SSL_ERROR_WANT_READ: return Step::want_read;
    case SSL_ERROR_WANT_WRITE: return Step::want_write;
    case SSL_ERROR_ZERO_RETURN: return Step::closed;
    case SSL_ERROR_SYSCALL:
        error_ = format("{}: {}", doing,
                        system ? std::generic_category().message(system)
                               : std::string{"the peer closed the connection"});
        break;
    default: {
        const auto verified = SSL_get_verify_result(TlsCallbacks::stream(*this));
        error_ = format("{}: {}", doing, library_error());
        if (!established_ && verified != X509_V_OK)
            error_ += format(" ({})", std::string_view{X509_verify_cert_error_string(verified)});
    }
    }
    ERR_clear_error();
    return Step::failed;
}

TlsStream::Step TlsStream::handshake()
{
    if (!handle_)
        return Step::failed;
    ERR_clear_error();
    errno = 0;
    const auto step = step_of(SSL_do_handshake(TlsCallbacks::stream(*this)), "TLS handshake");
    if (step == Step::done)
        established_ = true;
    if (step != Step::closed)
        return step;
    error_ = "TLS handshake: the peer closed the connection";
    return Step::failed;
}

TlsStream::Io TlsStream::read(char* to, std::size_t size)
{
    ERR_clear_error();
    errno = 0;
    std::size_t bytes = 0;
    const int result = SSL_read_ex(TlsCallbacks::stream(*this), to, size, &bytes);
    return {step_of(result, "TLS read"), bytes};
}

TlsStream::Io TlsStream::write(const char* bytes, std::size_t size)
{
    ERR_clear_error();
    errno = 0;
    std::size_t written = 0;
    const int result = SSL_write_ex(TlsCallbacks::stream(*this), bytes, size, &written);
    return {step_of(result, "TLS write"), written};
}

TlsStream::Step TlsStream::shutdown()
{
    if (!established_)
        return Step::done;
    ERR_clear_error();
    errno = 0;
    const int result = SSL_shutdown(TlsCallbacks::stream(*this));
    return result >= 0 ? Step::done
                       : step_of(result, "TLS shutdown"); // 0: ours is sent, the peer's not seen yet
}

bool TlsStream::has_pending() const { return SSL_has_pending(TlsCallbacks::stream(*this)) == 1; }

} // namespace sipyard::crypto
