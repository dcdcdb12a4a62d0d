// core/net/tls_bridge.h - carries HTTP between a TLS client and the descriptor an HTTP library reads in clear
#pragma once

#include "core/base/function.h"
#include "core/crypto/tls.h"
#include "core/net/socket.h"
#include "core/task/worker.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sipyard::net {

//   client ==TLS==> tls fd | read, decrypt -> inward_ -> | pair ----> HTTP library
//   client <==TLS== tls fd | <- outward_ <- encrypt, read| pair <----
//
// Level-triggered. While a direction has bytes it could not write, its source is not read: a slow side slows
// the other one down and nothing grows. Buffers exist only then. On its worker.
class TlsBridge {
public:
    struct Ends {
        crypto::TlsStream& tls;
        int tls_fd; // the connection's
        Descriptor pair;
    };
    // `begun` is what was already decrypted; it goes first. `on_end` is told once (an error, or nothing for
    // an orderly end) and may not destroy the bridge at once. `scratch` is at least 16 KiB and shared with
    // others on this worker.
    TlsBridge(task::Worker& worker, Ends ends, std::string begun, char* scratch, Duration patience,
              Function<void(std::optional<Error>)> on_end);
    ~TlsBridge();

private:
    void on_client(std::uint32_t events);
    void on_pair(std::uint32_t events);
    void pump_in(); // client to pair
    bool flush_in();
    void write_pair(std::string_view bytes);
    void pump_out(); // pair to client
    void flush_out();
    void write_client(std::string_view bytes);
    void finish();
    void end(std::optional<Error> why);
    void arm();

    task::Worker& worker_;
    crypto::TlsStream& tls_;
    const int tls_fd_;
    Descriptor pair_;
    char* const scratch_;
    const Duration patience_;
    Function<void(std::optional<Error>)> on_end_;
    std::string inward_, outward_;                 // could not be written yet
    bool client_done_ = false, pair_done_ = false; // has closed its direction
    bool hung_up_ = false, deaf_ = false, wants_write_ = false, ended_ = false;
    std::shared_ptr<bool> alive_; // shared with a posted continuation, which may outlive the bridge
    std::uint32_t tls_events_ = 0, pair_events_ = 0;
    task::Timer timer_;
    std::optional<task::Watch> tls_watch_, pair_watch_;
};

} // namespace sipyard::net
