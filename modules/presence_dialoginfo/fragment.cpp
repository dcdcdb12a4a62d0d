// modules/presence_dialoginfo/fragment.cpp - an element and all below it, with few declarations
#include "modules/presence_dialoginfo/fragment.h"

#include "core/base/text.h"
#include "core/base/xml_text.h"
#include "core/sip/dialog_info.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace sipyard::presence_dialoginfo {

namespace {

constexpr std::string_view xml_ns = "http://www.w3.org/XML/1998/namespace";

// Prefixes as they are declared where the writer is. Views live as long as the document that is read.
class Scope {
public:
    Scope() { bindings_.emplace_back("", sip::dialog_info_ns); }
    std::size_t mark() const { return bindings_.size(); }
    void leave(std::size_t mark) { bindings_.resize(mark); }
    bool binds(std::string_view prefix, std::string_view ns) const
    {
        for (auto i = bindings_.rbegin(); i != bindings_.rend(); ++i)
            if (i->first == prefix)
                return i->second == ns;
        return false;
    }
    void bind(std::string_view prefix, std::string_view ns) { bindings_.emplace_back(prefix, ns); }

private:
    std::vector<std::pair<std::string_view, std::string_view>> bindings_;
};

class Writer {
public:
    explicit Writer(Home home) : home_{home} {}

    void put_element(xml::ElementView element, std::size_t depth)
    {
        out_.append(2 * depth, ' ');
        put(element, depth, Layout::lines);
        out_ += '\n';
    }
    void put_attributes(xml::ElementView element, const std::vector<std::string_view>& known)
    {
        auto attributes = element.attributes();
        std::erase_if(attributes, [&known](const xml::Attribute& attribute) {
            return attribute.ns.empty() &&
                   std::find(known.begin(), known.end(), attribute.name) != known.end();
        });
        put_attributes(std::move(attributes));
    }
    Fragment finish()
    {
        if (out_.empty())
            return {};
        return {std::move(out_), hash_.finish()};
    }

private:
    enum class Layout : unsigned char { lines, verbatim };

    void put(xml::ElementView element, std::size_t depth, Layout layout)
    {
        const std::size_t mark = scope_.mark();
        const bool ours = is_home(element, home_);
        const std::string_view ns = ours ? sip::dialog_info_ns : element.ns();
        const std::string_view prefix = ours ? std::string_view{} : element.prefix();
        hash_.add("<").add(ns).add(element.name());

        out_ += '<';
        put_name(prefix, element.name());
        declare(prefix, ns);
        auto attributes = element.attributes();
        const bool preserved = std::any_of(attributes.begin(), attributes.end(), [](const xml::Attribute& a) {
            return a.ns == xml_ns && a.name == "space" && a.value == "preserve";
        });
        put_attributes(std::move(attributes));
        const Layout inside =
            layout == Layout::verbatim || preserved || has_text(element) ? Layout::verbatim : Layout::lines;
        put_content(element, prefix, depth, inside);
        hash_.add(">");
        scope_.leave(mark);
    }

    void put_content(xml::ElementView element, std::string_view prefix, std::size_t depth, Layout layout)
    {
        const std::size_t start = out_.size();
        out_ += '>';
        if (layout == Layout::verbatim) {
            put_mixed(element, depth);
        } else {
            for (xml::ElementView child = element.first(); child; child = child.next()) {
                new_line(depth + 1);
                put(child, depth + 1, Layout::lines);
            }
            if (out_.size() > start + 1)
                new_line(depth);
        }
        if (out_.size() == start + 1) {
            out_.resize(start);
            out_ += "/>";
            return;
        }
        out_ += "</";
        put_name(prefix, element.name());
        out_ += '>';
    }

    // Runs of text that only a comment kept apart are one text.
    void put_mixed(xml::ElementView element, std::size_t depth)
    {
        std::string run;
        const auto flush = [this, &run] {
            if (run.empty())
                return;
            hash_.add("t").add(run);
            append_xml_text(out_, run);
            run.clear();
        };
        for (xml::NodeView node = element.content(); node; node = node.next()) {
            if (!node.element()) {
                run += node.text();
                continue;
            }
            flush();
            put(node.element(), depth + 1, Layout::verbatim);
        }
        flush();
    }

    void put_attributes(std::vector<xml::Attribute> attributes)
    {
        std::sort(attributes.begin(), attributes.end(), [](const xml::Attribute& a, const xml::Attribute& b) {
            return std::tie(a.ns, a.name) < std::tie(b.ns, b.name);
        });
        for (const xml::Attribute& attribute : attributes) {
            hash_.add("a").add(attribute.ns).add(attribute.name).add(attribute.value);
            // Without a prefix it is in no namespace, whatever the default is; xml: needs no declaration.
            if (!attribute.ns.empty() && attribute.ns != xml_ns)
                declare(attribute.prefix, attribute.ns);
            out_ += ' ';
            put_name(attribute.prefix, attribute.name);
            out_ += "=\"";
            append_xml_value(out_, attribute.value);
            out_ += '"';
        }
    }

    void declare(std::string_view prefix, std::string_view ns)
    {
        if (scope_.binds(prefix, ns))
            return;
        scope_.bind(prefix, ns);
        out_ += " xmlns";
        if (!prefix.empty()) {
            out_ += ':';
            out_ += prefix;
        }
        out_ += "=\"";
        append_xml_value(out_, ns);
        out_ += '"';
    }

    static bool has_text(xml::ElementView element)
    {
        bool text = false, elements = false;
        for (xml::NodeView node = element.content(); node; node = node.next()) {
            if (node.element())
                elements = true;
            else
                text = text || !trim(node.text()).empty();
        }
        return text || !elements; // blanks alone are the text of an element without children
    }

    void put_name(std::string_view prefix, std::string_view name)
    {
        if (!prefix.empty()) {
            out_ += prefix;
            out_ += ':';
        }
        out_ += name;
    }
    void new_line(std::size_t depth)
    {
        out_ += '\n';
        out_.append(2 * depth, ' ');
    }

    const Home home_;
    std::string out_;
    Hasher hash_;
    Scope scope_;
};

} // namespace

bool is_home(xml::ElementView element, Home home)
{
    return element.ns() == sip::dialog_info_ns || (home == Home::none && element.ns().empty());
}

bool is_home(xml::ElementView element, std::string_view name, Home home)
{
    return element.name() == name && is_home(element, home);
}

Fragment element_fragment(xml::ElementView element, Home home, std::size_t depth)
{
    return element_fragments({element}, home, depth);
}

Fragment element_fragments(const std::vector<xml::ElementView>& elements, Home home, std::size_t depth)
{
    Writer writer{home};
    for (const xml::ElementView element : elements)
        writer.put_element(element, depth);
    return writer.finish();
}

Fragment attributes_fragment(xml::ElementView element, Home home, const std::vector<std::string_view>& known)
{
    Writer writer{home};
    writer.put_attributes(element, known);
    return writer.finish();
}

} // namespace sipyard::presence_dialoginfo
