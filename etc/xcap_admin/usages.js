// etc/xcap_admin/usages.js - the kinds of documents this page knows by name
import {showLists} from "./lists.js";
import {showRules} from "./rules.js";

const emptyLists = `<?xml version="1.0" encoding="UTF-8"?>
<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists">
</resource-lists>
`;
const emptyRules = `<?xml version="1.0" encoding="UTF-8"?>
<ruleset xmlns="urn:ietf:params:xml:ns:common-policy" xmlns:pr="urn:ietf:params:xml:ns:pres-rules">
</ruleset>
`;

// `create`: offered to everybody who has none; `editor`: how it is shown and changed, others are only shown.
export const usages = [
    {auid: "resource-lists", title: "Contact lists", editor: showLists,
     create: {name: "index", type: "application/resource-lists+xml", text: emptyLists}},
    {auid: "pres-rules", title: "Who may see me", editor: showRules,
     create: {name: "index", type: "application/auth-policy+xml", text: emptyRules}},
    {auid: "org.openmobilealliance.pres-rules", title: "Who may see me (OMA)", editor: showRules},
    {auid: "rls-services", title: "Lists watched as one"},
    {auid: "pidf-manipulation", title: "Permanent presence"},
    {auid: "org.openmobilealliance.user-profile", title: "Profile"},
    {auid: "org.openmobilealliance.pres-content", title: "Status icon"},
    {auid: "simservs.ngn.etsi.org", title: "Call services"},
];

export const usageOf = (auid) => usages.find((usage) => usage.auid === auid) ?? {auid, title: auid};
