// etc/xcap_admin/view.js - a document to look at: its elements as a tree, or its text
import {h} from "./dom.js";
import * as xml from "./xml.js";

const openLevels = 3, mostNodes = 5000;

export function showTree(version) {
    if (!version.xml)
        return h("p", {class: "empty"}, "The stored text is not well-formed; it is shown as text.");
    let left = mostNodes;
    const node = (element, level) => {
        if (--left < 0)
            return null;
        const attributes = [...element.attributes].map((one) =>
            [" ", h("span", {class: "name"}, one.name), "=", h("span", {class: "value"}, one.value)]);
        const content = xml.contentOf(element);
        const texts = content.filter((child) => child.data !== undefined && child.nodeType !== Node.COMMENT_NODE);
        const head = [h("span", {class: "element"}, element.nodeName), attributes];
        if (!content.some((child) => child.nodeType === Node.ELEMENT_NODE || child.nodeType === Node.COMMENT_NODE))
            return h("li", {}, head, texts.length > 0 && [" ", h("span", {class: "text"},
                texts.map((text) => text.data.trim()).join(" "))]);
        return h("li", {}, h("details", {open: level < openLevels}, h("summary", {}, head),
            h("ul", {}, content.map((child) =>
                child.nodeType === Node.ELEMENT_NODE ? node(child, level + 1)
                : child.nodeType === Node.COMMENT_NODE ? h("li", {class: "comment"}, child.data.trim())
                : h("li", {}, h("span", {class: "text"}, (child.data ?? "").trim()))))));
    };
    const tree = h("ul", {class: "elements"}, node(version.xml.documentElement, 0));
    return h("div", {}, tree,
        left < 0 && h("p", {class: "hint"}, "Only the first " + mostNodes + " elements are shown."));
}

export function showText(version) {
    return h("pre", {class: "source", tabindex: "0", "aria-label": "Text of the document"}, version.text);
}
