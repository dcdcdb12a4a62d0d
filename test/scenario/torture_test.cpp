// test/scenario/torture_test.cpp - the messages of RFC 4475 sent to a running server: it survives them and
// goes on answering
#include "test/support/catch.h"
#include "test/support/running_server.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

using namespace sipyard;
using namespace sipyard::test;
using Catch::Matchers::StartsWith;

namespace {

std::vector<std::filesystem::path> messages()
{
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator{"test/corpus/rfc4475"})
        if (entry.path().extension() == ".dat")
            found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    return found;
}

std::string bytes_of(const std::filesystem::path& path)
{
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace

SCENARIO("the torture messages of RFC 4475 do no harm", "[torture]")
{
    TempDir folder;
    // The script looks at everything a script usually looks at, so that the lazy parsers run too.
    RunningServer server{folder.write("t.cfg", R"cfg(
auto_aliases=no
listen=udp:127.0.0.1:PORT
listen=tcp:127.0.0.1:PORT
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "maxfwd.so"
loadmodule "sanity.so"
request_route {
	if ($ua == "friendly") {
		sl_send_reply("200", "Alive");
		exit;
	}
	if (!mf_process_maxfwd_header("10")) {
		sl_send_reply("483", "Too Many Hops");
		exit;
	}
	if (!sanity_check()) {
		exit;
	}
	$var(all) = "$ru $rU $rd $rp $fu $fU $fd $fn $tu $tU $td $tn $ft $tt $ci $cs $rm $ua $ct $cT $cl $rb $si $sp $ai $di $au $ar $hdr(Subject)";
	if (search("Content-Type")) {
		$var(b) = $rb;
	}
	append_to_reply("X-Seen: yes\r\n");
	sl_send_reply("200", "Survived");
}
reply_route {
	$var(all) = "$rs $rr $rm $fu $tu $ci $cs";
}
)cfg")};
    UdpClient friendly{server.port()}, attacker{server.port()};
    const auto alive = [&](const std::string& name) {
        const std::string reply = friendly.ask(
            sip_request("OPTIONS", "sip:127.0.0.1", name, friendly.port(), "User-Agent: friendly\r\n"));
        return reply.starts_with("SIP/2.0 200 Alive");
    };
    const auto all = messages();
    REQUIRE(all.size() == 49);

    for (const auto& path : all) {
        INFO(path.filename().string());
        attacker.send(bytes_of(path));
        REQUIRE(alive(path.stem().string()));
    }
    THEN("over TCP too")
    {
        for (const auto& path : all) {
            INFO(path.filename().string());
            TcpClient stream{server.port()};
            stream.send(bytes_of(path));
            stream.shutdown_writing();
            REQUIRE(stream.closed_by_peer());
            REQUIRE(alive(path.stem().string()));
        }
    }
    THEN("some were refused, some were good")
    {
        CHECK(server.counted("core.rcv_requests") > static_cast<std::int64_t>(all.size()));
        CHECK(server.counted("core.bad_msg_hdr") > 0);
        CHECK(server.log().find("exception") == std::string::npos);
    }
}
