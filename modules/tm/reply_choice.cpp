// modules/tm/reply_choice.cpp - the ranks
#include "modules/tm/reply_choice.h"

namespace sipyard::tm {

int rank_of(const Candidate& reply, const ChoiceRules& rules)
{
    const int below = reply.code % 100;
    int rank = 0;
    switch (reply.code / 100) {
    case 2: rank = below; break;
    case 3: rank = 3000 + below; break;
    case 4: // those that tell the caller how to do better come first (RFC 3261 16.7)
        rank = below == 1 || below == 7 || below == 15 || below == 20 || below == 84 ? 4000 + below
                                                                                     : 4100 + below;
        break;
    case 5: rank = 5000 + below; break;
    case 6: rank = (rules.sixth_wins ? 1000 : 6000) + below; break;
    case 1: rank = 11'000 + below; break; // never answered
    default: rank = 32'000; break;
    }
    return rank + (reply.faked ? rules.faked_prio : 0);
}

int choose(std::span<const Candidate> replies, const ChoiceRules& rules)
{
    int best = -1;
    for (int i = 0; i < static_cast<int>(replies.size()); ++i)
        if (replies[static_cast<std::size_t>(i)].code >= 200 &&
            (best < 0 || rank_of(replies[static_cast<std::size_t>(i)], rules) <
                             rank_of(replies[static_cast<std::size_t>(best)], rules)))
            best = i;
    return best;
}

} // namespace sipyard::tm
