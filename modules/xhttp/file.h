// modules/xhttp/file.h - a file below a directory, found and read without ever leaving that directory
#pragma once

#include "core/base/from_text.h"
#include "core/base/result.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::xhttp {

// The directory of xhttp_file(), a constant of the script: absolute from here on, so that a server which
// changes its working directory still finds it.
struct Directory {
    std::string path;
};

constexpr std::size_t largest_file = 8 * 1024 * 1024; // bytes; longer ones are not sent

// The names a target leads through, from the directory down: "a/b%20c?x" is {"a", "b c"}. The query is left
// out; where the path ends in a slash or is empty the last name is index.html. Error `not_found` for what no
// file may be reached by: "." and "..", names that begin with a dot, empty names, slashes, backslashes and
// control characters behind an escape, broken escapes, text that is no UTF-8, more than 16 names or 1024
// bytes.
Result<std::vector<std::string>> names_of(std::string_view target);

// Does an If-None-Match field name this tag? Weak comparison (RFC 9110 13.1.2); `tag` is without quotes.
bool names_tag(std::string_view if_none_match, std::string_view tag);

// By the extension; application/octet-stream for others.
std::string_view content_type_of(std::string_view name);

struct File {
    std::string tag; // of this version, without quotes: from the file's number, size and time of change
    std::optional<std::string> bytes; // none when `if_none_match` names the tag
};

// Blocks: for a pool thread. Every name is opened from the directory above it and no symbolic link is
// followed, so nothing outside can be reached whatever lies in the tree. Errors: not_found for what is not
// there, is no regular file, or may not be read; unsupported for a file beyond largest_file; io.
Result<File> read_below(const std::string& directory, const std::vector<std::string>& names,
                        std::string_view if_none_match);

} // namespace sipyard::xhttp

template <>
struct sipyard::FromText<sipyard::xhttp::Directory> {
    static constexpr bool integer = false;
    static constexpr std::string_view expected = "a directory, as a constant";
    static Result<xhttp::Directory> parse(std::string_view text); // touches the file system
};
