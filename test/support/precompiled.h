// test/support/precompiled.h - what nearly every test includes, read once by the compiler (Makefile, PCH)
#pragma once

#include "core/base/precompiled.h"
#include "test/support/catch.h"
