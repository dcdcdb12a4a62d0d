// core/script/preprocessor.cpp - the state behind #!define, #!subst and #!ifdef
#include "core/script/preprocessor.h"

#include "core/base/format.h"
#include "core/base/text.h"
#include "core/script/ifexp.h"

#include <cstdlib>
#include <utility>

namespace sipyard::script {

namespace {

// The release whose guarded parts of public configurations we take.
constexpr const char* version_major = "5";
constexpr const char* version_minor = "8";
constexpr const char* version_patch = "4";
constexpr const char* version_number = "5008004";

constexpr std::size_t longest_value = 1 << 16; // what a rule may make of a string

bool is_identifier(std::string_view text)
{
    if (text.empty() || is_digit(text.front()))
        return false;
    for (const char c : text)
        if (!is_alnum(c) && c != '_')
            return false;
    return true;
}

} // namespace

Preprocessor::Preprocessor(Expand expand) : expand_{std::move(expand)}
{
    const std::string major = std::string{"KAMAILIO_"} + version_major;
    defines_[major] = "";
    defines_[major + "_" + version_minor] = "";
    defines_[major + "_" + version_minor + "_" + version_patch] = "";
    defines_["KAMAILIO_VERSION"] = version_number;
    defines_["OS_NAME"] = "\"linux\"";
    defines_["SIPYARD"] = "";
}

Result<void> Preprocessor::define(const std::string& id, std::string value, Existing existing)
{
    const auto found = defines_.find(id);
    if (found != defines_.end()) {
        if (existing == Existing::error)
            return invalid(format("already defined: {}", id));
        if (existing == Existing::replace)
            found->second = std::move(value);
        return {};
    }
    if (own_defines_ >= most_defines)
        return invalid(format("too many defines, at most {} are allowed", most_defines));
    ++own_defines_;
    defines_.emplace(id, std::move(value));
    return {};
}

bool Preprocessor::undef(const std::string& id)
{
    if (defines_.erase(id) == 0)
        return false;
    if (own_defines_ > 0)
        --own_defines_;
    return true;
}

std::optional<std::string> Preprocessor::value(std::string_view id) const
{
    const auto found = defines_.find(id);
    if (found == defines_.end())
        return std::nullopt;
    return found->second;
}

void Preprocessor::module_loaded(std::string_view module)
{
    defines_.emplace("MOD_" + std::string{module}, "");
}

Result<void> Preprocessor::define_from_environment(std::string_view spec, bool quoted, bool may_be_missing)
{
    const auto equals = spec.find('=');
    const std::string id{trim(spec.substr(0, equals))};
    const std::string variable{equals == std::string_view::npos ? id
                                                                : std::string{trim(spec.substr(equals + 1))}};
    if (!is_identifier(id) || variable.empty())
        return invalid(format("'{}' is not ID or ID=ENV", spec));
    const char* value = std::getenv(variable.c_str());
    if (value == nullptr) {
        if (may_be_missing)
            return {};
        return Error{ErrorKind::not_found, format("environment variable {} is not set", variable)};
    }
    return define(id, quoted ? format("\"{}\"", value) : std::string{value}, Existing::error);
}

Result<void> Preprocessor::define_expression(const std::string& id, std::string_view expression, bool quoted)
{
    TRY(auto value, evaluate_ifexp(expression, [this](std::string_view name) { return this->value(name); }));
    const auto* number = std::get_if<std::int64_t>(&value);
    std::string text = number ? std::to_string(*number) : std::get<std::string>(value);
    return define(id, quoted ? format("\"{}\"", text) : std::move(text), Existing::error);
}

Result<void> Preprocessor::add_substitution(std::string_view text, AlsoDefine also)
{
    TRY(auto substitution, Substitution::parse(text));
    Rule rule{std::move(substitution), {}};
    if (rule.substitution.replacement.find('$') != std::string::npos) {
        TRY(rule.replacement, expand_(rule.substitution.replacement));
    } else {
        rule.replacement = rule.substitution.replacement;
    }
    if (also != AlsoDefine::no) {
        // The pattern between the separators is the name as it is written.
        std::string_view rest = text.substr(1);
        const std::string id{cut(rest, text.front())};
        if (!is_identifier(id))
            return invalid(format("'{}' is not a name that can be defined", id));
        const std::string value =
            also == AlsoDefine::quoted ? format("\"{}\"", rule.replacement) : rule.replacement;
        TRYV(define(id, value, Existing::error));
    }
    rules_.push_back(std::move(rule));
    return {};
}

std::string Preprocessor::substituted(std::string text) const
{
    for (const Rule& rule : rules_) {
        std::string changed;
        if (rule.substitution.apply(text, rule.replacement, changed) != 0 && changed.size() <= longest_value)
            text = std::move(changed);
    }
    return text;
}

Result<void> Preprocessor::begin_if(bool holds, Position at)
{
    if (conditions_.size() >= deepest_ifdef)
        return invalid(format("too many nested #!ifdef, at most {} are allowed", deepest_ifdef));
    const bool outer = active();
    conditions_.push_back({outer && holds, outer, false, at});
    return {};
}

Result<bool> Preprocessor::evaluate(std::string_view expression) const
{
    TRY(const auto value,
        evaluate_ifexp(expression, [this](std::string_view name) { return this->value(name); }));
    return is_true(value);
}

bool Preprocessor::flip()
{
    if (conditions_.empty() || conditions_.back().flipped)
        return false;
    Condition& condition = conditions_.back();
    condition.flipped = true;
    condition.active = condition.outer && !condition.active;
    return true;
}

bool Preprocessor::end_if()
{
    if (conditions_.empty())
        return false;
    conditions_.pop_back();
    return true;
}

std::vector<Position> Preprocessor::open() const
{
    std::vector<Position> places;
    for (const Condition& condition : conditions_)
        places.push_back(condition.at);
    return places;
}

Result<std::string> expand_environment(std::string_view text)
{
    std::string out;
    for (Cursor in{text}; !in.at_end();) {
        out += in.take_until('$');
        if (in.at_end())
            break;
        in.next();
        if (in.accept('$')) {
            out += '$';
            continue;
        }
        const bool wrapped = in.accept('(');
        const bool null_is_empty = in.accept("envn(");
        if (!null_is_empty && !in.accept("env("))
            return invalid(format("'${}' has no value while the configuration is read", in.rest()));
        const std::string name{in.take_until(')')};
        if (!in.accept(')') || (wrapped && !in.accept(')')))
            return invalid(format("')' is missing in '{}'", text));
        const char* value = std::getenv(name.c_str());
        if (value == nullptr && !null_is_empty)
            return Error{ErrorKind::not_found, format("environment variable {} is not set", name)};
        out += value == nullptr ? "" : value;
    }
    return out;
}

} // namespace sipyard::script
