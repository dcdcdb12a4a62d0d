// modules/xcap_server/schemas.cpp - reading schema files and asking the one schema made of them
#include "modules/xcap_server/schemas.h"

#include "core/base/format.h"
#include "core/base/text.h"

#include <algorithm>
#include <dlfcn.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

namespace sipyard::xcap_server {
namespace {

constexpr std::string_view schema_ns = "http://www.w3.org/2001/XMLSchema";
constexpr std::string_view xml_ns = "http://www.w3.org/XML/1998/namespace";
constexpr xml::Limits schema_limits{.depth = 200, .elements = 200'000, .attributes = 256, .name_length = 256};

Result<std::string> contents_of(const std::filesystem::path& path)
{
    std::ifstream file{path, std::ios::binary};
    std::string text{std::istreambuf_iterator<char>{file}, {}};
    if (!file)
        return Error{ErrorKind::io, format("schema '{}' cannot be read", path.string())};
    return text;
}

// The *.xsd of a folder by name, except those that are there already.
Result<void> add_folder(const std::filesystem::path& folder, std::vector<xml::SchemaPart>& parts)
{
    std::error_code problem;
    std::vector<std::filesystem::path> paths;
    for (std::filesystem::directory_iterator at{folder, problem}, end; !problem && at != end;
         at.increment(problem))
        if (at->path().extension() == ".xsd")
            paths.push_back(at->path());
    if (problem)
        return Error{ErrorKind::io,
                     format("schema_dir '{}' cannot be read: {}", folder.string(), problem.message())};
    std::sort(paths.begin(), paths.end());
    for (const auto& path : paths) {
        const auto name = path.filename().string();
        if (std::any_of(parts.begin(), parts.end(), [&](const auto& part) { return part.location == name; }))
            continue;
        TRY(auto text, contents_of(path));
        parts.push_back({name, std::move(text)});
    }
    return {};
}

} // namespace

Result<Schemas> Schemas::load(const std::string& folder, const std::vector<File>& more)
{
    std::vector<xml::SchemaPart> parts;
    TRYV(add_folder(folder, parts));
    std::vector<std::string> wanted; // file names
    for (const auto& part : parts)
        wanted.push_back(part.location);
    for (const File& file : more) {
        const auto path = std::filesystem::path{folder} / file.path; // an absolute path replaces the folder
        const auto name = path.filename().string();
        if (std::find(wanted.begin(), wanted.end(), name) != wanted.end()) {
            if (std::filesystem::path{file.path}.has_parent_path())
                return invalid(format("schema '{}': there is another file of that name", path.string()));
            continue;
        }
        TRY(auto text, contents_of(path));
        parts.push_back({name, std::move(text)});
        wanted.push_back(name);
        // Files beside it are there for its imports and includes only.
        TRYV(add_folder(path.parent_path(), parts));
    }

    std::map<std::string, Declared, std::less<>> declared;
    std::string all = format("<xs:schema xmlns:xs=\"{}\">", schema_ns);
    for (const std::string& name : wanted) {
        const auto& part = *std::find_if(parts.begin(), parts.end(),
                                         [&](const xml::SchemaPart& one) { return one.location == name; });
        const auto tree = xml::Document::parse(part.text, schema_limits);
        if (!tree)
            return invalid(format("schema '{}': {}", name, tree.error().text));
        const auto alone = xml::Schema::compile(part.text, parts);
        if (!alone)
            return invalid(format("schema '{}': {}", name, alone.error().text));
        const auto root = tree->root();
        const auto ns = root.attribute("targetNamespace").value_or("");
        for (const File& file : more)
            if (std::filesystem::path{file.path}.filename() == name && file.ns != ns)
                return invalid(
                    format("schema '{}' declares namespace '{}', the usage's is '{}'", name, ns, file.ns));
        if (ns.empty()) // there to be included
            continue;
        if (declared.find(ns) != declared.end())
            return invalid(format("schema '{}': there is another schema of namespace '{}'", name, ns));
        Declared& here = declared[ns];
        for (auto child = root.first(); child; child = child.next()) {
            if (child.is("element", schema_ns))
                here.elements.insert(child.attribute("name").value_or(""));
            else if (child.is("attribute", schema_ns))
                here.attributes.insert(child.attribute("name").value_or(""));
            else if (child.is("import", schema_ns))
                here.imports.insert(child.attribute("namespace").value_or(""));
        }
        note_borrowing(root, root.prefix(), here);
        all +=
            format("<xs:import namespace=\"{}\" schemaLocation=\"{}\"/>", xml_escape(ns), xml_escape(name));
    }
    auto schema = xml::Schema::compile(all + "</xs:schema>", parts);
    if (!schema)
        return invalid(format("the schemas of '{}' do not fit together: {}", folder, schema.error().text));
    Schemas made{std::move(*schema)};
    declared.erase(std::string{xml_ns}); // everybody knows it, no client asks
    for (const auto& [ns, names] : declared)
        made.namespaces_.push_back(ns);
    made.declared_ = std::move(declared);
    return made;
}

std::optional<std::string> Schemas::violation(const xml::Document& document) const
{
    const auto valid = schema_.validate(document);
    if (!valid)
        return valid.error().text;
    return undeclared_below(document.root());
}

// `prefix`: of the schema language; a type with another one may be of another schema.
void Schemas::note_borrowing(xml::ElementView element, std::string_view prefix, Declared& here)
{
    const auto is_foreign = [prefix](const std::optional<std::string>& name) {
        const auto colon = name ? name->find(':') : std::string::npos;
        return colon != std::string::npos && std::string_view{*name}.substr(0, colon) != prefix;
    };
    for (auto child = element.first(); child; child = child.next()) {
        if (child.is("element", schema_ns) && is_foreign(child.attribute("type")))
            here.borrowed.insert(child.attribute("name").value_or(""));
        here.extends = here.extends || is_foreign(child.attribute("base"));
        note_borrowing(child, prefix, here);
    }
}

// An element of a known namespace below one of another, where only a wildcard can have let it in.
bool Schemas::is_undeclared(xml::ElementView parent, xml::ElementView child) const
{
    const auto ns = child.ns();
    if (ns == parent.ns()) // its schema has spoken already
        return false;
    const auto at = declared_.find(ns);
    if (at == declared_.end() || at->second.elements.find(child.name()) != at->second.elements.end())
        return false;
    const auto outer = declared_.find(parent.ns());
    if (outer == declared_.end() || outer->second.imports.find(ns) == outer->second.imports.end())
        return true;
    return !outer->second.extends &&
           outer->second.borrowed.find(parent.name()) == outer->second.borrowed.end();
}

// What the validator lets pass below a lax wildcard. Depth is limited by the parse, so recursion is too.
std::optional<std::string> Schemas::undeclared_below(xml::ElementView element) const
{
    for (const auto& attribute :
         element.has_qualified_attributes() ? element.attributes() : std::vector<xml::Attribute>{}) {
        if (attribute.ns.empty())
            continue;
        if (const auto at = declared_.find(attribute.ns);
            at != declared_.end() &&
            at->second.attributes.find(attribute.name) == at->second.attributes.end())
            return format("attribute {} of namespace {} is not declared", attribute.name, attribute.ns);
    }
    for (auto child = element.first(); child; child = child.next()) {
        if (is_undeclared(element, child))
            return format("element {} of namespace {} is not declared", child.name(), child.ns());
        if (auto found = undeclared_below(child))
            return found;
    }
    return {};
}

std::string default_schema_dir()
{
    // The file this code is in: a module, or a test program that has it linked in.
    Dl_info here{};
    if (dladdr(reinterpret_cast<const void*>(&default_schema_dir), &here) == 0 || !here.dli_fname)
        return {};
    std::error_code problem;
    auto file = std::filesystem::canonical(here.dli_fname, problem);
    if (problem) // the program itself may have been started by a bare name
        file = std::filesystem::read_symlink("/proc/self/exe", problem);
    if (problem)
        return {};
    // BUILD/modules/x.so and BUILD/share; PREFIX/lib/sipyard/modules/x.so and PREFIX/share
    for (const char* const up : {"../share/sipyard/schemas", "../../../share/sipyard/schemas"}) {
        const auto folder = std::filesystem::weakly_canonical(file.parent_path() / up, problem);
        if (!problem && std::filesystem::is_directory(folder, problem) && !problem)
            return folder.string();
    }
    return {};
}

} // namespace sipyard::xcap_server
