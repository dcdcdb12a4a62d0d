// modules/htable/matcher.cpp - comparing names and values
#include "modules/htable/matcher.h"

#include "core/base/format.h"
#include "core/base/text.h"

namespace sipyard::htable {

Result<MatcherView> MatcherView::parse(std::string_view op, std::string_view text)
{
    MatcherView matcher;
    matcher.text_ = text;
    if (op == "eq") {
        matcher.op_ = Op::equal;
    } else if (op == "ne") {
        matcher.op_ = Op::differs;
    } else if (op == "sw") {
        matcher.op_ = Op::prefix;
    } else if (op == "re") {
        matcher.op_ = Op::regex;
        TRY(matcher.regex_, Regex::compile(text, Regex::Syntax::posix_extended, Regex::Case::insensitive,
                                           LineEnds::separates));
    } else {
        return invalid(format("'{}' is none of the operators eq ne re sw", op));
    }
    return matcher;
}

Result<MatcherView> MatcherView::parse_counted(std::string_view expression)
{
    if (expression == "**")
        return MatcherView{};
    if (expression.starts_with("~~"))
        return parse("re", expression.substr(2));
    if (expression.starts_with("~%"))
        return parse("sw", expression.substr(2));
    if (expression.starts_with("eq"))
        return parse("eq", expression.substr(2));
    return parse("re", expression);
}

bool MatcherView::matches(std::string_view text) const
{
    switch (op_) {
    case Op::all: return true;
    case Op::equal: return text == text_;
    case Op::differs: return text != text_;
    case Op::prefix: return text.starts_with(text_);
    case Op::regex: return regex_->matches(text);
    }
    return false;
}

bool MatcherView::matches(const Held& value) const
{
    if (const auto* text = std::get_if<std::string>(&value))
        return matches(std::string_view{*text});
    char digits[24];
    return matches(std::string_view{digits, put_int(digits, std::get<std::int64_t>(value))});
}

} // namespace sipyard::htable
