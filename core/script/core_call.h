// core/script/core_call.h - the functions that need no module: flags, request URI, sockets, log (spec/script
// 14)
#pragma once

#include "core/script/ast_core.h"
#include "core/script/node.h"
#include "core/script/program.h"

#include <span>
#include <string_view>

namespace sipyard::script {

// They do not change $rc (spec/script 12).
class CoreCall final : public Callee {
public:
    CoreCall(CoreFunction function, std::span<const Expr* const> args) : function_{function}, args_{args} {}
    int call(Run& run) const override;

private:
    std::string_view text(Run& run, std::size_t n) const;
    std::int64_t number(Run& run, std::size_t n, std::int64_t otherwise = 0) const;
    int flag(Run& run) const;
    int avp_flag(Run& run) const;
    int rewrite(Run& run) const;
    int send_on(Run& run) const;
    int write_log(Run& run) const;
    int mark(Run& run) const;
    int remove_branch(Run& run) const;
    int force_socket(Run& run) const;
    int select(Run& run) const;

    const CoreFunction function_;
    const std::span<const Expr* const> args_;
};

} // namespace sipyard::script
