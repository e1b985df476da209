import { type Change, isMade } from '../core/plan.ts';
import { counted } from '../words/phrases.ts';
import type { Blamed } from '../words/shown-plan.ts';
import { cellsOf, changeColumns } from './markdown-change.ts';
import { firstFitting, type Part, wholeTable } from './markdown-room.ts';
import { code } from './markdown-text.ts';

/**
 * Returns the part that shows everything that goes offline, now, after a wait or with somebody's agreement: as tables; else
 * the names, by environment; else how many there are in each environment, and that the list is in the JSON.
 */
export function offlinePart(changes: readonly Change[], blamed: Blamed): Part {
  const offline = changes.filter(({ action }) => action === 'offline');
  const groups = [
    { title: 'Goes OFFLINE', changes: offline.filter(isMade) },
    { title: 'Waits, then goes OFFLINE', changes: offline.filter((change) => change.waits && !change.held) },
    { title: 'Held: goes OFFLINE only if somebody agrees', changes: offline.filter((change) => change.held) },
  ].filter(({ changes }) => changes.length > 0);
  const told = (say: (changes: readonly Change[], heading: string) => string): string =>
    groups.map(({ title, changes }) => say(changes, `**${title}** (${changes.length})`)).join('\n\n');

  const tables = (): string => told((changes, heading) => tableOf(changes, heading, blamed));
  const names = (): string =>
    `${told((changes, heading) => `${heading}\n\n${byEnvironment(changes, namesOf)}`)}\n\nToo many for a table: where and why is in the JSON, \`edict plan --format json\`.`;
  const counts = (): string =>
    `${told((changes, heading) => `${heading}\n\n${byEnvironment(changes, ({ length }) => String(length))}`)}\n\n${unnamed}`;
  const sums = (): string =>
    groups.length === 0
      ? ''
      : `${told((changes, heading) => `${heading} in ${counted(environmentsOf(changes).size, 'environment')}`)}\n\n${unnamed}`;
  const most = (room: number): string => {
    if (groups.length === 0) return '';
    // Of so many not even the shortest rows and names have room: none is made.
    const [hasTables, hasNames] = [offline.length * 18 < room, offline.length * 5 < room];
    return firstFitting([...(hasTables ? [tables] : []), ...(hasNames ? [names] : []), counts, sums], room);
  };
  return { least: sums(), most };
}

const unnamed = '**Too many to be named here. The whole list is in the JSON: `edict plan --format json`.** Read it before you agree.';

function tableOf(changes: readonly Change[], heading: string, blamed: Blamed): string {
  const row = (index: number): readonly string[] => cellsOf(changes[index] as Change, blamed);
  return wholeTable({ heading, columns: changeColumns(blamed), size: changes.length, row });
}

function environmentsOf(changes: readonly Change[]): Map<string, Change[]> {
  return Map.groupBy(changes, ({ environment }) => environment);
}

function byEnvironment(changes: readonly Change[], say: (changes: readonly Change[]) => string): string {
  return [...environmentsOf(changes)].map(([environment, there]) => `- ${code(environment)}: ${say(there)}`).join('\n');
}

function namesOf(changes: readonly Change[]): string {
  return `(${changes.length}) ${changes.map(({ api }) => code(api)).join(', ')}`;
}
