// modules/jsonrpcs/sockets.h - JSON-RPC over a unix datagram socket and over a FIFO
#pragma once

#include "core/module/host.h"
#include "core/module/json_rpc.h"

#include <memory>
#include <string>
#include <string_view>

namespace sipyard::jsonrpcs {

// Where and for whom a file of ours is made.
struct FileSettings {
    std::string path; // absolute
    int mode = 0660;
    std::string user, group; // empty: ours
};

// Reads requests on one worker, runs each on a fiber, answers the sender. Made before the workers start or
// off them.
class DatagramSocket {
public:
    static constexpr std::size_t longest = 65'000; // of a request, and of an answer
    static Result<std::unique_ptr<DatagramSocket>> open(Host& host, const FileSettings& file,
                                                        JsonStyle style);
    ~DatagramSocket();

private:
    DatagramSocket(Host& host, std::string path, int fd, JsonStyle style);
    void readable();
    Host& host_;
    const log::Logger log_;
    const std::string path_;
    const int fd_;
    const JsonStyle style_;
    std::unique_ptr<task::Watch> watch_; // of worker 0
};

// A request names in "reply_name" the FIFO in `reply_dir` that gets the answer; without one there is none.
class Fifo {
public:
    static constexpr std::size_t longest = 65'000;
    static Result<std::unique_ptr<Fifo>> open(Host& host, const FileSettings& file, std::string reply_dir,
                                              JsonStyle style);
    ~Fifo();

private:
    Fifo(Host& host, std::string path, std::string reply_dir, int fd, JsonStyle style);
    void readable();
    void answer(const std::string& text);
    Host& host_;
    const log::Logger log_;
    const std::string path_, reply_dir_;
    const int fd_;
    const JsonStyle style_;
    std::string unread_; // a document that is not complete yet; worker 0
    std::unique_ptr<task::Watch> watch_;
};

} // namespace sipyard::jsonrpcs
