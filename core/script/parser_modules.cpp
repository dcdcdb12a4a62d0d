// core/script/parser_modules.cpp - loadmodule and modparam (spec/script 8)
#include "core/base/format.h"
#include "core/base/regex.h"
#include "core/base/text.h"
#include "core/script/parser_state.h"

namespace sipyard::script {

namespace {

// What MOD_x is made of: the file's name without folder and ".so".
std::string_view module_stem(std::string_view file)
{
    const auto slash = file.rfind('/');
    if (slash != std::string_view::npos)
        file.remove_prefix(slash + 1);
    if (file.ends_with(".so"))
        file.remove_suffix(3);
    return file;
}

std::string_view type_word(bool integer) { return integer ? "int" : "string"; }

} // namespace

std::optional<std::string> Parser::expand(const std::string& text, Position at)
{
    if (text.find('$') == std::string::npos)
        return text;
    // $def(X) is known to the file only.
    std::string_view rest = text;
    const bool wrapped = rest.starts_with("$(def(") || rest.starts_with("$(defn(");
    if (wrapped || rest.starts_with("$def(") || rest.starts_with("$defn(")) {
        const auto open = rest.find('(', wrapped ? 2 : 0);
        const auto close = rest.find(')', open);
        if (close != std::string_view::npos && close + (wrapped ? 2 : 1) == rest.size()) {
            const auto value = pre_.value(rest.substr(open + 1, close - open - 1));
            if (value || rest.substr(0, open).ends_with("defn"))
                return value.value_or("");
            error(at, format("not defined: {}", rest.substr(open + 1, close - open - 1)));
            return std::nullopt;
        }
    }
    auto plain = options_.expand ? options_.expand(text) : expand_environment(text);
    if (plain)
        return std::move(plain).value();
    error(at, plain.error().text, "variables that are known at start: $env(X), $def(X)");
    return std::nullopt;
}

// No token behind the file name is looked at before the module is loaded: `#!ifdef MOD_x` may follow.
void Parser::read_loadmodule(bool expanded)
{
    const Token word = take();
    const bool parenthesis = accept("(");
    if (peek().kind != Token::Kind::string) {
        error(peek().at, "string value expected", "a module's name in quotes");
        return;
    }
    const Token file = take();
    if (parenthesis) {
        if (accept(",")) {
            if (peek().kind != Token::Kind::string)
                return error(peek().at, "string value expected", "options of the module");
            const Token options = take(); // of the dynamic linker's flags: nothing to choose here
            diagnostics_.warn(options.at, "options of loadmodule have no effect");
        }
        if (!peek().is(")"))
            return unexpected("')'");
    }
    std::optional<std::string> name = file.text;
    if (expanded)
        name = expand(file.text, file.at);
    if (name)
        load_module(*name, file.at);
    if (parenthesis)
        take();
}

bool Parser::load_module(const std::string& file, Position at)
{
    auto loaded = loader_.load(file, config_.module_paths);
    if (!loaded) {
        const std::vector<std::string> known = loader_.known();
        const std::vector<std::string_view> names{known.begin(), known.end()};
        error(at, format("failed to load module {}: {}", file, loaded.error().text), {},
              nearest(module_stem(file), names));
        return false;
    }
    const AnyManifest* manifest = *loaded;
    for (const ast::ModuleUse& use : config_.modules) {
        if (use.manifest == manifest) {
            error(at, format("attempting to load the same module twice ({})", use.name));
            return false;
        }
    }
    config_.modules.push_back({manifest->name, manifest, at, {}});
    pre_.module_loaded(module_stem(file));
    pre_.module_loaded(manifest->name);
    return true;
}

// modparam("mods", "name", value): a literal; modparamx: variables are evaluated and texts become numbers if
// needed.
void Parser::read_modparam(bool expanded)
{
    take();
    if (!expect("("))
        return;
    Token parts[2];
    for (Token& part : parts) {
        if (peek().kind != Token::Kind::string)
            return error(peek().at, "string value expected",
                         &part == parts ? "module names" : "the parameter's name");
        part = take();
        if (!expect(","))
            return;
    }
    const Position value_at = peek().at;
    GlobalValue value;
    if (const auto number = read_integer()) {
        value.number = *number;
    } else if (peek().kind == Token::Kind::string || (expanded && peek().kind == Token::Kind::variable)) {
        value.is_text = true;
        value.text = take().text;
        if (expanded) {
            auto plain = expand(value.text, value_at);
            if (!plain)
                return;
            value.text = std::move(*plain);
        }
    } else {
        return unexpected(expanded ? "a string, a number or a variable" : "a string or a number");
    }
    if (!expect(")"))
        return;
    set_param(parts[0].text, parts[0].at, parts[1].text, parts[1].at, value, value_at, expanded);
}

void Parser::set_param(const std::string& modules, Position modules_at, const std::string& name,
                       Position name_at, const GlobalValue& value, Position value_at, bool convert)
{
    const auto pattern =
        Regex::compile("^(" + modules + ")$", Regex::Syntax::posix_extended, Regex::Case::insensitive);
    if (!pattern)
        return error(modules_at, format("bad module pattern: {}", pattern.error().text));
    bool matched = false;
    for (ast::ModuleUse& use : config_.modules) {
        if (!pattern->matches(use.name))
            continue;
        matched = true;
        const ParamSpec* found = nullptr;
        const ParamSpec* other_type = nullptr;
        std::vector<std::string_view> names;
        for (const ParamSpec& spec : use.manifest->params) {
            names.push_back(spec.name);
            if (spec.name == name)
                (spec.integer != value.is_text ? found : other_type) = &spec;
        }
        ast::ModuleParam param{name, value.is_text ? value.text : std::to_string(value.number),
                               !value.is_text, found, name_at};
        if (found == nullptr && other_type != nullptr && convert) {
            // modparamx turns what it computed into what the parameter wants.
            found = other_type;
            param.spec = found;
            param.integer = found->integer;
        }
        if (found == nullptr) {
            const auto message = format("parameter <{}> of type <{}> not found in module <{}>", name,
                                        type_word(!value.is_text), use.name);
            if (other_type != nullptr)
                error(value_at, message,
                      other_type->integer ? "an integer without quotes" : "a string in quotes");
            else
                error(name_at, message, {}, nearest(name, names));
            continue;
        }
        if (use.manifest->make_settings != nullptr && found->set) {
            // Set into scratch settings: a bad value is reported here, where its place is known.
            const auto scratch = use.manifest->make_settings();
            if (const auto set = found->set(scratch.get(), param.value); !set) {
                error(value_at,
                      format("bad value for parameter <{}> of module <{}>: {}", name, use.name,
                             set.error().text),
                      found->expected);
                continue;
            }
        }
        use.params.push_back(std::move(param));
    }
    if (!matched) {
        std::vector<std::string_view> names;
        for (const ast::ModuleUse& use : config_.modules)
            names.push_back(use.name);
        error(modules_at, format("No module matching <{}> found", modules), "a module that was loaded before",
              nearest(modules, names));
    }
}

} // namespace sipyard::script
