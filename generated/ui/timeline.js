// Made by `npm run generate` from src/ui/. Do not edit.
import { fetchJson } from "./client.js";
import { element } from "./element.js";
import { formatClockTime } from "./format.js";
import { statusSign } from "./status-styles.js";
/** The most attempts shown of an API; `edict history` shows all. */
const maxAttempts = 100;
/** The dialog with one API's timeline: the status of its publications and its last attempts. */
export class Timeline {
    #dialog;
    #row = null;
    #loadCount = 0;
    constructor(dialog) {
        this.#dialog = dialog;
        dialog.addEventListener('close', () => {
            this.#row = null;
        });
        // A click on the backdrop has the dialog itself as its target.
        dialog.addEventListener('click', (event) => event.target === dialog && dialog.close());
    }
    /** Opens the dialog for an API. */
    open(row) {
        this.#row = row;
        this.#dialog.replaceChildren(renderHeader(row, () => this.#dialog.close()), element('p', { class: 'quiet' }, 'Loading…'));
        if (!this.#dialog.open)
            this.#dialog.showModal();
        void this.#load(row);
    }
    /** Reloads the content if the dialog shows one of these APIs. */
    update(apiIds) {
        if (this.#row && apiIds.has(this.#row.apiId))
            void this.#load(this.#row);
    }
    async #load(row) {
        this.#loadCount += 1;
        const asked = this.#loadCount;
        const content = await loadContent(row).catch((error) => [
            element('p', { class: 'failed' }, `Loading failed: ${error instanceof Error ? error.message : error}`),
        ]);
        if (asked === this.#loadCount && this.#row === row)
            this.#dialog.replaceChildren(renderHeader(row, () => this.#dialog.close()), ...content);
    }
}
function renderHeader({ api, apiId }, close) {
    return element('header', {}, element('h2', { id: 'timeline-title' }, api), element('code', {}, apiId), element('button', { type: 'button', autofocus: true, onclick: close }, 'Close'));
}
async function loadContent({ apiId }) {
    const id = encodeURIComponent(apiId);
    const [{ publications }, { attempts }] = await Promise.all([
        fetchJson(`api/v1/status?api=${id}`),
        fetchJson(`api/v1/history?api=${id}&limit=${maxAttempts}`),
    ]);
    const title = attempts.length < maxAttempts ? 'Attempts' : `Last ${maxAttempts} attempts`;
    const none = element('p', { class: 'quiet' }, 'None: edict has made no calls for this API.');
    return [
        ...publications.map(renderPublication),
        element('h3', {}, title),
        attempts.length === 0 ? none : element('ol', { class: 'attempts' }, ...attempts.map(renderAttempt)),
    ];
}
function renderPublication({ environment, status, message, desired, recorded, observed }) {
    const now = new Date();
    const place = desired ? ` (${desired.source.file}:${desired.source.line})` : '';
    const rows = [
        ['file', desired ? `${desired.state}${desired.revision === null ? '' : `, revision ${desired.revision}`}${place}` : 'not in the file'],
        [
            'recorded',
            recorded?.state
                ? `${recorded.state} since ${formatClockTime(recorded.recordedAt, now)}${recorded.versionId === null ? '' : `, version ${recorded.versionId}`}`
                : 'nothing recorded',
        ],
        [
            'gateway',
            observed
                ? `${observed.state}${observed.publishedAt === null ? '' : `, published ${formatClockTime(observed.publishedAt, now)}`}${observed.driftDetectedAt === null ? '' : `, changed outside edict, detected ${formatClockTime(observed.driftDetectedAt, now)}`}`
                : 'not observed since the last call',
        ],
        ['next', message],
    ];
    return element('section', {}, element('h3', {}, `${environment}: `, element('span', { class: status }, `${statusSign(status)} ${status}`)), element('dl', {}, ...rows.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)])));
}
function renderAttempt({ id, environment, action, reason, revision, startedAt, outcome, code, message, versionId, commitId, approval, }) {
    const isDone = outcome === 'succeeded';
    const details = [
        isDone ? (versionId === null ? '' : `version ${versionId}`) : [code, message].filter(Boolean).join(' '),
        commitId === null ? '' : `commit ${commitId.slice(0, 10)}`,
        approval ? `approved by ${approval.by}: ${approval.reason}` : '',
        `attempt ${id}`,
    ];
    return element('li', {}, element('time', { datetime: startedAt }, formatClockTime(startedAt, new Date())), element('span', {}, environment), element('span', {}, `${action === 'online' ? '▲' : '▼'} ${action}, ${revision === null ? reason : `${reason} ${revision}`}: `, element('strong', { class: isDone ? 'unchanged' : 'failed' }, outcome ?? 'outcome unknown')), element('span', { class: 'quiet' }, details.filter(Boolean).join(' · ')));
}
