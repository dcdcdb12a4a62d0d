// etc/xcap_admin/dom.js - page elements made from data, where text is only ever text

// h("p", {class: "note"}, "text", anotherElement): attributes that are false or undefined are left out, on... are
// listeners, children that are no elements become text. Nothing is ever parsed as HTML.
export function h(name, attributes, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes ?? {})) {
        if (key.startsWith("on"))
            element.addEventListener(key.slice(2), value);
        else if (value !== false && value !== undefined && value !== null)
            element.setAttribute(key, value === true ? "" : value);
    }
    const absent = [null, undefined, false];
    element.append(...children.flat(Infinity).filter((child) => !absent.includes(child)));
    return element;
}

export const byId = (id) => document.getElementById(id);

export function show(place, ...children) {
    place.replaceChildren(...children.flat(Infinity).filter(Boolean));
}

// A question in a window of its own. `fields` are rows {name, label, value, hint, type, options, required}; the
// promise gives their values by name, or null when the user thinks better of it.
export function ask({title, text, fields = [], action = "Save", danger = false}) {
    return new Promise((resolve) => {
        const rows = fields.map((field) => {
            const id = "field-" + field.name;
            const attributes = {id, name: field.name, required: field.required, autocomplete: "off", spellcheck: "false",
                                "aria-describedby": field.hint ? id + "-hint" : undefined};
            const control = field.options
                ? h("select", attributes, field.options.map(([value, label]) =>
                    h("option", {value, selected: value === field.value}, label)))
                : h("input", {...attributes, type: "text", value: field.value ?? "", placeholder: field.placeholder});
            return h("div", {class: "field"}, h("label", {for: id}, field.label), control,
                     field.hint && h("p", {id: id + "-hint", class: "hint"}, field.hint));
        });
        const form = h("form", {method: "dialog"},
            h("h2", {id: "question"}, title),
            text && h("p", {}, text), rows,
            h("div", {class: "actions"},
                h("button", {type: "button", class: "quiet", onclick: () => dialog.close()}, "Cancel"),
                h("button", {type: "submit", value: "yes", class: danger ? "danger" : "main"}, action)));
        const dialog = h("dialog", {"aria-labelledby": "question"}, form);
        dialog.addEventListener("close", () => {
            const values = Object.fromEntries([...new FormData(form)].map(([key, value]) => [key, value.trim()]));
            dialog.remove();
            resolve(dialog.returnValue === "yes" ? values : null);
        });
        document.body.append(dialog);
        dialog.showModal();
    });
}
