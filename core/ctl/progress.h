// core/ctl/progress.h - how far a long command is: a bar on a terminal, lines elsewhere
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace sipyard::ctl {

// Where a command writes. `is_terminal`: one may go back to the line's beginning.
struct Screen {
    std::function<void(std::string_view)> write;
    bool is_terminal = false;
    std::size_t columns = 80;
};

class Progress {
public:
    Progress(const Screen& screen, std::string_view verb, std::size_t total);
    // One more is done: a line "exported NAME", or the bar a little longer. Control characters become '.'.
    void done(std::string_view name);
    // One could not be done; stays on the terminal above the bar.
    void failed(std::string_view name, std::string_view why);
    // The summary; call once. Returns the exit status: 0, or 1 when one has failed.
    int finish();

private:
    void draw(std::string_view name);
    void wipe();
    const Screen& screen_;
    const std::string verb_;
    std::size_t total_, done_ = 0, failed_ = 0;
    bool drawn_ = false;
};

} // namespace sipyard::ctl
