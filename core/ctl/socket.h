// core/ctl/socket.h - a server's management socket: commands there, answers back
#pragma once

#include "core/base/result.h"
#include "core/json/value.h"

#include <functional>
#include <string>
#include <string_view>

namespace sipyard::ctl {

// Calls a command and gives its result; what the server said no with is an Error.
using Ask = std::function<Result<json::Value>(std::string_view method, json::Value params)>;

// One connection for as many commands as come, made at the first. Not thread-safe.
class Socket {
public:
    explicit Socket(std::string path);
    ~Socket();
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    // The whole answer, {"result":...} or {"error":...}. At most 60 s of silence. Errors: io, when nobody
    // listens; lost; invalid, for what is no answer.
    Result<json::Value> answer(std::string_view method, json::Value params);
    // The same without its envelope.
    Result<json::Value> call(std::string_view method, json::Value params);

private:
    Result<void> connect();
    const std::string path_;
    int fd_ = -1;
    std::string rest_; // read beyond the last answer
};

} // namespace sipyard::ctl
