// modules/xcap_server/uri.cpp - reading XCAP request targets
#include "modules/xcap_server/uri.h"

#include "core/base/text.h"

#include <cstring>

namespace sipyard::xcap_server {
namespace {

constexpr Refusal bad_escape{400, "the target has a '%' without two hex digits"};

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// Percent-decodes a segment, in place of the text when nothing is encoded. False: bad escape.
bool decode(std::string_view raw, Arena& arena, std::string_view& out)
{
    if (raw.find('%') == std::string_view::npos) {
        out = raw;
        return true;
    }
    char* const start = arena.array<char>(raw.size());
    char* at = start;
    for (std::size_t i = 0; i < raw.size(); ++i) {
        if (raw[i] != '%') {
            *at++ = raw[i];
            continue;
        }
        if (raw.size() - i < 3 || hex_digit(raw[i + 1]) < 0 || hex_digit(raw[i + 2]) < 0)
            return false;
        *at++ = static_cast<char>(hex_digit(raw[i + 1]) * 16 + hex_digit(raw[i + 2]));
        i += 2;
    }
    out = {start, static_cast<std::size_t>(at - start)};
    return true;
}

// One segment of the document part, decoded and checked. A decoded '/' would make two resources of one name.
Refusal take_segment(std::string_view raw, Arena& arena, std::string_view& out)
{
    if (!decode(raw, arena, out))
        return bad_escape;
    if (out == "." || out == "..")
        return {400, "the target has a '.' or '..' segment"};
    for (const char c : out) {
        if (is_control(c))
            return {400, "the target has a control character"};
        if (c == '/')
            return {400, "the target has an encoded '/'"};
    }
    if (!is_utf8(out))
        return {400, "the target is not UTF-8"};
    return {};
}

// letters, then letters digits + - . up to a ':' that comes before any '@' (RFC 3986 3.1); 0: no scheme
std::size_t scheme_length(std::string_view text)
{
    if (text.empty() || !is_alpha(text[0]))
        return 0;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == ':')
            return i;
        if (!is_alnum(text[i]) && text[i] != '+' && text[i] != '-' && text[i] != '.')
            return 0;
    }
    return 0;
}

// "sip:" + text without its scheme, host in lower case. URI parameters keep their letters.
std::string_view with_lower_host(std::string_view rest, Arena& arena)
{
    char* const start = arena.array<char>(rest.size() + 4);
    std::memcpy(start, "sip:", 4);
    if (!rest.empty())
        std::memcpy(start + 4, rest.data(), rest.size());
    // The last '@' in front of the parameters begins the host; a user part may hold ';' and '?' (RFC
    // 3261 25.1).
    const auto at = rest.rfind('@');
    auto i = at == std::string_view::npos ? std::size_t{0} : at + 1;
    for (; i < rest.size() && rest[i] != ';' && rest[i] != '?'; ++i)
        start[4 + i] = to_lower(rest[i]);
    return {start, rest.size() + 4};
}

} // namespace

std::string_view to_text(Tree tree) { return tree == Tree::users ? "users" : "global"; }

std::string root_of(std::string_view configured)
{
    std::string root{configured};
    if (!root.starts_with('/'))
        root.insert(root.begin(), '/');
    while (root.size() > 1 && root.ends_with('/'))
        root.pop_back();
    if (root != "/")
        root += '/';
    return root;
}

std::string_view canonical_xui(std::string_view decoded, const UriRules& rules, Arena& arena)
{
    if (!rules.canonical_xui)
        return decoded;
    const auto scheme = scheme_length(decoded);
    if (scheme != 0 && decoded.find('@') != std::string_view::npos &&
        !iequals(decoded.substr(0, scheme), "sip"))
        return decoded;
    if (scheme != 0)
        return iequals(decoded.substr(0, scheme), "sip") ? with_lower_host(decoded.substr(scheme + 1), arena)
                                                         : decoded;
    if (decoded.find('@') != std::string_view::npos)
        return with_lower_host(decoded, arena);
    if (rules.default_domain.empty())
        return decoded;
    return with_lower_host(arena.concat(decoded, "@", rules.default_domain), arena);
}

Refusal read(std::string_view target, const UriRules& rules, Arena& arena, XcapUri& out)
{
    out = {};
    if (target.size() > max_target)
        return {414, "the target is too long"};
    if (target.find('#') != std::string_view::npos)
        return {400, "the target has a fragment"};
    for (const char c : target)
        if (is_control(c))
            return {400, "the target has a control character"};

    const auto question = target.find('?');
    auto path = target.substr(0, question);
    if (question != std::string_view::npos)
        out.query = target.substr(question + 1);
    if (!path.starts_with(rules.root))
        return {404, "not below the XCAP root"};
    path.remove_prefix(rules.root.size());

    // Segment by segment: auid, tree, XUI (users tree only), then the document's own path.
    enum class Place : unsigned char { auid, tree, xui, file } place = Place::auid;
    char* const file = arena.array<char>(path.size() + 1);
    std::size_t file_size = 0;
    bool ended = false;
    while (!ended) {
        const auto slash = path.find('/');
        const auto raw = path.substr(0, slash);
        ended = slash == std::string_view::npos;
        if (raw.starts_with("~~")) {
            // The RFC's separator is a whole segment; a python client sends "~~root/el" and means
            // "~~/root/el".
            out.has_node = true;
            out.node = raw.size() > 2 ? path.substr(2) : ended ? std::string_view{} : path.substr(slash + 1);
            if (out.trailing_slash)
                return {404, "the target has an empty segment"};
            break;
        }
        path = ended ? std::string_view{} : path.substr(slash + 1);
        if (raw.empty()) {
            if (ended && place == Place::file && file_size != 0) {
                out.trailing_slash = true;
                break;
            }
            return {404, "the target has an empty segment"};
        }
        std::string_view segment;
        if (const auto refusal = take_segment(raw, arena, segment))
            return refusal;
        switch (place) {
        case Place::auid:
            out.auid = segment;
            place = Place::tree;
            break;
        case Place::tree:
            if (segment != "users" && segment != "global")
                return {404, "neither the users nor the global tree"};
            out.tree = segment == "users" ? Tree::users : Tree::global;
            place = out.tree == Tree::users ? Place::xui : Place::file;
            break;
        case Place::xui:
            out.xui_as_sent = segment;
            out.xui = canonical_xui(segment, rules, arena);
            place = Place::file;
            break;
        case Place::file:
            if (file_size != 0)
                file[file_size++] = '/';
            std::memcpy(file + file_size, segment.data(), segment.size());
            file_size += segment.size();
            break;
        }
    }
    if (file_size == 0)
        return {404, "no document is named"};
    out.file = {file, file_size};

    const auto key = [&](std::string_view xui) {
        return out.tree == Tree::users ? arena.concat(rules.root, out.auid, "/users/", xui, "/", out.file)
                                       : arena.concat(rules.root, out.auid, "/global/", out.file);
    };
    out.doc_uri = key(out.xui);
    out.literal_uri = out.xui == out.xui_as_sent ? out.doc_uri : key(out.xui_as_sent);
    return {};
}

std::string_view path_of(std::string_view target)
{
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (istarts_with(target, scheme)) {
            const auto slash = target.find('/', scheme.size());
            return slash == std::string_view::npos ? std::string_view{"/"} : target.substr(slash);
        }
    }
    return target;
}

} // namespace sipyard::xcap_server
