// modules/presence/writer.h - changes to the store in the order they were decided, without holding a resource
#pragma once

#include "core/task/fiber.h"
#include "core/task/strand.h"
#include "modules/presence/store.h"

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

namespace sipyard::presence {

// A resource decides on its strand and goes on; its changes take their place in a lane here meanwhile, so
// that those of one row reach the store in that order although writing suspends. Thread-safe.
class Writer {
public:
    explicit Writer(Store& store) : store_{store} {}

    // To wait for, outside of the strand.
    class Ticket {
    public:
        Ticket() = default; // nothing was to be written
        // All of it is in the database (or is in no hurry); false: it will be, later.
        bool wait(Instant deadline) const
        {
            return !state_ || (state_->done.wait(deadline) && state_->written);
        }

    private:
        friend class Writer;
        struct State {
            task::Event done;
            bool written = true;
        };
        std::shared_ptr<State> state_; // owners: the waiting fiber and the lane's job
    };
    // `lane`: any number that is the same for all changes of a row.
    Ticket write(std::size_t lane, std::vector<StoreChange> changes);

private:
    struct Lane {
        task::Strand strand{1'000'000};
    };
    Store& store_;
    std::array<Lane, 512> lanes_;
};

} // namespace sipyard::presence
