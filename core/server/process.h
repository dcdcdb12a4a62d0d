// core/server/process.h - what an operating system wants of a server: daemon mode, limits, user, pid file
#pragma once

#include "core/base/result.h"
#include "core/module/core_settings.h"

#include <optional>
#include <string>

namespace sipyard::server {

// Daemon mode. The parent stays until the child is ready or has failed, so that a shell sees the exit status
// of the start.
class Daemon {
public:
    ~Daemon();
    // In the parent: the exit status to leave with. In the child: nothing. Before any thread exists.
    std::optional<int> detach();
    bool detached() const { return pipe_ >= 0 || was_detached_; }
    void stay();  // fork=no, known when the configuration is read: the parent waits for this process and
                  // passes signals on
    void ready(); // tells the parent, leaves the terminal

private:
    int pipe_ = -1;
    bool was_detached_ = false;
};

// Working directory, runtime directory, open files limit; while still privileged.
Result<void> prepare_process(const CoreSettings& settings);
// chroot=, then user= and group=, after the sockets are bound. The management socket is handed over too.
Result<void> drop_privileges(const CoreSettings& settings, const std::string& rpc_path);

class PidFile {
public:
    explicit PidFile(std::string path); // "" writes none
    ~PidFile() { remove(); }
    PidFile(const PidFile&) = delete;
    PidFile& operator=(const PidFile&) = delete;
    const std::string& error() const { return error_; }
    void remove() const;

private:
    std::string path_, error_;
    bool written_ = false;
};

} // namespace sipyard::server
