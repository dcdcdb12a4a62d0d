// etc/xcap_admin/lists.js - a resource-lists document as contact lists (RFC 4826)
import {ask, h} from "./dom.js";
import * as xml from "./xml.js";

const namespace = "urn:ietf:params:xml:ns:resource-lists";
const named = (element, name) => xml.childrenNamed(element, namespace, name);

// Shows the lists of `version`. `save({title, change})` stores what change(document) does to a copy; it may be done
// again on a newer version, so a change finds its elements anew and throws a sentence when they are gone.
export function showLists(version, save) {
    const root = version.xml.documentElement;
    const lists = named(root, "list");
    return h("div", {class: "editor"},
        lists.length === 0 && h("p", {class: "empty"}, "There is no list yet."),
        lists.map((list) => card(list, [keyOf(list)], save)),
        h("button", {type: "button", class: "main", onclick: () => addList([], save)}, "Add a list"));
}

// A list is known by its name, one without a name by its place.
function keyOf(list) {
    return {name: list.getAttribute("name"), place: named(list.parentNode, "list").indexOf(list)};
}

function find(document, way) {
    let at = document.documentElement;
    for (const {name, place} of way) {
        const lists = named(at, "list");
        at = name === null ? lists[place] : lists.find((list) => list.getAttribute("name") === name);
        if (!at || (name === null && at.hasAttribute("name")))
            throw new Error("The list " + (name ? "\u201c" + name + "\u201d " : "") + "is not there any more.");
    }
    return at;
}

function findEntry(document, way, uri) {
    const entry = named(find(document, way), "entry").find((one) => one.getAttribute("uri") === uri);
    if (!entry)
        throw new Error("The entry " + uri + " is not there any more.");
    return entry;
}

const displayName = (element) => xml.childNamed(element, namespace, "display-name")?.textContent.trim() ?? "";

function setDisplayName(element, text) {
    const old = xml.childNamed(element, namespace, "display-name");
    if (!text) {
        old?.remove();
    } else if (old) {
        old.textContent = text;
    } else {
        const added = xml.make(element, namespace, "display-name");
        added.textContent = text;
        element.prepend(added); // the schema wants it first
    }
}

// Behind the last of its kind, on a line of its own where the others are.
function append(parent, child, name) {
    const last = named(parent, name).at(-1);
    if (last)
        last.after(child);
    else
        parent.append(child);
}

function card(list, way, save) {
    const name = list.getAttribute("name");
    const title = displayName(list) || name || "List without a name";
    const entries = named(list, "entry");
    const others = xml.elementsOf(list).filter((one) => one.namespaceURI === namespace &&
        ["external", "entry-ref"].includes(one.localName));
    const level = "h" + Math.min(6, way.length + 2);
    return h("section", {class: "card", "aria-label": "List " + title},
        h("header", {},
            h(level, {}, title),
            displayName(list) && name && h("span", {class: "hint"}, name),
            h("span", {class: "count"}, entries.length === 1 ? "1 entry" : entries.length + " entries"),
            h("span", {class: "tools"},
                h("button", {type: "button", onclick: () => renameList(list, way, save)}, "Rename"),
                h("button", {type: "button", class: "remove", onclick: () => removeList(title, way, save)}, "Remove"))),
        entries.length > 0 && h("table", {},
            h("thead", {}, h("tr", {}, h("th", {scope: "col"}, "Name"), h("th", {scope: "col"}, "Address"),
                h("th", {scope: "col"}, h("span", {class: "hidden"}, "Actions")))),
            h("tbody", {}, entries.map((entry) => row(entry, way, save)))),
        others.length > 0 && h("ul", {class: "links"}, others.map((one) => h("li", {},
            one.localName === "external" ? "List elsewhere: " : "Entry elsewhere: ",
            h("code", {}, one.getAttribute("anchor") ?? one.getAttribute("ref") ?? "")))),
        named(list, "list").map((inner) => card(inner, [...way, keyOf(inner)], save)),
        h("div", {class: "adding"},
            h("button", {type: "button", onclick: () => addEntry(way, title, save)}, "Add an entry"),
            h("button", {type: "button", class: "quiet", onclick: () => addList(way, save)}, "Add a list inside")));
}

function row(entry, way, save) {
    const uri = entry.getAttribute("uri") ?? "";
    const name = displayName(entry);
    return h("tr", {},
        h("td", {}, name || h("span", {class: "hint"}, "\u2013")),
        h("td", {}, h("code", {}, uri)),
        h("td", {class: "tools"},
            h("button", {type: "button", "aria-label": "Edit " + (name || uri),
                         onclick: () => editEntry(name, uri, way, save)}, "Edit"),
            h("button", {type: "button", class: "remove", "aria-label": "Remove " + (name || uri), onclick: () => save({
                title: "Remove " + (name || uri),
                change: (document) => findEntry(document, way, uri).remove(),
            })}, "Remove")));
}

const entryFields = (name, uri) => [
    {name: "uri", label: "Address", value: uri, required: true, placeholder: "sip:bob@example.com",
     hint: "A SIP address; \u201csip:\u201d is put in front when it is missing."},
    {name: "display", label: "Name", value: name, placeholder: "Bob Builder"},
];
export const asUri = (text) => (/^[a-z][a-z0-9+.-]*:/i.test(text) ? text : "sip:" + text);

async function addEntry(way, title, save) {
    const given = await ask({title: "Add an entry to \u201c" + title + "\u201d", action: "Add",
                             fields: entryFields("", "")});
    if (!given)
        return;
    const uri = asUri(given.uri);
    save({title: "Add " + (given.display || uri) + " to \u201c" + title + "\u201d", change: (document) => {
        const list = find(document, way);
        if (named(list, "entry").some((one) => one.getAttribute("uri") === uri))
            throw new Error(uri + " is in this list already.");
        const entry = xml.make(list, namespace, "entry");
        entry.setAttribute("uri", uri);
        append(list, entry, "entry");
        setDisplayName(entry, given.display);
    }});
}

async function editEntry(name, uri, way, save) {
    const given = await ask({title: "Edit " + (name || uri), fields: entryFields(name, uri)});
    if (!given)
        return;
    save({title: "Change " + (name || uri), change: (document) => {
        const entry = findEntry(document, way, uri);
        if (asUri(given.uri) !== uri)
            entry.setAttribute("uri", asUri(given.uri));
        if (given.display !== displayName(entry))
            setDisplayName(entry, given.display);
    }});
}

async function addList(way, save) {
    const given = await ask({title: "Add a list", action: "Add", fields: [
        {name: "name", label: "Name", required: true, placeholder: "friends"},
        {name: "display", label: "Shown as", hint: "Optional: what phones show in place of the name."}]});
    if (!given)
        return;
    save({title: "Add the list \u201c" + given.name + "\u201d", change: (document) => {
        const parent = find(document, way);
        if (named(parent, "list").some((one) => one.getAttribute("name") === given.name))
            throw new Error("There is a list \u201c" + given.name + "\u201d already.");
        const list = xml.make(parent, namespace, "list");
        list.setAttribute("name", given.name);
        append(parent, list, "list");
        setDisplayName(list, given.display);
    }});
}

async function renameList(list, way, save) {
    const name = list.getAttribute("name") ?? "";
    const given = await ask({title: "Rename the list", fields: [
        {name: "name", label: "Name", value: name, required: true},
        {name: "display", label: "Shown as", value: displayName(list)}]});
    if (!given)
        return;
    save({title: "Rename the list \u201c" + name + "\u201d to \u201c" + given.name + "\u201d", change: (document) => {
        const found = find(document, way);
        if (given.name !== found.getAttribute("name"))
            found.setAttribute("name", given.name);
        if (given.display !== displayName(found))
            setDisplayName(found, given.display);
    }});
}

async function removeList(title, way, save) {
    if (await ask({title: "Remove the list \u201c" + title + "\u201d?", text: "Its entries go with it.",
                   action: "Remove", danger: true}))
        save({title: "Remove the list \u201c" + title + "\u201d", change: (document) => find(document, way).remove()});
}
