// core/base/guarded.cpp - the thread's count of open sections
#include "core/base/guarded.h"

namespace sipyard {

int& NoSuspend::depth()
{
    thread_local int count = 0;
    return count;
}

} // namespace sipyard
