import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { plain } from '../../src/cli/paint.ts';
import { planRenderers } from '../../src/cli/render-plan.ts';
import { plan } from '../../src/core/plan.ts';
import { desiredState, recorded, recordedState, wanted } from '../support/states.ts';

const desired = desiredState(
  [wanted('orders', 'test'), wanted('invoices', 'release', { state: 'offline' }), wanted('carts', 'test', { state: 'offline' })],
  {
    protectedNames: ['release'],
  },
);
const before = recordedState([recorded('invoices', 'release'), recorded('carts', 'test')]);
const made = plan(desired, before);
const inSync = desiredState([wanted('orders', 'test')]);
const nothing = plan(inSync, recordedState([recorded('orders', 'test')]));

test('the text shows what goes online, what is held, and last what goes offline', () => {
  const text = planRenderers.text({ plan: made, desired, notes: [] }, plain);
  const order = [
    'Goes online (1)',
    '+ orders',
    'Held: edict does not make these (1)',
    '! invoices',
    'Goes OFFLINE (1)',
    '- carts',
    '3 changes: 1 online, 1 offline, 1 held, 0 unchanged.',
  ];
  const places = order.map((part) => text.indexOf(part));
  assert.not.ok(places.includes(-1), text);
  assert.equal(
    places,
    places.toSorted((a, b) => a - b),
  );
  assert.match(text, 'edict.yaml:1');
  assert.match(text, 'Held: if it is meant, set `protected: false` for release');
  assert.match(text, '2 calls, about 0.1 s at 10 per 1 s.');
});

test('a plan without changes says that all is well', () => {
  assert.is(
    planRenderers.text({ plan: nothing, desired: inSync, notes: [] }, plain),
    'In sync. 1 publication is as the file says. Nothing to do.\n',
  );
  assert.match(planRenderers.markdown({ plan: nothing, desired: inSync, notes: [] }), 'in sync');
});

test('the JSON is one document', () => {
  assert.is((JSON.parse(planRenderers.json({ plan: made, desired, notes: [] })) as { changes: unknown[] }).changes.length, 3);
});

test('the markdown shows what goes offline first, and no cell breaks its table', () => {
  const odd = desiredState([wanted('a|b', 'test', { state: 'offline' }), wanted('orders', 'test')]);
  const text = planRenderers.markdown({ plan: plan(odd, recordedState([recorded('a|b', 'test')])), desired: odd, notes: [] });
  assert.ok(text.indexOf('Goes OFFLINE') < text.indexOf('Goes online'));
  assert.match(text, '| a\\|b | test |');
});

test('every form says what the plan is about and how much that leaves out', () => {
  const targets = { apis: ['or*', '*_x'], environments: ['test'] };
  const some = { ...made, targets, changes: made.changes.filter(({ api }) => api === 'orders'), untargeted: 2 };
  const none = { ...nothing, targets, untargeted: 2 };
  const sentence = 'Only --api or*, --api *_x, --environment test: 2 changes left out.';
  for (const shown of [some, none]) {
    assert.match(planRenderers.text({ plan: shown, desired, notes: [] }, plain), sentence);
    assert.match(
      planRenderers.markdown({ plan: shown, desired, notes: [] }),
      'Only --api or\\*, --api \\*\\_x, --environment test: 2 changes',
    );
  }
  const json = JSON.parse(planRenderers.json({ plan: some, desired, notes: [] })) as { targets: unknown; summary: { untargeted: number } };
  assert.equal([json.targets, json.summary.untargeted], [targets, 2]);
});

/** A plan that leaves a drift, beside the changes of `changed`. */
function drifting(...changed: readonly string[]): Parameters<typeof planRenderers.json>[0] {
  const drift = { from: null, fromSinceMs: null, seenAtMs: 0, truceUntilMs: null };
  const file = desiredState([wanted('a|b', 'test', { state: 'offline' }), ...changed.map((api) => wanted(api, 'test'))]);
  return { plan: plan(file, recordedState([recorded('a|b', 'test', { drift })])), desired: file, notes: [] };
}

test('what was seen and is left as it is stands in every form, and is no change', () => {
  for (const planned of [drifting(), drifting('orders')]) {
    const text = planRenderers.text(planned, plain);
    assert.match(text, 'Seen at the gateway, no call is made (1)');
    assert.match(text, /~ a\|b +test +published outside edict/);
    const markdown = planRenderers.markdown(planned);
    assert.match(markdown, '**Seen at the gateway, no call is made**');
    assert.match(markdown, '| a\\|b | test | published outside edict');
    const document = JSON.parse(planRenderers.json(planned)) as { seen: { kind: string; api: string }[]; summary: { unchanged: number } };
    assert.equal(
      document.seen.map(({ kind, api }) => [kind, api]),
      [['drift', 'a|b']],
    );
    assert.is(document.summary.unchanged, 0);
  }
});

test('a note stands beside an empty plan', () => {
  const { key, api, apiId, environment, environmentId } = wanted('orders', 'test');
  const names = { key, api, apiId, environment, environmentId };
  const adopted = { ...names, kind: 'adopted', was: null, wasSinceMs: null, now: 'online', untilMs: null, heirId: null } as const;
  const planned = { plan: nothing, desired: inSync, notes: [adopted] };
  assert.match(planRenderers.text(planned, plain), /adopted without a call[\s\S]*In sync/);
  assert.match(planRenderers.markdown(planned), /in sync[\s\S]*adopted without a call/);
});

test.run();
