// modules/xcap_server/selector.cpp - splitting, decoding and parsing of node selectors and xmlns() parts
#include "modules/xcap_server/selector.h"

#include "core/base/text.h"
#include "modules/xcap_server/xml_text.h"

#include <algorithm>
#include <new>

namespace sipyard::xcap_server {
namespace {

constexpr Refusal unknown_step{404, "the node selector has a step that is not known here"};
constexpr std::string_view xml_namespace = "http://www.w3.org/XML/1998/namespace";

// Percent-decodes once and refuses what no document has.
Refusal decode(std::string_view raw, Arena& arena, std::string_view& out)
{
    char* const start = arena.array<char>(raw.size());
    char* at = start;
    for (std::size_t i = 0; i < raw.size(); ++i) {
        char c = raw[i];
        if (c == '%') {
            if (raw.size() - i < 3 || hex_digit(raw[i + 1]) < 0 || hex_digit(raw[i + 2]) < 0)
                return {400, "the node selector has a '%' without two hex digits"};
            c = static_cast<char>(hex_digit(raw[i + 1]) * 16 + hex_digit(raw[i + 2]));
            i += 2;
        }
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            return {400, "the node selector has a control character"};
        *at++ = c;
    }
    out = {start, static_cast<std::size_t>(at - start)};
    if (!is_utf8(out))
        return {400, "the node selector is not UTF-8"};
    return {};
}

// '"' or '\'' when a quote stands at `at`, raw or encoded; `length` is what it takes there.
char quote_at(std::string_view raw, std::size_t at, std::size_t& length)
{
    length = 1;
    if (raw[at] == '"' || raw[at] == '\'')
        return raw[at];
    if (raw[at] != '%')
        return 0;
    const auto three = raw.substr(at, 3);
    if (three == "%22" || three == "%27") {
        length = 3;
        return three == "%22" ? '"' : '\'';
    }
    return 0;
}

// Where the step that begins at `from` ends: at the next slash outside quotes. An encoded one never
// separates.
std::size_t end_of_step(std::string_view raw, std::size_t from)
{
    char open = 0;
    for (std::size_t at = from, length = 1; at < raw.size(); at += length) {
        const char quote = quote_at(raw, at, length);
        if (quote != 0)
            open = open == 0 ? quote : open == quote ? char{0} : open;
        else if (raw[at] == '/' && open == 0)
            return at;
    }
    return raw.size();
}

// AttValue without its quotes, references resolved (XML 1.0). A '&' that begins no reference at all stands
// for itself; an entity that XML does not define makes it no value.
bool read_value(std::string_view raw, Arena& arena, std::string_view& out)
{
    if (raw.find('<') != std::string_view::npos)
        return false;
    char* const start = arena.array<char>(raw.size() + 4);
    char* at = start;
    while (!raw.empty()) {
        if (raw.front() == '&') {
            if (const auto length = take_reference(raw, at)) {
                at += length;
                continue;
            }
            auto rest = raw.substr(1);
            if (rest.starts_with('#'))
                rest.remove_prefix(1);
            std::size_t name = 0;
            while (name < rest.size() && is_alnum(rest[name]))
                ++name;
            if (name != 0 && name < rest.size() && rest[name] == ';')
                return false;
        }
        *at++ = raw.front();
        raw.remove_prefix(1);
    }
    out = {start, static_cast<std::size_t>(at - start)};
    return true;
}

// Prefixes as written, before they are bound.
struct RawStep {
    StepView step;
    std::string_view prefix, test_prefix;
};

bool take_position(std::string_view& rest, StepView& step)
{
    if (rest.size() < 2 || !is_digit(rest[1]))
        return true; // no position
    const auto close = rest.find(']');
    if (close == std::string_view::npos)
        return false;
    const auto digits = rest.substr(1, close - 1);
    for (const char c : digits)
        if (!is_digit(c))
            return false;
    step.has_position = true;
    step.position = StepView::never;
    if (digits.size() <= 9)
        step.position = static_cast<std::uint32_t>(*parse_uint(digits));
    rest.remove_prefix(close + 1);
    return true;
}

bool read_step(std::string_view text, Arena& arena, RawStep& out)
{
    StepView& step = out.step;
    const auto bracket = text.find('[');
    const auto name = text.substr(0, bracket);
    if (name == "*")
        step.any = true;
    else if (!read_qname(name, out.prefix, step.name))
        return false;
    std::string_view rest = bracket == std::string_view::npos ? std::string_view{} : text.substr(bracket);
    if (!take_position(rest, step))
        return false;
    if (rest.empty())
        return true;
    // [@name="value"]
    if (!rest.starts_with("[@"))
        return false;
    rest.remove_prefix(2);
    const auto equals = rest.find('=');
    if (equals == std::string_view::npos ||
        !read_qname(rest.substr(0, equals), out.test_prefix, step.test_name))
        return false;
    rest.remove_prefix(equals + 1);
    if (rest.size() < 3 || (rest[0] != '"' && rest[0] != '\''))
        return false;
    const auto close = rest.find(rest[0], 1);
    if (close == std::string_view::npos || rest.substr(close + 1) != "]")
        return false;
    step.has_test = true;
    return read_value(rest.substr(1, close - 1), arena, step.test_value);
}

// The bindings of the query: xmlns(prefix=uri) parts of a scheme-based XPointer; other schemes say nothing
// here.
class Bindings {
public:
    Bindings(const SelectorRules& rules, Arena& arena) : rules_{rules}, arena_{arena} {}

    Refusal read(std::string_view query)
    {
        if (query.empty())
            return {};
        std::string_view text;
        if (const auto refusal = decode(query, arena_, text))
            return refusal;
        for (text = trim(text); !text.empty(); text = trim(text)) {
            std::string_view prefix, name;
            const auto open = text.find('(');
            if (open == std::string_view::npos || !read_qname(text.substr(0, open), prefix, name))
                return {}; // not a pointer from here on
            text.remove_prefix(open + 1);
            const auto data = take_data(text);
            if (prefix.empty() && name == "xmlns")
                bind(data);
        }
        return {};
    }

    bool resolve(std::string_view prefix, std::string_view& ns) const
    {
        if (prefix == "xml") {
            ns = xml_namespace;
            return true;
        }
        for (const Bound* at = last_; at; at = at->before) {
            if (at->prefix == prefix) {
                ns = at->uri;
                return true;
            }
        }
        for (const Prefix& known : rules_.prefixes) {
            if (known.name == prefix) {
                ns = known.uri;
                return true;
            }
        }
        return false;
    }

private:
    struct Bound {
        std::string_view prefix, uri;
        const Bound* before;
    };

    // Up to the parenthesis that closes the part. '^' takes the meaning from the character behind it.
    std::string_view take_data(std::string_view& text)
    {
        char* const start = arena_.array<char>(text.size());
        char* at = start;
        std::size_t i = 0;
        for (int depth = 1; i < text.size(); ++i) {
            char c = text[i];
            if (c == '^' && i + 1 < text.size())
                c = text[++i];
            else if (c == '(')
                ++depth;
            else if (c == ')' && --depth == 0) {
                ++i;
                break;
            }
            *at++ = c;
        }
        text.remove_prefix(i);
        return {start, static_cast<std::size_t>(at - start)};
    }
    void bind(std::string_view data)
    {
        auto uri = data;
        const auto prefix = trim(cut(uri, '='));
        if (name_length(prefix) != prefix.size() || prefix.empty() || prefix == "xmlns")
            return;
        last_ = &arena_.make<Bound>(Bound{prefix, trim(uri), last_});
    }

    const SelectorRules& rules_;
    Arena& arena_;
    const Bound* last_ = nullptr; // a later binding wins
};

constexpr Refusal unbound{400, "the node selector has a prefix that the query does not bind"};

Refusal bind_step(RawStep& raw, const SelectorRules& rules, const Bindings& bindings)
{
    StepView& step = raw.step;
    if (!step.any && raw.prefix.empty()) {
        step.unprefixed = true;
        step.ns = rules.default_ns;
        step.also_ns = rules.also_ns;
    } else if (!step.any && !bindings.resolve(raw.prefix, step.ns)) {
        return unbound;
    }
    if (!raw.test_prefix.empty() && !bindings.resolve(raw.test_prefix, step.test_ns))
        return unbound;
    return {};
}

} // namespace

Refusal read_selector(std::string_view raw, std::string_view query, const SelectorRules& rules, Arena& arena,
                      NodeSelectorView& out)
{
    out = {};
    out.raw = raw;
    if (raw.empty())
        return {400, "the node selector is empty"};
    if (raw.size() > max_selector)
        return {414, "the node selector is too long"};

    // An extension (404) anywhere is told before anything malformed (400), so all steps are looked at.
    Refusal malformed;
    const auto slashes = static_cast<std::size_t>(std::count(raw.begin(), raw.end(), '/'));
    auto* const steps = arena.array<RawStep>(std::min(max_steps, slashes + 1));
    std::size_t count = 0;
    std::string_view attribute_prefix;
    for (std::size_t from = 0; from <= raw.size();) {
        const auto end = end_of_step(raw, from);
        const bool last = end == raw.size();
        std::string_view text;
        Refusal refusal;
        if (end == from)
            refusal = {400, "the node selector has an empty step"};
        else
            refusal = decode(raw.substr(from, end - from), arena, text);
        from = end + 1;
        if (refusal) {
            if (!malformed)
                malformed = refusal;
            continue;
        }
        if (last && count != 0 && text == "namespace::*") {
            out.terminal = Terminal::namespaces;
            continue;
        }
        if (last && count != 0 && text.starts_with('@')) {
            out.terminal = Terminal::attribute;
            if (!read_qname(text.substr(1), attribute_prefix, out.attribute_name))
                return unknown_step;
            continue;
        }
        if (count == max_steps)
            return {414, "the node selector has too many steps"};
        RawStep& step = *new (&steps[count++]) RawStep{};
        if (!read_step(text, arena, step))
            return unknown_step;
        step.step.raw_end = static_cast<std::uint32_t>(end);
    }
    if (malformed)
        return malformed;

    Bindings bindings{rules, arena};
    if (const auto refusal = bindings.read(query))
        return refusal;
    auto* const bound = arena.array<StepView>(count);
    for (std::size_t i = 0; i < count; ++i) {
        if (const auto refusal = bind_step(steps[i], rules, bindings))
            return refusal;
        new (&bound[i]) StepView{steps[i].step};
    }
    if (!attribute_prefix.empty() && !bindings.resolve(attribute_prefix, out.attribute_ns))
        return unbound;
    out.steps = {bound, count};
    return {};
}

} // namespace sipyard::xcap_server
