// modules/xcap_server/text_index.cpp - one pass over the bytes: tags, quotes, comments, CDATA and PIs are all
// it knows
#include "modules/xcap_server/text_index.h"

#include "core/base/text.h"
#include "modules/xcap_server/xml_text.h"

#include <limits>
#include <unordered_map>
#include <utility>

namespace sipyard::xcap_server {

constexpr std::string_view xml_namespace = "http://www.w3.org/XML/1998/namespace";
constexpr std::uint32_t none = TextIndex::none;

class Indexer {
public:
    explicit Indexer(std::string_view text) : text_{text} {}

    std::optional<TextIndex> run()
    {
        // Offsets have 32 bits, the last two are taken.
        if (text_.size() >= TextIndex::xml_binding || !read_all())
            return {};
        out_.elements_.shrink_to_fit();
        out_.attributes_.shrink_to_fit();
        out_.bindings_.shrink_to_fit();
        return std::move(out_);
    }

private:
    using Element = TextIndex::Element;

    bool read_all()
    {
        while ((at_ = text_.find('<', at_)) != std::string_view::npos) {
            const auto rest = text_.substr(at_);
            bool good = false;
            if (rest.starts_with("<!--"))
                good = skip(4, "-->");
            else if (rest.starts_with("<![CDATA["))
                good = skip(9, "]]>");
            else if (rest.starts_with("<?"))
                good = skip(2, "?>");
            else if (rest.starts_with("</"))
                good = end_tag();
            else
                good = start_tag();
            if (!good)
                return false;
        }
        return open_ == none && !out_.elements_.empty();
    }

    bool skip(std::size_t front, std::string_view end)
    {
        const auto found = text_.find(end, at_ + front);
        at_ = found + end.size();
        return found != std::string_view::npos;
    }
    void skip_space()
    {
        while (at_ < text_.size() && is_space(text_[at_]))
            ++at_;
    }
    std::uint32_t here() const { return static_cast<std::uint32_t>(at_); }

    struct Name {
        std::uint32_t at = 0;
        std::uint16_t length = 0, prefix_length = 0;
    };
    bool take_name(Name& out)
    {
        out.at = here();
        const auto first = name_length(text_.substr(at_));
        auto length = first;
        if (first != 0 && at_ + first < text_.size() && text_[at_ + first] == ':') {
            const auto second = name_length(text_.substr(at_ + first + 1));
            if (second == 0)
                return false;
            length += second + 1;
            out.prefix_length = static_cast<std::uint16_t>(first);
        }
        if (length == 0 || length > std::numeric_limits<std::uint16_t>::max())
            return false;
        out.length = static_cast<std::uint16_t>(length);
        at_ += length;
        return true;
    }

    bool start_tag()
    {
        if (open_ == none && !out_.elements_.empty())
            return false; // a second root
        Element e{};
        e.begin = here();
        ++at_;
        Name name;
        if (!take_name(name))
            return false;
        e.name_length = name.length;
        e.prefix_length = name.prefix_length;
        e.attributes = static_cast<std::uint32_t>(out_.attributes_.size());
        e.scope = scope_of(open_);
        e.parent = open_;
        e.next = none;
        e.attributes_end = here();
        bool empty = false;
        for (;;) {
            const auto before = at_;
            skip_space();
            if (at_ >= text_.size())
                return false;
            if (text_[at_] == '>')
                break;
            if (text_[at_] == '/') {
                empty = true;
                if (++at_ >= text_.size() || text_[at_] != '>')
                    return false;
                break;
            }
            if (before == at_ || !attribute(e))
                return false;
            e.attributes_end = here();
        }
        ++at_;
        e.tag_end = e.content_end = e.end = here();
        // Names are resolved when all declarations of the tag are known.
        if (!resolve(e.begin + 1, e.prefix_length, e.ns))
            return false;
        for (auto i = std::size_t{e.attributes}; i < out_.attributes_.size(); ++i) {
            auto& attribute = out_.attributes_[i];
            attribute.ns = none; // no prefix, no namespace: the default one is for elements
            if (attribute.prefix_length != 0 &&
                !resolve(attribute.name, attribute.prefix_length, attribute.ns))
                return false;
        }
        if (empty)
            leave(e.scope, scope_of(open_));
        add(e, empty);
        return true;
    }

    void add(const Element& e, bool empty)
    {
        const auto number = out_.size();
        out_.elements_.push_back(e);
        if (open_ != none) {
            // Until an element ends, its `next` is not in use: there its last child is kept.
            auto& last_child = out_.elements_[open_].next;
            if (last_child != none)
                out_.elements_[last_child].next = number;
            last_child = number;
        }
        if (!empty)
            open_ = number;
    }

    bool end_tag()
    {
        if (open_ == none)
            return false;
        Element& e = out_.elements_[open_];
        e.content_end = here();
        at_ += 2;
        const auto name = text_.substr(e.begin + 1, e.name_length);
        if (!text_.substr(at_).starts_with(name))
            return false;
        at_ += name.size();
        skip_space();
        if (at_ >= text_.size() || text_[at_] != '>')
            return false;
        ++at_;
        e.end = here();
        e.next = none;
        leave(e.scope, scope_of(e.parent));
        open_ = e.parent;
        return true;
    }

    bool attribute(Element& e)
    {
        Name name;
        if (!take_name(name))
            return false;
        skip_space();
        if (at_ >= text_.size() || text_[at_] != '=')
            return false;
        ++at_;
        skip_space();
        if (at_ >= text_.size() || (text_[at_] != '"' && text_[at_] != '\''))
            return false;
        const auto value = here() + 1;
        const auto close = text_.find(text_[at_], value);
        if (close == std::string_view::npos)
            return false;
        at_ = close + 1;
        const auto value_end = static_cast<std::uint32_t>(close);
        const auto whole = text_.substr(name.at, name.length);
        const bool plain =
            text_.substr(value, value_end - value).find_first_of("&\t\r\n") == std::string_view::npos;
        if (whole == "xmlns") {
            bind({name.at, value, value_end, e.scope, 0, plain}, e);
        } else if (whole.starts_with("xmlns:")) {
            bind({name.at + 6, value, value_end, e.scope, static_cast<std::uint16_t>(name.length - 6), plain},
                 e);
        } else {
            out_.attributes_.push_back(
                {name.at, value, value_end, none, name.length, name.prefix_length, plain});
        }
        return true;
    }
    void bind(const TextIndex::Binding& binding, Element& e)
    {
        e.scope = static_cast<std::uint32_t>(out_.bindings_.size());
        out_.bindings_.push_back(binding);
        auto& now = bound(prefix_of(binding));
        hidden_.push_back(now);
        now = e.scope;
    }
    std::uint32_t scope_of(std::uint32_t element) const
    {
        return element == none ? none : out_.elements_[element].scope;
    }

    // What a prefix is bound to here; "" is the default namespace. Not found by walking the bindings in
    // scope, for somebody might declare hundreds and use them in every tag.
    std::uint32_t& bound(std::string_view prefix)
    {
        return prefix.empty() ? default_ : bound_.try_emplace(prefix, none).first->second;
    }
    void leave(std::uint32_t scope, std::uint32_t outer_scope)
    {
        for (; scope != outer_scope; scope = out_.bindings_[scope].before)
            bound(prefix_of(out_.bindings_[scope])) = hidden_[scope];
    }
    std::string_view prefix_of(const TextIndex::Binding& binding) const
    {
        return text_.substr(binding.prefix, binding.prefix_length);
    }
    bool resolve(std::uint32_t name, std::uint16_t prefix_length, std::uint32_t& out)
    {
        const auto prefix = text_.substr(name, prefix_length);
        out = prefix == "xml" ? TextIndex::xml_binding : bound(prefix);
        if (out < out_.bindings_.size() && out_.bindings_[out].uri == out_.bindings_[out].uri_end)
            out = none; // xmlns=""
        return out != none || prefix.empty();
    }

    const std::string_view text_;
    std::size_t at_ = 0;
    std::uint32_t open_ = none; // the innermost element that has not ended
    std::uint32_t default_ = none;
    std::unordered_map<std::string_view, std::uint32_t> bound_; // prefix to binding
    std::vector<std::uint32_t> hidden_;                         // by binding: what its prefix meant before
    TextIndex out_;
};

std::optional<TextIndex> TextIndex::of(std::string_view text) { return Indexer{text}.run(); }

std::size_t TextIndex::bytes() const
{
    return sizeof(TextIndex) + elements_.capacity() * sizeof(Element) +
           attributes_.capacity() * sizeof(Attribute) + bindings_.capacity() * sizeof(Binding);
}

std::string_view IndexedView::uri(std::uint32_t binding) const
{
    if (binding == none)
        return {};
    if (binding == TextIndex::xml_binding)
        return xml_namespace;
    const auto& at = index_.binding(binding);
    return text_.substr(at.uri, at.uri_end - at.uri);
}

bool IndexedView::is_bound_to(std::uint32_t binding, std::string_view ns) const
{
    const bool plain = binding >= TextIndex::xml_binding || index_.binding(binding).plain;
    return plain ? uri(binding) == ns : value_equals(uri(binding), ns);
}

bool IndexedView::has_value(std::uint32_t attribute, std::string_view wanted) const
{
    return index_.attribute(attribute).plain ? value(attribute) == wanted
                                             : value_equals(value(attribute), wanted);
}

std::uint32_t IndexedView::find_attribute(std::uint32_t e, std::string_view ns, std::string_view name) const
{
    for (auto i = index_[e].attributes; i < index_.attributes_end(e); ++i) {
        const auto& at = index_.attribute(i);
        const auto skip = at.prefix_length == 0 ? 0u : at.prefix_length + 1u;
        if (text_.substr(at.name + skip, at.name_length - skip) == name && is_bound_to(at.ns, ns))
            return i;
    }
    return none;
}

bool IndexedView::is_hidden(std::uint32_t binding, std::uint32_t scope) const
{
    for (auto at = scope; at != none && at != binding; at = index_.binding(at).before)
        if (prefix(at) == prefix(binding))
            return true;
    return false;
}

} // namespace sipyard::xcap_server
