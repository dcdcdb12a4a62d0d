// modules/tm/reply_choice.h - the best of several negative replies (RFC 3261 16.7 step 6, with Kamailio's
// order)
#pragma once

#include <span>

namespace sipyard::tm {

struct Candidate {
    int code = 0;
    bool faked = false; // made here: a timeout, a destination that could not be reached
};
struct ChoiceRules {
    int faked_prio = 0; // faked_reply_prio: added to the rank of replies made here
    bool sixth_wins =
        true; // a 6xx is a decision of the user's; false: it ranks last, as disable_6xx_block says
};

// The place in `replies` of the one to pass on; -1 when there is none. The lower of equal ones.
int choose(std::span<const Candidate> replies, const ChoiceRules& rules);

// Smaller is better.
int rank_of(const Candidate& reply, const ChoiceRules& rules);

} // namespace sipyard::tm
