// core/script/variables.h - reading and writing the variables of modules, transformations, texts with
// variables in them
#pragma once

#include "core/script/node.h"
#include "core/script/program.h"
#include "core/script/values.h"

#include <cstdint>
#include <span>
#include <string_view>

namespace sipyard::script {

// What may stand on the left of an assignment.
class Place {
public:
    virtual ~Place() = default;
    virtual bool assign(Run& run, const Value& value) const = 0; // false: refused
};

class ScriptVarPlace final : public Place {
public:
    explicit ScriptVarPlace(std::size_t slot) : slot_{slot} {}
    bool assign(Run& run, const Value& value) const override
    {
        run.context.vars->at(slot_).set(value);
        return true;
    }
    std::size_t slot() const { return slot_; }

private:
    const std::size_t slot_;
};

// A variable of a module: $ru, $hdr(X), $(avp($rU)[1]).
class ModuleVariable final : public Expr, public Place {
public:
    struct How {
        const VariableSpec* spec = nullptr;
        const ModuleCell* cell = nullptr;
        std::string_view inner;           // constant text
        const Expr* inner_expr = nullptr; // else evaluated
        const void* parsed = nullptr;     // constant inner, parsed
        Index index;
        const Expr* index_expr = nullptr;
        std::string_view text; // as written
    };
    explicit ModuleVariable(const How& how)
        : how_{how}, ready_{how.inner, how.parsed, how.index}, is_ready_{!how.inner_expr && !how.index_expr}
    {
    }
    Value value(Run& run) const override;
    bool assign(Run& run, const Value& value) const override;
    bool writable() const { return static_cast<bool>(how_.spec->set); }

private:
    template <class F>
    auto with_call(Run& run, F&& f) const;
    const How how_;
    const VariableSpec::Call ready_; // all there is to tell when nothing has to be evaluated first
    const bool is_ready_;
};

// $(x{class.op,...}{...})
class Transformed final : public Expr {
public:
    struct Step {
        const TransformationSpec* spec = nullptr;
        std::span<const Expr* const> args;
        const void* parsed = nullptr;
        std::string_view op;          // when the spec takes any op of its class: the first argument
        bool as_it_is = false;        // the op sees null and integers too (val.)
        std::span<const Value> known; // op and arguments when all of them are constant
        bool is_known = false;
    };
    static constexpr std::size_t most_args = 8;
    Transformed(const Expr& base, std::span<const Step> steps) : base_{base}, steps_{steps} {}
    Value value(Run& run) const override;
    bool reads_slot() const override { return base_.reads_slot(); }

private:
    const Expr& base_;
    const std::span<const Step> steps_;
};

// "call from $fu to $(ru{uri.user})"
class Interpolated final : public Expr {
public:
    struct Piece {
        std::string_view text;
        const Expr* expr = nullptr; // else the text
        bool marks_null = true;     // a null prints as <null>; after a transformation as nothing
    };
    explicit Interpolated(std::span<const Piece> pieces) : pieces_{pieces} {}
    Value value(Run& run) const override;
    void append(Run& run, std::string& out) const override;

private:
    const std::span<const Piece> pieces_;
};

class ReturnCode final : public Expr { // $rc $retcode $?
public:
    Value value(Run& run) const override { return run.request.return_code; }
};

// $snd(part), $sndto(part), $sndfrom(part): the message that is about to leave, in onsend_route; null
// elsewhere.
class Sending final : public Expr {
public:
    enum class Part : unsigned char { ip, port, proto, sproto, af, buf, len };
    // `whole`: $snd knows the bytes too. Nothing: there is no such part.
    static std::optional<Part> part_of(std::string_view name, bool whole);
    Sending(Part part, bool from) : part_{part}, from_{from} {}
    Value value(Run& run) const override;

private:
    const Part part_;
    const bool from_; // our socket, else the destination
};

// $sel(cfg_get.group.name)
class CustomGlobalRead final : public Expr {
public:
    CustomGlobalRead(std::shared_ptr<Globals> globals, std::size_t variable, std::string_view group)
        : globals_{std::move(globals)}, variable_{variable}, group_{group}
    {
    }
    Value value(Run& run) const override;

private:
    const std::shared_ptr<Globals> globals_; // shared with the program
    const std::size_t variable_;
    const std::string_view group_;
};

} // namespace sipyard::script
