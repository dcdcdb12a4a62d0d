// modules/pv/pv.cpp - pseudo-variables of messages and transactions, and transformations (spec:
// pseudo-variables)
#include "modules/pv/pv.h"

#include "modules/pv/lists.h"

namespace sipyard::pv {

Pv::Pv(const Settings& settings, Host& host)
    : log_{host.logger("pv")}, clock_{host.clock()}, started_{host.clock().unix_seconds()},
      state_{host.slot<State>()}
{
    shared_.with([&](Shared& all) {
        for (const SharedInit& init : settings.shvset)
            all[init.name] = init.value;
    });
}

Manifest<Pv> Pv::manifest()
{
    using M = Pv;
    Variables variables;
    for (const auto part :
         {message_variables, header_variables, uri_variables, party_variables, socket_variables,
          via_variables, auth_variables, avp_variables, branch_variables, process_variables})
        append(variables, part());
    add_time_variables(variables);
    variables.push_back(variable("sbranch", &M::script_branch, &M::set_script_branch,
                                 "The branch a script prepares for sbranch_append(): $sbranch(uri)"));
    variables.push_back(
        variable("shv", &M::shared, &M::set_shared, "A value all workers share, 0 until it is set: $shv(x)"));

    Transformations transformations;
    for (const auto part : {string_transformations, code_transformations, uri_transformations,
                            param_transformations, value_transformations})
        append(transformations, part());
    return {
        .name = "pv",
        .about = "Pseudo-variables and transformations",
        .params = {param("shvset", &Settings::shvset,
                         "First value of a shared variable: name=i:5 or name=s:text")},
        .functions = functions(),
        .variables = std::move(variables),
        .transformations = std::move(transformations),
        .commands = {command("pv.shvGet", &M::shared_get, "A shared variable, or all of them"),
                     command("pv.shvSet", &M::shared_set,
                             "Sets a shared variable: name, type (int or str), value")},
    };
}

} // namespace sipyard::pv

SIPYARD_MODULE(sipyard::pv::Pv)
