// core/base/result.cpp - names of the error kinds
#include "core/base/result.h"

namespace sipyard {

std::string_view to_text(ErrorKind kind)
{
    switch (kind) {
    case ErrorKind::invalid: return "invalid";
    case ErrorKind::not_found: return "not found";
    case ErrorKind::unsupported: return "unsupported";
    case ErrorKind::timeout: return "timeout";
    case ErrorKind::overloaded: return "overloaded";
    case ErrorKind::stopping: return "stopping";
    case ErrorKind::busy: return "busy";
    case ErrorKind::lost: return "lost";
    case ErrorKind::unique: return "unique";
    case ErrorKind::constraint: return "constraint";
    case ErrorKind::syntax: return "syntax";
    case ErrorKind::io: return "io";
    case ErrorKind::other: return "other";
    }
    return "other";
}

} // namespace sipyard
