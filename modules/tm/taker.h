// modules/tm/taker.h - parts of this module that keep dialogs are asked about requests before the script sees
// them
#pragma once

#include "core/module/request.h"

#include <vector>

namespace sipyard::tm {

class RequestTaker {
public:
    virtual ~RequestTaker() = default;
    // True: the request belongs to one of its dialogs and is dealt with. On the request's fiber, any worker.
    virtual bool take(Request& request) = 0;
};

// Filled at construction only.
class Takers {
public:
    void add(RequestTaker& taker) { all_.push_back(&taker); }
    bool take(Request& request) const
    {
        for (RequestTaker* const taker : all_)
            if (taker->take(request))
                return true;
        return false;
    }

private:
    std::vector<RequestTaker*> all_;
};

} // namespace sipyard::tm
