// modules/acc/field.h - "name=$pv;name2=$pv2": what an operator wants in a record beside its fixed part
#pragma once

#include "core/base/result.h"
#include "core/module/avp.h"
#include "core/module/manifest.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sipyard {
class Host;
}

namespace sipyard::acc {

// One more column of a row, or `name=value` of a line.
struct Field {
    std::string name;
    std::shared_ptr<const VariableRef> source; // owned by this field alone
};

// One value of each call leg (multi_leg_info): an AVP, whose n-th value belongs to the n-th leg, the newest
// first.
struct LegField {
    std::string name;
    AvpList::Name avp;
};

// The names and variables as written. A ';' inside parentheses or braces belongs to its variable. Errors:
// invalid.
Result<std::vector<std::pair<std::string, std::string>>> split_fields(std::string_view text);

Result<std::vector<Field>> read_fields(Host& host, std::string_view text);
Result<std::vector<LegField>> read_legs(std::string_view text); // $avp(...) with constant names only

} // namespace sipyard::acc
