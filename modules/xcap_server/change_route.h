// modules/xcap_server/change_route.h - event_route[xcap_server:changed] and its $xcapchg(key)
#pragma once

#include "core/base/from_text.h"
#include "core/base/guarded.h"
#include "core/module/module.h"
#include "core/task/fiber.h"
#include "modules/xcap_server/api.h"

#include <map>
#include <string_view>

namespace sipyard::xcap_server {

// What stands between the parentheses.
enum class ChangeKey : unsigned char {
    owner,
    auid,
    doc_uri,
    uri_adoc,
    file,
    node,
    method,
    old_etag,
    new_etag
};

// A change on its way to the script: told in commit order per document, and run when the client has its
// answer, for a script may take its time.
struct ScriptChange {
    DocumentChanged change;
    task::Event answered;
};

class ChangeRoute {
public:
    static constexpr std::string_view route = "xcap_server:changed";
    explicit ChangeRoute(Host& host) : host_{host}, current_{host.slot<Current>()} {}

    // While this lives, changes that this fiber makes wait for it to be gone before the script sees them.
    class Answering {
    public:
        explicit Answering(ChangeRoute& route);
        ~Answering();
        Answering(const Answering&) = delete;
        Answering& operator=(const Answering&) = delete;

    private:
        ChangeRoute& route_;
        const task::Fiber* const fiber_;
    };
    void tell(const DocumentChanged& change);           // after the commit, on the fiber of the request
    void run(const ScriptChange& change);               // the listener
    Value value(Request& request, ChangeKey key) const; // null outside the route

private:
    struct Current {
        const DocumentChanged* change = nullptr;
    };
    Host& host_;
    const Slot<Current> current_;
    Guarded<std::map<const task::Fiber*, task::Event>> answering_;
};

} // namespace sipyard::xcap_server

template <>
struct sipyard::FromText<sipyard::xcap_server::ChangeKey> {
    static constexpr bool integer = false;
    static constexpr std::string_view expected =
        "one of owner auid doc_uri uri_adoc file node method old_etag new_etag";
    static Result<xcap_server::ChangeKey> parse(std::string_view text);
};
