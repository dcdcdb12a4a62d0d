// core/module/verdict.cpp - names of the route kinds
#include "core/module/verdict.h"

namespace sipyard {

std::string_view to_text(Route route)
{
    switch (route) {
    case Route::request: return "request_route";
    case Route::failure: return "failure_route";
    case Route::branch: return "branch_route";
    case Route::tm_reply: return "onreply_route";
    case Route::core_reply: return "reply_route";
    case Route::onsend: return "onsend_route";
    case Route::event: return "event_route";
    case Route::local: return "local_route";
    }
    return "route";
}

} // namespace sipyard
