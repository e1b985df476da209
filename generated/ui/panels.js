// Made by `npm run generate` from src/ui/. Do not edit.
import { element } from "./element.js";
import { formatClockTime, formatNumber, formatRate, formatSeconds } from "./format.js";
import { statusOrder, statusSign } from "./status-styles.js";
/** Shows the notices: invalid file, paused calls, standby, suspension and held changes. `heldWhys` are the distinct reasons. */
export function showNotices(root, { file, queue, release, standsBy, suspension, suspicion, statusCounts: counts }, heldWhys) {
    const notices = [];
    if (file.complaint !== null) {
        const title = element('h2', {}, file.complaint);
        const state = file.acceptedAt === null
            ? 'Nothing is done until it is mended.'
            : `The last valid one, of ${formatClockTime(file.acceptedAt, new Date())}, stays in force.`;
        notices.push(element('div', { class: 'notice bad', role: 'alert' }, title, element('p', {}, state), ...file.mistakes.map(codeFrame)));
    }
    if (queue.stopped) {
        const since = `No call is made since ${formatClockTime(queue.stopped.since, new Date())}: ${queue.stopped.message}`;
        notices.push(element('div', { class: 'notice bad', role: 'alert' }, element('h2', {}, pauseTitles[queue.stopped.why]), element('p', {}, since)));
    }
    if (standsBy !== null) {
        const says = `${standsBy}. This one takes over when that one ends; until then its page shows more.`;
        notices.push(element('div', { class: 'notice' }, element('h2', {}, 'Stands by'), element('p', {}, says)));
    }
    if (suspension) {
        const until = suspension.until === null ? 'until it is taken back' : `until ${formatClockTime(suspension.until, new Date())}`;
        const said = suspension.by === null ? suspension.why : `${suspension.by}: ${suspension.why}`;
        notices.push(element('div', { class: 'notice' }, element('h2', {}, 'Suspended: no call is made'), element('p', {}, `${said}, ${until}.`)));
    }
    if (release !== null) {
        const held = counts['held'] ?? 0;
        const title = suspicion ? 'The whole file is held' : `${formatNumber(held)} ${held === 1 ? 'change is' : 'changes are'} held`;
        const whys = suspicion ? [`${suspicion.message}; ${suspicion.hint}`] : heldWhys;
        notices.push(element('div', { class: 'notice' }, element('h2', {}, title), ...whys.slice(0, 3).map((why) => element('p', {}, why)), whys.length > 3 ? element('p', { class: 'quiet' }, `and ${formatNumber(whys.length - 3)} more reasons`) : null, commandBox('To agree, run:', release)));
    }
    replaceIfChanged(root, notices);
}
const pauseTitles = {
    pause: 'The gateway asks to be left alone',
    outage: 'The gateway cannot be reached',
    credentials: 'The credentials are not taken',
};
function codeFrame({ file, line, column, length, message, hint, text }) {
    const gutter = `${line} | `;
    const from = Math.max(0, column - 60);
    const shown = text.slice(from, from + 160).replaceAll('\t', ' ');
    const marks = `${' '.repeat(gutter.length + Math.max(0, column - 1 - from))}${'^'.repeat(Math.max(1, Math.min(length, shown.length)))}`;
    return element('pre', { tabindex: 0 }, element('strong', {}, `${file}:${line}:${column}`), `  ${message}\n${gutter}${shown}\n`, element('mark', { 'aria-hidden': true }, marks), hint === null ? '' : `\n${' '.repeat(gutter.length - 2)}= ${hint}`);
}
function commandBox(label, text) {
    const done = element('span', { role: 'status' });
    const copy = async () => {
        await navigator.clipboard.writeText(text);
        done.textContent = 'copied';
    };
    const button = element('button', {
        type: 'button',
        onclick: () => void copy().catch(() => {
            done.textContent = 'select it and copy';
        }),
    }, 'Copy');
    return element('div', {}, element('p', {}, label), element('div', { class: 'command' }, element('code', {}, text), button, done));
}
/** Shows the number of publications per status, each as a filter button. `toggle` is called with the status of a clicked button. */
export function showStatusFilters(root, counts, pressed, toggle) {
    const known = statusOrder.filter((status) => (counts[status] ?? 0) > 0 || pressed.has(status));
    const before = new Map([...root.children].map((node) => [node.dataset['status'], node]));
    const buttons = known.map((status) => {
        const text = `${statusSign(status)} ${formatNumber(counts[status] ?? 0)} ${status}`;
        const button = before.get(status) ?? element('button', { type: 'button', class: status, 'data-status': status, onclick: () => toggle(status) });
        if (button.textContent !== text)
            button.textContent = text;
        button.setAttribute('aria-pressed', String(pressed.has(status)));
        return button;
    });
    if (buttons.length !== root.children.length || buttons.some((button, index) => root.children[index] !== button))
        root.replaceChildren(...buttons);
}
/** Shows the queue: remaining changes, rate, remaining time and the cause of a slowdown. */
export function showQueue(root, { left, inFlight, rate, limit, secondsToGo, slowedBy }, failed) {
    const rows = [
        ['in flight', formatNumber(inFlight)],
        ['rate', formatRate(rate)],
        ['limit', rate.calls === limit.calls && rate.perMs === limit.perMs ? null : formatRate(limit)],
        ['time to go', left === 0 || secondsToGo === null ? null : `about ${formatSeconds(secondsToGo)}`],
        ['slowed by', slowedBy],
        ['failing', failed === 0 ? null : formatNumber(failed)],
    ];
    replaceIfChanged(root, [
        element('h2', {}, 'Queue'),
        element('p', { class: left === 0 ? 'figure quiet' : 'figure' }, left === 0 ? 'nothing to do' : `${formatNumber(left)} to do`),
        element('dl', {}, ...rows.flatMap(([name, value]) => (value === null ? [] : [element('dt', {}, name), element('dd', {}, value)]))),
    ]);
}
/** Shows the last reconciliations, newest first. */
export function showReconciliations(root, passes) {
    const items = passes
        .slice(0, 8)
        .map(({ cause, startedAt, result }) => element('li', {}, element('time', { datetime: startedAt }, formatClockTime(startedAt, new Date())), ` ${causeLabels[cause] ?? cause}: ${result ? formatResult(result) : 'under way'}`));
    replaceIfChanged(root, [
        element('h2', {}, 'Last passes'),
        items.length > 0 ? element('ol', {}, ...items) : element('p', { class: 'quiet' }, 'none yet'),
    ]);
}
const causeLabels = {
    startup: 'startup',
    file: 'file change',
    resync: 'resync',
    signal: 'signal',
    retry: 'retry',
    approval: 'approval',
    requested: 'request',
    timer: 'timer',
    rollout: 'next environment',
};
function formatResult({ online, offline, held, deferred, failed, durationMs }) {
    const parts = [
        online > 0 ? `${formatNumber(online)} online` : '',
        offline > 0 ? `${formatNumber(offline)} offline` : '',
        held > 0 ? `${formatNumber(held)} held` : '',
        deferred > 0 ? `${formatNumber(deferred)} deferred` : '',
        failed > 0 ? `${formatNumber(failed)} failed` : '',
    ].filter(Boolean);
    return `${parts.length > 0 ? parts.join(', ') : 'nothing to do'} in ${formatSeconds(durationMs / 1000)}`;
}
/** Replaces the content only if it has changed, so that focus and text selection survive an update. */
function replaceIfChanged(root, content) {
    const next = element('div', {}, ...content);
    if (next.innerHTML !== root.innerHTML)
        root.replaceChildren(...next.childNodes);
}
