// test/scenario/baresip_test.cpp - two baresip phones register at etc/sip_router.cfg and hear each other,
// over UDP, TCP and TLS
#include "test/support/catch.h"
#include "test/support/running_server.h"

#include <algorithm>
#include <fstream>
#include <regex>
#include <sstream>

using namespace sipyard;
using namespace sipyard::test;
using Catch::Matchers::Contains;

namespace {

// A phone without screen and sound card: a sine is its microphone, a pipe its loudspeaker.
class BaresipPhone {
public:
    BaresipPhone(TempDir& folder, const std::string& user, const std::string& proxy,
                 const std::string& account, int seconds, const std::string& dial = {})
        : output_{folder.file(user + ".out")}
    {
        const std::string home = folder.path() + "/" + user;
        REQUIRE(run_program({"mkdir", "-p", home}).status == 0);
        std::string modules = "/usr/lib/baresip/modules";
        folder.write(
            user + "/config",
            "poll_method epoll\nsip_listen 127.0.0.1:0\nnet_interface 127.0.0.1\nsip_verify_server no\n"
            "audio_player aubridge,pipe\naudio_source ausine,440\nausrc_srate 48000\nauplay_srate 48000\n"
            "rtp_stats yes\nausrc_channels 2\nauplay_channels 1\nmodule_path " +
                modules +
                "\nmodule g711.so\n"
                "module ausine.so\nmodule aubridge.so\nmodule_tmp uuid.so\nmodule_tmp account.so\nmodule_app "
                "menu.so\n");
        folder.write(user + "/accounts", "<sip:" + user + "@example.test>;regint=60;outbound=\"" + proxy +
                                             "\";" + account + "\n");
        folder.write(user + "/contacts", "\n");
        std::vector<std::string> command{"baresip", "-f", home, "-t", std::to_string(seconds)};
        if (!dial.empty())
            command.insert(command.end(), {"-e", "/dial " + dial});
        program_ = std::make_unique<Program>(command, output_);
    }
    std::string output() const
    {
        std::stringstream text;
        text << std::ifstream{output_}.rdbuf();
        return text.str();
    }
    int wait() { return program_->wait(30'000); }
    // RTP packets sent and received, as the phone says when the call is over; -1 when it had none.
    std::pair<int, int> packets() const
    {
        const std::string text = output();
        std::smatch found;
        if (!std::regex_search(text, found, std::regex{"packets:\\s+([0-9]+)\\s+([0-9]+)"}))
            return {-1, -1};
        return {std::stoi(found[1]), std::stoi(found[2])};
    }

private:
    std::string output_;
    std::unique_ptr<Program> program_;
};

void call(const std::string& alices_transport, const std::string& bobs_transport)
{
    INFO(alices_transport << " calls " << bobs_transport);
    TempDir folder;
    make_certificate(folder);
    const std::uint16_t tls_port = free_port();
    RunningServer::Options options;
    options.defines = {{"DOMAIN", "\"example.test\""},
                       {"WITH_TLS", ""},
                       {"TLS_PORT", std::to_string(tls_port)},
                       {"CERTIFICATE", "\"" + folder.file("cert.pem") + "\""},
                       {"PRIVATE_KEY", "\"" + folder.file("key.pem") + "\""}};
    options.debug = 2;
    RunningServer server{"etc/sip_router.cfg", options};
    const auto proxy = [&](const std::string& transport) {
        return "sip:127.0.0.1:" + std::to_string(transport == "tls" ? tls_port : server.port()) +
               ";transport=" + transport;
    };
    BaresipPhone bob{folder, "bob", proxy(bobs_transport), "answermode=auto", scaled(7, 14)};
    REQUIRE(wait_until([&] { return bob.output().find("200 OK") != std::string::npos; }));
    BaresipPhone alice{
        folder, "alice", proxy(alices_transport), "answermode=manual", scaled(4, 8), "sip:bob@example.test"};
    alice.wait();
    bob.wait();
    INFO("alice: " << alice.output() << "\nbob: " << bob.output() << "\nserver: " << server.log());
    CHECK_THAT(alice.output(), Contains("Call established"));
    CHECK_THAT(bob.output(), Contains("Call established"));
    CHECK(alice.packets().first > 20);
    CHECK(alice.packets().second > 20);
    CHECK(bob.packets().first > 20);
    CHECK(bob.packets().second > 20);
    CHECK_THAT(server.log(), Contains("method=INVITE") && Contains("method=BYE"));
}

} // namespace

SCENARIO("two baresip phones call each other with audio", "[calls]")
{
    call("udp", "tcp");
    call("tls", "udp");
}
