// core/base/precompiled.h - what nearly every file includes, read once by the compiler (Makefile, PCH)
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/format.h"
#include "core/base/result.h"
#include "core/base/text.h"
