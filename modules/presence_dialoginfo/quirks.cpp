// modules/presence_dialoginfo/quirks.cpp - the words, the rules and the phones
#include "modules/presence_dialoginfo/quirks.h"

#include "core/base/text.h"

#include <utility>

namespace sipyard::presence_dialoginfo {

namespace {

constexpr std::string_view shipped[] = {
    // Linksys and Sipura SPA94x and 96x crash at a second dialog, and blink while their neighbour calls out
    "^(Linksys|Sipura|Cisco)/SPA-?9[46] => single_dialog, caller_confirmed",
    // CounterPath: the lamp stays as it was without a dialog
    "^(Bria|X-Lite|eyeBeam) => idle_body=dummy",
    // Aastra, later Mitel 67xx and 68xx: the same
    "^(Aastra|Mitel)[ /-]*6[78] => idle_body=dummy",
    // Yealink T2, T4, T5: idle is one terminated dialog in its manual
    "^Yealink => idle_body=dummy",
    // Programs on pjsip keep one dialog of a document
    "^(PJSUA|MicroSIP)|pjsip => single_dialog",
};

bool is_border(char c) { return is_space(c) || c == ',' || c == ';'; }

bool take_word(std::string_view word, Quirks& quirks)
{
    if (iequals(word, "none"))
        return true;
    if (iequals(word, "single_dialog"))
        return quirks.single_dialog = true;
    if (iequals(word, "caller_confirmed"))
        return quirks.caller_confirmed = true;
    std::string_view value = word;
    const std::string_view name = cut(value, '=');
    if (iequals(name, "idle_body")) {
        if (const auto idle = FromText<IdleBody>::parse(value)) {
            quirks.idle = *idle;
            return true;
        }
    } else if (iequals(name, "dialog_privacy")) {
        if (const auto privacy = FromText<Privacy>::parse(value)) {
            quirks.privacy = *privacy;
            return true;
        }
    }
    return false;
}

} // namespace

void Quirks::apply(View& view) const
{
    view.single = view.single || single_dialog;
    view.caller_confirmed = view.caller_confirmed || caller_confirmed;
    view.idle = idle.value_or(view.idle);
    view.privacy = privacy.value_or(view.privacy);
}

Quirks read_quirks(std::string_view words, std::vector<std::string>* unknown)
{
    Quirks quirks;
    while (!words.empty()) {
        std::size_t size = 0;
        while (size < words.size() && !is_border(words[size]))
            ++size;
        const std::string_view word = words.substr(0, size);
        words.remove_prefix(size < words.size() ? size + 1 : size);
        if (!word.empty() && !take_word(word, quirks) && unknown)
            unknown->emplace_back(word);
    }
    return quirks;
}

std::span<const std::string_view> shipped_quirk_rules() { return shipped; }

QuirkTable::QuirkTable(std::vector<QuirkRule> own, bool shipped_too) : rules_{std::move(own)}
{
    if (shipped_too)
        for (const std::string_view rule : shipped_quirk_rules())
            rules_.push_back(must(FromText<QuirkRule>::parse(rule)));
}

Quirks QuirkTable::of(std::string_view user_agent) const
{
    for (const QuirkRule& rule : rules_)
        if (rule.user_agent.matches(user_agent))
            return rule.quirks;
    return {};
}

} // namespace sipyard::presence_dialoginfo

namespace sipyard {

Result<presence_dialoginfo::QuirkRule> FromText<presence_dialoginfo::QuirkRule>::parse(std::string_view text)
{
    using namespace presence_dialoginfo;
    const auto arrow = text.find("=>");
    if (arrow == std::string_view::npos)
        return invalid(format("'{}' is not {}", text, expected));
    TRY(Regex user_agent, FromText<Regex>::parse(trim(text.substr(0, arrow))));
    std::vector<std::string> unknown;
    const Quirks quirks = read_quirks(text.substr(arrow + 2), &unknown);
    if (!unknown.empty())
        return invalid(format("'{}' is no quirk of presence_dialoginfo (single_dialog, caller_confirmed, "
                              "idle_body=, dialog_privacy=, none)",
                              unknown.front()));
    return QuirkRule{std::move(user_agent), quirks};
}

} // namespace sipyard
