// modules/avpops/avpops.cpp - what avpops offers
#include "modules/avpops/avpops.h"

namespace sipyard::avpops {

namespace {

db::Table preferences(const AvpOps::Settings& s)
{
    using Type = db::Column::Type;
    return {.name = s.avp_table,
            .version = 2,
            .columns = {{"id", Type::id},
                        {s.uuid_column, Type::varchar, 64, false, "''"},
                        {s.username_column, Type::varchar, 255, false, "'0'"},
                        {s.domain_column, Type::varchar, 64, false, "''"},
                        {s.attribute_column, Type::varchar, 32, false, "''"},
                        {s.type_column, Type::integer, 0, false, "0"},
                        {s.value_column, Type::varchar, 128, false, "''"},
                        {"last_modified", Type::datetime, 0, false, "'2000-01-01 00:00:01'"}},
            .indexes = {{s.uuid_column, s.attribute_column},
                        {s.username_column, s.domain_column, s.attribute_column}}};
}

} // namespace

AvpOps::AvpOps(const Settings& settings, Host& host)
    : settings_{settings}, host_{host}, log_{host.logger("avpops")},
      database_{settings.db_url.empty() ? nullptr
                                        : must(host.database(must(db::Url::parse(settings.db_url))))}
{
    for (const std::string* const name :
         {&settings.uuid_column, &settings.username_column, &settings.domain_column,
          &settings.attribute_column, &settings.value_column, &settings.type_column})
        (void)must(db::identifier(*name));
    if (settings.avp_table.empty())
        return;
    (void)must(db::identifier(settings.avp_table));
    host.add_table(preferences(settings));
}

Manifest<AvpOps> AvpOps::manifest()
{
    using M = AvpOps;
    using S = Settings;
    return {
        .name = "avpops",
        .about = "AVPs checked, copied, computed, substituted, pushed into the message, kept in a database",
        .params = {param("db_url", &S::db_url, "The database; empty: none"),
                   param("avp_table", &S::avp_table, "Table of the AVPs: usr_preferences"),
                   param("use_domain", &S::use_domain, "The domain of a URI tells users apart too"),
                   param("uuid_column", &S::uuid_column, "Column of the unique id"),
                   param("username_column", &S::username_column, "Column of the user"),
                   param("domain_column", &S::domain_column, "Column of the domain"),
                   param("attribute_column", &S::attribute_column, "Column of the AVP's name"),
                   param("value_column", &S::value_column, "Column of the value"),
                   param("type_column", &S::type_column,
                         "Column of the kind: 1 the value is a number, 2 the name is one, 3 both"),
                   param("db_scheme", &S::schemes, "Another table: NAME:table=T;uuid_col=U;value_col=V")},
        .functions = {function("avp_db_load", &M::avp_db_load, "Reads AVPs from the database"),
                      function("avp_db_store", &M::avp_db_store, "Adds AVPs to the database"),
                      function("avp_db_delete", &M::avp_db_delete, "Removes AVPs from the database"),
                      function("avp_db_query", &M::avp_db_query, "Any SQL, its rows as AVPs"),
                      function("avp_delete", &M::avp_delete, "Takes AVPs away"),
                      function("avp_pushto", &M::avp_pushto,
                               "Puts a value into the R-URI, the destination or a branch"),
                      function("avp_check", &M::avp_check, "Compares values"),
                      function("avp_copy", &M::avp_copy, "Copies or moves AVPs"),
                      function("avp_printf", &M::avp_printf, "Puts a text into a variable"),
                      function("avp_subst", &M::avp_subst, "Replaces in AVPs by a regular expression"),
                      function("avp_subst_pv", &M::avp_subst_pv,
                               "The same with an expression from variables"),
                      function("avp_op", &M::avp_op, "Computes with AVPs"),
                      function("is_avp_set", &M::is_avp_set, "Is there such an AVP?"),
                      function("avp_print", &M::avp_print, "Writes all AVPs to the log")},
    };
}

} // namespace sipyard::avpops

SIPYARD_MODULE(sipyard::avpops::AvpOps)
