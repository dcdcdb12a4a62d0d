// etc/xcap_admin/xml.js - XML documents: parsed, compared, written with no declaration more than needed

const xmlnsNamespace = "http://www.w3.org/2000/xmlns/";

export function parse(text) {
    const parsed = new DOMParser().parseFromString(text, "application/xml");
    return parsed.getElementsByTagName("parsererror").length ? null : parsed;
}

export const copyOf = (xml) => xml.cloneNode(true);

export const elementsOf = (node) => [...node.children];

export function childrenNamed(element, namespace, name) {
    return elementsOf(element).filter((child) => child.namespaceURI === namespace && child.localName === name);
}
export const childNamed = (element, namespace, name) => childrenNamed(element, namespace, name)[0];

// A new child of `parent` in that namespace; with a prefix the document already has for it where there is one.
export function make(parent, namespace, name, preferred) {
    const prefix = parent.isDefaultNamespace(namespace) ? null : parent.lookupPrefix(namespace) ?? preferred;
    return parent.ownerDocument.createElementNS(namespace, prefix ? prefix + ":" + name : name);
}

// Everything but white space between elements: what two versions are compared by.
export function contentOf(node) {
    return [...node.childNodes].filter((child) => child.nodeType !== Node.TEXT_NODE || child.data.trim() !== "");
}

export const escapeText = (text) => text.replace(/[&<>\r]/g, (c) =>
    ({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})[c]);
export const escapeValue = (text) => text.replace(/[&<>"\t\n\r]/g, (c) =>
    ({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;"})[c] ?? "&#" + c.charCodeAt(0) + ";");

// The prefixes in force inside an element, "" the default namespace.
export function scopeOf(element) {
    const scope = new Map();
    for (let at = element; at && at.nodeType === Node.ELEMENT_NODE; at = at.parentNode)
        for (const attribute of at.attributes)
            if (attribute.namespaceURI === xmlnsNamespace) {
                const prefix = attribute.prefix ? attribute.localName : "";
                if (!scope.has(prefix))
                    scope.set(prefix, attribute.value);
            }
    return scope;
}

// A node as text, for a place where `scope` is in force. With `indent` ("" at the top) one line for each element:
// for reading, not for storing.
export function write(node, scope = new Map(), indent) {
    const deeper = indent === undefined ? undefined : indent + "  ";
    const line = (children, inside) => children.map((child) => {
        const text = write(child, inside, deeper);
        return deeper === undefined ? text : "\n" + deeper + text;
    }).join("");
    switch (node.nodeType) {
    case Node.TEXT_NODE: return escapeText(indent === undefined ? node.data : node.data.trim());
    case Node.CDATA_SECTION_NODE: return "<![CDATA[" + node.data + "]]>";
    case Node.COMMENT_NODE: return "<!--" + node.data + "-->";
    case Node.PROCESSING_INSTRUCTION_NODE: return "<?" + node.target + " " + node.data + "?>";
    case Node.DOCUMENT_NODE:
        return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" +
               [...node.childNodes].map((child) => write(child, scope, indent)).join("\n") + "\n";
    case Node.ELEMENT_NODE: break;
    default: return "";
    }
    const inside = new Map(scope);
    let head = "<" + node.nodeName;
    const declare = (prefix, namespace) => {
        if ((inside.get(prefix) ?? "") === namespace || prefix === "xml")
            return;
        inside.set(prefix, namespace);
        head += " xmlns" + (prefix ? ":" + prefix : "") + "=\"" + escapeValue(namespace) + "\"";
    };
    for (const attribute of node.attributes)
        if (attribute.namespaceURI === xmlnsNamespace)
            declare(attribute.prefix ? attribute.localName : "", attribute.value);
    declare(node.prefix ?? "", node.namespaceURI ?? "");
    for (const attribute of node.attributes) {
        if (attribute.namespaceURI === xmlnsNamespace)
            continue;
        if (attribute.prefix)
            declare(attribute.prefix, attribute.namespaceURI);
        head += " " + attribute.name + "=\"" + escapeValue(attribute.value) + "\"";
    }
    const children = indent === undefined ? [...node.childNodes] : contentOf(node);
    if (children.length === 0)
        return head + "/>";
    const only = children.length === 1 && children[0].nodeType === Node.TEXT_NODE;
    if (indent === undefined || only)
        return head + ">" + children.map((child) => write(child, inside, only ? indent : undefined)).join("") +
               "</" + node.nodeName + ">";
    return head + ">" + line(children, inside) + "\n" + indent + "</" + node.nodeName + ">";
}

export const pretty = (xml) => write(xml, new Map(), "");

// Equal but for white space between elements and the choice of prefixes.
export function isSame(a, b) {
    if (a.nodeType !== b.nodeType)
        return false;
    if (a.nodeType !== Node.ELEMENT_NODE)
        return a.data === b.data && a.target === b.target;
    if (!isNamedAs(a, b) || changedAttributes(a, b).length)
        return false;
    const left = contentOf(a), right = contentOf(b);
    return left.length === right.length && left.every((node, i) => isSame(node, right[i]));
}

export const isNamedAs = (a, b) => a.localName === b.localName && a.namespaceURI === b.namespaceURI;

// Names of attributes that differ, as [namespace, local name, prefix].
export function changedAttributes(a, b) {
    const names = new Map();
    for (const attribute of [...a.attributes, ...b.attributes])
        if (attribute.namespaceURI !== xmlnsNamespace)
            names.set(attribute.namespaceURI + " " + attribute.localName,
                      [attribute.namespaceURI, attribute.localName, attribute.prefix]);
    return [...names.values()].filter(([namespace, name]) =>
        a.getAttributeNS(namespace, name) !== b.getAttributeNS(namespace, name));
}
