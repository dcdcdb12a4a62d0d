// modules/presence_dialoginfo/quirks.h - what single phones need, told by their User-Agent
#pragma once

#include "core/base/from_text.h"
#include "core/base/regex.h"
#include "modules/presence_dialoginfo/view.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::presence_dialoginfo {

// Words: single_dialog, caller_confirmed, idle_body=..., dialog_privacy=... ; `none` changes nothing.
struct Quirks {
    bool single_dialog = false, caller_confirmed = false;
    std::optional<IdleBody> idle;
    std::optional<Privacy> privacy;

    void apply(View& view) const;
    friend bool operator==(const Quirks&, const Quirks&) = default;
};

// Words between blanks, commas or semicolons. Words that are not ours come back in `unknown`, when given.
Quirks read_quirks(std::string_view words, std::vector<std::string>* unknown = nullptr);

// "regular expression => words"; the expression as in the script's =~.
struct QuirkRule {
    Regex user_agent;
    Quirks quirks;
};

// The rules that come with the module, one for each phone known to need one.
std::span<const std::string_view> shipped_quirk_rules();

// Immutable. The first rule that matches counts.
class QuirkTable {
public:
    QuirkTable(std::vector<QuirkRule> own, bool shipped_too);
    Quirks of(std::string_view user_agent) const;

private:
    std::vector<QuirkRule> rules_;
};

} // namespace sipyard::presence_dialoginfo

template <>
struct sipyard::FromText<sipyard::presence_dialoginfo::QuirkRule> {
    static constexpr bool integer = false;
    static constexpr std::string_view expected = "a rule 'regular expression => quirks'";
    static Result<presence_dialoginfo::QuirkRule> parse(std::string_view text);
};
