// modules/xcap_server/caps.cpp - writing the xcap-caps document
#include "modules/xcap_server/caps.h"

#include "core/base/text.h"

namespace sipyard::xcap_server {

std::string caps_document(const Usages& usages, const Schemas* schemas)
{
    // Order and presence of the children are the schema's; some clients give up on XCAP when it is not
    // exactly valid.
    std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                       "<xcap-caps xmlns=\"urn:ietf:params:xml:ns:xcap-caps\">\n"
                       " <auids>\n";
    for (const Usage& usage : usages.all())
        if (usage.listed)
            text += "  <auid>" + xml_escape(usage.auid) + "</auid>\n";
    text += " </auids>\n"
            " <extensions/>\n"
            " <namespaces>\n";
    const std::vector<std::string> protocol = {"urn:ietf:params:xml:ns:xcap-caps",
                                               "urn:ietf:params:xml:ns:xcap-error"};
    for (const std::string& ns : schemas ? schemas->namespaces() : protocol)
        text += "  <namespace>" + xml_escape(ns) + "</namespace>\n";
    return text + " </namespaces>\n</xcap-caps>\n";
}

} // namespace sipyard::xcap_server
