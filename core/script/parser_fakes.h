// core/script/parser_fakes.h - for tests: modules that exist on paper, a parse in one call, trees as text
#pragma once

#include "core/base/format.h"
#include "core/script/parser.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sipyard::script::fakes {

// A few manifests of real shape; functions do nothing.
class Loader final : public ModuleLoader {
public:
    Loader()
    {
        using K = ArgSpec::Kind;
        auto& xlog = add("xlog");
        function(xlog, "xlog", {K::text}, 1);
        function(xlog, "xlog", {K::text, K::text}, 2);
        function(xlog, "xlog", {K::text, K::text, K::text}, 3);
        for (const char* name : {"xdbg", "xinfo", "xnotice", "xwarn", "xerr", "xcrit"})
            function(xlog, name, {K::text}, 1);
        param(xlog, "buf_size", true);
        param(xlog, "prefix", false);
        auto& sl = add("sl");
        function(sl, "sl_send_reply", {K::integer, K::text}, 2, Route::request);
        function(sl, "send_reply", {K::integer, K::text}, 2,
                 RouteMask{static_cast<std::uint16_t>(static_cast<int>(Route::request) |
                                                      static_cast<int>(Route::failure))});
        param(sl, "default_code", true);
        auto& textops = add("textops");
        function(textops, "is_method", {K::literal}, 1);
        function(textops, "append_hf", {K::text, K::text}, 1);
        function(textops, "remove_hf", {K::literal}, 1);
        function(textops, "search", {K::literal}, 1);
        auto& tm = add("tm");
        function(tm, "t_relay", {K::text, K::integer}, 0,
                 RouteMask{static_cast<std::uint16_t>(static_cast<int>(Route::request) |
                                                      static_cast<int>(Route::failure))});
        function(tm, "t_on_failure", {K::literal}, 1);
        function(tm, "t_newtran", {}, 0, Route::request);
        function(tm, "t_reply", {K::integer, K::literal}, 2);
        param(tm, "fr_timer", true);
        param(tm, "contacts_avp", false);
        auto& pv = add("pv");
        function(pv, "pv_printf", {K::variable, K::text}, 2);
        function(pv, "is_int", {K::variable}, 1);
        param(pv, "shvset", false, true);
        auto& htable = add("htable");
        param(htable, "htable", false, true);
        add("db_sqlite");
        param(add("db_mysql"), "ping_interval", true);
    }

    Result<const AnyManifest*> load(std::string_view file, const std::vector<std::string>& paths) override
    {
        seen_paths = paths;
        std::string name{file};
        if (name.find('/') != std::string::npos)
            name = name.substr(name.rfind('/') + 1);
        if (name.ends_with(".so"))
            name.resize(name.size() - 3);
        const auto found = manifests_.find(name);
        if (found == manifests_.end())
            return Error{ErrorKind::not_found, "no such module"};
        return found->second.get();
    }
    std::vector<std::string> known() const override
    {
        std::vector<std::string> names;
        for (const auto& [name, manifest] : manifests_)
            names.push_back(name);
        return names;
    }
    std::string exporter_of(std::string_view function) const override
    {
        for (const auto& [name, manifest] : manifests_)
            for (const FunctionSpec& spec : manifest->functions)
                if (spec.name == function)
                    return name;
        return {};
    }

    std::vector<std::string> seen_paths;

private:
    AnyManifest& add(const std::string& name)
    {
        auto& manifest = manifests_[name];
        manifest = std::make_unique<AnyManifest>();
        manifest->name = name;
        return *manifest;
    }
    static void function(AnyManifest& to, std::string name, const std::vector<ArgSpec::Kind>& kinds,
                         std::size_t least, RouteMask routes = any_route)
    {
        FunctionSpec spec;
        spec.name = std::move(name);
        spec.routes = routes;
        for (const auto kind : kinds)
            spec.args.push_back({kind, spec.args.size() >= least, {}, nullptr});
        spec.least = least;
        to.functions.push_back(std::move(spec));
    }
    static void param(AnyManifest& to, std::string name, bool integer, bool repeatable = false)
    {
        ParamSpec spec;
        spec.name = std::move(name);
        spec.integer = integer;
        spec.repeatable = repeatable;
        to.params.push_back(std::move(spec));
    }
    std::map<std::string, std::unique_ptr<AnyManifest>> manifests_;
};

// A configuration read from memory. `files` are what it may include; the disk is not read.
struct Parsed {
    explicit Parsed(std::string_view text, LoadOptions options = {},
                    std::map<std::string, std::string> files = {})
    {
        options.read = [files = std::move(files)](const std::string& path) -> Result<std::string> {
            const auto found = files.find(path);
            if (found == files.end())
                return Error{ErrorKind::not_found, "no such file"};
            return found->second;
        };
        config = parse_text(text, "t.cfg", options, loader, diagnostics);
    }
    std::string first_error() const
    {
        for (const Diagnostic& d : diagnostics.all())
            if (d.severity == Severity::error)
                return format("{}:{}: {}", d.at.line, d.at.column, d.message);
        return {};
    }
    std::string warnings() const
    {
        std::string out;
        for (const Diagnostic& d : diagnostics.all())
            if (d.severity == Severity::warning)
                out += (out.empty() ? "" : "; ") + d.message;
        return out;
    }

    Loader loader;
    Diagnostics diagnostics;
    std::optional<ast::Config> config;
};

// --- trees as text: (op left right), names of calls in front of their arguments ------------------

inline std::string print(const ast::Block& block);
inline std::string print(const ast::Expression& e);

inline std::string print(const std::vector<ast::ExpressionPtr>& args)
{
    std::string out;
    for (const auto& arg : args)
        out += (out.empty() ? "" : ", ") + print(*arg);
    return out;
}
inline std::string print(const ast::Assign& a) { return format("{} = {}", a.target.text, print(*a.value)); }
inline std::string print(const ast::Call& c) { return format("{}({})", c.name, print(c.args)); }
inline std::string print(const ast::CoreCall& c)
{
    return format("{}({})", to_text(c.function), print(c.args));
}
inline std::string print(const ast::RouteCall& c)
{
    return c.constant ? format("route[{}]", *c.constant) : format("route({})", print(*c.name));
}
inline std::string print(const ast::Test& t)
{
    std::string right = "myself";
    if (const auto* e = std::get_if<ast::ExpressionPtr>(&t.right))
        right = print(**e);
    else if (const auto* n = std::get_if<ast::Network>(&t.right))
        right = format("{}/{}", n->address.ip(), n->bits);
    return format("<{} {} {}>", t.status ? "status" : ast::to_text(t.operand), ast::to_text(t.op), right);
}

inline std::string print(const ast::Expression& e)
{
    using namespace ast;
    struct {
        std::string operator()(const Number& n) const { return std::to_string(n.value); }
        std::string operator()(const String& s) const
        {
            return s.quotes == String::Quotes::none     ? "`" + s.text + "`"
                   : s.quotes == String::Quotes::single ? "'" + s.text + "'"
                                                        : "\"" + s.text + "\"";
        }
        std::string operator()(const Variable& v) const { return v.text; }
        std::string operator()(const Unary& u) const
        {
            return format("({} {})", ast::to_text(u.op), print(*u.operand));
        }
        std::string operator()(const Binary& b) const
        {
            return format("({} {} {})", ast::to_text(b.op), print(*b.left), print(*b.right));
        }
        std::string operator()(const Selval& s) const
        {
            return format("(selval {} {} {})", print(*s.condition), print(*s.yes), print(*s.no));
        }
        std::string operator()(const Test& t) const { return print(t); }
        std::string operator()(const Call& c) const { return print(c); }
        std::string operator()(const CoreCall& c) const { return print(c); }
        std::string operator()(const RouteCall& c) const { return print(c); }
        std::string operator()(const std::unique_ptr<Assign>& a) const { return format("({})", print(*a)); }
        std::string operator()(const BlockValue& b) const { return format("{{ {} }}", print(b.body)); }
    } printer;
    return std::visit(printer, e.node);
}

inline std::string print(const ast::Statement& s)
{
    using namespace ast;
    struct {
        std::string operator()(const Null&) const { return ""; }
        std::string operator()(const Call& c) const { return print(c); }
        std::string operator()(const CoreCall& c) const { return print(c); }
        std::string operator()(const RouteCall& c) const { return print(c); }
        std::string operator()(const Assign& a) const { return print(a); }
        std::string operator()(const If& i) const
        {
            std::string out = format("if {} {{ {} }}", print(*i.condition), print(i.yes));
            return i.no.empty() ? out : out + format(" else {{ {} }}", print(i.no));
        }
        std::string operator()(const While& w) const
        {
            return format("while {} {{ {} }}", print(*w.condition), print(w.body));
        }
        std::string operator()(const Switch& s) const
        {
            std::string out = format("switch {} {{", print(*s.value));
            for (const Case& c : s.cases) {
                const std::string label = c.kind == Case::Kind::number  ? std::to_string(c.number)
                                          : c.kind == Case::Kind::text  ? "\"" + c.text + "\""
                                          : c.kind == Case::Kind::regex ? "/\"" + c.text + "\""
                                                                        : "default";
                out += format(" {}: {}", label, print(c.body));
            }
            return out + " }";
        }
        std::string operator()(const Leave& l) const
        {
            static constexpr const char* words[] = {"drop", "exit", "return", "break"};
            const std::string word = words[static_cast<int>(l.kind)];
            return l.value ? format("{} {}", word, print(*l.value)) : word;
        }
    } printer;
    return std::visit(printer, s.node);
}

inline std::string print(const ast::Block& block)
{
    std::string out;
    for (const ast::Statement& statement : block)
        out += (&statement == &block.front() ? "" : " ") + print(statement) + ";";
    return out;
}

} // namespace sipyard::script::fakes
