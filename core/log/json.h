// core/log/json.h - log lines as JSON objects, for collectors (log_engine_type="json")
#pragma once

#include "core/log/log.h"

#include <memory>
#include <string>
#include <string_view>

namespace sipyard::log {

// {"idx":0,"pid":4711,"level":"INFO","module":"core","logprefix":"","message":"text"} for ` 0(4711) INFO:
// <core>: text`. Bytes that are no UTF-8 and control characters are shown as \u00XX. A line of another shape
// becomes the message alone.
std::string json_of(std::string_view line);

// Writes each line as such an object into the sink inside.
std::unique_ptr<Sink> json_sink(std::unique_ptr<Sink> inside);

} // namespace sipyard::log
