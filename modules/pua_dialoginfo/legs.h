// modules/pua_dialoginfo/legs.h - what happens to an INVITE, as states of the caller and of each callee who
// rings (spec presence 7.3, 7.4): pure
#pragma once

#include "core/sip/dialog_info.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::pua_dialoginfo {

enum class Side : unsigned char { caller, callee };

struct Rules {
    bool publish_on_trying = true; // the caller's first state is trying
    bool callee_trying = false;    // the callee's, too
    bool caller_confirmed = false; // the caller is confirmed as soon as it rings (quirk for Linksys SPA962)
    bool each_branch = true;       // branch_mode 1: a dialog for each callee who rings, else one for all
};

// One callee: a branch of ours, or one of several phones behind it, which have tags of their own.
struct Leg {
    int number = 0; // in the dialog's id
    int branch = -1;
    std::string tag, contact; // "" until known
    bool published = false, over = false;
    sip::DialogState state = sip::DialogState::trying;
};

// A document is due: that side is in that state now.
struct News {
    Side side = Side::caller;
    int leg = -1; // number of the callee's leg; -1 of the caller's
    sip::DialogState state = sip::DialogState::trying;
    sip::DialogEvent event = sip::DialogEvent::none;
    int code = 0;
    friend bool operator==(const News&, const News&) = default;
};
using AllNews = std::vector<News>;

// How the call as a whole ended.
enum class Over : unsigned char { bye_of_caller, bye_of_callee, bye_of_ours, refused, expired };

// Not thread-safe. Events may come late, twice and in any order of the branches: what cannot follow is no
// news.
class Legs {
public:
    static constexpr std::size_t most = 64; // of a call; more phones than that behind a fork are not shown

    explicit Legs(const Rules& rules) : rules_{rules} {}

    AllNews sent(int branch);                                                     // INVITE forwarded
    AllNews rings(int branch, std::string_view tag, std::string_view contact);    // 101 to 199 with a tag
    AllNews answered(int branch, std::string_view tag, std::string_view contact); // 2xx
    AllNews refused(int branch, int code);                                        // 300 and above
    void cancelled() { cancelled_ = true; }                                       // the caller gave up
    AllNews over(Over how, int code);                                             // the whole call
    AllNews again();                                                              // everything as it is
    void target(std::string_view contact);                                        // of who answered
    // A call that was answered in an earlier run.
    void restore(int number, std::string_view tag, std::string_view contact);

    const Leg* leg(int number) const;
    const Leg* winner() const { return leg(winner_); }
    // The callee's side as the caller sees it: who answered, else the first who rang.
    const Leg* seen_by_caller() const { return winner_ >= 0 ? leg(winner_) : leg(first_); }
    sip::DialogState caller_state() const { return caller_; }
    bool is_over() const { return over_; }

private:
    Leg* find(int branch, std::string_view tag);
    Leg* make(int branch, std::string_view tag);
    void end(AllNews& news, Leg& leg, sip::DialogEvent event, int code);
    sip::DialogEvent why(int code) const;

    const Rules rules_;
    std::vector<Leg> legs_;
    int winner_ = -1, first_ = -1;
    bool caller_published_ = false, cancelled_ = false, over_ = false;
    sip::DialogState caller_ = sip::DialogState::trying;
};

} // namespace sipyard::pua_dialoginfo
