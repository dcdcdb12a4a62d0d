// modules/sqlops/sqlops.h - the module's class, for its test as well
#pragma once

#include "core/base/guarded.h"
#include "core/module/module.h"
#include "modules/sqlops/connection.h"
#include "modules/sqlops/result_key.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sipyard::sqlops {

// Results belong to the request that asked: its fiber waits in sql_query while others use the same names.
class SqlOps {
public:
    struct Settings {
        std::vector<NamedUrl> connections;
        std::vector<std::string> results;
        int tr_buf_size = 2048, connect_mode = 0;
    };
    static Manifest<SqlOps> manifest();
    SqlOps(const Settings& settings, Host& host);

    Verdict query(Request& request, std::string_view name, std::string_view text,
                  std::optional<std::string_view> result);
    Verdict xquery(Request& request, std::string_view name, std::string_view text, std::string_view result);
    Verdict pvquery(Request& request, std::string_view name, std::string_view text, Literal list);
    Verdict query_async(Request& request, std::string_view name, std::string_view text);
    Verdict result_free(Request& request, std::string_view result);
    Value result_part(Request& request, std::string_view inner); // "ra=>[0,1]"
    Value affected(Request& request, std::string_view name);

private:
    struct Connection {
        std::string name;
        db::Database* database;
    };
    struct Results { // of one request
        std::map<std::string, db::Rows, std::less<>> by_name;
        std::map<std::string, std::int64_t, std::less<>> affected; // by connection
    };
    using Variables = std::vector<std::shared_ptr<const VariableRef>>;

    static std::vector<Connection> open(const Settings& settings, Host& host);
    const Connection* connection(std::string_view name) const;
    std::optional<db::Rows> run(Request& request, std::string_view name, std::string_view query);
    void forget(Request& request, std::string_view result);
    std::shared_ptr<const Variables> variables(std::string_view list);

    Host& host_;
    const log::Logger log_;
    const Slot<Results> results_;
    const std::vector<Connection> connections_;
    Guarded<std::map<std::string, std::shared_ptr<const Variables>, std::less<>>>
        compiled_; // sql_pvquery's lists
};

} // namespace sipyard::sqlops
