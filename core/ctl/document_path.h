// core/ctl/document_path.h - a document's key as a path below a directory, and back
#pragma once

#include "core/base/result.h"

#include <string>
#include <string_view>

namespace sipyard::ctl {

// "/xcap-root/resource-lists/users/sip:a@b/index" below the root "/xcap-root/" is
// "resource-lists/users/sip:a@b/index". Bytes that a file's name had better not have are percent-encoded, a
// dot at the front too: no name is hidden, "." or "..". Error when the key is not below the root, or a name
// is empty or longer than a file's may be.
Result<std::string> path_of_document(std::string_view doc_uri, std::string_view root);

// The opposite. Error for names that path_of_document() never makes: hidden ones and broken escapes.
Result<std::string> document_of_path(std::string_view path, std::string_view root);

} // namespace sipyard::ctl
