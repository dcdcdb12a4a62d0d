// core/ctl/xcap_command.cpp - one function for each word after "xcap"
#include "core/ctl/xcap_command.h"

#include "core/base/format.h"
#include "core/base/text.h"
#include "core/ctl/command_line.h"
#include "core/ctl/document_path.h"
#include "core/ctl/files.h"
#include "core/ctl/table.h"

#include <algorithm>
#include <utility>

namespace sipyard::ctl {

namespace {

constexpr int page = 500; // rows of one answer

class Xcap {
public:
    Xcap(bool as_json, const Ask& ask, const Screen& out, const Screen& err)
        : as_json_{as_json}, ask_{ask}, out_{out}, err_{err}
    {
    }

    Result<int> list(const std::string& user)
    {
        TRY(const json::Value rows, all_rows(user));
        print(rows);
        return 0;
    }

    Result<int> show(const std::string& doc_uri)
    {
        TRY(const json::Value row, ask_("xcap.get", json::Value::object().set("doc_uri", doc_uri)));
        if (as_json_)
            print(row);
        else
            out_.write(row["doc"].text()); // the very bytes
        return 0;
    }

    Result<int> put(const std::string& doc_uri, const std::string& file, const std::string& if_match)
    {
        TRY(const std::string text, read_file(file));
        TRY(const json::Value stored, store(doc_uri, text, if_match));
        print(stored);
        return 0;
    }

    Result<int> remove(const std::string& doc_uri)
    {
        TRY(const json::Value answer, ask_("xcap.delete", json::Value::object().set("doc_uri", doc_uri)));
        print(answer);
        return 0;
    }

    Result<int> validate(const std::string& auid, const std::string& file)
    {
        TRY(const std::string text, read_file(file));
        if (!is_utf8(text))
            return invalid("not-utf-8: the file is not UTF-8");
        json::Value params = json::Value::object().set("doc", text);
        if (!auid.empty())
            params.set("auid", auid);
        TRY(const json::Value answer, ask_("xcap.validate", std::move(params)));
        print(answer);
        return answer["valid"].boolean(true) ? 0 : 1;
    }

    Result<int> export_to(const std::string& directory, const std::string& root)
    {
        TRY(const json::Value rows, all_rows({}));
        Progress progress{err_, "exported", rows.size()};
        for (const json::Value& row : rows.items()) {
            const std::string doc_uri{row["doc_uri"].text()};
            if (const auto written = export_one(directory, root, doc_uri); !written)
                progress.failed(doc_uri, written.error().text);
            else
                progress.done(doc_uri);
        }
        return progress.finish();
    }

    Result<int> import_from(const std::string& directory, const std::string& root)
    {
        TRY(const auto files, files_below(directory));
        Progress progress{err_, "imported", files.size()};
        for (const std::string& file : files) {
            if (const auto stored = import_one(directory, root, file); !stored)
                progress.failed(file, stored.error().text);
            else
                progress.done(file);
        }
        return progress.finish();
    }

private:
    void print(const json::Value& value)
    {
        out_.write(as_json_ ? value.dump_pretty() + "\n" : to_table(value));
    }

    // The server gives its list in pages; a page that ends with where it began would never end.
    Result<json::Value> all_rows(const std::string& user)
    {
        json::Value rows = json::Value::array();
        std::string after;
        for (;;) {
            json::Value params = json::Value::object().set("limit", page);
            if (!user.empty())
                params.set("user", user);
            if (!after.empty())
                params.set("after", after);
            TRY(const json::Value answer, ask_("xcap.list", std::move(params)));
            for (const json::Value& row : answer.items())
                rows.add(row);
            if (answer.size() < static_cast<std::size_t>(page))
                return rows;
            const std::string_view last = answer[answer.size() - 1]["doc_uri"].text();
            if (last == after) // a database may order by other rules than bytes
                return invalid("the server's list does not go on");
            after = last;
        }
    }

    Result<json::Value> store(const std::string& doc_uri, const std::string& text,
                              const std::string& if_match)
    {
        // JSON would carry something else in place of such bytes.
        if (!is_utf8(text))
            return invalid("not-utf-8: the file is not UTF-8");
        json::Value params = json::Value::object().set("doc_uri", doc_uri).set("doc", text);
        if (!if_match.empty())
            params.set("if_match", if_match);
        return ask_("xcap.put", std::move(params));
    }

    Result<void> export_one(const std::string& directory, const std::string& root, const std::string& doc_uri)
    {
        TRY(const std::string path, path_of_document(doc_uri, root));
        TRY(const json::Value row, ask_("xcap.get", json::Value::object().set("doc_uri", doc_uri)));
        return write_file(directory + "/" + path, row["doc"].text());
    }

    Result<void> import_one(const std::string& directory, const std::string& root, const std::string& file)
    {
        TRY(const std::string doc_uri, document_of_path(file, root));
        TRY(const std::string text, read_file(directory + "/" + file));
        TRYV(store(doc_uri, text, {}));
        return {};
    }

    const bool as_json_;
    const Ask& ask_;
    const Screen& out_;
    const Screen& err_;
};

// Takes "--name VALUE" out of the words. Error when the value is missing.
Result<std::string> option(std::vector<std::string>& words, std::string_view name, std::string_view otherwise)
{
    const auto at = std::find(words.begin(), words.end(), name);
    if (at == words.end())
        return std::string{otherwise};
    if (at + 1 == words.end())
        return invalid(format("{}: expected a value", name));
    std::string value = *(at + 1);
    words.erase(at, at + 2);
    return value;
}

// The root with one slash at either end, however it is written.
std::string folder(std::string_view path)
{
    while (path.starts_with('/'))
        path.remove_prefix(1);
    while (path.ends_with('/'))
        path.remove_suffix(1);
    return path.empty() ? "/" : format("/{}/", path);
}

Result<int> run(const Shortcut& command, std::vector<std::string> words, Xcap xcap)
{
    const std::string_view word = command.words.substr(5); // behind "xcap "
    std::string if_match, root;
    if (word == "put") {
        TRY(if_match, option(words, "--if-match", ""));
    } else if (word == "export" || word == "import") {
        TRY(root, option(words, "--root", "/xcap-root/"));
        root = folder(root);
    }
    const std::size_t count = words.size();
    const auto first = [&]() -> const std::string& { return words[0]; };
    if (word == "list" && count <= 1)
        return xcap.list(count ? first() : "");
    if (word == "show" && count == 1)
        return xcap.show(first());
    if (word == "put" && count == 2)
        return xcap.put(first(), words[1], if_match);
    if (word == "delete" && count == 1)
        return xcap.remove(first());
    if (word == "validate" && (count == 1 || count == 2))
        return xcap.validate(count == 2 ? first() : "", words[count - 1]);
    if (word == "export" && count == 1)
        return xcap.export_to(first(), root);
    if (word == "import" && count == 1)
        return xcap.import_from(first(), root);
    return invalid(format("usage: sipyardctl {} {}", command.words, command.args));
}

} // namespace

std::optional<int> run_xcap(const std::vector<std::string>& words, bool as_json, const Ask& ask,
                            const Screen& out, const Screen& err)
{
    for (const Shortcut& command : shortcuts()) {
        if (words.size() < 2 || !command.method.empty() || words[0] + " " + words[1] != command.words)
            continue;
        const auto status = run(command, {words.begin() + 2, words.end()}, {as_json, ask, out, err});
        if (status)
            return *status;
        err.write(format("sipyardctl: {}\n", status.error().text));
        return 1;
    }
    return {};
}

} // namespace sipyard::ctl
