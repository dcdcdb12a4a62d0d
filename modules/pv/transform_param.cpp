// modules/pv/transform_param.cpp - {param.*}: lists of name=value with a separator of the script's choice
#include "modules/pv/params.h"
#include "modules/pv/transform.h"

namespace sipyard::pv {

namespace {

Value bad_separator(Request& r, Args args, std::size_t n)
{
    return refuse(r, "param", "the separator is not one character", arg_text(r, args, n));
}

// The first of that name, letter case does not matter.
bool find(std::string_view text, char separator, std::string_view name, NamedValue& out)
{
    while (next_param(text, separator, out))
        if (iequals(out.name, name))
            return true;
    return false;
}

std::int64_t count_of(std::string_view text, char separator)
{
    std::int64_t n = 0;
    for (NamedValue param; next_param(text, separator, param);)
        ++n;
    return n;
}

Value value(Request& r, const Value& in, Args args)
{
    const auto separator = arg_char(r, args, 1, ';');
    if (!separator)
        return bad_separator(r, args, 1);
    NamedValue param;
    return find(in_text(r, in), *separator, arg_text(r, args, 0), param) ? param.value : "";
}
Value is_in(Request& r, const Value& in, Args args)
{
    const auto separator = arg_char(r, args, 1, ';');
    if (!separator)
        return bad_separator(r, args, 1);
    NamedValue param;
    return find(in_text(r, in), *separator, arg_text(r, args, 0), param) ? 1 : 0;
}
template <std::string_view NamedValue::*part>
Value at(Request& r, const Value& in, Args args)
{
    const auto separator = arg_char(r, args, 1, ';');
    if (!separator)
        return bad_separator(r, args, 1);
    auto index = arg_number(args, 0);
    if (!index)
        return refuse(r, "param", "not an index", arg_text(r, args, 0));
    auto text = in_text(r, in);
    if (*index < 0) {
        *index += count_of(text, *separator);
        if (*index < 0)
            return "";
    }
    for (NamedValue param; next_param(text, *separator, param);)
        if ((*index)-- == 0)
            return param.*part;
    return "";
}
Value count(Request& r, const Value& in, Args args)
{
    const auto separator = arg_char(r, args, 0, ';');
    return separator ? Value{count_of(in_text(r, in), *separator)} : bad_separator(r, args, 0);
}

} // namespace

Transformations param_transformations()
{
    return {
        transformation("param", "value", 1, 2, value, "Value of a parameter; \"\" when it is not there"),
        transformation("param", "in", 1, 2, is_in, "1 when the parameter is there, else 0"),
        checked(transformation("param", "valueat", 1, 2, at<&NamedValue::value>,
                               "Value of the parameter at an index"),
                index_and_separator),
        checked(
            transformation("param", "name", 1, 2, at<&NamedValue::name>, "Name of the parameter at an index"),
            index_and_separator),
        transformation("param", "count", 0, 1, count, "Number of parameters"),
    };
}

} // namespace sipyard::pv
