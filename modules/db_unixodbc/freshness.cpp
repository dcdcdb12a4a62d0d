// modules/db_unixodbc/freshness.cpp - gathering askers, looking once
#include "modules/db_unixodbc/freshness.h"

#include <utility>

namespace sipyard::db_unixodbc {

Result<std::uint64_t> Freshness::ask(Duration deadline)
{
    TRYV(line_->admit());
    const Instant until = line_->common->clock.now() + deadline;
    const task::Event mine;
    std::shared_ptr<Look> look;
    bool first = false;
    next_.with([&](std::shared_ptr<Look>& next) {
        first = next == nullptr;
        if (first)
            next = std::make_shared<Look>();
        look = next;
        look->waiting.push_back(mine);
    });
    if (first) {
        const auto self = shared_from_this();
        auto accepted =
            line_->pool.submit([self, until](task::PoolThread& thread) { self->look(thread, until); }, until,
                               [self](task::PoolThread&) {
                                   if (const auto dropped = self->begin())
                                       self->finish(*dropped, no_answer());
                               });
        if (!accepted) {
            line_->common->refused.fetch_add(1, std::memory_order_relaxed);
            if (const auto refused = begin())
                finish(*refused, accepted.error());
        }
    }
    auto answer = mine.wait(until) ? look->answer : Result<std::uint64_t>{line_->pool.unanswered()};
    if (first) // one look, one answer for the breaker
        line_->account(answer ? Result<void>{} : Result<void>{answer.error()});
    return answer;
}

std::shared_ptr<Freshness::Look> Freshness::begin()
{
    return next_.with([](std::shared_ptr<Look>& next) { return std::exchange(next, nullptr); });
}

void Freshness::finish(Look& look, Result<std::uint64_t> answer)
{
    look.answer = std::move(answer);
    for (const auto& asker : look.waiting)
        asker.signal();
}

void Freshness::look(task::PoolThread& thread, Instant deadline)
{
    auto& session = line_->session(thread);
    const auto mine = begin();
    if (!mine)
        return;
    for (;;) {
        session.set_deadline(deadline);
        if (auto connected = session.connect_if_needed(); !connected)
            return finish(*mine, connected.error());
        auto rows = session.run_prepared("PRAGMA data_version", {});
        if (rows && !rows->empty())
            return finish(*mine, session.connection_number() << 32U |
                                     static_cast<std::uint32_t>((*rows)[0][0].integer()));
        if (rows)
            return finish(*mine, Error{ErrorKind::other, "PRAGMA data_version gave no row"});
        if (rows.error().kind != ErrorKind::busy || session.remaining() <= Duration{0})
            return finish(*mine, rows.error());
    }
}

} // namespace sipyard::db_unixodbc
