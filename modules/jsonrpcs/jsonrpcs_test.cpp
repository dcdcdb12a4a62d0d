// modules/jsonrpcs/jsonrpcs_test.cpp - commands from the script, over HTTP, a datagram socket and a FIFO
#include "core/json/value.h"
#include "core/module/module.h"
#include "test/support/catch.h"
#include "test/support/run_script.h"

#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

extern "C" const sipyard::ModuleEntry* sipyard_module();

namespace sipyard::jsonrpcs {
namespace {

struct Folder {
    Folder()
    {
        char name[] = "/tmp/jsonrpcs_test_XXXXXX";
        path = ::mkdtemp(name);
    }
    ~Folder()
    {
        for (const char* file : {"client", "reply", "sock", "fifo"})
            ::unlink((path + "/" + file).c_str());
        ::rmdir(path.c_str());
    }
    std::string path;
};

sockaddr_un address_of(const std::string& path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
}

void offer_commands(test::FakeHost& host)
{
    host.add_command({"say", "test", ""},
                     [](const json::Value& params) -> Result<json::Value> { return params; });
    host.add_command({"fail", "test", ""}, [](const json::Value&) -> Result<json::Value> {
        return Error{ErrorKind::other, "no luck"};
    });
}

// What arrives within a second; the test ends early when it does.
std::string read_some(int fd)
{
    pollfd ready{fd, POLLIN, 0};
    char bytes[4096];
    if (::poll(&ready, 1, 5000) <= 0)
        return "nothing";
    const auto size = ::read(fd, bytes, sizeof bytes);
    return size > 0 ? std::string{bytes, static_cast<std::size_t>(size)} : "nothing";
}

} // namespace

TEST_CASE("the script runs a command and sees the answer", "[jsonrpcs]")
{
    const struct {
        const char* story;
        const char* request;
        int rc;
        const char* code;
        const char* text;
        const char* body;
    } rows[] = {
        {"well", R"({"jsonrpc":"2.0","method":"say","params":[1],"id":7})", 1, "200", "OK",
         R"({"jsonrpc":"2.0","result":[1],"id":7})"},
        {"a notification", R"({"jsonrpc":"2.0","method":"say"})", 1, "202", "Accepted", ""},
        {"it failed", R"({"jsonrpc":"2.0","method":"fail","id":1})", 1, "500", "no luck",
         R"({"jsonrpc":"2.0","error":{"code":-32000,"message":"no luck"},"id":1})"},
        {"no request", R"({"method":"say","id":1})", -1, "400", "Invalid Request",
         R"({"jsonrpc":"2.0","error":{"code":-32600,"message":"Invalid Request"},"id":1})"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        test::FakeHost host;
        offer_commands(host);
        test::ScriptFixture script{host, {sipyard_module()->manifest()}};
        const bool loaded = script.load(format(
            "loadmodule \"jsonrpcs.so\"\nmodparam(\"jsonrpcs\", \"transport\", 1)\n"
            "request_route {{\njsonrpc_exec('{}'); $var(rc) = $rc;\n"
            "$var(code) = $jsonrpl(code); $var(text) = $jsonrpl(text); $var(body) = $jsonrpl(body);\n}}\n",
            row.request));
        INFO(script.errors());
        REQUIRE(loaded);
        script.run();
        CHECK(script.value("$var(rc)") == std::to_string(row.rc));
        CHECK(script.value("$var(code)") == row.code);
        CHECK(script.value("$var(text)") == row.text);
        CHECK(script.value("$var(body)") == row.body);
    }
}

TEST_CASE("an HTTP request is answered with what its body asks for", "[jsonrpcs]")
{
    test::FakeHost host;
    offer_commands(host);
    test::ScriptFixture script{host, {sipyard_module()->manifest()}};
    REQUIRE(script.load("loadmodule \"jsonrpcs.so\"\nmodparam(\"jsonrpcs\", \"transport\", 1)\nrequest_route "
                        "{ jsonrpc_dispatch(); return $rc; }\n"));
    const auto post = [&](std::string_view body, bool http) {
        host.responder.clear();
        std::string text = test::sample_request("POST", "sip:RPC@h");
        text.replace(text.find("Content-Length: 0"), 17, format("Content-Length: {}", body.size()));
        test::Messenger message{host, text + std::string{body}};
        if (http)
            message->set_http();
        return script.engine().run_request(*message).code;
    };
    CHECK(post(R"({"jsonrpc":"2.0","method":"say","params":{"a":1},"id":1})", true) == 1);
    REQUIRE(host.responder.replies.size() == 1);
    CHECK(host.responder.replies[0].code == 200);
    CHECK(host.responder.replies[0].content_type == "application/json");
    CHECK(host.responder.replies[0].body == R"({"jsonrpc":"2.0","result":{"a":1},"id":1})");
    CHECK(post("not json", true) == 1);
    CHECK(host.responder.replies[0].body.find("-32700") != std::string::npos);
    CHECK(post(R"({"jsonrpc":"2.0","method":"say"})", true) == 1);
    CHECK(host.responder.last_code() == 204);
    CHECK(post(R"({"jsonrpc":"2.0","method":"say","id":1})", false) == -1); // SIP
    CHECK(host.responder.replies.empty());
}

TEST_CASE("tools talk over a datagram socket and a FIFO", "[jsonrpcs]")
{
    Folder folder;
    {
        test::FakeHost host;
        offer_commands(host);
        test::ScriptFixture script{host, {sipyard_module()->manifest()}};
        const bool loaded = script.load(
            format("loadmodule \"jsonrpcs.so\"\nmodparam(\"jsonrpcs\", \"dgram_socket\", \"{}/sock\")\n"
                   "modparam(\"jsonrpcs\", \"fifo_name\", \"{}/fifo\")\n"
                   "modparam(\"jsonrpcs\", \"fifo_reply_dir\", \"{}\")\n"
                   "modparam(\"jsonrpcs\", \"dgram_mode\", 0600)\nrequest_route {{ ; }}\n",
                   folder.path, folder.path, folder.path));
        INFO(script.errors());
        INFO(host.log_lines().text());
        REQUIRE(loaded);
        host.start_workers();
        struct stat info {};
        REQUIRE(::stat((folder.path + "/sock").c_str(), &info) == 0);
        CHECK((info.st_mode & 0777) == 0600);

        const int fd = ::socket(AF_UNIX, SOCK_DGRAM, 0);
        const auto mine = address_of(folder.path + "/client"), theirs = address_of(folder.path + "/sock");
        REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&mine), sizeof mine) == 0);
        const std::string request = R"({"jsonrpc":"2.0","method":"say","params":[2],"id":"d"})";
        REQUIRE(::sendto(fd, request.data(), request.size(), 0, reinterpret_cast<const sockaddr*>(&theirs),
                         sizeof theirs) > 0);
        CHECK(read_some(fd) == R"({"jsonrpc":"2.0","result":[2],"id":"d"})");
        ::close(fd);

        REQUIRE(::mkfifo((folder.path + "/reply").c_str(), 0600) == 0);
        const int reply = ::open((folder.path + "/reply").c_str(), O_RDWR | O_NONBLOCK);
        const int fifo = ::open((folder.path + "/fifo").c_str(), O_WRONLY | O_NONBLOCK);
        REQUIRE(fifo >= 0);
        const std::string bad = "this is no JSON\n";
        REQUIRE(::write(fifo, bad.data(), bad.size()) > 0);
        host.advance(0s);
        const std::string asked = "{\n \"jsonrpc\": \"2.0\", \"method\": \"say\", \"params\": [3],\n "
                                  "\"reply_name\": \"reply\", \"id\": 4}\n";
        REQUIRE(::write(fifo, asked.data(), asked.size()) > 0);
        CHECK(read_some(reply) == "{\"jsonrpc\":\"2.0\",\"result\":[3],\"id\":4}\n");
        const std::string outside = R"({"jsonrpc":"2.0","method":"say","reply_name":"../x","id":4})";
        REQUIRE(::write(fifo, outside.data(), outside.size()) > 0);
        host.advance(0s);
        CHECK(host.log_lines().has("not the plain name"));
        ::close(reply);
        ::close(fifo);
    }
    CHECK(::access((folder.path + "/sock").c_str(), F_OK) != 0); // gone with the server
    CHECK(::access((folder.path + "/fifo").c_str(), F_OK) != 0);
}

TEST_CASE("a file that is something else is left alone", "[jsonrpcs]")
{
    Folder folder;
    const std::string path = folder.path + "/sock";
    ::close(::open(path.c_str(), O_CREAT | O_WRONLY, 0600));
    test::FakeHost host;
    test::ScriptFixture script{host, {sipyard_module()->manifest()}};
    REQUIRE(script.load(format("loadmodule \"jsonrpcs.so\"\nmodparam(\"jsonrpcs\", \"transport\", 4)\n"
                               "modparam(\"jsonrpcs\", \"dgram_socket\", \"{}\")\nrequest_route {{ ; }}\n",
                               path)));
    CHECK(host.log_lines().has("is something else already"));
    CHECK(::access(path.c_str(), F_OK) == 0);
}

} // namespace sipyard::jsonrpcs
