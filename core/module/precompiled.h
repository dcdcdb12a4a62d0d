// core/module/precompiled.h - what nearly every file of a module includes, read once by the compiler
// (Makefile, PCH)
#pragma once

#include "core/base/precompiled.h"
#include "core/module/module.h"
#include "core/sip/message.h"
