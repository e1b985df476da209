// Made by `npm run generate` from src/ui/. Do not edit.
import { visible } from "./visible.js";
/** Attributes that are addresses, which must stay as they are to be found. */
const addresses = ['href'];
/**
 * Returns an element with attributes and content, in which everything invisible is shown as an escape. `null` is omitted; a function such as `onclick`
 * becomes a listener for that event.
 */
export function element(tag, attributes = {}, ...content) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
        if (value === null || value === false)
            continue;
        if (typeof value === 'function')
            made.addEventListener(name.slice(2), value);
        else
            made.setAttribute(name, addresses.includes(name) ? String(value) : visible(String(value)));
    }
    replaceContent(made, content);
    return made;
}
/** Replaces the content of an element; everything invisible in texts is shown as an escape, and `null` is omitted. */
export function replaceContent(node, content) {
    const parts = content.filter((part) => part !== null);
    node.replaceChildren(...parts.map((part) => (typeof part === 'string' ? visible(part) : part)));
}
/** Makes this the only content of an element, if it is not yet, with everything invisible as an escape. */
export function setText(node, text) {
    const shown = visible(text);
    if (node.textContent !== shown)
        node.textContent = shown;
}
/** Makes this the tooltip of an element, or the title of the document, if it is not yet, with everything invisible as an escape. */
export function setTitle(node, title) {
    const shown = visible(title);
    if (node.title !== shown)
        node.title = shown;
}
/** Returns the element with this ID. Throws a TypeError if the page has none. */
export function byId(id) {
    const found = document.getElementById(id);
    if (!found)
        throw new TypeError(`the page has no #${id}`);
    return found;
}
