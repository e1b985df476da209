import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createAppContext } from '../../src/app/context.ts';
import { readHistory } from '../../src/app/reports.ts';
import { parseSettings } from '../../src/app/settings.ts';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import type { ReceivedRequest } from '../../src/emulator/request-log.ts';
import type { EdictEvent } from '../../src/model/events.ts';
import { sendByVendor } from '../emulator/vendor-client.ts';
import { startTestDaemon } from '../support/daemon.ts';
import { scratchFolder, seedOf, until } from '../support/edict-process.ts';
import { fc, runs } from '../support/fast-check.ts';

/*
 * Another client publishes and takes offline while the daemon runs: that of the vendor, with a key of its own.
 */

type State = 'online' | 'offline';
const apis = ['a', 'b', 'c', 'd'] as const;
type Api = (typeof apis)[number];

interface Edit {
  readonly api: Api;
  readonly action: State;
  /** How long after the previous one, in milliseconds. */
  readonly afterMs: number;
}

interface Course {
  /** The desired state. */
  readonly wanted: Readonly<Record<Api, State>>;
  /** The publications that are online before the first observation. */
  readonly before: readonly Api[];
  readonly edits: readonly Edit[];
}

const key = { access: 'AKRIVAL', secret: 'SKRIVAL' };
/** More corrections of one drift than this are flapping, and the drift is not corrected for a time. */
const mostDeeds = 3;

const courses: fc.Arbitrary<Course> = fc.record({
  wanted: fc.record(
    Object.fromEntries(apis.map((api) => [api, fc.constantFrom<State>('online', 'online', 'offline')])) as Record<Api, fc.Arbitrary<State>>,
  ),
  before: fc.subarray([...apis]),
  edits: fc
    .array(fc.record({ api: fc.constantFrom(...apis), action: fc.constantFrom<State>('online', 'offline'), afterMs: fc.nat(120) }), {
      minLength: 1,
      maxLength: 10,
    })
    .map((edits) => edits.filter(({ api }, index) => edits.slice(0, index).filter((edit) => edit.api === api).length < mostDeeds)),
});

async function change(emulator: Emulator, { api, action }: Edit): Promise<void> {
  const data = { action, api_id: `api-${api}`, env_id: 'env-test', remark: 'other client' };
  const url = '/v2/project/apic/instances/instance/apis/action';
  // Taking an offline API offline is rejected, which does not matter to this client.
  await sendByVendor(emulator, key, { method: 'POST', url, data }).catch(() => undefined);
}

function stateOf(emulator: Emulator, api: Api): State {
  return emulator.state.publications().find((publication) => publication.api === `api-${api}`)?.effective ? 'online' : 'offline';
}

/** Returns the calls by edict that changed nothing, although the list that they are based on already showed the desired state. */
function needless(requests: readonly ReceivedRequest[], before: readonly Api[]): string[] {
  const states = new Map<string, State>(before.map((api) => [`api-${api}`, 'online']));
  let atLastList = new Map(states);
  const found: string[] = [];
  for (const { operation, api = '', action, remark, applied } of requests) {
    if (operation === 'listApis') atLastList = new Map(states);
    if (operation !== 'changePublication') continue;
    const was = [states.get(api) ?? 'offline', atLastList.get(api) ?? 'offline'];
    if (remark !== 'other client' && was.every((state) => state === action)) found.push(`${action} ${api}`);
    if (applied) states.set(api, action as State);
  }
  return found;
}

test('the gateway converges to the file without a needless call, whatever other people change meanwhile', async () => {
  await fc.assert(
    fc.asyncProperty(courses, async ({ wanted, before, edits }) => {
      // What a first file declares offline and is online is held for a person.
      const publications = before.filter((api) => wanted[api] === 'online').map((api) => ({ api: `api-${api}`, environment: 'env-test' }));
      const emulator = await startEmulator({
        seed: { ...seedOf(...apis), keys: [key], tokens: [{ value: 'edict' }], anyToken: false, publications },
      });
      const folder = scratchFolder();
      const settings = parseSettings(join(folder, 'edict.yaml'), { state: `sqlite:${join(folder, 'state.db')}` });
      const lines = apis.map((api) => `  ${api}: { id: api-${api}, environments: { test: ${wanted[api]} } }\n`).join('');
      writeFileSync(
        settings.file,
        `edict: 1\ngateway: { endpoint: "${emulator.url}", project: project, instance: instance, limit: { calls: 1000, per: 1s }, propagationDelay: 1ms }\n` +
          `environments: { test: env-test }\nguards: { maxOffline: 100% }\nrefresh: 100ms\ndrift: correct\napis:\n${lines}`,
      );
      const events: EdictEvent[] = [];
      const env = { HW_AUTH_TOKEN: 'edict' };
      const daemon = await startTestDaemon(settings, {
        env,
        resyncMs: 60_000,
        onEvent: (event) => events.push(event),
      });
      try {
        await until('the gateway was observed', () => events.some(({ type }) => type === 'plan:computed'));
        for (const edit of edits) {
          await sleep(edit.afterMs);
          await change(emulator, edit);
        }
        await until('the gateway is in sync', () => apis.every((api) => stateOf(emulator, api) === wanted[api]));
        await sleep(250);
        assert.ok(
          apis.every((api) => stateOf(emulator, api) === wanted[api]),
          'and stays so',
        );
        assert.equal(needless(emulator.requests.all(), before), []);
        assert.ok(events.every((event) => event.type !== 'publication:drift' || event.notice.kind !== 'flapping'));
      } finally {
        daemon.stop();
        await daemon.done;
        await emulator.close();
      }
      const { attempts: history } = await readHistory(createAppContext(settings, env), 100);
      for (const { apiId, action, reason } of history) {
        const first = history.findLast((attempt) => attempt.apiId === apiId);
        const isFirst = first?.reason === reason && reason === 'new';
        assert.ok(isFirst || reason === 'drift', `${action} ${apiId} ${reason}`);
      }
    }),
    { numRuns: runs(12) },
  );
});

test.run();
