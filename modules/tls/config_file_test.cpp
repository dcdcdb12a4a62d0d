// modules/tls/config_file_test.cpp - the configuration file and the choice among its profiles
#include "modules/tls/config_file.h"
#include "modules/tls/profiles.h"
#include "test/support/catch.h"

namespace sipyard::tls {

TEST_CASE("sections inherit from the default before them", "[tls]")
{
    crypto::TlsSettings defaults;
    defaults.certificate = "param.pem";
    const auto profiles = parse_config("# a comment\n"
                                       "[server:default]\n"
                                       "method = TLSv1.3   # newest only\n"
                                       "verify_certificate = yes\n"
                                       "cipher_list = \"HIGH:!aNULL # no comment\"\n"
                                       "\n"
                                       "[ client : default ]\r\n"
                                       "Verify_Certificate = off\r\n"
                                       "[server:[2001:db8::1]:5061]\n"
                                       "certificate = ./v6.pem\n"
                                       "server_name = v6.test\n"
                                       "[client:192.0.2.1:5071]\n"
                                       "server_name = peer.test\n",
                                       defaults);
    INFO(why(profiles));
    REQUIRE(profiles);
    REQUIRE(profiles->size() == 4);
    const auto& first = profiles->at(0);
    CHECK(first.text() == "server:default");
    CHECK(first.settings.method == "TLSv1.3");
    CHECK(first.settings.certificate == "param.pem");
    CHECK(first.settings.cipher_list == "HIGH:!aNULL # no comment");
    CHECK(first.settings.verify_certificate);
    CHECK_FALSE(profiles->at(1).settings.verify_certificate);
    CHECK(profiles->at(1).settings.method == "TLSv1.2+");
    const auto& third = profiles->at(2);
    CHECK(third.text() == "server:[2001:db8::1]:5061 (v6.test)");
    CHECK(third.settings.certificate == "./v6.pem");
    CHECK(third.settings.method == "TLSv1.3");
    CHECK(profiles->at(3).settings.server_name == "peer.test");
    CHECK(profiles->at(3).server_name.empty());
}

TEST_CASE("a mistake is named with its line", "[tls]")
{
    const struct {
        const char *story, *text, *expected;
    } rows[] = {
        {"unknown side", "[sever:default]\n", "line 1: 'sever' is neither server nor client"},
        {"no address", "\n[server:example]\n", "line 2: 'example' is not default"},
        {"no port", "[server:192.0.2.1]\n", "line 1: '192.0.2.1' is not default"},
        {"port out of range", "[server:192.0.2.1:70000]\n", "line 1: '192.0.2.1:70000' is not default"},
        {"misspelt key", "[server:default]\ncertifcate = a\n",
         "line 2: 'certifcate' is not a key; did you mean 'certificate'?"},
        {"no section", "certificate = a\n", "line 1: 'certificate' stands before the first section"},
        {"no value", "[server:default]\nca_list =\n", "line 2: 'ca_list' has no value"},
        {"neither yes nor no", "[server:default]\nverify_certificate = maybe\n",
         "line 2: verify_certificate: 'maybe' is neither yes nor no"},
        {"open bracket", "[server:default\n", "line 1: '[server:default' is not a section"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const auto profiles = parse_config(row.text, {});
        REQUIRE_FALSE(profiles);
        CHECK_THAT(profiles.error().text, Catch::StartsWith(row.expected));
    }
}

TEST_CASE("an address has its profile, others the default", "[tls]")
{
    const std::string localhost = "certificate = test/corpus/tls/localhost.cert.pem\n"
                                  "private_key = test/corpus/tls/localhost.key.pem\n";
    auto profiles =
        parse_config("[server:default]\n" + localhost + "[client:default]\n[server:192.0.2.1:5061]\n" +
                         "method = TLSv1.3\n[server:192.0.2.1:5061]\nserver_name = a.test\n",
                     {});
    REQUIRE(profiles);
    const auto loaded = Profiles::load(std::move(*profiles));
    INFO(why(loaded));
    REQUIRE(loaded);
    const auto method = [&](crypto::TlsSide side, std::string_view ip, std::uint16_t port) {
        return (*loaded)->of(side, *net::Address::parse(ip, port))->settings().method;
    };
    CHECK(method(crypto::TlsSide::server, "192.0.2.1", 5061) == "TLSv1.3");
    CHECK(method(crypto::TlsSide::server, "192.0.2.1", 5062) == "TLSv1.2+");
    CHECK(method(crypto::TlsSide::client, "192.0.2.1", 5061) == "TLSv1.2+");
}

TEST_CASE("a certificate that cannot be loaded names profile and file", "[tls]")
{
    const auto profiles = parse_config("[server:192.0.2.1:5061]\ncertificate = nowhere.pem\n", {});
    REQUIRE(profiles);
    const auto loaded = Profiles::load(*profiles);
    REQUIRE_FALSE(loaded);
    CHECK_THAT(loaded.error().text, Catch::StartsWith("server:192.0.2.1:5061: certificate 'nowhere.pem'"));
}

TEST_CASE("the key has to belong to the certificate", "[tls]")
{
    crypto::TlsSettings settings;
    settings.certificate = "test/corpus/tls/localhost.cert.pem";
    settings.private_key = "test/corpus/tls/other.key.pem";
    const auto context = crypto::TlsContext::make(settings);
    REQUIRE_FALSE(context);
    CHECK(context.error().text.find("other.key.pem") != std::string::npos);
}

} // namespace sipyard::tls
