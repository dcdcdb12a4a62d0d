// modules/cfg_rpc/cfg_rpc_test.cpp - custom globals read and changed by command
#include "core/json/value.h"
#include "core/module/module.h"
#include "test/support/catch.h"
#include "test/support/fake_host.h"

#include <map>
#include <memory>
#include <string>

extern "C" const sipyard::ModuleEntry* sipyard_module();

namespace sipyard::cfg_rpc {
namespace {

// A host whose script has declared g.number = 5 and g.text = "a".
class GlobalsHost final : public test::FakeHost {
public:
    std::map<std::string, GlobalValue> values{{"number", std::int64_t{5}}, {"text", std::string{"a"}}};

    std::vector<Global> globals() const override
    {
        std::vector<Global> list;
        for (const auto& [name, value] : values)
            list.push_back({"g", name, "about " + name, value});
        return list;
    }
    Result<GlobalValue> global(std::string_view group, std::string_view name,
                               std::optional<std::int64_t>) const override
    {
        const auto found = values.find(std::string{name});
        if (group != "g" || found == values.end())
            return Error{ErrorKind::not_found, "no such variable"};
        return found->second;
    }
    Result<void> set_global(std::string_view group, std::string_view name, std::optional<std::int64_t>,
                            GlobalValue value) override
    {
        const auto found = values.find(std::string{name});
        if (group != "g" || found == values.end())
            return Error{ErrorKind::not_found, "no such variable"};
        if (found->second.index() != value.index())
            return invalid("of the other type");
        found->second = std::move(value);
        return {};
    }
};

} // namespace

TEST_CASE("variables are read, changed, prepared and reset", "[cfg_rpc]")
{
    GlobalsHost host;
    const AnyManifest manifest = sipyard_module()->manifest();
    const auto settings = manifest.make_settings();
    const auto module = manifest.construct(settings.get(), host);
    const struct {
        const char* command;
        const char* params;
        const char* expected;
    } rows[] = {
        {"cfg.list", "null", R"(["core: debug","g: number","g: text"])"},
        {"cfg.list", R"(["x"])", "! no group x"},
        {"cfg.get", R"(["g","number"])", "5"},
        {"cfg.get", R"({"group":"g","name":"text"})", R"("a")"},
        {"cfg.get", R"(["g"])", R"({"number":5,"text":"a"})"},
        {"cfg.get", R"(["g","none"])", "! no such variable"},
        {"cfg.get", "null", "! expected a group and a name"},
        {"cfg.seti", R"(["g","number",6])", R"("set")"},
        {"cfg.set_now_int", R"(["g","number","7"])", R"("set")"},
        {"cfg.get", R"(["g","number"])", "7"},
        {"cfg.seti", R"(["g","text",1])", "! of the other type"},
        {"cfg.seti", R"(["g","number","x"])", "! expected a group, a name and an integer"},
        {"cfg.sets", R"(["g","text","b"])", R"("set")"},
        {"cfg.set", R"(["g","text","c"])", R"("set")"},
        {"cfg.help", R"(["g","text"])", R"("about text")"},
        {"cfg.set_delayed_int", R"(["g","number",9])", R"("prepared")"},
        {"cfg.set_delayed", R"(["g","number","nine"])", "! g.number is of the other type"},
        {"cfg.get", R"(["g","number"])", "7"},
        {"cfg.diff", "null", R"([{"variable":"g.number","old":7,"new":9}])"},
        {"cfg.commit", "null", R"({"changed":1})"},
        {"cfg.get", R"(["g","number"])", "9"},
        {"cfg.set_delayed_int", R"(["g","number",10])", R"("prepared")"},
        {"cfg.rollback", "null", R"({"dropped":1})"},
        {"cfg.commit", "null", R"({"changed":0})"},
        {"cfg.reset", R"(["g"])", R"("reset")"},
        {"cfg.get", R"(["g"])", R"({"number":5,"text":"a"})"},
        {"cfg.reset", R"(["x"])", "! no group x"},
        {"cfg.get", R"(["core","debug"])", "2"},
        {"cfg.seti", R"(["core","debug",3])", R"("set")"},
        {"cfg.get", R"(["core"])", R"({"debug":3})"},
        {"cfg.seti", R"(["core","debug",99])", "! core.debug is a level from -5 (alert) to 3 (debug)"},
        {"cfg.reset", R"(["core"])", R"("reset")"},
        {"cfg.get", R"(["core","debug"])", "2"},
    };
    for (const auto& row : rows) {
        INFO(row.command << " " << row.params);
        bool ran = false;
        for (const auto& command : manifest.commands)
            if (command.name == row.command) {
                const auto answer = command.run(module.get(), *json::parse(row.params));
                CHECK((answer ? answer->dump() : "! " + answer.error().text) == row.expected);
                ran = true;
            }
        CHECK(ran);
    }
}

} // namespace sipyard::cfg_rpc
