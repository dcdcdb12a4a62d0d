// modules/xhttp/file_test.cpp - files that are sent, and everything that must not be
#include "modules/xhttp/client_test.h"
#include "modules/xhttp/file.h"

#include "core/base/format.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>

namespace sipyard::xhttp {

namespace {

namespace fs = std::filesystem;

// site/ is what is served; beside it lies what nobody may see.
struct Site {
    fs::path root;
    std::string directory;
    Site()
    {
        char name[] = "/tmp/sipyard_file_XXXXXX";
        REQUIRE(::mkdtemp(name));
        root = name;
        fs::create_directories(root / "site/sub/deep");
        write("secret.txt", "the password");
        write("site/index.html", "<h1>hello</h1>");
        write("site/sub/index.html", "below");
        write("site/sub/a b.css", "body{}");
        write("site/empty.js", "");
        write("site/.hidden", "hidden");
        write("site/sub/deep/data", "bytes");
        fs::create_directory(root / "site/folder");
        fs::create_symlink(root / "secret.txt", root / "site/link.txt");
        fs::create_symlink(root, root / "site/up");
        fs::create_symlink("index.html", root / "site/inner.html");
        REQUIRE(::mkfifo((root / "site/pipe").c_str(), 0600) == 0);
        directory = (root / "site").string();
    }
    ~Site() { fs::remove_all(root); }
    void write(const fs::path& path, std::string_view text) const
    {
        std::ofstream{root / path, std::ios::binary} << text;
    }
};

Result<File> look(const Site& site, std::string_view target, std::string_view known = {})
{
    TRY(const auto names, names_of(target));
    return read_below(site.directory, names, known);
}

} // namespace

TEST_CASE("a target becomes names, or nothing", "[xhttp][file]")
{
    const struct {
        const char* story;
        std::string target;
        std::vector<std::string> names; // none: refused
    } rows[] = {
        {"one name", "/a.js", {"a.js"}},
        {"without a slash in front", "a.js", {"a.js"}},
        {"nothing", "", {"index.html"}},
        {"the root", "/", {"index.html"}},
        {"a folder", "/a/b/", {"a", "b", "index.html"}},
        {"a query is no part of it", "/a.js?v=1/../x", {"a.js"}},
        {"escapes", "/a%20b/%C3%A4.txt", {"a b", "\u00e4.txt"}},
        {"dots inside a name", "/a..b/c.d.e", {"a..b", "c.d.e"}},
        {"decoded once only", "/%2541", {"%41"}},
        {"up", "/../secret.txt", {}},
        {"up, escaped", "/%2e%2e/secret.txt", {}},
        {"up, half escaped", "/.%2e/secret.txt", {}},
        {"here", "/./a", {}},
        {"a hidden name", "/.git/config", {}},
        {"a hidden name, escaped", "/%2egit", {}},
        {"an empty name", "//etc/passwd", {}},
        {"an empty name inside", "/a//b", {}},
        {"a slash behind an escape", "/a%2fb", {}},
        {"up behind an escaped slash", "/..%2fsecret.txt", {}},
        {"a backslash", "/..%5csecret.txt", {}},
        {"a zero byte", "/index.html%00.js", {}},
        {"a line end", "/a%0d%0ab", {}},
        {"a broken escape", "/a%zz", {}},
        {"half an escape", "/a%2", {}},
        {"no UTF-8", "/%ff", {}},
        {"an overlong dot", "/%c0%ae%c0%ae/x", {}},
        {"a long name", "/" + std::string(256, 'a'), {}},
        {"a long target", "/" + std::string(2000, 'a'), {}},
        {"deep", "/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a", {}},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const auto names = names_of(row.target);
        CHECK(names.has_value() == !row.names.empty());
        if (names)
            CHECK(*names == row.names);
        else
            CHECK(names.error().kind == ErrorKind::not_found);
    }
}

TEST_CASE("only regular files below the directory are read", "[xhttp][file]")
{
    const Site site;
    const struct {
        const char* story;
        const char* target;
        const char* bytes; // null: not found
    } rows[] = {
        {"the page", "/", "<h1>hello</h1>"},
        {"a file below", "/sub/a%20b.css", "body{}"},
        {"a folder's page", "/sub/", "below"},
        {"an empty file", "/empty.js", ""},
        {"a folder without its slash", "/sub", nullptr},
        {"a folder without a page", "/folder/", nullptr},
        {"nothing", "/nothing", nullptr},
        {"a file as a folder", "/index.html/x", nullptr},
        {"a link that leads out", "/link.txt", nullptr},
        {"a link inside", "/inner.html", nullptr},
        {"through a linked folder", "/up/secret.txt", nullptr},
        {"back in through a linked folder", "/up/site/index.html", nullptr},
        {"a pipe, without waiting for its other end", "/pipe", nullptr},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const auto file = look(site, row.target);
        REQUIRE(file.has_value() == (row.bytes != nullptr));
        if (file)
            CHECK(file->bytes == row.bytes);
        else
            CHECK(file.error().kind == ErrorKind::not_found);
    }
    CHECK(!read_below(site.directory + "/gone", {"index.html"}, {}));
    fs::resize_file(site.root / "site/empty.js", largest_file + 1);
    const auto huge = look(site, "/empty.js");
    REQUIRE(!huge);
    CHECK(huge.error().kind == ErrorKind::unsupported);
}

TEST_CASE("a version has a tag, and the next one another", "[xhttp][file]")
{
    const Site site;
    const std::string tag = look(site, "/")->tag;
    CHECK(look(site, "/")->tag == tag);
    CHECK(!look(site, "/", "\"" + tag + "\"")->bytes);
    CHECK(look(site, "/", "\"other\"")->bytes);
    site.write("site/index.html", "<h1>bye, now</h1>");
    CHECK(look(site, "/")->tag != tag);
    CHECK(look(site, "/", "\"" + tag + "\"")->bytes == "<h1>bye, now</h1>");

    const struct {
        const char* field;
        bool named;
    } rows[] = {
        {"\"t\"", true}, {"W/\"t\"", true}, {"\"a\", \"t\"", true}, {" \"a\" ,W/\"t\" ", true},
        {"*", true},     {"", false},       {"t", false},           {"\"tt\"", false},
        {"\"\"", false}, {"\"", false},     {"w/\"t\"", false},     {",,,", false},
    };
    for (const auto& row : rows) {
        INFO(row.field);
        CHECK(names_tag(row.field, "t") == row.named);
    }
}

TEST_CASE("a script's directory is a constant that exists", "[xhttp][file]")
{
    const Site site;
    CHECK(FromText<Directory>::parse(site.directory + "/sub/../").value().path == site.directory);
    CHECK(!FromText<Directory>::parse(""));
    CHECK(!FromText<Directory>::parse(site.directory + "/index.html"));
    CHECK(!FromText<Directory>::parse("/no/such/place"));
}

TEST_CASE("files travel with the fields a browser needs", "[xhttp][file]")
{
    const Site site;
    const auto directory = FromText<Directory>::parse(site.directory).value();
    AnyManifest* manifest = nullptr;
    void* module = nullptr;
    bool constant = true;
    Server server{[&](Request& request) {
        for (const auto& f : manifest->functions)
            if (f.name == "xhttp_file") {
                std::vector<Arg> args(2);
                args[0].parsed = &directory;
                args[1].value = request.message().uri_text();
                constant = !FromText<Directory>::parse(site.directory); // a fiber: no constant any more
                return f.call(module, request, args);
            }
        return Verdict::no();
    }};
    manifest = &server.manifest;
    module = server.module.get();
    const auto ask = [&](std::string_view method, std::string_view target, std::string_view fields = {}) {
        Client client{server};
        return client.ask(std::string{method} + " " + std::string{target} + " HTTP/1.1\r\nHost: a\r\n" +
                              std::string{fields} + "\r\n",
                          method);
    };
    const auto page = ask("GET", "/");
    CHECK(page.code == 200);
    CHECK(page.body == "<h1>hello</h1>");
    CHECK(page.header("Content-Type") == "text/html; charset=utf-8");
    CHECK(page.header("Cache-Control") == "no-cache");
    CHECK(page.header("X-Content-Type-Options") == "nosniff");
    CHECK(page.header("Content-Security-Policy").find("default-src 'self'") == 0);
    CHECK(constant);
    const auto tag = page.header("ETag");

    const auto head = ask("HEAD", "/");
    CHECK(head.code == 200);
    CHECK(head.header("Content-Length") == "14");
    CHECK(head.header("ETag") == tag);

    const auto same = ask("GET", "/", "If-None-Match: " + tag + "\r\n");
    CHECK(same.code == 304);
    CHECK(same.header("ETag") == tag);

    CHECK(ask("GET", "/sub/a%20b.css").header("Content-Type") == "text/css; charset=utf-8");
    CHECK(ask("GET", "/sub/deep/data").header("Content-Type") == "application/octet-stream");
    CHECK(ask("GET", "/../secret.txt").code == 404);
    CHECK(ask("GET", "/link.txt").code == 404);
    CHECK(ask("GET", "/nothing").body == "Not Found\n");
    const auto post = ask("DELETE", "/");
    CHECK(post.code == 405);
    CHECK(post.header("Allow") == "GET, HEAD");
    fs::resize_file(site.root / "site/empty.js", largest_file + 1);
    CHECK(ask("GET", "/empty.js").code == 500);
}

} // namespace sipyard::xhttp
