// modules/sqlops/connection.h - modparam sqlcon: "name=>url"
#pragma once

#include "core/base/from_text.h"
#include "core/db/url.h"

#include <string>
#include <string_view>

namespace sipyard::sqlops {

struct NamedUrl {
    std::string name;
    db::Url url;
};

} // namespace sipyard::sqlops

template <>
struct sipyard::FromText<sipyard::sqlops::NamedUrl> {
    static constexpr bool integer = false;
    static constexpr std::string_view expected = "a connection: name=>database URL";
    static Result<sqlops::NamedUrl> parse(std::string_view text)
    {
        const auto arrow = text.find("=>");
        const auto name = trim(text.substr(0, arrow));
        if (arrow == std::string_view::npos || name.empty())
            return invalid("expected name=>database URL");
        TRY(auto url, db::Url::parse(trim(text.substr(arrow + 2))));
        return sqlops::NamedUrl{std::string{name}, std::move(url)};
    }
};
