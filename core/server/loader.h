// core/server/loader.h - finds modules, opens their shared objects and keeps what their manifests say
#pragma once

#include "core/base/result.h"
#include "core/module/module.h"
#include "core/script/parser.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::server {

struct LoadedModule {
    std::string name;               // as its manifest says
    std::vector<std::string> names; // the names it was loaded under (db_sqlite is db_unixodbc)
    std::string path;
    AnyManifest manifest;
    std::vector<std::unique_ptr<AnyManifest>>
        as_loaded;                  // one per name, with that name in it: what the script sees
    std::shared_ptr<void> settings; // owned here; read by the module at construction
    std::shared_ptr<void> instance; // null until it is constructed
};

// Before the workers start, on one thread. Modules are never closed again.
class Loader final : public script::ModuleLoader {
public:
    // `directories`: searched after the operator's loadpath; `builtin` lists these by default.
    explicit Loader(std::vector<std::string> directories);
    static std::vector<std::string> builtin(); // beside the executable, and where `make install` puts them

    // "xhttp", "xhttp.so", or a path. A path or directory that holds another server's module of that name is
    // passed over. Errors: not_found; invalid for a name loaded before or a file that is no module of this
    // version.
    Result<const AnyManifest*> load(std::string_view what, const std::vector<std::string>& paths) override;
    std::vector<std::string> known() const override { return available(); }
    std::string exporter_of(std::string_view function) const override; // looks into every module there is

    LoadedModule* find(std::string_view name);
    LoadedModule* owner_of(const AnyManifest* manifest); // of one that load() returned
    const std::vector<std::unique_ptr<LoadedModule>>& loaded() const { return loaded_; }
    std::vector<std::string> available() const; // names found in all directories, sorted

private:
    Result<const ModuleEntry*> open(const std::string& path) const;
    std::vector<std::string> directories_;
    std::vector<std::unique_ptr<LoadedModule>> loaded_;
};

} // namespace sipyard::server
