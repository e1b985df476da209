import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { systemClock } from '../../src/app/context.ts';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { openCredentials } from '../../src/gateway/auth/env-credentials.ts';
import { openGateway } from '../../src/gateway/gateway.ts';
import type { Gateway } from '../../src/gateway/interface.ts';
import type { Change } from '../../src/model/change.ts';
import type { Outcome } from '../../src/model/outcome.ts';
import { changeTo, settingsFor } from './answering-server.ts';

const user = { HW_USER_NAME: 'ada', HW_USER_PASSWORD: 'hunter2', HW_DOMAIN_NAME: 'acme' };
const seed = {
  project: 'project-1',
  instance: 'instance-1',
  apis: [{ id: 'api-1', name: 'orders' }],
  environments: [{ id: 'env-1', name: 'RELEASE' }],
  users: [{ name: 'ada', password: 'hunter2', domain: 'acme' }],
  tokens: [
    { value: 'good', permitted: true },
    { value: 'weak', permitted: false },
  ],
};

interface Scene {
  readonly emulator: Emulator;
  readonly gateway: Gateway;
  send(change: Change): Promise<Outcome>;
  operations(): string[];
}

/** Runs `play` with an emulated gateway and a client for it. */
async function withEmulator(env: Record<string, string>, play: (scene: Scene) => Promise<void>, instance = 'instance-1') {
  const emulator = await startEmulator({ seed });
  const settings = settingsFor(emulator.url, { instance });
  const gateway = openGateway(settings, await openCredentials(env, settings, { assertAllowed: () => {}, clock: systemClock }));
  try {
    await play({
      emulator,
      gateway,
      send: (change) =>
        gateway.send(change, { marker: null, isStillDesired: () => true, canSend: () => true }, new AbortController().signal),
      operations: () => emulator.requests.all().map(({ operation, status }) => `${operation} ${status}`),
    });
  } finally {
    await gateway.close();
    await emulator.close();
  }
}

function codeOf(outcome: Outcome): string {
  return 'failure' in outcome ? `${outcome.kind} ${outcome.failure.code}` : outcome.kind;
}

test('logs in, publishes and takes offline', async () => {
  await withEmulator(user, async ({ emulator, send, operations }) => {
    const online = await send(changeTo('online', { remark: 'first' }));
    const { effective, record } = emulator.state.publications()[0] ?? {};
    assert.equal(online, { kind: 'succeeded', versionId: effective?.versionId, publishId: record?.publishId });
    assert.is(effective?.remark, 'first');
    assert.equal(await send(changeTo('offline')), { kind: 'succeeded', versionId: null, publishId: null });
    assert.is(emulator.state.publications()[0]?.effective, null);
    assert.equal(operations(), ['createToken 201', 'changePublication 201', 'changePublication 201']);
  });
});

test('an offline of an API that is not published succeeds', async () => {
  await withEmulator(user, async ({ send }) => {
    assert.is(codeOf(await send(changeTo('offline'))), 'succeeded');
  });
});

test('renews the token after a 401, within the attempt', async () => {
  await withEmulator(user, async ({ emulator, send, operations }) => {
    await send(changeTo('online'));
    emulator.faults.add({ times: 1, status: 401, errorCode: 'APIG.1002', errorMsg: 'Incorrect token or token resolution failed' });
    assert.is(codeOf(await send(changeTo('online'))), 'succeeded');
    assert.equal(operations(), [
      'createToken 201',
      'changePublication 201',
      'changePublication 401',
      'createToken 201',
      'changePublication 201',
    ]);
  });
});

test('a wrong password is tried once', async () => {
  await withEmulator({ ...user, HW_USER_PASSWORD: 'wrong' }, async ({ send, operations }) => {
    for (let call = 0; call < 6; call += 1) assert.is(codeOf(await send(changeTo('online'))), 'unauthorized CREDENTIALS_REJECTED');
    assert.equal(operations(), ['createToken 401']);
  });
});

test('a token without permission, or of another gateway, needs a person', async () => {
  await withEmulator({ HW_AUTH_TOKEN: 'weak' }, async ({ send }) =>
    assert.is(codeOf(await send(changeTo('online'))), 'rejected APIG.1005'),
  );
  await withEmulator({ HW_AUTH_TOKEN: 'old' }, async ({ send }) =>
    assert.is(codeOf(await send(changeTo('online'))), 'unauthorized APIG.1002'),
  );
});

test('the missing API or environment is named', async () => {
  const token = { HW_AUTH_TOKEN: 'good' };
  await withEmulator(token, async ({ send }) => {
    assert.is(codeOf(await send(changeTo('online', { apiId: 'api-2' }))), 'rejected APIG.3002');
    assert.is(codeOf(await send(changeTo('online', { environmentId: 'env-2' }))), 'rejected APIG.3003');
  });
  await withEmulator(token, async ({ send }) => assert.is(codeOf(await send(changeTo('online'))), 'rejected APIG.3030'), 'instance-2');
});

test('a remark over the limit is shortened instead of rejected', async () => {
  await withEmulator({ HW_AUTH_TOKEN: 'good' }, async ({ emulator, send }) => {
    assert.is((await send(changeTo('online', { remark: 'x'.repeat(256) }))).kind, 'succeeded');
    const [call] = emulator.requests.all().filter(({ operation }) => operation === 'changePublication');
    assert.is(call?.remark, `${'x'.repeat(254)}…`);
  });
});

test('a lost response to a call that took effect is unknown', async () => {
  await withEmulator({ HW_AUTH_TOKEN: 'good' }, async ({ emulator, send }) => {
    emulator.faults.add({ times: 1, status: 504, errorCode: 'APIGW.0203', errorMsg: 'Backend timeout.', applied: true });
    assert.is(codeOf(await send(changeTo('online'))), 'unknown APIGW.0203');
    assert.ok(emulator.state.publications()[0]?.effective);
  });
});

test('throttling pauses requests for as long as the gateway says', async () => {
  await withEmulator({ HW_AUTH_TOKEN: 'good' }, async ({ emulator, send }) => {
    const errorMsg = 'The throttling threshold has been reached: policy ip over ratelimit,limit:5,time:1 minute';
    emulator.faults.add({ times: 1, status: 429, errorCode: 'APIG.0308', errorMsg });
    emulator.faults.add({ times: 1, status: 429, errorCode: 'APIG.0308', errorMsg, headers: { 'Retry-After': '3' } });
    for (const afterMs of [60_000, 3_000]) {
      const outcome = await send(changeTo('online'));
      assert.is(outcome.kind === 'throttled' && outcome.failure.retryAfterMs, afterMs);
    }
    assert.is(codeOf(await send(changeTo('online'))), 'succeeded');
  });
});

test.run();
