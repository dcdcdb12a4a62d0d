// modules/textops/method_set.cpp - reading a list of methods
#include "modules/textops/method_set.h"

namespace sipyard::textops {

Result<MethodSet> MethodSet::parse(std::string_view text)
{
    MethodSet set;
    for (auto name : split(text, '|')) {
        name = trim(name);
        if (name.empty())
            return invalid(format("'{}': expected methods separated by '|'", text));
        const std::string method = upper(name);
        const sip::Method known = sip::method_of(method);
        if (known == sip::Method::other)
            set.others_.push_back(method);
        else
            set.known_ |= std::uint64_t{1} << static_cast<unsigned>(known);
    }
    return set;
}

} // namespace sipyard::textops
