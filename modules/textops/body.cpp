// modules/textops/body.cpp - bodies taken apart as far as a script needs
#include "modules/textops/body.h"

#include "core/base/format.h"
#include "core/base/text.h"

#include <ctime>

namespace sipyard::textops {

std::optional<BodyPart> multipart_part(std::string_view body, const sip::MediaType& media,
                                       std::string_view type)
{
    const auto boundary = media.params.find("boundary");
    if (!iequals(media.type, "multipart") || !boundary || boundary->empty())
        return std::nullopt;
    const std::string delimiter = "--" + std::string{*boundary};
    std::size_t at = body.find(delimiter);
    while (at != std::string_view::npos) {
        std::size_t start = at + delimiter.size();
        if (body.substr(start).starts_with("--"))
            return std::nullopt; // the closing delimiter
        const std::size_t end = body.find(delimiter, start);
        if (end == std::string_view::npos)
            return std::nullopt;
        std::string_view part = body.substr(start, end - start);
        const std::size_t line = part.find('\n');
        if (line == std::string_view::npos)
            return std::nullopt;
        part.remove_prefix(line + 1);
        if (part.ends_with("\r\n")) // belongs to the delimiter
            part.remove_suffix(2);
        std::string_view headers = part, content;
        if (const auto blank = part.find("\r\n\r\n"); blank != std::string_view::npos) {
            headers = part.substr(0, blank);
            content = part.substr(blank + 4);
        }
        while (!headers.empty()) {
            std::string_view header = cut(headers, '\n');
            const std::string_view name = trim(cut(header, ':'));
            if (!iequals(name, "Content-Type"))
                continue;
            sip::MediaType found;
            const std::string_view value = trim(header);
            if (sip::read(value, found).empty() && found.is(type))
                return BodyPart{value, content};
        }
        at = end;
    }
    return std::nullopt;
}

bool audio_on_hold(std::string_view sdp)
{
    bool session_null = false, in_audio = false, seen_media = false, hold = false;
    while (!sdp.empty()) {
        const std::string_view line = trim_right(cut(sdp, '\n'));
        if (line.starts_with("m=")) {
            seen_media = true;
            in_audio = line.starts_with("m=audio");
            if (in_audio && session_null)
                hold = true;
        } else if (line.starts_with("c=IN IP4 0.0.0.0")) {
            if (!seen_media)
                session_null = true;
            else if (in_audio)
                hold = true;
        } else if ((line == "a=sendonly" || line == "a=inactive") && (in_audio || !seen_media)) {
            hold = true;
        }
    }
    return hold;
}

std::string rfc_date(std::int64_t unix_seconds)
{
    // Names are written out here: strftime would take those of a locale.
    static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const std::time_t t = unix_seconds;
    std::tm parts{};
    ::gmtime_r(&t, &parts);
    return format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", days[parts.tm_wday], parts.tm_mday,
                  months[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

} // namespace sipyard::textops
