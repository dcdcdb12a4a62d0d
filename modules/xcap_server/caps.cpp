// modules/xcap_server/caps.cpp - writing the xcap-caps document
#include "modules/xcap_server/caps.h"

namespace sipyard::xcap_server {

std::string caps_document(const Usages& usages)
{
    // Order and presence of the children are the schema's; some clients give up on XCAP when it is not
    // exactly valid.
    std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                       "<xcap-caps xmlns=\"urn:ietf:params:xml:ns:xcap-caps\">\n"
                       " <auids>\n";
    for (const Usage& usage : usages.all())
        text += "  <auid>" + xml_escape(usage.auid) + "</auid>\n";
    text += " </auids>\n"
            " <extensions/>\n"
            " <namespaces>\n"
            "  <namespace>urn:ietf:params:xml:ns:xcap-caps</namespace>\n"
            "  <namespace>urn:ietf:params:xml:ns:xcap-error</namespace>\n"
            " </namespaces>\n"
            "</xcap-caps>\n";
    return text;
}

} // namespace sipyard::xcap_server
