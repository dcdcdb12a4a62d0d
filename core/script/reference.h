// core/script/reference.h - variables and formats as modules hold them: VariableRef and Host::Format over
// linked nodes
#pragma once

#include "core/script/engine_parts.h"
#include "core/script/variable_linker.h"

#include <memory>
#include <string>
#include <string_view>

namespace sipyard::script {

// The nodes lie in an arena that outlives it: the program's, or its own when a module compiled it.
class Reference final : public VariableRef {
public:
    Reference(Engine::Parts& parts, const Expr& expr, const Place* place, std::string_view text,
              std::unique_ptr<Arena> arena = {})
        : parts_{parts}, expr_{expr}, place_{place}, text_{text}, arena_{std::move(arena)}
    {
    }
    Value get(Request& request) const override;
    bool set(Request& request, const Value& value) const override;
    std::string_view text() const override { return text_; }

private:
    Engine::Parts& parts_;
    const Expr& expr_;
    const Place* place_; // null: read-only
    const std::string text_;
    const std::unique_ptr<Arena> arena_;
};

class CompiledFormat final : public Host::Format {
public:
    CompiledFormat(Engine::Parts& parts, const Expr& expr, std::unique_ptr<Arena> arena)
        : parts_{parts}, expr_{expr}, arena_{std::move(arena)}
    {
    }
    std::string_view expand(Request& request) const override;

private:
    Engine::Parts& parts_;
    const Expr& expr_;
    const std::unique_ptr<Arena> arena_;
};

} // namespace sipyard::script
