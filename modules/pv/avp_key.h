// modules/pv/avp_key.h - the names in $avp(name) and $xavp(root[i]=>field[j])
#pragma once

#include "core/base/from_text.h"
#include "core/module/avp.h"

#include <string>
#include <string_view>

namespace sipyard::pv {

struct AvpKey {
    AvpList::Name name;
};

struct XavpKey {
    std::string root;
    Index root_index;  // none: a new root is made, the newest one is read
    std::string field; // "" when the root itself is meant
    Index field_index;
};

} // namespace sipyard::pv

template <>
struct sipyard::FromText<sipyard::pv::AvpKey> {
    static constexpr bool integer = false;
    static constexpr std::string_view expected = "a name, s:name or i:number";
    static Result<pv::AvpKey> parse(std::string_view text);
};
template <>
struct sipyard::FromText<sipyard::pv::XavpKey> {
    static constexpr bool integer = false;
    static constexpr std::string_view expected = "name, name[i], name=>field or name[i]=>field[j]";
    static Result<pv::XavpKey> parse(std::string_view text);
};
