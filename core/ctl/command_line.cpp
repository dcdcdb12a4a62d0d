// core/ctl/command_line.cpp - the words of sipyardctl
#include "core/ctl/command_line.h"

#include "core/base/format.h"
#include "core/base/text.h"

#include <algorithm>

namespace sipyard::ctl {

namespace {

constexpr Shortcut table[] = {
    {"uptime", "core.uptime", "", "since when the server runs"},
    {"info", "core.info", "", "version, process, configuration"},
    {"stats", "stats.fetch", "[GROUP|GROUP.NAME]", "counters"},
    {"modules", "core.modules", "", "loaded modules"},
    {"params", "core.params", "MODULE", "parameters of a module as they are in force"},
    {"connections", "core.connections", "[MOST]", "stream connections"},
    {"sockets", "core.sockets_list", "", "sockets the server listens on"},
    {"calls", "tm.calls", "", "calls in progress"},
    {"dialogs", "dlg.briefing", "[ATTRS]", "dialogs the dialog module follows: f t c F T I S E s"},
    {"trace", "core.trace", "CALLID", "the ladder of a live or recent call"},
    {"blocklist", "dns.blocklist", "", "servers that are tried last because they did not answer"},
    {"blocklist forget", "dns.blocklist_forget", "", "tries every server again"},
    {"log level", "core.log_level", "[LEVEL]", "shows or sets the log level, -5 (alert) to 3 (debug)"},
    {"reload", "core.reload", "", "compiles the configuration again and swaps the script"},
    {"stop", "core.kill", "", "stops the server"},
    {"xcap list", "", "[USER@DOMAIN]", "documents of a user, or all"},
    {"xcap show", "", "DOC_URI", "a document's text"},
    {"xcap get", "xcap.get", "DOC_URI", "a document with all that is known of it"},
    {"xcap put", "", "DOC_URI FILE [--if-match TAG]", "stores a document; - is standard input"},
    {"xcap delete", "", "DOC_URI", "deletes a document"},
    {"xcap validate", "", "[AUID] FILE", "would it be stored? Without AUID by its root element"},
    {"xcap export", "", "DIRECTORY [--root PATH]", "every document into a file"},
    {"xcap import", "", "DIRECTORY [--root PATH]", "such files into documents; goes on after errors"},
    {"xcap stats", "xcap.stats", "", "requests, cache, conflicts"},
    {"presence show", "presence.show", "URI [EVENT]", "what is published about a user, and who watches"},
    {"presence publications", "presence.publications", "[full]", "all publications"},
    {"presence subscriptions", "presence.subscriptions", "[EVENT]", "all subscriptions"},
    {"presence watchers", "presence.watcher_list", "URI EVENT", "who watches a user"},
    {"presence why", "presence.why", "WATCHER", "what a watcher's subscriptions are waiting for"},
    {"presence drain", "presence.drain", "[off]", "sends all watchers away, takes no new ones"},
    {"presence stats", "presence.stats", "", "publications, subscriptions, NOTIFYs"},
    {"user add", "subscriber.add", "USER@DOMAIN PASSWORD", "adds or changes a subscriber"},
    {"user remove", "subscriber.remove", "USER@DOMAIN", "removes a subscriber"},
    {"user list", "subscriber.list", "", "subscribers"},
    {"db create", "db.create", "URL", "creates the tables in a database"},
    {"db stats", "db.stats", "", "queues, batches and failures of each database"},
    {"ul show", "ul.show", "[TABLE [MOST]]", "registered contacts"},
    {"ul lookup", "ul.lookup", "TABLE AOR", "the contacts of a user"},
    {"htable list", "htable.listTables", "", "shared hash tables"},
    {"htable dump", "htable.dump", "TABLE", "keys and values of a table"},
    {"tls reload", "tls.reload", "", "loads the certificates again"},
    {"commands", "system.methodHelp", "[NAME]", "every RPC command there is"},
};

json::Value argument(const std::string& word)
{
    if (word.starts_with("s:"))
        return std::string_view{word}.substr(2);
    if (const auto number = parse_int(word); number && std::to_string(*number) == word) // "007" is a name
        return *number;
    return word;
}

} // namespace

std::span<const Shortcut> shortcuts() { return table; }

Result<Call> parse_call(const std::vector<std::string>& words)
{
    if (words.empty())
        return invalid("what shall I ask? See sipyardctl help");
    Call call;
    std::size_t used = 0;
    if (words[0] == "rpc") {
        if (words.size() < 2)
            return invalid("rpc: expected the name of a command");
        call.method = words[1];
        used = 2;
    } else {
        for (const Shortcut& shortcut : table) {
            const auto wanted = split(shortcut.words, ' ');
            if (wanted.size() > words.size() || wanted.size() <= used ||
                !std::equal(wanted.begin(), wanted.end(), words.begin()))
                continue;
            call.method = shortcut.method;
            used = wanted.size();
        }
        if (used == 0 && words[0].find('.') != std::string::npos) {
            call.method = words[0];
            used = 1;
        }
    }
    if (used == 0) {
        std::vector<std::string_view> known;
        for (const Shortcut& shortcut : table)
            known.push_back(shortcut.words);
        const std::string typed = words.size() > 1 ? words[0] + " " + words[1] : words[0];
        std::string_view near = nearest(typed, known);
        if (near.empty())
            near = nearest(words[0], known);
        return invalid(near.empty() ? format("'{}' is no command; see sipyardctl help", words[0])
                                    : format("'{}' is no command; did you mean '{}'?", words[0], near));
    }
    for (std::size_t i = used; i < words.size(); ++i)
        call.params.add(argument(words[i]));
    return call;
}

std::string usage()
{
    std::string text = "usage: sipyardctl [-s SOCKET] [--json] COMMAND [ARGUMENTS]\n"
                       "  -s SOCKET  the server's management socket\n"
                       "             (default $SIPYARD_SOCKET, else /run/sipyard/sipyard_rpc.sock)\n"
                       "  --json     the answer as JSON\n\n";
    std::size_t widest = 0;
    for (const Shortcut& shortcut : table)
        widest = std::max(widest, shortcut.words.size() + shortcut.args.size() + 1);
    for (const Shortcut& shortcut : table) {
        const std::string left = format("{} {}", shortcut.words, shortcut.args);
        text += "  " + left + std::string(widest + 2 - left.size(), ' ') + std::string{shortcut.about} + "\n";
    }
    text += "  rpc METHOD [ARGUMENTS]   any command by its own name\n"
            "  completion bash          a completion script: source <(sipyardctl completion bash)\n"
            "  help                     this text\n";
    return text;
}

std::string bash_completion()
{
    std::string first, second;
    for (const Shortcut& shortcut : table) {
        const auto words = split(shortcut.words, ' ');
        if ((" " + first + " ").find(format(" {} ", words[0])) == std::string::npos)
            first += (first.empty() ? "" : " ") + std::string{words[0]};
        if (words.size() > 1)
            second +=
                format("        {}) COMPREPLY+=($(compgen -W '{}' -- \"$word\")) ;;\n", words[0], words[1]);
    }
    // Several branches for one word would hide each other in `case`, so ;;& lets all of them match.
    return "_sipyardctl()\n{\n    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n  "
           "  COMPREPLY=()\n"
           "    case $before in\n" +
           replace_all(second, ";;", ";;&") + "        sipyardctl) COMPREPLY+=($(compgen -W '" + first +
           " rpc completion help' -- \"$word\")) ;;&\n"
           "    esac\n}\ncomplete -F _sipyardctl sipyardctl\n";
}

} // namespace sipyard::ctl
