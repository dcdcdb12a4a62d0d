// etc/xcap_admin/rules.js - presence rules as people and what they may see (RFC 4745, RFC 5025)
import {ask, h} from "./dom.js";
import {asUri} from "./lists.js";
import * as xml from "./xml.js";

const common = "urn:ietf:params:xml:ns:common-policy";
const presence = "urn:ietf:params:xml:ns:pres-rules";

const handlings = [
    ["allow", "May see me", "allowed to see presence"],
    ["confirm", "Ask me first", "waits until the user says yes or no"],
    ["polite-block", "Sees me offline", "politely blocked"],
    ["block", "Is refused", "blocked"],
];
const nobody = ["", "No rule: the server's default", ""];

// A rule is about `people` (one rule, named persons), about `everybody` (all but exceptions), or `other`: shown, left
// alone.
function kindOf(rule) {
    const conditions = xml.childNamed(rule, common, "conditions");
    const identity = conditions && xml.childNamed(conditions, common, "identity");
    if (!identity || conditions.children.length !== 1 || handlingOf(rule) === null)
        return "other";
    const ones = xml.childrenNamed(identity, common, "one");
    if (ones.length && ones.length === identity.children.length && ones.every((one) => one.children.length === 0))
        return "people";
    const many = xml.childNamed(identity, common, "many");
    if (many && identity.children.length === 1 && !many.hasAttribute("domain") &&
        xml.elementsOf(many).every((one) => one.localName === "except" && one.hasAttribute("id")))
        return "everybody";
    return "other";
}

function handlingElement(rule) {
    const actions = xml.childNamed(rule, common, "actions");
    return actions && xml.childNamed(actions, presence, "sub-handling");
}
const handlingOf = (rule) => handlingElement(rule)?.textContent.trim() ?? null;

const rulesOf = (document, kind) =>
    xml.childrenNamed(document.documentElement, common, "rule").filter((rule) => kindOf(rule) === kind);
const identityOf = (rule) => xml.childNamed(xml.childNamed(rule, common, "conditions"), common, "identity");
const onesOf = (rule) => xml.childrenNamed(identityOf(rule), common, "one");

function add(parent, namespace, name, attributes = {}) {
    const child = xml.make(parent, namespace, name, namespace === presence ? "pr" : "cp");
    for (const [key, value] of Object.entries(attributes))
        child.setAttribute(key, value);
    parent.append(child);
    return child;
}

// A new rule with a name nobody has, its identity still empty.
function addRule(document, handling, name) {
    const taken = new Set([...document.getElementsByTagNameNS(common, "rule")].map((rule) => rule.getAttribute("id")));
    let id = name;
    for (let n = 2; taken.has(id); ++n)
        id = name + "-" + n;
    const root = document.documentElement;
    const rule = xml.make(root, common, "rule", "cp");
    rule.setAttribute("id", id);
    const last = xml.childrenNamed(root, common, "rule").at(-1);
    if (last)
        last.after(rule);
    else
        root.append(rule);
    const identity = add(add(rule, common, "conditions"), common, "identity");
    add(add(rule, common, "actions"), presence, "sub-handling").textContent = handling;
    showEverything(rule, handling);
    return identity;
}

// Permission alone shows nothing: who is allowed gets all there is (RFC 5025 3.3).
function showEverything(rule, handling) {
    if (handling !== "allow" || xml.childNamed(rule, common, "transformations"))
        return;
    const what = add(rule, common, "transformations");
    for (const [outer, inner] of [["provide-services", "all-services"], ["provide-persons", "all-persons"],
                                  ["provide-devices", "all-devices"]])
        add(add(what, presence, outer), presence, inner);
    add(what, presence, "provide-all-attributes");
}

function setHandling(rule, handling) {
    handlingElement(rule).textContent = handling;
    showEverything(rule, handling);
}

// Permissions add up (RFC 4745 10): whoever has a rule of his own has to be excepted from everybody's.
function except(document, id, excepted) {
    for (const rule of rulesOf(document, "everybody")) {
        const many = xml.childNamed(identityOf(rule), common, "many");
        const found = xml.elementsOf(many).filter((one) => one.getAttribute("id") === id);
        if (excepted && found.length === 0)
            add(many, common, "except", {id});
        else if (!excepted)
            found.forEach((one) => one.remove());
    }
}

function dropPerson(document, id) {
    for (const rule of rulesOf(document, "people")) {
        const ones = onesOf(rule), his = ones.filter((one) => one.getAttribute("id") === id);
        if (his.length && his.length === ones.length)
            rule.remove();
        else
            his.forEach((one) => one.remove());
    }
}

function setPerson(document, id, handling) {
    const own = rulesOf(document, "people").find((rule) =>
        onesOf(rule).length === 1 && onesOf(rule)[0].getAttribute("id") === id);
    if (own) {
        setHandling(own, handling);
    } else {
        dropPerson(document, id); // from a rule for several
        add(addRule(document, handling, "person"), common, "one", {id});
    }
    except(document, id, true);
}

const peopleOf = (document) => rulesOf(document, "people").flatMap((rule) =>
    onesOf(rule).map((one) => ({id: one.getAttribute("id") ?? "", handling: handlingOf(rule)})));

function setEverybody(document, handling) {
    const rules = rulesOf(document, "everybody");
    if (!handling) {
        rules.forEach((rule) => rule.remove());
    } else if (rules.length) {
        rules.forEach((rule) => setHandling(rule, handling));
    } else {
        add(addRule(document, handling, "everybody"), common, "many");
        peopleOf(document).forEach(({id}) => except(document, id, true));
    }
}

function choice(label, value, options, onchange) {
    const known = options.some(([name]) => name === value) ? options : [[value, value, ""], ...options];
    return h("select", {"aria-label": label, onchange: (event) => onchange(event.target.value)},
        known.map(([name, text]) => h("option", {value: name, selected: name === value}, text)));
}
const labelOf = (handling) => handlings.find(([name]) => name === handling)?.[1].toLowerCase() ?? "server's default";

// See showLists().
export function showRules(version, save) {
    const document = version.xml;
    const people = peopleOf(document), others = rulesOf(document, "other");
    const everybody = rulesOf(document, "everybody")[0];
    return h("div", {class: "editor"},
        h("section", {class: "card", "aria-label": "People"},
            h("header", {}, h("h3", {}, "People"),
                h("span", {class: "count"}, people.length === 1 ? "1 person" : people.length + " persons")),
            people.length > 0 && h("table", {},
                h("thead", {}, h("tr", {}, h("th", {scope: "col"}, "Who"), h("th", {scope: "col"}, "What happens"),
                    h("th", {scope: "col"}, h("span", {class: "hidden"}, "Actions")))),
                h("tbody", {}, people.map(({id, handling}) => h("tr", {},
                    h("td", {}, h("code", {}, id)),
                    h("td", {class: "handling " + (handlings.some(([name]) => name === handling) ? handling : "")},
                        choice("What happens when " + id + " asks", handling, handlings, (value) => save({
                            title: id + ": " + labelOf(value),
                            change: (copy) => setPerson(copy, id, value),
                        }))),
                    h("td", {class: "tools"}, h("button", {type: "button", class: "remove", "aria-label": "Remove " + id,
                        onclick: () => save({title: "Remove the rule for " + id, change: (copy) => {
                            dropPerson(copy, id);
                            except(copy, id, false);
                        }})}, "Remove")))))),
            h("div", {class: "adding"}, h("button", {type: "button", class: "main", onclick: () => addPerson(save)},
                "Add a person"))),
        h("section", {class: "card", "aria-label": "Everybody else"},
            h("header", {}, h("h3", {}, "Everybody else")),
            h("div", {class: "handling " + ((everybody && handlingOf(everybody)) ?? "")},
                choice("What happens when anybody else asks", everybody ? handlingOf(everybody) : "",
                    [nobody, ...handlings], (value) => save({
                        title: "Everybody else: " + labelOf(value),
                        change: (copy) => setEverybody(copy, value),
                    })))),
        others.length > 0 && h("section", {class: "card", "aria-label": "Other rules"},
            h("header", {}, h("h3", {}, "Other rules")),
            h("p", {class: "hint"}, "Rules with conditions this page does not edit. They count all the same."),
            h("ul", {class: "links"}, others.map((rule) => h("li", {}, h("code", {}, rule.getAttribute("id") ?? ""),
                " ", handlingOf(rule) ? labelOf(handlingOf(rule)) : "")))));
}

async function addPerson(save) {
    const given = await ask({title: "Add a person", action: "Add", fields: [
        {name: "id", label: "Address", required: true, placeholder: "sip:bob@example.com"},
        {name: "handling", label: "What happens", value: "allow", options: handlings}]});
    if (!given)
        return;
    const id = asUri(given.id);
    save({title: id + ": " + labelOf(given.handling), change: (document) => setPerson(document, id, given.handling)});
}
