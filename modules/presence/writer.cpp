// modules/presence/writer.cpp - changes to the store in the order they were decided
#include "modules/presence/writer.h"

namespace sipyard::presence {

Writer::Ticket Writer::write(std::size_t lane, std::vector<StoreChange> changes)
{
    Ticket ticket;
    if (changes.empty())
        return ticket;
    ticket.state_ = std::make_shared<Ticket::State>();
    const auto posted = lanes_[lane % lanes_.size()].strand.post(
        [this, state = ticket.state_, all = std::move(changes)]() mutable {
            for (StoreChange& change : all)
                state->written = store_.change(std::move(change)) && state->written;
            state->done.signal();
        });
    if (!posted) { // a million changes wait in this lane: the store has long stopped taking any
        ticket.state_->written = false;
        ticket.state_->done.signal();
    }
    return ticket;
}

} // namespace sipyard::presence
