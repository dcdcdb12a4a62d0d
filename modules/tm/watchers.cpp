// modules/tm/watchers.cpp - who wants to know what happens to transactions, and telling them
#include "modules/tm/tm.h"

namespace sipyard::tm {

// What a watcher is told. The transaction's request is rebuilt when it asks and the fiber has it not in hand.
struct Tm::Told final : Happening {
    Tm* tm = nullptr;
    Cell* cell = nullptr;
    mutable Request* known = nullptr;
    Request* request() const override
    {
        if (known || what == Moment::ended)
            return known;
        task::Fiber* const fiber = task::Fiber::current();
        if (fiber)
            known = tm->rebuild(*cell, fiber->arena(), Route::failure);
        return known;
    }
};

void Tm::add_watcher(Watcher& watcher)
{
    if (watcher_count_ < most_watchers)
        watchers_[watcher_count_++] = &watcher;
    else
        throw StartupError{"tm: more than 8 modules want to watch transactions"};
}

void Tm::ask_watchers(Request& request, Cell& cell)
{
    for (std::size_t i = 0; i < watcher_count_; ++i) {
        std::uint64_t note = 0;
        {
            const Locked locked{cell.lock};
            if (cell.watches)
                note = cell.watches->notes[i];
        }
        const std::uint64_t before = note;
        const Moments wanted = watchers_[i]->wants(request, note);
        if (wanted == 0 && note == before)
            continue;
        const Locked locked{cell.lock};
        if (!cell.watches) {
            cell.watches_block = blocks_.get(sizeof(Watches));
            cell.watches = new (cell.watches_block.data) Watches{};
        }
        cell.watches->moments[i] = static_cast<Moments>(cell.watches->moments[i] | wanted);
        cell.watches->notes[i] = note;
        cell.watched.store(static_cast<Moments>(cell.watched.load(std::memory_order_relaxed) | wanted),
                           std::memory_order_relaxed);
    }
}

void Tm::tell(Cell& cell, Moment moment, Request* request, Request* reply, int code, std::string_view reason,
              int branch, std::string_view to_tag, const net::Destination* to)
{
    Watches watches;
    {
        const Locked locked{cell.lock};
        if (!cell.watches)
            return;
        watches = *cell.watches;
    }
    Told told;
    told.what = moment;
    told.id = cell.id();
    told.code = code;
    told.reason = reason;
    told.branch = branch;
    told.reply = reply;
    told.to_tag = to_tag;
    told.to = to;
    told.tm = this;
    told.cell = &cell;
    told.known = request;
    for (std::size_t i = 0; i < watcher_count_; ++i) {
        if ((watches.moments[i] & static_cast<Moments>(moment)) == 0)
            continue;
        told.note = watches.notes[i];
        watchers_[i]->on(told);
    }
}

} // namespace sipyard::tm
