// modules/xcap_server/oma_rules.cpp - whose profile it is, and what a status icon may be (OMA XDM)
#include "core/base/format.h"
#include "core/base/text.h"
#include "modules/xcap_server/constraints.h"

#include <algorithm>

namespace sipyard::xcap_server {
namespace {

constexpr std::string_view profile_ns = "urn:oma:xml:xdm:user-profile";
constexpr std::string_view content_ns = "urn:oma:xml:prs:pres-content";

// The only child of that name; absent when there is none or more.
xml::ElementView only(xml::ElementView root, std::string_view name)
{
    xml::ElementView found;
    for (auto child = root.first(); child; child = child.next()) {
        if (!child.is(name, content_ns))
            continue;
        if (found)
            return {};
        found = child;
    }
    return found;
}

} // namespace

std::optional<std::string> broken_in_user_profile(xml::ElementView root, const Candidate& candidate,
                                                  const Rules& rules)
{
    if (candidate.tree != Tree::users)
        return {};
    for (auto profile = root.first(); profile; profile = profile.next()) {
        if (!profile.is("user-profile", profile_ns))
            continue;
        const auto uri = profile.attribute("uri").value_or("");
        Arena arena;
        if (canonical_xui(uri, rules.uri, arena) != candidate.xui)
            return format("the uri of a user-profile, {}, is not the owner's", quoted(uri));
    }
    return {};
}

std::optional<std::string> broken_in_pres_content(xml::ElementView root, const Rules& rules)
{
    const auto kind = only(root, "mime-type"), encoding = only(root, "encoding"), data = only(root, "data");
    if (!kind || !encoding || !data)
        return "content needs a mime-type, an encoding and data, one of each";
    const auto type = lower(trim(kind.text()));
    if (type != "image/jpeg" && type != "image/gif" && type != "image/png")
        return format("{} is none of image/jpeg, image/gif and image/png", quoted(type));
    if (!iequals(trim(encoding.text()), "base64"))
        return "the encoding has to be base64";
    std::string text = data.text();
    text.erase(std::remove_if(text.begin(), text.end(),
                              [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }),
               text.end());
    const auto bytes = unbase64(text);
    if (!bytes)
        return "the data is not base64";
    if (bytes->size() > rules.icon_max_size)
        return format("the data is larger than {} bytes", rules.icon_max_size);
    return {};
}

} // namespace sipyard::xcap_server
