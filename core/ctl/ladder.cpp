// core/ctl/ladder.cpp - columns and arrows of a call's ladder
#include "core/ctl/ladder.h"

#include "core/base/format.h"
#include "core/base/text.h"

#include <algorithm>
#include <string_view>
#include <vector>

namespace sipyard::ctl {

namespace {

constexpr std::size_t most_peers = 7;  // columns beside ours
constexpr std::size_t time_width = 12; // "+   1.234 s "

struct Arrow {
    std::size_t peer = 0;
    bool inwards = false;
    std::string label, time;
};

std::string clean(std::string_view text) // an answer must not play with the terminal
{
    std::string out{text};
    for (char& c : out)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            c = '.';
    return out;
}

std::string time_of(std::int64_t us)
{
    const std::string number = format("{}.{:03}", us / 1'000'000, us / 1000 % 1000);
    return "+" + std::string(number.size() < 8 ? 8 - number.size() : 0, ' ') + number + " s ";
}

std::string label_of(const json::Value& message)
{
    const std::string method = clean(message["method"].text("?"));
    const std::int64_t status = message["status"].integer();
    return status == 0 ? format("{} ({})", method, message["cseq"].integer())
                       : format("{} {} ({})", status, method, message["cseq"].integer());
}

// A line with a bar in every column.
std::string bars(const std::vector<std::size_t>& at)
{
    std::string line(at.back() + 1, ' ');
    for (const std::size_t column : at)
        line[column] = '|';
    return line;
}

} // namespace

std::string to_ladder(const json::Value& trace)
{
    const auto& messages = trace["messages"].items();
    const std::string call_id = clean(trace["call_id"].text());
    if (messages.empty())
        return format("nothing is known about the call {}\n", call_id);

    // The peer that spoke first stands left of us, the others right of us in the order they appear.
    std::vector<std::string> peers;
    std::vector<Arrow> arrows;
    for (const auto& message : messages) {
        const std::string peer = clean(message["peer"].text("?"));
        auto found = std::find(peers.begin(), peers.end(), peer);
        if (found == peers.end())
            found = peers.insert(peers.end(), peer);
        Arrow arrow{static_cast<std::size_t>(found - peers.begin()), message["way"].text() == "in",
                    label_of(message), time_of(message["us"].integer())};
        if (arrow.peer >= most_peers) {
            arrow.peer = most_peers - 1;
            arrow.label += " " + peer;
        }
        arrows.push_back(std::move(arrow));
    }
    const bool crowded = peers.size() > most_peers;
    if (crowded) {
        peers.resize(most_peers);
        peers.back() = "others";
    }
    const bool caller_left = messages.front()["way"].text() == "in";
    const std::size_t ours = caller_left ? 1 : 0;
    std::vector<std::string> names = peers;
    names.insert(names.begin() + static_cast<std::ptrdiff_t>(ours), "sipyard");
    const auto column_of = [&](std::size_t peer) { return peer < ours ? peer : peer + 1; };

    std::size_t gap = 24;
    for (const std::string& name : names)
        gap = std::max(gap, name.size() + 2);
    for (const Arrow& arrow : arrows)
        gap = std::max(gap, arrow.label.size() + 8);
    std::vector<std::size_t> at;
    for (std::size_t i = 0; i < names.size(); ++i)
        at.push_back(names.front().size() / 2 + i * gap);

    std::string text = format("call {}\nbegan {}\n\n", call_id, clean(trace["start"].text()));
    std::string heading;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const std::size_t start = at[i] - std::min(at[i], names[i].size() / 2);
        heading.resize(std::max(heading.size(), start), ' ');
        heading += names[i];
    }
    text += std::string(time_width, ' ') + heading + "\n" + std::string(time_width, ' ') + bars(at) + "\n";
    for (const Arrow& arrow : arrows) {
        std::string line = bars(at);
        const std::size_t peer = column_of(arrow.peer);
        const std::size_t left = at[std::min(peer, ours)], right = at[std::max(peer, ours)];
        std::fill(line.begin() + static_cast<std::ptrdiff_t>(left) + 1,
                  line.begin() + static_cast<std::ptrdiff_t>(right), '-');
        const bool rightwards = (peer < ours) == arrow.inwards;
        line[rightwards ? right - 1 : left + 1] = rightwards ? '>' : '<';
        // In the gap next to us, where there is room for every label.
        const std::size_t near = peer < ours ? left : at[ours];
        const std::string label = " " + arrow.label + " ";
        line.replace(near + (gap - label.size()) / 2 + 1, label.size(), label);
        text += arrow.time + line + "\n";
    }
    return text;
}

} // namespace sipyard::ctl
