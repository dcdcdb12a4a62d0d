// etc/xcap_admin/xcap.js - documents over HTTP: read, written and deleted under their entity tags (RFC 4825)
import * as xml from "./xml.js";

const errorNamespace = "urn:ietf:params:xml:ns:xcap-error";
const directoryNamespace = "urn:oma:xml:xdm:xcap-directory";

// What the server answered when it was no success. `status` 0: it could not be reached.
export class Refusal extends Error {
    constructor(status, text) {
        super(text);
        this.status = status;
    }
}

const inWords = {
    0: "The server cannot be reached.",
    401: "You are not signed in.",
    403: "You may not do this.",
    404: "This is not there any more.",
    405: "This document cannot be changed.",
    412: "Somebody else was faster.",
    413: "The document is too large.",
    415: "The server does not take this kind of document.",
    503: "The server's database is away. Try again in a moment.",
};

// The error document of a 409 says it best (RFC 4825 11).
function reasonIn(text) {
    const report = xml.parse(text)?.documentElement;
    const what = report?.namespaceURI === errorNamespace ? report.firstElementChild : null;
    if (!what)
        return "The server refused the change.";
    const fields = xml.elementsOf(what).map((one) => one.getAttribute("field")).filter(Boolean).map(decode);
    const phrase = what.getAttribute("phrase") || what.textContent.trim();
    return "The server refused the change: " + (phrase || what.localName) + " (" + what.localName + ")" +
           (fields.length ? " at " + fields.join(", ") : "") + ".";
}

export function decode(text) {
    try {
        return decodeURIComponent(text);
    } catch {
        return text;
    }
}

async function request(method, path, {headers = {}, body} = {}) {
    let answer, text;
    try {
        answer = await fetch(path, {method, headers, body, cache: "no-store", credentials: "same-origin"});
        text = await answer.text();
    } catch {
        throw new Refusal(0, inWords[0]);
    }
    if (!answer.ok)
        throw new Refusal(answer.status, answer.status === 409 ? reasonIn(text)
            : inWords[answer.status] ?? "The server answered " + answer.status + ".");
    return {text, etag: answer.headers.get("ETag"), type: answer.headers.get("Content-Type")};
}

// Who the browser has signed in: {xui, root}. The browser asks for name and password itself.
export async function whoAmI() {
    const [xui, root] = (await request("GET", "whoami")).text.trim().split("\n");
    return {xui, root};
}

// The browser forgets a password only for another one: the server takes this name there and nowhere else.
export function signOut() {
    return new Promise((resolve) => {
        const forget = new XMLHttpRequest();
        forget.onloadend = () => resolve(forget.status === 200);
        forget.open("GET", "sign-out", true, "signed-out", "signed-out");
        forget.send();
    });
}

export class Documents {
    constructor({xui, root}) {
        this.xui = xui;
        this.root = root;
    }

    pathOf(auid, name) {
        return this.root + auid + "/users/" + encodeURIComponent(this.xui) + "/" +
               name.split("/").map(encodeURIComponent).join("/");
    }

    // [{auid, name, path, size}] of the user. A server without directories is asked for the names in `wellKnown`.
    async list(wellKnown) {
        let text;
        try {
            ({text} = await request("GET", this.pathOf("org.openmobilealliance.xcap-directory", "directory.xml")));
        } catch (problem) {
            if (problem.status !== 404)
                throw problem;
            return this.#probe(wellKnown);
        }
        const found = [];
        for (const folder of xml.parse(text)?.getElementsByTagNameNS(directoryNamespace, "folder") ?? [])
            for (const entry of folder.getElementsByTagNameNS(directoryNamespace, "entry")) {
                const path = new URL(entry.getAttribute("uri"), location.href).pathname;
                const auid = folder.getAttribute("auid");
                const behind = path.slice((this.root + auid + "/users/").length);
                found.push({
                    auid, path,
                    name: behind.split("/").slice(1).map(decode).join("/"),
                    size: Number(entry.getAttribute("size") ?? 0),
                });
            }
        return found;
    }

    async #probe(wellKnown) {
        const found = [];
        for (const {auid, name} of wellKnown)
            try {
                const path = this.pathOf(auid, name);
                found.push({auid, name, path, size: (await request("GET", path)).text.length});
            } catch (problem) {
                if (problem.status !== 404)
                    throw problem;
            }
        return found;
    }

    // {text, etag, type, xml}; xml is null when the stored text is not well-formed
    async read(path) {
        const {text, etag, type} = await request("GET", path);
        return {path, text, etag, type, xml: xml.parse(text)};
    }

    // `change` as smallestChange() gives it; null deletes the document. If-Match carries the version it was made for.
    write({path, etag, type}, change) {
        const headers = {"If-Match": etag};
        if (!change)
            return request("DELETE", path, {headers});
        if (change.body !== undefined)
            headers["Content-Type"] = change.type ?? type;
        return request(change.method, path + (change.node ? "/~~/" + change.node : ""), {headers, body: change.body});
    }

    create(path, type, text) {
        return request("PUT", path, {headers: {"Content-Type": type, "If-None-Match": "*"}, body: text});
    }
}
