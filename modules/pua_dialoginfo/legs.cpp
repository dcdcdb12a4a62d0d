// modules/pua_dialoginfo/legs.cpp - what happens to an INVITE, as states of its dialogs (RFC 4235 3.7.1)
#include "modules/pua_dialoginfo/legs.h"

#include <algorithm>
#include <utility>

namespace sipyard::pua_dialoginfo {

using sip::DialogEvent;
using sip::DialogState;

const Leg* Legs::leg(int number) const
{
    for (const Leg& one : legs_)
        if (one.number == number)
            return &one;
    return nullptr;
}

// With one dialog for all, the first leg is everybody's. A leg without a tag takes the first one it hears.
Leg* Legs::find(int branch, std::string_view tag)
{
    if (!rules_.each_branch)
        return legs_.empty() ? nullptr : &legs_.front();
    Leg* untagged = nullptr;
    for (Leg& one : legs_) {
        if (one.branch != branch)
            continue;
        if (one.tag == tag)
            return &one;
        if (one.tag.empty())
            untagged = &one;
    }
    return untagged;
}

Leg* Legs::make(int branch, std::string_view tag)
{
    if (legs_.size() >= most)
        return nullptr;
    Leg& one = legs_.emplace_back();
    one.number = static_cast<int>(legs_.size()) - 1;
    one.branch = branch;
    one.tag = tag;
    return &one;
}

DialogEvent Legs::why(int code) const
{
    return cancelled_ || winner_ >= 0 ? DialogEvent::cancelled
           : code == 408              ? DialogEvent::timeout
                                      : DialogEvent::rejected;
}

void Legs::end(AllNews& news, Leg& one, DialogEvent event, int code)
{
    if (std::exchange(one.over, true) || !one.published)
        return; // nothing was shown: nothing goes out (Kamailio publishes the end of what never began)
    one.state = DialogState::terminated;
    news.push_back({Side::callee, one.number, DialogState::terminated, event, code});
}

AllNews Legs::sent(int branch)
{
    AllNews news;
    if (over_ || winner_ >= 0)
        return news;
    if (rules_.publish_on_trying && !std::exchange(caller_published_, true))
        news.push_back({Side::caller, -1, DialogState::trying});
    if (!rules_.callee_trying ||
        (rules_.each_branch
             ? std::any_of(legs_.begin(), legs_.end(), [&](const Leg& one) { return one.branch == branch; })
             : !legs_.empty()))
        return news;
    if (Leg* const one = make(branch, {})) {
        one->published = true;
        news.push_back({Side::callee, one->number, DialogState::trying});
    }
    return news;
}

AllNews Legs::rings(int branch, std::string_view tag, std::string_view contact)
{
    AllNews news;
    // Late, or overtaken: the call is answered, given up, or over.
    if (over_ || winner_ >= 0 || cancelled_ || tag.empty())
        return news;
    Leg* one = find(branch, tag);
    if (!one)
        one = make(branch, tag);
    if (!one || one->over)
        return news;
    if (one->tag.empty())
        one->tag = tag;
    const bool moved = !contact.empty() && contact != one->contact && one->tag == tag;
    if (moved)
        one->contact = contact;
    const bool first = !one->published || one->state != DialogState::early;
    one->published = true;
    one->state = DialogState::early;
    if (first_ < 0)
        first_ = one->number;
    const DialogState caller = rules_.caller_confirmed ? DialogState::confirmed : DialogState::early;
    // The caller hears the first one ring; that others do as well changes nothing for it.
    if (caller_ == DialogState::trying || (moved && first_ == one->number)) {
        caller_ = caller;
        caller_published_ = true;
        news.push_back({Side::caller, -1, caller});
    }
    if (first || moved)
        news.push_back({Side::callee, one->number, DialogState::early});
    return news;
}

AllNews Legs::answered(int branch, std::string_view tag, std::string_view contact)
{
    AllNews news;
    if (over_ || winner_ >= 0) // another fork's 2xx: the caller ends it (RFC 3261 13.2.2.4)
        return news;
    Leg* one = find(branch, tag);
    if (!one)
        one = make(branch, tag);
    if (!one)
        one = &legs_.back();
    one->branch = branch;
    one->tag = tag;
    if (!contact.empty())
        one->contact = contact;
    one->published = true;
    one->over = false;
    one->state = DialogState::confirmed;
    winner_ = one->number;
    caller_ = DialogState::confirmed;
    caller_published_ = true;
    news.push_back({Side::caller, -1, DialogState::confirmed});
    news.push_back({Side::callee, one->number, DialogState::confirmed});
    for (Leg& other : legs_)
        if (other.number != winner_)
            end(news, other, DialogEvent::cancelled, 0);
    return news;
}

AllNews Legs::refused(int branch, int code)
{
    AllNews news;
    if (over_ || !rules_.each_branch) // one dialog for all ends with the last of them
        return news;
    for (Leg& one : legs_)
        if (one.branch == branch && one.number != winner_)
            end(news, one, why(code), code);
    return news;
}

AllNews Legs::over(Over how, int code)
{
    AllNews news;
    if (std::exchange(over_, true))
        return news;
    DialogEvent caller = DialogEvent::none, callee = DialogEvent::none;
    switch (how) {
    case Over::bye_of_caller:
        caller = DialogEvent::local_bye;
        callee = DialogEvent::remote_bye;
        break;
    case Over::bye_of_callee:
        caller = DialogEvent::remote_bye;
        callee = DialogEvent::local_bye;
        break;
    case Over::bye_of_ours: caller = callee = DialogEvent::remote_bye; break; // each hears it from the other
    case Over::refused: caller = callee = why(code); break;
    case Over::expired: caller = callee = DialogEvent::timeout; break;
    }
    caller_ = DialogState::terminated;
    if (caller_published_)
        news.push_back({Side::caller, -1, DialogState::terminated, caller, code});
    for (Leg& one : legs_)
        end(news, one, callee, code);
    return news;
}

AllNews Legs::again()
{
    AllNews news;
    if (over_)
        return news;
    if (caller_published_)
        news.push_back({Side::caller, -1, caller_});
    for (const Leg& one : legs_)
        if (one.published && !one.over)
            news.push_back({Side::callee, one.number, one.state});
    return news;
}

void Legs::target(std::string_view contact)
{
    for (Leg& one : legs_)
        if (one.number == winner_ && !contact.empty())
            one.contact = contact;
}

void Legs::restore(int number, std::string_view tag, std::string_view contact)
{
    Leg& one = legs_.emplace_back();
    one.number = winner_ = first_ = number;
    one.tag = tag;
    one.contact = contact;
    one.published = caller_published_ = true;
    one.state = caller_ = DialogState::confirmed;
}

} // namespace sipyard::pua_dialoginfo
