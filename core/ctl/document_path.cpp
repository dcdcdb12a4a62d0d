// core/ctl/document_path.cpp - names encoded one by one
#include "core/ctl/document_path.h"

#include "core/base/format.h"
#include "core/base/text.h"

#include <algorithm>

namespace sipyard::ctl {

namespace {

constexpr std::size_t longest_name = 255; // NAME_MAX of every file system in use
constexpr std::string_view plain = "-._~:@!$'()+,;=";

} // namespace

Result<std::string> path_of_document(std::string_view doc_uri, std::string_view root)
{
    if (!doc_uri.starts_with(root))
        return invalid(format("'{}' is not below {}", doc_uri, root));
    std::string path;
    for (const std::string_view name : split(doc_uri.substr(root.size()), '/')) {
        std::string encoded = percent_encode(name, plain);
        if (encoded.starts_with('.'))
            encoded.replace(0, 1, "%2E");
        if (encoded.empty() || encoded.size() > longest_name)
            return invalid(format("'{}' has a name that no file can have", doc_uri));
        path += (path.empty() ? "" : "/") + encoded;
    }
    return path;
}

Result<std::string> document_of_path(std::string_view path, std::string_view root)
{
    std::string doc_uri{root};
    bool first = true;
    for (const std::string_view name : split(path, '/')) {
        const auto decoded = percent_decode(name);
        if (!decoded || decoded->empty() || name.starts_with('.') || decoded->find('/') != std::string::npos)
            return invalid(format("'{}' is no document's name", path));
        doc_uri += (first ? "" : "/") + *decoded;
        first = false;
    }
    return doc_uri;
}

} // namespace sipyard::ctl
