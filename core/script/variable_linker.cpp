// core/script/variable_linker.cpp - resolves variables, formats and transformations
#include "core/script/variable_linker.h"

#include "core/base/text.h"
#include "core/script/selects.h"

#include <cstdlib>

namespace sipyard::script {

namespace {

constexpr int most_depth = 8;

bool starts_variable(std::string_view text, std::size_t at) // a '$' with a name or '(' behind it
{
    if (at + 1 >= text.size() || text[at] != '$')
        return false;
    const char c = text[at + 1];
    return is_alpha(c) || c == '_' || c == '(' || c == '?';
}

const Expr* fail(Trouble& trouble, std::string message, std::string expected = {},
                 std::string_view nearest = {})
{
    trouble = {std::move(message), std::move(expected), std::string{nearest}};
    return nullptr;
}

bool op_is_raw(const void* who, std::string_view class_name, std::string_view op)
{
    const auto* spec = static_cast<const Catalogue*>(who)->transformation(class_name, op);
    return spec && spec->raw;
}

} // namespace

bool VariableLinker::has_variables(std::string_view text)
{
    return before_variables(text).size() != text.size();
}

std::string_view VariableLinker::before_variables(std::string_view text)
{
    for (std::size_t at = text.find('$'); at != std::string_view::npos; at = text.find('$', at + 1)) {
        if (at + 1 < text.size() && text[at + 1] == '$')
            ++at;
        else if (starts_variable(text, at))
            return text.substr(0, at);
    }
    return text;
}

bool VariableLinker::is_one_variable(std::string_view text)
{
    if (!starts_variable(text, 0))
        return false;
    const auto pvar = read_pvar(text);
    return pvar && pvar->text.size() == text.size();
}

const Expr* VariableLinker::constant(const Value& value)
{
    return &arena_.make<Constant>(value.is_text() ? Value{arena_.copy(value.text())} : value);
}

const Expr* VariableLinker::variable(std::string_view text, Trouble& trouble)
{
    auto pvar = read_pvar(text);
    if (!pvar)
        return fail(trouble, pvar.error().text);
    if (pvar->text.size() != text.size())
        return fail(trouble, sipyard::format("\"{}\" is more than one pvar", text));
    return read(*pvar, trouble);
}

const Expr* VariableLinker::read(const PvarText& pvar, Trouble& trouble)
{
    if (depth_ >= most_depth)
        return fail(trouble, sipyard::format("pvar \"{}\" is nested too deeply", pvar.text));
    ++depth_;
    bool known = false;
    const Expr* base = built_in(pvar, trouble, known);
    if (!known)
        base = module_variable(pvar, trouble);
    if (base && !pvar.steps.empty())
        base = transformed(*base, pvar.steps, trouble);
    --depth_;
    return base;
}

// --- built-in variables --------------------------------------------------------------------------

const Expr* VariableLinker::built_in(const PvarText& pvar, Trouble& trouble, bool& known)
{
    known = true;
    const auto name = pvar.name;
    const std::string_view inner = pvar.inner.value_or("");
    const bool named = !inner.empty();
    const auto needs_name = [&] {
        return fail(trouble, sipyard::format("pvar \"{}\" needs a name: ${}(name)", pvar.text, name));
    };
    if (name == "var" || name == "vn" || name == "vz") {
        if (!named)
            return needs_name();
        const VarFamily family = name == "var"  ? VarFamily::var
                                 : name == "vn" ? VarFamily::vn
                                                : VarFamily::vz;
        return &arena_.make<ScriptVar>(catalogue_.vars.slot_of(family, inner), family);
    }
    if (name == "rc" || name == "retcode" || name == "?")
        return &arena_.make<ReturnCode>();
    if (name == "null")
        return &arena_.make<Constant>(Value{});
    if (name == "env" || name == "envn") {
        if (!named)
            return needs_name();
        const char* const value = std::getenv(std::string{inner}.c_str());
        if (!value)
            return &arena_.make<Constant>(Value{});
        return name == "env" ? constant(value) : constant(integer_of(value).value_or(0));
    }
    if (name == "def" || name == "defn" || name == "defv" || name == "defs")
        return named ? define(pvar, trouble) : needs_name();
    if (name == "sel")
        return named ? select(inner, trouble) : needs_name();
    if (name == "cfg")
        return place_in_script(pvar, trouble);
    if (name == "snd" || name == "sndto" || name == "sndfrom")
        return sending(pvar, trouble);
    known = false;
    return nullptr;
}

// $def(X) is the text of the define as it stands, $defn(X) its number, $defv(X) the text without its quotes
// and $defs(X) the text in quotes.
const Expr* VariableLinker::define(const PvarText& pvar, Trouble&)
{
    const auto found = catalogue_.defines.find(std::string{*pvar.inner});
    if (found == catalogue_.defines.end())
        return &arena_.make<Constant>(Value{});
    std::string_view text = trim(found->second);
    const bool quoted =
        text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front();
    const auto plain = quoted ? text.substr(1, text.size() - 2) : text;
    if (pvar.name == "defn")
        return constant(integer_of(plain).value_or(0));
    if (pvar.name == "defv")
        return constant(plain);
    if (pvar.name == "defs" && !quoted)
        return constant(std::string_view{'"' + std::string{text} + '"'});
    return constant(text);
}

// $cfg(line), $cfg(name), $cfg(route): where the statement stands. Outside of a script (a format in a
// modparam) null.
const Expr* VariableLinker::place_in_script(const PvarText& pvar, Trouble& trouble)
{
    const auto part = pvar.inner.value_or("");
    if (part != "line" && part != "name" && part != "file" && part != "route")
        return fail(trouble, sipyard::format("pvar \"{}\" names no part of the script's place", pvar.text),
                    "line, name or route");
    if (where_.line == 0)
        return &arena_.make<Constant>(Value{});
    return part == "line" ? constant(static_cast<std::int64_t>(where_.line))
                          : constant(part == "route" ? where_.route : where_.file);
}

const Expr* VariableLinker::sending(const PvarText& pvar, Trouble& trouble)
{
    const auto part = Sending::part_of(pvar.inner.value_or(""), pvar.name == "snd");
    if (!part)
        return fail(
            trouble, sipyard::format("pvar \"{}\" names nothing of the message that is sent", pvar.text),
            pvar.name == "snd" ? "ip, port, proto, sproto, af, buf or len" : "ip, port, proto, sproto or af");
    return &arena_.make<Sending>(*part, pvar.name == "sndfrom");
}

const Expr* VariableLinker::select(std::string_view path, Trouble& trouble)
{
    if (path.starts_with("cfg_get."))
        return global(path.substr(8), trouble);
    if (path.starts_with("tls."))
        return tls_select(path, trouble);
    if (const Expr* found = link_select(path, arena_))
        return found;
    return fail(trouble, sipyard::format("unknown select \"{}\"", path));
}

// tls.peer.subject.cn is module tls's $tls_peer_subject_cn: one meaning, two ways to write it.
const Expr* VariableLinker::tls_select(std::string_view path, Trouble& trouble)
{
    const std::string name = tls_variable_of(path);
    const auto* const found = catalogue_.variable(name);
    if (!found && !catalogue_.variable("tls_version"))
        return fail(trouble,
                    sipyard::format("select \"{}\" needs the module 'tls': add loadmodule \"tls.so\"", path));
    if (!found)
        return fail(trouble, sipyard::format("unknown select \"{}\"", path),
                    "tls.version, tls.cipher, tls.peer.subject.cn ...");
    ModuleVariable::How how;
    how.spec = found->spec;
    how.cell = found->cell;
    how.text = arena_.copy(path);
    return &arena_.make<ModuleVariable>(how);
}

const Expr* VariableLinker::global(std::string_view path, Trouble& trouble)
{
    const auto dot = path.find('.');
    const auto group = path.substr(0, dot);
    const auto name = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
    const auto& globals = catalogue_.globals;
    const auto variable = globals ? globals->find(group, name) : std::nullopt;
    if (!variable)
        return fail(trouble, sipyard::format("cfg_fixup_selects(): unknown variable: {}.{}", group, name), {},
                    globals ? nearest(path, globals->names()) : std::string_view{});
    return &arena_.make<CustomGlobalRead>(globals, *variable, arena_.copy(group));
}

// --- variables of modules ------------------------------------------------------------------------

ModuleVariable* VariableLinker::module_variable(const PvarText& pvar, Trouble& trouble)
{
    const auto* found = catalogue_.variable(pvar.name);
    if (!found) {
        fail(trouble, sipyard::format("error searching pvar \"{}\"", pvar.name), {},
             catalogue_.nearest_variable(pvar.name));
        return nullptr;
    }
    const VariableSpec& spec = *found->spec;
    ModuleVariable::How how;
    how.spec = &spec;
    how.cell = found->cell;
    how.text = arena_.copy(pvar.text);
    if (spec.inner == VariableSpec::Inner::none) {
        if (pvar.inner && !pvar.inner->empty()) {
            fail(trouble, sipyard::format("pvar \"{}\" takes no name in parentheses", pvar.text));
            return nullptr;
        }
    } else if (!pvar.inner || pvar.inner->empty()) {
        if (!spec.inner_optional) {
            fail(trouble, sipyard::format("pvar \"{}\" needs a name: ${}(name)", pvar.text, pvar.name),
                 std::string{spec.inner_expected});
            return nullptr;
        }
    } else if (has_variables(*pvar.inner) &&
               spec.inner_expected != "a variable") { // $T_req($ru) names one: kept as written
        how.inner_expr = format(*pvar.inner, trouble);
        if (!how.inner_expr)
            return nullptr;
    } else {
        how.inner = arena_.copy(*pvar.inner);
        if (spec.parse) {
            auto parsed = spec.parse(how.inner);
            if (!parsed) {
                fail(trouble, sipyard::format("pvar \"{}\": {}", pvar.text, parsed.error().text),
                     std::string{spec.inner_expected});
                return nullptr;
            }
            how.parsed = arena_.make<std::shared_ptr<const void>>(std::move(*parsed)).get();
        }
    }
    if (spec.check && pvar.inner && !pvar.inner->empty() &&
        found->cell->object) { // formats in modparams come before the modules themselves
        const KnownText known =
            how.inner_expr ? KnownText{before_variables(*pvar.inner), false} : KnownText{how.inner, true};
        if (const auto refusal = spec.check(found->cell->object, known)) {
            fail(trouble, sipyard::format("pvar \"{}\": {}", pvar.text, refusal->message), {},
                 refusal->nearest);
            return nullptr;
        }
    }
    if (spec.inner != VariableSpec::Inner::none && spec.inner_optional && spec.parse && !how.parsed &&
        !how.inner_expr) {
        auto parsed = spec.parse("");
        if (parsed)
            how.parsed = arena_.make<std::shared_ptr<const void>>(std::move(*parsed)).get();
    }
    if (pvar.index) {
        const auto text = trim(*pvar.index);
        if (text == "*") {
            how.index.kind = Index::Kind::all;
        } else if (const auto at = parse_int(text)) {
            how.index = {Index::Kind::at, *at};
        } else if (is_one_variable(text)) {
            how.index_expr = variable(text, trouble);
            if (!how.index_expr)
                return nullptr;
        } else if (text != "+") { // [+] is as without an index: it reads the first and assigning adds one
            fail(trouble, sipyard::format("bad index in pvar \"{}\"", pvar.text), "a number, * or a pvar");
            return nullptr;
        }
    }
    return &arena_.make<ModuleVariable>(how);
}

const Place* VariableLinker::place(std::string_view text, Trouble& trouble)
{
    const auto refuse = [&]() -> const Place* {
        fail(trouble, sipyard::format("read only pvar in assignment left side: \"{}\"", text));
        return nullptr;
    };
    auto pvar = read_pvar(text);
    if (!pvar) {
        fail(trouble, pvar.error().text);
        return nullptr;
    }
    bool known = false;
    const Expr* const built = built_in(*pvar, trouble, known);
    if (known) {
        if (!built)
            return nullptr;
        const auto* var = dynamic_cast<const ScriptVar*>(built);
        return var && pvar->steps.empty() ? &arena_.make<ScriptVarPlace>(var->slot()) : refuse();
    }
    const ModuleVariable* const variable = module_variable(*pvar, trouble);
    if (!variable)
        return nullptr;
    return variable->writable() && pvar->steps.empty() ? variable : refuse();
}

// --- transformations -----------------------------------------------------------------------------

const Expr* VariableLinker::transformed(const Expr& base, std::string_view steps, Trouble& trouble)
{
    std::vector<Transformed::Step> made;
    while (!(steps = trim(steps)).empty()) {
        made.emplace_back();
        if (!step(steps, made.back(), trouble))
            return nullptr;
    }
    return &arena_.make<Transformed>(base, copy(made));
}

bool VariableLinker::step(std::string_view& steps, Transformed::Step& made, Trouble& trouble)
{
    auto text = take_step(steps, op_is_raw, &catalogue_);
    if (!text) {
        fail(trouble, text.error().text);
        return false;
    }
    const auto name = sipyard::format("{}.{}", text->class_name, text->op);
    if (!catalogue_.has_class(text->class_name)) {
        fail(trouble,
             sipyard::format("unknown transformation class \"{}\" in {{{}}}", text->class_name, name), {},
             catalogue_.nearest_class(text->class_name));
        return false;
    }
    made.spec = catalogue_.transformation(text->class_name, text->op);
    if (!made.spec) {
        fail(trouble, sipyard::format("unknown transformation {{{}}}", name), {},
             catalogue_.nearest_op(text->class_name, text->op));
        return false;
    }
    made.as_it_is = text->class_name == "val";
    if (made.spec->op.empty() && !text->op.empty())
        made.op = arena_.copy(text->op);
    if (made.spec->raw) {
        auto parsed = made.spec->parse(text->arguments.value_or(""));
        if (!parsed) {
            fail(trouble, sipyard::format("{{{}}}: {}", name, parsed.error().text));
            return false;
        }
        made.parsed = arena_.make<std::shared_ptr<const void>>(std::move(*parsed)).get();
        made.is_known = made.op.empty();
        return true;
    }
    std::vector<const Expr*> args;
    if (text->arguments)
        for (const auto arg : split_arguments(*text->arguments)) {
            const auto trimmed = trim(arg);
            args.push_back(is_one_variable(trimmed) ? variable(trimmed, trouble) : constant(arg));
            if (!args.back())
                return false;
        }
    if (args.size() < made.spec->least || args.size() > made.spec->most ||
        args.size() + (made.op.empty() ? 0 : 1) > Transformed::most_args) {
        fail(trouble, sipyard::format("{{{}}} has {} arguments", name, args.size()),
             made.spec->least == made.spec->most
                 ? sipyard::format("{} of them", made.spec->least)
                 : sipyard::format("{} to {} of them", made.spec->least, made.spec->most));
        return false;
    }
    if (made.spec->check) {
        std::vector<Value> constants;
        for (const Expr* arg : args)
            constants.push_back(arg->constant() ? *arg->constant() : Value{});
        if (const auto good = made.spec->check(constants); !good) {
            fail(trouble, sipyard::format("{{{}}}: {}", name, good.error().text));
            return false;
        }
    }
    made.args = copy(args);
    std::vector<Value> known;
    if (!made.op.empty())
        known.emplace_back(made.op);
    for (const Expr* arg : args)
        if (const Value* const value = arg->constant())
            known.push_back(*value);
    made.is_known = known.size() == args.size() + (made.op.empty() ? 0 : 1);
    if (made.is_known)
        made.known = copy(known);
    return true;
}

// --- formats -------------------------------------------------------------------------------------

const Expr* VariableLinker::format(std::string_view text, Trouble& trouble)
{
    if (is_one_variable(text))
        return variable(text, trouble);
    std::vector<Interpolated::Piece> pieces;
    std::string plain;
    const auto flush = [&] {
        if (!plain.empty())
            pieces.push_back({arena_.copy(plain), nullptr, true});
        plain.clear();
    };
    for (std::size_t at = 0; at < text.size();) {
        if (text[at] != '$') {
            plain += text[at++];
        } else if (at + 1 < text.size() && text[at + 1] == '$') {
            plain += '$';
            at += 2;
        } else {
            auto pvar = read_pvar(text.substr(at));
            if (!pvar)
                return fail(trouble, pvar.error().text, "a variable, or $$ for a dollar sign");
            const Expr* const expr = read(*pvar, trouble);
            if (!expr)
                return nullptr;
            flush();
            pieces.push_back({{}, expr, pvar->steps.empty()});
            at += pvar->text.size();
        }
    }
    if (pieces.empty())
        return constant(std::string_view{plain});
    flush();
    return &arena_.make<Interpolated>(copy(pieces));
}

} // namespace sipyard::script
