// modules/xcap_server/patch.cpp - two texts, walked down side by side
#include "modules/xcap_server/patch.h"

#include "core/base/format.h"
#include "core/base/text.h"
#include "modules/xcap_server/namespaces.h"

#include <algorithm>

namespace sipyard::xcap_server {
namespace {

constexpr std::uint32_t none = TextIndex::none;

bool is_white(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

// The children of an element and what stands between them: gap 0 is before the first child.
struct Content {
    Content(const IndexedView& of, std::uint32_t element) : view{of}, parent{element}
    {
        const TextIndex& index = of.index();
        for (auto child = index.first_child(element); child != none; child = index[child].next)
            children.push_back(child);
    }
    std::size_t begin_of(std::size_t child) const // behind the last one: where the content ends
    {
        const TextIndex& index = view.index();
        return child < children.size() ? index[children[child]].begin : index[parent].content_end;
    }
    std::size_t end_of(std::size_t before) const // of the child before that one; 0: where the content begins
    {
        const TextIndex& index = view.index();
        return before == 0 ? index[parent].tag_end : index[children[before - 1]].end;
    }
    std::string_view between(std::size_t from, std::size_t to) const
    {
        return view.text().substr(from, to - from);
    }
    std::string_view gap(std::size_t number) const { return between(end_of(number), begin_of(number)); }
    std::string_view child(std::size_t number) const { return view.element(children[number]); }
    std::size_t size() const { return children.size(); }

    const IndexedView& view;
    const std::uint32_t parent;
    std::vector<std::uint32_t> children;
};

enum class Own : bool { excluded, included }; // the element's own declarations

class Comparison {
public:
    Comparison(const IndexedView& before, const IndexedView& after) : before_{before}, after_{after} {}

    // Elements at the same place.
    void element(std::uint32_t old, std::uint32_t now, const std::string& path)
    {
        if (before_.element(old) == after_.element(now))
            return;
        if (before_.qualified_name(old) != after_.qualified_name(now) ||
            declared(before_, old) != declared(after_, now))
            return replace(now, path);
        const std::size_t mark = patch_.size();
        attributes(old, now, path);
        if (!content(old, now, path)) {
            patch_.resize(mark);
            replace(now, path);
        }
    }
    Patch take() { return std::move(patch_); }

private:
    using Bindings = std::vector<std::pair<std::string_view, std::string_view>>; // prefix, URI
    static Bindings declared(const IndexedView& view, std::uint32_t element)
    {
        Bindings out;
        const auto& at = view.index()[element];
        const auto outer = at.parent == none ? none : view.index()[at.parent].scope;
        for (auto b = at.scope; b != outer && b != none; b = view.index().binding(b).before)
            out.emplace_back(view.prefix(b), view.uri(b));
        return out;
    }

    PatchOperation operation(PatchOperation::Kind kind, std::string sel, std::uint32_t now, Own own) const
    {
        PatchOperation out;
        out.kind = kind;
        out.sel = std::move(sel);
        const auto holder = own == Own::included ? now : after_.index()[now].parent;
        if (holder != none)
            append_bindings(after_, holder, Undeclared::left_out, out.namespaces);
        return out;
    }
    void replace(std::uint32_t now, const std::string& path)
    {
        auto op = operation(PatchOperation::Kind::replace, path, now, Own::excluded);
        op.content = after_.element(now);
        patch_.push_back(std::move(op));
    }

    // The one of that qualified name; prefixes mean the same on both sides here.
    static std::uint32_t named(const IndexedView& view, std::uint32_t element, std::string_view name)
    {
        for (auto a = view.index()[element].attributes; a < view.index().attributes_end(element); ++a)
            if (name_of(view, a) == name)
                return a;
        return none;
    }
    static std::string_view name_of(const IndexedView& view, std::uint32_t attribute)
    {
        const auto& at = view.index().attribute(attribute);
        return view.text().substr(at.name, at.name_length);
    }
    void attributes(std::uint32_t old, std::uint32_t now, const std::string& path)
    {
        using Kind = PatchOperation::Kind;
        const auto& was = before_.index();
        for (auto a = was[old].attributes; a < was.attributes_end(old); ++a) {
            const auto name = name_of(before_, a);
            const auto other = named(after_, now, name);
            if (other != none && after_.value(other) == before_.value(a))
                continue;
            auto op = operation(other == none ? Kind::remove : Kind::replace, format("{}/@{}", path, name),
                                now, Own::included);
            if (other != none)
                op.content = as_character_data(after_.value(other));
            patch_.push_back(std::move(op));
        }
        const auto& is = after_.index();
        for (auto a = is[now].attributes; a < is.attributes_end(now); ++a) {
            const auto name = name_of(after_, a);
            if (named(before_, old, name) != none)
                continue;
            auto op = operation(Kind::add, path, now, Own::included);
            op.type = format("@{}", name);
            op.content = as_character_data(after_.value(a));
            patch_.push_back(std::move(op));
        }
    }

    // False: only a replacement of the element itself tells it.
    bool content(std::uint32_t old, std::uint32_t now, const std::string& path)
    {
        const Content a{before_, old}, b{after_, now};
        const std::size_t least = std::min(a.size(), b.size());
        std::size_t head = 0,
                    tail = 0; // children that are the same at either end, with the gaps outside them
        while (head < least && a.gap(head) == b.gap(head) && a.child(head) == b.child(head))
            ++head;
        while (tail < least - head && a.gap(a.size() - tail) == b.gap(b.size() - tail) &&
               a.child(a.size() - 1 - tail) == b.child(b.size() - 1 - tail))
            ++tail;
        const std::size_t gone = a.size() - head - tail, came = b.size() - head - tail;
        if (gone == 0 && came == 0)
            return a.gap(head) == b.gap(head);
        if (gone == came)
            return pairs(a, b, head, gone, path);
        if (gone == 0)
            return insertion(a, b, head, came, now, path);
        return came == 0 && removal(a, b, head, gone, path);
    }

    bool pairs(const Content& a, const Content& b, std::size_t first, std::size_t count,
               const std::string& path)
    {
        for (std::size_t i = first; i <= first + count; ++i)
            if (a.gap(i) != b.gap(i))
                return false;
        for (std::size_t i = first; i < first + count; ++i)
            element(a.children[i], b.children[i], child_path(path, i));
        return true;
    }

    // The new text is the old gap and a block of children with text; where the block goes depends on which
    // end the old gap is found at.
    bool insertion(const Content& a, const Content& b, std::size_t at, std::size_t count, std::uint32_t now,
                   const std::string& path)
    {
        const std::string_view gap = a.gap(at);
        const std::string_view all = b.between(b.end_of(at), b.begin_of(at + count));
        const bool has_before = at > 0, has_after = at < a.size();
        std::string_view block;
        std::string pos, sel = path;
        if (all.ends_with(gap)) { // directly behind the child before
            block = all.substr(0, all.size() - gap.size());
            pos = has_before ? "after" : has_after || !gap.empty() ? "prepend" : "";
            if (has_before)
                sel = child_path(path, at - 1);
        } else if (all.starts_with(gap)) { // directly in front of the child behind
            block = all.substr(gap.size());
            pos = has_after ? "before" : "";
            if (has_after)
                sel = child_path(path, at);
        } else {
            return false;
        }
        auto op = operation(PatchOperation::Kind::add, std::move(sel), now, Own::included);
        op.pos = std::move(pos);
        op.content = block;
        patch_.push_back(std::move(op));
        return true;
    }

    // From the last to the first, so that positions hold. What is left between the neighbours must be the new
    // gap: all white space there was, or, of one child, what was on one of its sides.
    bool removal(const Content& a, const Content& b, std::size_t at, std::size_t count,
                 const std::string& path)
    {
        std::string left;
        for (std::size_t i = at; i <= at + count; ++i)
            left += a.gap(i);
        if (left != b.gap(at))
            return one_removal(a, b, at, count, path);
        for (std::size_t i = at + count; i-- > at;)
            remove(child_path(path, i), {});
        return true;
    }
    bool one_removal(const Content& a, const Content& b, std::size_t at, std::size_t count,
                     const std::string& path)
    {
        if (count != 1)
            return false;
        const auto in_front = a.gap(at), behind = a.gap(at + 1), now = b.gap(at);
        if (now == behind && !in_front.empty() && is_white(in_front))
            remove(child_path(path, at), "before");
        else if (now == in_front && !behind.empty() && is_white(behind))
            remove(child_path(path, at), "after");
        else
            return false;
        return true;
    }
    void remove(std::string sel, std::string ws)
    {
        PatchOperation op;
        op.kind = PatchOperation::Kind::remove;
        op.sel = std::move(sel);
        op.pos = std::move(ws);
        patch_.push_back(std::move(op));
    }

    static std::string child_path(const std::string& path, std::size_t child)
    {
        return format("{}/*[{}]", path, child + 1);
    }

    const IndexedView& before_;
    const IndexedView& after_;
    Patch patch_;
};

} // namespace

std::string as_character_data(std::string_view value)
{
    std::string out;
    out.reserve(value.size());
    for (const char c : value) {
        if (c == '\t' || c == '\n' || c == '\r')
            out += ' '; // what they mean in an attribute (XML 1.0 3.3.3)
        else if (c == '>')
            out += "&gt;";
        else
            out += c;
    }
    return out;
}

std::optional<Patch> patch(const IndexedView& before, const IndexedView& after)
{
    if (before.index().size() == 0 || after.index().size() == 0)
        return {};
    const auto around = [](const IndexedView& view) {
        const auto& root = view.index()[0];
        return std::pair{view.text().substr(0, root.begin), view.text().substr(root.end)};
    };
    if (around(before) != around(after))
        return {};
    Comparison comparison{before, after};
    comparison.element(0, 0, "*");
    return comparison.take();
}

} // namespace sipyard::xcap_server
