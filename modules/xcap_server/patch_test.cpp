// modules/xcap_server/patch_test.cpp - patches told and applied again
#include "modules/xcap_server/patch.h"

#include "core/base/format.h"
#include "core/base/text.h"
#include "core/xml/check.h"
#include "test/support/catch.h"

#include <algorithm>
#include <map>
#include <random>

namespace sipyard::xcap_server {
namespace {

std::string to_text(const PatchOperation& op)
{
    using Kind = PatchOperation::Kind;
    std::string out = op.kind == Kind::add ? "add " : op.kind == Kind::replace ? "replace " : "remove ";
    out += op.sel;
    if (!op.pos.empty())
        out += " " + op.pos;
    if (!op.type.empty())
        out += " " + op.type;
    if (op.kind != Kind::remove)
        out += " [" + op.content + "]";
    return out;
}

std::optional<std::vector<std::string>> told(std::string_view before, std::string_view after)
{
    const auto a = TextIndex::of(before), b = TextIndex::of(after);
    REQUIRE(a);
    REQUIRE(b);
    const auto patch = xcap_server::patch({before, *a}, {after, *b});
    if (!patch)
        return {};
    std::vector<std::string> out;
    for (const auto& op : *patch)
        out.push_back(to_text(op));
    return out;
}

// A subscriber's side, as RFC 5261 has it, for selectors of positions.
class Applier {
public:
    explicit Applier(std::string text) : text_{std::move(text)} {}
    void apply(const PatchOperation& op)
    {
        const auto index = TextIndex::of(text_);
        REQUIRE(index);
        const IndexedView view{text_, *index};
        std::string_view sel = op.sel;
        std::string_view attribute;
        if (const auto at = sel.find("/@"); at != std::string_view::npos) {
            attribute = sel.substr(at + 2);
            sel = sel.substr(0, at);
        }
        const auto e = locate(view, sel);
        REQUIRE(e != TextIndex::none);
        const auto& at = (*index)[e];
        using Kind = PatchOperation::Kind;
        if (op.kind == Kind::add && !op.type.empty()) {
            text_.insert(at.attributes_end, format(" {}=\"{}\"", op.type.substr(1), quoted(op.content)));
        } else if (!attribute.empty()) {
            for (auto a = at.attributes; a < index->attributes_end(e); ++a) {
                const auto& one = index->attribute(a);
                if (std::string_view{text_}.substr(one.name, one.name_length) != attribute)
                    continue;
                if (op.kind == Kind::replace)
                    text_.replace(one.name, one.value_end + 1 - one.name,
                                  format("{}=\"{}\"", attribute, quoted(op.content)));
                else
                    text_.erase(one.name, one.value_end + 1 - one.name);
                return;
            }
            FAIL("no attribute " << attribute);
        } else if (op.kind == Kind::add) {
            if (op.pos == "before")
                text_.insert(at.begin, op.content);
            else if (op.pos == "after")
                text_.insert(at.end, op.content);
            else if (view.is_empty_tag(e))
                text_.replace(at.tag_end - 2, 2, format(">{}</{}>", op.content, view.qualified_name(e)));
            else
                text_.insert(op.pos == "prepend" ? at.tag_end : at.content_end, op.content);
        } else if (op.kind == Kind::replace) {
            text_.replace(at.begin, at.end - at.begin, op.content);
        } else {
            std::size_t from = at.begin, to = at.end;
            if (op.pos == "before")
                while (from > 0 && std::isspace(static_cast<unsigned char>(text_[from - 1])))
                    --from;
            if (op.pos == "after")
                while (to < text_.size() && std::isspace(static_cast<unsigned char>(text_[to])))
                    ++to;
            text_.erase(from, to - from);
        }
    }
    const std::string& text() const { return text_; }

private:
    static std::string quoted(std::string_view value)
    {
        std::string out;
        for (const char c : value)
            c == '"' ? void(out += "&quot;") : void(out += c);
        return out;
    }
    static std::uint32_t locate(const IndexedView& view, std::string_view sel)
    {
        auto e = std::uint32_t{0};
        REQUIRE(cut(sel, '/') == "*");
        while (!sel.empty()) {
            const auto step = cut(sel, '/');
            REQUIRE(step.substr(0, 2) == "*[");
            auto number = std::stoul(std::string{step.substr(2)});
            e = view.index().first_child(e);
            while (e != TextIndex::none && --number > 0)
                e = view.index()[e].next;
            if (e == TextIndex::none)
                return e;
        }
        return e;
    }
    std::string text_;
};

// What XML tells apart: names, attributes in any order and quotes, content byte by byte.
std::string meaning(std::string_view text)
{
    const auto index = TextIndex::of(text);
    REQUIRE(index);
    const IndexedView view{text, *index};
    std::string out;
    const auto write = [&](auto&& self, std::uint32_t e) -> void {
        out += "(" + std::string{view.qualified_name(e)};
        std::map<std::string, std::string> attributes;
        for (auto a = (*index)[e].attributes; a < index->attributes_end(e); ++a) {
            const auto& at = index->attribute(a);
            std::string value = as_character_data(view.value(a));
            for (std::size_t q; (q = value.find("&quot;")) != std::string::npos;)
                value.replace(q, 6, "\"");
            for (std::size_t q; (q = value.find("&gt;gt;")) != std::string::npos;)
                value.replace(q, 7, "&gt;");
            attributes[std::string{text.substr(at.name, at.name_length)}] = value;
        }
        for (const auto& [name, value] : attributes)
            out += format(" {}={}", name, value);
        out += ")";
        std::size_t from = (*index)[e].tag_end;
        for (auto c = index->first_child(e); c != TextIndex::none; c = (*index)[c].next) {
            out += text.substr(from, (*index)[c].begin - from);
            self(self, c);
            from = (*index)[c].end;
        }
        out += text.substr(from, (*index)[e].content_end - from);
        out += "(/)";
    };
    write(write, 0);
    return out;
}

} // namespace

TEST_CASE("a patch names what came, went or changed", "[xcap_server][patch]")
{
    const struct {
        const char *story, *before, *after;
        std::vector<std::string> expected;
    } rows[] = {
        {"nothing changed", "<a/>", "<a/>", {}},
        {"an entry behind its kind",
         "<a><e n='1'/>\n</a>",
         "<a><e n='1'/><e n='2'/>\n</a>",
         {"add */*[1] after [<e n='2'/>]"}},
        {"an entry in front of another",
         "<a>\n<e n='1'/></a>",
         "<a>\n<e n='2'/><e n='1'/></a>",
         {"add */*[1] before [<e n='2'/>]"}},
        {"as last child, behind the white space", "<a><e/>\n</a>", "<a><e/>\n<f/></a>", {"add * [<f/>]"}},
        {"into an empty tag", "<a><b/></a>", "<a><b><c/></b></a>", {"add */*[1] [<c/>]"}},
        {"a line of its own", "<a>\n <e/>\n</a>", "<a>\n <e/>\n <f/>\n</a>", {"add */*[1] after [\n <f/>]"}},
        {"an entry went, white space stays",
         "<a>\n <e/>\n <f/>\n</a>",
         "<a>\n <e/>\n \n</a>",
         {"remove */*[2]"}},
        {"a line went", "<a>\n <e/>\n <f/>\n</a>", "<a>\n <e/>\n</a>", {"remove */*[2] before"}},
        {"two went", "<a><e/><f/><g/></a>", "<a><g/></a>", {"remove */*[2]", "remove */*[1]"}},
        {"another value", "<a><e n='1'/></a>", "<a><e n='2'/></a>", {"replace */*[1]/@n [2]"}},
        {"a new attribute", "<a><e/></a>", "<a><e n='a&amp;b'/></a>", {"add */*[1] @n [a&amp;b]"}},
        {"an attribute less", "<a><e n='1'/></a>", "<a><e/></a>", {"remove */*[1]/@n"}},
        {"another text", "<a><e>Ann</e><f/></a>", "<a><e>Anne</e><f/></a>", {"replace */*[1] [<e>Anne</e>]"}},
        {"another name", "<a><e/><f/></a>", "<a><g/><f/></a>", {"replace */*[1] [<g/>]"}},
        {"deep down",
         "<a><b><c><d x='1'/></c></b><b/></a>",
         "<a><b><c><d x='2'/></c></b><b/></a>",
         {"replace */*[1]/*[1]/*[1]/@x [2]"}},
        {"two at once",
         "<a><b x='1'/><c/><b x='1'/></a>",
         "<a><b x='2'/><c/><b x='2'/></a>",
         {"replace */*[1]/@x [2]", "replace */*[3]/@x [2]"}},
        {"the root", "<a/>", "<b/>", {"replace * [<b/>]"}},
        {"another namespace", "<a xmlns='u'/>", "<a xmlns='v'/>", {"replace * [<a xmlns='v'/>]"}},
        {"a value with what text may not hold", "<a/>", "<a x=']]>'/>", {"add * @x []]&gt;]"}},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const auto patch = told(row.before, row.after);
        REQUIRE(patch);
        CHECK(*patch == row.expected);
    }
}

TEST_CASE("a patch cannot tell what stands outside of the root", "[xcap_server][patch]")
{
    CHECK(!told("<?xml version='1.0'?><a/>", "<a/>"));
    CHECK(!told("<a/>", "<a/><!-- end -->"));
}

TEST_CASE("an operation brings the namespaces its content was written under", "[xcap_server][patch]")
{
    const std::string before = "<a xmlns='u' xmlns:p='v'><b xmlns:q='w' xmlns=''/></a>";
    const std::string after = "<a xmlns='u' xmlns:p='v'><b xmlns:q='w' xmlns=''><q:c p:x='1'/></b></a>";
    const auto a = TextIndex::of(before), b = TextIndex::of(after);
    const auto patch = xcap_server::patch({before, *a}, {after, *b});
    REQUIRE(patch);
    REQUIRE(patch->size() == 1);
    CHECK(patch->front().namespaces == " xmlns:p='v' xmlns:q='w'"); // the default one is undeclared there
}

TEST_CASE("a patch applied to the text before gives the text after", "[xcap_server][patch][property]")
{
    std::mt19937 random{5261};
    const auto below = [&](int most) { return static_cast<int>(random() % static_cast<unsigned>(most)); };
    const auto make = [&](auto&& self, int depth) -> std::string {
        const std::string name{static_cast<char>('a' + below(3))};
        std::string out = "<" + name;
        for (const char* attribute : {"x", "y", "p:z"})
            if (below(4) == 0)
                out += format(" {}='{}'", attribute, below(3));
        const int children = depth > 3 ? 0 : below(4);
        if (children == 0 && below(2) == 0)
            return out + "/>";
        out += ">";
        for (int i = 0; i < children; ++i)
            out += std::string{below(2) ? "\n " : ""} + self(self, depth + 1);
        return out + (below(3) == 0 ? "t" : below(2) ? "\n" : "") + "</" + name + ">";
    };
    // A cut of one place of the text and something put there instead, as long as it stays well-formed.
    const auto change = [&](const std::string& text) {
        const auto index = TextIndex::of(text);
        const auto e = static_cast<std::uint32_t>(below(static_cast<int>(index->size())));
        const auto& at = (*index)[e];
        std::string out = text;
        switch (below(6)) {
        case 0: out.insert(at.end, make(make, 3)); break;
        case 1: out.insert(at.begin, make(make, 3) + "\n "); break;
        case 2: out.erase(at.begin, at.end - at.begin); break;
        case 3: out.replace(at.begin, at.end - at.begin, make(make, 2)); break;
        case 4: out.insert(at.attributes_end, " w='1'"); break;
        default: out.insert(at.tag_end, "text"); break;
        }
        return out;
    };
    int tried = 0;
    for (int round = 0; round < 3000; ++round) {
        const std::string before = "<r xmlns:p='urn:p'>" + make(make, 0) + make(make, 0) + "</r>";
        std::string after = before;
        for (int changes = 1 + below(3); changes > 0; --changes)
            if (auto next = change(after); xml::check(next) && next.starts_with("<r "))
                after = std::move(next);
        const auto a = TextIndex::of(before), b = TextIndex::of(after);
        REQUIRE(a);
        REQUIRE(b);
        const auto patch = xcap_server::patch({before, *a}, {after, *b});
        if (!patch) // something stands behind the root now
            continue;
        INFO(before << "\n" << after);
        Applier applier{before};
        for (const auto& op : *patch) {
            INFO(to_text(op));
            applier.apply(op);
        }
        REQUIRE(meaning(applier.text()) == meaning(after));
        ++tried;
    }
    CHECK(tried > 2000);
}

} // namespace sipyard::xcap_server
