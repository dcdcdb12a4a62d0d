// core/db/url.cpp - reads a database URL; says what is wrong without repeating the password
#include "core/db/url.h"

#include "core/base/text.h"

#include <utility>

namespace sipyard::db {
namespace {

std::string decoded(std::string_view text) // a lone % is a character of the password, as in Kamailio
{
    auto plain = percent_decode(text);
    return plain ? std::move(*plain) : std::string{text};
}

// Names under which operators' configurations know the four kinds.
std::string_view scheme_of(std::string_view word)
{
    static constexpr std::pair<std::string_view, std::string_view> names[] = {
        {"sqlite", "sqlite"}, {"sqlite3", "sqlite"}, {"postgres", "postgres"}, {"postgresql", "postgres"},
        {"mysql", "mysql"},   {"mariadb", "mysql"},  {"unixodbc", "unixodbc"}, {"odbc", "unixodbc"},
    };
    for (const auto& [name, scheme] : names)
        if (iequals(word, name))
            return scheme;
    return {};
}

// The part between "scheme://" and the credentials' '@', so that no message shows a password.
std::string hide_password(std::string_view text)
{
    const auto start = text.find("://");
    if (start == std::string_view::npos)
        return std::string{text};
    const auto at = text.rfind('@');
    const auto colon = text.find(':', start + 3);
    if (at == std::string_view::npos || colon == std::string_view::npos || colon > at)
        return std::string{text};
    return std::string{text.substr(0, colon + 1)} + "***" + std::string{text.substr(at)};
}

Result<void> read_host(Url& url, std::string_view host)
{
    if (host.starts_with('[')) { // an IPv6 address
        const auto end = host.find(']');
        if (end == std::string_view::npos)
            return invalid(format("'{}' lacks the ']' of its address", url.safe_text()));
        url.host = host.substr(1, end - 1);
        host.remove_prefix(end + 1);
        if (host.empty())
            return {};
        if (!host.starts_with(':'))
            return invalid(format("'{}' has text after the ']' of its address", url.safe_text()));
    } else {
        url.host = decoded(host.substr(0, host.find(':'))); // %2Frun%2Fpostgresql names a socket's folder
        if (host.find(':') == std::string_view::npos)
            return {};
        host.remove_prefix(host.find(':'));
    }
    const auto port = parse_uint(host.substr(1));
    if (!port || *port == 0 || *port > 65'535)
        return invalid(format("'{}' is not a port, in '{}'", host.substr(1), url.safe_text()));
    url.port = static_cast<int>(*port);
    return {};
}

} // namespace

Result<Url> Url::parse(std::string_view text)
{
    Url url;
    url.text = text;
    const auto colon = text.find("://");
    const auto scheme = scheme_of(text.substr(0, colon));
    if (colon == std::string_view::npos || scheme.empty())
        return invalid(
            format("'{}' is not a database URL: expected sqlite://, postgres://, mysql:// or unixodbc://",
                   hide_password(text)));
    if (text.find('\0') != std::string_view::npos)
        return invalid("a database URL has no zero byte");
    url.scheme = scheme;

    auto rest = text.substr(colon + 3);
    if (scheme == "sqlite") { // the file is all there is: /// and //// start at the root
        const auto mark = rest.find('?');
        url.options = mark == std::string_view::npos ? std::string_view{} : rest.substr(mark + 1);
        rest = rest.substr(0, mark);
        while (rest.starts_with("//"))
            rest.remove_prefix(1);
        url.name = rest;
        if (url.name.empty() || url.name.ends_with('/'))
            return invalid(format("'{}' names no file", text));
        if (url.name == ":memory:")
            return invalid(
                format("'{}': a database in memory cannot be shared by connections, name a file", text));
        return url;
    }

    if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
        const auto credentials = rest.substr(0, at);
        const auto split = credentials.find(':');
        url.user = decoded(credentials.substr(0, split));
        if (split != std::string_view::npos)
            url.password = decoded(credentials.substr(split + 1));
        rest.remove_prefix(at + 1);
    }
    const auto slash = rest.find('/');
    if (slash == std::string_view::npos || slash + 1 == rest.size())
        return invalid(format("'{}' names no database: expected {}://user:password@host/database",
                              url.safe_text(), scheme));
    TRYV(read_host(url, rest.substr(0, slash)));
    auto name = rest.substr(slash + 1);
    const auto mark = name.find('?');
    url.options = mark == std::string_view::npos ? std::string_view{} : name.substr(mark + 1);
    url.name = decoded(name.substr(0, mark));
    if (url.name.empty())
        return invalid(format("'{}' names no database", url.safe_text()));
    return url;
}

std::string_view Url::option(std::string_view key) const
{
    std::string_view rest = options;
    while (!rest.empty()) {
        auto value = cut(rest, '&');
        if (cut(value, '=') == key)
            return value;
    }
    return {};
}

std::string Url::safe_text() const { return hide_password(text); }

} // namespace sipyard::db
