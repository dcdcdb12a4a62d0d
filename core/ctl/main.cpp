// core/ctl/main.cpp - sipyardctl: asks a running server over its management socket
#include "core/base/format.h"
#include "core/ctl/command_line.h"
#include "core/ctl/ladder.h"
#include "core/ctl/table.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

namespace {

using namespace sipyard;

constexpr std::size_t most_answer = 256 * 1024 * 1024;

// One line there, one line back; at most 60 s of silence.
Result<std::string> ask(const std::string& path, const std::string& line)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        return invalid(format("the socket's path {} is too long", path));
    std::memcpy(address.sun_path, path.data(), path.size());
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return Error{ErrorKind::io, std::strerror(errno)};
    const struct Closer {
        int fd;
        ~Closer() { ::close(fd); }
    } closer{fd};
    const timeval patience{60, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        return Error{ErrorKind::io, format("no server answers on {} ({}); name its socket with -s", path,
                                           std::strerror(errno))};
    std::string_view left = line;
    while (!left.empty()) {
        const ssize_t count = ::send(fd, left.data(), left.size(), MSG_NOSIGNAL);
        if (count <= 0)
            return Error{ErrorKind::lost,
                         format("the server closed the connection ({})", std::strerror(errno))};
        left.remove_prefix(static_cast<std::size_t>(count));
    }
    std::string answer;
    char buffer[16 * 1024];
    while (answer.find('\n') == std::string::npos) {
        const ssize_t count = ::read(fd, buffer, sizeof buffer);
        if (count <= 0 || answer.size() > most_answer)
            return Error{ErrorKind::lost, "the server gave no answer"};
        answer.append(buffer, static_cast<std::size_t>(count));
    }
    return answer.substr(0, answer.find('\n'));
}

int complain(std::string_view text)
{
    std::fprintf(stderr, "sipyardctl: %.*s\n", static_cast<int>(text.size()), text.data());
    return 1;
}

} // namespace

int main(int argc, char** argv)
{
    const char* const from_environment = std::getenv("SIPYARD_SOCKET");
    std::string path = from_environment ? from_environment : "/run/sipyard/sipyard_rpc.sock";
    bool as_json = false;
    std::vector<std::string> words;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        if (word == "--json")
            as_json = true;
        else if (words.empty() && (word == "-s" || word == "--socket")) {
            if (++i == argc)
                return complain("-s: expected the path of the server's socket");
            path = argv[i];
        } else if (words.empty() && (word == "-h" || word == "--help"))
            words = {"help"};
        else
            words.push_back(word);
    }
    if (words.empty() || words[0] == "help") {
        std::fputs(ctl::usage().c_str(), stdout);
        return words.empty() ? 1 : 0;
    }
    if (words[0] == "completion") {
        std::fputs(ctl::bash_completion().c_str(), stdout);
        return 0;
    }
    const auto call = ctl::parse_call(words);
    if (!call)
        return complain(call.error().text);
    json::Value request = json::Value::object();
    request.set("jsonrpc", "2.0").set("method", call->method).set("params", call->params).set("id", 1);
    const auto line = ask(path, request.dump() + "\n");
    if (!line)
        return complain(line.error().text);
    const auto answer = json::parse(*line);
    if (!answer)
        return complain("the server's answer is no JSON: " + answer.error().text);
    if (const json::Value* const error = answer->find("error")) {
        if (as_json)
            std::puts(answer->dump_pretty().c_str());
        return complain((*error)["message"].text("the server said no"));
    }
    const json::Value& result = (*answer)["result"];
    const bool ladder = call->method == "core.trace";
    std::fputs((as_json  ? result.dump_pretty() + "\n"
                : ladder ? ctl::to_ladder(result)
                         : ctl::to_table(result))
                   .c_str(),
               stdout);
    return 0;
}
