// modules/xcap_server/directory.cpp - writing the xcap-directory document
#include "modules/xcap_server/directory.h"

#include "core/base/format.h"
#include "core/base/text.h"

#include <algorithm>

namespace sipyard::xcap_server {
namespace {

constexpr std::string_view plain_in_path = "-._~:/@!$*+,;="; // RFC 3986 3.3; quotes are left to nobody

std::string_view auid_of(std::string_view doc_uri, std::string_view root)
{
    if (!doc_uri.starts_with(root))
        return {};
    doc_uri.remove_prefix(root.size());
    const auto auid = cut(doc_uri, '/');
    return doc_uri.starts_with("users/") ? auid : std::string_view{};
}

} // namespace

std::string directory_document(std::vector<Listed> documents, std::string_view root, std::string_view scheme,
                               std::string_view authority)
{
    std::sort(documents.begin(), documents.end(),
              [](const Listed& a, const Listed& b) { return a.doc_uri < b.doc_uri; });
    std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                       "<xcap-directory xmlns=\"urn:oma:xml:xdm:xcap-directory\">\n";
    std::string_view folder;
    for (const Listed& one : documents) {
        const auto auid = auid_of(one.doc_uri, root);
        if (auid.empty())
            continue;
        if (auid != folder) {
            text += folder.empty() ? "" : " </folder>\n";
            text += format(" <folder auid=\"{}\">\n", xml_escape(auid));
            folder = auid;
        }
        text +=
            format("  <entry uri=\"{}://{}{}\" etag=\"{}\" size=\"{}\"/>\n", scheme, xml_escape(authority),
                   xml_escape(percent_encode(one.doc_uri, plain_in_path)), xml_escape(one.etag), one.size);
    }
    text += folder.empty() ? "" : " </folder>\n";
    return text + "</xcap-directory>\n";
}

} // namespace sipyard::xcap_server
