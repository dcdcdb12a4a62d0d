// core/script/source.cpp - characters of nested files and pushed text
#include "core/script/source.h"

#include "core/base/format.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <sys/stat.h>

namespace sipyard::script {

void Source::enter(std::string name, std::string text)
{
    File file;
    file.place = {diagnostics_.add_file(name, text), 1, 1};
    file.name = std::move(name);
    file.text = std::move(text);
    before_ = file.place;
    files_.push_back(std::move(file));
}

void Source::leave() { files_.pop_back(); }

int Source::peek(std::size_t ahead) const
{
    if (files_.empty())
        return end;
    const File& file = files_.back();
    const std::size_t waiting = file.pushed.size() - file.pushed_at;
    if (ahead < waiting)
        return static_cast<unsigned char>(file.pushed[file.pushed_at + ahead]);
    const std::size_t at = file.at + (ahead - waiting);
    return at < file.text.size() ? static_cast<unsigned char>(file.text[at]) : end;
}

int Source::next()
{
    const int c = peek();
    if (c == end)
        return end;
    File& file = files_.back();
    before_ = here();
    if (file.pushed_at < file.pushed.size()) {
        if (++file.pushed_at == file.pushed.size()) {
            file.pushed.clear();
            file.pushed_at = 0;
        }
        return c;
    }
    ++file.at;
    if (c == '\n') {
        ++file.place.line;
        file.place.column = 1;
    } else {
        ++file.place.column;
    }
    return c;
}

void Source::skip(std::size_t count)
{
    while (count-- != 0)
        next();
}

bool Source::starts_with(std::string_view text) const
{
    for (std::size_t i = 0; i < text.size(); ++i)
        if (peek(i) != static_cast<unsigned char>(text[i]))
            return false;
    return true;
}

Position Source::here() const
{
    if (files_.empty())
        return before_;
    const File& file = files_.back();
    return file.pushed_at < file.pushed.size() ? file.pushed_place : file.place;
}

bool Source::in_pushed() const
{
    return !files_.empty() && files_.back().pushed_at < files_.back().pushed.size();
}

bool Source::push(std::string_view text, Position at)
{
    if (files_.empty())
        return false;
    File& file = files_.back();
    if (file.pushed.size() - file.pushed_at + text.size() > most_pushed)
        return false;
    file.pushed = std::string{text} + file.pushed.substr(file.pushed_at);
    file.pushed_at = 0;
    file.pushed_place = at;
    return true;
}

Result<std::string> read_config_file(const std::string& path)
{
    constexpr off_t largest = 16 << 20;
    struct stat about {};
    if (::stat(path.c_str(), &about) != 0)
        return Error{ErrorKind::not_found, format("could not open {}: {}", path, std::strerror(errno))};
    if (!S_ISREG(about.st_mode))
        return invalid(format("could not read {}: it is no regular file", path));
    if (about.st_size > largest)
        return invalid(format("could not read {}: it is larger than 16 MiB", path));
    std::ifstream in{path, std::ios::binary};
    std::ostringstream text;
    if (in)
        text << in.rdbuf();
    if (!in)
        return Error{ErrorKind::io, format("could not read {}: {}", path, std::strerror(errno))};
    return text.str();
}

} // namespace sipyard::script
