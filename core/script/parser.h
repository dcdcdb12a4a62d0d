// core/script/parser.h - reads a configuration file into a checked tree (spec/script 1 to 11, 13, 22)
#pragma once

#include "core/script/ast.h"
#include "core/script/diagnostic.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sipyard::script {

// What the parser asks of the world to know functions and parameters while it reads. Manifests live as long
// as the loader.
struct ModuleLoader {
    virtual ~ModuleLoader() = default;
    // `file_or_name` is as written: "tm.so", "tm", "/usr/lib/x/tm.so". `paths` are the module folders in
    // force.
    virtual Result<const AnyManifest*> load(std::string_view file_or_name,
                                            const std::vector<std::string>& paths) = 0;
    // Names of modules that could be loaded, for "did you mean".
    virtual std::vector<std::string> known() const { return {}; }
    // Which module, not loaded perhaps, exports a function: "" when unknown. For "it is exported by module
    // x".
    virtual std::string exporter_of(std::string_view function) const
    {
        (void)function;
        return {};
    }
};

// The command line, in its order.
struct LoadOptions {
    struct Param { // --modparam=mod:name:type:value
        std::string module, name, value;
        bool integer = false;
    };
    std::vector<std::pair<std::string, std::string>> defines;     // -A ID=value
    std::vector<std::string> substs, substdefs, substdefs_quoted; // --subst, --substdef, --substdefs
    std::vector<std::string> module_paths;                        // -L: overrides mpath and loadpath
    std::vector<std::string> load_modules;                        // --loadmodule: before the file
    std::vector<Param> params;                                    // --modparam: after the file
    std::vector<std::string> listen;                              // -l: replaces the file's sockets
    std::vector<std::string> aliases;                             // --alias, --domain
    // A text with variables that are valid at start ($env(X), $$ ...). Without it $env, $envn and $$ are
    // known.
    std::function<Result<std::string>(std::string_view)> expand{};
    // How files are read; without it from the disk.
    std::function<Result<std::string>(const std::string& path)> read{};
};

// Reads `path` and what it includes. Nothing when there was an error: `diagnostics` says which.
std::optional<ast::Config> parse_config(const std::string& path, const LoadOptions& options,
                                        ModuleLoader& loader, Diagnostics& diagnostics);
// The same from memory; `name` stands in messages, includes are looked for beside it.
std::optional<ast::Config> parse_text(std::string_view text, std::string name, const LoadOptions& options,
                                      ModuleLoader& loader, Diagnostics& diagnostics);

} // namespace sipyard::script
