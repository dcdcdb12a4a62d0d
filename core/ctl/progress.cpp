// core/ctl/progress.cpp - the bar is drawn over itself
#include "core/ctl/progress.h"

#include "core/base/format.h"

#include <algorithm>

namespace sipyard::ctl {

namespace {

constexpr std::size_t widest = 30; // columns of the bar itself

std::string visible(std::string_view text)
{
    std::string out{text};
    for (char& c : out)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            c = '.';
    return out;
}

} // namespace

Progress::Progress(const Screen& screen, std::string_view verb, std::size_t total)
    : screen_{screen}, verb_{verb}, total_{total}
{
}

void Progress::done(std::string_view name)
{
    ++done_;
    if (screen_.is_terminal)
        draw(visible(name));
    else
        screen_.write(format("{} {}\n", verb_, visible(name)));
}

void Progress::failed(std::string_view name, std::string_view why)
{
    ++failed_;
    wipe();
    screen_.write(format("failed: {}: {}\n", visible(name), visible(why)));
    if (screen_.is_terminal)
        draw("");
}

int Progress::finish()
{
    wipe();
    screen_.write(failed_ ? format("{} {} of {}, {} failed\n", verb_, done_, total_, failed_)
                          : format("{} {}\n", verb_, done_));
    return failed_ ? 1 : 0;
}

void Progress::draw(std::string_view name)
{
    const std::size_t at = done_ + failed_;
    const std::size_t bar = std::min(widest, screen_.columns / 2);
    const std::size_t full = total_ ? std::min(bar, at * bar / total_) : bar;
    std::string line =
        "[" + std::string(full, '#') + std::string(bar - full, '.') + format("] {}/{} ", at, total_);
    // In bytes, which are never fewer than columns; a character is not cut in two.
    std::size_t room = line.size() < screen_.columns ? screen_.columns - 1 - line.size() : 0;
    while (room > 0 && room < name.size() && (static_cast<unsigned char>(name[room]) & 0xc0) == 0x80)
        --room;
    line += name.substr(0, room);
    screen_.write("\r\x1b[K" + line);
    drawn_ = true;
}

void Progress::wipe()
{
    if (drawn_)
        screen_.write("\r\x1b[K");
    drawn_ = false;
}

} // namespace sipyard::ctl
