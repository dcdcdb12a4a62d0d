// modules/pv/branches.h - parts of a branch by name, and adding one
#pragma once

#include "modules/pv/rows.h"

#include <string_view>

namespace sipyard::pv {

enum class BranchField : unsigned char {
    uri,
    dst_uri,
    path,
    q,
    send_socket,
    count,
    flags,
    ruid,
    instance,
    reg_id
};

struct BranchPart {
    using Meaning = BranchField;
    static constexpr std::string_view expected =
        "uri, dst_uri, path, q, send_socket, count, flags, ruid, instance or reg_id";
    static constexpr Word<BranchField> words[] = {
        {"uri", BranchField::uri},           {"dst_uri", BranchField::dst_uri},
        {"path", BranchField::path},         {"q", BranchField::q},
        {"count", BranchField::count},       {"send_socket", BranchField::send_socket},
        {"flags", BranchField::flags},       {"ruid", BranchField::ruid},
        {"instance", BranchField::instance}, {"reg_id", BranchField::reg_id},
    };
};

Value branch_value(Request& request, const Branch& branch, BranchField field);
bool set_branch_value(Request& request, Branch& branch, BranchField field,
                      const Value& value); // logs a refusal
// Copies the texts. False, with a log line, when max_branches are there.
bool append_branch(Request& request, const Branch& branch);
// "0.5"; "" for none.
std::string_view q_text(Arena& arena, int thousandths);

} // namespace sipyard::pv
