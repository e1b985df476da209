import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { applyOnce } from '../../src/app/apply.ts';
import { createAppContext } from '../../src/app/context.ts';
import { parseUndoRequest, readUndo } from '../../src/app/edits/undo.ts';
import { readPlan } from '../../src/app/reports.ts';
import { parseSettings } from '../../src/app/settings.ts';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { scratchFolder, seedOf } from '../support/edict-process.ts';
import { fc, runs } from '../support/fast-check.ts';
import { gitApplied } from '../support/git-apply.ts';

const env = { HW_AUTH_TOKEN: 'token' };
const last = { text: 'last', selector: 'last' } as const;

test('an attempt, an apply or the last apply can be selected', () => {
  assert.equal(parseUndoRequest('last')?.selector, 'last');
  assert.equal(parseUndoRequest('12')?.selector, { attempt: 12 });
  assert.equal(parseUndoRequest('3f9a')?.selector, { reconcile: '3f9a' });
  assert.equal(parseUndoRequest('3f9a1c0b-7d2e-4c3f')?.selector, { reconcile: '3f9a1c0b-7d2e-4c3f' });
  for (const text of ['edict.yaml', 'abc', 'LAST', '3F9A', '', `${'a'.repeat(37)}`]) assert.is(parseUndoRequest(text), null, text);
});

const apis = ['a', 'b', 'c'];
const places = ['test', 'release'];
const publications = apis.flatMap((api) => places.map((place) => `${api} ${place}`));

interface Setting {
  readonly state: 'online' | 'offline' | 'absent';
  readonly revision: number;
}
type Settings = Readonly<Record<string, Setting>>;

const setting = fc.record({ state: fc.constantFrom('online', 'online', 'offline', 'absent'), revision: fc.nat({ max: 2 }) });
const settings = fc.record(Object.fromEntries(publications.map((publication) => [publication, setting])));
/** A change by hand, or by another apply, after the one that is undone. */
const moves = fc.uniqueArray(fc.tuple(fc.constantFrom(...publications), fc.constantFrom('online', 'offline', 'apply')), {
  maxLength: 3,
  selector: ([publication]) => publication,
});

/** Returns a file with these settings, in flow or block style. */
function fileOf(endpoint: string, of: Settings, isBlock: boolean): string {
  const gateway = `gateway: { endpoint: "${endpoint}", project: project, instance: instance, limit: { calls: 1000, per: 10ms }, propagationDelay: 10ms }`;
  const top = `edict: 1\n${gateway}\nenvironments: { test: env-test, release: env-release }\nprune: true\n`;
  const lines = apis.map((api) => {
    const entries = places.flatMap((place) => {
      const { state, revision } = of[`${api} ${place}`] ?? { state: 'absent', revision: 0 };
      if (state === 'absent') return [];
      return [
        isBlock
          ? `\n      ${place}:\n        state: ${state}\n        revision: r${revision}`
          : `${place}: { state: ${state}, revision: r${revision} }`,
      ];
    });
    const written = entries.length === 0 ? ' {}' : isBlock ? entries.join('') : ` { ${entries.join(', ')} }`;
    return `  ${api}:\n    id: api-${api}\n    environments:${written}\n`;
  });
  return `${top}guards: { maxOffline: 100%, maxRemoved: 100% }\napis:\n${lines.join('')}`;
}

/** Returns the effective version of each publication, `null` if there is none. */
function effects(emulator: Emulator): Record<string, string | null> {
  const all = emulator.state.publications();
  return Object.fromEntries(
    publications.map((publication) => {
      const [api, place] = publication.split(' ');
      const of = all.find((one) => one.api === `api-${api}` && one.environment === `env-${place}`);
      return [publication, of?.effective?.versionId ?? null];
    }),
  );
}

test('an undo in the file restores the previous state, except for publications changed since', async () => {
  await fc.assert(
    fc.asyncProperty(settings, settings, moves, fc.boolean(), async (first, second, moved, isBlock) => {
      const emulator = await startEmulator({ seed: seedOf(...apis) });
      try {
        const folder = scratchFolder();
        const file = join(folder, 'edict.yaml');
        const context = createAppContext(parseSettings(file, { state: `sqlite:${join(folder, 'state.db')}` }), env);
        const apply = async (of: Settings): Promise<void> => {
          writeFileSync(file, fileOf(emulator.url, of, isBlock));
          assert.is((await applyOnce(context)).summary.failed, 0);
        };
        await apply(first);
        const before = effects(emulator);
        await apply(second);
        const after = effects(emulator);
        const undone = await readUndo(context, last);
        const done = undone.restorations.length + undone.notRestored.length;
        assert.ok(done > 0 || JSON.stringify(before) === JSON.stringify(after) || Object.values(after).every((one) => one === null));
        const reconcileId = undone.target?.id;
        if (reconcileId === undefined) return;
        const isSecond = publications.some((publication) => before[publication] !== after[publication]);
        for (const [publication, how] of moved) {
          const [api, place] = publication.split(' ');
          if (how !== 'apply') emulator.state.changeManually(`api-${api}`, `env-${place}`, how as 'online' | 'offline');
        }
        const third = Object.fromEntries(
          moved.filter(([, how]) => how === 'apply').map(([name]) => [name, { state: 'online', revision: 9 } as const]),
        );
        const file3 = { ...second, ...third };
        if (Object.keys(third).length > 0) await apply(file3);
        const between = effects(emulator);
        const undo = await readUndo(context, { text: reconcileId, selector: { reconcile: reconcileId } });
        assert.equal(effects(emulator), between);
        assert.equal(undo.file.manualEdits, []);
        const text = readFileSync(file, 'utf8');
        if (undo.file.diff !== '') writeFileSync(file, gitApplied(text, undo.file.diff, 'edict.yaml'));
        assert.is((await applyOnce(context)).summary.failed, 0);
        const now = effects(emulator);
        if (!isSecond) return;
        for (const publication of publications) {
          const isMoved = between[publication] !== after[publication];
          assert.is(now[publication], isMoved ? between[publication] : before[publication], publication);
        }
        assert.equal((await readPlan(context)).plan.changes, []);
      } finally {
        await emulator.close();
      }
    }),
    { numRuns: runs(25), endOnFailure: true, includeErrorInReport: true },
  );
});

test.run();
