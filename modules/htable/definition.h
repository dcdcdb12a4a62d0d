// modules/htable/definition.h - modparam htable: "name=>size=8;autoexpire=300;initval=0;dbtable=t;..."
#pragma once

#include "core/base/from_text.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::htable {

struct Definition {
    std::string name;
    int size = 3;                        // 2^size slots in Kamailio; here a hint for the first allocation
    Seconds autoexpire{0};               // since the last change; 0: never
    std::optional<std::int64_t> initval; // what a missing key reads as
    bool updateexpire = true;            // a change begins the time anew
    std::string dbtable;                 // loaded from at start; empty: none
    std::vector<std::string> cols;       // of dbtable: the key, then the values; empty: the usual ones
    char coldelim = ',';                 // between several values
    char colnull = '\0';                 // stands for NULL; '\0': an empty text
    int dbmode = 0;                      // 1: written back when the server stops
};

} // namespace sipyard::htable

template <>
struct sipyard::FromText<sipyard::htable::Definition> {
    static constexpr bool integer = false;
    static constexpr std::string_view expected = "a table: name=>size=8;autoexpire=300";
    static Result<htable::Definition> parse(std::string_view text);
};
