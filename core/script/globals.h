// core/script/globals.h - the global parameters: names, types, where their values go (spec/script 5)
#pragma once

#include "core/base/result.h"
#include "core/module/core_settings.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sipyard::script {

struct GlobalValue {
    bool is_text = false;
    std::int64_t number = 0;
    std::string text{};
};

struct GlobalParam {
    enum class Type : unsigned char {
        integer,    // number or boolean word
        boolean,    // the same, another message
        text,       // quoted
        text_or_id, // user = nobody
        id,         // log_facility = LOG_DAEMON
        any,        // number or quoted
        host,       // name or address, quoted or not
        protocol,   // udp, tcp, tls, sctp
        sockets,    // listen, socket, alias: the parser reads them
        paths,      // mpath, loadpath: the parser reads them
    };
    enum class Effect : unsigned char {
        acts,
        silent, // accepted, has no meaning here and needs none
        none,   // accepted with a warning
    };
    using Apply = Result<void> (*)(CoreSettings&, const GlobalValue&);
    using Store = std::variant<std::monostate, int CoreSettings::*, bool CoreSettings::*,
                               std::string CoreSettings::*, std::uint16_t CoreSettings::*, Apply>;

    std::string_view names; // the name, then its aliases, separated by '|'
    Type type = Type::integer;
    Effect effect = Effect::none;
    Store store{};
    std::int64_t least = INT32_MIN, most = INT32_MAX; // of integers
    // Effect::none: why it has none here, and which values ask for what is done anyway (no warning then).
    std::string_view why{};
    bool (*met)(const GlobalValue&) = nullptr;
};

std::span<const GlobalParam> global_params();
const GlobalParam* find_global(std::string_view name); // by name or alias; null when there is none
std::string_view first_name(const GlobalParam& param);

// Puts the value where it belongs; fails with a sentence when it is out of range or means something we cannot
// do.
Result<void> apply_global(const GlobalParam& param, const GlobalValue& value, CoreSettings& settings);

// Keywords and parameter names: no identifier in any context (spec/script 1).
bool is_reserved(std::string_view word);

// Every name, for "did you mean".
std::vector<std::string_view> global_names();

} // namespace sipyard::script
