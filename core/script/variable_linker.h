// core/script/variable_linker.h - from the text of a variable or a format to the nodes that read and write it
#pragma once

#include "core/script/catalogue.h"
#include "core/script/pvar.h"
#include "core/script/variables.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::script {

// What is wrong with a name, in the parts a diagnostic has.
struct Trouble {
    std::string message, expected, nearest;
};

// The statement that is being linked, for $cfg(...). The views live as long as the arena.
struct Where {
    std::string_view file, route;
    std::uint32_t line = 0; // 0: outside of any script
};

// Nodes and texts go into the arena given, which outlives them. A null result means trouble.
class VariableLinker {
public:
    VariableLinker(Catalogue& catalogue, Arena& arena) : catalogue_{catalogue}, arena_{arena} {}

    // All of the text is one variable.
    const Expr* variable(std::string_view text, Trouble& trouble);
    // As the left side of an assignment: "read only pvar in assignment left side" otherwise.
    const Place* place(std::string_view text, Trouble& trouble);
    // A text with variables in it. One that is exactly a variable gives that variable's value with its type;
    // one without any is constant. "$$" is a dollar sign.
    const Expr* format(std::string_view text, Trouble& trouble);
    static bool is_one_variable(std::string_view text);
    static bool has_variables(std::string_view text);
    static std::string_view before_variables(std::string_view text); // all of it when there are none

    const Expr* constant(const Value& value); // copies its text
    template <class T>
    std::span<const T> copy(const std::vector<T>& items)
    {
        if (items.empty())
            return {};
        static_assert(std::is_trivially_destructible_v<T>);
        T* const to = static_cast<T*>(arena_.allocate(sizeof(T) * items.size(), alignof(T)));
        for (std::size_t i = 0; i < items.size(); ++i)
            new (to + i) T(items[i]);
        return {to, items.size()};
    }
    Arena& arena() { return arena_; }
    void set_where(const Where& where) { where_ = where; }
    Catalogue& catalogue() { return catalogue_; }

private:
    const Expr* read(const PvarText& pvar, Trouble& trouble);
    const Expr* built_in(const PvarText& pvar, Trouble& trouble, bool& known);
    const Expr* define(const PvarText& pvar, Trouble& trouble);
    const Expr* place_in_script(const PvarText& pvar, Trouble& trouble);
    const Expr* sending(const PvarText& pvar, Trouble& trouble);
    ModuleVariable* module_variable(const PvarText& pvar, Trouble& trouble);
    const Expr* transformed(const Expr& base, std::string_view steps, Trouble& trouble);
    bool step(std::string_view& steps, Transformed::Step& made, Trouble& trouble);
    const Expr* select(std::string_view path, Trouble& trouble);
    const Expr* tls_select(std::string_view path, Trouble& trouble);
    const Expr* global(std::string_view path, Trouble& trouble);

    Catalogue& catalogue_;
    Arena& arena_;
    Where where_;
    int depth_ = 0; // of variables inside names of variables
};

} // namespace sipyard::script
