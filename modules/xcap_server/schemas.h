// modules/xcap_server/schemas.h - the schemas of the application usages, compiled once at start
#pragma once

#include "core/base/result.h"
#include "core/xml/document.h"
#include "core/xml/schema.h"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::xcap_server {

// All schemas are one: whatever the root is, content of every namespace that has a schema is validated where
// a wildcard lets it in. Immutable; thread-safe.
class Schemas {
public:
    struct File {
        std::string path; // relative to the folder, or absolute
        std::string ns;   // the namespace it has to declare
    };
    // Compiles all *.xsd of the folder and `more`. An Error names the file. They may import and include each
    // other by file name; nothing else is ever loaded.
    static Result<Schemas> load(const std::string& folder, const std::vector<File>& more = {});

    // Namespaces whose content is validated, sorted: what xcap-caps lists.
    const std::vector<std::string>& namespaces() const { return namespaces_; }
    bool knows(std::string_view ns) const { return declared_.find(ns) != declared_.end(); }

    // The first violation, at most 200 bytes; nothing: valid. The root has to be declared, and so has
    // everything of a known namespace, also where a wildcard is lax: listing a namespace in xcap-caps
    // promises that. Takes hints out of the document (Schema::validate).
    std::optional<std::string> violation(const xml::Document& document) const;

private:
    struct Declared { // globally, so that they may stand below a wildcard
        std::set<std::string, std::less<>> elements, attributes;
        // Elements whose type another schema defines: they have children of its namespace, by name and not by
        // wildcard. And does this schema extend types of others? Then any may.
        std::set<std::string, std::less<>> borrowed;
        bool extends = false;
        std::set<std::string, std::less<>> imports; // the namespaces of those others
    };
    explicit Schemas(xml::Schema schema) : schema_{std::move(schema)} {}
    static void note_borrowing(xml::ElementView element, std::string_view prefix, Declared& here);
    bool is_undeclared(xml::ElementView parent, xml::ElementView child) const;
    std::optional<std::string> undeclared_below(xml::ElementView element) const;

    xml::Schema schema_;
    std::map<std::string, Declared, std::less<>> declared_; // by namespace
    std::vector<std::string> namespaces_;
};

// Where the schemas are that came with this module: beside the build's or the installation's module. Empty:
// not found.
std::string default_schema_dir();

} // namespace sipyard::xcap_server
