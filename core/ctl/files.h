// core/ctl/files.h - whole files, and the files of a tree
#pragma once

#include "core/base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace sipyard::ctl {

// "-" is standard input. Error beyond 64 MiB.
Result<std::string> read_file(const std::string& path);
// All of it or nothing: written beside and renamed. Makes the folders above, readable by the owner only.
Result<void> write_file(const std::string& path, std::string_view text);
// Paths of the regular files below, relative, in order; hidden names and symbolic links are left out.
Result<std::vector<std::string>> files_below(const std::string& directory);

} // namespace sipyard::ctl
