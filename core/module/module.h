// core/module/module.h - all a module includes to be one; SIPYARD_MODULE names its class to the loader
#pragma once

#include "core/module/host.h"
#include "core/module/manifest.h"
#include "core/module/request.h"

namespace sipyard {

// Bumped when the layout between server and modules changes; the loader refuses others.
inline constexpr int module_interface = 1;

struct ModuleEntry {
    int interface_version;
    AnyManifest (*manifest)();
};

} // namespace sipyard

// Weak: a test may link several modules; the loader asks each shared object for its own.
#define SIPYARD_MODULE(Class)                                                                                \
    extern "C" __attribute__((visibility("default"), weak)) const ::sipyard::ModuleEntry* sipyard_module()   \
    {                                                                                                        \
        static const ::sipyard::ModuleEntry entry{::sipyard::module_interface,                               \
                                                  [] { return ::sipyard::erase(Class::manifest()); }};       \
        return &entry;                                                                                       \
    }
