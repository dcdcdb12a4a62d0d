// core/server/loader.cpp - dlopen and the search for modules
#include "core/server/loader.h"

#include "core/base/text.h"

#include <algorithm>
#include <climits>
#include <dlfcn.h>
#include <filesystem>
#include <set>
#include <unistd.h>

namespace sipyard::server {

namespace fs = std::filesystem;

namespace {

std::string stem(std::string_view what)
{
    const auto slash = what.rfind('/');
    if (slash != std::string_view::npos)
        what.remove_prefix(slash + 1);
    if (what.ends_with(".so"))
        what.remove_suffix(3);
    return std::string{what};
}

} // namespace

Loader::Loader(std::vector<std::string> directories) : directories_{std::move(directories)} {}

std::vector<std::string> Loader::builtin()
{
    char path[PATH_MAX];
    const ssize_t size = ::readlink("/proc/self/exe", path, sizeof path);
    if (size <= 0)
        return {};
    const fs::path folder = fs::path{std::string{path, static_cast<std::size_t>(size)}}.parent_path();
    return {(folder / "modules").string(), (folder.parent_path() / "modules").string(),
            (folder.parent_path() / "lib/sipyard/modules").string()};
}

Result<const ModuleEntry*> Loader::open(const std::string& path) const
{
    void* const handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        const char* const text = ::dlerror();
        return Error{ErrorKind::invalid, format("{}: {}", path, text ? text : "cannot be opened")};
    }
    using Entry = const ModuleEntry* (*)();
    const auto entry = reinterpret_cast<Entry>(::dlsym(handle, "sipyard_module"));
    if (!entry) {
        ::dlclose(handle);
        return Error{ErrorKind::unsupported, format("{} is not a sipyard module", path)};
    }
    const ModuleEntry* const module = entry();
    if (module->interface_version != module_interface)
        return Error{ErrorKind::invalid, format("{} was built for module interface {}, this is {}", path,
                                                module->interface_version, module_interface)};
    return module;
}

namespace {

// The script knows the module by the name it loaded it under: modparam("db_sqlite", ...).
const AnyManifest* named(LoadedModule& module, const std::string& name)
{
    module.names.push_back(name);
    module.as_loaded.push_back(std::make_unique<AnyManifest>(module.manifest));
    module.as_loaded.back()->name = name;
    return module.as_loaded.back().get();
}

} // namespace

Result<const AnyManifest*> Loader::load(std::string_view what, const std::vector<std::string>& paths)
{
    const std::string name = stem(what);
    if (find(name))
        return invalid(format("attempting to load the same module twice ({})", name));

    std::vector<std::string> candidates;
    if (what.find('/') != std::string_view::npos)
        candidates.emplace_back(what);
    for (const auto* list : {&paths, &std::as_const(directories_)}) {
        for (const std::string& directory : *list) {
            candidates.push_back(directory + "/" + name + ".so");
            candidates.push_back(directory + "/" + name + "/" + name + ".so");
        }
    }
    Error broken{ErrorKind::not_found, {}};
    for (const std::string& path : candidates) {
        if (::access(path.c_str(), R_OK) != 0)
            continue;
        auto entry = open(path);
        if (!entry) {
            broken = entry.error(); // another server's module of that name, or a damaged file: look further
            continue;
        }
        AnyManifest manifest = (*entry)->manifest();
        for (const auto& module : loaded_)
            if (module->name == manifest.name)
                return named(*module, name); // one shared object under several names
        auto module = std::make_unique<LoadedModule>();
        module->name = manifest.name;
        module->path = path;
        module->settings = manifest.make_settings();
        module->manifest = std::move(manifest);
        loaded_.push_back(std::move(module));
        return named(*loaded_.back(), name);
    }
    if (!broken.text.empty())
        return broken;
    return Error{ErrorKind::not_found, format("could not find module <{}>", name)};
}

LoadedModule* Loader::find(std::string_view name)
{
    for (const auto& module : loaded_)
        if (std::find(module->names.begin(), module->names.end(), name) != module->names.end())
            return module.get();
    return nullptr;
}

LoadedModule* Loader::owner_of(const AnyManifest* manifest)
{
    for (const auto& module : loaded_)
        for (const auto& named : module->as_loaded)
            if (named.get() == manifest)
                return module.get();
    return nullptr;
}

std::string Loader::exporter_of(std::string_view function) const
{
    const auto exports = [&](const AnyManifest& manifest) {
        return std::any_of(manifest.functions.begin(), manifest.functions.end(),
                           [&](const FunctionSpec& spec) { return spec.name == function; });
    };
    for (const std::string& directory : directories_) {
        std::error_code none;
        for (const auto& entry : fs::directory_iterator{directory, none}) {
            if (entry.path().extension() != ".so" || entry.is_symlink())
                continue;
            const auto module = open(entry.path().string());
            if (module && exports((*module)->manifest()))
                return entry.path().stem().string();
        }
    }
    return {};
}

std::vector<std::string> Loader::available() const
{
    std::set<std::string> names;
    for (const std::string& directory : directories_) {
        std::error_code none;
        for (const auto& entry : fs::directory_iterator{directory, none})
            if (entry.path().extension() == ".so")
                names.insert(entry.path().stem().string());
    }
    return {names.begin(), names.end()};
}

} // namespace sipyard::server
