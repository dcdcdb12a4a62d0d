// test/support/precompiled_module.h - the same for tests of modules, which see core/module too
#pragma once

#include "core/module/precompiled.h"
#include "test/support/precompiled.h"
