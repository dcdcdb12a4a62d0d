// modules/avpops/database.cpp - AVPs in usr_preferences or a table of the operator's own
#include "core/base/text.h"
#include "core/sip/uri.h"
#include "modules/avpops/avpops.h"

namespace sipyard {

Result<avpops::Scheme> FromText<avpops::Scheme>::parse(std::string_view text)
{
    avpops::Scheme scheme;
    std::string_view rest = text;
    scheme.name = trim(cut(rest, ':'));
    for (const auto part : split(rest, ';')) {
        if (trim(part).empty())
            continue;
        std::string_view value = part;
        const auto name = trim(cut(value, '='));
        value = trim(value);
        if (iequals(name, "table"))
            scheme.table = value;
        else if (iequals(name, "uuid_col"))
            scheme.uuid_column = value;
        else if (iequals(name, "username_col"))
            scheme.username_column = value;
        else if (iequals(name, "domain_col"))
            scheme.domain_column = value;
        else if (iequals(name, "value_col"))
            scheme.value_column = value;
        else if (iequals(name, "value_type") && (iequals(value, "integer") || iequals(value, "string")))
            scheme.integer = iequals(value, "integer");
        else
            return invalid(format("db_scheme: '{}' is not {}", part, expected));
    }
    if (scheme.name.empty() || scheme.table.empty() || scheme.value_column.empty())
        return invalid(format("db_scheme '{}' needs a name, table= and value_col=", text));
    for (const std::string* const column : {&scheme.table, &scheme.uuid_column, &scheme.username_column,
                                            &scheme.domain_column, &scheme.value_column})
        if (!column->empty())
            TRYV(db::identifier(*column));
    return scheme;
}

namespace avpops {

namespace {

std::string where_of(const std::vector<std::pair<std::string, std::string>>& keys,
                     std::vector<db::Value>& values)
{
    std::string where;
    for (const auto& [column, value] : keys) {
        where += (where.empty() ? "" : " AND ") + column + " = ?";
        values.emplace_back(value);
    }
    return where;
}

std::string attribute_of(const AvpList::Name& name)
{
    return name.numeric ? std::to_string(name.number) : name.text;
}

// Column type: 1 the value is a number, 2 the name is one.
int type_of(const AvpList::Name& name, const Value& value)
{
    return (value.is_integer() ? 1 : 0) | (name.numeric ? 2 : 0);
}

AvpList::Name stored_name(std::string_view attribute, std::int64_t type)
{
    AvpList::Name name;
    if ((type & 2) != 0) {
        name.numeric = true;
        name.number = parse_int(attribute).value_or(0);
    } else {
        name.text = attribute;
    }
    return name;
}

} // namespace

Verdict AvpOps::told(std::string_view function, const Error& error) const
{
    log_.error("{}: {}", function, error.text);
    return Verdict::no();
}

// source = (variable | text)[/username | /domain | /uri | /uuid]; the variables that hold a URI are one
// without being asked.
Result<AvpOps::Owner> AvpOps::owner_of(Request& request, std::string_view text, const Scheme* scheme)
{
    const auto parts = pieces(text);
    const bool is_uri = parts[0] == "$ru" || parts[0] == "$fu" || parts[0] == "$tu" || parts[0] == "$ou";
    const std::string_view kind = parts.size() > 1 ? parts[1] : is_uri ? "uri" : "uuid";
    if (parts.size() > 2)
        return invalid(format("'{}' is not VARIABLE/username|domain|uri|uuid", text));
    std::string_view value = parts[0];
    if (value.starts_with('$')) {
        TRY(const auto of, source(value));
        const Value got = value_of(*of, request);
        if (got.is_null())
            return Error{ErrorKind::not_found, format("{} has no value", parts[0])};
        value = got.is_integer() ? request.arena().copy(std::to_string(got.number())) : got.text();
    }
    const std::string& uuid = scheme ? scheme->uuid_column : settings_.uuid_column;
    const std::string& user = scheme ? scheme->username_column : settings_.username_column;
    const std::string& domain = scheme ? scheme->domain_column : settings_.domain_column;
    const auto column = [text](const std::string& name) -> Result<std::string> {
        if (name.empty())
            return invalid(format("'{}': the scheme names no column for that", text));
        return name;
    };
    Owner owner;
    if (iequals(kind, "uuid")) {
        TRY(const auto name, column(uuid));
        owner.keys.emplace_back(name, value);
        return owner;
    }
    if (!iequals(kind, "uri") && !iequals(kind, "username") && !iequals(kind, "domain"))
        return invalid(format("'{}': '{}' is not username, domain, uri or uuid", text, kind));
    sip::Uri uri;
    if (const auto complaint = sip::read(value, uri); !complaint.empty())
        return invalid(format("'{}' is not a URI: {}", value, complaint));
    if (!iequals(kind, "domain")) {
        TRY(const auto name, column(user));
        owner.keys.emplace_back(name, uri.user);
    }
    if (iequals(kind, "domain") ||
        (iequals(kind, "uri") && settings_.use_domain && (!scheme || !domain.empty()))) {
        TRY(const auto name, column(domain));
        owner.keys.emplace_back(name, uri.host);
    }
    return owner;
}

// name = AVP or flags, then /table or /$scheme.
Result<AvpOps::Place> AvpOps::place_of(std::string_view text)
{
    if (!database_)
        return invalid("there is no db_url");
    const auto parts = pieces(text);
    if (parts.size() > 2)
        return invalid(format("'{}' is not AVP[/TABLE|/$SCHEME]", text));
    Place place;
    TRY(place.selection, selection(parts[0]));
    const std::string_view where = parts.size() == 2 ? parts[1] : std::string_view{};
    if (where.starts_with('$')) {
        for (const Scheme& scheme : settings_.schemes)
            if (scheme.name == where.substr(1))
                place.scheme = &scheme;
        if (!place.scheme)
            return invalid(format("there is no db_scheme '{}'", where.substr(1)));
        if (place.selection.any)
            return invalid(format("'{}': a scheme needs the name of an AVP", text));
        place.table = place.scheme->table;
        return place;
    }
    if (where.empty() && settings_.avp_table.empty())
        return invalid("there is no avp_table");
    TRY(place.table, db::identifier(where.empty() ? std::string_view{settings_.avp_table} : where));
    return place;
}

Verdict AvpOps::avp_db_load(Request& request, Literal source_text, Literal name)
{
    const auto place = place_of(name.text);
    if (!place)
        return told("avp_db_load", place.error());
    const auto owner = owner_of(request, source_text.text, place->scheme);
    if (!owner)
        return told("avp_db_load", owner.error());
    const AvpList::Name one =
        place->selection.any ? AvpList::Name{} : name_of(*place->selection.one, request);
    std::vector<db::Value> values;
    std::string where = where_of(owner->keys, values);
    std::string sql;
    if (place->scheme) {
        sql = format("SELECT {} FROM {} WHERE {}", place->scheme->value_column, place->table, where);
    } else {
        if (!place->selection.any) {
            where += format(" AND {} = ?", settings_.attribute_column);
            values.emplace_back(attribute_of(one));
        }
        sql = format("SELECT {}, {}, {} FROM {} WHERE {}", settings_.value_column, settings_.attribute_column,
                     settings_.type_column, place->table, where);
    }
    const auto rows = database_->read(std::move(sql), std::move(values));
    if (!rows)
        return told("avp_db_load", rows.error());
    bool loaded = false;
    request.with_avps([&](AvpStore& store) {
        for (const auto& row : rows->rows) {
            if (row[0].is_null())
                continue;
            const std::int64_t type = place->scheme ? (place->scheme->integer ? 1 : 0) : row[2].integer();
            const std::string attribute = place->scheme ? std::string{} : row[1].print();
            const AvpList::Name target = place->selection.any ? stored_name(attribute, type) : one;
            if (place->selection.any &&
                !(target.numeric ? place->selection.integers : place->selection.strings))
                continue;
            const std::string text = row[0].print();
            if ((type & 1) != 0)
                store.avps.push(target, parse_int(text).value_or(0));
            else
                store.avps.push(target, std::string_view{text});
            loaded = true;
        }
    });
    return Verdict::of(loaded);
}

Verdict AvpOps::avp_db_store(Request& request, Literal source_text, Literal name)
{
    const auto place = place_of(name.text);
    if (!place)
        return told("avp_db_store", place.error());
    const auto owner = owner_of(request, source_text.text, place->scheme);
    if (!owner)
        return told("avp_db_store", owner.error());
    const AvpList::Name one =
        place->selection.any ? AvpList::Name{} : name_of(*place->selection.one, request);
    // The job owns what it writes.
    const auto rows =
        std::make_shared<std::vector<std::vector<db::Value>>>(); // shared with the job, which may run twice
    request.with_avps([&](const AvpStore& store) {
        store.avps.each([&](const AvpList::Name& found, const Value& value) {
            if (place->selection.any ? !(found.numeric ? place->selection.integers : place->selection.strings)
                                     : found != one)
                return;
            std::vector<db::Value> row;
            for (const auto& [column, key] : owner->keys)
                row.emplace_back(key);
            row.emplace_back(value.is_integer() ? std::to_string(value.number()) : std::string{value.text()});
            if (!place->scheme) {
                row.emplace_back(attribute_of(found));
                row.emplace_back(type_of(found, value));
            }
            rows->push_back(std::move(row));
        });
    });
    if (rows->empty())
        return Verdict::no();
    std::string columns, marks;
    for (const auto& [column, key] : owner->keys) {
        columns += column + ", ";
        marks += "?, ";
    }
    const std::string sql = place->scheme ? format("INSERT INTO {} ({}{}) VALUES ({}?)", place->table,
                                                   columns, place->scheme->value_column, marks)
                                          : format("INSERT INTO {} ({}{}, {}, {}) VALUES ({}?, ?, ?)",
                                                   place->table, columns, settings_.value_column,
                                                   settings_.attribute_column, settings_.type_column, marks);
    const auto stored = database_->transaction<void>([rows, sql](db::Connection& connection) -> Result<void> {
        for (const auto& row : *rows)
            TRYV(connection.run(sql, row));
        return {};
    });
    return stored ? Verdict::yes() : told("avp_db_store", stored.error());
}

Verdict AvpOps::avp_db_delete(Request& request, Literal source_text, Literal name)
{
    const auto place = place_of(name.text);
    if (!place)
        return told("avp_db_delete", place.error());
    const auto owner = owner_of(request, source_text.text, place->scheme);
    if (!owner)
        return told("avp_db_delete", owner.error());
    std::vector<db::Value> values;
    std::string where = where_of(owner->keys, values);
    if (!place->scheme) {
        if (!place->selection.any) {
            where += format(" AND {} = ?", settings_.attribute_column);
            values.emplace_back(attribute_of(name_of(*place->selection.one, request)));
        } else if (!place->selection.strings) {
            where += format(" AND {} >= 2", settings_.type_column);
        } else if (!place->selection.integers) {
            where += format(" AND {} < 2", settings_.type_column);
        }
    }
    const auto done =
        database_->write(format("DELETE FROM {} WHERE {}", place->table, where), std::move(values));
    return done ? Verdict::yes() : told("avp_db_delete", done.error());
}

// The columns go to the named AVPs, or to i:1, i:2 ...; the first row ends on top.
Verdict AvpOps::avp_db_query(Request& request, std::string_view query, std::optional<Literal> destinations)
{
    if (!database_)
        return told("avp_db_query", invalid("there is no db_url"));
    std::vector<AvpList::Name> names;
    if (destinations)
        for (const auto part : split(destinations->text, ';')) {
            if (trim(part).empty())
                continue;
            const auto of = source(trim(part));
            if (!of || !(*of)->is_avp())
                return told("avp_db_query", invalid(format("'{}' is not an AVP", part)));
            names.push_back(name_of(**of, request));
        }
    const bool reads = istarts_with(trim_left(query), "select");
    const auto rows = reads ? database_->read(std::string{query}) : database_->write(std::string{query});
    if (!rows)
        return told("avp_db_query", rows.error());
    if (rows->empty())
        return reads ? Verdict{-2} : Verdict::yes();
    request.with_avps([&](AvpStore& store) {
        for (auto row = rows->rows.rbegin(); row != rows->rows.rend(); ++row)
            for (std::size_t column = 0; column < row->size() && (names.empty() || column < names.size());
                 ++column) {
                const db::Value& value = (*row)[column];
                if (value.is_null())
                    continue;
                AvpList::Name target;
                if (names.empty()) {
                    target.numeric = true;
                    target.number = static_cast<std::int64_t>(column) + 1;
                } else {
                    target = names[column];
                }
                const std::string text = value.print();
                store.avps.push(target,
                                value.is_integer() ? Value{value.integer()} : Value{std::string_view{text}});
            }
    });
    return Verdict::yes();
}

} // namespace avpops
} // namespace sipyard
