// modules/uac/api.h - who we are elsewhere, for modules that send requests of their own
#pragma once

#include "core/module/digest_answer.h"

#include <string_view>
#include <vector>

namespace sipyard::uac {

struct Api {
    static constexpr std::string_view name = "uac";
    virtual ~Api() = default;
    // Those of parameter `credential`, for a DigestSession. The same from construction on; any thread.
    virtual const std::vector<Credential>& own_credentials() const = 0;
};

} // namespace sipyard::uac
