// etc/xcap_admin/change.js - the smallest XCAP request that makes one version of a document another (RFC 4825 6, 8)
import * as xml from "./xml.js";

// What names an element among its siblings, in the usages this page knows.
const keys = ["name", "uri", "id", "ref", "anchor"];

// {method, node, type, body}: `node` is the selector behind "~~/" with its query, none when the whole document is to
// be written. null when nothing differs. Both versions have the same root element's name.
export function smallestChange(before, after) {
    const from = before.documentElement, to = after.documentElement;
    if (xml.isSame(from, to))
        return null;
    const whole = {method: "PUT", node: null, body: xml.write(after)};
    if (!xml.isNamedAs(from, to))
        return whole;
    const selector = new Selector();
    return within(from, to, [selector.step(from)], selector) ?? whole;
}

// The change inside an element that is there in both versions; null when it is the element as a whole.
function within(from, to, steps, selector) {
    const attributes = xml.changedAttributes(from, to);
    const left = xml.contentOf(from), right = xml.contentOf(to);
    const differ = [];
    if (left.length === right.length)
        for (let i = 0; i < left.length; ++i)
            if (!xml.isSame(left[i], right[i]))
                differ.push(i);
    const sameContent = left.length === right.length && differ.length === 0;
    if (attributes.length === 1 && sameContent)
        return attributeChange(from, to, attributes[0], steps, selector);
    if (attributes.length)
        return null;
    if (differ.length === 1 && left.length === right.length)
        return replaced(left[differ[0]], right[differ[0]], steps, selector);
    if (right.length === left.length + 1)
        return inserted(left, right, steps, selector, from);
    if (right.length + 1 === left.length)
        return removed(left, right, steps, selector);
    return null;
}

const isElement = (node) => node.nodeType === Node.ELEMENT_NODE;

function put(steps, selector, element, parent) {
    return {method: "PUT", node: selector.text(steps), type: "application/xcap-el+xml",
            body: xml.write(element, xml.scopeOf(parent))};
}

function attributeChange(from, to, [namespace, name, prefix], steps, selector) {
    // The selector may not test what it changes (RFC 4825 8.2.3 asks the server to refuse that).
    const path = [...steps.slice(0, -1), steps.length > 1 ? selector.step(from, [name]) : steps[0]];
    const last = "@" + (namespace ? selector.prefix(namespace) + ":" : "") + name;
    if (!to.hasAttributeNS(namespace, name))
        return {method: "DELETE", node: selector.text([...path, last])};
    if (prefix && from.lookupNamespaceURI(prefix) !== namespace)
        return null;
    return {method: "PUT", node: selector.text([...path, last]), type: "application/xcap-att+xml",
            body: xml.escapeValue(to.getAttributeNS(namespace, name))};
}

function replaced(from, to, steps, selector) {
    if (!isElement(from) || !isElement(to) || !xml.isNamedAs(from, to))
        return null;
    const changed = xml.changedAttributes(from, to).map(([, name]) => name);
    const path = [...steps, selector.step(from, changed)];
    return within(from, to, path, selector) ?? put(path, selector, to, from.parentNode);
}

// Where one of `right` is new. The server puts an element behind the last of its name, else at the end, unless a
// position says otherwise (RFC 4825 8.2.3).
function inserted(left, right, steps, selector, parent) {
    let at = 0;
    while (at < left.length && xml.isSame(left[at], right[at]))
        ++at;
    if (!isElement(right[at]) || !right[at].namespaceURI ||
        !left.slice(at).every((node, i) => xml.isSame(node, right[at + 1 + i])))
        return null;
    const element = right[at];
    const name = selector.name(element), test = selector.test(element, right.filter(isElement));
    const before = right.slice(0, at).filter(isElement);
    const kin = left.filter((node) => isElement(node) && xml.isNamedAs(node, element));
    const kinBefore = before.filter((node) => xml.isNamedAs(node, element));
    const isLast = at === right.length - 1;
    const followsKin = kinBefore.length > 0 && xml.isNamedAs(right[at - 1], element);
    let step = null;
    if (kin.length === 0 && isLast)
        step = name + test;
    else if (kin.length > 0 && kinBefore.length === kin.length && followsKin)
        step = test ? name + test : name + "[" + (kin.length + 1) + "]";
    else if (test && followsKin)
        step = name + "[" + (kinBefore.length + 1) + "]" + test;
    else if (test && kin.length > 0 && kinBefore.length === 0 && right[at + 1] && xml.isNamedAs(right[at + 1], element))
        step = name + "[1]" + test;
    else if (test && before.length > 0 && isElement(right[at - 1]))
        step = "*[" + (before.length + 1) + "]" + test;
    return step && put([...steps, step], selector, element, parent);
}

function removed(left, right, steps, selector) {
    let at = 0;
    while (at < right.length && xml.isSame(left[at], right[at]))
        ++at;
    if (!isElement(left[at]) || !left.slice(at + 1).every((node, i) => xml.isSame(node, right[at + i])))
        return null;
    const step = selector.step(left[at]);
    const kin = left.filter((node) => isElement(node) && xml.isNamedAs(node, left[at]));
    // A position would name the next one afterwards, which the server refuses (RFC 4825 8.2.4: cannot-delete).
    if (/\[\d+\]$/.test(step) && kin.at(-1) !== left[at])
        return null;
    return {method: "DELETE", node: selector.text([...steps, step])};
}

// Steps with prefixes of their own, bound in the query: what prefixes the document has does not matter.
class Selector {
    #prefixes = new Map();

    prefix(namespace) {
        if (!this.#prefixes.has(namespace))
            this.#prefixes.set(namespace, "abcdefghij"[this.#prefixes.size] ?? "n" + this.#prefixes.size);
        return this.#prefixes.get(namespace);
    }
    name(element) {
        return element.namespaceURI ? this.prefix(element.namespaceURI) + ":" + element.localName : "*";
    }
    // [@uri="..."] when that tells the element from its kin; "" when nothing does.
    test(element, siblings, unusable = []) {
        for (const key of keys) {
            const value = element.getAttribute(key);
            if (value === null || unusable.includes(key))
                continue;
            if (siblings.filter((one) => xml.isNamedAs(one, element) && one.getAttribute(key) === value).length === 1)
                return "[@" + key + "=\"" + xml.escapeValue(value) + "\"]";
        }
        return "";
    }
    step(element, unusable = []) {
        const parent = element.parentNode;
        const siblings = parent.nodeType === Node.DOCUMENT_NODE ? [element] : xml.elementsOf(parent);
        const name = this.name(element);
        const test = this.test(element, siblings, unusable);
        if (test && name !== "*")
            return name + test;
        const kin = name === "*" ? siblings : siblings.filter((one) => xml.isNamedAs(one, element));
        return kin.length === 1 ? name : name + "[" + (kin.indexOf(element) + 1) + "]";
    }
    text(steps) {
        const query = [...this.#prefixes].map(([namespace, prefix]) =>
            "xmlns(" + prefix + "=" + encodeURIComponent(namespace.replace(/[\^()]/g, "^$&")) + ")").join("");
        return steps.map(encodeURIComponent).join("/") + (query ? "?" + query : "");
    }
}
