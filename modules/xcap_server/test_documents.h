// modules/xcap_server/test_documents.h - documents as clients write them, for the tests of this module
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace sipyard::xcap_server::test_documents {

inline const std::string buddies = R"(<?xml version="1.0" encoding="UTF-8"?>
<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists">
 <list name="friends">
  <display-name xml:lang="en">Friends</display-name>
  <entry uri="sip:bill@example.com"><display-name>Bill Doe</display-name></entry>
  <entry-ref ref="resource-lists/users/sip:bill@example.com/index/~~/resource-lists/list%5b@name=%22l%22%5d/entry%5b1%5d"/>
  <list name="close"><entry uri="tel:+1-201-555-0123"/></list>
  <external anchor="https://xcap.example.org/resource-lists/users/sip:a@example.org/index/~~/resource-lists/list"/>
 </list>
 <list/>
</resource-lists>
)";
// OMA's well-known lists, as RCS clients make them at their first start
inline const std::string oma_lists = R"(<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"
  xmlns:xd="urn:oma:xml:xdm:xcap-directory">
 <list name="oma_buddylist">
  <external anchor="http://xcap.example.com/xcap-root/resource-lists/users/sip:alice@example.com/index/~~/resource-lists/list%5B@name=%22rcs%22%5D"/>
 </list>
 <list name="oma_grantedcontacts">
  <external anchor="http://xcap.example.com/xcap-root/resource-lists/users/sip:alice@example.com/index/~~/resource-lists/list%5B@name=%22rcs%22%5D"/>
 </list>
 <list name="oma_blockedcontacts">
  <external anchor="http://xcap.example.com/xcap-root/resource-lists/users/sip:alice@example.com/index/~~/resource-lists/list%5B@name=%22rcs_blockedcontacts%22%5D"/>
 </list>
 <list name="oma_allcontacts"/>
 <list name="rcs"><display-name>My presence buddies</display-name><entry uri="tel:+1234578901"/></list>
 <list name="rcs_blockedcontacts"/><list name="rcs_revokedcontacts"/>
</resource-lists>
)";
inline const std::string services = R"(<rls-services xmlns="urn:ietf:params:xml:ns:rls-services"
  xmlns:rl="urn:ietf:params:xml:ns:resource-lists">
 <service uri="sip:mybuddies@example.com">
  <resource-list>http://xcap.example.com/xcap-root/resource-lists/users/sip:alice@example.com/index/~~/resource-lists/list%5b@name=%22l1%22%5d</resource-list>
  <packages><package>presence</package></packages>
 </service>
 <service uri="sip:marketing@example.com">
  <list name="marketing">
   <rl:entry uri="sip:joe@example.com"/><rl:entry uri="sip:sudhir@example.com"/>
   <rl:list name="inner"/>
  </list>
  <packages><package>presence</package><package>dialog</package></packages>
 </service>
</rls-services>
)";
inline const std::string rules = R"(<?xml version="1.0" encoding="UTF-8"?>
<cr:ruleset xmlns="urn:ietf:params:xml:ns:pres-rules" xmlns:pr="urn:ietf:params:xml:ns:pres-rules"
  xmlns:cr="urn:ietf:params:xml:ns:common-policy">
 <cr:rule id="a">
  <cr:conditions>
   <cr:identity><cr:one id="sip:user@example.com"/><cr:many domain="example.org"><cr:except id="sip:x@example.org"/></cr:many></cr:identity>
   <cr:sphere value="work"/>
   <cr:validity><cr:from>2026-01-01T00:00:00Z</cr:from><cr:until>2030-01-01T00:00:00Z</cr:until></cr:validity>
  </cr:conditions>
  <cr:actions><pr:sub-handling>allow</pr:sub-handling></cr:actions>
  <cr:transformations>
   <pr:provide-services><pr:service-uri-scheme>sip</pr:service-uri-scheme><pr:service-uri-scheme>mailto</pr:service-uri-scheme></pr:provide-services>
   <pr:provide-persons><pr:all-persons/></pr:provide-persons>
   <pr:provide-devices><pr:deviceID>urn:uuid:1</pr:deviceID><pr:class>biz</pr:class></pr:provide-devices>
   <pr:provide-activities>true</pr:provide-activities>
   <pr:provide-mood>true</pr:provide-mood>
   <pr:provide-user-input>thresholds</pr:provide-user-input>
   <pr:provide-unknown-attribute ns="urn:vendor-specific:foo-namespace" name="foo">true</pr:provide-unknown-attribute>
  </cr:transformations>
 </cr:rule>
 <cr:rule id="b">
  <cr:transformations><pr:provide-services><pr:all-services/></pr:provide-services><pr:provide-all-attributes/></cr:transformations>
 </cr:rule>
</cr:ruleset>
)";
inline const std::string oma_rules = R"(<cr:ruleset xmlns:ocp="urn:oma:xml:xdm:common-policy"
  xmlns:pr="urn:ietf:params:xml:ns:pres-rules" xmlns:cr="urn:ietf:params:xml:ns:common-policy">
 <cr:rule id="wp_prs_granted">
  <cr:conditions>
   <ocp:external-list>
    <ocp:entry anc="http://xcap.example.com/xcap-root/resource-lists/users/sip:alice@example.com/index/~~/resource-lists/list%5B@name=%22oma_grantedcontacts%22%5D"/>
   </ocp:external-list>
  </cr:conditions>
  <cr:actions><pr:sub-handling>allow</pr:sub-handling></cr:actions>
 </cr:rule>
 <cr:rule id="wp_prs_block_anonymous">
  <cr:conditions><ocp:anonymous-request/></cr:conditions>
  <cr:actions><pr:sub-handling>block</pr:sub-handling></cr:actions>
 </cr:rule>
 <cr:rule id="wp_prs_unlisted">
  <cr:conditions><ocp:other-identity/></cr:conditions>
  <cr:actions><pr:sub-handling>confirm</pr:sub-handling></cr:actions>
 </cr:rule>
</cr:ruleset>
)";
inline const std::string presence = R"(<presence xmlns="urn:ietf:params:xml:ns:pidf"
  xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" xmlns:r="urn:ietf:params:xml:ns:pidf:rpid"
  xmlns:c="urn:ietf:params:xml:ns:pidf:cipid" xmlns:sc="urn:ietf:params:xml:ns:pidf:caps"
  entity="pres:someone@example.com">
 <tuple id="bs35r9">
  <status><basic>open</basic></status>
  <sc:servcaps><sc:audio>true</sc:audio><sc:control>false</sc:control><sc:description xml:lang="en">desk</sc:description>
   <sc:methods><sc:supported><sc:INVITE/><sc:SUBSCRIBE/></sc:supported></sc:methods>
   <sc:priority><sc:supported><sc:equals value="5"/><sc:higherthan minvalue="10"/></sc:supported></sc:priority>
   <sc:type>text/plain</sc:type></sc:servcaps>
  <dm:deviceID>urn:device:1</dm:deviceID>
  <r:relationship><r:self/></r:relationship>
  <r:service-class><r:electronic/></r:service-class>
  <contact priority="0.8">im:someone@mobilecarrier.net</contact>
  <note xml:lang="en">Don't disturb please!</note>
  <timestamp>2026-01-01T10:00:00Z</timestamp>
 </tuple>
 <tuple id="eg92n8"><status/><contact priority="1.0">mailto:someone@example.com</contact></tuple>
 <note>I'll be in Tokyo next week</note>
 <dm:person id="p1">
  <r:activities from="2026-01-01T09:00:00Z" until="2026-01-01T12:00:00Z"><r:note>far away</r:note><r:away/><r:on-the-phone/></r:activities>
  <c:card>http://example.com/~a/card</c:card><c:display-name>A</c:display-name>
  <r:class>calendar</r:class>
  <r:mood><r:angry/><r:other>brooding</r:other></r:mood>
  <r:place-is><r:audio><r:noisy/></r:audio></r:place-is>
  <r:place-type><lt:residence xmlns:lt="urn:ietf:params:xml:ns:location-type"/></r:place-type>
  <r:privacy><r:unknown/></r:privacy>
  <r:sphere><r:work/></r:sphere>
  <r:status-icon>http://example.com/mail.png</r:status-icon>
  <r:time-offset>-240</r:time-offset>
  <dm:note>Scoring 120</dm:note><dm:timestamp>2026-01-01T10:00:00Z</dm:timestamp>
 </dm:person>
 <dm:device id="d1">
  <r:user-input idle-threshold="600" last-input="2026-01-01T10:00:00Z">idle</r:user-input>
  <dm:deviceID>urn:device:1</dm:deviceID>
 </dm:device>
</presence>
)";
inline const std::string capabilities = R"(<xcap-caps xmlns="urn:ietf:params:xml:ns:xcap-caps">
 <auids><auid>resource-lists</auid></auids><extensions><extension>pidf</extension></extensions>
 <namespaces><namespace>urn:ietf:params:xml:ns:xcap-caps</namespace></namespaces></xcap-caps>)";
inline const std::string conflict = R"(<xcap-error xmlns="urn:ietf:params:xml:ns:xcap-error">
 <uniqueness-failure phrase="taken"><exists field="a"><alt-value>sip:a-2@b</alt-value></exists></uniqueness-failure></xcap-error>)";
inline const std::string directory = R"(<xcap-directory xmlns="urn:oma:xml:xdm:xcap-directory">
 <folder auid="resource-lists"><entry uri="http://h/xcap-root/resource-lists/users/sip:a@b/index" etag="e1" size="7"/></folder>
 <folder auid="pres-rules"/></xcap-directory>)";
inline const std::string diff = R"(<d:xcap-diff xmlns="urn:test"
  xmlns:d="urn:ietf:params:xml:ns:xcap-diff" xcap-root="http://xcap.example.com/xcap-root/">
 <d:document new-etag="b" sel="resource-lists/users/sip:a@b/index" previous-etag="a">
  <d:add sel="*/list"><entry uri="sip:c@d"/></d:add><d:replace sel="*/list/@name">x</d:replace><remove xmlns="urn:ietf:params:xml:ns:xcap-diff" sel="*/list/entry[1]" ws="after"/></d:document>
 <d:element sel="resource-lists/users/sip:a@b/index/~~/*/list"><list name="l"/></d:element>
 <d:attribute sel="resource-lists/users/sip:a@b/index/~~/*/list/@name" exists="0"/>
</d:xcap-diff>)";
inline const std::string profile = R"(<user-profiles xmlns="urn:oma:xml:xdm:user-profile">
 <user-profile uri="sip:alice@example.com">
  <communication-addresses><comm-addr>tel:+1201</comm-addr></communication-addresses>
  <display-name>Alice</display-name><gender>female</gender><hobbies><hobby>sailing</hobby></hobbies>
 </user-profile></user-profiles>)";
inline const std::string icon =
    R"(<content xmlns="urn:oma:xml:prs:pres-content"><mime-type>image/png</mime-type>
 <encoding>base64</encoding><description xml:lang="en">me</description><data>iVBORw0KGgo=
 </data></content>)";
// TS 24.623: no schema comes with the server
inline const std::string simservs =
    R"(<ss:simservs xmlns:ss="http://uri.etsi.org/ngn/params/xml/simservs/xcap"
  xmlns:cp="urn:ietf:params:xml:ns:common-policy">
 <ss:originating-identity-presentation active="true"/>
 <ss:communication-diversion active="true">
  <cp:ruleset><cp:rule id="cfu"><cp:conditions><ss:busy/></cp:conditions><cp:actions><ss:forward-to><ss:target>tel:+1</ss:target></ss:forward-to></cp:actions></cp:rule></cp:ruleset>
 </ss:communication-diversion></ss:simservs>)";

// Those that have a schema.
inline std::vector<std::pair<std::string, std::string>> all()
{
    return {{"lists", buddies},     {"OMA's lists", oma_lists}, {"services", services},
            {"rules", rules},       {"OMA's rules", oma_rules}, {"presence", presence},
            {"caps", capabilities}, {"error", conflict},        {"directory", directory},
            {"diff", diff},         {"profile", profile},       {"icon", icon}};
}

} // namespace sipyard::xcap_server::test_documents
