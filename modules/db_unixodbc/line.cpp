// modules/db_unixodbc/line.cpp - a call's way through a line's pool, and what its end says about the database
#include "modules/db_unixodbc/line.h"

namespace sipyard::db_unixodbc {

Session& Line::session(task::PoolThread& thread) const
{
    if (!thread.local)
        thread.local = std::make_shared<Session>(common, role);
    return *static_cast<Session*>(thread.local.get());
}

void Line::account(const Result<void>& result)
{
    if (!result && result.error().kind == ErrorKind::stopping)
        return;
    if (!result && (result.error().kind == ErrorKind::lost || result.error().kind == ErrorKind::timeout)) {
        if (breaker.failed(common->clock.now())) {
            log.error("{} does not answer, calls fail at once until it does: {}",
                      common->target.url.safe_text(), result.error().text);
            common->watchdog->wake(); // it sends the probes
        }
        return;
    }
    if (breaker.succeeded())
        log.notice("{} answers again", common->target.url.safe_text());
}

Result<void> Line::admit()
{
    if (!breaker.is_open())
        return {};
    common->refused.fetch_add(1, std::memory_order_relaxed);
    return broken();
}

Result<void> Line::answer(Call& call)
{
    const bool in_time = call.done.wait(call.deadline);
    auto result = in_time ? std::move(call.result) : Result<void>{pool.unanswered()};
    if (!result &&
        result.error().kind == ErrorKind::overloaded) { // the breaker opened while the call was waiting
        common->refused.fetch_add(1, std::memory_order_relaxed);
        return result;
    }
    (call.kind == Call::Kind::read ? common->reads : common->writes).fetch_add(1, std::memory_order_relaxed);
    if (!result) {
        auto& counter = result.error().kind == ErrorKind::timeout ? common->timeouts : common->failures;
        counter.fetch_add(1, std::memory_order_relaxed);
    }
    account(result);
    return result;
}

Result<void> send(const std::shared_ptr<Line>& line, const CallPtr& call)
{
    return line->pool.submit(
        [line, call](task::PoolThread& thread) {
            if (line->breaker.is_open() && !call->probe) {
                call->finish(broken());
                return;
            }
            auto result = perform(line->session(thread), *call);
            if (call->probe)
                line->account(result);
            call->finish(std::move(result));
        },
        call->deadline, [call](task::PoolThread&) { call->finish(no_answer()); });
}

Result<void> ask(const std::shared_ptr<Line>& line, const CallPtr& call)
{
    TRYV(line->admit());
    if (auto accepted = send(line, call); !accepted) {
        line->common->refused.fetch_add(1, std::memory_order_relaxed);
        return accepted;
    }
    return line->answer(*call);
}

} // namespace sipyard::db_unixodbc
