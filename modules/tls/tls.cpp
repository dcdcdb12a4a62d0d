// modules/tls/tls.cpp - TLS settings of the server: certificates, their reload, and what a script may ask
// about a peer
#include "core/base/format.h"
#include "core/base/guarded.h"
#include "core/json/value.h"
#include "core/module/module.h"
#include "modules/tls/profiles.h"

#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

namespace sipyard::tls {

using crypto::TlsCertificate;
using crypto::TlsInfo;

// Chooses among the profiles in force. Shared by the module and the network.
class Chooser final : public net::TlsChooser {
public:
    std::shared_ptr<crypto::TlsContext> for_server(const net::Address& local) override
    {
        return find(crypto::TlsSide::server, local);
    }
    std::shared_ptr<crypto::TlsContext> for_client(const net::Address& peer) override
    {
        return find(crypto::TlsSide::client, peer);
    }
    void set(std::shared_ptr<const Profiles> profiles)
    {
        current_.with([&](auto& current) { std::swap(current, profiles); });
    }
    std::shared_ptr<const Profiles> current() const
    {
        return current_.with([](const auto& current) { return current; });
    }

private:
    std::shared_ptr<crypto::TlsContext> find(crypto::TlsSide side, const net::Address& address)
    {
        const auto profiles = current();
        return profiles ? profiles->of(side, address) : nullptr;
    }
    Guarded<std::shared_ptr<const Profiles>> current_; // shared with whoever is choosing
};

class Tls {
public:
    struct Settings {
        std::string tls_method = "TLSv1.2+";
        std::string certificate, private_key, ca_list, crl, cipher_list, config;
        int verify_certificate = 0, require_certificate = 0, verify_depth = 9, session_cache = 0;
        std::string session_id = "sipyard-tls";
        // Accepted for old configurations; see the README.
        std::string engine = "NONE", engine_config = "NONE", engine_algorithms = "ALL", xavp_cfg,
                    event_callback, rand_engine;
        int connection_timeout = 600, tls_log = 3, tls_debug = 3, tls_disable_compression = 1,
            ssl_release_buffers = 1, ssl_freelist_max_len = -1, ssl_max_send_fragment = -1,
            ssl_read_ahead = 1, send_close_notify = 0, con_ct_wq_max = 65'536, ct_wq_max = 10'485'760,
            ct_wq_blk_size = 4096, tls_force_run = 0, low_mem_threshold1 = -1, low_mem_threshold2 = -1,
            renegotiation = 0, init_mode = 0;
    };
    static Manifest<Tls> manifest();

    Tls(const Settings& settings, Host& host)
        : settings_{settings}, host_{host}, log_{host.logger("tls")}, chooser_{std::make_shared<Chooser>()}
    {
        chooser_->set(must(load()));
        if (host_.core().enable_tls && !chooser_->current()->of(crypto::TlsSide::server, {}))
            log_.warn("no default certificate: TLS connections from others are refused unless 'config' names "
                      "their address");
        if (!host_.checking())
            host_.network().set_tls(chooser_);
    }
    ~Tls()
    {
        if (!host_.checking())
            host_.network().set_tls(nullptr);
    }

private:
    crypto::TlsSettings defaults() const
    {
        crypto::TlsSettings to;
        to.method = settings_.tls_method;
        to.certificate = settings_.certificate;
        to.private_key = settings_.private_key;
        to.ca_list = settings_.ca_list;
        to.crl = settings_.crl;
        to.cipher_list = settings_.cipher_list;
        to.verify_certificate = settings_.verify_certificate != 0;
        to.require_certificate = settings_.require_certificate != 0;
        to.verify_depth = settings_.verify_depth;
        to.session_cache = settings_.session_cache != 0;
        to.session_id = settings_.session_id;
        return to;
    }
    // A path that begins with "./" or "../" is relative to the folder of the file that names it.
    static std::string relative(const std::string& path, const std::string& to_file)
    {
        const auto slash = to_file.rfind('/');
        if (!path.starts_with("./") && !path.starts_with("../"))
            return path;
        return slash == std::string::npos ? path : to_file.substr(0, slash + 1) + path;
    }
    static void place(crypto::TlsSettings& settings, const std::string& file)
    {
        for (auto* const path :
             {&settings.certificate, &settings.private_key, &settings.ca_list, &settings.crl})
            *path = relative(*path, file);
    }

    // The parameters are the defaults of both sides; the file adds to them.
    Result<std::shared_ptr<const Profiles>> load() const
    {
        auto of_params = defaults();
        place(of_params, host_.core().config_file);
        std::vector<Profile> profiles;
        for (const auto side : {crypto::TlsSide::server, crypto::TlsSide::client}) {
            auto& profile = profiles.emplace_back();
            profile.settings = of_params;
            profile.settings.side = side;
        }
        if (!settings_.config.empty()) {
            const auto path = relative(settings_.config, host_.core().config_file);
            std::ifstream file{path, std::ios::binary};
            if (!file)
                return Error{ErrorKind::io,
                             format("tls config '{}': {}", path, std::generic_category().message(errno))};
            const std::string text{std::istreambuf_iterator<char>{file}, {}};
            auto sections = parse_config(text, of_params);
            if (!sections)
                return Error{sections.error().kind, format("{}: {}", path, sections.error().text)};
            for (auto& section : *sections) {
                place(section.settings, path);
                profiles.push_back(std::move(section));
            }
        }
        return Profiles::load(std::move(profiles));
    }

    // --- functions and variables -----------------------------------------------------------------

    std::shared_ptr<const TlsInfo> info(Request& request) const
    {
        const auto id = request.received().connection;
        return id ? host_.network().tls_info(id) : nullptr;
    }
    Verdict is_peer_verified(Request& request)
    {
        const auto found = info(request);
        return Verdict::of(found && found->peer_verified);
    }
    // Null when the message did not come over TLS, or when nothing is there to tell.
    static Value text(Request& request, std::string_view value)
    {
        return value.empty() ? Value{} : Value{request.arena().copy(value)};
    }
    template <std::string TlsInfo::*Part>
    Value of_stream(Request& request)
    {
        const auto found = info(request);
        return found ? text(request, (*found).*Part) : Value{};
    }
    template <std::string TlsCertificate::*Part>
    Value peer(Request& request)
    {
        const auto found = info(request);
        return found && found->peer_shown ? text(request, found->peer.*Part) : Value{};
    }
    template <std::string TlsCertificate::*Part>
    Value my(Request& request)
    {
        const auto found = info(request);
        return found ? text(request, found->own.*Part) : Value{};
    }
    template <std::vector<std::string> TlsCertificate::*Part>
    Value peer_first(Request& request)
    {
        const auto found = info(request);
        return found && !(found->peer.*Part).empty() ? text(request, (found->peer.*Part).front()) : Value{};
    }
    template <std::vector<std::string> TlsCertificate::*Part>
    Value my_first(Request& request)
    {
        const auto found = info(request);
        return found && !(found->own.*Part).empty() ? text(request, (found->own.*Part).front()) : Value{};
    }
    Value bits(Request& request)
    {
        const auto found = info(request);
        return found ? Value{found->cipher_bits} : Value{};
    }
    Value verified(Request& request)
    {
        const auto found = info(request);
        return found ? Value{found->peer_verified ? 1 : 0} : Value{};
    }
    // 1 when checking the peer's certificate ended with that complaint.
    Value complaint(Request& request, std::string_view words) const
    {
        const auto found = info(request);
        return found && found->peer_shown
                   ? Value{found->verify_error.find(words) != std::string::npos ? 1 : 0}
                   : Value{};
    }
    Value expired(Request& request) { return complaint(request, "expired"); }
    Value revoked(Request& request) { return complaint(request, "revoked"); }
    Value self_signed(Request& request) { return complaint(request, "self"); }

    // --- commands --------------------------------------------------------------------------------

    Result<json::Value> reload(const json::Value&)
    {
        // Reading files and keys blocks: on a pool thread. A mistake leaves everything as it was.
        auto loaded = task::blocking(
            host_.runtime().pool(), 10s, [](const Tls* self) { return self->load(); },
            static_cast<const Tls*>(this));
        if (!loaded)
            return loaded.error();
        chooser_->set(std::move(*loaded));
        log_.notice("certificates reloaded");
        return json::Value{"Ok. TLS configuration reloaded."};
    }
    Result<json::Value> list(const json::Value&)
    {
        auto& network = host_.network();
        auto all = json::Value::array();
        for (const auto& one : network.connections(listed_most)) {
            if (one.protocol != net::Protocol::tls)
                continue;
            const auto found = network.tls_info(one.id);
            auto row = json::Value::object();
            row.set("id", static_cast<std::int64_t>(one.id.value & 0xffff'ffff));
            row.set("idle", static_cast<std::int64_t>(one.idle / 1s));
            row.set("src_ip", one.peer.ip());
            row.set("src_port", one.peer.port);
            row.set("dst_ip", one.local.ip());
            row.set("dst_port", one.local.port);
            row.set("cipher", found ? found->cipher_description : "unknown");
            row.set("ct_wq_size", static_cast<std::int64_t>(one.queued_bytes));
            row.set("direction", one.inbound ? "in" : "out");
            row.set("http", one.http);
            row.set("state", found ? "established" : "handshake");
            all.add(std::move(row));
        }
        return all;
    }
    Result<json::Value> summary(const json::Value&)
    {
        const auto connections = host_.network().connections(listed_most);
        std::int64_t queued = 0;
        for (const auto& one : connections)
            queued += one.protocol == net::Protocol::tls ? static_cast<std::int64_t>(one.queued_bytes) : 0;
        auto all = json::Value::object();
        all.set("max_connections", host_.core().tls_max_connections);
        all.set("opened_connections", static_cast<std::int64_t>(host_.network().counters().tls_open));
        all.set("clear_text_write_queued_bytes", queued);
        return all;
    }
    Result<json::Value> options(const json::Value&)
    {
        const auto profiles = chooser_->current();
        auto all = json::Value::array();
        for (const auto& profile : profiles->all()) {
            const auto& s = profile.settings;
            auto row = json::Value::object();
            row.set("profile", profile.text());
            row.set("method", s.method);
            row.set("verify_certificate", s.verify_certificate);
            row.set("verify_depth", s.verify_depth);
            row.set("require_certificate", s.require_certificate);
            row.set("private_key", s.private_key);
            row.set("certificate", s.certificate);
            row.set("ca_list", s.ca_list);
            row.set("crl", s.crl);
            row.set("cipher_list", s.cipher_list);
            row.set("session_cache", s.session_cache);
            all.add(std::move(row));
        }
        return all;
    }

    static constexpr std::size_t listed_most = 1'000'000;
    const Settings settings_;
    Host& host_;
    const log::Logger log_;
    const std::shared_ptr<Chooser> chooser_; // shared with the network
};

Manifest<Tls> Tls::manifest()
{
    using M = Tls;
    using C = TlsCertificate;
    Manifest<Tls> m{
        .name = "tls",
        .about = "TLS for SIP and HTTP connections: certificates, verification, reload",
        .params =
            {
                param("tls_method", &Settings::tls_method, "Which versions of TLS are spoken"),
                param("certificate", &Settings::certificate, "PEM file with the certificate chain"),
                param("private_key", &Settings::private_key, "PEM file with the private key"),
                param("ca_list", &Settings::ca_list, "PEM file with the trusted authorities"),
                param("crl", &Settings::crl, "PEM file with revoked certificates"),
                param("cipher_list", &Settings::cipher_list,
                      "Ciphers of TLS 1.2 and below, in OpenSSL's notation"),
                param("verify_certificate", &Settings::verify_certificate,
                      "A peer's certificate has to be good"),
                param("require_certificate", &Settings::require_certificate,
                      "A client has to show a certificate"),
                param("verify_depth", &Settings::verify_depth, "Longest chain of authorities"),
                param("session_cache", &Settings::session_cache, "Let clients resume sessions"),
                param("session_id", &Settings::session_id, "Sessions are resumed under the same name only"),
                param("config", &Settings::config, "File with a section for each address"),
            },
        .functions = {function(
            "is_peer_verified", &M::is_peer_verified,
            "True when the message came over TLS from a peer with a verified certificate")},
        .variables =
            {
                variable("tls_version", &M::of_stream<&TlsInfo::version>, "TLS version of the connection"),
                variable("tls_description", &M::of_stream<&TlsInfo::cipher_description>,
                         "Cipher in the library's words"),
                variable("tls_cipher_info|tls_cipher", &M::of_stream<&TlsInfo::cipher>, "Name of the cipher"),
                variable("tls_cipher_bits|tls_bits", &M::bits, "Bits of the cipher's key"),
                variable("tls_peer_server_name", &M::of_stream<&TlsInfo::server_name>,
                         "Name the client asked for (SNI)"),
                variable("tls_peer_verified", &M::verified, "1 when the peer's certificate was verified"),
                variable("tls_peer_expired", &M::expired, "1 when the peer's certificate has expired"),
                variable("tls_peer_revoked", &M::revoked, "1 when the peer's certificate was revoked"),
                variable("tls_peer_selfsigned", &M::self_signed,
                         "1 when the peer's certificate is signed by itself"),
                variable("tls_peer_subject", &M::peer<&C::subject>, "Subject of the peer's certificate"),
                variable("tls_peer_issuer", &M::peer<&C::issuer>, "Issuer of the peer's certificate"),
                variable("tls_peer_subject_cn", &M::peer<&C::common_name>, "Common name of the peer"),
                variable("tls_peer_subject_organization", &M::peer<&C::organization>,
                         "Organization of the peer"),
                variable("tls_peer_subject_unit", &M::peer<&C::unit>, "Organizational unit of the peer"),
                variable("tls_peer_subject_country", &M::peer<&C::country>, "Country of the peer"),
                variable("tls_peer_subject_state", &M::peer<&C::state>, "State of the peer"),
                variable("tls_peer_subject_locality", &M::peer<&C::locality>, "Locality of the peer"),
                variable("tls_peer_issuer_cn", &M::peer<&C::issuer_common_name>,
                         "Common name of the peer's issuer"),
                variable("tls_peer_issuer_organization", &M::peer<&C::issuer_organization>,
                         "Organization of the peer's issuer"),
                variable("tls_peer_serial", &M::peer<&C::serial>, "Serial number of the peer's certificate"),
                variable("tls_peer_version", &M::peer<&C::version>, "Version of the peer's certificate"),
                variable("tls_peer_notBefore", &M::peer<&C::not_before>,
                         "The peer's certificate is good from then on"),
                variable("tls_peer_notAfter", &M::peer<&C::not_after>,
                         "The peer's certificate is good until then"),
                variable("tls_peer_san_hostname", &M::peer_first<&C::dns_names>,
                         "First host name of the peer's certificate"),
                variable("tls_peer_san_uri", &M::peer_first<&C::uris>, "First URI of the peer's certificate"),
                variable("tls_peer_san_email", &M::peer_first<&C::emails>,
                         "First mail address of the peer's certificate"),
                variable("tls_my_subject", &M::my<&C::subject>, "Subject of our certificate"),
                variable("tls_my_issuer", &M::my<&C::issuer>, "Issuer of our certificate"),
                variable("tls_my_subject_cn", &M::my<&C::common_name>, "Our common name"),
                variable("tls_my_serial", &M::my<&C::serial>, "Serial number of our certificate"),
                variable("tls_my_version", &M::my<&C::version>, "Version of our certificate"),
                variable("tls_my_notBefore", &M::my<&C::not_before>, "Our certificate is good from then on"),
                variable("tls_my_notAfter", &M::my<&C::not_after>, "Our certificate is good until then"),
                variable("tls_my_san_hostname", &M::my_first<&C::dns_names>,
                         "First host name of our certificate"),
            },
        .commands = {command("tls.reload", &M::reload, "Reads certificates and the config file again"),
                     command("tls.list", &M::list, "TLS connections"),
                     command("tls.info", &M::summary, "How many TLS connections there are"),
                     command("tls.options", &M::options, "Profiles in force")},
    };
    for (auto& accepted : {
             param("engine", &Settings::engine, "Accepted, without effect"),
             param("engine_config", &Settings::engine_config, "Accepted, without effect"),
             param("engine_algorithms", &Settings::engine_algorithms, "Accepted, without effect"),
             param("xavp_cfg", &Settings::xavp_cfg, "Accepted, without effect"),
             param("event_callback", &Settings::event_callback, "Accepted, without effect"),
             param("rand_engine", &Settings::rand_engine, "Accepted, without effect"),
             param("connection_timeout", &Settings::connection_timeout,
                   "Accepted: tcp_connection_lifetime rules"),
             param("tls_log", &Settings::tls_log, "Accepted, without effect"),
             param("tls_debug", &Settings::tls_debug, "Accepted, without effect"),
             param("tls_disable_compression", &Settings::tls_disable_compression,
                   "Accepted: compression is never used"),
             param("ssl_release_buffers", &Settings::ssl_release_buffers,
                   "Accepted: idle buffers are always released"),
             param("ssl_freelist_max_len", &Settings::ssl_freelist_max_len, "Accepted, without effect"),
             param("ssl_max_send_fragment", &Settings::ssl_max_send_fragment, "Accepted, without effect"),
             param("ssl_read_ahead", &Settings::ssl_read_ahead, "Accepted: always on"),
             param("send_close_notify", &Settings::send_close_notify, "Accepted: always sent"),
             param("con_ct_wq_max", &Settings::con_ct_wq_max, "Accepted: the network's write queue rules"),
             param("ct_wq_max", &Settings::ct_wq_max, "Accepted, without effect"),
             param("ct_wq_blk_size", &Settings::ct_wq_blk_size, "Accepted, without effect"),
             param("tls_force_run", &Settings::tls_force_run, "Accepted, without effect"),
             param("low_mem_threshold1", &Settings::low_mem_threshold1, "Accepted, without effect"),
             param("low_mem_threshold2", &Settings::low_mem_threshold2, "Accepted, without effect"),
             param("renegotiation", &Settings::renegotiation, "Accepted: renegotiation is never allowed"),
             param("init_mode", &Settings::init_mode, "Accepted, without effect"),
         })
        m.params.push_back(accepted);
    return m;
}

} // namespace sipyard::tls
SIPYARD_MODULE(sipyard::tls::Tls)
