// core/crypto/tls_info.cpp - what a handshake agreed on and who the peer is, as text
#include "core/crypto/tls.h"

#include "core/base/text.h"

#include <memory>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace sipyard::crypto {

struct TlsDescriber {
    static SSL* stream(const TlsStream& stream) { return reinterpret_cast<SSL*>(stream.handle_); }
};

namespace {

struct Free {
    void operator()(BIO* bio) const { BIO_free(bio); }
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(BIGNUM* number) const { BN_free(number); }
    void operator()(char* text) const { OPENSSL_free(text); }
    void operator()(unsigned char* text) const { OPENSSL_free(text); }
    void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

std::string text_of(const ASN1_STRING* string)
{
    unsigned char* utf8 = nullptr;
    const int size = string ? ASN1_STRING_to_UTF8(&utf8, string) : -1;
    if (size < 0)
        return {};
    const Owned<unsigned char> owned{utf8};
    return {reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size)};
}

std::string part(const X509_NAME* name, int which)
{
    const int at = X509_NAME_get_index_by_NID(const_cast<X509_NAME*>(name), which, -1);
    return at < 0 ? std::string{} : text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
}

std::string one_line(const X509_NAME* name)
{
    const Owned<char> text{X509_NAME_oneline(name, nullptr, 0)};
    return text ? std::string{text.get()} : std::string{};
}

std::string time_text(const ASN1_TIME* time)
{
    const Owned<BIO> bio{BIO_new(BIO_s_mem())};
    char* text = nullptr;
    if (!bio || ASN1_TIME_print(bio.get(), time) != 1)
        return {};
    const auto size = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

void add_alternatives(const X509* certificate, TlsCertificate& to)
{
    const Owned<GENERAL_NAMES> names{
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr))};
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
        int type = 0;
        const void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type);
        const auto* string = static_cast<const ASN1_STRING*>(value);
        if (type == GEN_DNS)
            to.dns_names.push_back(text_of(string));
        else if (type == GEN_URI)
            to.uris.push_back(text_of(string));
        else if (type == GEN_EMAIL)
            to.emails.push_back(text_of(string));
        else if (type == GEN_IPADD) {
            const Owned<char> ip{
                OPENSSL_buf2hexstr(ASN1_STRING_get0_data(string), ASN1_STRING_length(string))};
            to.ips.emplace_back(ip ? ip.get() : "");
        }
    }
}

TlsCertificate describe(X509* certificate)
{
    TlsCertificate to;
    const X509_NAME* subject = X509_get_subject_name(certificate);
    const X509_NAME* issuer = X509_get_issuer_name(certificate);
    to.subject = one_line(subject);
    to.issuer = one_line(issuer);
    to.common_name = part(subject, NID_commonName);
    to.organization = part(subject, NID_organizationName);
    to.unit = part(subject, NID_organizationalUnitName);
    to.country = part(subject, NID_countryName);
    to.state = part(subject, NID_stateOrProvinceName);
    to.locality = part(subject, NID_localityName);
    to.issuer_common_name = part(issuer, NID_commonName);
    to.issuer_organization = part(issuer, NID_organizationName);
    to.version = std::to_string(X509_get_version(certificate));
    to.not_before = time_text(X509_get0_notBefore(certificate));
    to.not_after = time_text(X509_get0_notAfter(certificate));
    if (const Owned<BIGNUM> serial{ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr)}) {
        const Owned<char> digits{BN_bn2dec(serial.get())};
        to.serial = digits ? digits.get() : "";
    }
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (X509_digest(certificate, EVP_sha1(), digest, &size) == 1)
        to.sha1 = hex({reinterpret_cast<const char*>(digest), size});
    add_alternatives(certificate, to);
    return to;
}

} // namespace

TlsInfo TlsStream::info() const
{
    SSL* const stream = TlsDescriber::stream(*this);
    TlsInfo info;
    info.version = SSL_get_version(stream);
    if (const SSL_CIPHER* const cipher = SSL_get_current_cipher(stream)) {
        char text[256];
        info.cipher = SSL_CIPHER_get_name(cipher);
        info.cipher_bits = SSL_CIPHER_get_bits(cipher, nullptr);
        if (SSL_CIPHER_description(cipher, text, sizeof text))
            info.cipher_description = trim(text);
    }
    if (const char* const name = SSL_get_servername(stream, TLSEXT_NAMETYPE_host_name))
        info.server_name = name;
    info.resumed = SSL_session_reused(stream) == 1;
    const auto verified = SSL_get_verify_result(stream);
    if (const Owned<X509> peer{SSL_get1_peer_certificate(stream)}) {
        info.peer_shown = true;
        info.peer_verified = verified == X509_V_OK && SSL_get_verify_mode(stream) != SSL_VERIFY_NONE;
        if (verified != X509_V_OK)
            info.verify_error = X509_verify_cert_error_string(verified);
        info.peer = describe(peer.get());
    }
    if (X509* const own = SSL_get_certificate(stream)) // not ours to free
        info.own = describe(own);
    return info;
}

} // namespace sipyard::crypto
