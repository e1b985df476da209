// Made by `npm run generate` from src/model/visible.ts. Do not edit.
/*
 * The output boundary: strings from files, gateways, Git, stores, requests and variables are untrusted. Everything that edict prints, logs or
 * serves passes one of these functions, so that such a string cannot move the cursor, reorder the text around it, pretend to be another line,
 * or run a command of the CI system that reads the output.
 */
/**
 * Characters that a reader cannot see or that control what is seen: control characters, line breaks, marks of the text direction, zero-width
 * characters, blank letters, halves of surrogate pairs and what Unicode does not define. Variation selectors stay, since they belong to common symbols.
 */
const invisibleClass = String.raw `\p{C}\p{Zl}\p{Zp}[\p{Default_Ignorable_Code_Point}--\p{Variation_Selector}]`;
const invisible = new RegExp(`[${invisibleClass}]`, 'gv');
/** Characters that may be invisible. The class above is many times slower than this one, and most texts have little of it. */
const unusual = /[^ -~]+/g;
/** JSON has no control character outside its strings but the line break, and none inside. */
const invisibleInJson = new RegExp(String.raw `[[${invisibleClass}]--\n]`, 'gv');
const invisibleInLines = new RegExp(invisibleInJson.source, 'v');
/** A color that edict itself sets, for `styleText` and for the log. */
const ownColor = `${String.fromCharCode(27)}${String.raw `\[(?:0|1|2|22|39|3[0-7]|9[0-7])m`}`;
const colorOrInvisible = new RegExp(`${ownColor}|[${invisibleClass}]`, 'gv');
/** The second `#` of what a runner of GitHub, Azure or TeamCity takes for a command anywhere in a line: `##[`, `##vso[`. */
const runnerCommand = /(?<=#)#(?=[a-z]*\[)/gi;
/** The first colon of a line that a runner of GitHub takes for a command; it skips spaces before it. */
const lineCommand = /(?<=^\s*):(?=:)/gmu;
const shortForms = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
/** Returns whether a text has control characters, line breaks or marks of the text direction, which no text that a person writes for edict needs. */
export function hasControlCharacters(text) {
    return /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u.test(text);
}
/** Returns an untrusted string in one line, with each invisible or controlling character as `\n`, `\r`, `\t` or `\u{…}`. */
export function visible(text) {
    return text.replace(unusual, (found) => found.replace(invisible, escapeCharacter));
}
/** The most characters of a server's text that are shown. */
const maxLineLength = 300;
/**
 * Returns a server's text as one short line that is safe to print: with spaces for line breaks, other control characters made visible, and cut to
 * `length` characters.
 */
export function visibleExtract(text, length = maxLineLength) {
    const line = visible(text.replace(/[\s\p{Z}]+/gu, ' ').trim());
    if (line.length <= length)
        return line;
    const start = line.slice(0, length - 1).toWellFormed();
    return `${start.trimEnd()}…`;
}
/** Returns a line that edict has composed for people: its own colors stay, everything else is as with `visible`. */
export function visibleLine(line) {
    return line.replace(colorOrInvisible, (found) => (found.endsWith('m') ? found : escapeCharacter(found)));
}
/**
 * Returns lines of text that edict has composed for people, as they may be printed: no line is a command for the CI system that reads it. Without
 * `hasColors`, edict has set none, so that a color is foreign and shown too.
 */
export function visibleLines(text, hasColors = true) {
    const toVisible = hasColors ? visibleLine : visible;
    const lines = invisibleInLines.test(text) ? text.split('\n').map(toVisible).join('\n') : text;
    return lines.replace(lineCommand, '\\u{3a}').replace(runnerCommand, '\\u{23}');
}
/** Returns whether a text that must stay as it is has a line that a CI system takes for a command. */
export function hasRunnerCommand(text) {
    return text.search(lineCommand) !== -1 || text.search(runnerCommand) !== -1;
}
/** Returns a value as JSON with nothing invisible in it, and nothing that a CI system takes for a command. It parses to the same value. */
export function toJson(value, indent) {
    return escapeJson(JSON.stringify(value, null, indent));
}
/** Returns JSON with its invisible characters as `\uXXXX`. It parses to the same value. */
export function escapeJson(json) {
    const escaped = json.replace(unusual, (found) => found.replace(invisibleInJson, escapeUnits));
    return escaped.includes('##') ? escaped.replace(runnerCommand, escapeUnits) : escaped;
}
function escapeCharacter(character) {
    return shortForms[character] ?? `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
function escapeUnits(characters) {
    return Array.from({ length: characters.length }, (_, at) => `\\u${characters.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');
}
