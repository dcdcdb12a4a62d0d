// core/ctl/main.cpp - sipyardctl: asks a running server over its management socket
#include "core/ctl/command_line.h"
#include "core/ctl/ladder.h"
#include "core/ctl/socket.h"
#include "core/ctl/table.h"
#include "core/ctl/xcap_command.h"

#include <cstdio>
#include <cstdlib>
#include <sys/ioctl.h>
#include <unistd.h>

namespace {

using namespace sipyard;

int complain(std::string_view text)
{
    std::fprintf(stderr, "sipyardctl: %.*s\n", static_cast<int>(text.size()), text.data());
    return 1;
}

ctl::Screen screen(std::FILE* file)
{
    winsize size{};
    const bool known = ::isatty(::fileno(file)) && ::ioctl(::fileno(file), TIOCGWINSZ, &size) == 0;
    return {[file](std::string_view text) {
                std::fwrite(text.data(), 1, text.size(), file);
                std::fflush(file);
            },
            known, known && size.ws_col > 0 ? size.ws_col : std::size_t{80}};
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
    ctl::Socket server{path};
    const ctl::Ask ask = [&](std::string_view method, json::Value params) {
        return server.call(method, std::move(params));
    };
    if (const auto status = ctl::run_xcap(words, as_json, ask, screen(stdout), screen(stderr)))
        return *status;
    const auto call = ctl::parse_call(words);
    if (!call)
        return complain(call.error().text);
    const auto answer = server.answer(call->method, call->params);
    if (!answer)
        return complain(answer.error().text);
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
