// modules/xcap_server/engine_parts.h - what the files of the engine share
#pragma once

#include "modules/xcap_server/engine.h"

namespace sipyard::xcap_server {

// A request whose URI was understood.
struct Engine::Target {
    XcapUri uri;
    const Usage* usage = nullptr;
    Owner owner;             // of the columns
    std::string_view caller; // canonical identity or owner given by the script; empty: none
    NodeSelectorView node;   // when uri.has_node
};

Answer refused(const Refusal& refusal);                // a line of text/plain
Answer conflict(const Problem& problem, Arena& arena); // 409 with its error document
Answer conflict(Conflict kind, std::string_view phrase, Arena& arena);
Answer answer_of_document(const Ask& ask, const DocumentPtr& document,
                          std::string_view mime); // 200, 304 or 412

} // namespace sipyard::xcap_server
