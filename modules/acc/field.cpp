// modules/acc/field.cpp - splitting and compiling lists of extra fields
#include "modules/acc/field.h"

#include "core/base/text.h"
#include "core/module/host.h"

namespace sipyard::acc {

Result<std::vector<std::pair<std::string, std::string>>> split_fields(std::string_view text)
{
    std::vector<std::pair<std::string, std::string>> found;
    const auto take = [&found](std::string_view part) -> Result<void> {
        part = trim(part);
        if (part.empty())
            return {};
        const auto equals = part.find('=');
        const auto name = trim(part.substr(0, equals));
        const auto source =
            equals == std::string_view::npos ? std::string_view{} : trim(part.substr(equals + 1));
        if (name.empty() || !source.starts_with('$'))
            return invalid(format("'{}' is not name=$variable", part));
        found.emplace_back(name, source);
        return {};
    };
    std::size_t start = 0, depth = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '(' || c == '{')
            ++depth;
        else if ((c == ')' || c == '}') && depth > 0)
            --depth;
        else if (c == ';' && depth == 0) {
            TRYV(take(text.substr(start, i - start)));
            start = i + 1;
        }
    }
    TRYV(take(text.substr(start)));
    return found;
}

Result<std::vector<Field>> read_fields(Host& host, std::string_view text)
{
    TRY(auto parts, split_fields(text));
    std::vector<Field> fields;
    for (auto& [name, source] : parts) {
        auto variable = host.compile_variable(source);
        if (!variable)
            return invalid(format("{}={}: {}", name, source, variable.error().text));
        fields.push_back({std::move(name), std::move(*variable)});
    }
    return fields;
}

Result<std::vector<LegField>> read_legs(std::string_view text)
{
    TRY(auto parts, split_fields(text));
    std::vector<LegField> legs;
    for (auto& [name, source] : parts) {
        std::string_view inner = source;
        if (!inner.starts_with("$avp(") || !inner.ends_with(')'))
            return invalid(format("{}={}: a leg is described by AVPs, such as $avp(src)", name, source));
        inner = inner.substr(5, inner.size() - 6);
        if (inner.empty() || inner.find_first_of("$()[]{}") != std::string_view::npos)
            return invalid(format("{}={}: the AVP's name must be constant", name, source));
        legs.push_back({std::move(name), AvpList::Name::parse(inner)});
    }
    return legs;
}

} // namespace sipyard::acc
