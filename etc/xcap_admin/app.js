// etc/xcap_admin/app.js - the page: who is signed in, which document is open, and how a change is saved
import {smallestChange} from "./change.js";
import {settle} from "./conflict.js";
import {ask, byId, h, show} from "./dom.js";
import {showText, showTree} from "./view.js";
import {usageOf, usages} from "./usages.js";
import * as xml from "./xml.js";
import {Documents, signOut, whoAmI} from "./xcap.js";

let documents = null; // of who is signed in
let listed = [];      // his documents
let open = null;      // the version on the screen
let tab = "edit";
let busy = false;

function say(text, kind = "good") {
    show(byId("message"), text && h("p", {class: kind}, text));
}
const complain = (problem) => say(problem.message, "bad");

// One thing at a time: a second click waits for nobody, it is not heard.
async function during(work) {
    if (busy)
        return;
    busy = true;
    document.body.classList.add("busy");
    say("");
    try {
        await work();
    } catch (problem) {
        if (problem.status === 401)
            leave("You have been signed out.");
        else
            complain(problem);
        render();
    } finally {
        busy = false;
        document.body.classList.remove("busy");
        if (document.activeElement === document.body) // what had the focus has been drawn anew
            byId("document").focus({preventScroll: true});
    }
}

// --- signing in and out ---

async function signIn() {
    show(byId("sign-in-message"), h("p", {class: "hint"}, "Waiting for your browser to ask\u2026"));
    try {
        documents = new Documents(await whoAmI());
    } catch (problem) {
        leave(problem.status === 401 ? "That name and password are not known here. Try again." : problem.message);
        return;
    }
    sessionStorage.setItem("signed-in", "yes");
    byId("sign-in").hidden = true;
    byId("workplace").hidden = false;
    byId("user").textContent = documents.xui;
    byId("account").hidden = false;
    await during(async () => {
        await relist();
        await openFromAddress();
    });
}

function leave(text) {
    sessionStorage.removeItem("signed-in");
    documents = open = null;
    listed = [];
    byId("account").hidden = byId("workplace").hidden = true;
    for (const place of ["documents", "document", "message", "user"]) // nothing for the next one at this screen
        show(byId(place));
    byId("sign-in").hidden = false;
    show(byId("sign-in-message"), text && h("p", {class: "bad"}, text));
    byId("sign-in-button").focus();
}

// --- the documents ---

async function relist() {
    const wellKnown = usages.filter((one) => one.create).map(({auid, create: {name}}) => ({auid, name}));
    listed = await documents.list(wellKnown);
    renderList();
}

function renderList() {
    const groups = new Map();
    for (const usage of usages)
        if (usage.create)
            groups.set(usage.auid, []);
    for (const one of listed)
        groups.set(one.auid, [...(groups.get(one.auid) ?? []), one]);
    show(byId("documents"), [...groups].map(([auid, found]) => {
        const usage = usageOf(auid);
        const wellKnown = usage.create && documents.pathOf(auid, usage.create.name);
        const isThere = usage.create && found.some((one) => one.name === usage.create.name);
        return h("section", {},
            h("h3", {}, usage.title, usage.title !== auid && h("span", {class: "hint"}, auid)),
            h("ul", {},
                found.map((one) => h("li", {}, h("a", {
                    href: "#" + encodeURIComponent(one.path),
                    "aria-current": open?.path === one.path ? "page" : undefined,
                }, h("span", {class: "name"}, one.name), h("span", {class: "hint"}, size(one.size))))),
                usage.create && !isThere && h("li", {}, h("button", {
                    type: "button", class: "quiet create",
                    onclick: () => during(() => create(wellKnown, usage.create)),
                }, "+ Create"))));
    }));
}

const size = (bytes) => (bytes < 1000 ? bytes + " B" : (bytes / 1000).toFixed(1) + " kB");

async function create(path, {type, text}) {
    try {
        await documents.create(path, type, text);
    } catch (problem) {
        if (problem.status !== 412) // made by somebody else meanwhile: as good
            throw problem;
    }
    await relist();
    // The server's spelling of the path is the one in the list.
    const made = listed.find((one) => decodeURIComponent(one.path) === decodeURIComponent(path));
    await go(made?.path ?? path);
}

// Another document, or none. (Only what the user does with the address makes a hashchange event.)
function go(path) {
    history.pushState(null, "", path ? "#" + encodeURIComponent(path) : location.pathname);
    return openFromAddress();
}

async function openFromAddress() {
    let path = "";
    try {
        path = decodeURIComponent(location.hash.slice(1));
    } catch { // not one of our addresses
    }
    const entry = listed.find((one) => one.path === path);
    if (open?.path !== path)
        tab = entry && usageOf(entry.auid).editor ? "edit" : "tree";
    open = entry ? {...await documents.read(path), auid: entry.auid, name: entry.name} : null;
    render();
}

async function reopen() {
    const {auid, name, path} = open;
    open = {...await documents.read(path), auid, name};
    await relist();
    render();
}

// --- one document ---

function render() {
    if (!documents)
        return;
    renderList();
    if (!open) {
        show(byId("document"), h("p", {class: "empty"},
            listed.length ? "Choose a document." : "You have no documents yet. Create one on the left."));
        return;
    }
    const usage = usageOf(open.auid);
    const tabs = [...(usage.editor && open.xml ? [["edit", "Edit"]] : []), ["tree", "Elements"], ["text", "Text"]];
    if (!tabs.some(([name]) => name === tab))
        tab = tabs[0][0];
    const body = tab === "edit" ? usage.editor(open, (edit) => during(() => save(edit)))
        : tab === "tree" ? showTree(open) : showText(open);
    show(byId("document"),
        h("header", {class: "title"},
            h("div", {}, h("h2", {}, usage.title), h("p", {class: "hint"}, open.auid + " / " + open.name,
                h("span", {class: "etag"}, "version ", h("code", {}, (open.etag ?? "").replaceAll("\"", ""))))),
            h("button", {type: "button", class: "danger", onclick: () => during(remove)}, "Delete document")),
        h("div", {class: "tabs", role: "tablist"}, tabs.map(([name, label]) => h("button", {
            type: "button", role: "tab", id: "tab-" + name,
            "aria-selected": String(name === tab), "aria-controls": "panel",
            tabindex: name === tab ? "0" : "-1",
            onclick: () => turnTo(name),
            onkeydown: (event) => {
                const step = {ArrowRight: 1, ArrowLeft: tabs.length - 1}[event.key];
                if (step)
                    turnTo(tabs[(tabs.findIndex(([one]) => one === name) + step) % tabs.length][0]);
            },
        }, label))),
        h("div", {id: "panel", role: "tabpanel", "aria-labelledby": "tab-" + tab}, body));
}

function turnTo(name) {
    tab = name;
    render();
    byId("tab-" + name).focus();
}

// `edit` is {title, change(document)}. What it changes is written under the tag of the version it was made for; when
// that is not the newest any more, the user chooses, and the change is made again on theirs.
async function save({title, change}) {
    for (let base = open;;) {
        const mine = xml.copyOf(base.xml);
        change(mine);
        const request = smallestChange(base.xml, mine);
        try {
            if (request)
                await documents.write(base, request);
            break;
        } catch (problem) {
            if (problem.status !== 412 && problem.status !== 404)
                throw problem;
        }
        const theirs = await newest();
        if (!theirs)
            throw new Error("The document has been deleted by somebody else.");
        if (theirs.etag === base.etag)
            throw new Error("The server does not find what this change is about.");
        if (await settle({title, mine: {xml: mine}, theirs}) === "theirs") {
            await reopen();
            say("You have their version now.");
            return;
        }
        if (!theirs.xml)
            throw new Error("Their version is not well-formed: delete the document or repair it elsewhere.");
        base = theirs;
    }
    await reopen();
    say("Saved: " + title + ".");
}

// The server's version; null when it is gone, and then from the screen too.
async function newest() {
    try {
        return await documents.read(open.path);
    } catch (problem) {
        if (problem.status !== 404)
            throw problem;
        open = null;
        await relist();
        await go("");
        return null;
    }
}

async function remove() {
    const what = usageOf(open.auid).title + " (" + open.name + ")";
    if (!await ask({title: "Delete this document?", text: what + " is gone for all your phones and programs.",
                    action: "Delete", danger: true}))
        return;
    for (let base = open;;) {
        try {
            await documents.write(base, null);
            break;
        } catch (problem) {
            if (problem.status === 404)
                break; // somebody had the same idea
            if (problem.status !== 412)
                throw problem;
        }
        const theirs = await newest();
        if (!theirs)
            break;
        if (await settle({title: "Delete " + what, mine: null, theirs}) === "theirs") {
            await reopen();
            return;
        }
        base = theirs;
    }
    await relist();
    await go("");
    say("Deleted: " + what + ".");
}

byId("sign-in-button").addEventListener("click", signIn);
byId("sign-out").addEventListener("click", async () => {
    const forgotten = await signOut();
    leave("");
    if (!forgotten)
        show(byId("sign-in-message"), h("p", {class: "bad"}, "Close the browser to forget the password."));
});
byId("reload").addEventListener("click", () => during(async () => {
    await relist();
    await openFromAddress();
}));
window.addEventListener("hashchange", () => documents && during(openFromAddress));
if (sessionStorage.getItem("signed-in"))
    signIn();
