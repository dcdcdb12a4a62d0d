// modules/avpops/avpops.h - AVPs checked, copied, computed, substituted, pushed into the message, kept in a
// database
#pragma once

#include "core/module/module.h"
#include "modules/avpops/expression.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::avpops {

// db_scheme: where else a value may be kept: "name:table=t;uuid_col=u;value_col=v;value_type=string".
struct Scheme {
    std::string name, table, uuid_column, username_column, domain_column, value_column;
    bool integer = false;
};

class AvpOps {
public:
    struct Settings {
        std::string db_url, avp_table, uuid_column = "uuid", username_column = "username",
                                       domain_column = "domain", attribute_column = "attribute",
                                       value_column = "value", type_column = "type";
        bool use_domain = false;
        std::vector<Scheme> schemes;
    };
    static Manifest<AvpOps> manifest();

    AvpOps(const Settings& settings, Host& host);

private:
    // An AVP's name, or any other variable; compiled once for each text.
    struct Source {
        std::optional<AvpList::Name> name;           // of $avp(constant)
        std::shared_ptr<const Host::Format> dynamic; // of $avp($var(x)); owned here
        std::shared_ptr<const VariableRef> variable; // anything else; owned here
        bool is_avp() const { return name || dynamic; }
    };
    using SourcePtr =
        std::shared_ptr<const Source>; // shared by the table of known texts and who uses it just now
    // a | i | s: which kinds of names; else one AVP.
    struct Selection {
        bool any = false, strings = false, integers = false;
        SourcePtr one;
    };

    // --- on AVPs: memory.cpp ---
    Verdict avp_check(Request& request, Literal name, const CheckValue& value);
    Verdict avp_copy(Request& request, Literal from, Literal to);
    Verdict avp_op(Request& request, Literal names, const OpValue& value);
    Verdict avp_delete(Request& request, Literal name);
    Verdict avp_pushto(Request& request, Literal destination, Literal name);
    Verdict avp_printf(Request& request, const VariableRef& to, std::string_view text);
    Verdict avp_subst(Request& request, Literal avps, const Substitution& substitution);
    Verdict avp_subst_pv(Request& request, Literal avps, std::string_view substitution);
    Verdict is_avp_set(Request& request, Literal name);
    Verdict avp_print(Request& request);
    Verdict substitute(Request& request, std::string_view avps, const Substitution& substitution,
                       bool expand);
    bool push_uri(Request& request, std::string_view part, std::string_view value, bool first);

    // --- in the database: database.cpp ---
    Verdict avp_db_load(Request& request, Literal source, Literal name);
    Verdict avp_db_store(Request& request, Literal source, Literal name);
    Verdict avp_db_delete(Request& request, Literal source, Literal name);
    Verdict avp_db_query(Request& request, std::string_view query, std::optional<Literal> destinations);
    struct Owner { // whose AVPs, as columns and values
        std::vector<std::pair<std::string, std::string>> keys;
    };
    struct Place {
        Selection selection;
        const Scheme* scheme = nullptr; // null: the table
        std::string table;
    };
    Result<Owner> owner_of(Request& request, std::string_view source, const Scheme* scheme);
    Result<Place> place_of(std::string_view name);
    Verdict told(std::string_view function, const Error& error) const;

    Result<SourcePtr> source(std::string_view text);
    Result<Selection> selection(std::string_view text);
    AvpList::Name name_of(const Source& source, Request& request) const;
    Value value_of(const Source& source, Request& request) const; // the newest
    // All values of an AVP, newest first, copied into the arena; a variable has one.
    std::vector<Value> values_of(const Source& source, Request& request) const;
    Result<std::vector<Value>> operand_values(const Operand& operand, Request& request);

    const Settings settings_;
    Host& host_;
    const log::Logger log_;
    db::Database* const database_;                                   // null without db_url
    Guarded<std::map<std::string, SourcePtr, std::less<>>> sources_; // as many as the script has texts
    Guarded<std::map<std::string, std::shared_ptr<const Host::Format>, std::less<>>> formats_;
};

} // namespace sipyard::avpops

template <>
struct sipyard::FromText<sipyard::avpops::Scheme> {
    static constexpr bool integer = false;
    static constexpr std::string_view expected = "NAME:table=T;uuid_col=U;value_col=V;value_type=string";
    static Result<avpops::Scheme> parse(std::string_view text);
};
