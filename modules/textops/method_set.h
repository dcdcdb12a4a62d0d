// modules/textops/method_set.h - "INVITE|ACK": a list of methods, tested in a few nanoseconds
#pragma once

#include "core/base/from_text.h"
#include "core/sip/method.h"

#include <cstdint>
#include <string>
#include <vector>

namespace sipyard::textops {

class MethodSet {
public:
    static Result<MethodSet> parse(std::string_view text);
    bool has(sip::Method method, std::string_view text) const
    {
        if (method != sip::Method::other)
            return (known_ >> static_cast<unsigned>(method) & 1u) != 0;
        for (const std::string& name : others_)
            if (name == text)
                return true;
        return false;
    }

private:
    std::uint64_t known_ = 0;
    std::vector<std::string> others_; // methods without a number of their own
};

} // namespace sipyard::textops

template <>
struct sipyard::FromText<sipyard::textops::MethodSet> {
    static constexpr bool integer = false;
    static constexpr std::string_view expected = "methods such as \"INVITE|ACK\"";
    static Result<textops::MethodSet> parse(std::string_view text) { return textops::MethodSet::parse(text); }
};
