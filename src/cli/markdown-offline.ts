import { type Change, isActionable } from '../core/plan.ts';
import { pluralize } from '../words/phrases.ts';
import type { BlameInfo } from '../words/shown-plan.ts';
import { changeCells, changeColumns } from './markdown-change.ts';
import { firstFitting, renderTable, type Section } from './markdown-room.ts';
import { inlineCode } from './markdown-text.ts';

/**
 * Returns the part that shows everything that goes offline, now, after a wait or with somebody's agreement: as tables; else
 * the names, by environment; else how many there are in each environment, and that the list is in the JSON.
 */
export function offlineSection(changes: readonly Change[], blamed: BlameInfo): Section {
  const offline = changes.filter(({ action }) => action === 'offline');
  const groups = [
    { title: 'Goes OFFLINE', changes: offline.filter(isActionable) },
    { title: 'Waits, then goes OFFLINE', changes: offline.filter((change) => change.deferred && !change.held) },
    { title: 'Held: goes OFFLINE only if somebody agrees', changes: offline.filter((change) => change.held) },
  ].filter(({ changes }) => changes.length > 0);
  const told = (say: (changes: readonly Change[], heading: string) => string): string =>
    groups.map(({ title, changes }) => say(changes, `**${title}** (${changes.length})`)).join('\n\n');

  const tables = (): string => told((changes, heading) => renderChangeTable(changes, heading, blamed));
  const names = (): string =>
    `${told((changes, heading) => `${heading}\n\n${listByEnvironment(changes, listNames)}`)}\n\nToo many for a table: where and why is in the JSON, \`edict plan --format json\`.`;
  const counts = (): string =>
    `${told((changes, heading) => `${heading}\n\n${listByEnvironment(changes, ({ length }) => String(length))}`)}\n\n${tooManyNotice}`;
  const sums = (): string =>
    groups.length === 0
      ? ''
      : `${told((changes, heading) => `${heading} in ${pluralize(groupByEnvironment(changes).size, 'environment')}`)}\n\n${tooManyNotice}`;
  const render = (room: number): string => {
    if (groups.length === 0) return '';
    // Of so many not even the shortest rows and names have room: none is made.
    const [hasTables, hasNames] = [offline.length * 18 < room, offline.length * 5 < room];
    return firstFitting([...(hasTables ? [tables] : []), ...(hasNames ? [names] : []), counts, sums], room);
  };
  return { minimum: sums(), render };
}

const tooManyNotice = '**Too many to be named here. The whole list is in the JSON: `edict plan --format json`.** Read it before you agree.';

function renderChangeTable(changes: readonly Change[], heading: string, blamed: BlameInfo): string {
  const row = (index: number): readonly string[] => changeCells(changes[index] as Change, blamed);
  return renderTable({ heading, columns: changeColumns(blamed), rowCount: changes.length, row });
}

function groupByEnvironment(changes: readonly Change[]): Map<string, Change[]> {
  return Map.groupBy(changes, ({ environment }) => environment);
}

function listByEnvironment(changes: readonly Change[], say: (changes: readonly Change[]) => string): string {
  return [...groupByEnvironment(changes)].map(([environment, there]) => `- ${inlineCode(environment)}: ${say(there)}`).join('\n');
}

function listNames(changes: readonly Change[]): string {
  return `(${changes.length}) ${changes.map(({ api }) => inlineCode(api)).join(', ')}`;
}
