// modules/xcap_server/node_property_test.cpp - what holds for every node of every document, and for many
// clients at once
#include "core/base/text.h"
#include "modules/xcap_server/engine_test_support.h"
#include "test/support/catch.h"

#include <random>
#include <thread>

using namespace sipyard;
using namespace sipyard::xcap_server;

namespace {

const std::string test_uri = root + "/t/users/sip:alice@example.com/index";
const std::string query = "?xmlns(q=urn:p)";

// Documents, and selectors that have something to do with them.
class Generator {
public:
    explicit Generator(std::uint32_t seed) : random_{seed} {}

    int below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
    template <std::size_t N>
    std::string one_of(const char* const (&choices)[N])
    {
        return choices[below(static_cast<int>(N))];
    }

    std::string document()
    {
        return one_of({"", "<?xml version='1.0'?>\n", "<!-- <a> -->"}) +
               element("r", " xmlns=\"urn:t\" xmlns:p = 'urn:p'", 0) + one_of({"", "\n", "<?end <a?>"});
    }
    std::string element(std::string name, std::string attributes, int depth)
    {
        if (name.empty())
            name = one_of({"a", "b", "p:a", "c"});
        for (const char* const attribute : {"n", "m", "p:n"})
            if (below(3) == 0)
                attributes += one_of({" ", "  ", "\n\t"}) + attribute + one_of({"=", " = "}) +
                              one_of({"'1'", "\"1\"", "'2'", "\"&lt;&#65;\"", "'a/b'", "\"it's\"", "''"});
        if (depth != 0 && below(10) == 0)
            attributes += " xmlns='urn:p'";
        const auto children = depth >= 3 ? 0 : below(5);
        if (children == 0 && below(2) == 0)
            return "<" + name + attributes + one_of({"/>", " />"});
        std::string all = "<" + name + attributes + one_of({">", "\n>"});
        for (int i = 0; i < children; ++i)
            all += one_of({"", " ", "x", "<!-- <b n='1'/> -->", "<![CDATA[</a>]]>", "<?pi <?>", "&amp;"}) +
                   element("", "", depth + 1);
        return all + one_of({"", "\n"}) + "</" + name + one_of({">", " >"});
    }
    std::string step()
    {
        std::string all = one_of({"a", "b", "q:a", "c", "*"});
        if (below(2) == 0)
            all += "[" + std::to_string(below(5)) + "]";
        if (below(3) == 0)
            all += "[@" + one_of({"n", "m", "q:n"}) + "=" +
                   one_of({"'1'", "%222%22", "\"a/b\"", "'&lt;A'", "''"}) + "]";
        return all;
    }
    std::string selector()
    {
        std::string all = "r";
        for (int i = below(4); i > 0; --i)
            all += "/" + step();
        return all;
    }

private:
    std::mt19937 random_;
};

std::vector<AppUsage> test_usage()
{
    return {must(FromText<AppUsage>::parse("auid=t;ns=urn:t;mime=application/t+xml"))};
}

// Every way an answer may end that is not a change.
bool is_refusal(int code) { return code == 404 || code == 409; }

} // namespace

TEST_CASE("what was put is what is got, and all else stays", "[xcap_server]")
{
    Server server{{}, test_usage()};
    Generator make{20'240'607};
    int created = 0, replaced = 0, deleted = 0, refused = 0;
    const auto text = [&] { return server.ask(Verb::get, test_uri).body; };
    for (int round = 0; round < 600; ++round) {
        const std::string before = make.document();
        server.ask(Verb::put, test_uri, before, {"application/t+xml"});
        REQUIRE(text() == before);
        for (int i = 0; i < 4; ++i) {
            const bool attribute = make.below(4) == 0;
            const std::string target = test_uri + "/~~/" + make.selector() +
                                       (attribute ? make.one_of({"/@n", "/@q:n", "/@new"}) : "") + query;
            const std::string body =
                attribute ? make.one_of({"", "1", "x", "it's", "&lt;", "a\"b", "a\"'b", "<", "2"})
                          : make.element("", make.one_of({"", " n='1'", " m='2'"}), 2);
            const Given given{attribute ? "application/xcap-att+xml" : "application/xcap-el+xml"};
            INFO(before << "\n" << target << "\n" << body);
            const auto old = server.ask(Verb::get, target);
            const auto put = server.ask(Verb::put, target, body, given);
            const std::string after = text();
            INFO(after);
            if (put.code / 100 != 2) {
                REQUIRE(is_refusal(put.code));
                REQUIRE(after == before);
                REQUIRE(xml::check(put.code == 409 ? put.body : "<a/>"));
                ++refused;
            } else {
                REQUIRE((put.code == 200) == (old.code == 200));
                REQUIRE(xml::check(after));
                REQUIRE(server.ask(Verb::get, target).body == body);
                REQUIRE(server.ask(Verb::put, target, body, given).code == 200);
                REQUIRE(text() == after);
                // All bytes around the new ones are the old ones.
                if (put.code == 200) {
                    REQUIRE(after.size() + old.body.size() == before.size() + body.size());
                    const auto back = server.ask(Verb::put, target, old.body, given);
                    REQUIRE((back.code == 200 || back.code == 409)); // 409: it has another name than is asked
                    // A value with a quote in it may have changed the quotes around it.
                    if (back.code == 200 && !(attribute && body.find_first_of("\"'") != std::string::npos))
                        REQUIRE(text() == before);
                    ++replaced;
                }
                if (put.code == 201) {
                    ++created;
                    const auto gone = server.ask(Verb::del, target);
                    REQUIRE((gone.code == 200 || gone.code == 409)); // 409: the next one would be meant
                    if (gone.code == 200) {
                        // An empty tag was opened for the first child, and stays open.
                        const std::string undone = text();
                        if (undone.size() == before.size())
                            REQUIRE(undone == before);
                        else
                            REQUIRE(replace_all(undone, "/>", "").size() >
                                    replace_all(before, "/>", "").size());
                        REQUIRE(xml::check(undone));
                        ++deleted;
                    }
                }
            }
            server.ask(Verb::put, test_uri, before, {"application/t+xml"});
            // A deletion takes the bytes of the node and no others.
            const auto cut = server.ask(Verb::del, target);
            if (cut.code == 200 && !attribute) {
                const std::string rest = text();
                REQUIRE(rest.size() + old.body.size() == before.size());
                const auto same = static_cast<std::size_t>(
                    std::mismatch(rest.begin(), rest.end(), before.begin()).first - rest.begin());
                REQUIRE(before.find(old.body) != std::string::npos);
                REQUIRE(before.ends_with(rest.substr(same)));
                REQUIRE(xml::check(rest));
            } else if (cut.code != 200) {
                REQUIRE(is_refusal(cut.code));
                REQUIRE(text() == before);
            }
            server.ask(Verb::put, test_uri, before, {"application/t+xml"});
        }
    }
    // The generator reaches all of it.
    CHECK(created > 100);
    CHECK(replaced > 20);
    CHECK(deleted > 40);
    CHECK(refused > 100);
}

namespace {

// Two processes on one store, asked by many threads.
struct Shared {
    MemoryStore store;
    StillClock clock;
    std::deque<Counter> counters;
    Statistics statistics{[this](std::string_view name, std::string_view about) -> Counter& {
        return counters.emplace_back("xcap_server", std::string{name}, std::string{about});
    }};
    Engine::Outside outside()
    {
        return {store, clock, statistics, [](Duration) { std::this_thread::yield(); }, {}};
    }
    Engine first{{}, must(Usages::make(test_usage(), {})), 1, outside()};
    Engine second{{}, must(Usages::make(test_usage(), {})), 2, outside()};

    Seen ask(int client, Verb verb, const std::string& target, const std::string& body = {},
             const std::string& type = {}, const Conditions& conditions = {})
    {
        Arena arena;
        Ask request{verb, target, {Caller::Trust::script, "sip:alice@example.com"}, type, conditions, body};
        const Answer answer = (client % 2 == 0 ? first : second).handle(request, arena);
        return {answer.code, std::string{answer.etag}, {}, std::string{answer.body}, {}};
    }
    // Runs what every client does, each in a thread.
    void run(int clients, const std::function<void(int)>& client)
    {
        std::vector<std::thread> threads;
        for (int i = 0; i < clients; ++i)
            threads.emplace_back([&client, i] { client(i); });
        for (std::thread& thread : threads)
            thread.join();
    }
};

const std::string element_mime = "application/xcap-el+xml", attribute_mime = "application/xcap-att+xml",
                  test_mime = "application/t+xml";

} // namespace

TEST_CASE("64 clients that read, change and write lose nothing", "[xcap_server]")
{
    Shared shared;
    REQUIRE(shared.ask(0, Verb::put, test_uri, "<r xmlns='urn:t' n='0'/>", test_mime).code == 201);
    constexpr int clients = 64, changes = 4;
    std::atomic<int> wrong = 0, refused = 0;
    shared.run(clients, [&](int client) {
        for (int done = 0; done < changes;) {
            const auto seen = shared.ask(client, Verb::get, test_uri + "/~~/r/@n");
            const std::string tag = '"' + seen.etag + '"';
            const auto next = std::to_string(parse_int(seen.body).value_or(-1000) + 1);
            const auto put =
                shared.ask(client, Verb::put, test_uri + "/~~/r/@n", next, attribute_mime, {tag, {}});
            if (put.code == 200)
                ++done;
            else if (put.code == 412 || put.code == 503)
                ++refused;
            else
                ++wrong;
            if (wrong != 0)
                return;
        }
    });
    CHECK(wrong == 0);
    CHECK(shared.ask(0, Verb::get, test_uri + "/~~/r/@n").body == std::to_string(clients * changes));
}

TEST_CASE("87: creators, writers and inserters at once", "[xcap_server]")
{
    Shared shared;
    std::atomic<int> won = 0, lost = 0, other = 0;
    const auto count = [&](int code) { ++(code / 100 == 2 ? won : code == 412 ? lost : other); };
    shared.run(8, [&](int client) {
        count(shared.ask(client, Verb::put, test_uri, "<r xmlns='urn:t'/>", test_mime, {{}, "*"}).code);
    });
    CHECK(won == 1);
    CHECK(lost == 7);
    won = lost = 0;
    const std::string tag = '"' + shared.ask(0, Verb::get, test_uri).etag + '"';
    shared.run(8, [&](int client) {
        count(shared.ask(client, Verb::put, test_uri + "/~~/r/a", "<a/>", element_mime, {tag, {}}).code);
    });
    CHECK(won == 1);
    CHECK(lost == 7);
    won = 0;
    shared.run(8, [&](int client) {
        for (int i = 0; i < 5; ++i) {
            const auto name = std::to_string(client) + "-" + std::to_string(i);
            count(shared
                      .ask(client, Verb::put, test_uri + "/~~/r/b[@n='" + name + "']",
                           "<b n='" + name + "'/>", element_mime)
                      .code);
        }
    });
    CHECK(won == 40);
    CHECK(other == 0);
    CHECK(shared.ask(0, Verb::get, test_uri + "/~~/r/b[40]").code == 200);
    CHECK(shared.ask(0, Verb::get, test_uri + "/~~/r/b[41]").code == 404);
}
