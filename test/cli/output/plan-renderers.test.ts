import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { planRenderers } from '../../../src/cli/output/plan-renderers.ts';
import { noColor } from '../../../src/cli/output/terminal.ts';
import { publicationKey } from '../../../src/model/publication.ts';
import { diffStates } from '../../../src/plan/diff.ts';
import { desiredState, recorded, recordedState, wanted } from '../../support/states.ts';

const desired = desiredState(
  [wanted('orders', 'test'), wanted('invoices', 'release', { state: 'offline' }), wanted('carts', 'test', { state: 'offline' })],
  {
    protectedNames: ['release'],
  },
);
const before = recordedState([recorded('invoices', 'release'), recorded('carts', 'test')]);
const plan = diffStates(desired, before);
const inSync = desiredState([wanted('orders', 'test')]);
const nothing = diffStates(inSync, recordedState([recorded('orders', 'test')]));

test('the text shows online changes, then held ones, and offline changes last', () => {
  const text = planRenderers.text({ plan, desired, notices: [], approveCommand: 'edict approve sha256:1' }, noColor);
  const order = ['Goes online (1)', '+ orders', 'Held for approval (1)', '! invoices', 'Goes OFFLINE (1)', '- carts', 'Digest sha256:'];
  const headline = '1 held, 1 going online, 1 going offline, 0 unchanged; gateway never checked.\n';
  assert.ok(text.startsWith(headline) && text.indexOf(headline, 1) > text.indexOf('- carts'), 'the first line, and again at the end');
  const places = order.map((part) => text.indexOf(part));
  assert.not.ok(places.includes(-1), text);
  assert.equal(
    places,
    places.toSorted((a, b) => a - b),
  );
  assert.match(text, 'edict.yaml:1');
  assert.match(text, 'Before you approve: check that it is intended.\nTo approve: edict approve sha256:1');
  assert.match(text, '2 calls, about 0.1 s at 10 calls/s.');
});

const lost = { rule: 'maxRemoved', message: 'the file has lost 3 of the 4 publications', hint: 'check it', affected: ['a'] } as const;

test('a held file is reported once, and each change with its action', () => {
  const changes = plan.changes.map((change) => ({ ...change, held: lost }));
  const text = planRenderers.text(
    { plan: { ...plan, changes, fileHeld: lost }, desired, notices: [], approveCommand: 'edict approve x' },
    noColor,
  );
  assert.is(text.split(lost.message).length, 2);
  assert.match(
    text,
    'The whole file is held: the file has lost 3 of the 4 publications. Nothing is sent.\nBefore you approve: check it.\nTo approve: edict approve x',
  );
  assert.match(text, /! orders +test +online: new/);
});

test('a held file without changes is not reported as in sync', () => {
  const suspicious = { plan: { ...nothing, fileHeld: lost }, desired: inSync, notices: [], approveCommand: 'edict approve x' };
  for (const text of [planRenderers.text(suspicious, noColor), planRenderers.markdown(suspicious)]) {
    assert.match(text, lost.message);
    assert.match(text, 'edict approve x');
    assert.not.match(text.toLowerCase(), 'in sync');
  }
});

test('deferred changes have their own group, with their end', () => {
  const deferred = { rule: 'freeze', message: 'frozen until Monday', untilMs: 1 } as const;
  const changes = plan.changes.map((change) => (change.api === 'orders' ? { ...change, deferred } : change));
  const text = planRenderers.text({ plan: { ...plan, changes }, desired, notices: [], approveCommand: null }, noColor);
  assert.match(text, /Deferred \(1\)\n +… orders +test +online: frozen until Monday/);
  assert.match(text, '1 held, 1 going offline, 1 deferred, 0 unchanged');
});

test('the approver is named', () => {
  const approval = { id: 1, by: 'ada', reason: 'CHG-7', expiresAtMs: 1 };
  assert.match(
    planRenderers.text({ plan: { ...plan, approval }, desired, notices: [], approveCommand: null }, noColor),
    'Approved by ada: CHG-7',
  );
});

test('a plan without changes is in sync if the gateway was checked', () => {
  const checked = { ...nothing, lastChecked: { atMs: 0, isCurrent: true } };
  assert.is(
    planRenderers.text({ plan: checked, desired: inSync, notices: [], approveCommand: null }, noColor),
    'In sync. 1 publication matches the file.\n',
  );
  assert.is(
    planRenderers.text({ plan: nothing, desired: inSync, notices: [], approveCommand: null }, noColor),
    'No changes; gateway never checked. 1 publication matches the file, as far as is recorded.\n',
  );
});

test('the JSON is one document', () => {
  assert.is(
    (JSON.parse(planRenderers.json({ plan, desired, notices: [], approveCommand: null })) as { changes: unknown[] }).changes.length,
    3,
  );
});

test('every format shows the targets and how many changes they exclude', () => {
  const targets = { apis: ['or*', '*_x'], environments: ['test'] };
  const some = { ...plan, targets, changes: plan.changes.filter(({ api }) => api === 'orders'), excluded: 2 };
  const none = { ...nothing, targets, excluded: 2 };
  const sentence = 'Only --api or*, --api *_x, --environment test: 2 changes left out.';
  for (const shown of [some, none]) {
    assert.match(planRenderers.text({ plan: shown, desired, notices: [], approveCommand: null }, noColor), sentence);
    assert.match(
      planRenderers.markdown({ plan: shown, desired, notices: [], approveCommand: null }),
      'Only --api or&#42;, --api &#42;&#95;x, --environment test: 2 changes',
    );
  }
  const json = JSON.parse(planRenderers.json({ plan: some, desired, notices: [], approveCommand: null })) as {
    targets: unknown;
    summary: { excluded: number };
  };
  assert.equal([json.targets, json.summary.excluded], [targets, 2]);
});

/** A plan with a reported drift, beside the changes of `changed`. */
function drifting(...changed: readonly string[]): Parameters<typeof planRenderers.json>[0] {
  const drift = { from: null, fromSinceMs: null, detectedAtMs: 0, backoffUntilMs: null };
  const file = desiredState([wanted('a|b', 'test', { state: 'offline' }), ...changed.map((api) => wanted(api, 'test'))]);
  return { plan: diffStates(file, recordedState([recorded('a|b', 'test', { drift })])), desired: file, notices: [], approveCommand: null };
}

test('notices are in every format and are not changes', () => {
  for (const planned of [drifting(), drifting('orders')]) {
    const text = planRenderers.text(planned, noColor);
    assert.match(text, 'Observed at the gateway, no calls are made (1)');
    assert.match(text, /~ a\|b +test +published outside edict/);
    const markdown = planRenderers.markdown(planned);
    assert.match(markdown, '**Observed at the gateway, no calls are made**');
    assert.match(markdown, '| <code>a&#124;b</code> | `test` | published outside edict');
    const document = JSON.parse(planRenderers.json(planned)) as {
      notices: { kind: string; api: string }[];
      summary: { unchanged: number };
    };
    assert.equal(
      document.notices.map(({ kind, api }) => [kind, api]),
      [['drift', 'a|b']],
    );
    assert.is(document.summary.unchanged, 0);
  }
});

test('a notice is shown beside an empty plan', () => {
  const { key, api, apiId, environment, environmentId } = wanted('orders', 'test');
  const names = { key, api, apiId, environment, environmentId };
  const adopted = {
    ...names,
    kind: 'adopted',
    previousState: null,
    previousSinceMs: null,
    currentState: 'online',
    untilMs: null,
    replacementId: null,
  } as const;
  const checked = { ...nothing, lastChecked: { atMs: 0, isCurrent: true } };
  const planned = { plan: checked, desired: inSync, notices: [adopted], approveCommand: null };
  const adoption = '1 publication adopted from the gateway without a call; it is taken to have its declared revision.';
  const one = `In sync. 1 publication matches the file.\n\n${adoption}\n`;
  assert.is(planRenderers.text(planned, noColor).slice(0, one.length), one);
  const two = { ...planned, notices: [adopted, { ...adopted, key: publicationKey('api-carts', environmentId), api: 'carts' }] };
  assert.match(
    planRenderers.text(two, noColor),
    /^In sync.*\n\n2 publications adopted from the gateway without a call; they are taken to have their/,
  );
  assert.match(planRenderers.markdown(planned), /In sync[\s\S]*\n\n1 publication adopted from the gateway without a call/);
});

test('an emulated gateway is named as one, with changes and without', () => {
  const [some, nothing] = [desiredState([wanted('a', 'test')]), desiredState([])].map((file) => ({
    ...{ plan: { ...diffStates(file, recordedState([])), isEmulated: true }, desired: file, notices: [], approveCommand: null },
  }));
  if (!some || !nothing) return assert.unreachable();
  const named = 'Emulated gateway in place of https://roma.example.com, instance instance';
  for (const view of [some, nothing]) {
    const lines = planRenderers.text(view, noColor).split('\n');
    assert.ok(lines[1]?.startsWith(named), lines.join('\n'));
    assert.match(planRenderers.markdown(view), '**Emulated gateway** in place of `https://roma.example.com`');
    assert.is((JSON.parse(planRenderers.json(view)) as { emulated: boolean }).emulated, true);
  }
  assert.not.match(planRenderers.text({ ...some, plan: { ...some.plan, isEmulated: false } }, noColor), /emulated/i);
});

test.run();
