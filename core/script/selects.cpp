// core/script/selects.cpp - the selects that scripts use, read from the message each time
#include "core/script/selects.h"

#include "core/base/text.h"
#include "core/sip/message.h"

#include <optional>
#include <vector>

namespace sipyard::script {

namespace {

using sip::HeaderName;
using sip::Message;

Value text_or_null(std::string_view text) { return text.empty() ? Value{} : Value{text}; }

// user, host, port, hostport, params, type and params.name of a URI.
Value uri_part(const sip::Uri* uri, std::string_view part)
{
    if (!uri)
        return {};
    if (part.empty())
        return text_or_null(uri->text);
    if (part == "user")
        return text_or_null(uri->user);
    if (part == "pwd" || part == "password")
        return text_or_null(uri->password);
    if (part == "host")
        return text_or_null(uri->host);
    if (part == "port")
        return uri->port ? Value{static_cast<std::int64_t>(uri->port)} : Value{};
    if (part == "hostport")
        return text_or_null(uri->host_port());
    if (part == "params")
        return text_or_null(uri->params.text());
    if (part == "type")
        return text_or_null(uri->scheme_text);
    if (part == "headers")
        return text_or_null(uri->headers);
    if (part == "transport")
        return text_or_null(uri->transport_text());
    if (part.starts_with("params.")) {
        const auto value = uri->params.find(part.substr(7));
        return value ? Value{*value} : Value{};
    }
    return {};
}

bool is_uri_part(std::string_view part)
{
    for (const std::string_view known : {"", "user", "pwd", "password", "host", "port", "hostport", "params",
                                         "type", "headers", "transport"})
        if (part == known)
            return true;
    return part.starts_with("params.") && part.size() > 7;
}

Value name_addr_part(const sip::NameAddr* address, std::string_view part, Run& run)
{
    if (!address)
        return {};
    if (part.empty())
        return text_or_null(address->whole);
    if (part == "name")
        return text_or_null(address->display);
    if (part == "tag")
        return text_or_null(address->tag());
    if (part == "params")
        return text_or_null(address->params.text());
    if (part.starts_with("params.")) {
        const auto value = address->params.find(part.substr(7));
        return value ? Value{*value} : Value{};
    }
    if (part == "uri")
        return text_or_null(address->uri);
    sip::Uri& uri = run.request.arena().make<sip::Uri>();
    if (!sip::read(address->uri, uri).empty())
        return {};
    return uri_part(&uri, part.substr(4)); // "uri."
}

bool is_name_addr_part(std::string_view part)
{
    for (const std::string_view known : {"", "name", "tag", "params", "uri"})
        if (part == known)
            return true;
    return (part.starts_with("params.") && part.size() > 7) ||
           (part.starts_with("uri.") && is_uri_part(part.substr(4)));
}

Value via_part(const sip::Via& via, std::string_view part)
{
    if (part.empty())
        return text_or_null(via.whole);
    if (part == "host")
        return text_or_null(via.host);
    if (part == "port")
        return via.port ? Value{static_cast<std::int64_t>(via.port)} : Value{};
    if (part == "branch")
        return text_or_null(via.branch);
    if (part == "received")
        return text_or_null(via.received);
    if (part == "rport")
        return via.rport ? Value{static_cast<std::int64_t>(via.rport)} : Value{};
    if (part == "transport")
        return text_or_null(via.transport_text);
    if (part == "name")
        return text_or_null(via.protocol);
    if (part == "version")
        return text_or_null(via.version);
    const auto name = part.starts_with("params.") ? part.substr(7) : part; // alias, i, comp
    const auto value = via.params.find(name);
    return value ? Value{*value} : Value{};
}

bool is_via_part(std::string_view part)
{
    for (const std::string_view known : {"", "host", "port", "branch", "received", "rport", "transport",
                                         "name", "version", "alias", "i", "comp"})
        if (part == known)
            return true;
    return part.starts_with("params.") && part.size() > 7;
}

template <class F>
class Select final : public Expr {
public:
    explicit Select(F read) : read_{std::move(read)} {}
    Value value(Run& run) const override { return read_(run, run.request.message()); }

private:
    const F read_;
};

template <class F>
const Expr* make(Arena& arena, F read)
{
    return &arena.make<Select<F>>(std::move(read));
}

// "name[3].rest" taken apart.
struct Path {
    std::string_view head, rest;
    std::optional<std::int64_t> index;
};
std::optional<Path> read_path(std::string_view text)
{
    Path path;
    std::size_t at = 0;
    while (at < text.size() && text[at] != '.' && text[at] != '[')
        ++at;
    path.head = text.substr(0, at);
    if (at < text.size() && text[at] == '[') {
        const auto close = text.find(']', at);
        if (close == std::string_view::npos)
            return std::nullopt;
        path.index = parse_int(text.substr(at + 1, close - at - 1));
        if (!path.index)
            return std::nullopt;
        at = close + 1;
    }
    if (at < text.size() && text[at] != '.')
        return std::nullopt;
    path.rest = at < text.size() ? text.substr(at + 1) : std::string_view{};
    return path;
}

// Counted from 1; negative from the end; 0 when it is outside. Returns position from 0.
std::optional<std::size_t> place_of(std::int64_t index, std::size_t count)
{
    const std::int64_t at = index > 0 ? index - 1 : static_cast<std::int64_t>(count) + index;
    return at >= 0 && at < static_cast<std::int64_t>(count) ? std::optional{static_cast<std::size_t>(at)}
                                                            : std::nullopt;
}

const Expr* link_header_value(const Path& path, Arena& arena)
{
    const auto name_path = read_path(path.rest);
    if (!name_path || name_path->head.empty() || !name_path->rest.empty())
        return nullptr;
    std::string header{name_path->head};
    for (char& c : header)
        c = c == '_' ? '-' : c; // hf_value.p_asserted_identity
    const std::string_view name = arena.copy(header);
    const std::int64_t index = name_path->index.value_or(1);
    return make(arena, [name, index](Run&, const Message& m) -> Value {
        const auto at = place_of(index, m.count(name));
        const auto* found = at ? m.nth(name, *at) : nullptr;
        return found ? Value{found->value} : Value{};
    });
}

const Expr* link_message(const Path& path, Arena& arena)
{
    if (path.rest.empty())
        return make(arena, [](Run&, const Message& m) -> Value { return m.buffer(); });
    if (path.rest == "first_line")
        return make(arena, [](Run&, const Message& m) -> Value { return m.start_line(); });
    if (path.rest == "header")
        return make(arena, [](Run&, const Message& m) -> Value { return m.headers_text(); });
    if (path.rest == "body")
        return make(arena, [](Run&, const Message& m) -> Value { return m.body(); });
    if (path.rest == "len")
        return make(arena, [](Run&, const Message& m) -> Value {
            return static_cast<std::int64_t>(m.buffer().size());
        });
    if (path.rest == "type")
        return make(arena,
                    [](Run&, const Message& m) -> Value { return m.is_request() ? "request" : "reply"; });
    return nullptr;
}

} // namespace

std::string tls_variable_of(std::string_view path)
{
    static constexpr struct {
        std::string_view written, ours;
    } words[] = {{"desc", "description"},
                 {"me", "my"},
                 {"myself", "my"},
                 {"commonname", "cn"},
                 {"common_name", "cn"},
                 {"o", "organization"},
                 {"organizationname", "organization"},
                 {"organization_name", "organization"},
                 {"ou", "unit"},
                 {"organizationalunitname", "unit"},
                 {"organizational_unit_name", "unit"},
                 {"c", "country"},
                 {"countryname", "country"},
                 {"country_name", "country"},
                 {"st", "state"},
                 {"stateorprovincename", "state"},
                 {"state_or_province_name", "state"},
                 {"l", "locality"},
                 {"localityname", "locality"},
                 {"locality_name", "locality"},
                 {"sn", "serial"},
                 {"serialnumber", "serial"},
                 {"serial_number", "serial"},
                 {"notbefore", "notBefore"},
                 {"not_before", "notBefore"},
                 {"notafter", "notAfter"},
                 {"not_after", "notAfter"},
                 {"self_signed", "selfsigned"},
                 {"host", "san_hostname"},
                 {"dns", "san_hostname"},
                 {"uri", "san_uri"},
                 {"email", "san_email"},
                 {"emailaddress", "san_email"},
                 {"email_address", "san_email"}};
    std::string name;
    for (const std::string_view part : split(path, '.')) {
        if (iequals(part, "cert")) // tls.peer.cert.verified is tls.peer.verified
            continue;
        const std::string low = lower(part);
        std::string_view word = low;
        for (const auto& row : words)
            if (row.written == low)
                word = row.ours;
        name += (name.empty() ? "" : "_");
        name += word;
    }
    return name;
}

const Expr* link_select(std::string_view text, Arena& arena)
{
    const auto path = read_path(text);
    if (!path)
        return nullptr;
    const std::string_view rest = arena.copy(path->rest);
    const auto head = path->head;
    if (head == "via" && is_via_part(rest)) {
        const std::int64_t index = path->index.value_or(1); // via[1] is the top one
        return make(arena, [rest, index](Run&, const Message& m) -> Value {
            const auto vias = m.vias();
            const auto at = place_of(index, vias.size());
            return at ? via_part(vias[*at], rest) : Value{};
        });
    }
    if (head == "from" && is_name_addr_part(rest))
        return make(arena,
                    [rest](Run& run, const Message& m) { return name_addr_part(m.from(), rest, run); });
    if (head == "to" && is_name_addr_part(rest))
        return make(arena, [rest](Run& run, const Message& m) { return name_addr_part(m.to(), rest, run); });
    if (head == "contact" && is_name_addr_part(rest)) {
        const std::int64_t index = path->index.value_or(1);
        return make(arena, [rest, index](Run& run, const Message& m) -> Value {
            const auto contacts = m.contacts();
            const auto at = place_of(index, contacts.size());
            return at ? name_addr_part(&contacts[*at], rest, run) : Value{};
        });
    }
    if (head == "ruri" && is_uri_part(rest))
        return make(arena,
                    [rest](Run& run, const Message&) { return uri_part(run.request.parsed_ruri(), rest); });
    if (head == "hf_value")
        return link_header_value(*path, arena);
    if (head == "msg")
        return link_message(*path, arena);
    if (head == "method" && rest.empty())
        return make(arena, [](Run&, const Message& m) -> Value { return text_or_null(m.method_text()); });
    if (head == "call_id" && rest.empty())
        return make(arena, [](Run&, const Message& m) -> Value { return text_or_null(m.call_id()); });
    if (head == "cseq" && (rest.empty() || rest == "num" || rest == "method"))
        return make(arena, [rest](Run&, const Message& m) -> Value {
            if (rest.empty())
                return text_or_null(m.value(HeaderName::cseq));
            const auto* cseq = m.cseq();
            if (!cseq)
                return {};
            return rest == "num" ? Value{static_cast<std::int64_t>(cseq->number)} : Value{cseq->method_text};
        });
    return nullptr;
}

} // namespace sipyard::script
