// etc/xcap_admin/conflict.js - somebody else was faster: both versions side by side, and a choice
import {h} from "./dom.js";
import * as xml from "./xml.js";

const most = 1500; // lines compared; longer documents are shown without marks

// Which lines of each side the other one has too: the longest common subsequence.
function common(left, right) {
    const keptLeft = new Set(), keptRight = new Set();
    if (left.length > most || right.length > most)
        return null;
    const width = right.length + 1;
    const length = new Uint16Array((left.length + 1) * width);
    for (let i = left.length - 1; i >= 0; --i)
        for (let j = right.length - 1; j >= 0; --j)
            length[i * width + j] = left[i] === right[j] ? length[(i + 1) * width + j + 1] + 1
                : Math.max(length[(i + 1) * width + j], length[i * width + j + 1]);
    for (let i = 0, j = 0; i < left.length && j < right.length;) {
        if (left[i] === right[j]) {
            keptLeft.add(i++);
            keptRight.add(j++);
        } else if (length[(i + 1) * width + j] >= length[i * width + j + 1]) {
            ++i;
        } else {
            ++j;
        }
    }
    return [keptLeft, keptRight];
}

function side(title, note, lines, kept, mark) {
    return h("div", {class: "side"},
        h("h3", {}, title), h("p", {class: "hint"}, note),
        h("pre", {class: mark, tabindex: "0", "aria-label": title}, lines.map((line, i) =>
            kept && !kept.has(i) ? [line.match(/^ */)[0], h("mark", {}, line.trimStart()), "\n"] : line + "\n")));
}

const linesOf = (version) => (version.xml ? xml.pretty(version.xml) : version.text).trimEnd().split("\n");

// `mine` and `theirs` are {xml, text}, null: deleted. The promise says "mine" or "theirs".
export function settle({title, mine, theirs}) {
    return new Promise((resolve) => {
        const left = theirs ? linesOf(theirs) : ["(deleted)"], right = mine ? linesOf(mine) : ["(deleted)"];
        const [keptLeft, keptRight] = common(left, right) ?? [null, null];
        const form = h("form", {method: "dialog"},
            h("h2", {id: "conflict-title"}, "Somebody else was faster"),
            h("p", {}, "The document has changed since you opened it. You wanted: ", h("strong", {}, title), "."),
            h("div", {class: "sides"},
                side("Theirs", "what the server has now", left, keptLeft, "theirs"),
                side("Yours", "what you were about to save", right, keptRight, "mine")),
            h("p", {class: "hint"},
                "\u201cApply mine\u201d makes your one change on their version; the rest of theirs stays."),
            h("div", {class: "actions"},
                h("button", {type: "submit", value: "theirs", id: "take-theirs"}, "Take theirs"),
                h("button", {type: "submit", value: "mine", class: "main", id: "apply-mine"}, "Apply mine on top")));
        const dialog = h("dialog", {class: "wide", id: "conflict", "aria-labelledby": "conflict-title"}, form);
        dialog.addEventListener("close", () => {
            dialog.remove();
            resolve(dialog.returnValue === "mine" ? "mine" : "theirs"); // Escape takes theirs: nothing is overwritten
        });
        document.body.append(dialog);
        dialog.showModal();
    });
}
