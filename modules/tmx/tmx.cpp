// modules/tmx/tmx.cpp - further words for transactions: cancelling branches, suspending, which route this is,
// $T variables
#include "core/base/text.h"
#include "core/module/module.h"
#include "modules/tm/api.h"

#include <map>
#include <memory>
#include <string>

namespace sipyard::tmx {

// What stands in $T_req(...): the text of a variable, not its value.
struct VariableText {
    std::string text;
};

} // namespace sipyard::tmx

template <>
struct sipyard::FromText<sipyard::tmx::VariableText> {
    static constexpr std::string_view expected = "a variable";
    static constexpr bool integer = false;
    static Result<tmx::VariableText> parse(std::string_view text)
    {
        text = trim(text);
        if (text.empty())
            return invalid("no variable is named");
        return tmx::VariableText{text.starts_with('$') ? std::string{text} : "$" + std::string{text}};
    }
};

namespace sipyard::tmx {

class Tmx {
public:
    struct Settings {
        int precheck_trans = 1;
    };
    static Manifest<Tmx> manifest();

    Tmx(const Settings& settings, Host& host)
        : settings_{settings}, host_{host}, log_{host.logger("tmx")}, tm_{host.service<tm::Api>()},
          more_{host.service<tm::Extras>()}
    {
    }

private:
    // --- functions ---
    Verdict precheck(Request& r) { return Verdict::of(settings_.precheck_trans != 0 && more_.is_known(r)); }
    template <Route... kinds>
    Verdict is_route(Request& r)
    {
        return Verdict::of(((r.route() == kinds) || ...));
    }
    Verdict cancel_branches(Request& r, Literal which)
    {
        if (which.text != "all" && which.text != "others" && which.text != "this") {
            log_.error("t_cancel_branches: '{}' is none of all, others, this", which.text);
            return Verdict::no();
        }
        return Verdict::of(more_.cancel_branches(r, which.text == "all"      ? tm::Which::all
                                                    : which.text == "others" ? tm::Which::others
                                                                             : tm::Which::current));
    }
    Verdict cancel_callid(Request& r, std::string_view call_id, std::int64_t cseq, std::int64_t flag,
                          std::optional<std::int64_t> code)
    {
        const std::string_view reason =
            code ? r.arena().concat("Reason: SIP;cause=", std::to_string(*code), "\r\n") : std::string_view{};
        if (flag > 0 && flag < 32)
            r.flags |= 1u << flag;
        return said(more_.cancel_call(call_id, static_cast<std::uint32_t>(cseq), reason), "t_cancel_callid");
    }
    Verdict reply_callid(Request&, std::string_view call_id, std::int64_t cseq, std::int64_t code,
                         std::string_view reason)
    {
        return said(
            more_.reply_call(call_id, static_cast<std::uint32_t>(cseq), static_cast<int>(code), reason),
            "t_reply_callid");
    }
    Verdict flush_flags(Request& r)
    {
        more_.flush_flags(r, false);
        return Verdict::yes();
    }
    Verdict flush_xflags(Request& r)
    {
        more_.flush_flags(r, true);
        return Verdict::yes();
    }
    Verdict suspend(Request& r)
    {
        const auto id = tm_.suspend(r);
        if (!id)
            log_.error("t_suspend: {}", id.error().text);
        return Verdict::of(id.has_value());
    }
    Verdict resume(Request&, std::int64_t index, std::int64_t label, std::string_view route)
    {
        return said(tm_.resume({static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(label)}, route),
                    "t_continue");
    }
    Verdict drop(Request& r, std::optional<std::int64_t> code)
    {
        return Verdict::of(more_.drop(r, static_cast<int>(code.value_or(500))));
    }
    Verdict reuse_branch(Request& r) { return Verdict::of(more_.reuse_branch(r)); }
    Verdict said(const Result<void>& done, std::string_view who)
    {
        if (!done)
            log_.info("{}: {}", who, done.error().text);
        return Verdict::of(done.has_value());
    }

    // --- variables ---
    Value branch_idx(Request& r) { return more_.branch_index(r); }
    Value reply_code(Request& r) { return more_.info(r).reply_code; }
    Value reply_reason(Request& r)
    {
        const auto info = more_.info(r);
        return info.reply_code ? Value{info.reply_reason} : Value{};
    }
    Value reply_ruid(Request& r)
    {
        const auto info = more_.info(r);
        return info.reply_ruid.empty() ? Value{} : Value{r.arena().copy(info.reply_ruid)};
    }
    Value reply_last(Request& r)
    {
        const auto info = more_.info(r);
        return info.has_reply_last ? Value{info.reply_is_last ? 1 : 0} : Value{};
    }
    Value of_transaction(Request& r, std::string_view what)
    {
        const auto info = more_.info(r);
        if (!info.id)
            return {};
        if (what == "id_index")
            return static_cast<std::int64_t>(info.id.index);
        if (what == "id_label")
            return static_cast<std::int64_t>(info.id.generation);
        if (what == "id_index_n" || what == "id_label_n")
            return static_cast<std::int64_t>(what == "id_index_n" ? info.id.index : info.id.generation);
        if (what == "reply_code")
            return info.reply_code;
        if (what == "reply_reason")
            return info.reply_reason.empty() ? Value{} : Value{info.reply_reason};
        if (what == "reply_type")
            return info.reply_is_local ? 1 : 0;
        if (what == "reply_last")
            return info.has_reply_last ? Value{info.reply_is_last ? 1 : 0} : Value{};
        if (what == "branch_index")
            return more_.branch_index(r);
        if (what == "branches")
            return info.branches;
        if (what == "canceled")
            return info.canceled ? 1 : 0;
        if (what == "ruid")
            return info.reply_ruid.empty() ? Value{} : Value{r.arena().copy(info.reply_ruid)};
        return {};
    }
    std::optional<VariableSpec::Refusal> check_transaction(std::string_view inner) const
    {
        for (const std::string_view known :
             {"id_index", "id_label", "id_index_n", "id_label_n", "reply_code", "reply_reason", "reply_type",
              "reply_last", "branch_index", "branches", "canceled", "ruid"})
            if (inner == known)
                return {};
        return VariableSpec::Refusal{format("$T({}) is not known", inner), "reply_code"};
    }
    Value of_branch(Request& r, std::string_view what) { return more_.of_branch(r, what); }

    // $T_req($ru): the variable read on a stored message.
    Value on_stored(Request* stored, Request& reader, const std::string& name)
    {
        if (!stored)
            return {};
        auto variable = variables_.with([&](auto& known) -> std::shared_ptr<const VariableRef> {
            const auto found = known.find(name);
            return found == known.end() ? nullptr : found->second;
        });
        if (!variable) {
            auto compiled = host_.compile_variable(name);
            if (!compiled) {
                log_.error("'{}' is no variable: {}", name, compiled.error().text);
                return {};
            }
            variable = *compiled;
            variables_.with(
                [&](auto& known) { known.emplace(name, variable); }); // as many as the script names
        }
        const Value value = variable->get(*stored);
        return value.is_text() ? Value{reader.arena().copy(value.text())} : value;
    }
    Value of_request(Request& r, const VariableText& inner)
    {
        return on_stored(more_.stored_request(r), r, inner.text);
    }
    Value of_reply(Request& r, const VariableText& inner)
    {
        return on_stored(more_.stored_reply(r), r, inner.text);
    }
    Value of_invite(Request& r, const VariableText& inner)
    {
        return on_stored(more_.stored_invite(r), r, inner.text);
    }

    const Settings settings_;
    Host& host_;
    const log::Logger log_;
    tm::Api& tm_;
    tm::Extras& more_;
    Guarded<std::map<std::string, std::shared_ptr<const VariableRef>>>
        variables_; // shared with those who read through them
};

Manifest<Tmx> Tmx::manifest()
{
    using M = Tmx;
    return {
        .name = "tmx",
        .about = "Further words for transactions: cancelling, suspending, which route this is, $T variables",
        .needs = {need<tm::Api>(), need<tm::Extras>()},
        .params = {param("precheck_trans", &Settings::precheck_trans,
                         "0: t_precheck_trans() is always false")},
        .functions =
            {
                function("t_precheck_trans", &M::precheck, "Is this very request being dealt with already?",
                         Route::request | Route::event),
                function("t_is_request_route", &M::is_route<Route::request>, "Is this a request_route?"),
                function("t_is_failure_route", &M::is_route<Route::failure>, "Is this a failure_route?"),
                function("t_is_branch_route", &M::is_route<Route::branch>, "Is this a branch_route?"),
                function("t_is_reply_route", &M::is_route<Route::tm_reply, Route::core_reply>,
                         "Is this a reply_route or an onreply_route?"),
                function("t_cancel_branches", &M::cancel_branches,
                         "Cancels all branches, all but this one, or this one", Route::tm_reply),
                function("t_cancel_callid", &M::cancel_callid,
                         "Cancels an INVITE by Call-ID and CSeq number"),
                function("t_reply_callid", &M::reply_callid, "Answers an INVITE by Call-ID and CSeq number"),
                function("t_flush_flags", &M::flush_flags, "The transaction takes the flags as they are now"),
                function("t_flush_xflags", &M::flush_xflags,
                         "The transaction takes the extended flags as they are now"),
                function("t_suspend", &M::suspend, "The transaction waits for t_continue()"),
                function("t_continue", &M::resume, "A suspended transaction goes on with route[name]"),
                function("t_drop", &M::drop, "Ends the transaction without a reply"),
                function("t_reuse_branch", &M::reuse_branch,
                         "The failed branch's destination is the request's again",
                         Route::event | Route::failure | Route::request),
            },
        .variables =
            {
                variable("T_branch_idx", &M::branch_idx,
                         "Number of the branch in branch, onreply and failure routes"),
                variable("T_reply_code", &M::reply_code, "Code of the reply in hand, or chosen"),
                variable("T_reply_reason", &M::reply_reason, "Its reason phrase"),
                variable("T_reply_last", &M::reply_last, "1 when no other branch is at work"),
                variable("T_reply_ruid", &M::reply_ruid, "Record id of the contact that replied"),
                checked(variable("T", &M::of_transaction,
                                 "id_index, id_label, reply_code, reply_reason, reply_type, reply_last, "
                                 "branch_index, branches, canceled"),
                        &M::check_transaction),
                variable("T_branch", &M::of_branch, "uri or flags of the branch"),
                variable("T_req", &M::of_request,
                         "A variable read on the transaction's request, in reply routes"),
                variable("T_rpl", &M::of_reply, "A variable read on the reply, in failure routes"),
                variable("T_inv", &M::of_invite, "A variable read on the INVITE of a CANCEL or ACK"),
            },
    };
}

} // namespace sipyard::tmx

SIPYARD_MODULE(sipyard::tmx::Tmx)
