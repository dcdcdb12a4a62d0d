// modules/pv/branch_variables.cpp - the further branches of a request: $branch, $br, $ds (spec: branches)
#include "modules/pv/branches.h"
#include "modules/pv/lists.h"
#include "modules/pv/sockets.h"

#include "core/module/core_settings.h"

namespace sipyard::pv {

namespace {

// 0.5 as 500; nothing for what is no q value.
std::optional<int> q_of(Request& r, const Value& value)
{
    const auto text = text_of(r, value);
    if (text == "1" || text == "1.0" || text == "1.00" || text == "1.000")
        return 1000;
    if (text == "0")
        return 0;
    auto rest = text;
    if (rest.starts_with('0'))
        rest.remove_prefix(1);
    if (!rest.starts_with('.') || rest.size() < 2 || rest.size() > 4)
        return {};
    int q = 0, weight = 100;
    for (const char c : rest.substr(1)) {
        if (!is_digit(c))
            return {};
        q += (c - '0') * weight;
        weight /= 10;
    }
    return q;
}

bool set_text(Request& r, std::string_view& to, const Value& value)
{
    if (value.is_integer())
        return false;
    to = r.arena().copy(value.text());
    return true;
}

Value first_uri(Request& r)
{
    return r.branches().empty() ? Value{} : text_or_null(r.branches().front().uri);
}
bool push_uri(Request& r, const Value& value)
{
    if (value.is_null()) {
        r.branches().clear();
        return true;
    }
    if (!value.is_text() || value.text().empty()) {
        logger(r).error("str value required for a new branch");
        return false;
    }
    Branch branch;
    branch.uri = value.text();
    return append_branch(r, branch);
}

Value destination_set(Request& r)
{
    std::string_view text;
    for (const Branch& branch : r.branches())
        text = r.arena().concat(text, text.empty() ? "Contact: <" : ", <", branch.uri, ">",
                                branch.q < 0 ? "" : ";q=", q_text(r.arena(), branch.q));
    return text_or_null(text);
}

Value branch(Request& r, const OneOf<BranchPart>& part, Index index)
{
    const auto count = static_cast<std::int64_t>(r.branches().size());
    if (part.meaning == BranchField::count)
        return count == 0 ? Value{} : Value{count};
    const auto at = index.resolve(count);
    return at < 0 ? Value{} : branch_value(r, r.branches()[static_cast<std::size_t>(at)], part.meaning);
}

bool set_branch(Request& r, const OneOf<BranchPart>& part, Index index, const Value& value)
{
    const auto at = index.resolve(static_cast<std::int64_t>(r.branches().size()));
    if (at < 0) {
        logger(r).error("there is no such branch to set");
        return false;
    }
    if (part.meaning == BranchField::uri && value.is_null()) { // a branch without a URI is none
        r.branches().erase(r.branches().begin() + at);
        return true;
    }
    return set_branch_value(r, r.branches()[static_cast<std::size_t>(at)], part.meaning, value);
}

} // namespace

std::string_view q_text(Arena& arena, int q)
{
    if (q < 0)
        return {};
    if (q % 1000 == 0)
        return q == 0 ? "0" : "1";
    char digits[5] = {'0', '.', static_cast<char>('0' + q / 100), static_cast<char>('0' + q / 10 % 10),
                      static_cast<char>('0' + q % 10)};
    std::size_t size = 5;
    while (digits[size - 1] == '0')
        --size;
    return arena.copy({digits, size});
}

bool append_branch(Request& r, const Branch& branch)
{
    const auto most = static_cast<std::size_t>(std::max(r.host().core().max_branches, 1));
    if (r.branches().size() + 1 >= most) { // the current R-URI is one too
        logger(r).error("max nr of branches exceeded: {}", most);
        return false;
    }
    Branch kept = branch;
    kept.uri = r.arena().copy(branch.uri);
    kept.dst_uri = r.arena().copy(branch.dst_uri);
    kept.path = r.arena().copy(branch.path);
    kept.ruid = r.arena().copy(branch.ruid);
    kept.instance = r.arena().copy(branch.instance);
    r.branches().push_back(kept);
    return true;
}

Value branch_value(Request& r, const Branch& branch, BranchField field)
{
    switch (field) {
    case BranchField::uri: return text_or_null(branch.uri);
    case BranchField::dst_uri: return text_or_null(branch.dst_uri);
    case BranchField::path: return text_or_null(branch.path);
    case BranchField::q: return text_or_null(q_text(r.arena(), branch.q));
    case BranchField::send_socket: return branch.socket ? Value{listener_text(r, *branch.socket)} : Value{};
    case BranchField::flags: return number(branch.flags);
    case BranchField::ruid: return text_or_null(branch.ruid);
    case BranchField::instance: return text_or_null(branch.instance);
    case BranchField::reg_id: return number(branch.reg_id);
    case BranchField::count: break;
    }
    return {};
}

bool set_branch_value(Request& r, Branch& branch, BranchField field, const Value& value)
{
    bool good = false;
    switch (field) {
    case BranchField::uri: good = set_text(r, branch.uri, value); break;
    case BranchField::dst_uri: good = set_text(r, branch.dst_uri, value); break;
    case BranchField::path: good = set_text(r, branch.path, value); break;
    case BranchField::ruid: good = set_text(r, branch.ruid, value); break;
    case BranchField::instance: good = set_text(r, branch.instance, value); break;
    case BranchField::q:
        if (const auto q = value.is_null() ? std::optional{-1} : q_of(r, value)) {
            branch.q = *q;
            good = true;
        }
        break;
    case BranchField::send_socket: {
        const auto* socket = value.is_text() ? find_listener(r, value.text()) : nullptr;
        good = value.is_null() || socket;
        if (good)
            branch.socket = socket;
        break;
    }
    case BranchField::flags:
        good = !value.is_text();
        if (good)
            branch.flags = static_cast<std::uint32_t>(value.number());
        break;
    case BranchField::reg_id:
        good = !value.is_text();
        if (good)
            branch.reg_id = static_cast<std::uint32_t>(value.number());
        break;
    case BranchField::count: break;
    }
    if (!good)
        logger(r).error("a branch does not take '{}' there", text_of(r, value));
    return good;
}

Variables branch_variables()
{
    return {
        row("branch", branch, set_branch,
            "A part of a further branch: $(branch(uri)[1]); null without branches"),
        row("br", first_uri, push_uri, "URI of the first further branch; assigning adds one"),
        row("ds", destination_set, "Contact header with all further branches"),
    };
}

} // namespace sipyard::pv
