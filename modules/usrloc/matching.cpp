// modules/usrloc/matching.cpp - by instance and reg-id first, then as the operator chose
#include "modules/usrloc/matching.h"

#include "core/sip/uri.h"

namespace sipyard::usrloc {

bool same_contact(std::string_view a, std::string_view b)
{
    if (a == b)
        return true;
    sip::Uri left, right;
    return sip::read(a, left).empty() && sip::read(b, right).empty() && left.scheme != sip::Scheme::other &&
           sip::same_uri(left, right);
}

const ContactView* match(std::span<const ContactView> there, const ContactView& wanted, Matching how)
{
    // A flow is known by its device and its number, whatever its URI is now (RFC 5626 6).
    if (!wanted.instance.empty())
        for (const ContactView& one : there)
            if (one.instance == wanted.instance && one.reg_id == wanted.reg_id)
                return &one;
    for (const ContactView& one : there) {
        // The flows of one device may share a URI; only the numbers tell them apart.
        if (!one.instance.empty() && (one.reg_id != 0 || wanted.reg_id != 0))
            continue;
        // Two devices that show the same URI (behind two NATs) are two bindings.
        if (!one.instance.empty() && !wanted.instance.empty())
            continue;
        switch (how) {
        case Matching::contact:
            if (same_contact(one.contact, wanted.contact))
                return &one;
            break;
        case Matching::contact_and_call_id:
            if (one.call_id == wanted.call_id && same_contact(one.contact, wanted.contact))
                return &one;
            break;
        case Matching::contact_and_path:
            if (one.path == wanted.path && same_contact(one.contact, wanted.contact))
                return &one;
            break;
        case Matching::call_id:
            if (one.call_id == wanted.call_id)
                return &one;
            break;
        }
    }
    return nullptr;
}

} // namespace sipyard::usrloc
