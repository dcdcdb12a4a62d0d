// core/module/local_request.h - a request nobody sent, for routes that run by a timer or a task: OPTIONS from
// us to us
#pragma once

#include "core/base/arena.h"
#include "core/module/request.h"

#include <optional>

namespace sipyard {

// Owns its memory; lives on one fiber. Replies to it go nowhere useful, so scripts do not reply in such
// routes.
class LocalRequest {
public:
    LocalRequest(Host& host, Route route);
    Request& operator*() { return *request_; }
    Request* operator->() { return &*request_; }

private:
    Arena arena_;
    std::optional<Request> request_;
};

} // namespace sipyard
