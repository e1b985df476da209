import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Diagnostic } from '../../src/model/errors.ts';
import { diffStates } from '../../src/plan/diff.ts';
import { approvalDigest } from '../../src/plan/policies.ts';
import { shortDigest } from '../../src/render/command-line.ts';
import {
  appliedNotice,
  type Condition,
  driftedCondition,
  externalNotice,
  failedCondition,
  heldCondition,
  invalidCondition,
  publicationOf,
  unknownOutcomeCondition,
  type WebhookNotice,
} from '../../src/telemetry/webhook-documents.ts';
import { assertConforms } from '../support/json-schemas.ts';
import { change, desiredState, recorded, recordedState, wanted } from '../support/states.ts';

const at = '2026-11-30T12:00:00.000Z';
const hold = { rule: 'protected', message: 'protected', hint: 'check' } as const;
const nothing = diffStates(desiredState([]), new Map());
const all = Array.from({ length: 25 }, (_, index) => change(`a${index}`, 'test', index % 5 === 0 ? { action: 'offline' } : {}));

/** Returns the notification with a notice, after validating it against the schema. */
function notificationOf(notice: WebhookNotice, gateway: unknown = null): object {
  const id = '0b0b1f0e-5f3c-4a56-9f43-2d4b7f0f6a51';
  const notification = { format: 1, id, at, file: 'edict.yaml', emulated: false, gateway, undelivered: 0, notice };
  assertConforms('notification', notification);
  return notification;
}

/** Returns a firing condition of one kind, after validating it against the schema. */
function firing<K extends WebhookNotice['kind']>(kind: K, condition: Condition): Extract<WebhookNotice, { kind: K }> {
  const notice: WebhookNotice = { status: 'firing', since: at, ...condition };
  notificationOf(notice);
  assert.is(notice.kind, kind);
  return notice as Extract<WebhookNotice, { kind: K }>;
}

test('a notice names ten publications and counts all', () => {
  const applied = appliedNotice(all.map((of) => ({ ...publicationOf(of), action: of.action })));
  notificationOf(applied);
  assert.ok(applied.kind === 'applied');
  assert.equal([applied.count, applied.online, applied.offline, applied.publications.length], [25, 20, 5, 10]);
  assert.is(applied.summary, '25 changes made: 20 online, 5 offline');

  const changes = all.map((of) => ({ ...of, held: { ...hold, message: of.api } }));
  const held = firing('held', heldCondition({ ...nothing, changes }, 'sha256:1', null));
  assert.equal([held.count, held.reasons.length, held.publications.length], [25, 10, 10]);
  assert.is(held.summary, '25 changes are held for approval');

  const drift = firing(
    'drifted',
    driftedCondition(
      'drift',
      all.map((of) => ({ of, was: 'online', now: null })),
    ),
  );
  assert.equal([drift.count, drift.publications.length, drift.flapping], [25, 10, false]);
  assert.equal([drift.publications[0]?.was, drift.publications[0]?.now], ['online', 'offline']);

  const external = externalNotice(all.map((of) => ({ ...publicationOf(of), was: 'online', now: 'offline', apiDeleted: true })));
  notificationOf(external);
  assert.ok(external.kind === 'external');
  assert.equal([external.count, external.publications.length, external.publications[0]?.apiDeleted], [25, 10, true]);
});

test('a failure has the message of the gateway, or of the condition alone', () => {
  const failure = { code: 'APIG.3002', status: 404, message: 'no such API', hint: 'check', requestId: null, retryAfterMs: null };
  const of = change('orders', 'test');
  const failed = firing('failed', failedCondition('publication', failure.message, { of, failure }));
  assert.equal([failed.summary, failed.code, failed.hint], ['orders in test fails: no such API', 'APIG.3002', 'check']);
  const outage = firing('failed', failedCondition('outage', 'the gateway does not answer'));
  assert.equal([outage.summary, outage.publication, outage.code, outage.hint], ['the gateway does not answer', null, null, null]);
});

test('a held plan has the command that approves it, and a held file its single reason', () => {
  const changes = [{ ...change('orders', 'test'), held: hold }, change('carts', 'test')];
  const held = firing('held', heldCondition({ ...nothing, changes }, 'sha256:1', 'edict approve sha256:1'));
  assert.equal([held.count, held.approvalDigest, held.approveCommand, held.reasons], [1, 'sha256:1', 'edict approve sha256:1', [hold]]);
  assert.equal(
    held.publications.map(({ api }) => api),
    ['orders'],
  );

  const fileHeld = { ...hold, rule: 'maxRemoved', affected: [] } as const;
  const file = firing('held', heldCondition({ ...nothing, changes: all.map((of) => ({ ...of, held: hold })), fileHeld }, 'sha256:1', null));
  assert.equal([file.count, file.reasons.map(({ rule }) => rule), file.publications.length], [25, ['maxRemoved'], 10]);
  assert.is(file.summary, 'the whole file is held for approval');
});

test('an unknown outcome cannot be approved', () => {
  const held = firing('held', unknownOutcomeCondition(change('orders', 'test'), 'the list cannot be read'));
  assert.equal([held.approvalDigest, held.approveCommand, held.reasons[0]?.rule], [null, null, 'unknownOutcome']);
  assert.is(held.summary, 'orders in test is held: the outcome of an attempt is unknown: the list cannot be read');
});

test('five errors of an invalid file are sent, and not its text', () => {
  const diagnostic: Diagnostic = {
    rule: 'invalid-value',
    file: 'edict.yaml',
    line: 3,
    column: 5,
    length: 1,
    message: 'bad',
    hint: null,
    excerpt: { text: 'secret', column: 1 },
  };
  const invalid = firing('invalid', invalidCondition('edict.yaml has 9 errors', Array(9).fill(diagnostic)));
  assert.equal([invalid.count, invalid.errors.length], [9, 5]);
  assert.not.match(JSON.stringify(invalid), 'secret');
  assert.is(firing('invalid', invalidCondition('edict.yaml does not exist', [])).count, 0);
});

test('the summary of drift counts its publications and says whether it is flapping', () => {
  const drifts = all.map((of) => ({ of, was: null, now: 'online' }) as const);
  const [one, two] = [drifts.slice(0, 1), drifts.slice(0, 2)];
  assert.is(driftedCondition('drift', one).summary, '1 publication was changed outside edict, against the file');
  const again = 'changed outside edict, against the file, again after several corrections; edict does not correct';
  assert.is(firing('drifted', driftedCondition('flapping', one)).summary, `1 publication was ${again} it for a time`);
  assert.is(firing('drifted', driftedCondition('flapping', two)).summary, `2 publications were ${again} them for a time`);
});

test('the README has each kind of notice, and an alert for each condition', () => {
  const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  const alerts = read('examples/monitoring/alerts.yaml');
  const schema = JSON.parse(read('spec/notification.schema.json')) as { readonly $defs: Readonly<Record<string, SchemaOfNotice>> };
  const conditions = Object.values(schema.$defs).flatMap(({ properties = {} }) => {
    const kind = properties['kind']?.const;
    const all: readonly (string | null)[] = properties['subject'] ? (schema.$defs['Subject']?.enum ?? []) : [null];
    return kind === undefined
      ? []
      : all.map((what) => ({ row: `| \`${kind}\` | ${what === null ? '' : `\`${what}\``}`, hasAlert: 'status' in properties }));
  });
  assert.is(conditions.length, 11);
  const rows = read('README.md').split('\n');
  for (const { row, hasAlert } of conditions) {
    const [found = '', ...more] = rows.filter((line) => line.startsWith(row));
    assert.equal([found === '', more], [false, []], row);
    const alert = /\| `(Edict\w+)` \|$/.exec(found)?.[1];
    assert.is(alert !== undefined, hasAlert, row);
    if (alert !== undefined) assert.match(alerts, `- alert: ${alert}\n`);
  }
});

interface SchemaOfNotice {
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, { readonly const?: string }>>;
}

test('the example in the README is the notice of a plan that holds a change', () => {
  const desired = desiredState([wanted('orders', 'release', { state: 'offline' })], { protectedNames: ['release'] });
  const made = diffStates(desired, recordedState([recorded('orders', 'release')]));
  const digest = approvalDigest(made) ?? '';
  const { endpoint, project, instance } = desired.gateway;
  const notice = firing('held', heldCondition(made, digest, `edict approve ${shortDigest(digest)} --by NAME --reason TEXT`));
  const text = JSON.stringify(notificationOf(notice, { endpoint, project, instance }), null, 2);
  const shown = text.replaceAll(/(sha256:[0-9a-f]{4})[0-9a-f]{60}/g, '$1…');
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  assert.ok(readme.includes(`\`\`\`json\n${shown}\n\`\`\`\n`), shown);
});

test.run();
