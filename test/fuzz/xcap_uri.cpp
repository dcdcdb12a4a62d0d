// test/fuzz/xcap_uri.cpp - any bytes as an XCAP target and as a list of entity tags
#include "core/base/text.h"
#include "modules/xcap_server/precondition.h"
#include "modules/xcap_server/uri.h"

#include <cstdint>
#include <cstdlib>
#include <string>

using namespace sipyard;
using namespace sipyard::xcap_server;

namespace {

void promise(bool kept)
{
    if (!kept)
        std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    for (const bool canonical : {true, false}) {
        Arena arena;
        XcapUri uri;
        const UriRules rules{"/r/", canonical, "home.example"};
        if (read(text, rules, arena, uri))
            continue;
        // What passed can go into a column, a header and a log line, and means the same when it is read
        // again.
        promise(!uri.auid.empty() && !uri.file.empty() && is_utf8(uri.doc_uri));
        for (const char c : uri.doc_uri)
            promise(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
        promise(uri.doc_uri.starts_with("/r/") && uri.doc_uri.find("/../") == std::string_view::npos);
        promise(uri.doc_uri.ends_with(uri.file) && (uri.tree == Tree::users) == !uri.xui.empty());
        std::string again{"/r/"};
        again += percent_encode(uri.auid) + "/" + std::string{to_text(uri.tree)} + "/";
        if (uri.tree == Tree::users)
            again += percent_encode(uri.xui) + "/";
        std::string_view file = uri.file;
        while (!file.empty()) {
            again += percent_encode(cut(file, '/'), "-._") + (file.empty() ? "" : "/");
        }
        XcapUri second;
        if (again.size() <= max_target) {
            // A name that begins with tildes was encoded on purpose, percent_encode above keeps it so.
            promise(!read(again, rules, arena, second) && second.doc_uri == uri.doc_uri);
        }
    }
    const auto half = text.substr(0, size / 2), tag = text.substr(size / 2);
    const bool strong = names(half, tag, Compare::strong), weak = names(half, tag, Compare::weak);
    promise(weak || !strong);
    promise(gate({half, {}}, {}, Reading::no) == Gate::failed);
    is_any(half);
    return 0;
}
